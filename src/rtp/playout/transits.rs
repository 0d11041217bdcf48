//! Transit times of the last packets and their spread, for the adaptive buffer.

use crate::limits::PLAYOUT_TRANSITS;

/// A step of the kept values in ns: 0.1 ms, so that an i16 holds what an i32 holds in ns, 2.1 s to both sides.
const STEP: i32 = 100_000;
/// Percent of the values that are left out at each end.
const TRIMMED_PERCENT: usize = 3;
/// When the low end moved so far from the reference (1 s, by drifting clocks), the values are moved back.
const FAR: i16 = 10_000;

/// Values that wait in the first cache line, so that the others are touched once in so many packets.
const STAGED: usize = 10;

/// The last [`PLAYOUT_TRANSITS`] transit times (arrival minus media time) as steps from a reference: 1 KB.
///
/// Its fields stand in this order so that a packet touches 32 octets here.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Transits {
    reference: i64,
    staged: [i16; STAGED],
    staged_len: u16,
    next: u16,
    len: u16,
    low: i16,
    high: i16,
    values: [i16; PLAYOUT_TRANSITS],
}

impl Transits {
    pub const fn new() -> Self {
        Self {
            reference: 0,
            staged: [0; STAGED],
            staged_len: 0,
            next: 0,
            len: 0,
            low: 0,
            high: 0,
            values: [0; PLAYOUT_TRANSITS],
        }
    }

    /// Forgets all values; those to come are kept as steps from this transit time in ns.
    pub const fn restart(&mut self, reference: i64) {
        self.reference = reference;
        self.staged_len = 0;
        self.next = 0;
        self.len = 0;
        self.low = 0;
        self.high = 0;
    }

    /// Ns from the reference to this transit time; 2.1 s at most.
    pub fn relative(&self, transit: i64) -> i32 {
        transit.saturating_sub(self.reference).clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// The same for times that are near the reference, as fast as can be; nonsense for those centuries away.
    #[inline]
    pub const fn near(&self, transit: i64) -> i64 {
        transit.wrapping_sub(self.reference)
    }

    /// Keeps a transit time, given in ns from the reference, in place of the oldest.
    #[inline]
    pub fn push(&mut self, relative: i32) {
        let steps = (relative / STEP) as i16;
        if let Some(slot) = self.staged.get_mut(usize::from(self.staged_len)) {
            *slot = steps;
        }
        self.staged_len += 1;
        if usize::from(self.staged_len) >= STAGED {
            self.unstage();
        }
    }

    /// The newest transit time in ns, to 0.1 ms.
    pub fn newest(&self) -> i64 {
        let staged = usize::from(self.staged_len).checked_sub(1).and_then(|last| self.staged.get(last));
        let last = usize::from(self.next).checked_sub(1).unwrap_or(PLAYOUT_TRANSITS - 1);
        let kept = self.values.get(last).filter(|_| self.len > 0);
        self.at(staged.or(kept).copied().unwrap_or(0))
    }

    #[inline(never)]
    fn unstage(&mut self) {
        for &steps in self.staged.iter().take(self.staged_len.into()) {
            if let Some(slot) = self.values.get_mut(usize::from(self.next)) {
                *slot = steps;
            }
            self.next = if usize::from(self.next) + 1 >= PLAYOUT_TRANSITS { 0 } else { self.next + 1 };
        }
        self.len = (self.len + self.staged_len).min(PLAYOUT_TRANSITS as u16);
        self.staged_len = 0;
    }

    /// The lowest and the highest transit time in ns when the top and bottom 3 % are left out.
    ///
    /// They are looked for anew only when the share that lies outside of the ones found last is no longer within one
    /// percent of that; telling this is one pass that the compiler turns into vector instructions.
    pub fn spread(&mut self) -> (i64, i64) {
        self.unstage();
        let len = usize::from(self.len);
        if len > 0 && !self.still_holds(len) {
            self.find(len);
        }
        if self.low.saturating_abs() > FAR {
            self.move_back(len);
        }
        (self.at(self.low), self.at(self.high))
    }

    const fn at(&self, steps: i16) -> i64 {
        self.reference.saturating_add(steps as i64 * STEP as i64)
    }

    fn still_holds(&self, len: usize) -> bool {
        let (low, high) = (self.low, self.high);
        let [mut below, mut over_low, mut above, mut under_high] = [0_u16; 4];
        for &value in self.values.get(..len).unwrap_or_default() {
            below += u16::from(value < low);
            over_low += u16::from(value > low);
            above += u16::from(value > high);
            under_high += u16::from(value < high);
        }
        let trimmed = len * TRIMMED_PERCENT / 100;
        let most = trimmed + len / 100;
        let least = trimmed + 1 - (len / 100).min(trimmed);
        let holds = |outside: u16, inside: u16| usize::from(outside) <= most && len - usize::from(inside) >= least;
        holds(below, over_low) && holds(above, under_high)
    }

    fn find(&mut self, len: usize) {
        let mut sorted = self.values;
        let Some(values) = sorted.get_mut(..len) else { return };
        let trimmed = len * TRIMMED_PERCENT / 100;
        let (_, &mut low, upper) = values.select_nth_unstable(trimmed);
        self.low = low;
        // Of those behind the low end, as many are in front of the high one as are not trimmed.
        let kept = len - 2 * trimmed;
        self.high = match kept.checked_sub(2) {
            Some(place) if place < upper.len() => *upper.select_nth_unstable(place).1,
            _ => low,
        };
    }

    fn move_back(&mut self, len: usize) {
        let by = self.low;
        self.reference = self.at(by);
        for value in self.values.iter_mut().take(len) {
            *value = value.saturating_sub(by);
        }
        self.high = self.high.saturating_sub(by);
        self.low = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_NS: i64 = STEP as i64;

    /// The definition, by sorting.
    fn sorted_spread(last: &[i64]) -> (i64, i64) {
        let mut steps: Vec<i64> = last.iter().map(|transit| transit / STEP_NS * STEP_NS).collect();
        steps.sort_unstable();
        let trimmed = steps.len() * 3 / 100;
        (steps[trimmed], steps[steps.len() - 1 - trimmed])
    }

    #[test]
    fn the_spread_leaves_out_three_percent_at_each_end() {
        let mut transits = Transits::new();
        let mut all = Vec::new();
        let mut state = 1_u64;
        for number in 0..4_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let transit = (state >> 33) as i64 % 80_000_000 * i64::from(number / 1_000);
            transits.push(transits.relative(transit));
            all.push(transit);
            if number % 25 == 0 {
                let last = &all[all.len().saturating_sub(PLAYOUT_TRANSITS)..];
                let exact = sorted_spread(last);
                transits.unstage();
                transits.find(usize::from(transits.len));
                assert_eq!((transits.at(transits.low), transits.at(transits.high)), exact, "{number}");
            }
        }
    }

    #[test]
    fn a_spread_that_is_not_looked_for_anew_is_off_by_one_percent_of_the_values_at_most() {
        let mut transits = Transits::new();
        let mut all = Vec::new();
        let mut state = 7_u64;
        for number in 0..3_000_i64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let transit = (state >> 33) as i64 % 50_000_000 + number * 20_000;
            transits.push(transits.relative(transit));
            all.push(transit);
            let last = &all[all.len().saturating_sub(PLAYOUT_TRANSITS)..];
            let (low, high) = transits.spread();
            let share = |count: usize| count as f64 / last.len() as f64;
            assert!(share(last.iter().filter(|t| **t / STEP_NS * STEP_NS < low).count()) <= 0.041, "{number}");
            assert!(share(last.iter().filter(|t| **t / STEP_NS * STEP_NS > high).count()) <= 0.041, "{number}");
            if last.len() == PLAYOUT_TRANSITS {
                assert!(share(last.iter().filter(|t| **t / STEP_NS * STEP_NS <= low).count()) >= 0.02, "{number}");
                assert!(share(last.iter().filter(|t| **t / STEP_NS * STEP_NS >= high).count()) >= 0.02, "{number}");
            }
        }
    }

    #[test]
    fn clocks_may_drift_for_hours() {
        let mut transits = Transits::new();
        let mut transit = 0;
        for number in 0..200_000_i64 {
            transit = number * 100_000;
            transits.push(transits.relative(transit));
            if number % 25 == 0 {
                transits.spread();
            }
        }
        let (low, high) = transits.spread();
        assert!(low < high && (transit - high).abs() < 5_000_000, "{low} to {high}, now {transit}");
        assert!((transits.newest() - transit).abs() < STEP_NS);
        transits.restart(5);
        assert_eq!(transits.newest(), 5);
        transits.push(transits.relative(5));
        assert_eq!(transits.spread(), (5, 5));
    }

    #[test]
    fn absurd_values_saturate() {
        let mut transits = Transits::new();
        for transit in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MIN] {
            transits.push(transits.relative(transit));
            transits.spread();
        }
        transits.restart(i64::MAX);
        transits.push(transits.relative(i64::MIN));
        assert!(transits.spread().0 < i64::MAX);
    }
}
