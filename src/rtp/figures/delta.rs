//! Time between arrivals, gaps and pauses.

use super::ms;
use super::spread::Spread;
use crate::time::{Elapsed, Timestamp};

/// Silence of more than this before the next number is a pause of the sender.
const PAUSE: Elapsed = Elapsed::from_secs(1);

/// Times between the arrivals of consecutive packets that are no repetitions.
#[derive(Clone, Debug, Default)]
pub struct Deltas {
    last: Timestamp,
    taken: Spread,
    longest: Elapsed,
    longest_began: Timestamp,
    pauses: u32,
    backwards: u32,
}

impl Deltas {
    /// The stream's first packet.
    pub fn begin(&mut self, at: Timestamp) {
        self.last = at;
        self.longest_began = at;
    }

    /// Any other packet: how many ms after the one before it came, 0 when time ran backwards. `counts` says that it goes into
    /// minimum, mean and maximum, `follows` that its number follows the one before.
    #[inline]
    pub fn packet(&mut self, at: Timestamp, counts: bool, follows: bool) -> f64 {
        let mut delta = at.since(self.last);
        if delta < Elapsed::ZERO {
            delta = Elapsed::ZERO;
            self.backwards = self.backwards.saturating_add(1);
        }
        if delta > self.longest {
            self.longest = delta;
            self.longest_began = self.last;
        }
        if delta > PAUSE && follows {
            self.pauses = self.pauses.saturating_add(1);
        }
        let delta = ms(delta);
        if counts {
            self.taken.take(delta);
        }
        self.last = at;
        delta
    }

    /// Least, mean and greatest in ms, over packets that follow another at the sender's pace: neither marked nor comfort
    /// noise nor after it.
    pub const fn taken(&self) -> &Spread {
        &self.taken
    }

    /// The longest time without a packet, silence included, and when it began.
    pub const fn longest_gap(&self) -> (Elapsed, Timestamp) {
        (self.longest, self.longest_began)
    }

    /// The arrival of the newest packet.
    pub const fn last(&self) -> Timestamp {
        self.last
    }

    /// Times of more than a second without a packet, after which the numbers went on as if nothing had been.
    pub const fn pauses(&self) -> u32 {
        self.pauses
    }

    /// Packets that were captured with an earlier time than the one before them.
    pub const fn backwards(&self) -> u32 {
        self.backwards
    }
}
