//! Calls at a rate that no packet may be lost at: every figure must be that of a tcpdump beside us.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::lab::{FAR_IP, Lab, NEAR, NEAR_IP, SIPWATCH, scenario, tshark};

const RATE: u32 = 50;
const SECONDS: u32 = 20;

/// Largest difference between our times and tcpdump's, in ms.
const TOLERANCE_MS: f64 = 1.0;

/// What tcpdump's file says of one call.
#[derive(Debug, Default)]
struct Measured {
    invite: Option<f64>,
    first_response: Option<f64>,
    answer: Option<f64>,
    bye: Option<f64>,
}

#[test]
fn every_call_is_one_completed_row_with_the_times_of_tcpdump() {
    let Some(lab) = Lab::open(&["sipp", "tcpdump", "tshark"]) else { return };
    let file = lab.file("beside.pcap");
    let tcpdump = lab.tcpdump(&file);
    let sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(2);
    let calls = (RATE * SECONDS).to_string();
    let (rate, uas, uac) = (RATE.to_string(), scenario("uas.xml"), scenario("uac.xml"));
    let there = format!("{NEAR_IP}:5060");
    let server = lab.start("uas", &lab.near(&["sipp", "-sf", &uas, "-i", NEAR_IP, "-p", "5060", "-nostdin"]));
    let client = ["sipp", &there, "-sf", &uac, "-i", FAR_IP, "-p", "5060", "-r", &rate, "-m", &calls, "-nostdin"];
    lab.run("uac", &lab.far(&client), Duration::from_secs(90));
    // tcpdump writes a packet when its ring's block is closed, at most a second later.
    thread::sleep(Duration::from_millis(1_500));
    drop(server);
    let path = lab.file("sipwatch.out");
    assert!(sipwatch.finish().success());
    assert!(tcpdump.finish().success());

    let report = std::fs::read(path).expect("the report");
    let report: Value = serde_json::from_slice(&report).expect("a JSON document");
    assert_eq!(report["capture"]["lost"], serde_json::json!({"kernel": 0, "interface": 0, "queue": 0}));
    let measured = measure(&file);
    assert_eq!(measured.len(), (RATE * SECONDS) as usize);
    compare(&report, &measured);
}

fn compare(report: &Value, measured: &BTreeMap<String, Measured>) {
    let rows = report["calls"].as_array().expect("a list of calls");
    let ids: Vec<_> = rows.iter().map(|row| row["call_id"].as_str().expect("a Call-ID")).collect();
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((ids.len(), distinct.len()), (measured.len(), measured.len()), "each call is one row");
    let (mut wrong, mut largest) = (Vec::new(), 0.0f64);
    for row in rows {
        let id = row["call_id"].as_str().expect("a Call-ID");
        let Some(call) = measured.get(id) else {
            wrong.push(format!("{id}: not in tcpdump's file"));
            continue;
        };
        if row["state"] != "completed" {
            wrong.push(format!("{id}: state {}", row["state"]));
        }
        for (field, to_ms, from, to) in [
            ("pdd_ms", 1.0, call.invite, call.first_response),
            ("setup_ms", 1.0, call.invite, call.answer),
            ("duration_s", 1_000.0, call.answer, call.bye),
        ] {
            let wanted = from.zip(to).map(|(from, to)| (to - from) * 1_000.0);
            let ours = row[field].as_f64().map(|value| value * to_ms);
            match ours.zip(wanted).map(|(ours, wanted)| (ours - wanted).abs()) {
                Some(difference) if difference <= TOLERANCE_MS => largest = largest.max(difference),
                _ => wrong.push(format!("{id}: {field} {ours:?} ms, tcpdump {wanted:?} ms")),
            }
        }
    }
    println!("{} calls compared, the largest difference is {largest:.3} ms", rows.len());
    assert!(wrong.is_empty(), "{} differences, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}

/// Times of each Call-ID in seconds, first occurrence of each.
fn measure(file: &Path) -> BTreeMap<String, Measured> {
    let fields = ["frame.time_epoch", "sip.Call-ID", "sip.Method", "sip.Status-Code", "sip.CSeq.method"];
    let mut calls: BTreeMap<String, Measured> = BTreeMap::new();
    // Seconds since the epoch leave a double 0.2 µs: what is before the first packet is cut off, and all is exact.
    let mut base = None;
    for row in tshark(file, "sip", &fields) {
        let [time, call_id, method, status, cseq] = row.as_slice() else { panic!("fields missing: {row:?}") };
        let (seconds, fraction) = time.split_once('.').expect("seconds with a fraction");
        let seconds: i64 = seconds.parse().expect("a number");
        let fraction: f64 = format!("0.{fraction}").parse().expect("a number");
        let at = (seconds - *base.get_or_insert(seconds)) as f64 + fraction;
        let call = calls.entry(call_id.clone()).or_default();
        match (method.as_str(), status.parse().unwrap_or(0u16), cseq.as_str()) {
            ("INVITE", _, _) => _ = call.invite.get_or_insert(at),
            ("BYE", _, _) => _ = call.bye.get_or_insert(at),
            ("", 101.., "INVITE") => {
                call.first_response.get_or_insert(at);
                if status.starts_with('2') {
                    call.answer.get_or_insert(at);
                }
            }
            _ => {}
        }
    }
    calls
}
