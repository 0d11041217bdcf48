//! The program as scripts see it: output, errors in one sentence, exit status.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test helpers fail by panicking, and a program that hangs is found out by the wall clock"
)]

mod terminal;
mod torture;
mod write;

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use sipwatch::capture::demo;
use sipwatch::time::Timestamp;
use tempfile::TempDir;

fn sipwatch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipwatch"));
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    sipwatch().args(arguments).output().unwrap()
}

/// Standard error must be one sentence that holds all these parts, and nothing may be on standard output.
fn assert_fails(output: &Output, status: i32, parts: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{error}");
    for part in parts {
        assert!(error.contains(part), "\"{part}\" is not in: {error}");
    }
    assert!(output.stdout.is_empty());
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn names(&self) -> Vec<String> {
        let folder = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn demo(&self) -> String {
        let mut bytes = Vec::new();
        demo::capture_to(&mut bytes, Timestamp::from_parts(1_767_603_600, 0)).unwrap();
        self.write("demo.pcap", &bytes)
    }
}

#[test]
fn a_missing_file_is_named() {
    assert_fails(&run(&["-r", "/no/such/file.pcap", "--report", "calls"]), 1, &["/no/such/file.pcap", "no such file"]);
}

#[test]
fn what_is_no_capture_is_said_with_its_first_bytes() {
    let files = Files::new();
    let text = files.write("notes.txt", b"not a capture at all, just text");
    assert_fails(&run(&["-r", &text, "--report", "calls"]), 1, &["notes.txt", "not a capture file"]);
    let empty = files.write("empty.pcap", b"");
    assert_fails(&run(&["-r", &empty, "--report", "calls"]), 1, &["empty.pcap", "is empty"]);
}

#[test]
fn a_capture_without_packets_is_fine() {
    let files = Files::new();
    let header = fs::read(files.demo()).unwrap()[..24].to_vec();
    let output = run(&["-r", &files.write("header.pcap", &header), "--report", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["capture"]["packets"], 0);
    assert_eq!(report["capture"]["first"], serde_json::Value::Null);
}

#[test]
fn a_file_behind_another_is_read_with_a_warning_and_is_not_cut() {
    let files = Files::new();
    let once = fs::read(files.demo()).unwrap();
    let twice = files.write("twice.pcap", &[&once[..], &once[24..]].concat());
    let output = run(&["-r", &twice, "--report", "json"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(error, "sipwatch: warning: packets out of order by more than 2 s or 1024 packets in 1 place\n");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["capture"]["truncated"], false);
    let text = run(&["-r", &twice, "--report", "sip"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("            packets out of order"));
}

#[test]
fn a_cut_file_is_read_as_far_as_it_goes_with_a_warning() {
    let files = Files::new();
    let whole = fs::read(files.demo()).unwrap();
    let cut = files.write("cut.pcap", &whole[..whole.len() - 7]);
    let output = run(&["-r", &cut, "--report", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("warning"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["capture"]["truncated"], true);
    assert!(report["sip"]["messages"].as_u64().unwrap() > 10);
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_fails(&run(&["--no-such-option"]), 2, &["--no-such-option"]);
    assert_fails(&run(&["--report", "nonsense"]), 2, &["nonsense", "json", "calls"]);
    assert_fails(&run(&["--demo", "--report", "json", "-f", "from ~ \"("]), 2, &["--filter", "character"]);
    let files = Files::new();
    let file = files.demo();
    assert_fails(&run(&["-r", &file, "--report", "json", "udp", "port", "5060"]), 2, &["BPF", "--filter"]);
    assert_fails(&run(&["--demo", "--report", "json", "udp", "port", "5060"]), 2, &["BPF", "live"]);
    assert_fails(&run(&["-r", &file, "--demo"]), 2, &["--demo"]);
}

#[test]
fn the_screen_needs_a_terminal() {
    assert_fails(&run(&["--demo"]), 1, &["no terminal", "--report"]);
}

#[test]
fn the_same_file_gives_the_same_document() {
    let files = Files::new();
    let file = files.demo();
    let first = run(&["-r", &file, "--report", "json"]);
    assert_eq!(first.status.code(), Some(0));
    assert!(first.stdout == run(&["-r", &file, "--report", "json"]).stdout);
}

#[test]
fn what_two_files_saw_both_counts_once_unless_told_otherwise() {
    let files = Files::new();
    let (one, other) = (files.demo(), files.write("other.pcap", &fs::read(files.demo()).unwrap()));
    let report = |arguments: &[&str]| -> serde_json::Value {
        let output = run(&[arguments, &["--report", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let number = |report: &serde_json::Value, of: &str, what: &str| report[of][what].as_u64().unwrap();
    let once = report(&["-r", &one]);
    let both = report(&["-r", &one, "-r", &other]);
    let all = report(&["-r", &one, "-r", &other, "--no-dedup"]);
    let (packets, messages) = (number(&once, "capture", "packets"), number(&once, "sip", "messages"));
    assert_eq!(number(&once, "capture", "duplicates"), 0);
    assert_eq!((number(&both, "capture", "packets"), number(&both, "sip", "messages")), (2 * packets, messages));
    assert_eq!(number(&both, "capture", "duplicates"), packets);
    assert_eq!((number(&all, "sip", "messages"), number(&all, "capture", "duplicates")), (2 * messages, 0));
}

#[test]
fn a_file_on_standard_input_is_the_same_as_by_name() {
    let files = Files::new();
    let file = files.demo();
    let mut child =
        sipwatch().args(["-r", "-", "--report", "calls"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&file).unwrap()).unwrap();
    let piped = child.wait_with_output().unwrap();
    let named = run(&["-r", &file, "--report", "calls"]);
    let rows = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| line.contains("INVITE")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!rows(&named).is_empty());
    assert_eq!(rows(&piped), rows(&named));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let files = Files::new();
    let file = files.demo();
    for arguments in [["--report", "json"], ["--report", "sip"], ["--json", "--ascii"]] {
        let mut child = sipwatch()
            .args(["-r", &file])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn call_id_restricts_every_list_and_the_sip_counts() {
    let files = Files::new();
    let file = files.demo();
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = sipwatch().args(["-r", &file]).args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = json(&["--report", "json"]);
    let call_id = all["calls"][0]["call_id"].as_str().unwrap().to_owned();
    let one = json(&["--report", "json", "--call-id", &call_id]);
    assert_eq!(one["calls"].as_array().unwrap().len(), 1);
    assert_eq!(one["calls"][0], all["calls"][0]);
    assert_eq!(one["sip"]["messages"], all["calls"][0]["messages"]);
    assert_eq!(one["capture"], all["capture"]);
    let none = json(&["--report", "json", "--call-id", "no such call"]);
    assert_eq!(none["calls"], serde_json::json!([]));
}

#[test]
fn json_lines_are_objects_with_a_type_and_a_time() {
    let files = Files::new();
    let output = run(&["-r", &files.demo(), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let mut messages = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["type"].is_string() && object["at"].is_string(), "{line}");
        messages += usize::from(object["type"] == "message");
    }
    assert!(messages > 10);
}

#[test]
fn json_lines_show_every_state_in_order_of_time() {
    let files = Files::new();
    let output = run(&["-r", &files.demo(), "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages = lines.iter().filter(|line| line["type"] == "message");
    let times: Vec<&str> = messages.map(|line| line["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    let completed = lines.iter().find(|line| line["state"] == "completed").unwrap();
    let mut of_one = lines.iter().filter(|line| line["call_id"] == completed["call_id"]);
    assert_eq!(of_one.next().unwrap()["type"], "message");
    let mut states: Vec<&str> = of_one.filter_map(|line| line["state"].as_str()).collect();
    states.dedup();
    assert_eq!(states, ["setup", "ringing", "answered", "in_call", "completed"]);
}

#[test]
fn errors_that_quote_a_name_send_no_control_characters() {
    let files = Files::new();
    let text = files.write("\u{1b}[31mnotes.txt", b"no capture");
    let output = run(&["-r", &text, "--report", "calls"]);
    assert_fails(&output, 1, &["␛[31mnotes.txt"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.trim_end().chars().any(char::is_control), "{error:?}");
}

#[test]
fn the_ladder_of_a_call_is_printed() {
    let files = Files::new();
    let file = files.demo();
    let all = run(&["-r", &file, "--report", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&all.stdout).unwrap();
    let calls = report["calls"].as_array().unwrap();
    let call = calls.iter().find(|call| call["state"] == "completed").unwrap();
    let output = run(&["-r", &file, "--ladder", call["call_id"].as_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["INVITE", "180 Ringing", "200 OK", "BYE"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert_fails(&run(&["-r", &file, "--ladder", "nobody"]), 1, &["nobody", "--report calls"]);
}

#[test]
fn words_are_explained() {
    let output = run(&["--explain", "481"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("481") && text.contains("RFC 3261"), "{text}");
    assert_fails(&run(&["--explain", "no-such-word"]), 1, &["no-such-word"]);
}

#[test]
fn help_and_version_are_there() {
    assert!(String::from_utf8_lossy(&run(&["--help"]).stdout).contains("--report"));
    assert!(String::from_utf8_lossy(&run(&["-V"]).stdout).starts_with("sipwatch "));
}

#[test]
fn an_interface_that_does_not_exist_is_named_with_those_that_do() {
    let output = run(&["-i", "nosuchif0", "--report", "json"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("nosuchif0"), "{error}");
}

#[test]
fn without_permission_the_way_out_is_named() {
    if !nix::unistd::geteuid().is_root() {
        let output = run(&["-i", "lo", "--report", "json"]);
        assert_fails(&output, 1, &["sudo", "setcap", "--demo"]);
        return;
    }
    // As root: give the rights away first. A copy, since nobody may not look into every folder.
    let folder =
        tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let copy = folder.path().join("sipwatch");
    fs::copy(env!("CARGO_BIN_EXE_sipwatch"), &copy).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"])
        .arg(&copy)
        .args(["-i", "lo", "--report", "json"])
        .output();
    match output {
        Ok(output) => assert_fails(&output, 1, &["sudo", "setcap", "--demo"]),
        Err(_) => drop(writeln!(std::io::stderr(), "skipped: setpriv is not installed")),
    }
}

#[test]
fn a_bpf_filter_that_does_not_compile_is_wrong_usage() {
    if !nix::unistd::geteuid().is_root() {
        let _ = writeln!(std::io::stderr(), "skipped: needs root");
        return;
    }
    let output = run(&["-i", "lo", "--report", "json", "udp", "prot", "5060"]);
    assert_fails(&output, 2, &["udp prot 5060", "pcap-filter"]);
}
