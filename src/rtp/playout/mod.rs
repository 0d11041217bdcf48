//! What a listener hears: three jitter buffers simulated beside each audio stream, in packet time.
//!
//! * [`BufferKind::Fixed50`] and [`BufferKind::Fixed200`] play a packet so many ms behind the place that the first packet
//!   of the talkspurt gives it; what comes later is discarded.
//! * [`BufferKind::Adaptive`] follows the spread of the transit times, and so also two clocks that drift apart.
//!
//! Give each packet of a stream that was not seen before to [`Playout::packet`], telephone events and comfort noise too.
//! One in order and in time costs a few compares and one cache line; nothing allocates. Percentages and scores are computed when [`Playout::figures`] is asked.
//!
//! ```
//! use sipwatch::rtp::playout::{Arrival, BufferKind, MediaClock, Playout};
//! use sipwatch::time::Timestamp;
//!
//! let mut playout = Playout::new(BufferKind::Adaptive);
//! let mut clock = MediaClock::new(8_000).unwrap();
//! for number in 0..50_u32 {
//!     playout.packet(&Arrival {
//!         at: Timestamp::from_nanos(i64::from(number) * 20_000_000),
//!         sequence: i64::from(number),
//!         media: clock.media(number * 160),
//!         marker: number == 0,
//!         is_audio: true,
//!     });
//! }
//! let figures = playout.figures(BufferKind::Fixed50, Timestamp::from_nanos(2_000_000_000));
//! assert_eq!((figures.loss.expected, figures.loss.played()), (50, 50));
//! ```

mod buffer;
mod clock;
mod figures;
mod runs;
mod segment;
mod transits;
mod windows;

pub use clock::MediaClock;
pub use figures::Figures;
pub use runs::{BurstGap, Loss, RUN_LENGTHS};
pub use windows::{SHORTEST_WINDOW, WINDOW, Window};

use crate::limits::PLAYOUT_REORDER;
use crate::time::{Elapsed, Timestamp};
use buffer::{Buffer, Seen};
use segment::Place;
use transits::Transits;
use windows::Windows;

const MS: i64 = 1_000_000;
/// What the adaptive buffer adds to the spread of the transit times.
const MARGIN: i64 = 40 * MS;
/// The adaptive buffer gets no deeper.
const DEEPEST: i64 = 500 * MS;
/// How often the spread is looked at.
const LOOK_EVERY: i64 = 500 * MS;
/// The adaptive buffer gets deeper by at most one packet in this time.
const DEEPEN_EVERY: i64 = 40 * MS;
/// And shallower by at most one packet in this time, or in the shorter one while it is empty.
const LESSEN_EVERY: i64 = 500 * MS;
const LESSEN_EMPTY_EVERY: i64 = 80 * MS;
/// Media time of a packet until two packets in a row told it.
const USUAL_PACKET: i64 = 20 * MS;
/// Media times of a packet that are believed: Opus has 2.5 to 120 ms (RFC 7587), G.711 is seen with up to 200.
const PACKETS: std::ops::RangeInclusive<i64> = 2 * MS..=240 * MS;

/// One packet of a stream that was not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it was captured.
    pub at: Timestamp,
    /// Extended sequence number within its segment (RFC 3550, A.1); a restart may begin with any.
    pub sequence: i64,
    /// Extended RTP timestamp as time, from any zero: [`MediaClock`] makes it.
    pub media: Elapsed,
    /// Marker bit: the first packet of a talkspurt (RFC 3551, 4.1).
    pub marker: bool,
    /// Whether it goes into the buffers. Telephone events and comfort noise do not; they only count as received.
    pub is_audio: bool,
}

/// Which of the three buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BufferKind {
    /// 50 ms; starts anew when packets are 100 ms off.
    Fixed50,
    /// 200 ms; starts anew when packets are 200 ms off.
    Fixed200,
    /// The spread of the last 500 transit times without the top and bottom 3 %, plus 40 ms; at least one packet, at most
    /// 500 ms; starts anew when packets are 500 ms off.
    Adaptive,
}

impl BufferKind {
    /// All of them, in the order in which a pane shows them.
    pub const ALL: [Self; 3] = [Self::Fixed50, Self::Fixed200, Self::Adaptive];

    /// `50 ms`, `200 ms`, `adaptive`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed50 => "50 ms",
            Self::Fixed200 => "200 ms",
            Self::Adaptive => "adaptive",
        }
    }
}

/// What a packet in order and in time reads and writes: one cache line, with the first fields of [`Transits`].
#[derive(Clone, Debug)]
#[repr(C)]
struct Hot {
    highest: i64,
    /// Media time of the newest audio packet.
    media: i64,
    /// When something is to be done at the latest.
    next: i64,
    /// Transits of packets that change nothing in any buffer, in ns from the reference of the transit times; none while
    /// there is anything to be done in a buffer.
    earliest: i32,
    latest: i32,
}

impl Hot {
    const fn take_nothing(&mut self) {
        self.earliest = i32::MAX;
        self.latest = i32::MIN;
    }
}

/// Whether the buffers have a place to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// No audio was seen.
    None,
    /// The timestamps or sequence numbers began anew.
    Again,
    Set,
}

#[derive(Clone, Debug)]
struct Buffers {
    fixed_50: Buffer,
    fixed_200: Buffer,
    adaptive: Buffer,
}

impl Buffers {
    const fn all(&mut self) -> [&mut Buffer; 3] {
        [&mut self.fixed_50, &mut self.fixed_200, &mut self.adaptive]
    }

    const fn get(&self, kind: BufferKind) -> &Buffer {
        match kind {
            BufferKind::Fixed50 => &self.fixed_50,
            BufferKind::Fixed200 => &self.fixed_200,
            BufferKind::Adaptive => &self.adaptive,
        }
    }
}

/// The three buffers of one stream.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Playout {
    hot: Hot,
    transits: Transits,
    seen: Seen,
    /// The highest sequence number when `seen` was right.
    seen_at: i64,
    /// Sequence number of the first packet of the segment.
    first: i64,
    /// When the last packet came of which more was noted than its transit time.
    at: i64,
    /// When the spread was looked at, and when the adaptive buffer last changed its depth.
    looked: i64,
    moved: i64,
    buffers: Buffers,
    windows: Windows,
    feeds: BufferKind,
    anchor: Anchor,
    in_segment: bool,
    began: bool,
    knows_packet: bool,
    /// Whether the newest audio packet had the marker.
    marked: bool,
}

impl Playout {
    /// Buffers of a stream of which nothing was seen. The windows are those of the buffer that `feeds` the score.
    pub fn new(feeds: BufferKind) -> Self {
        Self {
            hot: Hot { highest: 0, media: 0, next: i64::MIN, earliest: i32::MAX, latest: i32::MIN },
            transits: Transits::new(),
            seen: Seen { missing: 0, expected: 0, media: 0, ahead: 0, packet: USUAL_PACKET },
            seen_at: 0,
            first: 0,
            at: 0,
            looked: i64::MIN,
            moved: i64::MIN,
            buffers: Buffers {
                fixed_50: Buffer::new(50 * MS, 100 * MS),
                fixed_200: Buffer::new(200 * MS, 200 * MS),
                adaptive: Buffer::new(MARGIN, DEEPEST),
            },
            windows: Windows::EMPTY,
            feeds,
            anchor: Anchor::None,
            in_segment: false,
            began: false,
            knows_packet: false,
            marked: false,
        }
    }

    /// Takes a packet. One that was seen before is ignored if it is within 128 of the highest; do not give others.
    #[inline]
    pub fn packet(&mut self, arrival: &Arrival) {
        let at = arrival.at.nanos();
        let relative = self.transits.near(at.wrapping_sub(arrival.media.nanos()));
        let hot = &mut self.hot;
        let is_plain = arrival.is_audio
            && !arrival.marker
            && arrival.sequence == hot.highest.wrapping_add(1)
            && relative >= i64::from(hot.earliest)
            && relative <= i64::from(hot.latest)
            && at < hot.next;
        if is_plain {
            hot.highest = arrival.sequence;
            hot.media = arrival.media.nanos();
            self.transits.push(relative as i32);
        } else {
            self.unusual(arrival);
        }
    }

    /// The next packet begins a new segment: its sequence number has nothing to do with the last one. Nothing is lost
    /// between them.
    pub fn restart(&mut self) {
        self.catch_up();
        self.in_segment = false;
        self.settle();
    }

    /// The next packet's media time has nothing to do with the last one's; its sequence number goes on.
    pub fn timestamp_jump(&mut self) {
        if self.anchor == Anchor::Set {
            self.anchor = Anchor::Again;
        }
        self.settle();
    }

    /// What was seen, with the packets in order that were only counted.
    const fn seen_now(&self) -> Seen {
        let by = self.hot.highest.wrapping_sub(self.seen_at) as u64;
        let missing = if by < PLAYOUT_REORDER as u64 { self.seen.missing << by } else { 0 };
        Seen { missing, expected: self.seen.expected.wrapping_add(by), media: self.hot.media, ..self.seen }
    }

    const fn catch_up(&mut self) {
        self.seen = self.seen_now();
        self.seen_at = self.hot.highest;
    }

    #[cold]
    #[inline(never)]
    fn unusual(&mut self, arrival: &Arrival) {
        let at = arrival.at.nanos();
        let transit = at.saturating_sub(arrival.media.nanos());
        self.catch_up();
        if !self.began {
            self.began = true;
            self.windows.start(at);
        } else if self.windows.is_over(at) {
            self.next_window(at);
        }
        let Some(place) = self.place(arrival.sequence) else { return self.settle() };
        self.at = at;
        let was_empty = at.saturating_sub(self.hot.media) > self.buffers.adaptive.limit;
        if arrival.is_audio {
            self.time(arrival, transit, matches!(place, Place::Newest));
        } else if self.seen.expected == 1 {
            self.await_audio(arrival, transit);
        }
        let seen = self.seen;
        for buffer in self.buffers.all() {
            let late = arrival.is_audio && transit > buffer.limit;
            match place {
                Place::Newest => buffer.arrive(0, late),
                Place::Behind(back) => buffer.arrive(back, late),
                Place::InFront => buffer.tally.in_front(late),
            }
            buffer.judge(&seen, at);
        }
        if self.anchor != Anchor::None {
            self.adapt(at, was_empty);
        }
        self.settle();
    }

    fn next_window(&mut self, at: i64) {
        let expected = self.seen.expected;
        let feeding = self.buffers.get(self.feeds);
        let loss = feeding.tally.window(feeding.judged(expected));
        self.windows.next(at, &loss);
        for buffer in self.buffers.all() {
            buffer.tally.start_window(buffer.judged(expected));
        }
    }

    /// Takes the times of an audio packet: media time of a packet, anchors, transit times.
    fn time(&mut self, arrival: &Arrival, transit: i64, is_newest: bool) {
        let starts_spurt = is_newest && arrival.marker && !self.marked;
        if is_newest {
            if self.anchor == Anchor::Set && !arrival.marker {
                self.learn_packet(arrival.media.nanos());
            }
            self.seen.media = arrival.media.nanos();
            self.hot.media = self.seen.media;
            self.seen.ahead = 0;
            self.marked = arrival.marker;
        }
        match self.anchor {
            Anchor::None => {
                self.buffers.all().into_iter().for_each(|buffer| buffer.anchor(transit));
                self.transits.restart(transit);
                self.anchor = Anchor::Set;
            }
            Anchor::Again if is_newest => {
                self.buffers.all().into_iter().for_each(|buffer| start_anew(buffer, transit));
                self.transits.restart(transit);
                self.anchor = Anchor::Set;
            }
            _ if starts_spurt => self.start_spurt(transit),
            _ => self.follow(transit),
        }
        self.transits.push(self.transits.relative(transit));
    }

    /// The stream begins with an event: until there is audio, its time tells when a packet is lost.
    fn await_audio(&mut self, arrival: &Arrival, transit: i64) {
        self.buffers.all().into_iter().for_each(|buffer| buffer.anchor(transit));
        self.seen.media = arrival.media.nanos();
        self.hot.media = self.seen.media;
        self.seen.ahead = 0;
    }

    fn learn_packet(&mut self, media: i64) {
        let step = media.saturating_sub(self.seen.media);
        if self.seen.ahead == 1 && PACKETS.contains(&step) {
            self.seen.packet = step;
            if !self.knows_packet {
                self.knows_packet = true;
                self.looked = i64::MIN;
            }
        }
    }

    /// At a talkspurt any buffer may start anew unheard. The adaptive one knows the transit times of the spurts before, and
    /// takes the depth that they need, unless the timestamps stood still in the silence.
    fn start_spurt(&mut self, transit: i64) {
        let Buffers { fixed_50, fixed_200, adaptive } = &mut self.buffers;
        start_anew(fixed_50, transit);
        start_anew(fixed_200, transit);
        let (lowest, depth) = (adaptive.anchor, adaptive.depth);
        start_anew(adaptive, transit);
        if transit.saturating_sub(lowest).saturating_abs() <= adaptive.resync {
            adaptive.anchor = lowest;
            adaptive.limit = lowest.saturating_add(depth).max(transit);
        } else {
            self.transits.restart(transit);
        }
    }

    fn follow(&mut self, transit: i64) {
        let Buffers { fixed_50, fixed_200, adaptive } = &mut self.buffers;
        for fixed in [fixed_50, fixed_200] {
            if fixed.strikes_out(transit) {
                start_anew(fixed, transit);
            }
        }
        if adaptive.strikes_out(transit) {
            start_anew(adaptive, transit);
            self.transits.restart(transit);
        }
    }

    /// Sets the target of the adaptive buffer from time to time, and lets it go there by inserting or skipping frames.
    ///
    /// Its anchor is the lowest transit time, so that it follows clocks that drift apart.
    fn adapt(&mut self, at: i64, was_empty: bool) {
        let since = |then: i64| at.saturating_sub(then).saturating_abs();
        let adaptive = &mut self.buffers.adaptive;
        if since(self.looked) >= LOOK_EVERY {
            self.looked = at;
            let (low, high) = self.transits.spread();
            adaptive.anchor = low;
            adaptive.depth = high.saturating_sub(low).saturating_add(MARGIN).max(self.seen.packet).min(DEEPEST);
        }
        let target = adaptive.anchor.saturating_add(adaptive.depth);
        let off = target.saturating_sub(adaptive.limit);
        let pause = match off {
            0 => return,
            1.. => DEEPEN_EVERY,
            _ if was_empty => LESSEN_EMPTY_EVERY,
            _ => LESSEN_EVERY,
        };
        if since(self.moved) >= pause {
            self.moved = at;
            adaptive.limit = adaptive.limit.saturating_add(off.clamp(-self.seen.packet, self.seen.packet));
        }
    }

    /// Says which packets need no look at the buffers.
    fn settle(&mut self) {
        let buffers = &self.buffers;
        let all = [&buffers.fixed_50, &buffers.fixed_200, &buffers.adaptive];
        let is_calm = self.in_segment && self.anchor == Anchor::Set && self.seen.ahead == 0 && !self.marked;
        if !is_calm || !all.iter().all(|buffer| buffer.is_calm()) {
            self.hot.take_nothing();
            return;
        }
        let (low, high) = all
            .iter()
            .map(|buffer| buffer.plain())
            .fold((i64::MIN, i64::MAX), |(low, high), (from, to)| (low.max(from), high.min(to)));
        (self.hot.earliest, self.hot.latest) = (self.transits.relative(low), self.transits.relative(high));
        if !self.knows_packet {
            self.hot.next = i64::MIN;
            return;
        }
        let adaptive = &buffers.adaptive;
        let off = adaptive.anchor.saturating_add(adaptive.depth).saturating_sub(adaptive.limit);
        let moves = match off {
            0 => i64::MAX,
            1.. => self.moved.saturating_add(DEEPEN_EVERY),
            _ => self.moved.saturating_add(LESSEN_EMPTY_EVERY),
        };
        self.hot.next = self.windows.end().min(self.looked.saturating_add(LOOK_EVERY)).min(moves);
    }
}

fn start_anew(buffer: &mut Buffer, transit: i64) {
    buffer.anchor(transit);
    buffer.resyncs = buffer.resyncs.saturating_add(1);
}

#[cfg(test)]
mod tests;
