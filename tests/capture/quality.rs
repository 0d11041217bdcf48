//! Figures of the RTP streams of real captures: Wireshark's against tshark and sharkd, ours against what the RFCs give.
//!
//! `SIPWATCH_CORPUS` names the folder with `truth.json`; without it these tests are skipped and say so.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its corpus has failed")]

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sipwatch::capture::Source;
use sipwatch::capture::file::FileSource;
use sipwatch::net::transport::{Carried, carried};
use sipwatch::net::{Opened, open};
use sipwatch::packet::{Batch, FlowKey, Packet};
use sipwatch::rtp::classify::{Media, classify};
use sipwatch::rtp::figures::carries::Carries;
use sipwatch::rtp::figures::{Arrival, StreamFigures};
use sipwatch::sdp::payload_type::static_payload_type;

/// Dynamic payload types, as the SDP of the captures names them.
const DYNAMIC: &[(&str, u8, &str, u32)] = &[
    ("Forensic_challenge_4.pcap", 101, "telephone-event", 8_000),
    ("register-invite-reinvite-bye.pcap", 96, "opus", 48_000),
    ("sip-flow-private.pcapng", 124, "opus", 48_000),
    ("sip-rtp-opus-hybrid.pcap", 99, "opus", 48_000),
    ("SIP_DTMF2.cap", 96, "telephone-event", 8_000),
];

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("SIPWATCH_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: SIPWATCH_CORPUS is not set");
    }
    folder
}

type Streams = HashMap<(FlowKey, u32), StreamFigures>;

fn carries(capture: &str, payload_type: u8) -> Carries {
    let dynamic = DYNAMIC.iter().find(|row| row.0 == capture && row.1 == payload_type);
    let named = dynamic.map(|row| (row.2, row.3)).or_else(|| static_payload_type(payload_type));
    Carries::named(named.map(|(name, _)| name), named.map(|(_, rate)| rate))
}

fn count(streams: &mut Streams, capture: &str, packet: &Packet<'_>) {
    let Ok(Opened::Ip(frame)) = open(packet.meta.link, packet.data) else { return };
    let Ok(Carried::Udp(segment)) = carried(&frame) else { return };
    let Some(Media::Rtp(header)) = classify(segment.payload, segment.wire_len) else { return };
    let arrival = Arrival {
        at: packet.meta.at,
        timestamp: header.timestamp,
        sequence: header.sequence,
        payload_len: header.payload_len,
        payload_type: header.payload_type,
        marker: header.marker,
        carries: carries(capture, header.payload_type),
        head: header.payload(segment.payload).first_chunk().copied(),
    };
    streams.entry((segment.flow, header.ssrc)).or_default().arrive(&arrival);
}

/// All streams of a capture.
fn streams(folder: &Path, capture: &str) -> Streams {
    let mut streams = Streams::new();
    let mut sink = |batch: &mut Batch| {
        for packet in batch.iter() {
            count(&mut streams, capture, &packet);
        }
        batch.clear();
        ControlFlow::Continue(())
    };
    let path = folder.join(capture).display().to_string();
    Box::new(FileSource::open(&[path]).unwrap()).run(&mut sink).unwrap();
    streams
}

/// The stream of a capture with this SSRC; of several, the one from the highest source: what a relay sends on has the SSRC
/// of what came in.
fn stream(folder: &Path, capture: &str, ssrc: u32) -> StreamFigures {
    let found = streams(folder, capture).into_iter().filter(|((_, of), _)| *of == ssrc);
    found.max_by_key(|((flow, _), _)| flow.src).unwrap().1
}

/// A stream of `truth.json`, by source port, destination port and SSRC.
fn key(stream: &Value) -> (String, u64, String, u64, u32) {
    let ssrc = stream["ssrc"].as_str().unwrap();
    (
        stream["src"].as_str().unwrap().to_owned(),
        stream["sport"].as_u64().unwrap(),
        stream["dst"].as_str().unwrap().to_owned(),
        stream["dport"].as_u64().unwrap(),
        u32::from_str_radix(ssrc.trim_start_matches("0x"), 16).unwrap(),
    )
}

#[test]
fn wiresharks_figures_of_every_stream_equal_tsharks() {
    let Some(folder) = corpus() else { return };
    let truth: Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (name, capture) in truth["captures"].as_object().unwrap() {
        let listed = ["rtp_streams", "rtp_streams_heuristic"].map(|list| capture[list].as_array());
        if listed.iter().flatten().all(|list| list.is_empty()) {
            continue;
        }
        let ours: HashMap<_, _> = streams(&folder, name)
            .into_iter()
            .map(|((flow, ssrc), figures)| {
                let (src, dst) = (flow.src, flow.dst);
                let key = (src.ip.to_string(), u64::from(src.port), dst.ip.to_string(), u64::from(dst.port), ssrc);
                (key, figures)
            })
            .collect();
        for expected in listed.into_iter().flatten().flatten() {
            let Some(figures) = ours.get(&key(expected)) else {
                wrong.push(format!("{name}: no stream {}", expected["ssrc"]));
                continue;
            };
            compared += 1;
            wrong.extend(differences(figures, expected).map(|what| format!("{name} {}: {what}", expected["ssrc"])));
        }
    }
    println!("{compared} streams compared");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(compared > 40, "{compared}");
}

/// What differs between our computation of Wireshark's figures and the truth, by more than 0.001 ms.
fn differences(figures: &StreamFigures, expected: &Value) -> impl Iterator<Item = String> {
    let ours = figures.wireshark();
    let numbers = [
        ("packets", ours.packets as f64, 0.0),
        ("lost", ours.lost as f64, 0.0),
        ("lost_pct", ours.lost_percent, 0.05),
        ("seq_err", f64::from(ours.sequence_errors), 0.0),
        ("problem", f64::from(u8::from(ours.problem)), 0.0),
        ("min_delta_ms", ours.min_delta, 0.001),
        ("mean_delta_ms", ours.mean_delta, 0.001),
        ("max_delta_ms", ours.max_delta, 0.001),
        ("min_jitter_ms", ours.min_jitter, 0.001),
        ("mean_jitter_ms", ours.mean_jitter, 0.001),
        ("max_jitter_ms", ours.max_jitter, 0.001),
        ("max_skew_ms", ours.max_skew, 0.001),
        ("max_delta_ms_6", ours.max_delta, 0.000_001),
        ("mean_jitter_ms_6", ours.mean_jitter, 0.000_001),
        ("max_jitter_ms_6", ours.max_jitter, 0.000_001),
    ];
    numbers.into_iter().filter_map(|(what, ours, tolerance)| {
        let value = expected.get(what)?;
        let right = value.as_f64().or_else(|| value.as_bool().map(|is| f64::from(u8::from(is)))).unwrap();
        // The truth is rounded itself.
        ((ours - right).abs() > tolerance * 1.000_1).then(|| format!("{what} is {ours}, tshark says {right}"))
    })
}

/// Minimum, mean and maximum to three decimals, `-` where there is nothing.
fn three(spread: &sipwatch::rtp::figures::spread::Spread) -> String {
    let text = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.3}"));
    [spread.min(), spread.mean(), spread.max()].map(text).join("/")
}

fn counts(figures: &StreamFigures) -> (u64, u64, u64, u32) {
    let sequence = figures.sequence();
    (sequence.packets(), sequence.expected(), sequence.lost(), sequence.duplicates())
}

#[test]
fn repeated_event_packets_hide_no_loss() {
    // Wireshark: lost -30, 71 sequence errors, jitter up to 122.240: first and last packets of events come three times under
    // one number, and an event has no timing of its own.
    let Some(folder) = corpus() else { return };
    let figures = stream(&folder, "Forensic_challenge_4.pcap", 0xA254_E017);
    assert_eq!(counts(&figures), (1_811, 1_781, 30, 60));
    assert_eq!(figures.jitter().jumps(), 1);
    let jitter = figures.jitter().taken();
    assert_eq!(
        (format!("{:.3}", jitter.mean().unwrap()), format!("{:.3}", jitter.max().unwrap())),
        ("10.545".into(), "71.990".into())
    );
    assert_eq!(figures.dtmf().keys(), "2255#4125#4321#");
    assert_eq!((figures.event_packets(), figures.event_repeats()), (125, 60));
}

#[test]
fn voice_and_events_are_one_stream() {
    // Wireshark: jitter up to 15.767, since the packet after an event is compared with the one before it in the wrong way.
    let Some(folder) = corpus() else { return };
    let figures = stream(&folder, "SIP_DTMF2.cap", 0x5711_BF84);
    assert_eq!(counts(&figures), (666, 666, 0, 0));
    assert_eq!(three(figures.jitter().taken()), "0.002/0.009/0.015");
    assert_eq!(figures.dtmf().keys(), "6789123");
    assert!(!figures.has_problem());
    let back = stream(&folder, "SIP_DTMF2.cap", 0x9A7B_5382);
    assert_eq!(counts(&back), (665, 667, 2, 0));
    assert_eq!(three(back.jitter().taken()), "0.003/0.010/0.019");
    assert!(back.has_problem());
}

#[test]
fn comfort_noise_has_no_jitter() {
    // Wireshark: 0.414/2.304/3.063, with the noise in its filter.
    let Some(folder) = corpus() else { return };
    let figures = stream(&folder, "SIP-Call-Flow-Over-TCP.pcap", 0x42F4_33D4);
    assert_eq!(three(figures.jitter().taken()), "0.414/2.296/2.971");
    assert!(!figures.has_problem());
}

#[test]
fn silence_is_a_gap_and_no_fault() {
    // Wireshark's greatest delta is 5843.742 here.
    let Some(folder) = corpus() else { return };
    let figures = stream(&folder, "sip.pcapng", 0xD2BD_4E3E);
    assert_eq!(figures.sequence().lost(), 0);
    assert!(!figures.has_problem());
    assert!(figures.deltas().longest_gap().0.millis() >= 5_843.742);
    assert!(figures.deltas().pauses() > 0);
    assert_eq!(format!("{:.3}", figures.jitter().taken().max().unwrap()), "7.407");
}

#[test]
fn another_ssrc_is_another_stream() {
    let Some(folder) = corpus() else { return };
    let streams = streams(&folder, "synthetic/ssrc.pcap");
    let found: Vec<_> = streams.values().map(|figures| (counts(figures), figures.has_problem())).collect();
    assert_eq!(found, [((200, 200, 0, 0), false); 2]);
}

#[test]
fn clean_streams_have_the_same_figures_in_both_sets() {
    let Some(folder) = corpus() else { return };
    // Capture, SSRC, packets, delta and jitter.
    let rows = [
        ("sip-2phones-B2BUA-Asterisk.pcapng", 0x6AB2_1E82, 355, "0.069/20.106/52.351", "0.062/7.361/10.171"),
        ("private-test-sip.pcapng", 0x6712_FE13, 1_686, "0.073/20.022/49.773", "0.097/5.398/7.369"),
        ("voip-extension2downata.pcap", 0xE252_1B79, 187, "15.112/20.021/24.963", "0.015/0.461/2.088"),
        ("sip-rtp-g722.pcap", 0x043D_AABA, 425, "15.010/20.000/24.998", "0.001/0.031/0.612"),
    ];
    for (capture, ssrc, packets, delta, jitter) in rows {
        let figures = stream(&folder, capture, ssrc);
        assert_eq!(counts(&figures), (packets, packets, 0, 0), "{capture}");
        assert_eq!(three(figures.deltas().taken()), delta, "{capture}");
        assert_eq!(three(figures.jitter().taken()), jitter, "{capture}");
        assert!(!figures.has_problem(), "{capture}");
    }
}

#[test]
fn real_loss_is_counted() {
    let Some(folder) = corpus() else { return };
    let figures = stream(&folder, "sip-rtp-opus-hybrid.pcap", 0x043E_EE04);
    assert_eq!(counts(&figures), (5, 316, 311, 0));
}

#[test]
fn percentiles_never_exceed_the_maximum() {
    let Some(folder) = corpus() else { return };
    for (capture, ssrc) in [("Forensic_challenge_4.pcap", 0xA254_E017), ("sip.pcapng", 0xD2BD_4E3E)] {
        let figures = stream(&folder, capture, ssrc);
        for (percentiles, taken) in [
            (figures.jitter_percentiles(), figures.jitter().taken()),
            (figures.delta_percentiles(), figures.deltas().taken()),
        ] {
            let percentiles = percentiles.unwrap();
            assert!(taken.min().unwrap() <= percentiles.p50 && percentiles.p50 <= percentiles.p95);
            assert!(percentiles.p95 <= percentiles.p99 && percentiles.p99 <= taken.max().unwrap());
        }
    }
}
