//! Least, mean and greatest of a row of values.

/// Sums up values as they come; 32 octets, whatever their number.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Spread {
    /// Takes one value.
    #[inline]
    pub fn take(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many values were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The least; `None` when there is no value, as for the others.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The plain mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The greatest.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}
