//! The demo on a screen: no root, no network, and something to see at once.

use std::time::{Duration, SystemTime};

use super::lab::{SIPWATCH, turn};
use super::pty::Terminal;

#[test]
fn calls_move_within_a_second_and_the_terminal_is_given_back() {
    let _turn = turn();
    let began = SystemTime::now();
    let mut terminal = Terminal::run(&[SIPWATCH.to_owned(), "--demo".to_owned()]);
    let row = |text: &str, state: &str| {
        text.lines().any(|line| ["INVITE", "206", "208", state].iter().all(|word| line.contains(word)))
    };
    let seen = terminal.see("a call that rings", Duration::from_secs(5), |text| row(text, "Ringing"));
    let late = seen.duration_since(began).unwrap_or_default();
    assert!(late <= Duration::from_secs(1), "the first call rang on the screen after {late:?}");
    terminal.see("the call answered", Duration::from_secs(6), |text| row(text, "In call"));
    terminal.press("q");
    assert_eq!(terminal.exit_code(Duration::from_secs(2)), Some(0), "{}", terminal.text());
    assert!(terminal.is_restored());
}
