//! Windows of ten seconds, of which a stream keeps a bounded number.

use super::runs::Loss;
use crate::limits::PLAYOUT_WINDOWS;
use crate::time::{Elapsed, Timestamp};

/// Length of a window of packet time.
pub const WINDOW: Elapsed = Elapsed::from_secs(10);
/// A last window counts if it lasted so long.
pub const SHORTEST_WINDOW: Elapsed = Elapsed::from_secs(5);

/// What a buffer did with the packets of ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it began: a multiple of ten seconds behind the stream's first packet.
    pub start: Timestamp,
    /// What was expected and missing in it. A packet belongs to the window in which it was judged.
    pub loss: Loss,
}

/// A window as it is kept: 12 bytes, counts saturating at 6,500 packets/s.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    number: u32,
    expected: u16,
    lost: u16,
    discarded: u16,
    runs: u16,
}

impl Kept {
    fn new(number: u32, loss: &Loss) -> Self {
        let small = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
        Self {
            number,
            expected: small(loss.expected),
            lost: small(loss.lost),
            discarded: small(loss.discarded),
            runs: small(loss.runs),
        }
    }

    fn loss(&self) -> Loss {
        Loss {
            expected: self.expected.into(),
            lost: self.lost.into(),
            discarded: self.discarded.into(),
            runs: self.runs.into(),
        }
    }

    /// How bad it is when no codec is known: the share of G.107 that Ppl and BurstR take of the best score, with the Bpl of
    /// a codec of middling robustness. A window with too few packets to judge is never the worse one.
    fn badness(&self) -> f64 {
        const BPL: f64 = 10.0;
        let loss = self.loss();
        if loss.expected < crate::limits::MOS_PACKETS {
            return -1.0;
        }
        loss.percent().map_or(0.0, |percent| percent / (percent / loss.burst_ratio() + BPL))
    }
}

/// The windows of one stream that are over, oldest first. When there is no more room, of the older half the worse of each
/// pair stays.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    first: i64,
    /// Number of the running window, counted from 0.
    running: u32,
    len: u8,
    kept: [Kept; PLAYOUT_WINDOWS],
}

impl Windows {
    pub const EMPTY: Self = Self {
        first: 0,
        running: 0,
        len: 0,
        kept: [Kept { number: 0, expected: 0, lost: 0, discarded: 0, runs: 0 }; PLAYOUT_WINDOWS],
    };

    /// The first packet came at this time in ns.
    pub const fn start(&mut self, first: i64) {
        self.first = first;
    }

    /// Where the running window ends, in ns.
    pub const fn end(&self) -> i64 {
        self.start_of(self.running).saturating_add(WINDOW.nanos())
    }

    /// Whether the running window is not the one of this time in ns. Packets may be a whole window out of order.
    pub const fn is_over(&self, at: i64) -> bool {
        at >= self.end() || at < self.start_of(self.running).saturating_sub(WINDOW.nanos())
    }

    /// Keeps the running window, and begins the one of this time in ns.
    pub fn next(&mut self, at: i64, loss: &Loss) {
        if loss.expected > 0 {
            if usize::from(self.len) >= PLAYOUT_WINDOWS {
                self.merge();
            }
            if let Some(slot) = self.kept.get_mut(usize::from(self.len)) {
                *slot = Kept::new(self.running, loss);
                self.len += 1;
            }
        }
        let number = at.saturating_sub(self.first).max(0) / WINDOW.nanos();
        self.running = u32::try_from(number).unwrap_or(u32::MAX);
    }

    /// When the running window began.
    pub const fn running(&self) -> Timestamp {
        Timestamp::from_nanos(self.start_of(self.running))
    }

    /// The windows that are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Window> {
        self.kept
            .iter()
            .take(self.len.into())
            .map(|kept| Window { start: Timestamp::from_nanos(self.start_of(kept.number)), loss: kept.loss() })
    }

    const fn start_of(&self, number: u32) -> i64 {
        self.first.saturating_add((number as i64).saturating_mul(WINDOW.nanos()))
    }

    /// Merges the older half, so that the newest ones stay as they were.
    fn merge(&mut self) {
        let (older, newer) = self.kept.split_at(PLAYOUT_WINDOWS / 2);
        let worse = |pair: &[Kept]| pair.iter().copied().reduce(|a, b| if b.badness() > a.badness() { b } else { a });
        let left = older.chunks(2).filter_map(worse).chain(newer.iter().copied());
        let mut merged = [Kept::default(); PLAYOUT_WINDOWS];
        let mut len = 0_u8;
        for (slot, kept) in merged.iter_mut().zip(left) {
            *slot = kept;
            len += 1;
        }
        self.kept = merged;
        self.len = len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_windows_the_worst_stays_with_its_time() {
        let mut windows = Windows::EMPTY;
        windows.start(7);
        for number in 0..10_000_i64 {
            let lost = if number == 4_321 { 50 } else { number as u64 % 3 };
            let at = 7 + (number + 1) * WINDOW.nanos();
            assert!(windows.is_over(at) && !windows.is_over(at - 1));
            windows.next(at, &Loss { expected: 500, lost, discarded: 0, runs: lost });
        }
        let kept: Vec<Window> = windows.iter().collect();
        assert!((48..=PLAYOUT_WINDOWS).contains(&kept.len()));
        let newest: Vec<i64> = kept.iter().rev().take(32).map(|w| w.start.nanos() / WINDOW.nanos()).collect();
        assert_eq!(newest, (10_000 - 32..10_000).rev().collect::<Vec<i64>>());
        assert!(kept.is_sorted_by_key(|window| window.start));
        let worst = kept.iter().max_by_key(|window| window.loss.missing()).unwrap();
        assert_eq!((worst.loss.lost, worst.start.nanos()), (50, 7 + 4_321 * WINDOW.nanos()));
    }

    #[test]
    fn a_pause_keeps_no_windows_and_a_clock_set_back_begins_a_new_one() {
        let mut windows = Windows::EMPTY;
        windows.next(100 * WINDOW.nanos() + 1, &Loss { expected: 30, ..Loss::default() });
        windows.next(200 * WINDOW.nanos(), &Loss::default());
        assert_eq!(windows.iter().count(), 1);
        assert_eq!(windows.running().nanos(), 200 * WINDOW.nanos());
        assert!(!windows.is_over(199 * WINDOW.nanos()) && windows.is_over(198 * WINDOW.nanos()));
        windows.next(i64::MIN, &Loss { expected: u64::MAX, ..Loss::default() });
        assert_eq!(windows.running().nanos(), 0);
        assert_eq!(windows.iter().next_back().map(|window| window.loss.expected), Some(65_535));
    }
}
