//! What must come out of a stream, counted where every number is known: nothing wraps, and copies know what they copy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Arrival;
use super::sender::{Kind, Sent, StreamPlan};
use crate::time::Timestamp;

/// A step of more than this between arrival and timestamp is a jump, in ms.
const JUMP_MS: f64 = 1_000.0;

/// Least, mean and greatest, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Plain mean of all.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
}

/// The figures of a stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamTruth {
    /// Sender on the wire.
    pub src: String,
    /// Receiver on the wire.
    pub dst: String,
    /// SSRC.
    pub ssrc: u32,
    /// Encoding name of the first packets.
    pub codec: &'static str,
    /// Hz of their clock.
    pub clock: u32,
    /// First arrival, in ns since the epoch.
    pub first_ns: i64,
    /// Last arrival, likewise.
    pub last_ns: i64,
    /// Packets captured, copies included.
    pub packets: u64,
    /// Distinct ones.
    pub unique: u64,
    /// Highest less lowest number and one, summed over restarts.
    pub expected: u64,
    /// Expected less distinct.
    pub lost: u64,
    /// Packets whose number came before, repeated digits included.
    pub duplicates: u64,
    /// Those of them that repeat a digit: neither an error nor a sign of one.
    pub event_repeats: u64,
    /// Distinct ones below the highest number so far.
    pub out_of_order: u64,
    /// How often the highest number rose by more than one.
    pub gaps_opened: u64,
    /// New beginnings of the sequence numbers.
    pub restarts: u64,
    /// Gaps, packets out of order and restarts.
    pub sequence_errors: u64,
    /// Steps of more than 1 s between arrival and timestamp; those at a restart and at a change of clock do not count. A
    /// packet that comes more than 1 s late makes two: back and forth.
    pub timestamp_jumps: u64,
    /// Arrivals more than 1 s apart with numbers that follow each other.
    pub pauses: u64,
    /// Digits.
    pub digits: String,
    /// Runs of lost numbers.
    pub loss_runs: u64,
    /// The longest of them, in packets.
    pub longest_loss_run: u64,
    /// Mean run over the mean run under random loss, of what the network lost.
    pub burst_ratio: f64,
    /// Between distinct arrivals; without the first, markers, comfort noise and the one behind it.
    pub delta_ms: Option<Spread>,
    /// Between distinct arrivals of any kind, in ms.
    pub longest_gap_ms: f64,
    /// The running jitter of RFC 3550, likewise without markers and what follows comfort noise; of media only.
    pub jitter_ms: Option<Spread>,
    /// How fast the sender's clock is.
    pub drift_ppm: i32,
    /// Whether the stream has a problem: loss, a sequence error or a jump.
    pub has_problem: bool,
}

impl StreamTruth {
    pub(super) fn of(plan: &StreamPlan, arrivals: &[Arrival]) -> Self {
        let mut count = Count::default();
        for arrival in arrivals {
            count.take(arrival);
        }
        let at = |arrival: Option<&Arrival>| arrival.map_or(0, |arrival| arrival.at.nanos());
        let expected: u64 =
            count.numbers.values().filter_map(|numbers| Some(numbers.last()? - numbers.first()? + 1)).sum();
        let unique: u64 = count.numbers.values().map(|numbers| numbers.len() as u64).sum();
        let lost = expected - unique;
        let runs: Vec<u64> = count.numbers.values().flat_map(loss_runs).collect();
        let restarts = count.numbers.len().saturating_sub(1) as u64;
        let sequence_errors = count.gaps_opened + count.out_of_order + restarts;
        Self {
            src: plan.path.src.to_string(),
            dst: plan.path.dst.to_string(),
            ssrc: plan.ssrc,
            codec: plan.codec.name,
            clock: plan.codec.clock,
            first_ns: at(arrivals.first()),
            last_ns: at(arrivals.last()),
            packets: arrivals.len() as u64,
            unique,
            expected,
            lost,
            duplicates: count.duplicates,
            event_repeats: count.event_repeats,
            out_of_order: count.out_of_order,
            gaps_opened: count.gaps_opened,
            restarts,
            sequence_errors,
            timestamp_jumps: count.jumps,
            pauses: count.pauses,
            digits: plan.presses.iter().map(|press| press.digit).collect(),
            loss_runs: runs.len() as u64,
            longest_loss_run: runs.iter().copied().max().unwrap_or(0),
            burst_ratio: burst_ratio(lost, runs.len() as u64, expected),
            delta_ms: spread(&count.deltas),
            longest_gap_ms: count.longest_gap,
            jitter_ms: spread(&count.jitters),
            drift_ppm: plan.drift_ppm,
            has_problem: lost > 0 || sequence_errors > 0 || count.jumps > 0,
        }
    }
}

/// Lengths of the runs of numbers that are missing between others.
fn loss_runs(numbers: &BTreeSet<u64>) -> Vec<u64> {
    let steps = numbers.iter().zip(numbers.iter().skip(1)).map(|(low, high)| high - low - 1);
    steps.filter(|missing| *missing > 0).collect()
}

/// (L / b) · (1 − L / N), at least 1.
fn burst_ratio(lost: u64, runs: u64, expected: u64) -> f64 {
    if runs == 0 {
        return 1.0;
    }
    let (lost, runs, expected) = (lost as f64, runs as f64, expected as f64);
    (lost / runs * (1.0 - lost / expected)).max(1.0)
}

fn spread(values: &[f64]) -> Option<Spread> {
    let min = values.iter().copied().reduce(f64::min)?;
    let max = values.iter().copied().reduce(f64::max)?;
    Some(Spread { min, mean: values.iter().sum::<f64>() / values.len() as f64, max })
}

#[derive(Default)]
struct Count {
    numbers: BTreeMap<u32, BTreeSet<u64>>,
    duplicates: u64,
    event_repeats: u64,
    out_of_order: u64,
    gaps_opened: u64,
    jumps: u64,
    pauses: u64,
    deltas: Vec<f64>,
    longest_gap: f64,
    jitters: Vec<f64>,
    jitter: f64,
    /// The distinct packet before this one.
    before: Option<(Timestamp, Sent)>,
    /// The one with media before this one.
    media_before: Option<(Timestamp, Sent)>,
}

impl Count {
    fn take(&mut self, arrival: &Arrival) {
        let packet = arrival.packet;
        let numbers = self.numbers.entry(packet.segment).or_default();
        let highest = numbers.last().copied();
        let number = u64::from(packet.number);
        if !numbers.insert(number) {
            self.duplicates += 1;
            self.event_repeats += u64::from(matches!(packet.kind, Kind::Event(_)));
            return;
        }
        let follows = highest.is_some_and(|highest| number == highest + 1);
        if let Some(highest) = highest {
            self.out_of_order += u64::from(number < highest);
            self.gaps_opened += u64::from(number > highest + 1);
        }
        let after_noise = self.before.is_some_and(|(_, before)| before.kind == Kind::Noise);
        let is_regular = !packet.marker && packet.kind != Kind::Noise && !after_noise;
        if let Some((before, _)) = self.before {
            let delta = arrival.at.since(before).millis();
            self.longest_gap = self.longest_gap.max(delta);
            self.pauses += u64::from(delta > JUMP_MS && follows);
            if is_regular {
                self.deltas.push(delta);
            }
        }
        self.before = Some((arrival.at, packet));
        if packet.kind == Kind::Media {
            self.media(arrival, is_regular);
        }
    }

    fn media(&mut self, arrival: &Arrival, is_regular: bool) {
        let packet = arrival.packet;
        let Some((at, before)) = self.media_before.replace((arrival.at, packet)) else { return };
        if before.segment != packet.segment || before.clock != packet.clock {
            return;
        }
        let ticks = packet.timestamp.wrapping_sub(before.timestamp).cast_signed();
        let step = (arrival.at.since(at).millis() - f64::from(ticks) * 1_000.0 / f64::from(packet.clock)).abs();
        if step > JUMP_MS {
            self.jumps += 1;
            return;
        }
        self.jitter += (step - self.jitter) / 16.0;
        if is_regular {
            self.jitters.push(self.jitter);
        }
    }
}
