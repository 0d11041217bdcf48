//! When which row has to be looked at again, though no message comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Timestamp;
use crate::track::call::CallKey;

/// Alarms by time. Each row has at most a few: an alarm is not moved, but set again when it rings too early.
#[derive(Debug, Default)]
pub struct Alarms {
    heap: BinaryHeap<Reverse<(Timestamp, CallKey)>>,
}

impl Alarms {
    /// Rings for this row at this time. `set` is when its next alarm rings already, and is brought up to date.
    pub fn set(&mut self, key: CallKey, at: Timestamp, set: &mut Option<Timestamp>) {
        if set.is_none_or(|earlier| at < earlier) {
            self.heap.push(Reverse((at, key)));
            *set = Some(at);
        }
    }

    /// The next row whose alarm rings by `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<(CallKey, Timestamp)> {
        let Reverse((at, key)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((key, at))
    }

    /// Alarms set, those that will ring for nobody included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Drops what will not ring for anybody when there is much more here than there are rows: alarms of rows that are gone
    /// may lie years ahead. `is_set` tells whether a row still waits for this one.
    pub fn tidy(&mut self, rows: usize, is_set: impl Fn(CallKey, Timestamp) -> bool) {
        if self.heap.len() > rows * 2 + 1_024 {
            self.heap.retain(|Reverse((at, key))| is_set(*key, *at));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.heap.clear();
    }
}
