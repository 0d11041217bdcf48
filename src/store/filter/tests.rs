use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::*;
use crate::event::PacketIds;
use crate::packet::{Endpoint, FlowKey, Transport};
use crate::rtp::figures::Percentiles;
use crate::rtp::mos::{self, Codec, Options};
use crate::rtp::playout::Loss;
use crate::sip::Method;
use crate::store::sample;
use crate::time::Elapsed;
use crate::track::call::*;
use crate::track::message::{Message, MessageLog};

const NOTIFY: &str =
    "NOTIFY sip:207@10.1.1.171 SIP/2.0\r\nX-Tenant: Acme\r\n folded\r\nContent-Length: 9\r\n\r\nconfirmed";

/// The stream of the call: 3 % lost, which makes a MOS of 4.1, and jitter up to 45 ms.
fn streams() -> Rows<Stream> {
    let row = mos::row(&Codec { name: "PCMU", ..Codec::default() }, &Options::default()).unwrap();
    let mut stream = sample::stream(0, 0, "10.1.1.123:4000", "10.1.1.124:5000", 1_000);
    stream.quality = Arc::new(crate::track::stream::Quality {
        expected: 1_000,
        lost: 30,
        jitter_percentiles: Some(Percentiles { p50: 2.0, p95: 45.0, p99: 60.0 }),
        score: row.listening(&Loss { expected: 1_000, lost: 30, discarded: 0, runs: 30 }),
        ..Default::default()
    });
    let mut rows = Rows::default();
    rows.push(stream);
    rows
}

fn call() -> Call {
    let endpoint = |last, port| Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, last)), port);
    let party =
        |user: &str| Party { user: user.into(), uri: format!("sip:{user}@pbx.example").into(), ..Party::default() };
    let started = Timestamp::from_parts(1_000, 0);
    let mut messages = MessageLog::default();
    let sip = crate::sip::parse::parse_datagram(NOTIFY.as_bytes(), true).unwrap();
    messages.push(Arc::new(Message {
        ordinal: 0,
        at: started,
        packets: PacketIds::new(),
        flow: FlowKey { src: endpoint(9, 5070), dst: endpoint(68, 5060) },
        transport: Transport::Udp,
        relayed_by: None,
        path: None,
        repeats: None,
        transaction: 0,
        branch: 0,
        dialog: None,
        has_sdp: false,
        sip,
    }));
    Call {
        key: CallKey(1),
        call_id: "59E9cf01@10.1.1.123".into(),
        kind: CallKind::Invite,
        method: Method::Invite,
        from: party("206"),
        to: party("208"),
        src: endpoint(123, 5060),
        dst: endpoint(68, 5060),
        transport: Transport::Udp,
        state: CallState::InCall,
        status: Some(200),
        reason: "OK".into(),
        ended_by: None,
        cause: None,
        started,
        last: started,
        ended: None,
        timing: Timing { pdd: Some(Elapsed::from_millis(180)), answered: Some(started), ..Timing::default() },
        message_count: 9,
        retransmissions: 0,
        branches: 1,
        forwarded: 0,
        dialogs: Vec::new(),
        codecs: Arc::new(["PCMU".into()]),
        streams: vec![crate::track::stream::StreamKey(0)],
        subscription: None,
        identities: Arc::default(),
        messages: Arc::new(messages),
        facts: Arc::default(),
    }
}

fn matches(text: &str) -> bool {
    let now = Timestamp::from_parts(1_090, 0);
    Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).matches(&call(), &streams(), Some(now))
}

#[test]
fn what_matches() {
    for text in [
        "",
        "206",
        "59e9CF",
        "callid ~ \"59e9cf01\"",
        "callid ~ 59e9 and to == 208",
        "from = 206",
        "from ~ ^20[68]$",
        "state == in_call",
        "status == 200",
        "status>=200 status<300",
        "src == 10.1.1.123",
        "src == 10.1.1.123:5060",
        "ip == 10.1.0.0/16",
        "ip == 10.1.1.9",
        "not ip == 10.2.0.0/16",
        "pdd > 100",
        "pdd < 0.2s",
        "talk == 90",
        "talk >= 1m",
        "payload ~ confirmed",
        "header.x-tenant ~ \"acme folded\"",
        "(to == 9 or to == 208) !failed",
        "up",
        "codec == pcmu",
        "method != REGISTER",
        "to !~ 209",
        "200",
        "10.1.1.68",
        "a or 208 and 206",
    ] {
        assert!(matches(text), "should match: {text}");
    }
}

#[test]
fn what_does_not() {
    for text in [
        "209",
        "callid == 59e9cf01",
        "state == failed",
        "status > 200",
        "src == 10.1.1.68",
        "ip == 10.2.0.0/16",
        "talk > 2m",
        "problems",
        "payload ~ terminated",
        "header.x-tenant == acme",
        "endedby == caller",
        "ring > 0",
        "from == 206 and to == 206",
        "not 206",
    ] {
        assert!(!matches(text), "should not match: {text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let error = |text: &str| Filter::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(error("from ~ \"abc").at, 7);
    assert_eq!(error("208 nofield == 3").at, 4);
    assert_eq!(error("(208").at, 0);
    assert_eq!(error("208)").at, 3);
    assert_eq!(error("status == x").at, 10);
    assert_eq!(error("from < 3").at, 7);
    assert_eq!(error("from ~ \"(\"").at, 7);
    assert!(error("208 and").message.contains("missing"));
    assert!(error("pdd > 3parsec").message.contains("unit"));
    assert!(Filter::parse(&"(".repeat(10_000)).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~é≠\\t]{0,60}") {
        if let Ok(filter) = Filter::parse(&text) {
            filter.matches(&call(), &streams(), None);
        }
    }
}

#[test]
fn how_a_call_sounds_is_a_field() {
    for text in
        ["mos<4.2", "mos > 4", "loss>1", "loss == 3", "jitter>30", "jitter > 40ms", "jitter <= 0.05s", "not mos < 3.6"]
    {
        assert!(matches(text), "{text}");
    }
    for text in ["mos<3.6", "loss > 3", "jitter>50"] {
        assert!(!matches(text), "{text}");
    }
    assert!(
        !Filter::parse("mos < 5").unwrap().matches(&call(), &Rows::default(), None),
        "without streams there is no MOS"
    );
    assert!(Filter::parse("208 or not (loss > 2)").unwrap().asks_streams());
    assert!(!Filter::parse("208 and talk > 5").unwrap().asks_streams());
}
