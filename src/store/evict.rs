//! Which rows go when room is needed: the oldest ended first, never a live one before an ended one.

use std::collections::VecDeque;

use crate::track::call::CallKey;

/// The ended rows, in the order in which they ended. A row that came to life again is skipped when its turn comes.
#[derive(Debug, Default)]
pub struct Ended {
    queue: VecDeque<(CallKey, u32)>,
    /// The lowest key that may still be present.
    oldest: u64,
}

impl Ended {
    /// A row ended; `epoch` is how many times it has ended or revived.
    pub fn push(&mut self, key: CallKey, epoch: u32) {
        self.queue.push_back((key, epoch));
    }

    /// The row that ended first. `is_current` tells whether a key and epoch still stand for an ended row.
    pub fn pop(&mut self, is_current: impl Fn(CallKey, u32) -> bool) -> Option<CallKey> {
        while let Some((key, epoch)) = self.queue.pop_front() {
            if is_current(key, epoch) {
                return Some(key);
            }
        }
        None
    }

    /// The row that appeared first, for when no row has ended. `next` is the key that the next row will have.
    pub fn oldest(&mut self, next: u64, is_present: impl Fn(u64) -> bool) -> Option<CallKey> {
        while self.oldest < next && !is_present(self.oldest) {
            self.oldest += 1;
        }
        (self.oldest < next).then_some(CallKey(self.oldest))
    }

    /// Drops what is no longer current when there is much more in the queue than there are rows.
    pub fn tidy(&mut self, rows: usize, is_current: impl Fn(CallKey, u32) -> bool) {
        if self.queue.len() > rows * 2 + 1_024 {
            self.queue.retain(|(key, epoch)| is_current(*key, *epoch));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.queue.clear();
    }
}
