//! Calls and snapshots made by hand, in packet time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use sipwatch::counters::{DecodeCounters, Layer, Lost, Malformed};
use sipwatch::packet::{Endpoint, LinkType, PacketId, PacketMeta, Transport};
use sipwatch::sip::Method;
use sipwatch::store::rows::Rows;
use sipwatch::store::snapshot::{CaptureView, MemoryUse, Snapshot, SourceView};
use sipwatch::store::stats::{Delays, PeerStat, RequestStat, Stats};
use sipwatch::time::{Elapsed, Timestamp};
use sipwatch::track::call::{Call, CallKey, CallKind, CallState, EndedBy, Identities, Party, SubscriptionInfo, Timing};
use sipwatch::track::message::MessageLog;

/// 2024-05-14 10:00:00 UTC.
const START: i64 = 1_715_680_800;

pub fn at(seconds: f64) -> Timestamp {
    Timestamp::from_parts(START, (seconds * 1e9) as i64)
}

pub fn end(last: u8, port: u16) -> Endpoint {
    Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, last)), port)
}

pub fn party(user: &str) -> Party {
    Party { user: user.into(), uri: format!("sip:{user}@pbx.example.com").into(), ..Party::default() }
}

/// A call in the given state, started so many seconds after ten o'clock.
pub fn call(kind: CallKind, from: &str, to: &str, state: CallState, started: f64) -> Call {
    let method = match kind {
        CallKind::Invite => Method::Invite,
        CallKind::Subscribe => Method::Subscribe,
        CallKind::Register => Method::Register,
        _ => Method::Options,
    };
    Call {
        key: CallKey(0),
        call_id: format!("{from}-{to}-{started}@10.1.1.123").into(),
        kind,
        method,
        from: party(from),
        to: party(to),
        src: end(123, 5060),
        dst: end(68, 5060),
        transport: Transport::Udp,
        state,
        status: None,
        reason: "".into(),
        ended_by: None,
        cause: None,
        started: at(started),
        last: at(started + 1.0),
        ended: None,
        timing: Timing::default(),
        message_count: 6,
        retransmissions: 0,
        branches: 1,
        forwarded: 0,
        dialogs: Vec::new(),
        codecs: Arc::new([]),
        streams: Vec::new(),
        subscription: None,
        identities: Arc::new(Identities::default()),
        messages: Arc::new(MessageLog::default()),
        facts: Arc::new(Vec::new()),
    }
}

fn calls() -> Vec<Call> {
    use CallKind::{Invite, Options, Register, Subscribe};
    let ms = |n| Some(Elapsed::from_millis(n));
    let mut up = call(Invite, "206", "208", CallState::InCall, 131.0);
    up.timing = Timing { pdd: ms(180), setup: ms(3_420), answered: Some(at(134.4)), ..Timing::default() };
    up.message_count = 9;
    up.codecs = Arc::new(["PCMU".into(), "telephone-event".into()]);
    let mut ringing = call(Invite, "+442079460123", "lisa", CallState::Ringing, 168.0);
    ringing.timing.pdd = ms(92);
    ringing.retransmissions = 2;
    let mut busy = call(Invite, "206", "209", CallState::Failed, 62.0);
    busy.timing.pdd = ms(60);
    busy.status = Some(486);
    busy.reason = "Busy Here".into();
    busy.message_count = 5;
    let mut done = call(Invite, "210", "206", CallState::Completed, 5.0);
    done.timing = Timing {
        pdd: ms(1_240),
        setup: ms(6_100),
        answered: Some(at(11.1)),
        hung_up: Some(at(53.5)),
        ..Timing::default()
    };
    done.ended_by = Some(EndedBy::Caller);
    done.ended = Some(at(53.6));
    done.cause = Some("Q.850;cause=16;text=\"Normal call clearing\"".into());
    let mut watch = call(Subscribe, "207", "~~rl~C~207", CallState::Active, 11.0);
    watch.subscription = Some(Box::new(SubscriptionInfo {
        event: "dialog".into(),
        event_id: None,
        resource: "~~rl~C~207".into(),
        granted_s: Some(1_800),
        expires_at: Some(at(1_929.0)),
        reason: None,
        notifies: 3,
    }));
    let mut phone = call(Register, "206", "206", CallState::Registered, 2.0);
    phone.status = Some(200);
    phone.timing.challenges = 1;
    let mut trunk = call(Options, "pbx", "trunk.example.net", CallState::Ok, 3.0);
    trunk.status = Some(200);
    trunk.reason = "OK".into();
    let mut odd = call(Invite, "a\u{1b}[31m\u{7}", "b\u{202e}\u{9b}c", CallState::Cancelled, 80.0);
    odd.ended_by = Some(EndedBy::Caller);
    let mut calls = vec![phone, trunk, done, watch, busy, odd, up, ringing];
    calls.sort_by_key(|call| call.started);
    calls
}

pub fn source(name: &str, live: bool) -> SourceView {
    SourceView {
        inputs: vec![name.into()],
        name: name.into(),
        live,
        link: "Ethernet".into(),
        filter: String::new(),
        packets: 12_345,
        progress: None,
        lost: Lost::default(),
        truncated: false,
        ended: false,
        trouble: None,
    }
}

pub fn rows(calls: Vec<Call>) -> Rows<Call> {
    let mut rows = Rows::default();
    for mut call in calls {
        call.key = CallKey(rows.next_ordinal());
        rows.push(call);
    }
    rows
}

fn delays(count: u64, p50: f64, p95: f64, max: f64) -> Delays {
    Delays { count, min: p50 / 2.0, p50, p95, max }
}

fn stats() -> Stats {
    let request = |count, retransmissions, response| RequestStat { count, retransmissions, response };
    let rate = |n: u32, most: u32| (0..n).map(|i| (i * 7 + i * i % 11) % most).collect::<Vec<_>>();
    let peer = |last: u8, attempts, answered| PeerStat {
        address: IpAddr::V4(Ipv4Addr::new(10, 1, 1, last)),
        attempts,
        answered,
        user_side: attempts / 5,
        talk_s: answered as f64 * 93.0,
        up: 1,
        options: if last == 70 { delays(120, 3.2, 8.1, 41.0) } else { Delays::default() },
        messages: 4_000 - u64::from(last),
    };
    let mut message_rate = rate(60, 37);
    message_rate.extend([31, 4]);
    Stats {
        messages: 12_345,
        retransmissions: 17,
        transports: [12_000, 345, 0, 0],
        requests: BTreeMap::from([
            (Method::Invite, request(214, 12, delays(200, 2_100.0, 9_000.0, 32_000.0))),
            (Method::Ack, request(190, 0, Delays::default())),
            (Method::Bye, request(120, 0, delays(120, 4.1, 9.0, 31.0))),
            (Method::Register, request(96, 5, delays(96, 2.0, 6.5, 12.0))),
            (Method::Subscribe, request(48, 0, delays(48, 3.0, 9.5, 15.0))),
            (Method::Notify, request(312, 0, delays(310, 3.3, 20.0, 200.0))),
            (Method::Options, request(1_200, 0, delays(1_199, 3.2, 8.1, 41.0))),
        ]),
        responses: BTreeMap::from([
            (100, (214, 0)),
            (180, (190, 2)),
            (200, (1_900, 3)),
            (302, (2, 0)),
            (401, (96, 0)),
            (486, (12, 0)),
            (503, (3, 0)),
        ]),
        pdd: delays(200, 92.0, 1_240.0, 3_100.0),
        setup: delays(170, 3_420.0, 12_100.0, 24_000.0),
        ring: delays(168, 3_200.0, 11_900.0, 23_000.0),
        auth: delays(40, 3.1, 9.0, 12.0),
        registration: delays(96, 2.0, 6.5, 12.0),
        release: delays(120, 4.1, 9.0, 31.0),
        attempts: 214,
        answered: 170,
        user_side: 30,
        talk_s: 15_810.0,
        talked: 165,
        calls_up: 5,
        calls_setup: 2,
        message_rate,
        call_rate: rate(60, 5),
        packet_rate: rate(59, 8_000).into_iter().chain([8_420, 700]).collect(),
        rtp_packets: 500_000,
        rtcp_packets: 1_200,
        peers: vec![peer(68, 214, 170), peer(70, 90, 60), peer(123, 0, 0)],
        ..Stats::default()
    }
}

fn decoded() -> DecodeCounters {
    let mut decode = DecodeCounters { packets: 12_345, bytes: 3_000_000, ..DecodeCounters::default() };
    decode.passed = BTreeMap::from([("arp", 120), ("tcp", 4_000), ("other udp", 33)]);
    for number in 1..=3 {
        let meta = PacketMeta {
            id: PacketId::new(0, 7_000 + number),
            at: at(number as f64),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: 1_514,
        };
        let what = [
            Malformed::new(Layer::Ip, "cut inside the IP header"),
            Malformed::new(Layer::Sip, "no empty line after the headers"),
        ];
        decode.malformed(
            meta,
            what[number as usize % 2],
            b"\x45\x00\x1b[31mINVITE sip:208@pbx.example.com SIP/2.0\r\n",
        );
    }
    decode
}

/// A live capture at a phone system, 177 seconds after ten.
pub fn snapshot() -> Snapshot {
    let memory = |what, used, limit, unit, evicted| MemoryUse { what, used, limit, unit, evicted };
    let capture = CaptureView {
        sources: vec![source("eth0", true)],
        first: Some(at(0.0)),
        last: Some(at(177.0)),
        queue: (2, 256),
        decode: decoded(),
        memory: vec![memory("calls", 214, 200_000, "calls", 0), memory("SIP memory", 40 << 20, 768 << 20, "bytes", 12)],
        ..CaptureView::default()
    };
    Snapshot {
        generation: 1,
        now: Some(at(177.0)),
        calls: rows(calls()),
        stats: Arc::new(stats()),
        capture: Arc::new(capture),
        ..Snapshot::default()
    }
}

/// The same with `count` calls.
pub fn many(count: usize) -> Snapshot {
    let calls = (0..count).map(|n| {
        let state = if n % 7 == 0 { CallState::Failed } else { CallState::Completed };
        let mut call =
            call(CallKind::Invite, &format!("{}", 2_000 + n % 900), &format!("{}", 3_000 + n), state, n as f64 / 50.0);
        call.status = Some(if n % 7 == 0 { 486 } else { 200 });
        call
    });
    Snapshot { calls: rows(calls.collect()), ..snapshot() }
}
