use super::*;
use crate::sip::notes::Notes;
use crate::store::sample::{at, call, message, message_of, request, response, stream};

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";

fn names() -> PacketNames {
    PacketNames::default()
}

#[test]
fn a_request_has_a_method_and_a_response_a_status() {
    let mut messages = vec![
        message(1, 0, A, B, &request("INVITE", "x", "1 INVITE")),
        message(2, 1, B, A, &response("486 Busy Here", "x", "1 INVITE")),
    ];
    messages[1].repeats = Some(0);
    let call = call(0, "x", messages);
    let lines: Vec<_> = call.messages.iter().map(|message| message_line(&call, message, &names())).collect();
    assert_eq!(
        lines[0],
        "{\"type\":\"message\",\"at\":\"2016-05-18T18:23:15.000000Z\",\"packets\":[1],\"src\":\"10.0.0.1:5060\",\
         \"dst\":\"10.0.0.2:5060\",\"transport\":\"udp\",\"call_id\":\"x\",\"cseq\":\"1 INVITE\",\"method\":\"INVITE\",\
         \"retransmission\":false,\"bytes\":171}"
    );
    assert!(lines[1].contains("\"status\":486,\"reason\":\"Busy Here\",\"retransmission\":true"), "{}", lines[1]);
    assert!(!lines[1].contains("method"));
}

#[test]
fn a_line_stays_a_line_whatever_the_packet_holds() {
    let raw = b"!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0\r\nCall-ID: in\x07t\0meth\x7f\xff\r\n\
        CSeq: 36893488147419103232\r\n  REGISTER\r\n\r\n";
    let message = message_of(1, 0, A, B, raw);
    let call_id = message.sip.call_id().unwrap().into_owned();
    let call = call(0, &call_id, vec![message.clone()]);
    let line = message_line(&call, &message, &names());
    assert!(!line.chars().any(char::is_control), "{line:?}");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["cseq"], "36893488147419103232 REGISTER");
    assert_eq!(value["method"], "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(value["call_id"], "in\u{7}t\0meth\u{7f}\u{fffd}");
    assert!(!message.sip.notes().contains(Notes::STATUS_RANGE));
}

#[test]
fn a_message_without_call_id_is_a_line_but_no_call() {
    let message = message_of(1, 0, A, B, b"OPTIONS sip:a SIP/2.0\r\n\r\n");
    let call = call(0, "", vec![message.clone()]);
    let value: serde_json::Value = serde_json::from_str(&message_line(&call, &message, &names())).unwrap();
    assert!(value["call_id"].is_null() && value["cseq"].is_null());
    assert_eq!(call_line(&call, &Rows::default()), None);
}

#[test]
fn calls_streams_and_losses_have_the_names_of_the_document() {
    let call = call(0, "x", vec![message(1, 0, A, B, &request("INVITE", "x", "1 INVITE"))]);
    let mut calls = Rows::default();
    let line = call_line(&call, &Rows::default()).unwrap();
    assert!(line.starts_with(
        "{\"type\":\"call\",\"at\":\"2016-05-18T18:23:15.000000Z\",\"call_id\":\"x\",\"kind\":\"invite\""
    ));
    calls.push(call);
    let mut media = stream(0, 10, "10.0.0.1:4006", "10.0.0.2:5004", 3);
    media.call = Some(crate::track::call::CallKey(0));
    let value: serde_json::Value = serde_json::from_str(&stream_line(&media, &calls)).unwrap();
    assert_eq!((&value["type"], &value["call_id"], &value["lost"]), (&"stream".into(), &"x".into(), &2.into()));
    let lost = lost_line(at(1), Lost { kernel: 1, interface: 0, queue: 2 });
    assert_eq!(
        lost,
        "{\"type\":\"lost\",\"at\":\"2016-05-18T18:23:15.000001Z\",\"kernel\":1,\"interface\":0,\"queue\":2}"
    );
}
