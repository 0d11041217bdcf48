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

/// The buckets of all but the shortest and the longest percent in at most `rows` rows of the same width on a logarithmic
/// scale, empty ones among them; what is shorter or longer has a row of its own before or behind them.
pub fn gathered(buckets: &[Bucket], rows: usize) -> Vec<Bucket> {
    let total: u64 = buckets.iter().map(|held| u64::from(held.count)).sum();
    let mut passed = 0;
    let is_core = |held: &&Bucket| {
        let before = passed;
        passed += u64::from(held.count);
        before * 100 < total * 99 && passed * 100 > total
    };
    let place = |held: &Bucket| bucket((held.from * 1e3).round() as u32);
    let core: Vec<usize> = buckets.iter().filter(is_core).map(place).collect();
    let (Some(first), Some(last)) = (core.first().copied(), core.last().copied()) else { return Vec::new() };
    let mut width = 1;
    while last / width - first / width >= rows.max(1) {
        width *= 2;
    }
    let edge = |index: usize| f64::from(lower(index)) / 1e3;
    let counted = |from: usize, to: usize| {
        let within = buckets.iter().filter(|held| (from..to).contains(&place(held)));
        within.fold(0_u32, |sum, held| sum.saturating_add(held.count))
    };
    let (begin, end) = (first / width * width, (last / width + 1) * width);
    let row = |from: usize, to: usize| Bucket {
        from: edge(from),
        to: if to >= BUCKETS { f64::INFINITY } else { edge(to) },
        count: counted(from, to),
    };
    let short = (counted(0, begin) > 0).then(|| row(0, begin));
    let long = (counted(end, BUCKETS) > 0).then(|| row(end, BUCKETS));
    let middle = (begin..end).step_by(width).map(|from| row(from, from + width));
    short.into_iter().chain(middle).chain(long).collect()
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
    fn gathered_rows_hold_every_value_once() {
        let mut histogram = Histogram::default();
        (0..1_000).for_each(|n| histogram.take(19.0 + f64::from(n % 40) / 10.0));
        [0.2, 400.0, 5_000.0].into_iter().for_each(|ms| histogram.take(ms));
        let buckets: Vec<Bucket> = histogram.buckets().collect();
        for most in 1..12 {
            let rows = gathered(&buckets, most);
            assert!(rows.len() <= most + 2, "{most}: {rows:?}");
            assert_eq!(rows.iter().map(|row| row.count).sum::<u32>(), 1_003);
            assert!(rows.windows(2).all(|pair| pair[0].to == pair[1].from));
        }
        let rows = gathered(&buckets, 8);
        assert_eq!((rows[0].count, rows.last().unwrap().count, rows.last().unwrap().to), (1, 2, f64::INFINITY));
        assert!(gathered(&[], 8).is_empty());
    }

    #[test]
    fn a_full_count_stays() {
        let mut histogram = Histogram::default();
        histogram.counts[0] = u32::MAX;
        histogram.take(0.0);
        assert_eq!(histogram.count(), u64::from(u32::MAX));
    }
}
