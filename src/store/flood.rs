//! Endless input of every kind: what is kept stays within its limit.

use super::*;
use crate::event::{PacketIds, RtpSample, SipArrival, TcpFact, TcpSign, Trace};
use crate::limits::{CALL_DIALOGS, CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES, CALL_MEDIA, SIGNALLING_FLOWS, STAT_NAMES};
use crate::packet::{Endpoint, PacketId, Transport};
use crate::sip::parse::parse_datagram;
use crate::time::Elapsed;

/// Far more than any limit of these tests.
const FLOOD: u32 = 6_000;

fn at(millis: u32) -> Timestamp {
    Timestamp::from_parts(1_700_000_000, 0).after(Elapsed::from_millis(i64::from(millis)))
}

fn flow(src: u32, dst: u32) -> FlowKey {
    let end = |number: u32| Endpoint::new(IpAddr::from(number.to_be_bytes()), 5_060);
    FlowKey { src: end(src), dst: end(dst) }
}

struct Flood {
    store: Store,
    changes: Vec<Change>,
    sent: u32,
}

impl Flood {
    fn new(options: StoreOptions) -> Self {
        Self { store: Store::new(options), changes: Vec::new(), sent: 0 }
    }

    fn send(&mut self, flow: FlowKey, text: &str) {
        self.sent += 1;
        let arrival = SipArrival {
            at: at(self.sent),
            packets: PacketIds::from_slice(&[PacketId::new(0, u64::from(self.sent))]),
            flow,
            transport: Transport::Udp,
            relayed_by: None,
            path: None,
            message: parse_datagram(text.as_bytes(), true).unwrap(),
        };
        self.event(Event::Sip(Box::new(arrival)));
    }

    fn event(&mut self, event: Event) {
        self.changes.clear();
        self.store.apply(&mut Decoded { events: vec![event], ..Decoded::default() }, &mut self.changes);
    }
}

fn request(method: &str, call_id: &str, number: u32, more: &str) -> String {
    format!(
        "{method} sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{number}\r\nFrom: <sip:a@x>;tag=f{number}\r\n\
         To: <sip:b@x>\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n{more}"
    )
}

#[test]
fn endless_call_ids_with_alarms_years_ahead() {
    let mut flood = Flood::new(StoreOptions { calls: 50, ..StoreOptions::default() });
    for number in 0..FLOOD {
        let id = number.to_string();
        let register = request("REGISTER", &id, number, "Contact: <sip:a@h>\r\nExpires: 4294967295\r\n\r\n");
        flood.send(flow(1, 2), &register);
        let ok = register.replace("REGISTER sip:b@x SIP/2.0", "SIP/2.0 200 OK");
        flood.send(flow(2, 1), &ok);
        let sdp = format!(
            "Content-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 10.0.0.1\r\nm=audio {} RTP/AVP 0\r\n",
            number % 60_000
        );
        flood.send(flow(1, number), &request("INVITE", &format!("i{id}"), number, &sdp));
    }
    let store = &flood.store;
    assert_eq!(store.collector.peers(), STAT_PEERS);
    assert_eq!((store.calls.len(), store.entries.len(), store.by_id.len()), (50, 50, 50));
    assert!(store.alarms.len() <= 2 * 50 + 1_024 + 1, "{}", store.alarms.len());
    assert!(store.media.len() <= 50 * CALL_MEDIA, "{}", store.media.len());
}

#[test]
fn endless_senders_without_a_call_id() {
    let mut flood = Flood::new(StoreOptions { calls: 50, ..StoreOptions::default() });
    for number in 0..FLOOD {
        flood.send(flow(number, 0), "OPTIONS sip:b@x SIP/2.0\r\n\r\n");
        flood.send(flow(number, 1), "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n");
    }
    assert_eq!((flood.store.calls.len(), flood.store.nameless.len()), (50, 50));
}

#[test]
fn endless_messages_forks_dialogs_methods_and_statuses_of_one_call() {
    let mut flood = Flood::new(StoreOptions::default());
    for number in 0..FLOOD {
        flood.send(flow(1, number % 5_000), &request("INVITE", "one", number, "\r\n"));
        let answer = request("INVITE", "one", number, "\r\n")
            .replace("INVITE sip:b@x SIP/2.0", &format!("SIP/2.0 {} Hm", 180 + number % 400))
            .replace("To: <sip:b@x>", &format!("To: <sip:b@x>;tag=t{number}"));
        flood.send(flow(number % 5_000, 1), &answer);
        flood.send(flow(1, 2), &request(&format!("M{number}"), "one", number, "\r\n"));
    }
    let call = flood.store.calls.get(0).unwrap();
    assert_eq!(call.message_count, u64::from(3 * FLOOD));
    assert_eq!(call.messages.len(), CALL_FIRST_MESSAGES + CALL_LAST_MESSAGES);
    assert_eq!(call.dialogs.len(), CALL_DIALOGS);
    assert_eq!(flood.store.bytes, call.messages.bytes() + row_bytes(call));
    let stats = flood.store.snapshot(Arc::default()).stats;
    assert!(stats.requests.len() <= STAT_NAMES && stats.responses.len() <= STAT_NAMES);
}

#[test]
fn endless_bytes() {
    let limit = 1 << 20;
    let mut flood = Flood::new(StoreOptions { sip_bytes: limit, ..StoreOptions::default() });
    for number in 0..FLOOD {
        let body = "x".repeat(5_000);
        flood.send(flow(1, 2), &request("MESSAGE", &number.to_string(), number, &format!("\r\n{body}")));
    }
    assert!(flood.store.bytes <= limit && flood.store.calls.len() > 50, "{}", flood.store.calls.len());
}

#[test]
fn endless_streams() {
    let mut flood = Flood::new(StoreOptions { streams: 50, ..StoreOptions::default() });
    for ssrc in 0..FLOOD {
        let sample = |sequence: u16| RtpSample {
            at: at(ssrc),
            packet: PacketId::new(0, 1),
            trace: Trace::default(),
            flow: flow(1, ssrc % 100),
            ssrc,
            timestamp: 0,
            sequence,
            payload_type: 0,
            marker: false,
            payload_len: 160,
            head: None,
        };
        let rtp = (0..5).map(sample).collect();
        flood.store.apply(&mut Decoded { rtp, ..Decoded::default() }, &mut flood.changes);
    }
    let (kept, candidates, evicted) = flood.store.streams.usage();
    assert_eq!((kept, evicted), (50, u64::from(FLOOD) - 50));
    assert!(candidates <= STREAM_CANDIDATES);
    assert!(flood.store.streams.remembered() <= 50 + 100, "{}", flood.store.streams.remembered());
    assert_eq!(flood.store.streams().iter().filter(|stream| stream.packets == 5).count(), 50);
}

#[test]
fn endless_facts_and_flows() {
    let mut flood = Flood::new(StoreOptions::default());
    for number in 0..40 {
        flood.send(flow(1, 2), &request("INVITE", &number.to_string(), number, "\r\n"));
    }
    for number in 0..3 * SIGNALLING_FLOWS as u32 {
        let fact = |flow| TcpFact { at: at(number), packet: PacketId::new(0, 1), flow, kind: TcpSign::Abort };
        if number < FLOOD {
            flood.event(Event::TcpFlow(fact(flow(2, 1))));
        }
        flood.event(Event::TcpFlow(fact(flow(number, 3))));
    }
    let facts: Vec<usize> = flood.store.calls.iter().map(|call| call.facts.len()).collect();
    assert!(facts.iter().all(|count| *count <= CALL_FACTS), "{facts:?}");
    assert!(facts.iter().any(|count| *count > CALL_FACTS / 2), "{facts:?}");
    assert!(flood.store.flows.len() <= 2 * SIGNALLING_FLOWS);
}
