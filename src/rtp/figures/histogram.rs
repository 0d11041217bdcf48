//! A small histogram for every stream: eight buckets an octave, each at most an eighth wide.

/// Buckets an octave, as a power of two.
const OCTAVE_BITS: u32 = 3;
const PER_OCTAVE: usize = 1 << OCTAVE_BITS;
/// Values of this many bits are told apart: up to 2.1 s in µs. What is longer goes into the last bucket.
const VALUE_BITS: u32 = 21;
const BUCKETS: usize = ((VALUE_BITS - OCTAVE_BITS) as usize + 1) * PER_OCTAVE;

/// Counts of times in µs, 0 to 2.1 s. Below 8 µs each has its own bucket; above, a value read back is off by 1/17 at most.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: [u32; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

/// One bucket that holds something: values from `from` up to, and without, `to`, in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Lower bound in ms.
    pub from: f64,
    /// Upper bound in ms; infinite for the last.
    pub to: f64,
    /// Values in it.
    pub count: u32,
}

impl Histogram {
    /// Takes a time in ms; a negative one counts as 0.
    #[inline]
    pub fn take(&mut self, ms: f64) {
        // Casts of floats saturate.
        if let Some(count) = self.counts.get_mut(bucket((ms * 1e3) as u32)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many values were taken.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The value in ms that `share` (0 to 1) of the values do not exceed, by nearest rank. It stays between `min` and
    /// `max`, which the caller knows exactly. `None` when there are no values.
    pub fn percentile(&self, share: f64, min: f64, max: f64) -> Option<f64> {
        let total = self.count();
        let rank = ((share * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut passed = 0;
        let found = self.counts.iter().position(|count| {
            passed += u64::from(*count);
            passed >= rank
        })?;
        let value = if found == BUCKETS - 1 { max } else { middle(found) };
        Some(value.min(max).max(min))
    }

    /// The buckets that hold something, from short to long.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let held = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        held.map(|(index, count)| Bucket {
            from: f64::from(lower(index)) / 1e3,
            to: if index == BUCKETS - 1 { f64::INFINITY } else { f64::from(lower(index + 1)) / 1e3 },
            count: *count,
        })
    }
}

#[inline]
fn bucket(us: u32) -> usize {
    let us = us.min((1 << VALUE_BITS) - 1);
    // Below eight, the shift is 0 and the value is its own bucket.
    let shift = (us | PER_OCTAVE as u32).ilog2() - OCTAVE_BITS;
    shift as usize * PER_OCTAVE + (us >> shift) as usize
}

/// The least value of a bucket in µs.
fn lower(bucket: usize) -> u32 {
    let shift = (bucket / PER_OCTAVE).saturating_sub(1);
    let start = if bucket < PER_OCTAVE { bucket } else { bucket % PER_OCTAVE + PER_OCTAVE };
    (start << shift) as u32
}

/// What a bucket is read back as in ms: the value that is off by the same share from both ends.
fn middle(bucket: usize) -> f64 {
    let [low, high] = [lower(bucket), lower(bucket + 1)].map(f64::from);
    2.0 * low.max(0.25) * high / (low.max(0.25) + high) / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet_without_holes() {
        for index in 0..BUCKETS - 1 {
            assert_eq!(bucket(lower(index)), index);
            assert_eq!(bucket(lower(index + 1) - 1), index);
        }
        assert_eq!(bucket(u32::MAX), BUCKETS - 1);
    }

    #[test]
    fn values_are_read_back_within_six_percent() {
        for us in (8..2_000_000_u32).step_by(7) {
            let ms = f64::from(us) / 1e3;
            let read = middle(bucket(us));
            assert!((read - ms).abs() / ms < 0.06, "{ms} ms is read back as {read}");
        }
    }

    #[test]
    fn percentiles_are_ranks_and_stay_within_the_ends() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.5, 0.0, 0.0), None);
        for ms in 1..=100 {
            histogram.take(f64::from(ms));
        }
        for (share, exact) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (0.0, 1.0)] {
            let read = histogram.percentile(share, 1.0, 100.0).unwrap();
            assert!((read - exact).abs() / exact < 0.06, "{share}: {read}");
        }
        assert_eq!(histogram.percentile(1.0, 1.0, 96.5), Some(96.5));
        assert_eq!(histogram.buckets().map(|bucket| u64::from(bucket.count)).sum::<u64>(), 100);
    }

    #[test]
    fn the_longest_bucket_has_no_end() {
        let mut histogram = Histogram::default();
        histogram.take(60_000.0);
        histogram.take(-1.0);
        assert_eq!(histogram.percentile(1.0, 0.0, 60_000.0), Some(60_000.0));
        assert_eq!(histogram.percentile(0.5, 0.0, 60_000.0), Some(middle(0)));
    }

    #[test]
    fn a_full_count_stays() {
        let mut histogram = Histogram::default();
        histogram.counts[0] = u32::MAX;
        histogram.take(0.0);
        assert_eq!(histogram.count(), u64::from(u32::MAX));
    }
}
