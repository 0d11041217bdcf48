//! RTCP of real and made captures, read straight from their packets.

use sipwatch::packet::{Endpoint, FlowKey};
use sipwatch::rtp::round_trip::RoundTrips;
use sipwatch::rtp::rtcp::{Reading, Summary};
use sipwatch::time::Timestamp;

use super::*;

/// All RTCP of a capture of Ethernet and IPv4: packet number, time, flow, content.
fn reports(path: &Path) -> Vec<(u64, Timestamp, FlowKey, Summary)> {
    let mut out = Vec::new();
    let mut sink = |batch: &mut Batch| {
        for packet in batch.iter() {
            let read =
                udp(packet.data).and_then(|(flow, payload)| Some((flow, Summary::read(payload, payload.len())?)));
            out.extend(read.map(|(flow, summary)| (packet.meta.id.number(), packet.meta.at, flow, summary)));
        }
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(FileSource::open(&[path.display().to_string()]).unwrap()).run(&mut sink).unwrap();
    out
}

fn udp(frame: &[u8]) -> Option<(FlowKey, &[u8])> {
    let ip = frame.get(14..).filter(|ip| ip.len() > 28 && ip[0] >> 4 == 4 && ip[9] == 17)?;
    let header = usize::from(ip[0] & 15) * 4;
    let udp = ip.get(header..usize::from(u16::from_be_bytes([ip[2], ip[3]])))?;
    let address = |at: usize| <[u8; 4]>::try_from(&ip[at..at + 4]).unwrap();
    let port = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    let (src, dst) = (Endpoint::new(address(12).into(), port(0)), Endpoint::new(address(16).into(), port(2)));
    Some((FlowKey { src, dst }, udp.get(8..)?))
}

/// tshark gives whole ms, cut once or twice, and shows none below 10 ms; it says 65 at packet 1694.
#[test]
fn round_trips_of_a_real_call_are_those_that_tshark_gives() {
    let Some(corpus) = corpus() else { return };
    let told =
        [(1_694, 65.0), (1_833, 12.0), (2_105, 11.0), (3_290, 13.0), (3_594, 39.0), (3_893, 56.0), (4_140, 47.0)];
    let (mut trips, mut found) = (RoundTrips::default(), Vec::new());
    for (number, at, flow, summary) in reports(&corpus.join("Forensic_challenge_4.pcap")) {
        let measured = trips.take(flow, at, &summary.references);
        found.extend(measured.iter().map(|trip| (number, trip.part.millis())).filter(|(_, millis)| *millis >= 9.0));
    }
    assert_eq!(found.len(), told.len(), "{found:?}");
    for ((number, millis), (wanted, truth)) in found.iter().zip(told) {
        assert!(*number == wanted && (millis - truth).abs() < 1.5, "{number}: {millis} is not {truth}");
    }
    assert_eq!(found[0].1.round(), 65.0);
}

#[test]
fn every_report_of_the_corpus_is_read_and_the_made_one_says_what_was_put_in() {
    let Some(corpus) = corpus() else { return };
    let made = reports(&corpus.join("synthetic/rtcpmux.pcap"));
    assert_eq!(made.len(), 4);
    for (_, _, _, summary) in &made {
        let block = summary.blocks[0];
        let shown = (block.fraction_lost, block.cumulative_lost, block.highest_sequence, block.jitter);
        assert_eq!((shown, block.jitter_ms(8_000)), ((25, 7, 1_200, 80), Some(10.0)));
    }
    // As many as tshark finds, and in sip.pcapng 531 and 2646, which relay 529 and 2644 on a flow that tshark does not know.
    // These four lack the last two octets that they tell of.
    let told = [
        ("Forensic_challenge_4.pcap", 21, 0),
        ("voip-extension2downata.pcap", 3, 0),
        ("aaa.pcap", 1, 0),
        ("RTP-Protocol.pcap", 2, 0),
        ("SIP-Call-Flow-Over-TCP.pcap", 2, 0),
        ("sip.pcapng", 28, 4),
    ];
    for (name, count, short) in told {
        let all = reports(&corpus.join(name));
        let with = |reading| all.iter().filter(|(_, _, _, summary)| summary.reading == reading).count();
        assert_eq!((name, with(Reading::Plain), with(Reading::Damaged)), (name, count - short, short));
        assert_eq!(all.len(), count);
    }
}
