//! The numbers here are counted by hand from what each scene's row says.

use std::collections::BTreeSet;

use super::*;
use crate::capture::synth::wire::Path;
use crate::packet::{Endpoint, FlowKey};
use crate::rtp::round_trip::RoundTrips;
use crate::rtp::rtcp::{Reading, Summary};
use crate::rtp::vq_report::VqReport;
use crate::time::Elapsed;

const START: Timestamp = Timestamp::from_parts(1_700_000_000, 0);

/// Ethernet, IPv4 and UDP.
const HEADERS: usize = 14 + 20 + 8;

type Frames = Vec<(Timestamp, Vec<u8>)>;

fn run(name: &str) -> (SceneTruth, Frames) {
    let mut scene = Scene::named(name, START, 1).unwrap();
    let (mut frames, mut frame) = (Vec::new(), Vec::new());
    while let Some(at) = scene.next_packet(&mut frame) {
        frames.push((at, frame.clone()));
    }
    (scene.truth().clone(), frames)
}

fn caller(name: &str) -> StreamTruth {
    Stream::make(&scenes::plan(name, START, 1).unwrap().streams[0]).truth
}

fn port(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[34 + at], frame[35 + at]])
}

#[test]
fn every_scene_is_in_order_and_holds_what_its_truth_says() {
    let all: BTreeSet<&str> = names().collect();
    assert_eq!(all.len(), names().count());
    let clean = caller("clean");
    for name in names() {
        let (truth, frames) = run(name);
        assert!(frames.is_sorted_by_key(|(at, _)| *at), "{name}");
        assert!(frames.iter().all(|(at, _)| *at >= START && at.nanos() % 1_000 == 0), "{name}: no whole µs");
        let rtp: u64 = truth.streams.iter().map(|stream| stream.packets).sum();
        let rtcp: u64 = truth.rtcp_packets.values().sum();
        assert_eq!(truth.packets, rtp + rtcp + truth.stun_packets + truth.sip_messages, "{name}");
        assert_eq!(truth.packets, frames.len() as u64, "{name}");
        for stream in &truth.streams {
            assert_eq!(stream.expected, stream.unique + stream.lost, "{name}");
            assert_eq!(stream.packets, stream.unique + stream.duplicates, "{name}");
        }
        // The callee's stream is never touched.
        if let Some(back) = truth.streams.get(1).filter(|back| back.codec == "PCMU" && back.packets == 1_500) {
            assert_eq!((back.lost, back.sequence_errors, back.jitter_ms), (0, 0, clean.jitter_ms), "{name}");
        }
    }
    assert!(Scene::named("nothing", START, 1).is_none());
}

#[test]
fn the_counts_of_the_callers_stream_are_those_of_its_row() {
    // Name; packets, expected, lost, duplicates; out of order, gaps, restarts, jumps, pauses.
    let rows: &[(&str, [u64; 4], [u64; 5])] = &[
        ("clean", [1_500, 1_500, 0, 0], [0; 5]),
        ("loss-1", [1_485, 1_500, 15, 0], [0, 15, 0, 0, 0]),
        ("loss-burst", [1_425, 1_500, 75, 0], [0, 15, 0, 0, 0]),
        ("loss-single", [1_499, 1_500, 1, 0], [0, 1, 0, 0, 0]),
        // The 75th would be the last packet of all.
        ("loss-periodic", [1_426, 1_500, 74, 0], [0, 74, 0, 0, 0]),
        ("loss-runs", [1_456, 1_500, 44, 0], [0, 15, 0, 0, 0]),
        ("reorder-1", [1_500, 1_500, 0, 0], [148, 148, 0, 0, 0]),
        ("reorder-5", [1_500, 1_500, 0, 0], [2, 2, 0, 0, 0]),
        ("reorder-90", [1_500, 1_500, 0, 0], [1, 1, 0, 2, 0]),
        ("late-200", [1_500, 1_500, 0, 0], [1, 1, 0, 2, 0]),
        ("swapped", [200, 200, 0, 0], [100, 99, 0, 0, 0]),
        ("duplicates", [1_550, 1_500, 0, 50], [0; 5]),
        ("sequence-wrap", [1_500, 1_500, 0, 0], [0; 5]),
        ("timestamp-wrap", [1_500, 1_500, 0, 0], [0; 5]),
        ("wrap-with-faults", [1_499, 1_500, 4, 3], [2, 4, 0, 0, 0]),
        ("restart", [1_500, 1_500, 0, 0], [0, 0, 1, 0, 0]),
        ("ssrc-change", [750, 750, 0, 0], [0; 5]),
        ("dtmf-same", [286, 280, 0, 6], [0; 5]),
        ("dtmf-next", [1_532, 1_532, 0, 0], [0; 5]),
        ("dtmf-loss", [1_502, 1_508, 6, 0], [0, 3, 0, 0, 0]),
        ("comfort-noise", [1_050, 1_050, 0, 0], [0; 5]),
        ("talkspurts", [1_000, 1_000, 0, 0], [0, 0, 0, 0, 5]),
        ("silence", [1_000, 1_000, 0, 0], [0, 0, 0, 0, 5]),
        ("markers", [1_500, 1_500, 0, 0], [0; 5]),
        ("opus-dtx", [1_025, 1_025, 0, 0], [0; 5]),
        ("video", [2_250, 2_250, 0, 0], [0; 5]),
        ("timestamp-jump", [1_500, 1_500, 0, 0], [0, 0, 0, 1, 0]),
        ("timestamp-back", [1_500, 1_500, 0, 0], [0, 0, 0, 1, 0]),
        ("drift-fast", [3_000, 3_000, 0, 0], [0; 5]),
        ("jitter-random", [1_500, 1_500, 0, 0], [0; 5]),
        ("late-60", [1_500, 1_500, 0, 0], [1, 1, 0, 0, 0]),
        ("late-210", [1_500, 1_500, 0, 0], [1, 1, 0, 0, 0]),
        ("transit-step", [1_500, 1_500, 0, 0], [0; 5]),
        ("ptime-30", [1_000, 1_000, 0, 0], [0; 5]),
        ("ptime-60", [500, 500, 0, 0], [0; 5]),
        ("codec-other-clock", [1_500, 1_500, 0, 0], [0; 5]),
    ];
    for (name, counts, events) in rows {
        let truth = caller(name);
        assert_eq!([truth.packets, truth.expected, truth.lost, truth.duplicates], *counts, "{name}");
        let shown = [truth.out_of_order, truth.gaps_opened, truth.restarts, truth.timestamp_jumps, truth.pauses];
        assert_eq!(shown, *events, "{name}");
        assert_eq!(truth.sequence_errors, events[0] + events[1] + events[2], "{name}");
        let is_bad = counts[2] + truth.sequence_errors + truth.timestamp_jumps > 0;
        assert_eq!(truth.has_problem, is_bad, "{name}");
    }
}

#[test]
fn runs_of_loss_have_their_burst_ratio() {
    let shown = |name: &str| {
        let truth = caller(name);
        (truth.loss_runs, truth.longest_loss_run, (truth.burst_ratio * 1e6).round() / 1e6)
    };
    assert_eq!(shown("clean"), (0, 0, 1.0));
    assert_eq!(shown("loss-burst"), (15, 5, 4.75));
    assert_eq!(shown("loss-periodic"), (74, 1, 1.0));
    assert_eq!(shown("loss-runs"), (15, 3, 2.847_289));
    assert_eq!(shown("wrap-with-faults"), (3, 2, 1.329778));
}

fn near(a: Option<Spread>, min: f64, mean: f64, max: f64) {
    let a = a.unwrap();
    for (a, b) in [(a.min, min), (a.mean, mean), (a.max, max)] {
        assert!((a - b).abs() < 0.0005, "{a} is not {b}");
    }
}

#[test]
fn deltas_and_jitter_are_what_the_formulas_give() {
    let clean = caller("clean");
    near(clean.delta_ms, 20.0, 20.0, 20.0);
    near(clean.jitter_ms, 0.0, 0.0, 0.0);
    // Section 5.7 of the definitions: 2.500/36.985/40.000.
    near(caller("swapped").jitter_ms, 2.5, 36.985, 40.0);
    // J after n steps of 8 ms is 8 (1 − (15/16)ⁿ); the mean of 1,499 of them is 8 − 8 · 15 / 1,499.
    let known = caller("jitter-known");
    near(known.jitter_ms, 0.5, 8.0 - 120.0 / 1_499.0, 8.0);
    near(known.delta_ms, 12.0, 20.0 + 8.0 / 1_499.0, 28.0);
    // One step of 150 ms, then a decay by 15/16 each.
    let step = caller("transit-step");
    near(step.jitter_ms, 0.0, 150.0 / 1_499.0, 9.375);
    near(step.delta_ms, 20.0, 20.0 + 150.0 / 1_499.0, 170.0);
    near(caller("loss-single").delta_ms, 20.0, 20.0 * 1_499.0 / 1_498.0, 40.0);
    near(caller("ptime-30").delta_ms, 30.0, 30.0, 30.0);
    near(caller("ptime-60").delta_ms, 60.0, 60.0, 60.0);
    for name in
        ["l16-44100", "g729", "g722", "codec-other-clock", "timestamp-wrap", "restart", "timestamp-jump", "silence"]
    {
        near(caller(name).jitter_ms, 0.0, 0.0, 0.0);
    }
    let gap = |name: &str| caller(name).longest_gap_ms;
    assert_eq!([gap("talkspurts"), gap("opus-dtx"), gap("comfort-noise"), gap("clean")], [2_020.0, 400.0, 200.0, 20.0]);
    near(caller("talkspurts").delta_ms, 20.0, 20.0, 20.0);
    let fast = caller("drift-fast");
    let lasted = (fast.last_ns - fast.first_ns) as f64;
    assert!((2_999.0 * 20e6 / lasted - 1.0 - 100e-6).abs() < 2e-8, "times are whole µs");
}

#[test]
fn digits_are_sent_as_the_rfc_says() {
    assert_eq!(caller("dtmf-next").digits, "0123456789*#ABCD");
    let same = caller("dtmf-same");
    assert_eq!((same.digits.as_str(), same.event_repeats, same.has_problem), ("12#", 6, false));
    near(same.jitter_ms, 0.0, 0.0, 0.0);
    let path = Path::new(Endpoint::new([192, 0, 2, 6].into(), 4_000), Endpoint::new([192, 0, 2, 8].into(), 4_000));
    let mut plan = StreamPlan::new(path, START, 20, 9);
    plan.presses = vec![Press { tick: 5, ticks: 4, digit: '#', repeats: Repeats::Next(2) }];
    let stream = Stream::make(&plan);
    let events: Vec<_> =
        stream.arrivals.iter().map(|arrival| arrival.packet).filter(|p| p.payload_type == 101).collect();
    assert_eq!(events.iter().map(|p| p.number).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
    assert!(events.iter().all(|p| p.timestamp == 160_000 + 5 * 160));
    assert_eq!(events.iter().filter(|p| p.marker).count(), 1);
    let payloads: Vec<Vec<u8>> = events.iter().map(|p| plan.datagram(p)[12..].to_vec()).collect();
    assert_eq!((payloads[0].as_slice(), payloads[2].as_slice()), (&[11, 10, 0, 160][..], &[11, 10, 1, 224][..]));
    assert!(payloads[3..].iter().all(|payload| payload == &[11, 0x8A, 2, 128]));
    let voice = stream.arrivals.last().unwrap().packet;
    assert_eq!((voice.number, voice.timestamp), (21, 160_000 + 19 * 160));
}

#[test]
fn numbers_wrap_on_the_wire_only() {
    let (_, frames) = run("wrap-with-faults");
    let rtp = frames.iter().filter(|(_, frame)| port(frame, 0) == 40_000);
    let mut ends = BTreeSet::new();
    for (_, frame) in rtp {
        ends.insert(u16::from_be_bytes([frame[HEADERS + 2], frame[HEADERS + 3]]));
    }
    assert!(ends.contains(&65_533) && ends.contains(&0) && !ends.contains(&65_534) && ends.contains(&63));
    let (_, frames) = run("timestamp-wrap");
    let high = frames.iter().filter(|(_, frame)| port(frame, 0) == 40_000 && frame[HEADERS + 4] == 0xFF).count();
    assert_eq!(high, 501, "80,000 samples before the wrap");
}

#[test]
fn reports_say_what_was_planned_and_have_their_round_trips() {
    for (name, rtcp_port, receives) in [("rtcp", 40_001, 2), ("rtcp-mux", 40_000, 2), ("rtcp-one-way", 40_001, 1)] {
        let (truth, frames) = run(name);
        let reported = truth.reported.unwrap();
        let mut trips = RoundTrips::default();
        let (mut parts, mut goodbyes, mut senders) = ([Vec::new(), Vec::new()], 0, BTreeSet::new());
        for (at, frame) in &frames {
            let Some(summary) = Summary::read(&frame[HEADERS..], frame.len() - HEADERS) else { continue };
            let from_caller = port(frame, 0) == rtcp_port;
            assert!(from_caller || port(frame, 2) == rtcp_port, "{name}");
            senders.insert(summary.sender);
            goodbyes += summary.goodbye.len();
            for block in &summary.blocks {
                let shown = (block.fraction_lost, block.cumulative_lost, block.highest_sequence, block.jitter);
                assert_eq!(shown, (25, 7, 1_200, 80));
                assert_eq!(block.jitter_ms(8_000), Some(10.0));
            }
            let end = |at| Endpoint::new([0, 0, 0, 0].into(), port(frame, at));
            let measured = trips.take(FlowKey { src: end(0), dst: end(2) }, *at, &summary.references);
            parts[usize::from(!from_caller)].extend(measured.iter().map(|trip| trip.part.millis()));
        }
        assert_eq!((goodbyes, senders.len(), reported.jitter), (2, 2, 80), "{name}");
        let right = |parts: &[f64], truth: f64| parts.iter().all(|part| (part - truth).abs() < 0.02);
        assert_eq!(truth.rtcp_packets.values().sum::<u64>(), 58, "{name}");
        assert_eq!((parts[0].len(), parts[1].len()), (28 * (receives - 1), 29), "{name}");
        assert!(right(&parts[0], reported.caller_part_ms) && right(&parts[1], reported.callee_part_ms), "{parts:?}");
    }
}

#[test]
fn encrypted_reports_and_metrics_are_recognised() {
    let summaries = |name: &str| {
        let (_, frames) = run(name);
        let read = |frame: &Vec<u8>| Summary::read(&frame[HEADERS..], frame.len() - HEADERS);
        frames.iter().filter_map(|(_, frame)| read(frame)).collect::<Vec<_>>()
    };
    let closed = summaries("srtp");
    assert_eq!(closed.len(), 58);
    assert!(closed.iter().all(|summary| summary.reading == Reading::Encrypted && summary.blocks.is_empty()));
    let open = summaries("rtcp-xr");
    assert!(open.iter().all(|summary| summary.reading == Reading::Plain && summary.metrics.len() == 1));
    let metrics = open[0].metrics[0];
    assert_eq!((metrics.mos_lq(), metrics.r_factor, metrics.round_trip_ms), (Some(4.4), Some(93), 150));
}

#[test]
fn a_published_report_names_the_call_and_its_streams() {
    let (truth, frames) = run("vq-report");
    let publish = frames.iter().map(|(_, frame)| &frame[HEADERS..]).find(|text| text.starts_with(b"PUBLISH")).unwrap();
    let at = publish.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let report = VqReport::parse(&publish[at + 4..]).unwrap();
    assert_eq!(report.call_id.as_deref(), Some(truth.call_id.as_str()));
    assert_eq!(report.local_address.unwrap().ssrc, Some(truth.streams[0].ssrc));
    assert_eq!(report.remote_address.unwrap().ssrc, Some(truth.streams[1].ssrc));
    assert_eq!((report.local.mos_lq, report.local.loss_percent), (Some(4.1), Some(2.5)));
    assert!(report.others.is_empty() && report.local.others.is_empty());
}

#[test]
fn the_signalling_tells_what_the_scene_needs() {
    let sip = |name: &str, start: &[u8]| {
        let (_, frames) = run(name);
        let found = frames.iter().find(|(_, frame)| frame[HEADERS..].starts_with(start)).unwrap();
        (found.0, String::from_utf8_lossy(&found.1[HEADERS..]).into_owned())
    };
    let (_, invite) = sip("nat", b"INVITE");
    assert!(invite.contains("c=IN IP4 10.0.0.5\r\n") && invite.contains("m=audio 40000 RTP/AVP 0 101\r\n"));
    let nat = run("nat").0;
    assert_eq!(
        (nat.streams[0].src.as_str(), nat.streams[1].dst.as_str()),
        ("198.51.100.7:31002", "198.51.100.7:31002")
    );
    let (truth, _) = run("before-sdp");
    let (answered, ok) = sip("before-sdp", b"SIP/2.0 200");
    assert!(ok.contains("m=audio") && truth.streams.iter().all(|stream| stream.first_ns < answered.nanos()));
    assert!(!sip("before-sdp", b"INVITE").1.contains("m=audio"));
    assert!(sip("before-sdp", b"ACK").1.contains("m=audio"));
    assert!(sip("rtcp-mux", b"INVITE").1.contains("a=rtcp-mux"));
    assert!(sip("srtp", b"INVITE").1.contains("RTP/SAVP") && sip("opus-dtx", b"INVITE").1.contains("opus/48000/2"));
    assert!(sip("comfort-noise", b"INVITE").1.contains("RTP/AVP 0 13 101"));
    let call_id = format!("Call-ID: {}\r\n", truth.call_id);
    assert!(ok.contains(&call_id));
    assert_eq!(run("one-way").0.streams.len(), 1);
    let (stun, frames) = run("stun");
    let cookies =
        frames.iter().filter(|(_, frame)| frame[HEADERS + 4..].starts_with(&[0x21, 0x12, 0xA4, 0x42])).count();
    assert_eq!((stun.stun_packets, cookies), (120, 120));
}

#[test]
fn chance_loses_exactly_as_many_and_the_same_ones_again() {
    let path = Path::new(Endpoint::new([192, 0, 2, 6].into(), 4_000), Endpoint::new([192, 0, 2, 8].into(), 4_000));
    let mut plan = StreamPlan::new(path, START, 1_000, 9);
    let mut lost = |loss: Loss| {
        plan.network.loss = loss;
        let stream = Stream::make(&plan);
        (stream.truth.lost, stream.arrivals.iter().map(|arrival| arrival.packet.number).collect::<Vec<_>>())
    };
    let first = lost(Loss::Random { count: 50, seed: 7 });
    assert_eq!(first.0, 50);
    assert_eq!(first, lost(Loss::Random { count: 50, seed: 7 }));
    assert_ne!(first, lost(Loss::Random { count: 50, seed: 8 }));
    assert_eq!(lost(Loss::Random { count: 5_000, seed: 8 }).0, 998, "the first and the last stay");
    assert_eq!(lost(Loss::Every { period: 0, run: 1 }).0, 0);
    assert_eq!(lost(Loss::Runs { count: 10, length: 7, seed: 1 }).0, 70);
    assert_eq!(plan.due(3), Elapsed::from_millis(60));
}
