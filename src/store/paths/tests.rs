use super::*;
use crate::store::sample::{at, call, message, request, response, stream};

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";
const SECOND: i64 = 1_000_000;

fn sdp(raw: &str, host: &str, port: u16, more: &str) -> String {
    let body = format!("v=0\nc=IN IP4 {host}\nm=audio {port} RTP/AVP 0\n{more}");
    let length = body.replace('\n', "\r\n").len();
    let head = raw.strip_suffix('\n').unwrap();
    format!("{head}Content-Type: application/sdp\nContent-Length: {length}\n\n{body}")
}

fn invite() -> String {
    request("INVITE", "one", "1 INVITE")
}

fn ok() -> String {
    response("200 OK", "one", "1 INVITE")
}

/// Asked at 0, answered after a second; streams as given.
fn paths(offer: (&str, u16, &str), answer: (&str, u16, &str), streams: Vec<Stream>) -> Vec<Pair> {
    let messages = vec![
        message(1, 0, A, B, &sdp(&invite(), offer.0, offer.1, offer.2)),
        message(2, SECOND, B, A, &sdp(&ok(), answer.0, answer.1, answer.2)),
    ];
    of_messages(messages, streams)
}

fn of_messages(messages: Vec<Message>, streams: Vec<Stream>) -> Vec<Pair> {
    let mut call = call(0, "one", messages);
    call.streams = streams.iter().map(|stream| stream.key).collect();
    let mut rows = Rows::default();
    for stream in streams {
        rows.push(stream);
    }
    // That of another call: there is media in the capture.
    rows.push(stream(99, 0, "10.9.9.9:4000", "10.9.9.8:4000", 1));
    of(&call, &rows)
}

#[test]
fn a_capture_of_signalling_alone_misses_no_media() {
    let offer = message(1, 0, A, B, &sdp(&invite(), "10.0.0.1", 4000, ""));
    let answer = message(2, SECOND, B, A, &sdp(&ok(), "10.0.0.2", 5000, ""));
    assert!(of(&call(0, "one", vec![offer, answer]), &Rows::default()).is_empty());
}

#[test]
fn two_directions_that_flow_are_silent_nowhere() {
    let streams = vec![
        stream(0, SECOND, "10.0.0.1:4000", "10.0.0.2:5000", 500),
        stream(1, SECOND, "10.0.0.2:5000", "10.0.0.1:4000", 500),
    ];
    let pairs = paths(("10.0.0.1", 4000, ""), ("10.0.0.2", 5000, ""), streams);
    let [pair] = pairs.as_slice() else { panic!("{pairs:?}") };
    assert_eq!((pair.there.stream, pair.back.stream), (Some(StreamKey(0)), Some(StreamKey(1))));
    assert!(pair.both().iter().all(|path| path.silence(at(12 * SECOND)).is_none() && path.translated.is_none()));
}

#[test]
fn a_direction_that_was_announced_and_brings_nothing_is_silent_since_the_answer() {
    let streams = vec![stream(0, SECOND, "10.0.0.1:4000", "10.0.0.2:5000", 2_000)];
    let pairs = paths(("10.0.0.1", 4000, ""), ("10.0.0.2", 5000, ""), streams);
    let now = at(40 * SECOND);
    assert!(pairs[0].is_one_way(now));
    assert_eq!(pairs[0].back.silence(now), Some((at(SECOND), now)));
    assert_eq!(pairs[0].back.silence(at(5 * SECOND)), None, "too early to tell");
}

#[test]
fn a_direction_that_stopped_is_silent_since_its_last_packet() {
    let streams = vec![
        stream(0, SECOND, "10.0.0.1:4000", "10.0.0.2:5000", 2_000),
        stream(1, SECOND, "10.0.0.2:5000", "10.0.0.1:4000", 500),
    ];
    let pairs = paths(("10.0.0.1", 4000, ""), ("10.0.0.2", 5000, ""), streams);
    assert_eq!(pairs[0].back.silence(at(41 * SECOND)), Some((at(11 * SECOND), at(41 * SECOND))));
}

#[test]
fn nothing_is_due_from_who_is_on_hold_or_was_not_answered() {
    let pairs = paths(("10.0.0.1", 4000, "a=sendonly\n"), ("10.0.0.2", 5000, "a=recvonly\n"), Vec::new());
    let now = at(60 * SECOND);
    assert!(pairs[0].there.silence(now).is_some());
    assert_eq!((pairs[0].back.silence(now), pairs[0].back.rest), (None, Some("none due: SDP asks for none")));
    let offer = message(1, 0, A, B, &sdp(&invite(), "10.0.0.1", 4000, ""));
    let early = message(2, 0, B, A, &sdp(&response("183 Session Progress", "one", "1 INVITE"), "10.0.0.2", 5000, ""));
    assert!(of_messages(vec![offer.clone()], Vec::new()).is_empty());
    assert!(of_messages(vec![offer.clone(), early.clone()], Vec::new()).is_empty());
    let answered = of_messages(vec![offer, early, message(3, SECOND, B, A, &ok())], Vec::new());
    assert_eq!(answered[0].there.due, Some(at(SECOND)), "the answer stood in the 183");
}

#[test]
fn a_stream_of_the_other_leg_between_the_same_ends_counts() {
    let there = stream(0, SECOND, "10.0.0.1:4000", "10.0.0.2:5000", 500);
    let back = stream(1, SECOND, "10.0.0.2:5000", "10.0.0.1:4000", 500);
    let messages = vec![
        message(1, 0, A, B, &sdp(&invite(), "10.0.0.1", 4000, "")),
        message(2, SECOND, B, A, &sdp(&ok(), "10.0.0.2", 5000, "")),
    ];
    let mut call = call(0, "one", messages);
    call.streams = vec![StreamKey(0)];
    let mut rows = Rows::default();
    rows.push(there);
    rows.push(back);
    assert_eq!(of(&call, &rows)[0].back.stream, Some(StreamKey(1)));
}

#[test]
fn an_address_that_nat_changed_is_told_in_both_directions() {
    let (nat, server) = ("203.0.113.7:31000", "10.0.0.2:5000");
    let streams = vec![stream(0, SECOND, nat, server, 500), stream(1, SECOND, server, nat, 500)];
    let pairs = paths(("192.168.1.5", 4000, ""), ("10.0.0.2", 5000, ""), streams);
    let [pair] = pairs.as_slice() else { panic!("{pairs:?}") };
    let end = |text| crate::store::sample::endpoint(text);
    let expected = Some((end(nat), end("192.168.1.5:4000")));
    assert_eq!((pair.there.translated, pair.back.translated), (expected, expected));
    assert!(!pair.is_one_way(at(12 * SECOND)));
}

#[test]
fn an_end_that_an_earlier_description_named_is_no_nat() {
    let again = response("200 OK", "one", "2 INVITE");
    let messages = vec![
        message(1, 0, A, B, &sdp(&invite(), "10.0.0.7", 4000, "")),
        message(2, SECOND, B, A, &sdp(&ok(), "10.0.0.2", 5000, "")),
        message(3, 9 * SECOND, A, B, &sdp(&request("INVITE", "one", "2 INVITE"), "10.0.0.1", 4000, "")),
        message(4, 9 * SECOND, B, A, &sdp(&again, "10.0.0.2", 5000, "")),
    ];
    let pairs = of_messages(messages, vec![stream(0, SECOND, "10.0.0.7:4000", "10.0.0.2:5000", 400)]);
    assert_eq!((pairs[0].there.stream, pairs[0].there.translated), (Some(StreamKey(0)), None));
}

#[test]
fn a_proxy_that_passes_sdp_on_makes_no_second_pair_and_a_relay_does() {
    let (a, p, b) = ("10.0.0.1:5060", "10.0.0.9:5060", "10.0.0.2:5062");
    let through = |relay: (&str, u16), back: (&str, u16)| {
        vec![
            message(1, 0, a, p, &sdp(&invite(), "10.0.0.1", 4000, "")),
            message(2, 1, p, b, &sdp(&invite(), relay.0, relay.1, "")),
            message(3, SECOND, b, p, &sdp(&ok(), "10.0.0.2", 5000, "")),
            message(4, SECOND + 1, p, a, &sdp(&ok(), back.0, back.1, "")),
        ]
    };
    let same = of_messages(through(("10.0.0.1", 4000), ("10.0.0.2", 5000)), Vec::new());
    assert_eq!(same.len(), 1);
    assert!(same[0].there.due.is_some());
    let relayed = of_messages(
        through(("10.0.0.9", 6000), ("10.0.0.9", 6002)),
        vec![stream(0, SECOND, "10.0.0.9:6000", "10.0.0.2:5000", 500)],
    );
    assert_eq!(relayed.len(), 2);
    assert_eq!(relayed[0].there.stream, Some(StreamKey(0)), "what is heard stands first");
}

#[test]
fn a_new_offer_replaces_the_ends_and_a_stream_without_sdp_has_its_own_pair() {
    let again = request("INVITE", "one", "2 INVITE");
    let messages = vec![
        message(1, 0, A, B, &sdp(&invite(), "10.0.0.1", 4000, "")),
        message(2, SECOND, B, A, &sdp(&ok(), "10.0.0.2", 5000, "")),
        message(3, 20 * SECOND, A, B, &sdp(&again, "10.0.0.1", 4100, "")),
        message(4, 21 * SECOND, B, A, &sdp(&response("200 OK", "one", "2 INVITE"), "10.0.0.2", 5000, "")),
    ];
    // The second sends to another port than the first sends from.
    let stray = stream(0, SECOND, "10.0.0.7:9000", "10.0.0.8:9000", 500);
    let back = stream(1, SECOND, "10.0.0.8:9000", "10.0.0.7:9002", 500);
    let pairs = of_messages(messages, vec![stray, back]);
    assert_eq!(pairs.len(), 2);
    assert_eq!((pairs[0].there.stream, pairs[0].back.stream), (Some(StreamKey(0)), Some(StreamKey(1))));
    let announced = &pairs[1];
    assert_eq!(announced.there.sender, Some(crate::store::sample::endpoint("10.0.0.1:4100")));
    assert_eq!(announced.there.due, Some(at(20 * SECOND)), "since the new ends were announced");
}
