//! Packet time: the only clock below the screen.
//!
//! Times are whole nanoseconds since the Unix epoch, as captured. Nothing here reads a clock.

use std::fmt;

use chrono::{DateTime, Local, TimeZone, Utc};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A point in packet time: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The distance between two [`Timestamp`]s in nanoseconds; negative when time ran backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Elapsed(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds; a value out of range saturates.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// `self - earlier`, saturating.
    pub const fn since(self, earlier: Self) -> Elapsed {
        Elapsed(self.0.saturating_sub(earlier.0))
    }

    /// `self + by`, saturating.
    #[must_use]
    pub const fn after(self, by: Elapsed) -> Self {
        Self(self.0.saturating_add(by.0))
    }

    /// `2016-05-18T18:23:15.920336Z`, with nine decimals when there is anything below a microsecond.
    pub fn rfc3339(self) -> String {
        let utc = self.utc();
        if self.0 % 1_000 == 0 {
            utc.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
        } else {
            utc.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
        }
    }

    /// Time of day in UTC, `format` in strftime words (`%H:%M:%S%.3f`).
    pub fn format_utc(self, format: &str) -> String {
        self.utc().format(format).to_string()
    }

    /// Time of day in the machine's zone, `format` in strftime words.
    pub fn format_local(self, format: &str) -> String {
        self.utc().with_timezone(&Local).format(format).to_string()
    }

    fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_nanos(self.0)
    }
}

impl Elapsed {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds with their fraction.
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds with their fraction.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whole seconds, rounded towards zero.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / NANOS_PER_SECOND
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_and_nanoseconds_are_both_written_whole() {
        let micros = Timestamp::from_parts(1_463_595_795, 920_336_000);
        assert_eq!(micros.rfc3339(), "2016-05-18T18:23:15.920336Z");
        let nanos = Timestamp::from_parts(1_463_595_795, 920_336_001);
        assert_eq!(nanos.rfc3339(), "2016-05-18T18:23:15.920336001Z");
    }

    #[test]
    fn absurd_times_saturate() {
        let far = Timestamp::from_parts(i64::MAX, 5);
        assert_eq!(far.nanos(), i64::MAX);
        assert_eq!(far.since(Timestamp::from_nanos(-5)).nanos(), i64::MAX);
        assert!(!far.rfc3339().is_empty());
    }
}
