//! Reports of real captures against the truth that tshark and the RFCs give.
//!
//! `SIPWATCH_CORPUS` names the folder with `truth.json` and `index.json`; without it these tests are skipped and say so.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its corpus has failed")]

mod rtcp;

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sipwatch::capture::Source;
use sipwatch::capture::file::FileSource;
use sipwatch::capture::save::{RecordOptions, Recorder, Rotation, SourceNames};
use sipwatch::engine::{EngineOptions, analyze};
use sipwatch::export;
use sipwatch::packet::Batch;
use sipwatch::store::snapshot::Snapshot;

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("SIPWATCH_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: SIPWATCH_CORPUS is not set");
    }
    folder
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn snapshot(path: &Path) -> Snapshot {
    let source = FileSource::open(&[path.to_str().unwrap().to_owned()]).unwrap();
    analyze(Box::new(source), &EngineOptions::default()).unwrap()
}

fn report(path: &Path) -> Value {
    let snapshot = snapshot(path);
    let mut text = Vec::new();
    export::json::write_json(&mut text, &export::json::report(&snapshot)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Microsoft Network Monitor's own format, and without SIP: it is refused as no capture.
const NETMON: &str = "rtsp-packets.cap";

/// All captures: `(name, truth)`.
fn captures(truth: &Value) -> Vec<(&String, &Value)> {
    truth["captures"].as_object().unwrap().iter().filter(|(name, _)| *name != NETMON).collect()
}

/// Collects what differs, so that one run shows all of it.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, name: &str, what: &str, ours: &Value, truth: &Value) {
        if ours != truth {
            self.0.push(format!("{name}: {what} is {ours}, should be {truth}"));
        }
    }

    fn none(self, compared: usize) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
        println!("{compared} captures compared");
        assert!(compared > 0);
    }
}

/// The report's own count where a count may be missing in one of the two.
fn counts(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, count| count.as_u64() != Some(0));
    }
    value
}

#[test]
fn sip_counts_equal_the_truth() {
    let Some(folder) = corpus() else { return };
    let truth = read(&folder.join("truth.json"));
    let mut wrong = Differences::default();
    let captures = captures(&truth);
    for (name, capture) in &captures {
        let right = capture.get("right").filter(|right| !right.is_null());
        let expected = |field: &str| right.and_then(|right| right.get(field)).unwrap_or(&capture[field]).clone();
        let ours = report(&folder.join(name));
        let sip = &ours["sip"];
        wrong.compare(name, "packets", &ours["capture"]["packets"], &capture["packets"]);
        wrong.compare(name, "messages", &sip["messages"], &expected("sip_messages"));
        wrong.compare(name, "requests", &counts(&sip["requests"]), &counts(&expected("by_method")));
        if !expected("by_status").is_null() {
            wrong.compare(name, "responses", &counts(&sip["responses"]), &counts(&expected("by_status")));
        }
        if let Some(call_ids) = expected("call_ids").as_u64() {
            let rows = ours["calls"].as_array().unwrap().iter().filter(|call| call["call_id"] != "").count();
            wrong.compare(name, "calls", &Value::from(rows), &Value::from(call_ids));
        }
        if let Some(repeats) = capture["retransmissions_by_branch"].as_u64() {
            wrong.compare(name, "retransmissions", &sip["retransmissions"], &Value::from(repeats));
        }
    }
    wrong.none(captures.len());
}

#[test]
fn wiresharks_own_numbers_are_readable_from_the_sip_report() {
    let Some(folder) = corpus() else { return };
    let truth = read(&folder.join("truth.json"));
    let mut wrong = Differences::default();
    let captures: Vec<_> = captures(&truth).into_iter().filter(|(_, c)| c["right"].is_null()).collect();
    for (name, capture) in &captures {
        let stat = snapshot(&folder.join(name)).stats.wireshark;
        wrong.compare(name, "resent", &Value::from(stat.resent), &capture["sip_resent"]);
        let setup = &capture["setup_ms"];
        let ours = serde_json::json!({"avg": stat.setup_ms.0, "min": stat.setup_ms.1, "max": stat.setup_ms.2});
        if setup.is_object() {
            wrong.compare(name, "setup", &ours, setup);
        }
    }
    wrong.none(captures.len());
}

#[test]
fn states_and_calls_equal_the_index() {
    let Some(folder) = corpus() else { return };
    let index = read(&folder.join("index.json"));
    let captures = index["captures"].as_object().unwrap();
    let mut wrong = Differences::default();
    let mut compared = 0;
    for (name, expected) in captures {
        let ours = report(&folder.join(name));
        let calls = ours["calls"].as_array().unwrap();
        compared += 1;
        wrong.compare(name, "messages", &ours["sip"]["messages"], &expected["sip_messages"]);
        for (field, count) in
            [("calls", calls.len()), ("invites", calls.iter().filter(|call| call["kind"] == "invite").count())]
        {
            if expected[field].is_u64() {
                wrong.compare(name, field, &Value::from(count), &expected[field]);
            }
        }
        if expected["dialogs"].as_u64().is_some_and(|dialogs| dialogs > 0) {
            let dialogs: usize = calls.iter().map(|call| call["dialogs"].as_array().unwrap().len()).sum();
            wrong.compare(name, "dialogs", &Value::from(dialogs), &expected["dialogs"]);
        }
        for (call_id, states) in expected["states"].as_object().unwrap() {
            let state =
                calls.iter().find(|call| call["call_id"] == **call_id).map_or(&Value::Null, |call| &call["state"]);
            if !states.as_array().unwrap().contains(state) {
                wrong.compare(name, &format!("state of {call_id}"), state, states);
            }
        }
    }
    wrong.none(compared);
}

#[test]
fn every_capture_is_read_to_its_end_and_the_same_way_twice() {
    let Some(folder) = corpus() else { return };
    let truth = read(&folder.join("truth.json"));
    for name in truth["captures"].as_object().unwrap().keys().filter(|name| *name != NETMON) {
        let path = folder.join(name);
        assert_eq!(report(&path).to_string(), report(&path).to_string(), "{name}");
    }
}

#[test]
fn the_worked_example_of_setup_times_comes_out() {
    let Some(folder) = corpus() else { return };
    let ours = report(&folder.join("sip-2phones-B2BUA-Asterisk.pcapng"));
    let calls = ours["calls"].as_array().unwrap();
    let call = calls.iter().find(|call| call["call_id"].as_str().unwrap().starts_with("M2Q0")).unwrap();
    assert_eq!(call["auth_ms"], 1.49);
    assert_eq!(call["pdd_ms"], 743.245);
    assert_eq!(call["setup_ms"], 7064.955);
    assert_eq!(call["ack_ms"], 6.872);
}

/// Hex of every SIP message that tshark shows in a file, quotes in ICMP errors left out; `None` without tshark.
fn tsharks_messages(path: &Path) -> Option<Vec<String>> {
    let arguments = ["-Y", "sip && !icmp", "-T", "jsonraw", "--no-duplicate-keys", "-r"];
    let output = Command::new("tshark").args(arguments).arg(path).output().ok()?;
    let frames: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut messages = Vec::new();
    for frame in frames.as_array().unwrap() {
        let raw = &frame["_source"]["layers"]["sip_raw"];
        match raw.get(0) {
            Some(Value::String(hex)) => messages.push(hex.clone()),
            Some(Value::Array(_)) => {
                messages.extend(raw.as_array().unwrap().iter().map(|one| one[0].as_str().unwrap().to_owned()));
            }
            _ => {}
        }
    }
    messages.sort();
    Some(messages)
}

#[test]
fn message_bytes_equal_those_that_tshark_puts_together() {
    let Some(folder) = corpus() else { return };
    let truth = read(&folder.join("truth.json"));
    let mut wrong = Differences::default();
    let mut compared = 0;
    for (name, _) in captures(&truth).into_iter().filter(|(_, capture)| capture["right"].is_null()) {
        let path = folder.join(name);
        let Some(theirs) = tsharks_messages(&path) else {
            let _ = writeln!(std::io::stderr(), "skipped: tshark is not installed");
            return;
        };
        let snapshot = snapshot(&path);
        let messages = snapshot.calls.iter().flat_map(|call| call.messages.iter());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut ours: Vec<_> = messages.map(|message| hex(message.sip.bytes())).collect();
        ours.sort();
        compared += 1;
        let differ = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        if ours.len() != theirs.len() || differ.is_some() {
            wrong.0.push(format!("{name}: {} messages, tshark {}; {differ:?}", ours.len(), theirs.len()));
        }
    }
    wrong.none(compared);
}

/// Writes a capture as `-w` does.
fn written(path: &Path, to: &Path) {
    let source = FileSource::open(&[path.display().to_string()]).unwrap();
    let names = SourceNames::of([source.status()]);
    let options = RecordOptions { path: to.into(), rotation: Rotation::default(), owner: None, names };
    let mut recorder = Recorder::open(options).unwrap();
    let mut sink = |batch: &mut Batch| {
        recorder.write(batch);
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(source).run(&mut sink).unwrap();
}

#[test]
fn what_is_written_of_a_capture_gives_the_same_report() {
    let Some(corpus) = corpus() else { return };
    let truth = read(&corpus.join("truth.json"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("again.pcapng");
    let (mut differences, mut compared) = (Differences::default(), 0);
    for name in truth["captures"].as_object().unwrap().keys().filter(|name| *name != NETMON) {
        let path = corpus.join(name);
        written(&path, &to);
        let [ours, mut again] = [report(&path), report(&to)];
        // The name is another one, and what is cut is left behind.
        for member in ["sources", "truncated"] {
            again["capture"][member] = ours["capture"][member].clone();
        }
        for (what, value) in again.as_object().unwrap() {
            differences.compare(name, what, value, &ours[what]);
        }
        compared += 1;
    }
    differences.none(compared);
}
