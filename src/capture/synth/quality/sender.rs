//! What a phone sends: voice, digits, pauses, in order and on time.

use super::super::rtp::TONE;
use super::super::wire::Path;
use crate::time::{Elapsed, Timestamp};

/// Payload type of telephone events, as most phones offer it.
pub(super) const EVENT_TYPE: u8 = 101;

/// Payload type of comfort noise (RFC 3551, 6).
const NOISE_TYPE: u8 = 13;

/// Packets of one tick follow each other after this time: repeated end packets, and the packets of a video frame.
const SPACING_NS: i64 = 500_000;

/// A codec as SDP names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Encoding name of `rtpmap`.
    pub name: &'static str,
    /// Payload type.
    pub payload_type: u8,
    /// Hz.
    pub clock: u32,
    /// Payload octets in a second.
    pub octets_per_second: u32,
    /// Whether it is video.
    pub is_video: bool,
}

impl Codec {
    /// G.711 µ-law.
    pub const PCMU: Self = Self::voice("PCMU", 0, 8_000, 8_000);
    /// G.711 A-law.
    pub const PCMA: Self = Self::voice("PCMA", 8, 8_000, 8_000);
    /// G.722; its clock is 8 kHz by a mistake that stays (RFC 3551, 4.5.2).
    pub const G722: Self = Self::voice("G722", 9, 8_000, 8_000);
    /// G.729.
    pub const G729: Self = Self::voice("G729", 18, 8_000, 1_000);
    /// Speex, wideband.
    pub const SPEEX16: Self = Self::voice("speex", 97, 16_000, 3_000);
    /// Linear PCM at a rate that is no multiple of 1,000.
    pub const L16: Self = Self::voice("L16", 11, 44_100, 88_200);
    /// Opus.
    pub const OPUS: Self = Self::voice("opus", 111, 48_000, 4_000);
    /// H.264.
    pub const H264: Self = Self { is_video: true, ..Self::voice("H264", 99, 90_000, 20_000) };

    const fn voice(name: &'static str, payload_type: u8, clock: u32, octets_per_second: u32) -> Self {
        Self { name, payload_type, clock, octets_per_second, is_video: false }
    }
}

/// What is sent during a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filler {
    /// Nothing.
    Nothing,
    /// Comfort noise at its start and then every so many ticks (RFC 3389).
    Noise(u32),
    /// A frame of the codec itself every so many ticks, as Opus does.
    Frame(u32),
}

/// Silence that is not sent; timestamps go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// First tick of silence.
    pub tick: u32,
    /// How many.
    pub ticks: u32,
    /// What is sent meanwhile.
    pub filler: Filler,
    /// Whether the voice behind it starts with a marker.
    pub marker: bool,
}

/// How the last packet of a digit is sent again (RFC 4733, 2.5.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// So many times with the same sequence number.
    Same(u32),
    /// So many times, each with a sequence number of its own.
    Next(u32),
}

/// A digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// First tick; no voice is sent while it lasts.
    pub tick: u32,
    /// How many.
    pub ticks: u32,
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub digit: char,
    /// Copies of the last packet.
    pub repeats: Repeats,
}

/// Everything about a stream. One packet of voice is sent at each tick, and ticks are [`StreamPlan::packet_time`] apart.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// Addresses on the wire.
    pub path: Path,
    /// When the first packet is sent.
    pub start: Timestamp,
    /// What is sent.
    pub codec: Codec,
    /// Time in a packet.
    pub packet_time: Elapsed,
    /// How many ticks.
    pub ticks: u32,
    /// Packets in a tick, with the same timestamp and a marker on the last: video. 1 for voice.
    pub packets_per_tick: u32,
    /// SSRC.
    pub ssrc: u32,
    /// First sequence number.
    pub first_sequence: u16,
    /// First timestamp.
    pub first_timestamp: u32,
    /// How fast the sender's clock is, in millionths.
    pub drift_ppm: i32,
    /// Whether the first packet has the marker with which talk begins (RFC 3551, 4.1).
    pub first_marker: bool,
    /// Ticks with a marker that no pause explains.
    pub markers: Vec<u32>,
    /// Digits, in order.
    pub presses: Vec<Press>,
    /// Pauses, in order.
    pub pauses: Vec<Pause>,
    /// From this tick on the timestamps are so much higher, without any reason.
    pub jump: Option<(u32, i32)>,
    /// At this tick sequence number and timestamp begin anew.
    pub restart: Option<u32>,
    /// From this tick on another codec is sent.
    pub change: Option<(u32, Codec)>,
    /// What happens on the way.
    pub network: super::Network,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Voice or video.
    Media,
    /// Comfort noise.
    Noise,
    /// Part of a digit.
    Event(char),
}

/// A packet as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When, counted from the start of the stream.
    pub due: Elapsed,
    /// Which count it belongs to: 0, and 1 behind a restart.
    pub segment: u32,
    /// Its number in the segment from 0, which never wraps; equal for copies.
    pub number: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Payload type.
    pub payload_type: u8,
    /// Hz of the payload's clock.
    pub clock: u32,
    /// Marker.
    pub marker: bool,
    /// SSRC.
    pub ssrc: u32,
    /// What it is.
    pub kind: Kind,
    /// Payload octets.
    pub octets: u16,
    /// Flags and duration of a digit: what stands behind its code.
    event: [u8; 3],
}

impl StreamPlan {
    /// PCMU, 20 ms, numbers that do not wrap soon, and a good network.
    pub fn new(path: Path, start: Timestamp, ticks: u32, ssrc: u32) -> Self {
        Self {
            path,
            start,
            codec: Codec::PCMU,
            packet_time: Elapsed::from_millis(20),
            ticks,
            packets_per_tick: 1,
            ssrc,
            first_sequence: 1_000,
            first_timestamp: 160_000,
            drift_ppm: 0,
            first_marker: true,
            markers: Vec::new(),
            presses: Vec::new(),
            pauses: Vec::new(),
            jump: None,
            restart: None,
            change: None,
            network: super::Network::default(),
        }
    }

    /// When a tick is sent, counted from the start; in whole µs, so that a file in either precision holds the same.
    pub(super) fn due(&self, tick: u32) -> Elapsed {
        let nominal = i128::from(self.packet_time.nanos()) * i128::from(tick);
        let real = nominal * 1_000_000 / i128::from(1_000_000 + self.drift_ppm);
        Elapsed::from_nanos((real / 1_000 * 1_000) as i64)
    }

    /// The packet as it goes over the wire: RTP header and payload.
    pub fn datagram(&self, packet: &Sent) -> Vec<u8> {
        let mut out = vec![0x80, packet.payload_type | u8::from(packet.marker) << 7];
        out.extend_from_slice(&packet.sequence.to_be_bytes());
        out.extend_from_slice(&packet.timestamp.to_be_bytes());
        out.extend_from_slice(&packet.ssrc.to_be_bytes());
        match packet.kind {
            Kind::Event(digit) => {
                out.push(event_code(digit));
                out.extend_from_slice(&packet.event);
            }
            Kind::Noise => out.push(64),
            Kind::Media => out.extend(TONE.iter().cycle().take(packet.octets.into())),
        }
        out
    }
}

/// RFC 4733, 3.2.
pub(super) const fn event_code(digit: char) -> u8 {
    match digit {
        '*' => 10,
        '#' => 11,
        'A'..='D' => 12 + (digit as u8 - b'A'),
        digit => (digit as u8).wrapping_sub(b'0'),
    }
}

/// All packets in the order in which they are sent.
pub(super) fn send(plan: &StreamPlan) -> Vec<Sent> {
    let mut phone = Phone {
        plan,
        codec: plan.codec,
        base: plan.first_sequence,
        number: 0,
        segment: 0,
        media: plan.first_timestamp,
        out: Vec::new(),
    };
    for tick in 0..plan.ticks {
        phone.tick(tick);
    }
    phone.out
}

struct Phone<'p> {
    plan: &'p StreamPlan,
    codec: Codec,
    base: u16,
    number: u32,
    segment: u32,
    /// Timestamp of this tick.
    media: u32,
    out: Vec<Sent>,
}

impl Phone<'_> {
    fn tick(&mut self, tick: u32) {
        self.turn(tick);
        let within = |from: u32, ticks: u32| (from..from + ticks).contains(&tick);
        let press = self.plan.presses.iter().find(|press| within(press.tick, press.ticks)).copied();
        let pause = self.plan.pauses.iter().find(|pause| within(pause.tick, pause.ticks)).copied();
        match (press, pause) {
            (Some(press), _) => self.event(tick, press),
            (None, Some(pause)) => self.filler(tick, pause),
            (None, None) => self.frames(tick),
        }
        self.media = self.media.wrapping_add(self.samples());
    }

    /// What changes at this tick for good.
    fn turn(&mut self, tick: u32) {
        if let Some((at, codec)) = self.plan.change
            && at == tick
        {
            self.codec = codec;
        }
        if let Some((at, by)) = self.plan.jump
            && at == tick
        {
            self.media = self.media.wrapping_add_signed(by);
        }
        if self.plan.restart == Some(tick) {
            self.base = self.base.wrapping_add(self.number as u16).wrapping_add(20_000);
            self.media = self.media.wrapping_add(0x4000_0000);
            self.segment += 1;
            self.number = 0;
        }
    }

    fn samples(&self) -> u32 {
        (i64::from(self.codec.clock) * self.plan.packet_time.nanos() / 1_000_000_000) as u32
    }

    fn frames(&mut self, tick: u32) {
        let after_pause = self.plan.pauses.iter().any(|pause| pause.marker && pause.tick + pause.ticks == tick);
        let talk_begins = (tick == 0 && self.plan.first_marker) || after_pause || self.plan.markers.contains(&tick);
        for nth in 0..self.plan.packets_per_tick {
            let ends_frame = self.plan.packets_per_tick > 1 && nth + 1 == self.plan.packets_per_tick;
            let marker = if self.codec.is_video { ends_frame } else { talk_begins && nth == 0 };
            self.push(tick, nth, marker, Kind::Media);
        }
    }

    fn filler(&mut self, tick: u32, pause: Pause) {
        let is_due = |every: u32| (tick - pause.tick).is_multiple_of(every);
        match pause.filler {
            Filler::Noise(every) if is_due(every) => self.push(tick, 0, false, Kind::Noise),
            Filler::Frame(every) if is_due(every) => self.push(tick, 0, false, Kind::Media),
            Filler::Nothing | Filler::Noise(_) | Filler::Frame(_) => {}
        }
    }

    fn event(&mut self, tick: u32, press: Press) {
        let nth = tick - press.tick;
        let is_last = nth + 1 == press.ticks;
        let duration = (self.samples() * (nth + 1)).min(u16::MAX.into()) as u16;
        let [high, low] = duration.to_be_bytes();
        // Volume 10 is −10 dBm0; the highest bit ends the digit.
        let event = [if is_last { 0x8A } else { 0x0A }, high, low];
        let began = self.media.wrapping_sub(self.samples() * nth);
        let (copies, step) = match press.repeats {
            Repeats::Same(copies) => (copies, false),
            Repeats::Next(copies) => (copies, true),
        };
        for copy in 0..=if is_last { copies } else { 0 } {
            if copy > 0 && !step {
                self.number -= 1;
            }
            self.push(tick, copy, nth == 0, Kind::Event(press.digit));
            if let Some(sent) = self.out.last_mut() {
                (sent.timestamp, sent.event) = (began, event);
            }
        }
    }

    fn push(&mut self, tick: u32, nth: u32, marker: bool, kind: Kind) {
        let octets = u64::from(self.codec.octets_per_second) * self.plan.packet_time.nanos() as u64 / 1_000_000_000;
        let (payload_type, clock, octets) = match kind {
            Kind::Media => (self.codec.payload_type, self.codec.clock, octets as u16),
            Kind::Noise => (NOISE_TYPE, 8_000, 1),
            Kind::Event(_) => (EVENT_TYPE, self.codec.clock, 4),
        };
        self.out.push(Sent {
            due: Elapsed::from_nanos(self.plan.due(tick).nanos() + i64::from(nth) * SPACING_NS),
            segment: self.segment,
            number: self.number,
            sequence: self.base.wrapping_add(self.number as u16),
            timestamp: self.media,
            payload_type,
            clock,
            marker,
            ssrc: self.plan.ssrc,
            kind,
            octets,
            event: [0; 3],
        });
        self.number += 1;
    }
}
