//! Skew, and how fast the sender's clock runs.

use super::ms;
use crate::time::{Elapsed, Timestamp};

/// A rate is shown only after so long and so many packets: before, jitter drowns it.
const RATE_AFTER: Elapsed = Elapsed::from_secs(30);
const RATE_PACKETS: f64 = 1_000.0;

/// The sender's clock against that of the capture, since the first packet or the last jump.
///
/// The rate's error is the slope of the straight line through the skews over time (least squares). Skews are small, so
/// that their sums lose nothing after hours, as those of the times themselves would.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    begin: Timestamp,
    begin_ticks: i64,
    last: Elapsed,
    packets: f64,
    sum_t: f64,
    sum_tt: f64,
    sum_skew: f64,
    sum_t_skew: f64,
    worst: f64,
}

impl Drift {
    /// Begins anew with this packet; the greatest skew so far stays. `ticks` is the extended RTP timestamp.
    pub fn anchor(&mut self, at: Timestamp, ticks: i64) {
        *self = Self { begin: at, begin_ticks: ticks, packets: 1.0, worst: self.worst, ..Self::default() };
    }

    /// Takes a media packet behind the anchor.
    #[inline]
    pub fn packet(&mut self, at: Timestamp, ticks: i64, ms_per_tick: f64) {
        let since = at.since(self.begin);
        let t = ms(since);
        let skew = ticks.wrapping_sub(self.begin_ticks) as f64 * ms_per_tick - t;
        self.last = since;
        self.packets += 1.0;
        self.sum_t += t;
        self.sum_tt += t * t;
        self.sum_skew += skew;
        self.sum_t_skew += t * skew;
        if skew.abs() > self.worst.abs() {
            self.worst = skew;
        }
    }

    /// The skew of largest magnitude in ms; positive when the sender was early.
    pub const fn max_skew(&self) -> f64 {
        self.worst
    }

    /// How much too fast the sender's clock runs, in parts per million. `None` before 30 s and 1000 packets.
    pub fn ppm(&self) -> Option<f64> {
        if self.last < RATE_AFTER || self.packets < RATE_PACKETS {
            return None;
        }
        let above = self.packets * self.sum_t_skew - self.sum_t * self.sum_skew;
        let below = self.packets * self.sum_tt - self.sum_t * self.sum_t;
        (below > 0.0).then(|| 1e6 * above / below)
    }
}
