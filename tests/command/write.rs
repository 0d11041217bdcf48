//! `-w`: what was written, read again, is what was read.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Files, assert_fails, run, sipwatch};

fn report(file: &str) -> Value {
    let output = run(&["-r", file, "--report", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["capture"]["sources"] = Value::Null;
    report
}

/// What tshark says of every packet, or nothing where there is no tshark.
fn tshark(file: &str) -> Option<String> {
    let fields = ["frame.time_epoch", "frame.len", "ip.src", "udp.srcport", "sip.Call-ID", "rtp.seq"];
    let mut command = Command::new("tshark");
    command.args(["-r", file, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.stderr(Stdio::null()).output().ok()?;
    assert!(output.status.success(), "tshark does not read {file}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn what_is_written_gives_the_same_report_and_the_same_packets() {
    let files = Files::new();
    let (from, to) = (files.demo(), files.path("out.pcapng"));
    // Neither restricts what is written.
    let output = run(&["-r", &from, "-w", &to, "--report", "json", "--call-id", "nobody", "-f", "status == 999"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let written = &serde_json::from_slice::<Value>(&output.stdout).unwrap()["capture"]["written"];
    let (before, after) = (report(&from), report(&to));
    assert_eq!(before, after);
    assert_eq!(before["capture"].get("written"), None);
    assert_eq!(written["packets"], before["capture"]["packets"]);
    assert_eq!(written["bytes"], fs::metadata(&to).unwrap().len());
    assert_eq!((&written["files"], &written["lost"]), (&1.into(), &serde_json::json!({"queue": 0, "disk": 0})));
    assert_eq!(tshark(&from), tshark(&to));
}

#[test]
fn without_a_terminal_it_converts_and_says_so() {
    let files = Files::new();
    let (from, to) = (files.demo(), files.path("out.pcapng"));
    let output = run(&["-r", &from, "-w", &to]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("packets") && said.contains("out.pcapng"), "{said}");
    let piped = run(&["-r", &from, "-w", "-"]);
    assert_eq!(piped.status.code(), Some(0));
    assert_eq!(piped.stdout, fs::read(&to).unwrap());
    assert_eq!(report(&from), report(&to));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let files = Files::new();
    let mut writing = sipwatch();
    writing.args(["-r", &files.demo(), "-w", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut writing = writing.spawn().unwrap();
    drop(writing.stdout.take());
    let output = writing.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_full_disk_ends_with_a_sentence_behind_the_report() {
    let files = Files::new();
    let output = run(&["-r", &files.demo(), "-w", "/dev/full", "--report", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("/dev/full: no space left on device") && said.contains("not written"), "{said}");
    let capture = &serde_json::from_slice::<Value>(&output.stdout).unwrap()["capture"];
    assert_eq!((&capture["written"]["packets"], &capture["written"]["lost"]["disk"]), (&0.into(), &capture["packets"]));
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_read() {
    let files = Files::new();
    let from = files.demo();
    let before = fs::read(&from).unwrap();
    assert_fails(&run(&["-r", &from, "-w", &from, "--report", "calls"]), 1, &["demo.pcap", "is being read"]);
    let mut piped = sipwatch();
    piped.args(["-r", "-", "-w", &from, "--report", "calls"]).stdin(fs::File::open(&from).unwrap());
    assert_fails(&piped.output().unwrap(), 1, &["demo.pcap", "is being read"]);
    assert_eq!(fs::read(&from).unwrap(), before);
    assert_fails(&run(&["-r", &from, "-w", "/no/such/x.pcapng", "--report", "calls"]), 1, &["/no/such", "directory"]);
    assert_fails(&run(&["-r", &from, "-w", "-", "--report", "calls"]), 2, &["-w -", "--report"]);
    assert_fails(&run(&["-r", &from, "--report", "calls", "--rotate-size", "3"]), 2, &["--write"]);
    assert_fails(&run(&["-r", &from, "-w", "x", "--report", "calls", "--rotate-files", "3"]), 2, &["--rotate-size"]);
}

#[test]
fn rotated_files_together_are_the_capture() {
    let files = Files::new();
    let from = files.demo();
    let output = run(&["-r", &from, "-w", &files.path("x.pcapng"), "--rotate-seconds", "20", "--report", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names = files.names();
    names.retain(|name| name.starts_with("x_"));
    assert!(names.len() > 1 && names[0].starts_with("x_00001_2026"), "{names:?}");
    assert_eq!(report["capture"]["written"]["files"], names.len());
    let paths: Vec<String> = names.iter().map(|name| files.path(name)).collect();
    let again: Vec<&str> = paths.iter().flat_map(|path| ["-r", path]).chain(["--report", "json"]).collect();
    let again: Value = serde_json::from_slice(&run(&again).stdout).unwrap();
    for what in ["sip", "streams"] {
        assert_eq!(again[what], report[what]);
    }
    // Written once more, the first one has the number and the time of the one that is read.
    let before = fs::read(&paths[0]).unwrap();
    let output = run(&["-r", &paths[0], "-w", &files.path("x.pcapng"), "--rotate-seconds", "20"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(&paths[0]).unwrap(), before);
}

#[test]
fn under_sudo_a_new_file_belongs_to_who_called_it() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let files = Files::new();
    let (from, to) = (files.demo(), files.path("out.pcapng"));
    let owner = || fs::metadata(&to).map(|file| (file.uid(), file.gid())).unwrap();
    let write = |more: &[&str]| {
        let mut command = sipwatch();
        command.env("SUDO_UID", "4711").env("SUDO_GID", "4712").args(["-r", &from, "-w", &to]).args(more);
        command.output().unwrap()
    };
    // Root is kept, and the file is not root's all the same.
    assert!(write(&["--no-drop"]).status.success());
    assert_eq!(owner(), (4711, 4712));
    // Without root a directory of root's is out of reach, which is said.
    fs::remove_file(&to).unwrap();
    assert_fails(&write(&[]), 1, &["out.pcapng", "permission denied", "--no-drop"]);
    chown(files.folder.path(), Some(4711), Some(4712)).unwrap();
    assert!(write(&[]).status.success());
    assert_eq!(owner(), (4711, 4712));
}
