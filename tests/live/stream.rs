//! Calls over real TCP stacks: each must be one completed row, whether all share a connection or each has its own.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::lab::{FAR_IP, FAR_IP6, Lab, NEAR, NEAR_IP, NEAR_IP6, SIPWATCH, scenario, tshark};

const CALLS: usize = 60;

/// sipp, with a connection for each call, now and then ends without the BYE of one of its last calls.
const WITHOUT_BYE: usize = 2;

/// What went over the wire, as tcpdump and tshark have it.
struct Wire {
    messages: usize,
    /// Calls with a BYE that was answered.
    ended: BTreeSet<String>,
}

/// Calls at 30 a second from far to near, in one of sipp's modes of transport: the report of them, and what went over the wire.
fn report_of(lab: &Lab, mode: &str, near: &str, far: &str) -> (Value, Wire) {
    let file = lab.file("beside.pcap");
    let tcpdump = lab.tcpdump(&file);
    let sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(2);
    let (calls, uas, uac) = (CALLS.to_string(), scenario("uas.xml"), scenario("uac.xml"));
    let there = if near.contains(':') { format!("[{near}]:5060") } else { format!("{near}:5060") };
    let server = lab.start("uas", &lab.near(&["sipp", "-sf", &uas, "-t", "t1", "-i", near, "-p", "5060", "-nostdin"]));
    lab.wait_for_listener(5060);
    let client = ["sipp", &there, "-sf", &uac, "-t", mode, "-i", far, "-r", "30", "-m", &calls, "-nostdin"];
    let words: Vec<&str> = client.into_iter().chain(["-max_socket", "200"]).collect();
    lab.run("uac", &lab.far(&words), Duration::from_secs(60));
    // tcpdump writes a packet when its ring's block is closed, at most a second later.
    thread::sleep(Duration::from_millis(1_500));
    drop(server);
    let path = lab.file("sipwatch.out");
    assert!(sipwatch.finish().success());
    assert!(tcpdump.finish().success());
    let report = serde_json::from_slice(&std::fs::read(path).expect("the report")).expect("a JSON document");
    let messages = tshark(&file, "sip", &["sip.Call-ID", "sip.Status-Code", "sip.CSeq.method"]);
    let is_end =
        |row: &&Vec<String>| row.get(1).is_some_and(|code| code == "200") && row.get(2).is_some_and(|of| of == "BYE");
    let ended = messages.iter().filter(is_end).filter_map(|row| row.first().cloned()).collect();
    (report, Wire { messages: messages.len(), ended })
}

fn all_are_completed_over_tcp((report, wire): &(Value, Wire)) {
    let rows = report["calls"].as_array().expect("a list of calls");
    let done = rows.iter().filter(|row| row["state"] == "completed" && row["transport"] == "tcp");
    let done: BTreeSet<String> = done.filter_map(|row| row["call_id"].as_str().map(str::to_owned)).collect();
    assert_eq!(rows.len(), CALLS);
    assert_eq!(done, wire.ended, "completed are those whose BYE was answered on the wire");
    assert!(done.len() + WITHOUT_BYE >= CALLS, "{} calls ended", done.len());
    let sip = &report["sip"];
    assert_eq!(sip["messages"], wire.messages);
    assert_eq!(sip["messages"], sip["transports"]["tcp"]);
    assert_eq!(sip["retransmissions"], 0);
    assert_eq!(report["capture"]["malformed"]["sip"], 0);
}

#[test]
fn calls_that_share_a_connection_are_complete() {
    let Some(lab) = Lab::open(&["sipp", "tcpdump", "tshark"]) else { return };
    all_are_completed_over_tcp(&report_of(&lab, "t1", NEAR_IP, FAR_IP));
}

#[test]
fn calls_with_a_connection_each_are_complete() {
    let Some(lab) = Lab::open(&["sipp", "tcpdump", "tshark"]) else { return };
    all_are_completed_over_tcp(&report_of(&lab, "tn", NEAR_IP, FAR_IP));
}

#[test]
fn calls_over_ipv6_are_complete() {
    let Some(lab) = Lab::open(&["sipp", "tcpdump", "tshark"]) else { return };
    lab.add_ipv6();
    all_are_completed_over_tcp(&report_of(&lab, "t1", NEAR_IP6, FAR_IP6));
}
