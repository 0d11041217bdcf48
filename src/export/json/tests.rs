use std::sync::Arc;

use super::*;
use crate::counters::{Layer, Lost, Malformed};
use crate::sip::Method;
use crate::store::sample::{at, call, message, party, request, response, source, stream};
use crate::store::snapshot::CaptureView;
use crate::store::stats::{Delays, RequestStat, Stats};
use crate::time::Elapsed;
use crate::track::call::{CallKey, CallState, Dialog, DialogState, EndedBy};
use crate::track::stream::StreamKey;

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";

fn sample() -> Snapshot {
    let mut snapshot = Snapshot { generation: 1, now: Some(at(9_000_000)), ..Snapshot::default() };
    let mut row = call(
        0,
        "M2Q0\u{7}",
        vec![
            message(1, 920_336, A, B, &request("INVITE", "M2Q0", "1 INVITE")),
            message(2, 1_665_071, B, A, &response("200 OK", "M2Q0", "1 INVITE")),
        ],
    );
    row.state = CallState::Completed;
    row.status = Some(200);
    row.ended_by = Some(EndedBy::Callee);
    row.cause = Some("Q.850;cause=16".into());
    row.ended = Some(at(8_665_071));
    row.timing.auth = Some(Elapsed::from_nanos(1_490_000));
    row.timing.pdd = Some(Elapsed::from_nanos(743_245_499));
    row.timing.answered = Some(at(1_665_071));
    row.timing.hung_up = Some(at(8_665_070));
    row.dialogs = vec![Dialog { from_tag: "a".into(), to_tag: "b".into(), state: DialogState::Terminated }];
    row.codecs = Arc::new(["PCMU".into()]);
    row.streams = vec![StreamKey(0), StreamKey(7)];
    snapshot.calls.push(row);
    let mut nameless = call(1, "", vec![message(3, 5, A, B, &request("OPTIONS", "", "1 OPTIONS"))]);
    nameless.from = party("nobody");
    snapshot.calls.push(nameless);
    let mut media = stream(0, 2_000_000, "10.0.0.1:4006", "10.0.0.2:5004", 3);
    media.call = Some(CallKey(0));
    snapshot.streams.push(media);
    snapshot.capture = Arc::new(sample_capture());
    snapshot.stats = Arc::new(sample_stats());
    snapshot
}

fn sample_capture() -> CaptureView {
    let mut capture = CaptureView { first: Some(at(920_336)), last: Some(at(9_000_000)), ..CaptureView::default() };
    capture.lost = Lost { kernel: 1, interface: 2, queue: 3 };
    capture.decode.packets = 416;
    capture.decode.bytes = 60_000;
    capture.decode.duplicates = 7;
    capture.decode.malformed.insert(Malformed::new(Layer::Ip, "cut"), 4);
    capture
}

fn sample_stats() -> Stats {
    let mut stats = Stats { messages: 3, transports: [3, 0, 0, 0, 0], ..Stats::default() };
    stats.requests.insert(Method::Invite, RequestStat { count: 1, ..RequestStat::default() });
    stats.requests.insert(Method::new("ALPHA"), RequestStat { count: 1, ..RequestStat::default() });
    stats.responses.insert(200, (1, 0));
    stats.responses.insert(4_294_967_301, (1, 0));
    stats.pdd = Delays { count: 1, min: 743.245_499, p50: 743.245_499, p95: 743.245_499, max: 743.245_499 };
    stats
}

fn document(snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    write_json(&mut out, &report(snapshot)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn sctp_is_named_only_where_there_is_any() {
    let transports = |sctp| {
        let stats = Stats { transports: [1, 0, 0, 0, sctp], ..Stats::default() };
        serde_json::to_string(&sip::SipReport::of(&stats).transports).unwrap()
    };
    assert_eq!(transports(0), r#"{"udp":1,"tcp":0,"ws":0,"tls":0}"#);
    assert_eq!(transports(2), r#"{"udp":1,"tcp":0,"ws":0,"tls":0,"sctp":2}"#);
}

#[test]
fn the_document_is_the_contract_field_by_field() {
    insta::assert_snapshot!(document(&sample()));
}

#[test]
fn the_document_is_the_same_every_time() {
    assert_eq!(document(&sample()), document(&sample()));
}

#[test]
fn an_empty_capture_knows_nothing_and_says_so() {
    let value = serde_json::to_value(report(&Snapshot::default())).unwrap();
    assert!(value["capture"]["first"].is_null() && value["capture"]["duration_s"].is_null());
    assert_eq!(
        value["sip"]["pdd_ms"],
        serde_json::json!({"count": 0, "min": null, "p50": null, "p95": null, "max": null})
    );
    assert_eq!(value["calls"], serde_json::json!([]));
}

#[test]
fn no_control_character_is_written_raw() {
    let text = document(&sample());
    assert!(text.contains("\"M2Q0\\u0007\""));
    assert!(text.chars().all(|ch| ch == '\n' || !ch.is_control()));
}

#[test]
fn packets_of_several_sources_bear_their_name() {
    let id = PacketId::new(1, 20);
    assert_eq!(PacketNames::new(&[source("a.pcap")]).name(id), PacketName::Number(20));
    let both = PacketNames::new(&[source("a.pcap"), source("b.pcap")]);
    assert_eq!(both.name(id), PacketName::Sourced("b.pcap:20".into()));
}

#[test]
fn rounding_keeps_what_is_asked_for() {
    assert_eq!((rounded(0.000_4, 3), rounded(-0.000_4, 3), rounded(1.234_5, 3)), (0.0, 0.0, 1.235));
    assert_eq!(rounded(f64::NAN, 3), 0.0);
    assert_eq!(serde_json::to_string(&rounded(-0.000_04, 3)).unwrap(), "0.0");
}
