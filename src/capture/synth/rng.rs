//! Pseudo-random numbers that are the same on every run.

/// A SplitMix64 generator: small, quick, and good enough to spread calls and lose packets.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end - 1`; 0 when `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        // The high word of a 128-bit product has no bias that anyone could see at these sizes.
        ((self.next_u64() as u128 * end as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub const fn range(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).saturating_add(1);
        if span <= 0 { low } else { low + self.below(span as u64) as i64 }
    }

    /// True in `per_mille` of 1,000 cases.
    pub const fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1_000) < per_mille as u64
    }

    /// Lower-case hexadecimal digits, at most 16.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = format!("{:016x}", self.next_u64());
        text.truncate(digits);
        text
    }

    /// A generator of its own for a part, so that parts do not depend on each other's order.
    pub const fn fork(&mut self) -> Self {
        Self(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_repeat_with_the_seed_and_stay_in_range() {
        let mut a = Rng::new(7);
        let mut b = Rng::new(7);
        for _ in 0..1_000 {
            let n = a.range(-3, 3);
            assert_eq!(n, b.range(-3, 3));
            assert!((-3..=3).contains(&n));
        }
        assert_eq!(a.below(0), 0);
        assert_eq!(a.hex(8).len(), 8);
    }

    #[test]
    fn a_chance_of_one_percent_is_about_one_percent() {
        let mut rng = Rng::new(1);
        let hits = (0..100_000).filter(|_| rng.chance(10)).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert!(!(0..1_000).any(|_| rng.chance(0)));
        assert!((0..1_000).all(|_| rng.chance(1_000)));
    }
}
