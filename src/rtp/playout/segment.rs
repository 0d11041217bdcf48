//! Where a packet stands among the sequence numbers of its segment.

use super::{Anchor, Playout};
use crate::limits::{PLAYOUT_REORDER, PLAYOUT_RESTART};

/// Where a packet stands among the sequence numbers.
pub(super) enum Place {
    Newest,
    /// So many behind the highest.
    Behind(u32),
    /// In front of the first of its segment.
    InFront,
}

impl Playout {
    /// Where a packet belongs, having made room for it; `None` if it was seen before or belongs nowhere.
    pub(super) fn place(&mut self, sequence: i64) -> Option<Place> {
        let ahead = sequence.saturating_sub(self.hot.highest);
        if !self.in_segment || ahead >= PLAYOUT_RESTART {
            self.begin_segment(sequence);
            self.advance(1);
            return Some(Place::Newest);
        }
        if ahead > 0 {
            self.advance(u32::try_from(ahead).ok()?);
            return Some(Place::Newest);
        }
        let back = u32::try_from(ahead.saturating_neg()).ok().filter(|back| i64::from(*back) < PLAYOUT_RESTART)?;
        let is_known = back < PLAYOUT_REORDER;
        if is_known {
            let bit = 1_u128 << back;
            if self.seen.missing & bit == 0 {
                return None;
            }
            self.seen.missing &= !bit;
        }
        if sequence >= self.first {
            return Some(Place::Behind(back));
        }
        is_known.then(|| {
            self.seen.expected += 1;
            Place::InFront
        })
    }

    fn begin_segment(&mut self, sequence: i64) {
        let seen = self.seen;
        for buffer in self.buffers.all() {
            buffer.judge_all(&seen);
        }
        if self.anchor == Anchor::Set {
            self.anchor = Anchor::Again;
        }
        self.in_segment = true;
        self.first = sequence;
        self.hot.highest = sequence.wrapping_sub(1);
        self.seen.missing = u128::MAX;
        self.seen.ahead = 0;
    }

    fn advance(&mut self, by: u32) {
        let seen = self.seen;
        for buffer in self.buffers.all() {
            buffer.advance(by, &seen);
        }
        let skipped = 1_u128.checked_shl(by).map_or(u128::MAX, |bit| bit - 1) & !1;
        self.seen.missing = self.seen.missing.checked_shl(by).unwrap_or(0) | skipped;
        self.seen.expected += u64::from(by);
        self.seen.ahead = self.seen.ahead.saturating_add(by.into());
        self.hot.highest = self.hot.highest.wrapping_add(by.into());
        self.seen_at = self.hot.highest;
    }
}
