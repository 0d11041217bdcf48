//! RTP timestamps as time.

use crate::time::Elapsed;

/// Turns the RTP timestamps of one clock into media time: extended over wraps, at the exact rate.
#[derive(Clone, Copy, Debug)]
pub struct MediaClock {
    /// Ns of a tick, with 32 binary places.
    tick: i64,
    /// The extended timestamp; its low 32 bits are the newest that was given.
    ticks: i64,
}

impl MediaClock {
    /// A clock of so many ticks per second; `None` for a clock that stands still.
    pub const fn new(rate: u32) -> Option<Self> {
        if rate == 0 {
            return None;
        }
        let rate = rate as i128;
        Some(Self { tick: (((1_000_000_000_i128 << 32) + rate / 2) / rate) as i64, ticks: 0 })
    }

    /// The media time of this timestamp, which is taken to be within half a turn (2^31 ticks) of the one before.
    #[inline]
    pub const fn media(&mut self, timestamp: u32) -> Elapsed {
        let step = timestamp.wrapping_sub(self.ticks as u32) as i32;
        self.ticks = self.ticks.wrapping_add(step as i64);
        Elapsed::from_nanos(((self.ticks as i128 * self.tick as i128) >> 32) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_wrap_and_rates_are_exact() {
        let mut clock = MediaClock::new(8_000).unwrap();
        let first = clock.media(u32::MAX - 79);
        assert_eq!(clock.media(80).nanos() - first.nanos(), 20_000_000);
        assert_eq!(clock.media(u32::MAX - 79), first);
        for (rate, ticks, nanos) in
            [(44_100, 44_100, 1_000_000_000), (11_025, 1, 90_703), (48_000, 2_880_000_000, 60_000_000_000_000_i64)]
        {
            let mut clock = MediaClock::new(rate).unwrap();
            clock.media(ticks / 2);
            let got = clock.media(ticks).nanos();
            assert!((got - nanos).abs() <= 1, "{rate}: {got}");
        }
        assert!(MediaClock::new(0).is_none());
        let mut fast = MediaClock::new(1).unwrap();
        for step in 0..20_u32 {
            fast.media(step.wrapping_mul(i32::MAX as u32));
        }
    }
}
