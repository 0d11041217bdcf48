use super::*;
use crate::event::{IcmpFact, Quote, TcpFact, TcpSign};
use crate::limits::{CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES};
use crate::store::sample::{at, call, endpoint, flow, message, message_of, request, response, stream, with_sdp};

const A: &str = "10.0.0.1:5060";
const PROXY: &str = "10.0.0.2:5060";
const B: &str = "10.0.0.3:5060";
const C: &str = "10.0.0.4:5060";

fn ladder(calls: Vec<Call>, streams: Vec<Stream>, options: LadderOptions) -> Ladder {
    let calls: Vec<_> = calls.into_iter().map(Arc::new).collect();
    let find = |key: StreamKey| streams.iter().find(|stream| stream.key == key).cloned().map(Arc::new);
    Ladder::of(&calls, &find, options)
}

fn ladder_of(calls: Vec<Call>) -> Ladder {
    ladder(calls, Vec::new(), LadderOptions::default())
}

fn labels(ladder: &Ladder) -> Vec<String> {
    ladder.columns.iter().map(Column::label).collect()
}

/// Rows as `from>to label`.
fn rows(ladder: &Ladder) -> Vec<String> {
    let text = |row: &LadderRow| match &row.kind {
        RowKind::Message(row) => format!("{}>{} {}", row.from, row.to, row.label),
        RowKind::Fact(row) => format!("{}>{} {} {}", row.from, row.to, row.label(), row.is_fault()),
        RowKind::Rtp(row) => format!("{}>{} {} {}/{}", row.from, row.to, row.label(), row.packets, row.packets_back),
        RowKind::Gap(row) => format!("gap {}", row.left_out),
    };
    ladder.rows.iter().map(text).collect()
}

#[test]
fn a_fork_stands_right_of_its_proxy_and_the_caller_left() {
    let invite = with_sdp(&request("INVITE", "x", "1 INVITE"), 4006);
    let call = call(
        0,
        "x",
        vec![
            message(1, 0, A, PROXY, &invite),
            message(2, 10, PROXY, B, &invite),
            message(3, 20, PROXY, C, &invite),
            message(4, 30, B, PROXY, &response("180 Ringing", "x", "1 INVITE")),
            message(5, 40, C, PROXY, &with_sdp(&response("200 OK", "x", "1 INVITE"), 5004)),
            message(6, 50, A, "10.0.0.9:5060", &request("ACK", "x", "1 ACK")),
        ],
    );
    let ladder = ladder(vec![call], vec![], LadderOptions::default());
    assert_eq!(labels(&ladder), ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.9"]);
    let expected =
        ["0>1 INVITE (SDP)", "1>2 INVITE (SDP)", "1>3 INVITE (SDP)", "2>1 180 Ringing", "3>1 200 OK (SDP)", "0>4 ACK"];
    assert_eq!(rows(&ladder), expected);
    assert!(ladder.columns.iter().all(|column| column.endpoints.len() == 1));
}

#[test]
fn calls_are_merged_by_time_and_each_keeps_its_columns_together() {
    let one = call(
        0,
        "x",
        vec![
            message(1, 0, A, PROXY, &request("INVITE", "x", "1 INVITE")),
            message(3, 20, PROXY, B, &request("INVITE", "x", "1 INVITE")),
        ],
    );
    let other = call(
        1,
        "y",
        vec![
            message(2, 10, "10.9.0.1:5060", "10.9.0.2:5060", &request("OPTIONS", "y", "1 OPTIONS")),
            message(4, 20, C, "10.0.0.3:9", &request("OPTIONS", "y", "2 OPTIONS")),
        ],
    );
    let ladder = ladder(vec![one, other], vec![], LadderOptions::default());
    assert_eq!(labels(&ladder), ["10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.3", "10.9.0.1", "10.9.0.2"]);
    assert_eq!(ladder.rows.iter().map(LadderRow::call).collect::<Vec<_>>(), [0, 1, 0, 1]);
    let cseqs = ladder.rows.iter().map(|row| match &row.kind {
        RowKind::Message(row) => row.cseq,
        _ => 99,
    });
    assert_eq!(cseqs.collect::<Vec<_>>(), [0, 0, 0, 1]);
}

#[test]
fn a_host_that_talks_to_itself_has_a_column_per_endpoint() {
    let (a, b) = ("127.0.0.1:5060", "127.0.0.1:5070");
    let mut call = call(
        0,
        "x",
        vec![
            message(1, 0, a, b, &with_sdp(&request("INVITE", "x", "1 INVITE"), 6000)),
            message(2, 10, b, a, &with_sdp(&response("200 OK", "x", "1 INVITE"), 7000)),
        ],
    );
    call.streams = vec![StreamKey(0)];
    let streams = vec![stream(0, 20, "127.0.0.1:7000", "127.0.0.1:6000", 5)];
    let ladder = ladder(vec![call], streams, LadderOptions::default());
    assert_eq!(labels(&ladder), [a, b]);
    assert_eq!(rows(&ladder)[2], "1>0 RTP PCMU 127.0.0.1:7000 → 127.0.0.1:6000 5/0");
}

#[test]
fn two_branches_to_one_host_have_a_column_each() {
    let (proxy, one, two) = ("10.0.0.1:5060", "10.0.0.2:5060", "10.0.0.2:5064");
    let invite = request("INVITE", "f", "1 INVITE");
    let again = request("INVITE", "f", "2 INVITE");
    let fork = vec![message(1, 0, proxy, one, &invite), message(2, 10, proxy, two, &invite)];
    let ladder = ladder_of(vec![call(0, "f", fork)]);
    assert_eq!(labels(&ladder), [proxy.strip_suffix(":5060").unwrap(), one, two]);
    let moved = vec![message(1, 0, proxy, one, &invite), message(2, 10, proxy, two, &again)];
    assert_eq!(labels(&ladder_of(vec![call(0, "f", moved)])), ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn endpoints_make_columns_on_request_but_media_ports_do_not() {
    let other_port = "10.0.0.1:5999";
    let mut call = call(
        0,
        "x",
        vec![
            message(1, 0, A, PROXY, &request("INVITE", "x", "1 INVITE")),
            message(2, 10, PROXY, other_port, &response("200 OK", "x", "1 INVITE")),
        ],
    );
    call.streams = vec![StreamKey(4), StreamKey(5), StreamKey(4)];
    let streams =
        vec![stream(5, 16, "10.0.0.7:5004", "10.0.0.1:4006", 7), stream(4, 15, "10.0.0.1:4006", "10.0.0.7:5004", 5)];
    let by_endpoint = LadderOptions { columns: ColumnBy::Endpoint, collapse: false };
    let ladder = ladder(vec![call], streams, by_endpoint);
    assert_eq!(labels(&ladder), [A, PROXY, other_port, "10.0.0.7"]);
    assert_eq!(rows(&ladder)[2], "0>3 RTP PCMU 10.0.0.1:4006 ⇄ 10.0.0.7:5004 5/7");
    assert_eq!(ladder.rows.len(), 3, "both directions are one bar");
}

#[test]
fn copies_are_collapsed_only_while_nothing_else_passed_between_the_two() {
    let invite = request("INVITE", "x", "1 INVITE");
    let copy = |number, micros, from, to| {
        let mut copy = message(number, micros, from, to, &invite);
        copy.repeats = Some(if from == A { 0 } else { 1 });
        copy
    };
    let messages = || {
        vec![
            message(1, 0, A, PROXY, &invite),
            message(2, 10, PROXY, B, &invite),
            copy(3, 20, A, PROXY),
            copy(4, 30, PROXY, B),
            copy(5, 40, A, PROXY),
            message(6, 50, PROXY, A, &response("100 Trying", "x", "1 INVITE")),
            copy(7, 60, A, PROXY),
        ]
    };
    let plain = ladder(vec![call(0, "x", messages())], vec![], LadderOptions::default());
    assert_eq!(plain.rows.len(), 7);
    let collapse = LadderOptions { collapse: true, ..LadderOptions::default() };
    let collapsed = ladder(vec![call(0, "x", messages())], vec![], collapse);
    let copies = collapsed.rows.iter().map(|row| match &row.kind {
        RowKind::Message(row) => (row.label.clone(), row.copies.len(), row.is_retransmission()),
        other => panic!("{other:?}"),
    });
    let expected = [("INVITE", 2, false), ("INVITE", 1, false), ("100 Trying", 0, false), ("INVITE", 0, true)];
    assert_eq!(copies.collect::<Vec<_>>(), expected.map(|(label, n, again)| (label.to_owned(), n, again)));
    let packet = PacketId::new(0, 5);
    assert_eq!(collapsed.rows.iter().position(|row| row.has_packet(packet)), Some(0));
}

#[test]
fn facts_stand_where_they_happened_and_once() {
    let rst = TcpFact { at: at(15), packet: PacketId::new(0, 7), flow: flow(PROXY, A), kind: TcpSign::Abort };
    let icmp = IcmpFact {
        at: at(16),
        packet: PacketId::new(0, 8),
        reporter: endpoint("10.0.0.254:1").ip,
        quoted: flow(A, "10.0.0.2:4000"),
        what: "port unreachable",
        quote: Some(Arc::new(Quote { start: "IN\u{1b}VITE".into(), call_id: None, cseq: None })),
    };
    let with_facts = |key, number| {
        let mut call = call(
            key,
            "x",
            vec![
                message(number, 0, A, PROXY, &request("INVITE", "x", "1 INVITE")),
                message(number + 1, 20, PROXY, A, &response("200 OK", "x", "1 INVITE")),
            ],
        );
        call.facts = Arc::new(vec![Fact::Tcp(rst), Fact::Icmp(icmp.clone())]);
        call
    };
    let ladder = ladder(vec![with_facts(0, 1), with_facts(1, 3)], vec![], LadderOptions::default());
    assert_eq!(labels(&ladder), ["10.0.0.1", "10.0.0.2", "10.0.0.254"]);
    let expected =
        ["0>1 INVITE", "0>1 INVITE", "1>0 RST true", "2>0 port unreachable (IN␛VITE) true", "1>0 200 OK", "1>0 200 OK"];
    assert_eq!(rows(&ladder), expected);
}

#[test]
fn a_very_long_call_shows_where_messages_are_missing() {
    let total = (CALL_FIRST_MESSAGES + CALL_LAST_MESSAGES + 5) as u32;
    let notify = request("NOTIFY", "x", "1 NOTIFY");
    let messages = (1..=total).map(|n| message(n, i64::from(n), A, PROXY, &notify)).collect();
    let ladder = ladder(vec![call(0, "x", messages)], vec![], LadderOptions::default());
    assert_eq!(rows(&ladder)[CALL_FIRST_MESSAGES - 1..=CALL_FIRST_MESSAGES + 1], ["0>1 NOTIFY", "gap 5", "0>1 NOTIFY"]);
    assert_eq!(ladder.rows[CALL_FIRST_MESSAGES].span(), None);
}

#[test]
fn a_label_never_holds_a_control_character() {
    let raw = b"SIP/2.0 200 O\x07K\x1b[2J\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
    let ladder = ladder(vec![call(0, "x", vec![message_of(1, 0, A, A, raw)])], vec![], LadderOptions::default());
    assert_eq!(rows(&ladder), ["0>0 200 O␇K␛[2J"]);
    assert_eq!(labels(&ladder), ["10.0.0.1"]);
}

#[test]
fn no_call_is_an_empty_ladder() {
    let ladder = ladder(vec![], vec![], LadderOptions::default());
    assert!(ladder.columns.is_empty() && ladder.rows.is_empty());
}

#[test]
fn requests_about_events_say_which_and_a_notify_its_state() {
    let with = |method: &str, headers: &str| {
        let text = request(method, "x", &format!("1 {method}"));
        text.replacen("\n\n", &format!("\n{headers}\n\n"), 1)
    };
    let call = call(
        0,
        "x",
        vec![
            message(1, 0, A, B, &with("SUBSCRIBE", "Event: dialog;id=7")),
            message(2, 10, B, A, &with("NOTIFY", "Event: dialog\nSubscription-State: active;expires=600")),
            message(3, 20, B, A, &with("NOTIFY", "Subscription-State: termin\u{1b}ated;reason=timeout")),
            message(4, 30, A, B, &with("INVITE", "Event: dialog")),
        ],
    );
    let expected = ["0>1 SUBSCRIBE (dialog)", "1>0 NOTIFY active (dialog)", "1>0 NOTIFY termin␛ated", "0>1 INVITE"];
    assert_eq!(rows(&ladder_of(vec![call])), expected);
}
