//! Loss and jitter over time: windows of ten seconds for the whole stream, bars of one second for the last minute.

use super::sequence::Sequence;
use crate::limits::{STREAM_BARS, STREAM_WINDOWS};
use crate::time::{Elapsed, Timestamp};

/// A bar's length.
pub const BAR: Elapsed = Elapsed::from_secs(1);
/// A window's length, in bars.
const WINDOW_BARS: u32 = 10;
/// A window's length.
pub const WINDOW: Elapsed = Elapsed::from_secs(WINDOW_BARS as i64);
/// A window with fewer expected packets says nothing.
const WINDOW_PACKETS: u32 = 25;
/// The last window says something when it lasted so long.
const WINDOW_PART: Elapsed = Elapsed::from_secs(5);

/// Ten seconds of a stream, or the worst ten of more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// When it began: tens of seconds since the first packet.
    pub index: u32,
    /// Windows it stands for, itself included: those next to it were better.
    pub stands_for: u32,
    /// Packets expected.
    pub expected: u32,
    /// Of these, not received.
    pub lost: u32,
    /// Mean jitter in ms; 0 when none was measured.
    pub jitter_mean: f32,
    /// Greatest jitter in ms.
    pub jitter_max: f32,
}

impl Window {
    /// Since the stream's first packet.
    pub fn begin(&self) -> Elapsed {
        Elapsed::from_secs(i64::from(self.index) * i64::from(WINDOW_BARS))
    }

    /// Whether enough packets were expected for its figures to say anything.
    pub const fn counts(&self) -> bool {
        self.expected >= WINDOW_PACKETS
    }

    /// Worse than another: more is missing, or as much and more jitter.
    fn is_worse(&self, other: &Self) -> bool {
        let share = |missing: u32, expected: u32| f64::from(missing) / f64::from(expected.max(1));
        let rank = |window: &Self| (window.counts(), share(window.lost, window.expected), window.jitter_max);
        rank(self) > rank(other)
    }
}

/// One second of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Packets captured.
    pub packets: u16,
    /// Packets expected; those that a gap tells of count where the gap ends.
    pub expected: u16,
    /// Of these, not received.
    pub lost: u16,
    jitter_tenths: u16,
}

impl Bar {
    /// A second without packets.
    pub const NONE: Self = Self { packets: 0, expected: 0, lost: 0, jitter_tenths: 0 };

    /// A bar of these counts, and the greatest jitter in ms.
    pub fn new(packets: u16, expected: u16, lost: u16, jitter_max: f32) -> Self {
        Self { packets, expected, lost, jitter_tenths: (jitter_max * 10.0) as u16 }
    }

    /// Greatest jitter in ms, to a tenth.
    pub fn jitter_max(&self) -> f32 {
        f32::from(self.jitter_tenths) / 10.0
    }
}

/// Counts of a span of time: the stream's totals when it began, and the jitter since.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    packets: u64,
    expected: u64,
    lost: u64,
    /// The highest number when it began.
    highest: u64,
    jitter_sum: f32,
    jitter_count: u32,
    jitter_max: f32,
}

impl Tally {
    fn begin(sequence: &Sequence) -> Self {
        Self {
            packets: sequence.packets(),
            expected: sequence.expected(),
            lost: sequence.lost(),
            highest: sequence.highest(),
            ..Self::default()
        }
    }

    fn add_jitter(&mut self, other: &Self) {
        self.jitter_sum += other.jitter_sum;
        self.jitter_count += other.jitter_count;
        self.jitter_max = self.jitter_max.max(other.jitter_max);
    }

    fn expected_since(&self, sequence: &Sequence) -> u64 {
        sequence.expected().saturating_sub(self.expected)
    }

    fn lost_since(&self, sequence: &Sequence) -> u64 {
        sequence.lost().saturating_sub(self.lost).min(self.expected_since(sequence))
    }

    fn bar(&self, sequence: &Sequence) -> Bar {
        let small = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
        Bar {
            packets: small(sequence.packets() - self.packets),
            expected: small(self.expected_since(sequence)),
            lost: small(self.lost_since(sequence)),
            jitter_tenths: (self.jitter_max * 10.0).round() as u16,
        }
    }

    fn window(&self, index: u32, sequence: &Sequence) -> Window {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Window {
            index,
            stands_for: 1,
            expected: small(self.expected_since(sequence)),
            lost: small(self.lost_since(sequence)),
            jitter_mean: if self.jitter_count == 0 { 0.0 } else { self.jitter_sum / self.jitter_count as f32 },
            jitter_max: self.jitter_max,
        }
    }
}

/// Windows and bars of one stream, by packet time. What every packet touches stands at the front.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Windows {
    bar_ends: Timestamp,
    bar: Tally,
    window: Tally,
    /// Seconds since the first packet.
    second: u32,
    closed: u8,
    bars: [Bar; STREAM_BARS],
    windows: [Window; STREAM_WINDOWS],
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            bar_ends: Timestamp::default(),
            bar: Tally::default(),
            window: Tally::default(),
            second: 0,
            closed: 0,
            bars: [Bar::default(); STREAM_BARS],
            windows: [Window::default(); STREAM_WINDOWS],
        }
    }
}

impl Windows {
    /// The stream's first packet comes.
    pub fn begin(&mut self, at: Timestamp) {
        self.bar_ends = at.after(BAR);
    }

    /// Before a packet is counted: whether a window ended before it.
    #[inline]
    pub fn reach(&mut self, at: Timestamp, sequence: &Sequence) -> bool {
        at >= self.bar_ends && self.close(at, sequence)
    }

    /// A jitter was measured, in ms.
    #[inline]
    pub fn jitter(&mut self, jitter: f32) {
        self.bar.jitter_sum += jitter;
        self.bar.jitter_count += 1;
        self.bar.jitter_max = self.bar.jitter_max.max(jitter);
    }

    /// A packet that counted as lost came late: it was not lost in the bar and the window that said so.
    pub fn recovered(&mut self, extended: u64) {
        if extended <= self.bar.highest {
            self.bar.lost = self.bar.lost.saturating_sub(1);
            if let Some(before) = self.second.checked_sub(1).and_then(|second| self.bars.get_mut(place(second))) {
                before.lost = before.lost.saturating_sub(1);
            }
        }
        if extended <= self.window.highest {
            self.window.lost = self.window.lost.saturating_sub(1);
            if let Some(before) = self.last_mut() {
                before.lost = before.lost.saturating_sub(1);
            }
        }
    }

    /// Ends the running bar, and the bars and the window that passed until `at`.
    fn close(&mut self, at: Timestamp, sequence: &Sequence) -> bool {
        let over = at.since(self.bar_ends).nanos() / BAR.nanos();
        let steps = u32::try_from(over).unwrap_or(u32::MAX).saturating_add(1);
        let to = self.second.saturating_add(steps);
        if let Some(bar) = self.bars.get_mut(place(self.second)) {
            *bar = self.bar.bar(sequence);
        }
        for silent in (self.second.saturating_add(1)..to).take(STREAM_BARS) {
            if let Some(bar) = self.bars.get_mut(place(silent)) {
                *bar = Bar::default();
            }
        }
        self.window.add_jitter(&self.bar);
        self.bar = Tally::begin(sequence);
        self.bar_ends = self.bar_ends.after(Elapsed::from_nanos(i64::from(steps) * BAR.nanos()));
        let index = self.second / WINDOW_BARS;
        self.second = to;
        if to / WINDOW_BARS == index {
            return false;
        }
        let ended = self.window.window(index, sequence);
        self.window = Tally::begin(sequence);
        self.push(ended);
        true
    }

    fn push(&mut self, window: Window) {
        if usize::from(self.closed) == STREAM_WINDOWS {
            self.merge_pairs();
        }
        if let Some(free) = self.windows.get_mut(usize::from(self.closed)) {
            *free = window;
            self.closed += 1;
        }
    }

    fn merge_pairs(&mut self) {
        let mut kept = 0;
        for pair in 0..STREAM_WINDOWS / 2 {
            let (Some(first), Some(second)) = (self.windows.get(pair * 2), self.windows.get(pair * 2 + 1)) else {
                break;
            };
            let mut worse = if second.is_worse(first) { *second } else { *first };
            worse.stands_for = first.stands_for.saturating_add(second.stands_for);
            if let Some(slot) = self.windows.get_mut(pair) {
                *slot = worse;
                kept = pair + 1;
            }
        }
        self.closed = kept as u8;
    }

    fn last_mut(&mut self) -> Option<&mut Window> {
        self.windows.get_mut(usize::from(self.closed).checked_sub(1)?)
    }

    /// The windows that ended, in order of time.
    pub fn closed(&self) -> &[Window] {
        self.windows.get(..usize::from(self.closed)).unwrap_or_default()
    }

    /// The window that runs, up to now.
    pub fn running(&self, sequence: &Sequence) -> Window {
        let mut tally = self.window;
        tally.add_jitter(&self.bar);
        tally.window(self.second / WINDOW_BARS, sequence)
    }

    /// Whether the running window counts, as the last of a stream whose newest packet came at `last`.
    pub fn running_counts(&self, first: Timestamp, last: Timestamp, sequence: &Sequence) -> bool {
        let running = self.running(sequence);
        running.counts() && last >= first.after(running.begin()).after(WINDOW_PART)
    }

    /// The last minute before `now`, one bar a second, the oldest first; the last one still runs. Seconds before the stream
    /// began have no packets, as have those since it fell silent.
    pub fn last_minute(&self, now: Timestamp, sequence: &Sequence) -> [Bar; STREAM_BARS] {
        let over = now.since(self.bar_ends).nanos().div_euclid(BAR.nanos()) + 1;
        let newest = i64::from(self.second) + over.max(0);
        std::array::from_fn(|position| {
            let second = newest - (STREAM_BARS - 1 - position) as i64;
            match u32::try_from(second) {
                Ok(second) if second == self.second => self.bar.bar(sequence),
                Ok(second) if second < self.second && self.second - second < STREAM_BARS as u32 => {
                    self.bars.get(place(second)).copied().unwrap_or_default()
                }
                _ => Bar::default(),
            }
        })
    }
}

/// Where a second's bar is kept.
const fn place(second: u32) -> usize {
    second as usize % STREAM_BARS
}
