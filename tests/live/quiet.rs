//! Four messages on a link where nothing else happens, and nothing follows: they must not wait for company.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde_json::Value;

use super::lab::{FAR, Lab, NEAR, SIPWATCH, tshark, until};
use super::pty::Terminal;
use super::wire;

/// From the kernel's time stamp of the last packet to our output.
const AT_MOST: Duration = Duration::from_millis(150);

/// Runs of each test: where packets get stuck, they do so only sometimes.
const ROUNDS: u64 = 5;

fn play(lab: &Lab, file: &Path) {
    let file = file.display().to_string();
    let interface = format!("--intf1={FAR}");
    lab.run("tcpreplay", &lab.far(&["tcpreplay", "-q", &interface, &file]), Duration::from_secs(10));
}

/// All but one in time: once, another program may have had the processor. A packet that is stuck until company comes is
/// no matter of a late round, it fails the wait for it.
fn assert_in_time(late: &[Duration]) {
    let in_time = late.iter().filter(|&&delay| delay <= AT_MOST).count();
    assert!(late.len() == ROUNDS as usize && in_time + 1 >= late.len(), "{late:?}");
}

fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

#[test]
fn the_line_of_the_last_message_comes_at_once() {
    let Some(lab) = Lab::open(&["tcpreplay"]) else { return };
    let words = lab.near(&[SIPWATCH, "-i", NEAR, "--json"]);
    let (program, rest) = words.split_first().expect("a program");
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let output = child.stdout.take().expect("a pipe");
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send((SystemTime::now(), line)).is_err() {
                break;
            }
        }
    });
    lab.wait_for_taps(1);
    let mut late = Vec::new();
    for round in 0..ROUNDS {
        let file = lab.file("quiet.pcap");
        let subscription = wire::subscription(&file, round);
        play(&lab, &file);
        let mut messages = 0;
        while messages < 4 {
            let (seen, line) = lines.recv_timeout(Duration::from_secs(3)).expect("four messages without company");
            let line: Value = serde_json::from_str(&line).expect("a JSON object");
            if line["type"] == "message" && line["call_id"] == subscription.call_id.as_str() {
                messages += 1;
                let at = DateTime::parse_from_rfc3339(line["at"].as_str().expect("a time")).expect("RFC 3339");
                if messages == 4 {
                    late.push(since(at.into(), seen));
                }
            }
        }
        thread::sleep(Duration::from_millis(37 * round));
    }
    child.kill().and_then(|()| child.wait()).expect("a child of ours");
    println!("from the wire to the line: {late:?}");
    assert_in_time(&late);
}

#[test]
fn the_row_is_on_the_screen_at_once() {
    let Some(lab) = Lab::open(&["tcpreplay", "tcpdump", "tshark"]) else { return };
    let beside = lab.file("beside.pcap");
    let tcpdump = lab.tcpdump(&beside);
    let mut terminal = Terminal::run(&lab.near(&[SIPWATCH, "-i", NEAR]));
    lab.wait_for_taps(2);
    terminal.see("the first picture", Duration::from_secs(3), |text| text.contains("Calls"));
    let mut shown = Vec::new();
    for round in 0..ROUNDS {
        let file = lab.file("quiet.pcap");
        let subscription = wire::subscription(&file, 100 + round);
        play(&lab, &file);
        let rows = round as usize + 1;
        // The last of the four messages turns the message count of the row to four.
        let whole = |line: &str| line.contains(subscription.resource) && line.split_whitespace().any(|w| w == "4");
        let is_so = |text: &str| text.lines().filter(|line| whole(line)).count() >= rows;
        shown.push(terminal.see("the row with its four messages", Duration::from_secs(3), is_so));
        terminal.watch(Duration::from_millis(400));
    }
    let last: Vec<SystemTime> = until("tcpdump wrote all messages", Duration::from_secs(5), || {
        let times = tshark(&beside, "sip", &["frame.time_epoch"]);
        let last = times.chunks_exact(4).filter_map(|four| four.last()).map(|row| time(&row[0]));
        (times.len() == 4 * ROUNDS as usize).then(|| last.collect())
    });
    assert!(tcpdump.finish().success());
    let late: Vec<_> = last.into_iter().zip(shown).map(|(then, now)| since(then, now)).collect();
    println!("from the wire to the screen: {late:?}");
    assert_in_time(&late);
}

/// Seconds since the epoch with their fraction, exactly.
fn time(text: &str) -> SystemTime {
    let (seconds, fraction) = text.split_once('.').expect("seconds with a fraction");
    let nanos = format!("{fraction:0<9}").parse().expect("a number");
    SystemTime::UNIX_EPOCH + Duration::new(seconds.parse().expect("a number"), nanos)
}
