use proptest::prelude::*;

use super::*;
use crate::event::{PacketIds, RtpSample, SipArrival, Trace};
use crate::limits::DUPLICATE_MS;
use crate::packet::{Endpoint, PacketId, Transport};
use crate::sip::parse::parse_datagram;
use crate::track::call::{CallKind, CallState};

fn message(what: &str, call: u8, cseq: u8, tag: u8, hop: u8) -> (Vec<u8>, FlowKey) {
    let host = |number: u8| Endpoint::new([10, 0, 0, number].into(), 5_060);
    let (client, server) = (host(hop), host(hop + 1));
    let (status, method) = what.split_once('/').unwrap_or(("", what));
    let start = match status {
        "" => format!("{method} sip:b@x SIP/2.0"),
        status => format!("SIP/2.0 {status} Text"),
    };
    let to_tag = if tag == 0 { String::new() } else { format!(";tag=t{tag}") };
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP h{hop};branch=z9hG4bK{hop}.{cseq}.{}\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>{to_tag}\r\n\
         Call-ID: {call}\r\nCSeq: {cseq} {method}\r\nEvent: dialog\r\nSubscription-State: active\r\nExpires: 5\r\n\
         Contact: <sip:a@h>\r\nContent-Length: 0\r\n\r\n",
        if method == "CANCEL" { "INVITE" } else { method },
    );
    let flow = if status.is_empty() { (client, server) } else { (server, client) };
    (text.into_bytes(), FlowKey { src: flow.0, dst: flow.1 })
}

const WHAT: [&str; 22] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "REGISTER",
    "SUBSCRIBE",
    "NOTIFY",
    "OPTIONS",
    "INFO",
    "100/INVITE",
    "180/INVITE",
    "200/INVITE",
    "302/INVITE",
    "401/INVITE",
    "486/INVITE",
    "487/INVITE",
    "200/BYE",
    "200/REGISTER",
    "401/SUBSCRIBE",
    "200/SUBSCRIBE",
    "481/NOTIFY",
    "200/OPTIONS",
];

fn agrees(store: &mut Store) {
    let snapshot = store.snapshot(Arc::default());
    let is_invite = |call: &&Arc<Call>| call.kind == CallKind::Invite;
    let count = |states: &[CallState]| {
        snapshot.calls.iter().filter(is_invite).filter(|call| states.contains(&call.state)).count() as u64
    };
    assert_eq!(snapshot.stats.calls_up, count(&[CallState::Answered, CallState::InCall]));
    assert_eq!(snapshot.stats.calls_setup, count(&[CallState::Setup, CallState::Ringing]));
    assert_eq!(store.bytes, snapshot.calls.iter().map(|call| call.messages.bytes() + row_bytes(call)).sum::<usize>());
    assert_eq!(store.by_id.len(), snapshot.calls.len());
    assert_eq!(store.entries.len(), snapshot.calls.len());
    assert_eq!(store.over, store.entries.values().filter(|entry| entry.is_over).count());
    assert!(snapshot.calls.len() <= store.options.calls);
    for call in snapshot.calls.iter() {
        assert_eq!(call.ended.is_some(), !call.state.is_live(), "{:?} {:?}", call.kind, call.state);
        assert!(call.message_count >= call.messages.len() as u64);
    }
}

proptest! {
    /// Whatever comes in whatever order: counters agree with the rows, and nothing outgrows its limit.
    #[test]
    fn counters_agree_with_rows(
        steps in prop::collection::vec((0..WHAT.len(), 0u8..6, 1u8..4, 0u8..3, 1u8..3, 0i64..20_000), 1..120),
    ) {
        let mut store = Store::new(StoreOptions { calls: 4, ..StoreOptions::default() });
        let mut changes = Vec::new();
        let mut at = Timestamp::from_parts(1_700_000_000, 0);
        for (number, (what, call, cseq, tag, hop, millis)) in steps.into_iter().enumerate() {
            at = at.after(crate::time::Elapsed::from_millis(millis));
            let (bytes, flow) = message(WHAT[what], call, cseq, tag, hop);
            let message = parse_datagram(&bytes, true).unwrap();
            let packets = PacketIds::from_slice(&[PacketId::new(0, number as u64 + 1)]);
            let arrival = SipArrival { at, packets, flow, transport: Transport::Udp, relayed_by: None, path: None, message };
            let mut decoded = Decoded { events: vec![Event::Sip(Box::new(arrival))], now: Some(at), ..Decoded::default() };
            store.apply(&mut decoded, &mut changes);
            agrees(&mut store);
        }
        store.tick(at.after(crate::time::Elapsed::from_secs(10_000)), &mut changes);
        agrees(&mut store);
        store.forget_all();
        agrees(&mut store);
    }
}

#[test]
fn a_snapshot_stands_still_and_the_generation_moves_with_changes_only() {
    let mut store = Store::default();
    let mut changes = Vec::new();
    let at = Timestamp::from_parts(1_700_000_000, 0);
    let mut apply = |store: &mut Store, what| {
        let (bytes, flow) = message(what, 1, 1, 0, 1);
        let message = parse_datagram(&bytes, true).unwrap();
        let packets = PacketIds::from_slice(&[PacketId::new(0, 1)]);
        let arrival =
            SipArrival { at, packets, flow, transport: Transport::Udp, relayed_by: None, path: None, message };
        store.apply(&mut Decoded { events: vec![Event::Sip(Box::new(arrival))], ..Decoded::default() }, &mut changes);
    };
    apply(&mut store, "INVITE");
    let before = store.snapshot(Arc::default());
    assert_eq!(store.snapshot(Arc::default()).generation, before.generation);
    assert!(Arc::ptr_eq(&before.stats, &store.snapshot(Arc::default()).stats));
    apply(&mut store, "180/INVITE");
    let after = store.snapshot(Arc::default());
    assert!(after.generation > before.generation);
    let state = |snapshot: &Snapshot| snapshot.calls.iter().map(|call| call.state).collect::<Vec<_>>();
    assert_eq!((state(&before), state(&after)), (vec![CallState::Setup], vec![CallState::Ringing]));
}

#[test]
fn an_icmp_error_is_not_noted_on_calls_of_an_hour_ago() {
    let mut store = Store::default();
    let mut changes = Vec::new();
    let start = Timestamp::from_parts(1_700_000_000, 0);
    let packet = |number| PacketIds::from_slice(&[PacketId::new(0, number)]);
    let mut quoted = None;
    for (call, seconds) in [(1, 0), (2, 3_600)] {
        let at = start.after(crate::time::Elapsed::from_secs(seconds));
        let (bytes, flow) = message("REGISTER", call, 1, 0, 1);
        let message = parse_datagram(&bytes, true).unwrap();
        let arrival = SipArrival {
            at,
            packets: packet(u64::from(call)),
            flow,
            transport: Transport::Udp,
            relayed_by: None,
            path: None,
            message,
        };
        let mut decoded = Decoded { events: vec![Event::Sip(Box::new(arrival))], ..Decoded::default() };
        store.apply(&mut decoded, &mut changes);
        quoted = Some(flow);
    }
    let fact = crate::event::IcmpFact {
        at: start.after(crate::time::Elapsed::from_secs(3_601)),
        packet: PacketId::new(0, 3),
        reporter: [10, 0, 0, 2].into(),
        quoted: quoted.unwrap(),
        what: "port unreachable",
        quote: None,
    };
    store.fact(fact.quoted, Fact::Icmp(fact), &mut changes);
    let facts: Vec<usize> = store.snapshot(Arc::default()).calls.iter().map(|call| call.facts.len()).collect();
    assert_eq!(facts, [0, 1]);
}

#[test]
fn an_icmp_error_is_noted_on_the_call_that_it_quotes() {
    let mut store = Store::default();
    let mut changes = Vec::new();
    let at = Timestamp::from_parts(1_700_000_000, 0);
    let mut call_ids = Vec::new();
    let (_, flow) = message("INVITE", 1, 1, 0, 1);
    for call in [1, 2] {
        let (bytes, _) = message("INVITE", call, 1, 0, 1);
        let message = parse_datagram(&bytes, true).unwrap();
        call_ids.push(message.call_id().unwrap().into_owned());
        let packets = PacketIds::from_slice(&[PacketId::new(0, u64::from(call))]);
        let arrival =
            SipArrival { at, packets, flow, transport: Transport::Udp, relayed_by: None, path: None, message };
        let mut decoded = Decoded { events: vec![Event::Sip(Box::new(arrival))], ..Decoded::default() };
        store.apply(&mut decoded, &mut changes);
    }
    let mut facts_after = |call_id: Option<&str>| {
        let quote = crate::event::Quote { start: "INVITE".into(), call_id: call_id.map(Into::into), cseq: Some(1) };
        let fact = crate::event::IcmpFact {
            at,
            packet: PacketId::new(0, 3),
            reporter: [10, 0, 0, 2].into(),
            quoted: flow,
            what: "port unreachable",
            quote: Some(Arc::new(quote)),
        };
        store.apply(&mut Decoded { events: vec![Event::Icmp(fact)], ..Decoded::default() }, &mut changes);
        store.calls().iter().map(|call| call.facts.len()).collect::<Vec<_>>()
    };
    assert_eq!(facts_after(Some(&call_ids[1])), [0, 1]);
    assert_eq!(facts_after(Some(&call_ids[0])), [1, 1]);
    assert_eq!(facts_after(Some("of another call")), [2, 2], "by its flow");
    assert_eq!(facts_after(None), [3, 3]);
}

#[test]
fn a_message_costs_at_most_400_bytes_beside_its_own() {
    let headers = "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK9\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n\
                   Max-Forwards: 70\r\nRecord-Route: <sip:10.0.0.9;lr>\r\nFrom: \"Anna\" <sip:anna@example.com>;tag=a\r\n\
                   To: <sip:208@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nUser-Agent: Phone/1.0\r\n\
                   Contact: <sip:anna@10.0.0.1>\r\nAllow: INVITE, ACK, BYE, CANCEL\r\nSupported: replaces, timer\r\n\
                   Session-Expires: 1800\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    let flow =
        FlowKey { src: Endpoint::new([10, 0, 0, 1].into(), 5_060), dst: Endpoint::new([10, 0, 0, 2].into(), 5_060) };
    let mut store = Store::default();
    let mut decoded = Decoded::default();
    for (number, start) in ["INVITE sip:208@example.com SIP/2.0", "SIP/2.0 200 OK"].into_iter().enumerate() {
        decoded.events.push(Event::Sip(Box::new(SipArrival {
            at: Timestamp::from_parts(1, number as i64),
            packets: PacketIds::from_slice(&[PacketId::new(0, number as u64 + 1)]),
            flow,
            transport: Transport::Udp,
            relayed_by: None,
            path: None,
            message: parse_datagram(format!("{start}\r\n{headers}").as_bytes(), true).unwrap(),
        })));
    }
    store.apply(&mut decoded, &mut Vec::new());
    let call = store.calls().get(0).unwrap();
    assert_eq!(call.messages.len(), 2);
    for message in call.messages.iter() {
        let beside = message.memory() - message.sip.bytes().len();
        assert!((250..=400).contains(&beside), "{beside}");
    }
    // What is not on the heap of a call and of its machines; the rest are its names.
    let inline = size_of::<Call>() + size_of::<CallEntry>();
    assert!(size_of::<Call>() <= 560 && inline <= CALL_BYTES / 2, "{} {inline}", size_of::<Call>());
}

/// A packet of stream 1, so many tenths of a ms after the first one.
fn voice(sequence: u16, at: i64, trace: Trace) -> RtpSample {
    let host = |number: u8| Endpoint::new([10, 0, 0, number].into(), 4_000);
    RtpSample {
        at: Timestamp::from_nanos(at * 100_000),
        packet: PacketId::new(0, 1),
        trace,
        flow: FlowKey { src: host(1), dst: host(2) },
        ssrc: 1,
        timestamp: u32::from(sequence) * 160,
        sequence,
        payload_type: 0,
        marker: false,
        payload_len: 160,
        head: None,
    }
}

fn packets_and_copies(samples: Vec<RtpSample>) -> (u64, u64) {
    let mut store = Store::default();
    store.apply(&mut Decoded { rtp: samples, ..Decoded::default() }, &mut Vec::new());
    let packets = store.streams().iter().map(|stream| stream.packets).sum();
    (packets, store.media_copies())
}

#[test]
fn a_stream_that_was_captured_twice_is_counted_once() {
    let numbered = |sequence: u16| Trace { id: 7_000 + sequence, way: 0 };
    let on = |way| Trace { id: 0, way };
    let twice = |first: &dyn Fn(u16) -> Trace, second: &dyn Fn(u16) -> Trace, later: i64| {
        let both = (0..200).flat_map(|n| {
            let at = i64::from(n) * 200;
            [voice(n, at, first(n)), voice(n, at + later, second(n))]
        });
        let mut all: Vec<_> = both.collect();
        all.sort_by_key(|sample| sample.at);
        packets_and_copies(all)
    };
    assert_eq!(twice(&numbered, &numbered, 3), (200, 200));
    assert_eq!(twice(&|_| on(1), &|_| on(2), 0), (200, 200), "not numbered, on another way");
    assert_eq!(twice(&|_| on(1), &|_| on(1), 3), (400, 0), "sent twice");
    assert_eq!(twice(&|_| Trace::default(), &|_| Trace::default(), 3), (400, 0), "copies are not looked for");
    assert_eq!(twice(&numbered, &|sequence| numbered(sequence + 1), 3), (400, 0), "sent twice, numbered");
    assert_eq!(twice(&numbered, &numbered, DUPLICATE_MS * 10 + 1), (400, 0), "much later");
}

#[test]
fn copies_are_found_behind_a_burst_of_the_stream() {
    let burst = |from: u16, at: i64| (from..from + 6).map(move |n| voice(n, at, Trace { id: n + 1, way: 0 }));
    let all: Vec<_> =
        (0..20).flat_map(|n| burst(n * 6, i64::from(n) * 400).chain(burst(n * 6, i64::from(n) * 400 + 9))).collect();
    assert_eq!(packets_and_copies(all), (120, 120));
}
