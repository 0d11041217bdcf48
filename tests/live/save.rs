//! What `-w` and F2 write on a busy link, read again by tshark and by sipwatch, is what was on the link.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use sipwatch::capture::demo;
use sipwatch::capture::file::FileSource;
use sipwatch::capture::synth::CarrierOptions;
use sipwatch::engine::{EngineOptions, analyze};
use sipwatch::time::{Elapsed, Timestamp};
use sipwatch::track::call::Call;

use super::lab::{FAR, Lab, NEAR, SIPWATCH, skip, tshark, turn, until};
use super::pty::Terminal;
use super::wire;

const F2: &str = "\x1bOQ";
const UP: &str = "\x1b[A";
/// To the end, and all that stands before it goes.
const CLEAR: &str = "\x1b[F\x15";

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What sipwatch says of a capture.
pub fn report(file: &Path) -> Value {
    let file = file.display().to_string();
    let output = Command::new(SIPWATCH).args(["-r", &file, "--report", "json"]).output().expect("sipwatch runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a report")
}

/// What a report says apart from times, which are those of the replay.
fn facts(report: &Value) -> (Value, Vec<[Value; 4]>, Vec<[Value; 4]>) {
    let sip = ["messages", "requests", "responses"].map(|name| report["sip"][name].clone());
    let rows = |list: &str, fields: [&str; 4]| {
        let rows = report[list].as_array().expect("a list").iter();
        let mut rows: Vec<_> = rows.map(|row| fields.map(|field| row[field].clone())).collect();
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    };
    let calls = rows("calls", ["call_id", "kind", "messages", "codecs"]);
    (sip.to_vec().into(), calls, rows("streams", ["ssrc", "src_port", "packets", "call_id"]))
}

/// The messages of every call, byte by byte.
fn messages(file: &Path) -> BTreeMap<String, Vec<Vec<u8>>> {
    let source = FileSource::open(&[file.display().to_string()]).expect("a capture");
    let snapshot = analyze(Box::new(source), &EngineOptions::default()).expect("a snapshot");
    let said = |call: &Call| call.messages.iter().map(|message| message.sip.bytes().to_vec()).collect();
    snapshot.calls.iter().map(|call| (call.call_id.to_string(), said(call))).collect()
}

fn packets(file: &Path) -> u64 {
    tshark(file, "frame", &["frame.number"]).len() as u64
}

fn send(lab: &Lab, file: &Path, pps: u32) {
    let (pps, interface) = (format!("--pps={pps}"), format!("--intf1={FAR}"));
    let file = file.display().to_string();
    lab.run("tcpreplay", &lab.far(&["tcpreplay", "-q", "-K", &pps, &interface, &file]), PATIENCE);
}

/// Fills in the open save window and waits for word.
fn save_as(terminal: &mut Terminal, file: &Path) {
    terminal.press(UP);
    terminal.press(CLEAR);
    terminal.press(&file.display().to_string());
    terminal.press("\r");
    terminal.see("word of the save", PATIENCE, |text| text.contains("Saved "));
}

#[test]
fn what_is_written_and_saved_under_load_is_what_was_sent() {
    let Some(lab) = Lab::open(&["tcpreplay", "tshark"]) else { return };
    let (sent, written) = (lab.file("sent.pcap"), lab.file("written.pcapng"));
    let (all, one) = (lab.file("all.pcapng"), lab.file("one.pcapng"));
    let options = CarrierOptions {
        calls: 40,
        subscriptions: 20,
        talk: Elapsed::from_secs(10),
        spread: Elapsed::from_secs(5),
        ..CarrierOptions::default()
    };
    let truth = wire::carrier_of(&sent, options);
    let path = written.display().to_string();
    let mut terminal = Terminal::run(&lab.near(&[SIPWATCH, "-i", NEAR, "-w", &path]));
    lab.wait_for_taps(1);
    terminal.see("the first picture", PATIENCE, |text| text.contains("Calls"));
    let interface = format!("--intf1={FAR}");
    let file = sent.display().to_string();
    let words = ["tcpreplay", "-q", "-K", "--pps=10000", &interface, &file];
    let mut sender = lab.start("tcpreplay", &lab.far(&words));
    terminal.see("calls", PATIENCE, |text| text.contains("INVITE"));
    // With the window open rows keep coming.
    terminal.press(F2);
    terminal.see("the save window", PATIENCE, |text| text.contains("What") && text.contains("Format"));
    let rows = format!("1 Calls {}", truth.calls + truth.subscriptions);
    terminal.see("all calls behind the window", PATIENCE, |text| text.contains(&rows) && text.contains("Format"));
    assert!(sender.wait(PATIENCE).is_some_and(|status| status.success()));
    terminal.watch(Duration::from_millis(500));
    save_as(&mut terminal, &all);
    terminal.press("\x1b[H");
    terminal.press("/INVITE\r");
    terminal.see("the filter", PATIENCE, |text| text.contains("filter: INVITE"));
    terminal.press("\r");
    terminal.see("the ladder", PATIENCE, |text| text.contains("Call-ID"));
    terminal.press(F2);
    terminal.see("this call", PATIENCE, |text| text.contains("this call:"));
    save_as(&mut terminal, &one);
    terminal.press("8");
    terminal.see("nothing lost", PATIENCE, |text| text.contains("lost 0 kernel, 0 interface, 0 queue"));
    terminal.press("q");
    assert_eq!(terminal.exit_code(PATIENCE), Some(0), "{}", terminal.text());

    assert_eq!([packets(&written), packets(&all)], [truth.packets; 2]);
    let want = facts(&report(&sent));
    assert_eq!(facts(&report(&written)), want);
    assert_eq!(facts(&report(&all)), want);
    let said = messages(&sent);
    assert!(messages(&written) == said && messages(&all) == said, "the same messages, byte by byte");
    // The one call with all of its messages and all of its RTP.
    let (_, calls, streams) = facts(&report(&one));
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(want.1.contains(call), "{call:?}");
    let its: Vec<_> = want.2.iter().filter(|stream| stream[3] == call[0]).cloned().collect();
    assert_eq!(streams, its);
    let ids = tshark(&one, "sip", &["sip.Call-ID"]);
    assert_eq!(ids.len() as u64, call[2].as_u64().unwrap_or_default());
    assert!(ids.iter().all(|row| call[0] == row[0]), "{ids:?}");
    assert!(messages(&one).iter().all(|(call_id, its)| said.get(call_id) == Some(its)), "the same messages");
}

#[test]
fn a_file_is_read_again_and_what_exists_is_asked_about() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a directory");
    let [from, to] = ["demo.pcap", "again.pcapng"].map(|name| folder.path().join(name));
    let mut demo = File::create(&from).expect("a file");
    demo::capture_to(&mut demo, Timestamp::from_parts(1_767_603_600, 0)).expect("the demo");
    let words = [SIPWATCH.to_owned(), "-r".to_owned(), from.display().to_string()];
    let mut terminal = Terminal::run(&words);
    terminal.see("calls", PATIENCE, |text| text.contains("INVITE"));
    terminal.press(F2);
    terminal.see("the save window", PATIENCE, |text| text.contains("read from the capture again"));
    save_as(&mut terminal, &to);
    assert_eq!(facts(&report(&to)), facts(&report(&from)));
    fs::write(&to, b"something else").expect("another file");
    terminal.press("/INVITE\r");
    terminal.see("the filter", PATIENCE, |text| text.contains("filter: INVITE"));
    terminal.press("\x1b[H");
    terminal.press("\r");
    terminal.see("the ladder", PATIENCE, |text| text.contains("Call-ID"));
    terminal.press(F2);
    terminal.see("this call", PATIENCE, |text| text.contains("this call:") && text.contains("capture again"));
    terminal.press(UP);
    terminal.press(CLEAR);
    terminal.press(&to.display().to_string());
    terminal.press("\r");
    terminal.see("the question", PATIENCE, |text| text.contains("exists. Overwrite it?"));
    assert_eq!(fs::read(&to).expect("the file"), b"something else");
    terminal.press("y");
    terminal.see("word of the save", PATIENCE, |text| text.contains("Saved "));
    let ((_, calls, streams), want) = (facts(&report(&to)), facts(&report(&from)));
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(want.1.contains(call), "{call:?}");
    let its: Vec<_> = want.2.iter().filter(|stream| stream[3] == call[0]).cloned().collect();
    assert_eq!(streams, its);
    let said = messages(&from);
    assert!(messages(&to).iter().all(|(call_id, its)| said.get(call_id) == Some(its)), "the same messages");
    terminal.press("8");
    terminal.press("q");
    assert_eq!(terminal.exit_code(PATIENCE), Some(0), "{}", terminal.text());
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew_on_a_signal() {
    let Some(lab) = Lab::open(&["tcpreplay", "tshark"]) else { return };
    let (message, file, moved) = (lab.file("sub.pcap"), lab.file("x.pcapng"), lab.file("x.1"));
    wire::subscription(&message, 1);
    let path = file.display().to_string();
    let running = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "-w", &path, "--report", "json"]));
    lab.wait_for_taps(1);
    send(&lab, &message, 1_000);
    // It is on the disk though the capture runs.
    until("packets in the file", PATIENCE, || (packets(&file) == 4).then_some(()));
    fs::rename(&file, &moved).expect("it moves");
    running.signal(Signal::SIGUSR1);
    until("a new file", PATIENCE, || file.exists().then_some(()));
    send(&lab, &message, 1_000);
    until("packets in the new file", PATIENCE, || {
        (fs::metadata(&file).ok()?.len() > 0 && packets(&file) == 4).then_some(())
    });
    assert!(running.finish().success());
    assert_eq!((packets(&moved), packets(&file)), (4, 4));
}

/// A disk of its own with very little room; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(at: PathBuf) -> Option<Self> {
        fs::create_dir(&at).expect("a directory");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k", "sipwatch"]).arg(&at).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return skip("no file system may be mounted here");
        }
        Some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_costs_packets_and_nothing_else() {
    let Some(lab) = Lab::open(&["tcpreplay", "tshark"]) else { return };
    let Some(disk) = Disk::new(lab.file("disk")) else { return };
    let (sent, file, filler) = (lab.file("sent.pcap"), disk.0.join("x.pcapng"), disk.0.join("filler"));
    let options =
        CarrierOptions { calls: 2, subscriptions: 0, talk: Elapsed::from_secs(3), ..CarrierOptions::default() };
    let truth = wire::carrier_of(&sent, options);
    let room = File::create(&filler).and_then(|mut filler| filler.write_all(&[0; 64 * 1024]));
    room.expect("room for a filler");
    let path = file.display().to_string();
    let mut running = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "-w", &path, "--report", "json"]));
    lab.wait_for_taps(1);
    send(&lab, &sent, 5_000);
    until("the disk is full", PATIENCE, || (fs::metadata(&file).ok()?.len() > 50_000).then_some(()));
    let before = packets(&file);
    assert!(before > 0 && before < truth.packets, "{before} of {}", truth.packets);
    fs::remove_file(&filler).expect("the filler goes");
    send(&lab, &sent, 5_000);
    until("it goes on", PATIENCE, || (packets(&file) > before).then_some(()));
    running.interrupt();
    let status = running.wait(PATIENCE).expect("it ends");
    let said = running.errors();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("x.pcapng: no space left on device") && said.contains("packets were not written"), "{said}");
    let capture = &serde_json::from_str::<Value>(&running.output()).expect("the report")["capture"];
    assert_eq!(capture["packets"], truth.packets * 2, "the capture went on");
    let (count, lost) = (&capture["written"]["packets"], &capture["written"]["lost"]["disk"]);
    assert_eq!(count.as_u64().zip(lost.as_u64()).map(|(count, lost)| count + lost), Some(truth.packets * 2));
    assert_eq!(Some(packets(&file)), count.as_u64());
    assert_eq!(report(&file)["capture"]["truncated"], false);
}
