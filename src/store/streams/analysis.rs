//! The figures of one stream, and the buffers of its listener, packet by packet.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::event::RtpSample;
use crate::packet::FlowKey;
use crate::rtp::figures::carries::Carries;
use crate::rtp::figures::payload_types::PayloadTypes;
use crate::rtp::figures::sequence::Place;
use crate::rtp::figures::spread::Spread;
use crate::rtp::figures::{Arrival, Placed, StreamFigures};
use crate::rtp::mos::{self, Codec, Row};
use crate::rtp::playout::{self, BufferKind, MediaClock, Playout};
use crate::time::{Elapsed, Timestamp};
use crate::track::call::CallKey;
use crate::track::media::MediaMap;
use crate::track::stream::{Quality, Range};

/// Clock of all video (RFC 3551, 5), for which nobody hears a buffer run empty.
const VIDEO_CLOCK: u32 = 90_000;

/// All that is measured of one stream.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    types: PayloadTypes,
    figures: StreamFigures,
    listener: Option<Listener>,
    /// Start and length of the newest payload of sound, which tell the bit rate of some codecs.
    newest: Option<([u8; 4], u16)>,
    bit_rate: Option<u32>,
}

/// The buffers, and the clock that turns timestamps into the time that they play by.
#[derive(Debug)]
struct Listener {
    rate: NonZeroU32,
    clock: MediaClock,
    media: Elapsed,
    playout: Playout,
}

impl Analysis {
    /// Takes the next packet. The call and SDP are asked only when the payload type is new.
    #[inline]
    pub fn packet(&mut self, sample: &RtpSample, media: &MediaMap, call: Option<CallKey>) {
        let carries = match self.types.count(sample.payload_type) {
            Some(carries) => carries,
            None => self.learn(sample, media, call),
        };
        let placed = self.figures.arrive(&Arrival {
            at: sample.at,
            timestamp: sample.timestamp,
            sequence: sample.sequence,
            payload_len: sample.payload_len,
            payload_type: sample.payload_type,
            marker: sample.marker,
            carries,
            head: sample.head,
        });
        if placed.is_played
            && let Some(head) = sample.head
        {
            self.newest = Some((head, sample.payload_len));
        }
        match &mut self.listener {
            Some(listener) => listener.packet(sample, carries, placed),
            None => self.listen(sample, carries, placed),
        }
    }

    #[cold]
    fn learn(&mut self, sample: &RtpSample, media: &MediaMap, call: Option<CallKey>) -> Carries {
        let carries = media.carries(&sample.flow, call, sample.payload_type);
        self.types.learn(sample.payload_type, carries);
        self.types.count(sample.payload_type).unwrap_or(carries)
    }

    /// The first sound brings the listener.
    #[cold]
    fn listen(&mut self, sample: &RtpSample, carries: Carries, placed: Placed) {
        let Carries::Media { clock: rate } = carries else { return };
        let Some(clock) = MediaClock::new(rate.get()).filter(|_| rate.get() != VIDEO_CLOCK) else { return };
        let playout = Playout::new(BufferKind::Adaptive);
        let listener = self.listener.insert(Listener { rate, clock, media: Elapsed::ZERO, playout });
        listener.packet(sample, carries, placed);
    }

    /// Asks again what the payload types carry: SDP may have come, or changed.
    pub fn ask_again(&mut self, flow: &FlowKey, media: &MediaMap, call: Option<CallKey>) {
        let known: smallvec::SmallVec<[(u8, Carries); 6]> =
            self.types.list().map(|(payload_type, carries, _)| (payload_type, carries)).collect();
        for (payload_type, before) in known {
            let carries = media.carries(flow, call, payload_type);
            if carries != before && carries != Carries::Unknown {
                self.types.learn(payload_type, carries);
            }
        }
    }

    /// Packets, repeated ones included.
    pub fn packets(&self) -> u64 {
        self.figures.sequence().packets()
    }

    /// Octets of payload.
    pub fn payload_bytes(&self) -> u64 {
        self.figures.payload_octets()
    }

    /// The payload type of most packets.
    pub fn payload_type(&self) -> Option<u8> {
        self.types.main()
    }

    /// All payload types, in order of appearance.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        self.types.list().map(|(payload_type, ..)| payload_type)
    }

    /// The row of the codec table, if the codec has one.
    fn row(&mut self, name: &str, parameters: &str) -> Option<Row> {
        let fmtp = Some(parameters).filter(|text| !text.is_empty());
        if let Some((head, length)) = &self.newest {
            self.bit_rate = mos::bit_rate(name, fmtp, head, usize::from(*length)).or(self.bit_rate);
        }
        let clock = self.figures.jitter().clock().map(NonZeroU32::get);
        mos::row(&Codec { name, clock, fmtp, bit_rate: self.bit_rate }, &mos::Options::default())
    }

    /// All figures, as of `now`. The codec is that of most packets: name, format parameters.
    pub fn quality(&mut self, now: Timestamp, codec: Option<(&str, &str)>) -> Quality {
        let row = codec.and_then(|(name, parameters)| self.row(name, parameters));
        let listener = self.listener.as_ref();
        let playout = listener.map(|listener| listener.figures(now));
        let score = row.zip(playout).and_then(|(row, [.., adaptive])| row.listening(&adaptive.loss));
        let windows = || listener.into_iter().flat_map(|listener| listener.windows(now));
        let (sequence, deltas, jitter) = (self.figures.sequence(), self.figures.deltas(), self.figures.jitter());
        let (gap, gap_began) = deltas.longest_gap();
        let clock = jitter.clock().map(NonZeroU32::get);
        Quality {
            expected: sequence.expected(),
            lost: sequence.lost(),
            duplicates: sequence.duplicates().into(),
            out_of_order: sequence.out_of_order().into(),
            sequence_errors: sequence.errors(),
            restarts: sequence.restarts(),
            timestamp_jumps: jitter.jumps(),
            pauses: deltas.pauses(),
            delta: range(deltas.taken()),
            delta_percentiles: self.figures.delta_percentiles(),
            jitter: range(jitter.taken()),
            jitter_percentiles: self.figures.jitter_percentiles(),
            jitter_now: jitter.now(),
            longest_gap: (gap > Elapsed::ZERO).then_some((gap, gap_began)),
            max_skew: clock.map(|_| self.figures.drift().max_skew()),
            clock_ppm: self.figures.drift().ppm(),
            clock,
            has_problem: self.figures.has_problem(),
            digits: self.figures.dtmf().keys().into(),
            events: self.figures.dtmf().events().into(),
            event_repeats: self.figures.event_repeats(),
            playout,
            packet_time: listener.map(|listener| listener.playout.packet_time()),
            score,
            worst: row.and_then(|row| mos::worst_window(&row, windows())),
            score_now: row.and_then(|row| listener?.score_now(&row, now)),
            heard: windows().collect(),
            windows: self.figures.judged_windows().collect(),
            bars: Arc::new(self.figures.windows().last_minute(now, sequence)),
            jitter_histogram: self.figures.jitter_histogram().buckets().collect(),
            delta_histogram: self.figures.delta_histogram().buckets().collect(),
            payloads: Arc::default(),
            wireshark: self.figures.wireshark(),
            reported: None,
        }
    }
}

impl Listener {
    #[inline]
    fn packet(&mut self, sample: &RtpSample, carries: Carries, placed: Placed) {
        if matches!(placed.place, Place::Duplicate | Place::Stray) {
            return;
        }
        if placed.place == Place::Restart {
            self.playout.restart();
        }
        if let Carries::Media { clock } = carries {
            if clock != self.rate {
                self.turn_to(clock);
            }
            if placed.is_jump {
                self.playout.timestamp_jump();
            }
            self.media = self.clock.media(sample.timestamp);
        }
        self.playout.packet(&playout::Arrival {
            at: sample.at,
            sequence: placed.sequence as i64,
            media: self.media,
            marker: sample.marker,
            is_audio: placed.is_played,
        });
    }

    /// The sender turned to a codec with another clock.
    #[cold]
    fn turn_to(&mut self, rate: NonZeroU32) {
        if let Some(clock) = MediaClock::new(rate.get()) {
            self.clock = clock;
            self.rate = rate;
            self.playout.timestamp_jump();
        }
    }

    fn figures(&self, now: Timestamp) -> [playout::Figures; 3] {
        BufferKind::ALL.map(|kind| self.playout.figures(kind, now))
    }

    /// The windows that are complete, and the last if it was long enough.
    fn windows(&self, now: Timestamp) -> impl Iterator<Item = playout::Window> {
        self.playout.windows().chain(self.playout.last_window(now))
    }

    fn score_now(&self, row: &Row, now: Timestamp) -> Option<mos::Score> {
        let complete = self.playout.windows().next_back().and_then(|window| row.listening(&window.loss));
        complete.or_else(|| row.listening(&self.playout.running_window(now)?.loss))
    }
}

fn range(values: &Spread) -> Option<Range> {
    Some(Range { min: values.min()?, mean: values.mean()?, max: values.max()? })
}
