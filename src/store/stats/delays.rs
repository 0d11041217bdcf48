//! Distributions of delays.

use hdrhistogram::Histogram;

use crate::time::Elapsed;

use super::Delays;

/// The longest delay that is told apart from longer ones, in µs: an hour. The exact maximum is kept beside it.
const LONGEST_US: u64 = 3_600_000_000;

/// A distribution that is read much more rarely than it is written.
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Option<Histogram<u32>>,
    digits: u8,
    count: u64,
    min: i64,
    max: i64,
    shown: Option<Delays>,
}

impl Distribution {
    /// An empty one, of so many significant digits. It takes memory with its first sample.
    pub const fn new(digits: u8) -> Self {
        Self { histogram: None, digits, count: 0, min: i64::MAX, max: 0, shown: None }
    }

    /// Adds a delay. One that is negative, because packets are out of order, counts as zero.
    pub fn record(&mut self, delay: Elapsed) {
        let nanos = delay.nanos().max(0);
        if self.histogram.is_none() {
            self.histogram = Histogram::new_with_bounds(1, LONGEST_US, self.digits).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record((nanos / 1_000) as u64);
        }
        self.count += 1;
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
        self.shown = None;
    }

    /// Count, exact minimum and maximum, and percentiles between them. Computed once after each change.
    pub fn delays(&mut self) -> Delays {
        if let Some(shown) = self.shown {
            return shown;
        }
        let millis = |nanos: i64| Elapsed::from_nanos(nanos).millis();
        let mut delays = Delays::default();
        if let (Some(histogram), 1..) = (&self.histogram, self.count) {
            let (min, max) = (millis(self.min), millis(self.max));
            let at = |quantile| (histogram.value_at_quantile(quantile) as f64 / 1e3).clamp(min, max);
            delays = Delays { count: self.count, min, p50: at(0.5), p95: at(0.95), max };
        }
        self.shown = Some(delays);
        delays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_exact_ends() {
        let mut distribution = Distribution::new(3);
        assert_eq!(distribution.delays(), Delays::default());
        distribution.record(Elapsed::from_nanos(743_245_678));
        let one = distribution.delays();
        assert_eq!(
            (one.count, one.min, one.p50, one.p95, one.max),
            (1, 743.245_678, 743.245_678, 743.245_678, 743.245_678)
        );
        for millis in 1..=1_000 {
            distribution.record(Elapsed::from_millis(millis));
        }
        let many = distribution.delays();
        assert_eq!((many.count, many.min, many.max), (1_001, 1.0, 1_000.0));
        assert!((many.p50 - 500.0).abs() < 2.0 && (many.p95 - 950.0).abs() < 2.0, "{many:?}");
    }

    #[test]
    fn absurd_delays_saturate() {
        let mut distribution = Distribution::new(1);
        distribution.record(Elapsed::from_nanos(-5));
        distribution.record(Elapsed::from_nanos(i64::MAX));
        let delays = distribution.delays();
        assert_eq!((delays.count, delays.min), (2, 0.0));
        assert!(delays.p95 <= delays.max);
    }
}
