//! The torture messages of RFC 4475 through the program: each is a line with what the index asks for, and nothing that
//! a terminal would obey gets out.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::run;

fn folder() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("SIPWATCH_CORPUS") else {
        let _ = writeln!(std::io::stderr(), "49 torture messages skipped: SIPWATCH_CORPUS is not set");
        return None;
    };
    Some(Path::new(&corpus).join("torture"))
}

fn output(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let raw = text.chars().find(|ch| ch.is_control() && *ch != '\n');
    assert_eq!(raw, None, "{arguments:?}");
    text
}

/// What a line says of its message, in the words of the index, which leaves leading zeros out.
fn shown(line: &Value) -> [Value; 5] {
    let cseq = line["cseq"].as_str().unwrap();
    let (number, method) = cseq.split_once(' ').unwrap_or((cseq, ""));
    let number = number.trim_start_matches('0').to_owned() + if number.trim_matches('0').is_empty() { "0" } else { "" };
    let status = line["status"].as_u64().map_or(Value::Null, |status| status.to_string().into());
    [line["call_id"].clone(), number.into(), method.trim().into(), line["method"].clone(), status]
}

fn wanted(row: &Value) -> [Value; 5] {
    let shows = &row["monitor_shows"];
    let status = match &shows["status"] {
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    };
    [shows["call_id"].clone(), shows["cseq"].clone(), shows["cseq_method"].clone(), shows["method"].clone(), status]
}

#[test]
fn every_torture_message_is_a_line_with_what_the_index_asks_for() {
    let Some(folder) = folder() else { return };
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let capture = folder.join("all-over-udp.pcap");
    let text = output(&["-r", capture.to_str().unwrap(), "--json"]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<&Value> = lines.iter().filter(|line| line["type"] == "message").collect();
    let rows = index["messages"].as_array().unwrap();
    assert_eq!((messages.len(), rows.len()), (49, 49));
    for row in rows {
        let frame = &row["frame_in_all_over_udp"];
        let line = messages.iter().find(|line| line["packets"].as_array().unwrap().last() == Some(frame)).unwrap();
        assert_eq!(shown(line), wanted(row), "{}", row["name"]);
    }
    let kind = |call_id: &str| {
        let calls = lines.iter().filter(|line| line["type"] == "call" && line["call_id"] == call_id);
        calls.map(|line| line["kind"].as_str().unwrap()).next_back()
    };
    assert_eq!(kind("mismatch01.dj0234sxdfl3"), Some("options"));
    assert_eq!(kind("mismatch02.dj0234sxdfl3"), Some("other"));
}

#[test]
fn no_report_of_torture_messages_holds_a_control_character() {
    let Some(folder) = folder() else { return };
    let capture = folder.join("all-over-udp.pcap");
    let file = capture.to_str().unwrap();
    let report: Value = serde_json::from_str(&output(&["-r", file, "--report", "json"])).unwrap();
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 48, "one of the 49 has no Call-ID");
    for call in calls {
        assert!(!output(&["-r", file, "--ladder", call["call_id"].as_str().unwrap()]).is_empty());
    }
    for kind in ["sip", "calls"] {
        assert!(!output(&["-r", file, "--report", kind]).is_empty());
    }
}
