//! Calls over real TCP stacks: each must be one completed row, whether all share a connection or each has its own.

use std::time::Duration;

use serde_json::Value;

use super::lab::{FAR_IP, FAR_IP6, Lab, NEAR, NEAR_IP, NEAR_IP6, SIPWATCH, scenario};

const CALLS: usize = 60;

/// Calls at 30 a second from far to near, in one of sipp's modes of transport, and the report of them.
fn report_of(lab: &Lab, mode: &str, near: &str, far: &str) -> Value {
    let sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(1);
    let (calls, uas, uac) = (CALLS.to_string(), scenario("uas.xml"), scenario("uac.xml"));
    let there = if near.contains(':') { format!("[{near}]:5060") } else { format!("{near}:5060") };
    let server = lab.start("uas", &lab.near(&["sipp", "-sf", &uas, "-t", "t1", "-i", near, "-p", "5060", "-nostdin"]));
    lab.wait_for_listener(5060);
    let client = ["sipp", &there, "-sf", &uac, "-t", mode, "-i", far, "-r", "30", "-m", &calls, "-nostdin"];
    let words: Vec<&str> = client.into_iter().chain(["-max_socket", "200"]).collect();
    lab.run("uac", &lab.far(&words), Duration::from_secs(60));
    drop(server);
    let path = lab.file("sipwatch.out");
    assert!(sipwatch.finish().success());
    serde_json::from_slice(&std::fs::read(path).expect("the report")).expect("a JSON document")
}

fn all_are_completed_over_tcp(report: &Value) {
    let rows = report["calls"].as_array().expect("a list of calls");
    let done = rows.iter().filter(|row| row["state"] == "completed" && row["transport"] == "tcp").count();
    assert_eq!((rows.len(), done), (CALLS, CALLS), "rows, and those completed over TCP");
    let sip = &report["sip"];
    assert_eq!(sip["messages"], sip["transports"]["tcp"]);
    assert_eq!(sip["retransmissions"], 0);
    assert_eq!(report["capture"]["malformed"]["sip"], 0);
}

#[test]
fn calls_that_share_a_connection_are_complete() {
    let Some(lab) = Lab::open(&["sipp"]) else { return };
    all_are_completed_over_tcp(&report_of(&lab, "t1", NEAR_IP, FAR_IP));
}

#[test]
fn calls_with_a_connection_each_are_complete() {
    let Some(lab) = Lab::open(&["sipp"]) else { return };
    all_are_completed_over_tcp(&report_of(&lab, "tn", NEAR_IP, FAR_IP));
}

#[test]
fn calls_over_ipv6_are_complete() {
    let Some(lab) = Lab::open(&["sipp"]) else { return };
    lab.add_ipv6();
    all_are_completed_over_tcp(&report_of(&lab, "t1", NEAR_IP6, FAR_IP6));
}
