//! Events per second over the last minute of packet time.

use crate::time::Timestamp;

const SECONDS: usize = 60;

/// A count for each of the last 60 whole seconds.
#[derive(Clone, Debug)]
pub struct Rate {
    ring: [u32; SECONDS],
    newest: Option<i64>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { ring: [0; SECONDS], newest: None }
    }
}

impl Rate {
    /// Counts `events` at this time. What is older than a minute is left out.
    pub fn count(&mut self, at: Timestamp, events: u32) {
        self.advance(at);
        let second = second(at);
        let Some(newest) = self.newest else { return };
        if newest - second < SECONDS as i64
            && let Some(slot) = self.ring.get_mut(slot(second))
        {
            *slot = slot.saturating_add(events);
        }
    }

    /// Time goes on, with or without events.
    pub fn advance(&mut self, now: Timestamp) {
        let second = second(now);
        let newest = *self.newest.get_or_insert(second);
        if second <= newest {
            return;
        }
        for passed in (second - (second - newest).min(SECONDS as i64) + 1)..=second {
            if let Some(slot) = self.ring.get_mut(slot(passed)) {
                *slot = 0;
            }
        }
        self.newest = Some(second);
    }

    /// The counts, newest second last.
    pub fn seconds(&self) -> Vec<u32> {
        let newest = self.newest.unwrap_or(0);
        let oldest = newest - SECONDS as i64 + 1;
        (oldest..=newest).filter_map(|second| self.ring.get(slot(second)).copied()).collect()
    }
}

fn second(at: Timestamp) -> i64 {
    at.nanos().div_euclid(1_000_000_000)
}

fn slot(second: i64) -> usize {
    second.rem_euclid(SECONDS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_pass_and_leave_zeros() {
        let at = |seconds: i64| Timestamp::from_parts(1_700_000_000 + seconds, 5);
        let mut rate = Rate::default();
        rate.count(at(0), 3);
        rate.count(at(2), 1);
        rate.count(at(1), 7);
        assert_eq!(rate.seconds().get(57..), Some(&[3, 7, 1][..]));
        rate.count(at(-100), 9);
        assert_eq!(rate.seconds().iter().sum::<u32>(), 11);
        rate.advance(at(60));
        assert_eq!(rate.seconds().first_chunk(), Some(&[7, 1, 0]));
        rate.advance(at(500));
        assert_eq!(rate.seconds(), vec![0; 60]);
    }
}
