//! Calls and snapshots made by hand, in packet time.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use sipwatch::counters::Lost;
use sipwatch::packet::{Endpoint, Transport};
use sipwatch::sip::Method;
use sipwatch::store::rows::Rows;
use sipwatch::store::snapshot::{CaptureView, Snapshot, SourceView};
use sipwatch::store::stats::Stats;
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
    watch.subscription = Some(SubscriptionInfo {
        event: "dialog".into(),
        event_id: None,
        resource: "~~rl~C~207".into(),
        granted_s: Some(1_800),
        expires_at: Some(at(1_929.0)),
        reason: None,
        notifies: 3,
    });
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

/// A live capture at a phone system, 177 seconds after ten.
pub fn snapshot() -> Snapshot {
    let stats = Stats { message_rate: vec![12, 31], packet_rate: vec![8_000, 8_420], messages: 60, ..Stats::default() };
    let capture = CaptureView {
        sources: vec![source("eth0", true)],
        first: Some(at(0.0)),
        last: Some(at(177.0)),
        queue: (0, 256),
        ..CaptureView::default()
    };
    Snapshot {
        generation: 1,
        now: Some(at(177.0)),
        calls: rows(calls()),
        stats: Arc::new(stats),
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
