//! Messages and calls made from text, for the tests of what is drawn and written from them.

use std::sync::Arc;

use super::snapshot::SourceView;
use crate::counters::Lost;
use crate::packet::{Endpoint, FlowKey, PacketId, Transport};
use crate::sip::parse::parse_datagram;
use crate::sip::{HeaderName, Method};
use crate::time::Timestamp;
use crate::track::call::{Call, CallKey, CallKind, CallState, Party, Timing};
use crate::track::message::{Message, MessageLog};
use crate::track::stream::{Quality, Stream, StreamKey};

/// 2016-05-18T18:23:15Z and so many microseconds.
pub fn at(micros: i64) -> Timestamp {
    Timestamp::from_parts(1_463_595_795, micros * 1_000)
}

/// A file that was read to its end.
pub fn source(name: &str) -> SourceView {
    SourceView {
        inputs: vec![name.into()],
        name: name.into(),
        live: false,
        link: String::new(),
        filter: String::new(),
        packets: 0,
        progress: None,
        lost: Lost::default(),
        facts: Default::default(),
        truncated: false,
        ended: true,
        trouble: None,
    }
}

/// `10.0.0.1:5060`.
pub fn endpoint(text: &str) -> Endpoint {
    let socket: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(socket.ip(), socket.port())
}

pub fn flow(src: &str, dst: &str) -> FlowKey {
    FlowKey { src: endpoint(src), dst: endpoint(dst) }
}

/// A message over UDP; `raw` is SIP with LF line ends. Its packet number is `number`, its ordinal one less.
pub fn message(number: u32, micros: i64, src: &str, dst: &str, raw: &str) -> Message {
    message_of(number, micros, src, dst, raw.replace('\n', "\r\n").as_bytes())
}

/// Like [`message`], from the very bytes.
pub fn message_of(number: u32, micros: i64, src: &str, dst: &str, raw: &[u8]) -> Message {
    let sip = parse_datagram(raw, true).unwrap();
    let has_sdp = sip.header(HeaderName::ContentType).is_some_and(|value| value.starts_with(b"application/sdp"));
    Message {
        ordinal: number - 1,
        at: at(micros),
        packets: [PacketId::new(0, u64::from(number))].into_iter().collect(),
        flow: flow(src, dst),
        transport: Transport::Udp,
        relayed_by: None,
        path: None,
        repeats: None,
        transaction: 0,
        branch: 0,
        dialog: None,
        has_sdp,
        sip,
    }
}

/// A request without a body.
pub fn request(method: &str, call_id: &str, cseq: &str) -> String {
    format!(
        "{method} sip:208@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\n\
         From: <sip:206@example.com>;tag=a\nTo: <sip:208@example.com>\nCall-ID: {call_id}\nCSeq: {cseq}\n\n"
    )
}

/// A response without a body; `status` is `200 OK`.
pub fn response(status: &str, call_id: &str, cseq: &str) -> String {
    format!(
        "SIP/2.0 {status}\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\nFrom: <sip:206@example.com>;tag=a\n\
         To: <sip:208@example.com>;tag=b\nCall-ID: {call_id}\nCSeq: {cseq}\n\n"
    )
}

/// The same message with an SDP body that announces this audio port.
pub fn with_sdp(raw: &str, port: u16) -> String {
    let body = format!("v=0\nc=IN IP4 10.0.0.1\nm=audio {port} RTP/AVP 0\n");
    let length = body.replace('\n', "\r\n").len();
    let head = raw.strip_suffix('\n').unwrap();
    format!("{head}Content-Type: application/sdp\nContent-Length: {length}\n\n{body}")
}

/// A call of these messages; what tracking would find out is set by the test that needs it.
pub fn call(key: u64, call_id: &str, messages: Vec<Message>) -> Call {
    let first = messages.first().unwrap().clone();
    let last = messages.last().unwrap().at;
    let retransmissions = messages.iter().filter(|message| message.repeats.is_some()).count() as u64;
    let mut log = MessageLog::default();
    let message_count = messages.len() as u64;
    for message in messages {
        log.push(Arc::new(message));
    }
    let method = first.sip.method().cloned().unwrap_or(Method::Invite);
    Call {
        key: CallKey(key),
        call_id: call_id.into(),
        kind: if method == Method::Invite { CallKind::Invite } else { CallKind::Other },
        method,
        from: party("206"),
        to: party("208"),
        src: first.flow.src,
        dst: first.flow.dst,
        transport: first.transport,
        state: CallState::Setup,
        status: None,
        reason: "".into(),
        ended_by: None,
        cause: None,
        started: first.at,
        last,
        ended: None,
        timing: Timing::default(),
        message_count,
        retransmissions,
        branches: 1,
        forwarded: 0,
        dialogs: Vec::new(),
        codecs: Arc::new([]),
        streams: Vec::new(),
        subscription: None,
        identities: Arc::default(),
        messages: Arc::new(log),
        facts: Arc::default(),
    }
}

pub fn party(user: &str) -> Party {
    Party { user: user.into(), uri: format!("sip:{user}@example.com").into(), display: "".into() }
}

/// A PCMU stream of so many packets, from `micros` on.
pub fn stream(key: u64, micros: i64, src: &str, dst: &str, packets: u64) -> Stream {
    Stream {
        key: StreamKey(key),
        flow: flow(src, dst),
        ssrc: 0x6AB2_1E82,
        payload_type: 0,
        codec: Some("PCMU".into()),
        packets,
        payload_bytes: packets * 160,
        first: at(micros),
        last: at(micros + 20_000 * packets as i64),
        call: None,
        quality: Arc::new(Quality { expected: packets + 2, lost: 2, ..Quality::default() }),
    }
}
