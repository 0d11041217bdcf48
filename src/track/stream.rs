//! RTP streams, as far as they are recognised: who sends what to whom, how many packets, and for which call.

use std::sync::Arc;

use crate::packet::{Endpoint, FlowKey};
use crate::rtp::figures::Percentiles;
use crate::rtp::figures::dtmf::DtmfEvent;
use crate::rtp::figures::histogram::Bucket;
use crate::rtp::figures::windows::{Bar, Window};
use crate::rtp::figures::wireshark::WiresharkFigures;
use crate::rtp::mos::Score;
use crate::rtp::playout;
use crate::rtp::rtcp::xr::VoipMetrics;
use crate::time::{Elapsed, Timestamp};

use super::call::CallKey;

/// A stream's identity within one run: its ordinal of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub u64);

/// One RTP stream: source, destination and SSRC.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Identity.
    pub key: StreamKey,
    /// Sender and receiver.
    pub flow: FlowKey,
    /// Synchronisation source.
    pub ssrc: u32,
    /// The payload type of most of its packets.
    pub payload_type: u8,
    /// Its codec, when SDP or the static table names it.
    pub codec: Option<Arc<str>>,
    /// Packets seen.
    pub packets: u64,
    /// Payload bytes seen.
    pub payload_bytes: u64,
    /// First packet.
    pub first: Timestamp,
    /// Newest packet.
    pub last: Timestamp,
    /// The call whose SDP announced one of its ends.
    pub call: Option<CallKey>,
    /// Its figures, as of a moment at most half a second before `last`.
    pub quality: Arc<Quality>,
}

/// Least, mean and greatest of some values, in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Least.
    pub min: f64,
    /// Plain mean.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
}

/// The figures of a stream. What could not be measured is `None`: the jitter of a codec with an unknown clock.
#[derive(Clone, Debug, Default)]
pub struct Quality {
    /// Packets that the sequence numbers tell of.
    pub expected: u64,
    /// Of these, not received.
    pub lost: u64,
    /// Packets with a number that had come before; repeated events are among them.
    pub duplicates: u64,
    /// Packets that came behind later ones.
    pub out_of_order: u64,
    /// Gaps, packets out of order, and restarts.
    pub sequence_errors: u64,
    /// How often the sequence numbers began anew.
    pub restarts: u32,
    /// How often the timestamps jumped against the arrivals.
    pub timestamp_jumps: u32,
    /// Pauses of more than a second without loss.
    pub pauses: u32,
    /// Between packets.
    pub delta: Option<Range>,
    /// The same as percentiles, to 6 %.
    pub delta_percentiles: Option<Percentiles>,
    /// Jitter (RFC 3550, 6.4.1).
    pub jitter: Option<Range>,
    /// The same as percentiles, to 6 %.
    pub jitter_percentiles: Option<Percentiles>,
    /// The jitter of this moment, in ms.
    pub jitter_now: Option<f64>,
    /// The longest time without a packet, and when it began.
    pub longest_gap: Option<(Elapsed, Timestamp)>,
    /// The largest deviation of media time from arrivals, in ms with its sign: positive when the sender's clock is fast.
    pub max_skew: Option<f64>,
    /// Error of the sender's clock in millionths, against ours.
    pub clock_ppm: Option<f64>,
    /// Ticks of the RTP timestamp in a second.
    pub clock: Option<u32>,
    /// Whether there was loss, an error of the sequence, or a jump of the timestamps.
    pub has_problem: bool,
    /// Keys pressed (RFC 4733).
    pub digits: Arc<str>,
    /// The same with times.
    pub events: Arc<[DtmfEvent]>,
    /// Packets of events that repeat another's sequence number.
    pub event_repeats: u32,
    /// What a listener has behind each buffer, in the order of [`playout::BufferKind::ALL`]; `None` for what is no sound.
    pub playout: Option<[playout::Figures; 3]>,
    /// Media time of one packet.
    pub packet_time: Option<Elapsed>,
    /// What a listener has behind the adaptive buffer, scored over the whole stream; `None` where no score can be told.
    pub score: Option<Score>,
    /// The worst ten seconds and their score.
    pub worst: Option<(playout::Window, Score)>,
    /// The score of the last ten seconds that are complete, before that of the running ones.
    pub score_now: Option<Score>,
    /// Behind the adaptive buffer, by tens of seconds.
    pub heard: Arc<[playout::Window]>,
    /// Windows of ten seconds that say something.
    pub windows: Arc<[Window]>,
    /// Seconds of the last minute, oldest first.
    pub bars: Arc<[Bar]>,
    /// How often each jitter was measured.
    pub jitter_histogram: Arc<[Bucket]>,
    /// How often each time between packets was measured.
    pub delta_histogram: Arc<[Bucket]>,
    /// The payload types in it and their codecs, in order of appearance.
    pub payloads: Arc<[(u8, Option<Arc<str>>)]>,
    /// The same stream as Wireshark sees it.
    pub wireshark: WiresharkFigures,
    /// What others say about it. It never takes the place of what was measured here.
    pub reported: Option<Arc<Reported>>,
}

/// What the ends of a stream say about it. All is as of the newest report that has it.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// The receiver's RTCP (RFC 3550, 6.4).
    pub receiver: Option<ReceiverSays>,
    /// The receiver's VoIP metrics (RFC 3611, 4.7).
    pub metrics: Option<VoipMetrics>,
    /// The round trip between both ends, as RTCP gives it.
    pub round_trip: Option<Elapsed>,
    /// Its part from the place of capture to the receiver and back.
    pub receiver_part: Option<Elapsed>,
    /// Its part from the place of capture to the sender and back.
    pub sender_part: Option<Elapsed>,
    /// What a phone told its server about what it received (RFC 6035).
    pub phone: Option<PhoneSays>,
    /// Whether its sender's RTCP is encrypted.
    pub is_encrypted: bool,
}

/// A report block of RTCP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceiverSays {
    /// When.
    pub at: Timestamp,
    /// Who sent it.
    pub by: Endpoint,
    /// Lost since the report before, in %.
    pub lost_percent: f64,
    /// Lost in all; negative when duplicates came.
    pub lost: i32,
    /// Highest sequence number received, with its cycles.
    pub highest_sequence: u32,
    /// Jitter in ticks of the stream's clock.
    pub jitter: u32,
}

/// A voice quality report. What it leaves out is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhoneSays {
    /// When.
    pub at: Timestamp,
    /// Who sent it.
    pub by: Endpoint,
    /// Lost on the network, in %.
    pub lost_percent: Option<f64>,
    /// Thrown away by its jitter buffer, in %.
    pub discard_percent: Option<f64>,
    /// Jitter in ms.
    pub jitter_ms: Option<f64>,
    /// Round trip in ms.
    pub round_trip_ms: Option<f64>,
    /// MOS of listening.
    pub mos_lq: Option<f64>,
    /// MOS of conversation.
    pub mos_cq: Option<f64>,
}

impl Quality {
    /// Share of the expected packets that is lost, in %.
    pub fn lost_percent(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.lost as f64 * 100.0 / self.expected as f64)
    }
}

impl Stream {
    /// `10.1.1.123:4006>10.1.1.124:5004/0x6AB21E82`, as reports name it.
    pub fn name(&self) -> String {
        format!("{}>{}/0x{:08X}", self.flow.src, self.flow.dst, self.ssrc)
    }
}
