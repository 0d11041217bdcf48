//! Interarrival jitter (RFC 3550, 6.4.1 and A.8), in ms.

use std::num::NonZeroU32;

use super::ms;
use super::spread::Spread;
use crate::time::Timestamp;

/// A transit time that differs from the one before by more than this, in ms, is a jump of the sender's timestamp.
const JUMP_MS: f64 = 1_000.0;
/// The filter's gain: an estimate moves by a sixteenth of the difference.
const GAIN: f64 = 1.0 / 16.0;

/// What a packet did to the jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Nothing to compare with: the first packet, a new row of numbers, or another clock.
    Anchored,
    /// The timestamp jumped.
    Jumped,
    /// The jitter after this packet, in ms.
    Moved(f64),
}

/// The running jitter of one stream. A packet is compared with the one that arrived before it, late ones too.
#[derive(Clone, Debug, Default)]
pub struct Jitter {
    at: Timestamp,
    timestamp: u32,
    /// 0 before the first packet.
    clock: u32,
    ms_per_tick: f64,
    value: f64,
    taken: Spread,
    jumps: u32,
}

impl Jitter {
    /// Takes a media packet. `begins` says that a new row of numbers began with it, `counts` that the jitter after it goes
    /// into minimum, mean and maximum.
    #[inline]
    pub fn packet(&mut self, at: Timestamp, timestamp: u32, clock: NonZeroU32, begins: bool, counts: bool) -> Step {
        let waited = ms(at.since(self.at)).max(0.0);
        let ticks = timestamp.wrapping_sub(self.timestamp) as i32;
        self.at = at;
        self.timestamp = timestamp;
        if begins || clock.get() != self.clock {
            self.clock = clock.get();
            self.ms_per_tick = 1_000.0 / f64::from(clock.get());
            return Step::Anchored;
        }
        let difference = (waited - f64::from(ticks) * self.ms_per_tick).abs();
        if difference > JUMP_MS {
            self.jumps = self.jumps.saturating_add(1);
            return Step::Jumped;
        }
        self.value += (difference - self.value) * GAIN;
        if counts {
            self.taken.take(self.value);
        }
        Step::Moved(self.value)
    }

    /// The jitter now, in ms; `None` when no clock is known.
    pub fn now(&self) -> Option<f64> {
        (self.clock != 0).then_some(self.value)
    }

    /// The jitter now in ticks of the RTP clock, as RTCP reports it.
    pub fn now_in_ticks(&self) -> Option<f64> {
        (self.clock != 0).then(|| self.value / self.ms_per_tick)
    }

    /// Least, mean and greatest in ms, over packets that follow another at the sender's pace: neither marked nor after
    /// comfort noise.
    pub const fn taken(&self) -> &Spread {
        &self.taken
    }

    /// Times that the timestamp jumped by more than a second against the arrival.
    pub const fn jumps(&self) -> u32 {
        self.jumps
    }

    /// Ms of one tick of the clock; 0 before the first packet.
    pub(super) const fn ms_per_tick(&self) -> f64 {
        self.ms_per_tick
    }

    /// The clock of the newest media packet in Hz.
    pub const fn clock(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.clock)
    }
}
