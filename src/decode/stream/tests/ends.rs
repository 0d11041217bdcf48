//! Messages that do not say where they end.

use super::*;

/// A message of several segments, without Content-Length.
fn open_ended() -> String {
    let text = message("MESSAGE", "open", &body(40));
    let start = text.find("Content-Length").unwrap();
    let end = start + text[start..].find('\n').unwrap() + 1;
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn a_message_without_length_is_whole_when_nothing_comes_for_a_while() {
    let text = open_ended();
    let (first, rest) = text.as_bytes().split_at(1_000);
    let mut lab = Lab::connected();
    lab.data(0, 101, first);
    lab.wait(100);
    lab.data(0, 1_101, rest);
    lab.wait(200 - 1);
    assert!(lab.texts().is_empty());
    lab.wait(1);
    assert_eq!((lab.texts(), lab.packets()), (vec![text.clone()], vec![vec![4, 5]]));
    let notes = lab.arrivals()[0].message.notes();
    assert!(notes.contains(Notes::LENGTH_MISSING) && !notes.contains(Notes::CUT));
    let next = message("OPTIONS", "next", "");
    lab.data(0, 101 + text.len() as u32, next.as_bytes());
    assert_eq!(lab.texts(), [text, next]);
    assert!(lab.decoder.counters().streams.skipped.is_empty());
}

#[test]
fn the_other_side_does_not_wait_for_it() {
    let text = open_ended();
    let mut lab = Lab::connected();
    lab.data(0, 101, text.as_bytes());
    let answer = message("OPTIONS", "other", "");
    lab.data(1, 501, answer.as_bytes());
    assert_eq!(lab.texts(), [answer.as_str()]);
    lab.send(0, Sent { seq: 101 + text.len() as u32, ack: Some(501), fin: true, ..Sent::default() }, b"");
    assert_eq!(lab.texts(), [answer, text]);
}
