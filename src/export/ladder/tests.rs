use super::*;
use crate::event::{TcpFact, TcpSign};
use crate::limits::{CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES};
use crate::store::sample::{at, call, flow, message, message_of, request, response, source, stream, with_sdp};
use crate::store::snapshot::{CaptureView, SourceView};
use crate::track::call::{CallState, EndedBy, Fact};
use crate::track::message::Message;
use crate::track::stream::StreamKey;
use std::io::Write;

const A: &str = "10.1.1.123:5060";
const PROXY: &str = "10.1.1.68:5060";
const B: &str = "10.1.1.124:5060";

fn text(snapshot: &Snapshot, options: LadderText) -> String {
    let keys: Vec<CallKey> = snapshot.calls.iter().map(|call| call.key).collect();
    let mut out = Vec::new();
    write(snapshot, &keys, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn snapshot_of(calls: Vec<Call>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for call in calls {
        snapshot.calls.push(call);
    }
    snapshot
}

fn two_hops() -> Vec<Message> {
    let invite = with_sdp(&request("INVITE", "59e9cf01", "1 INVITE"), 4006);
    let ok = with_sdp(&response("200 OK", "59e9cf01", "1 INVITE"), 5004);
    let mut messages = vec![
        message(1, 103_000, A, PROXY, &invite),
        message(2, 105_000, PROXY, A, &response("100 Trying", "59e9cf01", "1 INVITE")),
        message(3, 107_000, PROXY, B, &invite),
        message(4, 280_000, B, PROXY, &response("180 Ringing", "59e9cf01", "1 INVITE")),
        message(5, 281_000, PROXY, A, &response("180 Ringing", "59e9cf01", "1 INVITE")),
        message(6, 3_523_000, B, PROXY, &ok),
        message(7, 3_524_000, PROXY, A, &ok),
        message(8, 4_024_000, PROXY, A, &ok),
        message(12, 46_100_000, A, B, &request("BYE", "59e9cf01", "2 BYE")),
    ];
    messages[7].repeats = Some(6);
    messages
}

fn answered() -> Snapshot {
    let mut row = call(0, "59e9cf01", two_hops());
    row.state = CallState::Completed;
    row.ended_by = Some(EndedBy::Caller);
    row.timing.pdd = Some(Elapsed::from_millis(177));
    row.timing.answered = Some(at(3_523_000));
    row.timing.hung_up = Some(at(46_100_000));
    row.streams = vec![StreamKey(0), StreamKey(1)];
    let rst = TcpFact { at: at(47_000_000), packet: PacketId::new(0, 13), flow: flow(B, PROXY), kind: TcpSign::Abort };
    row.facts = Arc::new(vec![Fact::Tcp(rst)]);
    let mut snapshot = snapshot_of(vec![row]);
    snapshot.streams.push(stream(0, 4_100_000, "10.1.1.123:4006", "10.1.1.124:5004", 2_130));
    snapshot.streams.push(stream(1, 4_110_000, "10.1.1.124:5004", "10.1.1.123:4006", 2_128));
    snapshot
}

#[test]
fn a_call_over_a_proxy() {
    insta::assert_snapshot!(text(&answered(), LadderText::default()));
}

#[test]
fn ascii_and_collapsed() {
    let options = LadderText { ascii: true, ladder: LadderOptions { collapse: true, ..LadderOptions::default() } };
    let text = text(&answered(), options);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn merged_calls_a_gap_and_the_next_day() {
    let total = (CALL_FIRST_MESSAGES + CALL_LAST_MESSAGES + 5) as u32;
    let notify = request("NOTIFY", "long", "1 NOTIFY");
    let long: Vec<_> = (1..=total).map(|n| message(n, i64::from(n) * 100_000_000, B, PROXY, &notify)).collect();
    let other = call(1, "other", vec![message(1, 1, A, A, &request("OPTIONS", "other", "1 OPTIONS"))]);
    let text = text(&snapshot_of(vec![call(0, "long", long), other]), LadderText::default());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0] == "Call 1: long" && lines[2] == "Call 2: other", "{text}");
    assert!(lines.iter().any(|line| line.ends_with("call 1 ⋮ 5 messages left out")));
    assert!(lines.iter().any(|line| line.starts_with("2016-05-19 UTC")));
    assert!(lines.iter().any(|line| line.contains("↻ OPTIONS") && line.ends_with("call 2 #1")));
    let offset =
        |what: &str| lines.iter().filter(|line| line.contains(what)).map(|line| line.find('◀')).next().flatten();
    assert!(offset("NOTIFY").is_none(), "B sends to the right, it came first");
}

#[test]
fn what_the_wire_holds_is_shown_and_not_sent() {
    let raw = b"SIP/2.0 200 O\x07K\x1b[2J\x7f and a reason that is far too long for the room between two columns\r\n\
        Call-ID: i\x07\r\nCSeq: 1 INVITE\r\n\r\n";
    let mut row = call(0, "i\u{7}\u{9b}", vec![message_of(1, 0, A, B, raw)]);
    row.cause = Some("\u{1b}]0;x\u{7}".into());
    let text = text(&snapshot_of(vec![row]), LadderText::default());
    assert!(text.chars().all(|ch| ch == '\n' || !ch.is_control()), "{text:?}");
    assert!(text.starts_with("i␇\\u{9b}\n"));
    let arrow = text.lines().find(|line| line.contains("200 O␇K␛[2J␡")).unwrap();
    assert!(arrow.contains("… ") && arrow.contains("▶│"), "{arrow}");
}

#[test]
fn with_several_sources_a_packet_names_its_own() {
    let merged = SourceView { inputs: vec!["a".into(), "b\u{7}".into()], ..source("a and 1 more") };
    let mut message = message(1, 0, A, B, &request("INVITE", "x", "1 INVITE"));
    message.packets = [PacketId::new(1, 20)].into_iter().collect();
    let mut snapshot = snapshot_of(vec![call(0, "x", vec![message])]);
    // Two files that one source merges, or two interfaces.
    for sources in [vec![merged], vec![source("a"), source("b\u{7}")]] {
        snapshot.capture = Arc::new(CaptureView { sources, ..CaptureView::default() });
        let text = text(&snapshot, LadderText::default());
        assert!(text.contains("Sources of the packets: 1 a, 2 b␇\n") && text.contains("#2:20\n"), "{text}");
    }
}

#[test]
fn nothing_selected_writes_no_garbage() {
    assert_eq!(text(&Snapshot::default(), LadderText::default()), "\n");
}

/// Every message of the torture set, if there is one: no control character gets out, whatever is printed of it.
#[test]
fn torture_messages_are_printed_without_their_control_characters() {
    let Ok(corpus) = std::env::var("SIPWATCH_CORPUS") else {
        let _ = writeln!(std::io::stderr(), "skipped: SIPWATCH_CORPUS is not set");
        return;
    };
    let mut read = 0;
    for entry in std::fs::read_dir(std::path::Path::new(&corpus).join("torture")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "dat") {
            continue;
        }
        let message = message_of(1, 0, A, B, &std::fs::read(&path).unwrap());
        let id = message.sip.call_id().unwrap_or_default().into_owned();
        let mut row = call(0, &id, vec![message.clone()]);
        row.reason = message.sip.reason().unwrap_or_default().as_ref().into();
        row.from.user = message.sip.start_line().as_ref().into();
        let names = crate::export::json::PacketNames::default();
        let line = crate::export::ndjson::message_line(&row, &message, &names);
        let snapshot = snapshot_of(vec![row]);
        for page in [line, text(&snapshot, LadderText::default())] {
            assert!(page.chars().all(|ch| ch == '\n' || !ch.is_control()), "{}: {page:?}", path.display());
        }
        read += 1;
    }
    assert_eq!(read, 49);
}
