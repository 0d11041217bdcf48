use std::collections::BTreeMap;

use super::*;
use crate::time::Elapsed;

#[derive(Default)]
struct Collect {
    packets: Vec<(PacketMeta, Vec<u8>)>,
    enough: Option<usize>,
}

impl BatchSink for Collect {
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        assert!(!batch.is_empty());
        self.packets.extend(batch.iter().map(|p| (p.meta, p.data.to_vec())));
        batch.clear();
        if self.enough.is_some_and(|n| self.packets.len() >= n) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

const START: Timestamp = Timestamp::from_parts(1_700_000_000, 0);

fn poured() -> Vec<(PacketMeta, Vec<u8>)> {
    let demo = Box::new(DemoSource::new(START, false));
    let status = demo.status();
    let mut sink = Collect::default();
    demo.run(&mut sink).expect("the demo cannot fail");
    assert_eq!(status.packets.load(Ordering::Relaxed), sink.packets.len() as u64);
    assert_eq!(**status.state.load(), SourceState::Ended { warning: None });
    sink.packets
}

/// Start line and headers of the SIP message in a frame; every message here is whole in one packet or its first
/// fragment.
fn sip(frame: &[u8]) -> Option<String> {
    let payload = frame.get(42..)?;
    let text = std::str::from_utf8(payload).ok()?;
    text.contains("SIP/2.0\r\n").then(|| text.to_owned()).or_else(|| text.starts_with("SIP/2.0 ").then(|| text.into()))
}

fn header<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

#[test]
fn the_story_is_ordered_numbered_and_the_same_each_time() {
    let packets = poured();
    assert!(packets.is_sorted_by_key(|(meta, _)| meta.at));
    assert!(packets.iter().zip(1..).all(|((meta, _), n)| meta.id == PacketId::new(0, n)));
    let last = packets.last().expect("packets").0.at.since(START);
    assert!((Elapsed::from_secs(70)..Elapsed::from_secs(95)).contains(&last), "{last:?}");
    assert!(packets == poured());
}

#[test]
fn calls_move_within_the_first_second() {
    let second = START.after(Elapsed::from_secs(1));
    let texts: Vec<_> = poured().iter().filter(|(m, _)| m.at < second).filter_map(|(_, f)| sip(f)).collect();
    assert!(texts.iter().any(|t| t.starts_with("INVITE ")) && texts.iter().any(|t| t.starts_with("SIP/2.0 180")));
    assert!(texts.iter().any(|t| t.starts_with("NOTIFY ")));
}

#[test]
fn every_request_is_answered_and_every_final_invite_response_acknowledged() {
    let mut waiting: BTreeMap<String, i32> = BTreeMap::new();
    let mut acks: BTreeMap<String, i32> = BTreeMap::new();
    let mut invites = std::collections::BTreeSet::new();
    for (_, frame) in poured() {
        let Some(text) = sip(&frame) else { continue };
        let cseq = header(&text, "CSeq");
        let branch = header(&text, "Via").split(";branch=").nth(1).and_then(|b| b.split(';').next()).expect("a branch");
        let key = format!("{branch} {cseq}");
        let call = format!("{} {}", header(&text, "Call-ID"), cseq.split(' ').next().expect("a number"));
        let Some(status) = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)) else {
            match text.split(' ').next() {
                Some("ACK") => *acks.entry(call).or_default() -= 1,
                Some("INVITE") if !invites.insert(key.clone()) => {}
                _ => *waiting.entry(key).or_default() += 1,
            }
            continue;
        };
        if status >= "200" {
            *waiting.entry(key).or_default() -= 1;
            if cseq.ends_with("INVITE") {
                *acks.entry(call).or_default() += 1;
            }
        }
    }
    assert_eq!(waiting.iter().filter(|(_, n)| **n != 0).collect::<Vec<_>>(), vec![]);
    assert_eq!(acks.iter().filter(|(_, n)| **n != 0).collect::<Vec<_>>(), vec![]);
}

#[test]
fn the_story_has_all_its_scenes() {
    let texts: Vec<_> = poured().iter().filter_map(|(_, frame)| sip(frame)).collect();
    for wanted in [
        "REGISTER ",
        "SUBSCRIBE ",
        "NOTIFY ",
        "OPTIONS ",
        "MESSAGE ",
        "CANCEL ",
        "BYE ",
        "SIP/2.0 401 ",
        "SIP/2.0 403 ",
        "SIP/2.0 404 ",
        "SIP/2.0 486 ",
        "SIP/2.0 487 ",
    ] {
        assert!(texts.iter().any(|t| t.starts_with(wanted)), "{wanted}");
    }
    for wanted in [
        "P-Asserted-Identity: ",
        "Reason: Q.850;cause=16",
        "Call completed elsewhere",
        "<state>early</state>",
        "<state>confirmed</state>",
        "<state>terminated</state>",
    ] {
        assert!(texts.iter().any(|t| t.contains(wanted)), "{wanted}");
    }
    let mut seen = BTreeMap::<&str, u32>::new();
    for text in texts.iter().filter(|t| t.starts_with("INVITE ")) {
        *seen.entry(text).or_default() += 1;
    }
    assert_eq!(seen.values().filter(|n| **n == 2).count(), 1, "one INVITE is sent twice");
}

#[test]
fn the_file_form_holds_the_same_packets() {
    let mut file = Vec::new();
    capture_to(&mut file, START).expect("memory takes it");
    let packets = poured();
    let bytes: usize = packets.iter().map(|(_, frame)| 16 + frame.len()).sum();
    assert_eq!(file.len(), 24 + bytes);
}

#[test]
fn a_paced_demo_is_live_and_ends_when_told_or_when_nobody_wants_more() {
    let demo = Box::new(DemoSource::new(START, true));
    assert_eq!(demo.status().kind, SourceKind::Live);
    let mut sink = Collect { enough: Some(2), ..Collect::default() };
    demo.run(&mut sink).expect("the demo cannot fail");
    assert!((2..100).contains(&sink.packets.len()));

    let demo = Box::new(DemoSource::new(START, true));
    demo.stopper()();
    let mut sink = Collect::default();
    demo.run(&mut sink).expect("the demo cannot fail");
    assert!(sink.packets.is_empty());
}
