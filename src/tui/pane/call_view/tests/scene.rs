//! Calls put together from SIP text.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{IcmpFact, Quote, TcpFact, TcpSign};
use crate::packet::{Endpoint, FlowKey, PacketId, Transport};
use crate::sip::Method;
use crate::sip::parse::parse_datagram;
use crate::store::snapshot::Snapshot;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, CallKey, CallKind, CallState, EndedBy, Fact, Party, Timing};
use crate::track::message::{Message, MessageLog};
use crate::track::stream::{Stream, StreamKey};

/// 2016-05-18T10:02:14Z.
pub(super) const START: Timestamp = Timestamp::from_parts(1_463_565_734, 103_250_000);

pub(super) fn endpoint(text: &str) -> Endpoint {
    let text: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(text.ip(), text.port())
}

pub(super) fn after(millis: i64) -> Timestamp {
    START.after(Elapsed::from_millis(millis))
}

/// A call put together message by message, as the tracker would.
pub(super) struct Scene {
    pub(super) call: Call,
    /// The agent that sends copies of what follows.
    pub(super) agent: Option<Endpoint>,
    log: MessageLog,
    packet: u64,
    branches: HashMap<String, u16>,
    transactions: HashMap<String, u16>,
    seen: HashMap<(Vec<u8>, FlowKey), u32>,
}

impl Scene {
    pub(super) fn new(key: u64, from: &str, to: &str) -> Self {
        let party = |user: &str| Party { user: user.into(), uri: format!("sip:{user}@h").into(), display: "".into() };
        let call = Call {
            key: CallKey(key),
            call_id: format!("call-{key}@example.com").into(),
            kind: CallKind::Invite,
            method: Method::Invite,
            from: party(from),
            to: party(to),
            src: endpoint("10.1.1.123:5060"),
            dst: endpoint("10.1.1.68:5060"),
            transport: Transport::Udp,
            state: CallState::InCall,
            status: None,
            reason: "".into(),
            ended_by: None,
            cause: None,
            started: START,
            last: START,
            ended: None,
            timing: Timing::default(),
            message_count: 0,
            retransmissions: 0,
            branches: 1,
            forwarded: 0,
            dialogs: Vec::new(),
            codecs: vec!["PCMU".into()].into(),
            streams: Vec::new(),
            subscription: None,
            identities: Arc::default(),
            messages: Arc::default(),
            facts: Arc::default(),
        };
        Self {
            call,
            agent: None,
            log: MessageLog::default(),
            packet: key * 1000,
            branches: HashMap::new(),
            transactions: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// One message, `millis` after the start: `start` is its first line, `via` its branch.
    pub(super) fn say(&mut self, millis: i64, flow: (&str, &str), start: &str, via: &str, cseq: &str, rest: &str) {
        let text = format!(
            "{start}\nVia: SIP/2.0/UDP {};branch=z9hG4bK{via}\nFrom: \"206\" <sip:206@h>;tag=a1\nTo: <sip:208@h>\n\
             Call-ID: {}\nCSeq: {cseq}\n{rest}",
            flow.0, self.call.call_id
        );
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let (head, body) = (head.replace('\n', "\r\n"), body.replace('\n', "\r\n"));
        let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.raw(millis, flow, text.as_bytes(), via, cseq);
    }

    pub(super) fn raw(&mut self, millis: i64, flow: (&str, &str), bytes: &[u8], via: &str, cseq: &str) {
        let flow = FlowKey { src: endpoint(flow.0), dst: endpoint(flow.1) };
        let sip = parse_datagram(bytes, true).unwrap();
        self.packet += 1;
        let ordinal = u32::try_from(self.call.message_count).unwrap();
        let method = cseq.split(' ').next_back().unwrap_or_default().replace("ACK", "INVITE");
        let next = u16::try_from(self.transactions.len()).unwrap();
        let transaction = *self.transactions.entry(format!("{via} {method}")).or_insert(next);
        let next = u16::try_from(self.branches.len()).unwrap();
        let repeats = self.seen.get(&(bytes.to_vec(), flow)).copied();
        self.seen.entry((bytes.to_vec(), flow)).or_insert(ordinal);
        self.log.push(Arc::new(Message {
            ordinal,
            at: after(millis),
            packets: [PacketId::new(0, self.packet)].into_iter().collect(),
            flow,
            transport: Transport::Udp,
            relayed_by: self.agent,
            path: None,
            repeats,
            transaction,
            branch: *self.branches.entry(via.to_owned()).or_insert(next),
            dialog: None,
            has_sdp: bytes.windows(4).any(|four| four == b"v=0\r"),
            sip,
        }));
        self.call.message_count += 1;
        self.call.last = after(millis);
    }

    /// Changes the last message: how it came.
    pub(super) fn came(&mut self, change: impl FnOnce(&mut Message)) {
        let mut messages: Vec<Message> = self.log.iter().map(|message| Message::clone(message)).collect();
        messages.last_mut().map(change);
        self.log = MessageLog::default();
        for message in messages {
            self.log.push(Arc::new(message));
        }
    }

    pub(super) fn fact(&mut self, millis: i64, flow: (&str, &str), kind: TcpSign) {
        self.packet += 1;
        let flow = FlowKey { src: endpoint(flow.0), dst: endpoint(flow.1) };
        let fact = TcpFact { at: after(millis), packet: PacketId::new(0, self.packet), flow, kind };
        Arc::make_mut(&mut self.call.facts).push(Fact::Tcp(fact));
    }

    /// An error from `flow.1` about a message of `flow.0`.
    pub(super) fn icmp(&mut self, millis: i64, flow: (&str, &str), quote: Quote) {
        self.packet += 1;
        let quoted = FlowKey { src: endpoint(flow.0), dst: endpoint(flow.1) };
        let (packet, reporter, quote) = (PacketId::new(0, self.packet), quoted.dst.ip, Some(Arc::new(quote)));
        let fact = IcmpFact { at: after(millis), packet, reporter, quoted, what: "port unreachable", quote };
        Arc::make_mut(&mut self.call.facts).push(Fact::Icmp(fact));
    }

    pub(super) fn call(&self) -> Call {
        Call { messages: Arc::new(self.log.clone()), ..self.call.clone() }
    }
}

pub(super) const SDP: &str = "Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 10.1.1.123\ns=-\nc=IN IP4 10.1.1.123\nt=0 0\n\
    m=audio 4006 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=sendrecv\n";
/// The same from the other side.
pub(super) const ANSWER: &str = "Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 10.1.1.124\ns=-\nc=IN IP4 10.1.1.124\nt=0 0\n\
    m=audio 5004 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=sendrecv\n";
pub(super) const A: &str = "10.1.1.123:5060";
pub(super) const P: &str = "10.1.1.68:5060";
pub(super) const B: &str = "10.1.1.124:5060";
pub(super) const INVITE: &str = "INVITE sip:208@victoria.pingtel.com SIP/2.0";

/// A call through a proxy, with a retransmission, RTP, and a BYE from the caller.
pub(super) fn proxied() -> (Scene, Vec<Stream>) {
    let mut scene = Scene::new(0, "206", "208");
    scene.say(0, (A, P), INVITE, "1", "1 INVITE", SDP);
    scene.say(2, (P, A), "SIP/2.0 100 Trying", "1", "1 INVITE", "");
    scene.say(4, (P, B), INVITE, "2", "1 INVITE", SDP);
    scene.say(180, (B, P), "SIP/2.0 180 Ringing", "2", "1 INVITE", "");
    scene.say(181, (P, A), "SIP/2.0 180 Ringing", "1", "1 INVITE", "");
    scene.say(3_418, (B, P), "SIP/2.0 200 OK", "2", "1 INVITE", ANSWER);
    scene.say(3_420, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", ANSWER);
    scene.say(3_920, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", ANSWER);
    scene.say(3_931, (A, B), "ACK sip:208@10.1.1.124 SIP/2.0", "3", "1 ACK", "");
    scene.say(45_420, (A, B), "BYE sip:208@10.1.1.124 SIP/2.0", "4", "2 BYE", "");
    scene.say(45_433, (B, A), "SIP/2.0 200 OK", "4", "2 BYE", "");
    let stream = |key, src, dst, packets| Stream {
        key: StreamKey(key),
        flow: FlowKey { src: endpoint(src), dst: endpoint(dst) },
        ssrc: 0x6AB2_1E82,
        payload_type: 0,
        codec: Some("PCMU".into()),
        packets,
        payload_bytes: packets * 160,
        first: after(3_940),
        last: after(45_400),
        call: Some(CallKey(0)),
        quality: Arc::default(),
    };
    let streams = vec![
        stream(0, "10.1.1.123:4006", "10.1.1.124:5004", 2_130),
        stream(1, "10.1.1.124:5004", "10.1.1.123:4006", 2_128),
    ];
    scene.call.streams = vec![StreamKey(0), StreamKey(1)];
    scene.call.state = CallState::Completed;
    scene.call.ended_by = Some(EndedBy::Caller);
    scene.call.cause = Some("Q.850;cause=16 Normal call clearing".into());
    scene.call.timing = Timing { answered: Some(after(3_420)), hung_up: Some(after(45_420)), ..Timing::default() };
    scene.call.ended = Some(after(45_433));
    (scene, streams)
}

/// A call that is sent to three phones, the second of which answers.
pub(super) fn forked() -> Scene {
    let mut scene = Scene::new(1, "206", "sales");
    let phones = ["10.1.1.124:5060", "10.1.1.125:5060", "10.1.1.126:5062"];
    scene.say(0, (A, P), "INVITE sip:sales@h SIP/2.0", "1", "1 INVITE", SDP);
    for (i, phone) in phones.iter().enumerate() {
        scene.say(3 + i as i64, (P, phone), "INVITE sip:sales@h SIP/2.0", &format!("f{i}"), "1 INVITE", SDP);
    }
    for (i, phone) in phones.iter().enumerate() {
        scene.say(90 + 10 * i as i64, (phone, P), "SIP/2.0 180 Ringing", &format!("f{i}"), "1 INVITE", "");
    }
    scene.say(2_000, (phones[1], P), "SIP/2.0 200 OK", "f1", "1 INVITE", ANSWER);
    scene.say(2_001, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", ANSWER);
    scene.say(2_003, (P, phones[0]), "CANCEL sip:sales@h SIP/2.0", "f0", "1 CANCEL", "");
    scene.say(2_010, (phones[0], P), "SIP/2.0 487 Request Terminated", "f0", "1 INVITE", "");
    scene.fact(2_500, ("10.1.1.126:5062", P), TcpSign::Abort);
    scene.call.branches = 3;
    scene
}

pub(super) fn snapshot(calls: Vec<Call>, streams: Vec<Stream>) -> Snapshot {
    let mut snapshot = Snapshot { now: Some(after(60_000)), ..Snapshot::default() };
    for call in calls {
        // A call's key is its ordinal: the ordinals before it belong to calls that are gone.
        while snapshot.calls.next_ordinal() < call.key.0 {
            let gone = snapshot.calls.push(call.clone());
            snapshot.calls.remove(gone);
        }
        snapshot.calls.push(call);
    }
    for stream in streams {
        snapshot.streams.push(stream);
    }
    snapshot
}

/// A call that failed: the callee is busy.
pub(super) fn busy() -> Scene {
    let mut scene = Scene::new(0, "206", "209");
    scene.say(0, (A, P), "INVITE sip:209@h SIP/2.0", "1", "1 INVITE", SDP);
    scene.say(60, (P, A), "SIP/2.0 486 Busy Here", "1", "1 INVITE", "Warning: 399 h \"line 1 in use\"\n");
    scene.say(62, (A, P), "ACK sip:209@h SIP/2.0", "1", "1 ACK", "");
    scene.call.state = CallState::Failed;
    (scene.call.status, scene.call.reason) = (Some(486), "Busy Here".into());
    scene
}
