//! Figures of one RTP stream: loss, jitter, gaps, clock, telephone events, and what Wireshark makes of it.
//!
//! [`StreamFigures::arrive`] takes every packet in capture order. It allocates nothing (but for a telephone event that was not
//! seen before) and does no work that can wait: percentiles and rates are computed when they are asked for. Times come
//! from the packets, figures are in ms unless their name says otherwise.

use std::num::NonZeroU32;

use crate::time::{Elapsed, Timestamp};

pub mod carries;
pub mod delta;
pub mod drift;
pub mod dtmf;
pub mod histogram;
pub mod jitter;
pub mod payload_types;
pub mod sequence;
pub mod spread;
#[cfg(test)]
mod tests;
pub mod windows;
pub mod wireshark;

use carries::Carries;
use delta::Deltas;
use drift::Drift;
use dtmf::Dtmf;
use histogram::Histogram;
use jitter::{Jitter, Step};
use sequence::{Place, Sequence};
use windows::{Window, Windows};
use wireshark::{Wireshark, WiresharkFigures};

/// Extended timestamps start one round up, so that a packet from before the first has a positive one, too.
const FIRST_ROUND: i64 = 1 << 32;

/// One packet of a stream, as far as figures need it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When it was captured.
    pub at: Timestamp,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Octets of payload.
    pub payload_len: u16,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Marker bit.
    pub marker: bool,
    /// What the payload type carries.
    pub carries: Carries,
    /// The first octets of the payload, which tell a telephone event; needed of no other packet. `None` when the packet
    /// has fewer or was cut.
    pub head: Option<[u8; 4]>,
}

/// What became of a packet: all that a simulation of a listener's buffer needs beside the packet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it stands in the stream. Duplicates and strays are for no listener.
    pub place: Place,
    /// Extended sequence number: it never falls back, not even over a restart.
    pub sequence: u64,
    /// Extended RTP timestamp, in ticks of the clock. That of a duplicate or stray is that of the packet before.
    pub timestamp: i64,
    /// Whether it is media with a known clock, and not a repetition: telephone events and comfort noise are received but
    /// not played.
    pub is_played: bool,
    /// Whether the timestamp jumped against the arrival, or another clock began: what was known of the timing is void. A
    /// restart ([`Place::Restart`]) does the same.
    pub is_jump: bool,
}

/// Percentiles in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 95 of 100 values do not exceed it.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
}

/// All figures of one stream, of fixed size but for the list of its telephone events.
///
/// What every packet touches stands together at the front: with thousands of streams, cache lines are what a packet costs.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub struct StreamFigures {
    sequence: Sequence,
    jitter: Jitter,
    deltas: Deltas,
    drift: Drift,
    wireshark: Wireshark,
    timestamp: i64,
    payload_octets: u64,
    first: Timestamp,
    event_packets: u32,
    event_repeats: u32,
    is_after_noise: bool,
    windows: Windows,
    jitter_counts: Histogram,
    delta_counts: Histogram,
    dtmf: Dtmf,
}

impl StreamFigures {
    /// Takes the next packet, in capture order. Copies of a packet that the capture made are not to come here.
    #[inline]
    pub fn arrive(&mut self, arrival: &Arrival) -> Placed {
        let is_first = self.sequence.packets() == 0;
        if is_first {
            self.begin(arrival);
        }
        self.windows.reach(arrival.at, &self.sequence);
        let lost = self.sequence.lost();
        let (place, sequence) = self.sequence.place(arrival.sequence);
        if place == Place::Late && self.sequence.lost() < lost {
            self.windows.recovered(sequence);
        }
        self.wireshark.packet(arrival);
        self.payload_octets += u64::from(arrival.payload_len);
        if let Carries::TelephoneEvent { clock } = arrival.carries {
            self.event(arrival, clock, place);
        }
        let mut placed = Placed { place, sequence, timestamp: self.timestamp, is_played: false, is_jump: false };
        if place == Place::Duplicate {
            return placed;
        }
        let is_noise = arrival.carries.is_comfort_noise();
        let counts = !(is_first || arrival.marker || is_noise || self.is_after_noise);
        if !is_first {
            let delta = self.deltas.packet(arrival.at, counts, place == Place::Next);
            if counts {
                self.delta_counts.take(delta);
            }
        }
        if place == Place::Stray {
            return placed;
        }
        self.is_after_noise = is_noise;
        self.timestamp += i64::from(arrival.timestamp.wrapping_sub(self.timestamp as u32) as i32);
        placed.timestamp = self.timestamp;
        if let Carries::Media { clock } = arrival.carries {
            placed.is_played = true;
            placed.is_jump = self.media(arrival, clock, place == Place::Restart, counts);
        }
        placed
    }

    fn begin(&mut self, arrival: &Arrival) {
        self.first = arrival.at;
        self.timestamp = FIRST_ROUND + i64::from(arrival.timestamp);
        self.deltas.begin(arrival.at);
        self.windows.begin(arrival.at);
    }

    /// Jitter and clock. Whether the timing jumped.
    #[inline]
    fn media(&mut self, arrival: &Arrival, clock: NonZeroU32, begins: bool, counts: bool) -> bool {
        let had_clock = self.jitter.clock().is_some();
        match self.jitter.packet(arrival.at, arrival.timestamp, clock, begins, counts) {
            Step::Moved(jitter) => {
                self.drift.packet(arrival.at, self.timestamp, self.jitter.ms_per_tick());
                if counts {
                    self.windows.jitter(jitter as f32);
                    self.jitter_counts.take(jitter);
                }
                false
            }
            Step::Jumped => {
                self.drift.anchor(arrival.at, self.timestamp);
                true
            }
            Step::Anchored => {
                self.drift.anchor(arrival.at, self.timestamp);
                had_clock && !begins
            }
        }
    }

    fn event(&mut self, arrival: &Arrival, clock: NonZeroU32, place: Place) {
        self.event_packets = self.event_packets.saturating_add(1);
        if place == Place::Duplicate {
            self.event_repeats = self.event_repeats.saturating_add(1);
        }
        if let Some(head) = arrival.head {
            self.dtmf.packet(arrival.at, arrival.timestamp, clock, head);
        }
    }

    /// Packets, loss, duplicates, late packets, restarts.
    pub const fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// Jitter by RFC 3550.
    pub const fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// Times between packets.
    pub const fn deltas(&self) -> &Deltas {
        &self.deltas
    }

    /// Skew, and the rate of the sender's clock.
    pub const fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Keys pressed.
    pub const fn dtmf(&self) -> &Dtmf {
        &self.dtmf
    }

    /// Windows and bars.
    pub const fn windows(&self) -> &Windows {
        &self.windows
    }

    /// What Wireshark shows.
    pub fn wireshark(&self) -> WiresharkFigures {
        self.wireshark.figures()
    }

    /// Octets of payload, repetitions included.
    pub const fn payload_octets(&self) -> u64 {
        self.payload_octets
    }

    /// When the first packet came.
    pub const fn first(&self) -> Timestamp {
        self.first
    }

    /// When the newest packet came that was no duplicate.
    pub const fn last(&self) -> Timestamp {
        self.deltas.last()
    }

    /// From the first packet to the newest; not negative.
    pub fn duration(&self) -> Elapsed {
        self.last().since(self.first).max(Elapsed::ZERO)
    }

    /// Packets of telephone events, repetitions included.
    pub const fn event_packets(&self) -> u32 {
        self.event_packets
    }

    /// Packets of telephone events that repeat another's sequence number: some senders send first and last ones three times.
    /// They are among the duplicates.
    pub const fn event_repeats(&self) -> u32 {
        self.event_repeats
    }

    /// Whether something is wrong: loss, an error of the sequence, or a timestamp that jumped. Repeated events and pauses
    /// are not.
    pub const fn has_problem(&self) -> bool {
        self.sequence.lost() > 0 || self.sequence.errors() > 0 || self.jitter.jumps() > 0
    }

    /// Percentiles of the jitter, to 6 %. `None` when none was measured.
    pub fn jitter_percentiles(&self) -> Option<Percentiles> {
        percentiles(&self.jitter_counts, self.jitter.taken())
    }

    /// Percentiles of the time between packets, to 6 %.
    pub fn delta_percentiles(&self) -> Option<Percentiles> {
        percentiles(&self.delta_counts, self.deltas.taken())
    }

    /// How often each jitter was measured.
    pub const fn jitter_histogram(&self) -> &Histogram {
        &self.jitter_counts
    }

    /// How often each time between packets was measured.
    pub const fn delta_histogram(&self) -> &Histogram {
        &self.delta_counts
    }

    /// The clock that the sender's media runs at in Hz: the nominal rate and its measured error.
    pub fn frequency(&self) -> Option<f64> {
        Some(f64::from(self.jitter.clock()?.get()) * (1.0 + self.drift.ppm()? / 1e6))
    }

    /// Windows that say something: those that ended, and the running one if it is long enough.
    pub fn judged_windows(&self) -> impl Iterator<Item = Window> + '_ {
        let running = self.windows.running(&self.sequence);
        let judged = self.windows.running_counts(self.first, self.last(), &self.sequence).then_some(running);
        self.windows.closed().iter().copied().filter(Window::counts).chain(judged)
    }

    /// Bytes that the stream takes beside its own size.
    pub const fn memory(&self) -> usize {
        self.dtmf.memory()
    }
}

/// Ms of a time, by one multiplication: a division for each figure would cost more than the rest of them.
#[inline]
fn ms(time: Elapsed) -> f64 {
    time.nanos() as f64 * 1e-6
}

fn percentiles(counts: &Histogram, ends: &spread::Spread) -> Option<Percentiles> {
    let (min, max) = (ends.min()?, ends.max()?);
    let at = |share| counts.percentile(share, min, max);
    Some(Percentiles { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
}
