//! Half a million packets as fast as the machine can send them, with the screen in use.

use std::path::Path;
use std::time::{Duration, Instant};

use sipwatch::capture::synth::Truth;
use sipwatch::tui::format::counted;

use super::lab::{FAR, Lab, NEAR, SIPWATCH, skip};
use super::pty::Terminal;
use super::save::report;
use super::wire;

const KEY_EVERY: Duration = Duration::from_millis(200);
const KEY_AT_MOST: Duration = Duration::from_millis(250);

/// What came of one replay.
#[derive(Debug)]
struct Outcome {
    /// The slowest key.
    slowest: Duration,
    keys: usize,
    /// The Capture tab at the end.
    capture_tab: String,
}

fn wanted() -> bool {
    if std::env::var_os("SIPWATCH_LONG").is_none() {
        return skip::<()>("full load only with SIPWATCH_LONG=1").is_some();
    }
    if cfg!(debug_assertions) {
        return skip::<()>("full load only in a release build").is_some();
    }
    true
}

fn replay(lab: &Lab, file: &Path, speed: &[&str], arguments: &[&str]) -> Outcome {
    let mut words = vec![SIPWATCH, "-i", NEAR];
    words.extend(arguments);
    let mut terminal = Terminal::run(&lab.near(&words));
    lab.wait_for_taps(1);
    terminal.see("the first picture", Duration::from_secs(3), |text| text.contains("Calls"));
    let (interface, file) = (format!("--intf1={FAR}"), file.display().to_string());
    let sender = [&["tcpreplay", "-q", "-K"], speed, &[&interface, &file]].concat();
    let mut tcpreplay = lab.start("tcpreplay", &lab.far(&sender));
    let (mut slowest, mut keys) = (Duration::ZERO, 0);
    let mut sent_all = false;
    // Some keys more after the last packet: the queue may still be full then.
    let mut after = 5;
    while after > 0 {
        let began = Instant::now();
        let (key, capture) = if keys % 2 == 0 { ("8", true) } else { ("1", false) };
        terminal.press(key);
        let effect = terminal.wait_for(Duration::from_secs(5), |text| shows_capture(text) == capture);
        assert!(effect.is_some(), "a key had no effect:\n{}", terminal.text());
        slowest = slowest.max(began.elapsed());
        keys += 1;
        terminal.watch(KEY_EVERY.saturating_sub(began.elapsed()));
        sent_all = sent_all || tcpreplay.wait(Duration::ZERO).is_some();
        after -= usize::from(sent_all);
    }
    terminal.press("8");
    terminal.see("the Capture tab", Duration::from_secs(3), shows_capture);
    terminal.watch(Duration::from_millis(500));
    Outcome { slowest, keys, capture_tab: terminal.text() }
}

/// Whether the Capture tab is up: only it has this line.
fn shows_capture(text: &str) -> bool {
    text.contains("Packets lost")
}

/// What the Capture tab says of the interface: lost by kernel, interface and queue.
fn lost(screen: &str) -> [u64; 3] {
    let line = screen.lines().find_map(|line| line.split_once("lost ")).map(|(_, rest)| rest);
    let words: Vec<_> = line.unwrap_or_default().split([' ', ',']).collect();
    ["kernel", "interface", "queue"].map(|name| {
        let pair = words.windows(2).find(|pair| pair[1] == name);
        pair.and_then(|pair| pair[0].parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{screen}"))
    })
}

fn assert_nothing_lost(lab: &Lab, truth: &Truth, times: u64, outcome: &Outcome) {
    println!("{}", rate(lab));
    println!("{} keys, the slowest took {:?}", outcome.keys, outcome.slowest);
    let screen = &outcome.capture_tab;
    assert_eq!(lost(screen), [0, 0, 0], "{screen}");
    // Every call and every subscription is a row, and as many packets came as were sent.
    let rows = format!("1 Calls {}", truth.calls + truth.subscriptions);
    let packets = counted(truth.packets * times);
    assert!(screen.contains(&rows), "not {rows:?}:\n{screen}");
    let source = screen.lines().find(|line| line.contains(NEAR) && line.contains("Ethernet")).unwrap_or_default();
    assert!(source.split_whitespace().any(|word| word == packets), "not {packets} packets:\n{screen}");
    assert!(outcome.slowest <= KEY_AT_MOST, "a key took {:?}", outcome.slowest);
}

#[test]
fn nothing_is_lost_and_keys_answer_under_full_load() {
    if !wanted() {
        return;
    }
    let Some(lab) = Lab::open(&["tcpreplay"]) else { return };
    let file = lab.file("carrier.pcap");
    let truth = wire::carrier(&file);
    let outcome = replay(&lab, &file, &["--pps=200000"], &[]);
    assert_nothing_lost(&lab, &truth, 1, &outcome);
    let outcome = replay(&lab, &file, &["--topspeed", "--loop=3"], &[]);
    assert_nothing_lost(&lab, &truth, 3, &outcome);
    // Writing all of it to a file loses nothing either, there or here.
    let written = lab.file("written.pcapng");
    let outcome = replay(&lab, &file, &["--pps=200000"], &["-w", &written.display().to_string()]);
    assert_nothing_lost(&lab, &truth, 1, &outcome);
    let capture = &report(&written)["capture"];
    assert_eq!((&capture["packets"], &capture["truncated"]), (&truth.packets.into(), &false.into()));
    // A zero is to be believed only if the same run can show something else.
    let outcome = replay(&lab, &file, &["--topspeed"], &["--queue-batches", "4"]);
    let [_, _, queue] = lost(&outcome.capture_tab);
    println!("with a queue of 4 batches: {queue} lost");
    assert!(queue > 0, "a queue of 4 batches must lose:\n{}", outcome.capture_tab);
}

/// What tcpreplay says of the speed it reached.
fn rate(lab: &Lab) -> String {
    let text = std::fs::read_to_string(lab.file("tcpreplay.out")).unwrap_or_default();
    text.lines().find(|line| line.contains("pps")).unwrap_or_default().trim().to_owned()
}
