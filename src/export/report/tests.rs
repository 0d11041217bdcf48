use std::sync::Arc;

use super::*;
use crate::rtp::figures::Percentiles;
use crate::rtp::figures::wireshark::WiresharkFigures;
use crate::rtp::mos::{self, Codec, Options};
use crate::rtp::playout::{self, BufferKind, Loss, Playout};
use crate::sip::Method;
use crate::store::sample::{at, call, message, request, source, stream};
use crate::store::snapshot::{CaptureView, SourceView};
use crate::store::stats::{Delays, RequestStat, Stats, WiresharkStat};
use crate::time::Elapsed;
use crate::track::call::{CallState, EndedBy};
use crate::track::stream::{Quality, Range};

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";

fn text(kind: &str, snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    (find(kind).unwrap().write)(snapshot, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn stats() -> Stats {
    let delay = |count, ms: f64| Delays { count, min: ms, p50: ms, p95: ms + 1.0, max: ms + 2.0 };
    let invite = RequestStat { count: 7, retransmissions: 1, response: delay(6, 743.245) };
    Stats {
        messages: 60,
        retransmissions: 2,
        transports: [58, 2, 0, 0, 0],
        requests: [(Method::Invite, invite), (Method::Ack, RequestStat { count: 6, ..RequestStat::default() })].into(),
        responses: [(100, (3, 0)), (401, (7, 1)), (999, (1, 0))].into(),
        pdd: delay(2, 743.245),
        attempts: 4,
        answered: 2,
        user_side: 1,
        talk_s: 84.0,
        talked: 2,
        wireshark: WiresharkStat { messages: 60, resent: 1, setup_ms: (2430, 1, 7071) },
        ..Stats::default()
    }
}

fn capture() -> CaptureView {
    let source = SourceView {
        link: "Ethernet".into(),
        packets: 416,
        truncated: true,
        trouble: Some("cut in the middle of packet 417".into()),
        ..source("call.pc\u{1b}ap")
    };
    let mut capture =
        CaptureView { sources: vec![source], first: Some(at(0)), last: Some(at(23_450_000)), ..CaptureView::default() };
    capture.decode.packets = 416;
    capture.decode.bytes = 60_000;
    capture
}

#[test]
fn sip_statistics_hold_everything_that_wireshark_shows() {
    let snapshot = Snapshot { stats: Arc::new(stats()), capture: Arc::new(capture()), ..Snapshot::default() };
    insta::assert_snapshot!(text("sip", &snapshot));
}

#[test]
fn nothing_seen_divides_by_nothing() {
    let text = text("sip", &Snapshot::default());
    assert!(text.contains("ASR  -  answered / attempts = 0 / 0"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn a_call_is_a_line_with_who_ended_it_and_why() {
    let mut done = call(0, "one", vec![message(1, 0, A, B, &request("INVITE", "one", "1 INVITE"))]);
    done.state = CallState::Completed;
    done.status = Some(200);
    done.ended_by = Some(EndedBy::Callee);
    done.cause = Some("Q.850;cause=16".into());
    done.timing.pdd = Some(Elapsed::from_nanos(743_245_000));
    done.timing.answered = Some(at(1_000_000));
    done.timing.hung_up = Some(at(43_000_000));
    done.codecs = Arc::new(["PCMU".into(), "telephone-event".into()]);
    let mut busy = call(1, "tw\u{7}o", vec![message(2, 5, A, B, &request("INVITE", "two", "1 INVITE"))]);
    busy.state = CallState::Failed;
    busy.status = Some(486);
    busy.reason = "Busy Here".into();
    busy.cause = Some("486 Busy Here".into());
    busy.retransmissions = 2;
    let mut snapshot = Snapshot::default();
    snapshot.calls.push(done);
    snapshot.calls.push(busy);
    insta::assert_snapshot!(text("calls", &snapshot));
}

/// Loss and a DTMF digit in one stream, silence in the other; the second began later.
fn streams() -> Snapshot {
    let call = call(0, "on\u{7}e", vec![message(1, 0, A, B, &request("INVITE", "one", "1 INVITE"))]);
    let mut lossy = stream(0, 1_500_000, "10.0.0.1:4000", "10.0.0.2:5000", 1_000);
    lossy.call = Some(call.key);
    let loss = Loss { expected: 1_010, lost: 10, discarded: 2, runs: 9 };
    let row = mos::row(&Codec { name: "PCMU", ..Codec::default() }, &Options::default()).unwrap();
    let heard = Playout::new(BufferKind::Adaptive).figures(BufferKind::Adaptive, at(0));
    lossy.quality = Arc::new(Quality {
        expected: 1_010,
        lost: 10,
        duplicates: 3,
        out_of_order: 1,
        delta: Some(Range { min: 15.0, mean: 20.0, max: 61.25 }),
        jitter: Some(Range { min: 0.5, mean: 1.5, max: 12.0 }),
        jitter_percentiles: Some(Percentiles { p50: 1.25, p95: 9.5, p99: 11.75 }),
        longest_gap: Some((Elapsed::from_millis(61), at(0))),
        max_skew: Some(-3.5),
        has_problem: true,
        digits: "12#".into(),
        playout: Some([playout::Figures { loss, ..heard }; 3]),
        score: row.listening(&loss),
        payloads: Arc::new([(0, Some("PCMU".into())), (101, Some("telephone-event".into())), (96, None)]),
        wireshark: WiresharkFigures {
            packets: 1_000,
            lost: -2,
            lost_percent: -0.2,
            min_delta: 0.5,
            mean_delta: 19.5,
            max_delta: 61.25,
            problem: true,
            ..WiresharkFigures::default()
        },
        ..Quality::default()
    });
    let mut snapshot = Snapshot { capture: Arc::new(capture()), ..Snapshot::default() };
    snapshot.calls.push(call);
    snapshot.streams.push(lossy);
    snapshot.streams.push(stream(1, 2_000_000, "[2001:db8::1]:4000", "[2001:db8::2]:5000", 1));
    snapshot
}

#[test]
fn a_stream_is_two_lines_ours_and_as_wireshark_counts() {
    insta::assert_snapshot!(text("rtp", &streams()));
}

#[test]
fn every_kind_is_found_by_its_name_and_writes_something() {
    for kind in REPORTS {
        assert_eq!(find(kind.name).map(|found| found.name), Some(kind.name));
        assert!(!kind.about.is_empty() && !text(kind.name, &Snapshot::default()).is_empty());
    }
    assert!(find("blf").is_none(), "a kind that does not exist yet is not offered");
}
