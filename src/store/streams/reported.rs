//! What others say about streams: receivers in RTCP, phones in voice quality reports.

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Streams;
use crate::event::RtcpSeen;
use crate::packet::{Endpoint, FlowKey};
use crate::rtp::vq_report::{VqAddress, VqMetrics, VqReport};
use crate::time::Timestamp;
use crate::track::stream::{PhoneSays, ReceiverSays, Reported, StreamKey};

/// Slots of the streams that something is said about.
type Slots = SmallVec<[u32; 2]>;

impl Streams {
    /// Notes what a datagram of RTCP says about the streams that its sender receives, and the round trip.
    pub fn rtcp(&mut self, seen: &RtcpSeen) {
        let (flow, report) = (seen.flow, &seen.report);
        let measured = self.round_trips.take(flow, seen.at, &report.references);
        if report.reading.is_closed() {
            let sent = self.slots(report.sender, |stream| stream.src.ip == flow.src.ip);
            self.note(&sent, |reported| reported.is_encrypted = true);
            return;
        }
        for block in &report.blocks {
            let says = ReceiverSays {
                at: seen.at,
                by: flow.src,
                lost_percent: block.lost_percent(),
                lost: block.cumulative_lost,
                highest_sequence: block.highest_sequence,
                jitter: block.jitter,
            };
            let slots = self.received(block.source, flow);
            self.note(&slots, |reported| reported.receiver = Some(says));
        }
        for metrics in &report.metrics {
            let slots = self.received(metrics.source, flow);
            self.note(&slots, |reported| reported.metrics = Some(*metrics));
        }
        let whole = self.round_trips.whole(flow);
        for trip in measured {
            let received = self.received(trip.source, flow);
            self.note(&received, |reported| {
                reported.receiver_part = Some(trip.part);
                reported.round_trip = whole.or(reported.round_trip);
            });
            let sent = self.slots(trip.reporter, |stream| stream.src.ip == flow.src.ip);
            self.note(&sent, |reported| {
                reported.sender_part = Some(trip.part);
                reported.round_trip = whole.or(reported.round_trip);
            });
        }
    }

    /// Notes what a phone says about what it received, and what it was told that the other end received. The streams of the
    /// call that it names come first.
    pub fn phone_report(&mut self, report: &VqReport, at: Timestamp, by: Endpoint, of_call: &[StreamKey]) {
        let (local, remote) = (report.local_address.as_ref(), report.remote_address.as_ref());
        let sides = [(Some(&report.local), remote, local), (report.remote.as_ref(), local, remote)];
        for (metrics, sender, receiver) in sides {
            let Some(metrics) = metrics.filter(|metrics| says_anything(metrics)) else { continue };
            let slots = self.reported_on(sender, receiver, of_call);
            let says = PhoneSays {
                at,
                by,
                lost_percent: metrics.loss_percent,
                discard_percent: metrics.discard_percent,
                jitter_ms: metrics.jitter_ms,
                round_trip_ms: metrics.round_trip_ms,
                mos_lq: metrics.mos_lq,
                mos_cq: metrics.mos_cq,
            };
            self.note(&slots, |reported| reported.phone = Some(says));
        }
    }

    /// The stream with this SSRC that the sender of a flow of RTCP receives: between the same ports or those below them. Where NAT
    /// or another port stands between, one between the same hosts, or from or to one of them, if there is only one.
    fn received(&self, ssrc: u32, flow: FlowKey) -> Slots {
        let is_beside = |media: u16, rtcp: u16| media == rtcp || media.checked_add(1) == Some(rtcp);
        let receives = |stream: &FlowKey| stream.dst.ip == flow.src.ip && is_beside(stream.dst.port, flow.src.port);
        let sends = |stream: &FlowKey| stream.src.ip == flow.dst.ip && is_beside(stream.src.port, flow.dst.port);
        let exact = self.slots(ssrc, |stream| receives(stream) && sends(stream));
        if !exact.is_empty() {
            return exact;
        }
        let on_hosts = |stream: &FlowKey| stream.dst.ip == flow.src.ip && stream.src.ip == flow.dst.ip;
        let only = |slots: Slots| (slots.len() == 1).then_some(slots);
        only(self.slots(ssrc, |stream| receives(stream) || sends(stream)))
            .or_else(|| only(self.slots(ssrc, on_hosts)))
            .or_else(|| only(self.slots(ssrc, |stream| stream.dst.ip == flow.src.ip || stream.src.ip == flow.dst.ip)))
            .unwrap_or_default()
    }

    /// The stream from one end of a report to the other: by SSRC, else by where it goes.
    fn reported_on(&self, sender: Option<&VqAddress>, receiver: Option<&VqAddress>, of_call: &[StreamKey]) -> Slots {
        let ip: Option<IpAddr> = receiver.and_then(|address| address.ip);
        let by_ssrc = sender.and_then(|address| address.ssrc).map(|ssrc| {
            let goes_there = self.slots(ssrc, |stream| ip.is_none_or(|ip| stream.dst.ip == ip));
            if goes_there.is_empty() { self.slots(ssrc, |_| true) } else { goes_there }
        });
        if let Some(slots) = by_ssrc.filter(|slots| !slots.is_empty()) {
            return slots;
        }
        let port = receiver.and_then(|address| address.port);
        let streams = of_call.iter().filter_map(|key| self.rows.get(key.0));
        streams
            .filter(|stream| Some(stream.flow.dst.ip) == ip && port.is_none_or(|port| stream.flow.dst.port == port))
            .flat_map(|stream| self.slots(stream.ssrc, |flow| *flow == stream.flow))
            .collect()
    }

    fn slots(&self, ssrc: u32, fits: impl Fn(&FlowKey) -> bool) -> Slots {
        let known = self.by_ssrc.get(&ssrc).into_iter().flatten().copied();
        known.filter(|slot| self.counters.get(*slot as usize).is_some_and(|counter| fits(&counter.id.0))).collect()
    }

    fn note(&mut self, slots: &[u32], says: impl Fn(&mut Reported)) {
        for slot in slots {
            let Some(counter) = self.counters.get_mut(*slot as usize) else { continue };
            says(Arc::make_mut(counter.reported.get_or_insert_default()));
            if !counter.is_dirty {
                counter.is_dirty = true;
                self.dirty.push(*slot);
            }
        }
    }
}

fn says_anything(metrics: &VqMetrics) -> bool {
    let figures = [metrics.loss_percent, metrics.discard_percent, metrics.jitter_ms, metrics.mos_lq, metrics.mos_cq];
    figures.iter().any(Option::is_some)
}
