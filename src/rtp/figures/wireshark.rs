//! The figures that Wireshark 4.0 shows for a stream, right or wrong, so that both tools can be compared.

use super::carries::Carries;
use super::{Arrival, ms};
use crate::time::Timestamp;

/// Payload types 13 and 19; a dynamic one of that name is not recognised.
const COMFORT_NOISE: [u8; 2] = [13, 19];
/// A timestamp less than half the circle behind the first is in order; at exactly half, one that has wrapped is.
const HALF: u32 = 1 << 31;
/// A number so far behind has wrapped.
const WRAPPED: i32 = 0xff00;

/// Wireshark's running figures of a stream. Times are ms.
#[derive(Clone, Debug, Default)]
pub struct Wireshark {
    first_at: Timestamp,
    /// Arrival of the last packet in order, since the first.
    last_t: f64,
    nominal: f64,
    /// Of the whole kHz of the clock.
    ms_per_tick: f64,
    jitter: f64,
    delta: Running,
    jitters: Running,
    max_skew: f64,
    sum_t: f64,
    sum_n: f64,
    sum_tn: f64,
    sum_tt: f64,
    /// Arrival of the last packet in any order, since the first.
    end_t: f64,
    packets: u64,
    cycles: u64,
    first_timestamp: u32,
    clock: u32,
    sequence_errors: u32,
    first_sequence: u16,
    /// The last one in order.
    good: u16,
    /// That of the last packet.
    last_sequence: u16,
    is_cycling: bool,
    is_after_noise: bool,
    is_wrong: bool,
}

/// Minimum, mean and maximum as Wireshark weighs them: packets that are left out weigh in the mean all the same.
#[derive(Clone, Copy, Debug)]
struct Running {
    min: f64,
    mean: f64,
    max: f64,
}

impl Default for Running {
    fn default() -> Self {
        Self { min: f64::INFINITY, mean: 0.0, max: 0.0 }
    }
}

impl Running {
    #[inline]
    fn take(&mut self, value: f64, before: f64, share: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.mean = (self.mean * (before - 1.0) + value) * share;
    }

    fn min(&self) -> f64 {
        if self.min.is_finite() { self.min } else { -1.0 }
    }
}

/// What Wireshark would print of a stream, times in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WiresharkFigures {
    /// Packets captured.
    pub packets: u64,
    /// Expected minus captured: negative with repeated packets.
    pub lost: i64,
    /// `lost` in percent of the expected.
    pub lost_percent: f64,
    /// Steps of the sequence number that it takes for errors.
    pub sequence_errors: u32,
    /// Least time between packets; −1 when nothing was measured, as for the jitter.
    pub min_delta: f64,
    /// Mean time between packets.
    pub mean_delta: f64,
    /// Greatest time between packets.
    pub max_delta: f64,
    /// Least jitter.
    pub min_jitter: f64,
    /// Mean jitter.
    pub mean_jitter: f64,
    /// Greatest jitter.
    pub max_jitter: f64,
    /// The skew of largest magnitude; positive when the sender was early.
    pub max_skew: f64,
    /// How far the sender's clock ran ahead over the whole stream. `None` when it cannot be told.
    pub drift: Option<f64>,
    /// The same in percent.
    pub drift_percent: Option<f64>,
    /// The sender's clock in Hz, with the factor applied twice as Wireshark does.
    pub frequency: Option<f64>,
    /// Its problem mark `X`.
    pub problem: bool,
}

impl Wireshark {
    /// Takes a packet, in capture order, repeated ones included.
    #[inline]
    pub fn packet(&mut self, arrival: &Arrival) {
        let is_first = self.packets == 0;
        if is_first {
            self.begin(arrival);
        }
        let t = ms(arrival.at.since(self.first_at));
        let ticks = arrival.timestamp.wrapping_sub(self.first_timestamp);
        let in_order = ticks < HALF || (ticks == HALF && arrival.timestamp < self.first_timestamp);
        let clock = match arrival.carries {
            Carries::Media { clock } | Carries::ComfortNoise { clock } => clock.get(),
            Carries::TelephoneEvent { .. } | Carries::Unknown => 0,
        };
        let has_clock = clock >= 1_000;
        let delta = t - self.last_t;
        if in_order {
            if has_clock {
                if clock != self.clock {
                    self.clock = clock;
                    self.ms_per_tick = 1.0 / f64::from(clock / 1_000);
                }
                self.against_nominal(t, delta, f64::from(ticks) * self.ms_per_tick);
            }
            self.last_t = t;
        }
        let is_noise = COMFORT_NOISE.contains(&arrival.payload_type);
        if !is_first && in_order && !arrival.marker && !is_noise && !self.is_after_noise {
            let before = self.packets as f64;
            let share = 1.0 / before;
            self.delta.take(delta, before, share);
            if has_clock {
                self.jitters.take(self.jitter, before, share);
            }
        }
        self.is_after_noise = is_noise;
        self.is_wrong |= !in_order;
        self.number(arrival.sequence, in_order, is_first);
        self.end_t = t;
        self.packets += 1;
    }

    fn begin(&mut self, arrival: &Arrival) {
        self.first_at = arrival.at;
        self.first_timestamp = arrival.timestamp;
        self.first_sequence = arrival.sequence;
        self.good = arrival.sequence;
        self.last_sequence = arrival.sequence;
    }

    #[inline]
    fn against_nominal(&mut self, t: f64, delta: f64, nominal: f64) {
        if self.packets > 0 {
            let difference = (delta - (nominal - self.nominal)).abs();
            self.jitter = (15.0 * self.jitter + difference) * 0.0625;
        }
        self.nominal = nominal;
        let skew = nominal - t;
        if skew.abs() > self.max_skew.abs() {
            self.max_skew = skew;
        }
        self.sum_t += t;
        self.sum_n += nominal;
        self.sum_tn += t * nominal;
        self.sum_tt += t * t;
    }

    #[inline]
    fn number(&mut self, number: u16, in_order: bool, is_first: bool) {
        if in_order && !is_first {
            let wraps = number < self.first_sequence || (number == 0 && self.last_sequence == u16::MAX);
            if wraps && !self.is_cycling {
                self.cycles += 1;
                self.is_cycling = true;
            } else if number > self.first_sequence {
                self.is_cycling = false;
            }
        }
        self.last_sequence = number;
        let ahead = i32::from(number) - (i32::from(self.good) + 1);
        if is_first || (in_order && number == self.good.wrapping_add(1)) {
            self.good = number;
        } else if in_order && (ahead > 0 || -ahead > WRAPPED) {
            self.good = number;
            self.sequence_errors = self.sequence_errors.saturating_add(1);
        } else if ahead < 0 {
            self.sequence_errors = self.sequence_errors.saturating_add(1);
        }
    }

    /// The figures so far.
    pub fn figures(&self) -> WiresharkFigures {
        let expected = i64::from(self.last_sequence) + 65_536 * self.cycles as i64 - i64::from(self.first_sequence) + 1;
        let lost = expected - self.packets as i64;
        let slope = self.slope();
        let rate = f64::from(self.clock);
        WiresharkFigures {
            packets: self.packets,
            lost,
            lost_percent: if expected == 0 { 0.0 } else { 100.0 * lost as f64 / expected as f64 },
            sequence_errors: self.sequence_errors,
            min_delta: self.delta.min(),
            mean_delta: self.delta.mean,
            max_delta: self.delta.max,
            min_jitter: self.jitters.min(),
            mean_jitter: self.jitters.mean,
            max_jitter: self.jitters.max,
            max_skew: self.max_skew,
            drift: slope.map(|slope| self.end_t * (slope - 1.0)),
            drift_percent: slope.map(|slope| 100.0 * (slope - 1.0)),
            frequency: slope.map(|slope| slope * (rate * slope).floor()),
            problem: self.sequence_errors > 0 || self.is_wrong,
        }
    }

    /// The sender's time over that of the capture. `n` counts all packets, those left out of the sums too.
    fn slope(&self) -> Option<f64> {
        let n = self.packets as f64;
        let below = n * self.sum_tt - self.sum_t * self.sum_t;
        (below > 0.0).then(|| (n * self.sum_tn - self.sum_t * self.sum_n) / below)
    }
}
