//! Datagrams of RTCP on two flows: each is a byte (flow and time), a byte of length in words, what the snap length cut off,
//! and its octets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{RTCP_KEPT_BLOCKS, RTCP_KEPT_METRICS, RTCP_PACKETS, RTCP_XR_BLOCKS};
use sipwatch::packet::{Endpoint, FlowKey};
use sipwatch::rtp::round_trip::RoundTrips;
use sipwatch::rtp::rtcp::{Compound, Packet, Reading, Summary, looks_like_rtcp};
use sipwatch::time::Timestamp;

fn flow(is_back: bool) -> FlowKey {
    let (src, dst) = (Endpoint::new([10, 0, 0, 1].into(), 4_001), Endpoint::new([10, 0, 0, 2].into(), 4_001));
    if is_back { FlowKey { src: dst, dst: src } } else { FlowKey { src, dst } }
}

fuzz_target!(|input: &[u8]| {
    let (mut rest, mut now) = (input, 0_i64);
    let mut trips = RoundTrips::default();
    while let [how, length, cut, tail @ ..] = rest {
        let (bytes, next) = tail.split_at((usize::from(*length) * 4 + usize::from(how & 3)).min(tail.len()));
        rest = next;
        now += i64::from(how >> 3) * 1_000_000;
        let wire_len = bytes.len() + usize::from(*cut);
        let compound = Compound::parse(bytes, wire_len);
        assert!(compound.is_none() || looks_like_rtcp(bytes, wire_len));
        let Some(compound) = compound else { continue };
        assert!(read(&compound) <= RTCP_PACKETS);
        let summary = Summary::of(&compound);
        assert!(summary.blocks.len() <= RTCP_KEPT_BLOCKS && summary.references.len() <= RTCP_KEPT_BLOCKS);
        assert!(summary.goodbye.len() <= RTCP_KEPT_BLOCKS && summary.metrics.len() <= RTCP_KEPT_METRICS);
        assert!(*cut == 0 || summary.reading == Reading::Cut);
        if summary.reading.is_closed() {
            assert!(summary.blocks.is_empty() && summary.sent.is_none() && summary.references.is_empty());
        }
        for trip in trips.take(flow(how & 4 != 0), Timestamp::from_nanos(now), &summary.references) {
            assert!((0..=now).contains(&trip.part.nanos()));
        }
    }
});

/// Reads everything that can be read; gives how many packets there were.
fn read(compound: &Compound<'_>) -> usize {
    let mut count = 0;
    for packet in compound.packets() {
        count += 1;
        match packet {
            Packet::SenderReport(report) => assert!(report.blocks.count() <= 31),
            Packet::ReceiverReport(report) => assert!(report.blocks.count() <= 31),
            Packet::SourceDescription(description) => {
                for chunk in description.chunks() {
                    assert!(chunk.items().all(|(kind, text)| kind != 0 && text.len() <= 255));
                    assert!(chunk.cname().is_none_or(|name| !name.is_empty()));
                }
                assert!(description.chunks().count() <= 31);
            }
            Packet::Goodbye(goodbye) => {
                assert!(goodbye.sources().count() <= 31 && goodbye.reason.is_none_or(|reason| !reason.is_empty()));
            }
            Packet::Application(application) => assert!(application.subtype < 32),
            Packet::Extended(report) => assert!(report.blocks().count() <= RTCP_XR_BLOCKS),
            Packet::Other { packet_type, format, .. } => assert!((192..=223).contains(&packet_type) && format < 32),
        }
    }
    count
}
