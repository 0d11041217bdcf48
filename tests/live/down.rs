//! The interface goes down while we listen, or the terminal goes away.

use std::path::Path;
use std::time::Duration;

use super::lab::{Lab, NEAR, SIPWATCH, until};
use super::pty::Terminal;

#[test]
fn without_a_terminal_it_ends_with_one_sentence() {
    let Some(lab) = Lab::open(&[]) else { return };
    let mut sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(1);
    lab.unplug();
    let status = sipwatch.wait(Duration::from_secs(5)).expect("it ends by itself");
    let errors = sipwatch.errors();
    assert_eq!(status.code(), Some(1), "{errors}");
    assert!(errors.contains(NEAR) && errors.contains("went down") && errors.trim().lines().count() == 1, "{errors}");
    // What came until then is still reported.
    serde_json::from_str::<serde_json::Value>(&sipwatch.output()).expect("a JSON document");
}

#[test]
fn on_the_screen_it_says_so_and_gives_the_terminal_back() {
    let Some(lab) = Lab::open(&[]) else { return };
    let mut terminal = Terminal::run(&lab.near(&[SIPWATCH, "-i", NEAR]));
    lab.wait_for_taps(1);
    terminal.see("the first picture", Duration::from_secs(3), |text| text.contains("Calls"));
    assert!(terminal.is_taken());
    lab.unplug();
    terminal.see("why it stopped", Duration::from_secs(3), |text| text.contains("went down"));
    if terminal.exit_code(Duration::from_secs(1)).is_none() {
        terminal.press("q");
    }
    assert_eq!(terminal.exit_code(Duration::from_secs(3)), Some(1), "{}", terminal.text());
    assert!(terminal.is_restored());
    assert!(terminal.text().contains("went down"), "{}", terminal.text());
}

#[test]
fn when_the_terminal_goes_away_it_ends() {
    let Some(lab) = Lab::open(&["script"]) else { return };
    let words = lab.near(&[SIPWATCH, "-i", NEAR]).join(" ");
    // script(1) holds the other end of the terminal, as sshd does.
    let words = ["script", "-qfc", &words, "/dev/null"].map(str::to_owned);
    let mut holder = lab.start("script", &words);
    lab.wait_for_taps(1);
    let sipwatch = format!("/proc/{}", holder.child());
    until("the screen is taken", Duration::from_secs(5), || holder.output().contains("\x1b[?1049h").then_some(()));
    holder.kill();
    until("sipwatch ends", Duration::from_secs(3), || (!Path::new(&sipwatch).exists()).then_some(()));
}
