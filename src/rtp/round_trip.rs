//! Round trips as RTCP gives them (RFC 3550, 6.4.1, and DLRR of RFC 3611, 4.5), measured where we capture.
//!
//! A report that goes by at t₁ and is quoted in one that comes back at t₂ makes t₂ − t₁ − (how long the far end kept it):
//! the way from here to that end and back, and no more. The whole round trip between two ends is the sum of the two
//! parts, one for each direction, and the parts tell where the delay is. Nobody's clock matters but ours.

use foldhash::fast::RandomState;
use lru::LruCache;
use smallvec::SmallVec;

use super::rtcp::Reference;
use crate::limits::{ROUND_TRIP_FLOWS, ROUND_TRIP_REPORTS};
use crate::packet::FlowKey;
use crate::time::{Elapsed, Timestamp};

/// The newest reports that went by on one flow: what may be quoted soon. Fixed size.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentReports {
    middles: [u32; ROUND_TRIP_REPORTS],
    at: [Timestamp; ROUND_TRIP_REPORTS],
    seen: u32,
}

impl SentReports {
    /// A sender report or receiver reference time with this middle of its NTP time was captured.
    pub fn remember(&mut self, middle: u32, at: Timestamp) {
        let slot = self.seen as usize % ROUND_TRIP_REPORTS;
        if let (Some(kept), Some(time)) = (self.middles.get_mut(slot), self.at.get_mut(slot)) {
            (*kept, *time) = (middle, at);
        }
        // Beyond a full ring only the place in it matters.
        self.seen =
            if self.seen as usize == 2 * ROUND_TRIP_REPORTS - 1 { ROUND_TRIP_REPORTS as u32 } else { self.seen + 1 };
    }

    /// When the report with this middle was captured; of several the newest.
    pub fn captured_at(&self, middle: u32) -> Option<Timestamp> {
        let known = self.middles.iter().zip(&self.at).take(self.seen as usize);
        known.filter(|(kept, _)| **kept == middle).map(|(_, at)| *at).max()
    }

    /// The part of the round trip that a quote captured at `at` gives; `delay_since` in 1/65,536 s. `None` when the
    /// report was not captured or is forgotten, and when the result is negative: then an end or our clock errs.
    pub fn part(&self, middle: u32, delay_since: u32, at: Timestamp) -> Option<Elapsed> {
        let kept = (i64::from(delay_since) * 1_000_000_000) >> 16;
        let nanos = at.since(self.captured_at(middle)?).nanos() - kept;
        (nanos >= 0).then(|| Elapsed::from_nanos(nanos))
    }
}

/// What was measured of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartFigures {
    /// Measurements.
    pub count: u32,
    /// The last one.
    pub last: Elapsed,
    /// When it was captured.
    pub last_at: Timestamp,
    /// The smallest.
    pub min: Elapsed,
    /// The largest.
    pub max: Elapsed,
    sum: i64,
}

impl PartFigures {
    /// Takes a measurement.
    pub fn add(&mut self, part: Elapsed, at: Timestamp) {
        self.min = if self.count == 0 { part } else { self.min.min(part) };
        self.max = self.max.max(part);
        (self.last, self.last_at) = (part, at);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(part.nanos());
    }

    /// The plain mean; `None` without a measurement.
    pub fn mean(&self) -> Option<Elapsed> {
        self.sum.checked_div(self.count.into()).map(Elapsed::from_nanos)
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrip {
    /// The SSRC at the far end of the part.
    pub reporter: u32,
    /// The SSRC whose report it quoted.
    pub source: u32,
    /// From the place of capture to the reporter and back.
    pub part: Elapsed,
}

/// The measurements of one datagram.
pub type Measured = SmallVec<[RoundTrip; 2]>;

#[derive(Debug, Default)]
struct Flow {
    sent: SentReports,
    part: PartFigures,
}

/// The parts of all flows; [`ROUND_TRIP_FLOWS`] are remembered, the one silent longest is forgotten first.
#[derive(Debug)]
pub struct RoundTrips {
    flows: LruCache<FlowKey, Flow, RandomState>,
}

impl Default for RoundTrips {
    fn default() -> Self {
        Self { flows: LruCache::unbounded_with_hasher(RandomState::default()) }
    }
}

impl RoundTrips {
    /// Takes what a datagram of RTCP quotes and gives to quote ([`super::rtcp::Summary::references`]); `flow` is its own.
    ///
    /// A quote counts only for a report of the reversed flow: a relayed report has the same NTP time on another flow, but
    /// went by at another time.
    pub fn take(&mut self, flow: FlowKey, at: Timestamp, references: &[Reference]) -> Measured {
        let mut measured = Measured::new();
        if references.is_empty() {
            return measured;
        }
        let back = self.flows.peek(&reversed(flow)).map(|other| other.sent).unwrap_or_default();
        let own = self.flows.get_or_insert_mut(flow, Flow::default);
        for reference in references {
            match *reference {
                Reference::Sent { middle } => own.sent.remember(middle, at),
                Reference::Quoted { reporter, source, middle, delay_since } => {
                    if let Some(part) = back.part(middle, delay_since, at) {
                        own.part.add(part, at);
                        measured.push(RoundTrip { reporter, source, part });
                    }
                }
            }
        }
        if self.flows.len() > ROUND_TRIP_FLOWS {
            self.flows.pop_lru();
        }
        measured
    }

    /// The part between the place of capture and the sender of this flow.
    pub fn part(&self, flow: FlowKey) -> Option<&PartFigures> {
        self.flows.peek(&flow).map(|own| &own.part).filter(|part| part.count > 0)
    }

    /// The whole round trip between the two ends of this flow: the last measurement of either part, added. `None` until
    /// both are known.
    pub fn whole(&self, flow: FlowKey) -> Option<Elapsed> {
        let (near, far) = (self.part(flow)?, self.part(reversed(flow))?);
        Some(Elapsed::from_nanos(near.last.nanos().saturating_add(far.last.nanos())))
    }

    /// Flows remembered.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }
}

const fn reversed(flow: FlowKey) -> FlowKey {
    FlowKey { src: flow.dst, dst: flow.src }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Endpoint;

    fn flow(from: u8, to: u8) -> FlowKey {
        let end = |last| Endpoint::new([192, 0, 2, last].into(), 4_001);
        FlowKey { src: end(from), dst: end(to) }
    }

    fn ms(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn sent(middle: u32) -> [Reference; 1] {
        [Reference::Sent { middle }]
    }

    /// Half a second is 32,768 units.
    fn quoted(middle: u32) -> [Reference; 1] {
        [Reference::Quoted { reporter: 2, source: 1, middle, delay_since: 32_768 }]
    }

    #[test]
    fn the_parts_of_both_directions_make_the_whole() {
        let mut trips = RoundTrips::default();
        assert!(trips.take(flow(1, 2), ms(0), &sent(7)).is_empty());
        let measured = trips.take(flow(2, 1), ms(540), &[quoted(7)[0], sent(9)[0]]);
        let part = Elapsed::from_millis(40);
        assert_eq!(measured.as_slice(), [RoundTrip { reporter: 2, source: 1, part }]);
        assert_eq!((trips.part(flow(1, 2)), trips.whole(flow(1, 2))), (None, None));
        trips.take(flow(1, 2), ms(1_043), &quoted(9));
        assert_eq!(trips.part(flow(1, 2)).unwrap().last, Elapsed::from_millis(3));
        assert_eq!(trips.whole(flow(1, 2)), Some(Elapsed::from_millis(43)));
        assert_eq!(trips.whole(flow(2, 1)), Some(Elapsed::from_millis(43)));
    }

    #[test]
    fn a_relayed_report_a_negative_result_and_an_unknown_report_give_nothing() {
        let mut trips = RoundTrips::default();
        trips.take(flow(1, 2), ms(0), &sent(7));
        trips.take(flow(2, 3), ms(1), &sent(7));
        assert_eq!(trips.take(flow(3, 2), ms(521), &quoted(7))[0].part, Elapsed::from_millis(20));
        assert!(trips.take(flow(2, 1), ms(499), &quoted(7)).is_empty(), "kept longer than it took");
        assert!(trips.take(flow(2, 1), ms(600), &quoted(8)).is_empty());
        assert!(trips.take(flow(1, 3), ms(600), &quoted(7)).is_empty(), "3 sent nothing to 1");
    }

    #[test]
    fn old_reports_and_silent_flows_are_forgotten() {
        let mut reports = SentReports::default();
        assert_eq!(reports.captured_at(0), None, "an empty slot is no report");
        for n in 0..100 {
            reports.remember(n, ms(n.into()));
        }
        let known: Vec<u32> = (0..100).filter(|n| reports.captured_at(*n).is_some()).collect();
        assert_eq!(known, (100 - ROUND_TRIP_REPORTS as u32..100).collect::<Vec<_>>());
        let mut trips = RoundTrips::default();
        for n in 0..=ROUND_TRIP_FLOWS {
            let [a, b, c, d] = (n as u32).to_be_bytes();
            let src = Endpoint::new([10 | a, b, c, d].into(), 1);
            trips.take(FlowKey { src, ..flow(1, 2) }, ms(0), &sent(1));
        }
        assert_eq!(trips.len(), ROUND_TRIP_FLOWS);
    }

    #[test]
    fn figures_keep_extremes_and_mean() {
        let mut figures = PartFigures::default();
        assert_eq!(figures.mean(), None);
        for millis in [20, 10, 60] {
            figures.add(Elapsed::from_millis(millis), ms(millis));
        }
        let shown = (figures.count, figures.min, figures.max, figures.last, figures.mean());
        let e = Elapsed::from_millis;
        assert_eq!(shown, (3, e(10), e(60), e(60), Some(e(30))));
    }

    /// Times, NTP words and delays of packets 1308 to 1833 of Forensic_challenge_4.pcap as tshark prints them; it says
    /// 65 ms at packet 1694, and 12 ms at 1833, where it cuts the delay to whole ms before it subtracts.
    #[test]
    fn a_real_call_has_the_round_trips_that_tshark_says() {
        let at = |micros: i64| Timestamp::from_parts(1_272_737_780, micros * 1_000);
        let middle = |msw: u32, lsw: u32| Reference::Sent { middle: msw << 16 | lsw >> 16 };
        let quoted = |middle, delay_since| Reference::Quoted { reporter: 3, source: 40, middle, delay_since };
        let (out, back) = (flow(40, 3), flow(3, 40));
        let mut trips = RoundTrips::default();
        trips.take(back, at(5_313_065), &[middle(3_481_726_558, 1_438_814_044)]);
        let first = [middle(3_481_726_585, 2_350_696_527), quoted(3_999_159_746, 134_348)];
        let near = trips.take(out, at(7_363_288), &first);
        let second = [middle(3_481_726_561, 1_498_943_586), quoted(4_000_943_132, 63_176)];
        let far = trips.take(back, at(8_392_142), &second);
        let third = trips.take(back, at(11_347_051), &[quoted(4_000_943_132, 260_374)]);
        assert_eq!(far[0].part.nanos() / 1_000, 64_864);
        assert_eq!(third[0].part.nanos() / 1_000, 10_771);
        assert!(near[0].part.millis() < 1.0);
    }
}
