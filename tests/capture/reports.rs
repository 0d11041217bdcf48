//! The text reports of real captures against what tshark says of them: `sip,stat` and `rtp,streams`.
//!
//! `SIPWATCH_CORPUS` names the folder with `truth.json`; without it these tests are skipped and say so.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its corpus has failed")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sipwatch::capture::file::FileSource;
use sipwatch::engine::{EngineOptions, analyze};
use sipwatch::export::report;

/// Microsoft Network Monitor's own format: it is refused as no capture.
const NETMON: &str = "rtsp-packets.cap";

fn corpus() -> Option<(PathBuf, Value)> {
    let Some(folder) = std::env::var_os("SIPWATCH_CORPUS").map(PathBuf::from) else {
        let _ = writeln!(std::io::stderr(), "skipped: SIPWATCH_CORPUS is not set");
        return None;
    };
    let truth = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    Some((folder, truth))
}

fn text(path: &Path, kind: &str) -> String {
    let source = FileSource::open(&[path.to_str().unwrap().to_owned()]).unwrap();
    let snapshot = analyze(Box::new(source), &EngineOptions::default()).unwrap();
    let mut out = Vec::new();
    (report::find(kind).unwrap().write)(&snapshot, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The lines below this heading up to the next empty one, in words.
fn section<'t>(text: &'t str, heading: &str) -> Vec<Vec<&'t str>> {
    let lines = text.lines().skip_while(|line| !line.starts_with(heading)).skip(2).take_while(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn everything_that_sip_stat_shows_is_readable_from_the_sip_report() {
    let Some((folder, truth)) = corpus() else { return };
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (name, capture) in truth["captures"].as_object().unwrap() {
        if name == NETMON || !capture["right"].is_null() || !capture["setup_ms"].is_object() {
            continue;
        }
        compared += 1;
        let text = text(&folder.join(name), "sip");
        let setup = &capture["setup_ms"];
        let line = format!(
            "Wireshark: {} messages, {} resent, setup {}/{}/{} ms",
            capture["sip_messages"], capture["sip_resent"], setup["avg"], setup["min"], setup["max"]
        );
        if !text.contains(&line) {
            wrong.push(format!("{name}: no line \"{line}\" in\n{text}"));
        }
        for (heading, counts) in [("Requests by method", "by_method"), ("Responses by status", "by_status")] {
            let rows = section(&text, heading);
            for (word, count) in capture[counts].as_object().into_iter().flatten() {
                let count = count.to_string();
                if count != "0" && !rows.iter().any(|row| row[0] == word && row[1] == count) {
                    wrong.push(format!("{name}: {word} {count} is not under \"{heading}\""));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(compared > 20, "{compared}");
}

/// Words of tshark's payload column as we name them.
fn named(payload: &str) -> Vec<String> {
    let ours = |name: &str| match name.trim() {
        "g711U" => "PCMU".to_owned(),
        "g711A" => "PCMA".to_owned(),
        "g722" => "G722".to_owned(),
        "g729" => "G729".to_owned(),
        "GSM" | "gsm" => "GSM".to_owned(),
        other => other.to_owned(),
    };
    payload.split(',').map(ours).collect()
}

#[test]
fn the_rtp_report_holds_the_columns_of_rtp_streams_with_tsharks_values() {
    let Some((folder, truth)) = corpus() else { return };
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (name, capture) in truth["captures"].as_object().unwrap() {
        let Some(expected) = capture["rtp_streams"].as_array().filter(|streams| !streams.is_empty()) else { continue };
        let text = text(&folder.join(name), "rtp");
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        for stream in expected {
            let word = |field: &str| stream[field].as_str().unwrap().to_owned();
            let who = [
                word("src"),
                stream["sport"].to_string(),
                word("dst"),
                stream["dport"].to_string(),
                word("ssrc").to_uppercase().replace("0X", "0x"),
            ];
            let row = rows.iter().find(|row| row.get(2..7).is_some_and(|five| five == who) && row[8] == "Wireshark");
            let Some(row) = row else {
                wrong.push(format!("{name}: no line for {who:?}"));
                continue;
            };
            compared += 1;
            let number = |at: usize| row[at].parse::<f64>().unwrap();
            let columns = [
                (0, "start_s", 0.000_001_5),
                (1, "end_s", 0.000_001_5),
                (9, "packets", 0.0),
                (10, "lost", 0.0),
                (11, "lost_pct", 0.06),
                (12, "min_delta_ms", 0.001),
                (13, "mean_delta_ms", 0.001),
                (14, "max_delta_ms", 0.001),
                (15, "min_jitter_ms", 0.001),
                (16, "mean_jitter_ms", 0.001),
                (17, "max_jitter_ms", 0.001),
            ];
            for (at, field, within) in columns {
                let right = stream[field].as_f64().unwrap();
                if (number(at) - right).abs() > within + 1e-9 {
                    wrong.push(format!("{name} {who:?}: {field} is {}, should be {right}", row[at]));
                }
            }
            if (row[19] == "X") != stream["problem"].as_bool().unwrap() {
                wrong.push(format!("{name} {who:?}: the problem mark is {}", row[19]));
            }
            let payloads: Vec<&str> = row[7].split(',').collect();
            for payload in named(stream["payload"].as_str().unwrap()) {
                if !payloads.iter().any(|ours| ours.eq_ignore_ascii_case(&payload)) {
                    wrong.push(format!("{name} {who:?}: {payload} is not among {payloads:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(compared > 25, "{compared}");
}
