//! The call view on a screen of letters.

mod scene;
mod texts;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::track::call::CallState;
use crate::tui::action::Effect;
use crate::tui::keys::call_view::BINDINGS;
use scene::{A, B, INVITE, P, Scene, busy, forked, proxied, snapshot};

/// A view on a terminal of letters.
struct Screen {
    view: CallView,
    snapshot: Snapshot,
    theme: Theme,
    terminal: Terminal<TestBackend>,
    effects: Vec<Effect>,
}

impl Screen {
    fn new(snapshot: Snapshot, keys: &[u64], size: (u16, u16)) -> Self {
        let mut view = CallView::open(keys.iter().copied().map(CallKey).collect());
        view.utc = true;
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut screen = Self { view, snapshot, theme: Theme::default(), terminal, effects: Vec::new() };
        screen.draw();
        screen
    }

    fn draw(&mut self) -> Hits {
        let mut hits = Hits::default();
        let Self { view, snapshot, theme, terminal, .. } = self;
        terminal.draw(|frame| view.draw(frame, frame.area(), snapshot, theme, &mut hits)).unwrap();
        hits
    }

    fn act(&mut self, action: &CallViewAction) {
        let size = self.terminal.backend().buffer().area;
        let effects = self.view.update(action, &self.snapshot, Size::new(size.width, size.height));
        self.effects.extend(effects);
        self.draw();
    }

    /// Keys as the user types them, by the table; text while a line is open.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            if self.view.wants_text() && key != "enter" && key != "esc" {
                for letter in key.chars() {
                    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                    self.view.text_key(key, &self.snapshot);
                }
            } else if self.view.wants_text() {
                let code = if key == "enter" { KeyCode::Enter } else { KeyCode::Esc };
                let effects = self.view.text_key(KeyEvent::new(code, KeyModifiers::NONE), &self.snapshot);
                self.effects.extend(effects);
            } else {
                let context = self.view.context();
                let bound = |binding: &&crate::tui::keys::Binding| {
                    binding.context == context && binding.keys.split(' ').any(|bound| bound == key)
                };
                let binding = BINDINGS.iter().find(bound).unwrap_or_else(|| panic!("{key} in {context:?}"));
                let Action::CallView(action) = &binding.action else { panic!("{key}") };
                self.act(action);
            }
            self.draw();
        }
        self
    }

    fn row(&self, y: u16) -> String {
        let buffer = self.terminal.backend().buffer();
        (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned()
    }

    fn page(&self) -> String {
        let height = self.terminal.backend().buffer().area.height;
        (0..height).map(|y| self.row(y) + "\n").collect()
    }

    /// The row that holds this text, and the cell where it begins.
    fn find(&self, text: &str) -> (u16, u16) {
        let height = self.terminal.backend().buffer().area.height;
        let found = (0..height).find_map(|y| {
            let row = self.row(y);
            row.find(text).map(|at| (u16::try_from(row[..at].chars().count()).unwrap(), y))
        });
        found.unwrap_or_else(|| panic!("{text} is not in\n{}", self.page()))
    }

    fn style(&self, text: &str) -> ratatui::style::Style {
        let at = self.find(text);
        self.terminal.backend().buffer()[at].style()
    }
}

fn proxied_screen(size: (u16, u16)) -> Screen {
    let (scene, streams) = proxied();
    Screen::new(snapshot(vec![scene.call()], streams), &[0], size)
}

fn forked_screen(size: (u16, u16)) -> Screen {
    Screen::new(snapshot(vec![forked().call()], Vec::new()), &[1], size)
}

fn merged_screen(size: (u16, u16)) -> Screen {
    let (scene, streams) = proxied();
    Screen::new(snapshot(vec![scene.call(), forked().call()], streams), &[0, 1], size)
}

#[test]
fn pages_at_80_columns() {
    let mut screen = proxied_screen((80, 21));
    insta::assert_snapshot!("ladder_80", screen.page());
    screen.keys("d t j j j j");
    insta::assert_snapshot!("ladder_80_sdp_delta", screen.page());
    screen.keys("d home");
    insta::assert_snapshot!("ladder_80_sdp_whole", screen.page());
    screen.keys("d r");
    insta::assert_snapshot!("raw_80", screen.page());
    screen.keys("r space end k k space");
    insta::assert_snapshot!("diff_80", screen.page());
}

#[test]
fn pages_with_the_message_beside() {
    let mut screen = proxied_screen((120, 37));
    insta::assert_snapshot!("ladder_120", screen.page());
    screen.keys("j j j j j j");
    insta::assert_snapshot!("ladder_120_retransmitted", screen.page());
    let mut screen = proxied_screen((160, 42));
    screen.keys("j j space j j j j space");
    insta::assert_snapshot!("diff_160", screen.page());
    screen.keys("esc");
    insta::assert_snapshot!("ladder_160", screen.page());
}

#[test]
fn pages_of_small_screens_and_of_forks() {
    insta::assert_snapshot!("ladder_40", proxied_screen((40, 12)).page());
    let mut screen = forked_screen((80, 21));
    insta::assert_snapshot!("fork_80", screen.page());
    screen.keys("right right");
    insta::assert_snapshot!("fork_80_scrolled", screen.page());
    insta::assert_snapshot!("merged_120", merged_screen((120, 30)).page());
    let mut screen = merged_screen((80, 21));
    screen.theme.ascii = true;
    screen.draw();
    insta::assert_snapshot!("merged_80_ascii", screen.page());
    assert!(screen.page().is_ascii(), "{}", screen.page());
}

#[test]
fn the_start_line_and_the_hop_of_the_selected_message_are_readable_at_80x24() {
    let mut screen = proxied_screen((80, 21));
    assert!(screen.page().contains(INVITE));
    screen.keys("end k");
    assert!(screen.page().contains("#11  10:02:59.536250  10.1.1.124:5060 → 10.1.1.123:5060"), "{}", screen.page());
}

#[test]
fn colours_tell_classes_branches_and_calls() {
    let mut screen = Screen::new(snapshot(vec![busy().call()], Vec::new()), &[0], (80, 21));
    let colour = |screen: &Screen, text: &str| screen.style(text).fg;
    screen.keys("end");
    assert_eq!(colour(&screen, "INVITE (SDP)"), Some(Color::Cyan));
    assert_eq!(colour(&screen, "486 Busy Here │"), Some(Color::Red));
    let mut screen = forked_screen((120, 30));
    screen.keys("end b");
    assert_eq!(screen.effects, [Effect::Say("Colours by branch".to_owned())]);
    let (x, _) = screen.find("INVITE (SDP) ✓");
    let buffer = screen.terminal.backend().buffer();
    let branches: std::collections::HashSet<Color> = (3..6).map(|y| buffer[(x, y)].fg).collect();
    assert_eq!(branches.len(), 3, "the three branches have colours of their own");
    assert_eq!(colour(&screen, "✓"), Some(Color::Green));
    let merged = merged_screen((120, 30));
    assert_ne!(colour(&merged, "206 → 208"), colour(&merged, "206 → sales"));
}

#[test]
fn the_selected_row_is_reversed_and_retransmissions_are_marked() {
    let mut screen = proxied_screen((80, 21));
    assert!(screen.style("10:02:14.103").add_modifier.contains(Modifier::REVERSED));
    assert!(!screen.style("10:02:14.105").add_modifier.contains(Modifier::REVERSED));
    assert_eq!(screen.style("×2").fg, Some(Color::Yellow));
    screen.keys("R");
    let page = screen.page();
    assert!(page.contains("10:02:18.023 │◀───────── 200 OK (SDP) ×2 │"), "{page}");
    assert!(page.contains("10:02:17.523 │◀──────────── 200 OK (SDP) │"), "{page}");
}

#[test]
fn without_colours_nothing_is_coloured() {
    let mut screen = merged_screen((160, 42));
    screen.theme.no_color = true;
    screen.draw();
    let buffer = screen.terminal.backend().buffer();
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

#[test]
fn the_cursor_stays_on_its_message_while_rows_arrive_and_follows_at_the_end() {
    let (mut scene, streams) = proxied();
    let mut screen = Screen::new(snapshot(vec![scene.call()], streams.clone()), &[0], (80, 12));
    screen.keys("j j");
    let selected = screen.view.cursor;
    scene.say(50_000, (A, B), "OPTIONS sip:208@10.1.1.124 SIP/2.0", "9", "3 OPTIONS", "");
    scene.say(1, (A, P), "OPTIONS sip:early@h SIP/2.0", "8", "4 OPTIONS", "");
    screen.snapshot = snapshot(vec![scene.call()], streams.clone());
    screen.draw();
    assert_eq!(screen.view.cursor, selected);
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(2));
    screen.keys("end");
    let end = screen.view.cursor;
    scene.call.state = CallState::InCall;
    scene.say(60_000, (A, B), "MESSAGE sip:208@10.1.1.124 SIP/2.0", "7", "5 MESSAGE", "");
    screen.snapshot = snapshot(vec![scene.call()], streams);
    screen.draw();
    assert_ne!(screen.view.cursor, end);
    assert!(screen.page().contains("MESSAGE sip:208@10.1.1.124"), "{}", screen.page());
}

#[test]
fn the_model_is_made_anew_only_when_a_call_changed() {
    let mut screen = proxied_screen((80, 21));
    let version = screen.view.page.version;
    screen.keys("j j t b u pgdn");
    assert_eq!(screen.view.page.version, version);
    screen.snapshot.calls.get_mut(0).unwrap().message_count += 1;
    screen.draw();
    assert_eq!(screen.view.page.version, version + 1);
}

#[test]
fn search_finds_while_typing_goes_round_and_marks_what_it_found() {
    let mut screen = proxied_screen((120, 37));
    screen.keys("/ ringing");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(3));
    assert!(screen.page().contains("search: ringing"));
    screen.keys("enter n");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    screen.keys("n");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(3));
    screen.keys("N");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    let (x, y) = screen.find("SIP/2.0 180 Ringing");
    let buffer = screen.terminal.backend().buffer();
    assert!(buffer[(x + 12, y)].modifier.contains(Modifier::REVERSED), "the word is marked in the message");
    assert!(!buffer[(x, y)].modifier.contains(Modifier::REVERSED));
    screen.keys("/ nonsense enter");
    assert_eq!(screen.effects, [Effect::Say("No message contains \"nonsense\".".to_owned())]);
    screen.keys("/ bye esc");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    assert!(!screen.view.wants_text());
}

#[test]
fn goes_to_packets_and_times() {
    let mut screen = proxied_screen((80, 21));
    let ordinal = |screen: &Screen| screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal);
    for (text, wanted) in [
        ("6", Some(5)),
        ("1:3", Some(2)),
        ("8", Some(6)),
        ("10:02:18.034", Some(8)),
        ("10:02:17", Some(5)),
        ("+0.18", Some(3)),
        ("#1", Some(0)),
    ] {
        screen.keys(&format!("g {text} enter"));
        assert_eq!(ordinal(&screen), wanted, "{text}");
    }
    screen.keys("g 999 enter g what enter");
    assert_eq!(screen.effects.len(), 2);
    assert_eq!(ordinal(&screen), Some(0));
}

#[test]
fn only_messages_with_sdp_and_back_keep_the_cursor_near() {
    let mut screen = proxied_screen((80, 21));
    screen.keys("j j j D");
    assert!(!screen.page().contains("Ringing"), "{}", screen.page());
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(5));
    screen.keys("D");
    assert!(screen.page().contains("Ringing"));
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(5));
}

#[test]
fn keys_open_and_close_one_thing_after_the_other() {
    let mut screen = proxied_screen((80, 21));
    screen.keys("enter");
    assert_eq!(screen.view.context(), Context::Raw);
    assert_eq!(screen.row(1), INVITE);
    screen.keys("J");
    assert_eq!(screen.row(1), "SIP/2.0 100 Trying");
    screen.keys("esc");
    assert_eq!(screen.view.context(), Context::CallView);
    screen.keys("space j space");
    assert_eq!(screen.view.context(), Context::Diff);
    screen.keys("y q ctrl-w y esc");
    let [Effect::Copy(diff), Effect::Say(_), Effect::Copy(raw), Effect::Say(_), Effect::CloseCallView] =
        screen.effects.as_slice()
    else {
        panic!("{:?}", screen.effects)
    };
    assert!(diff.contains("+ SIP/2.0 180 Ringing\n") || diff.contains("+ INVITE"), "{diff}");
    assert!(raw.starts_with("INVITE sip:208@victoria") && raw.ends_with("a=sendrecv\r\n"), "{raw}");
}

#[test]
fn a_click_selects_the_row_and_the_wheel_moves_what_is_under_it() {
    let mut screen = proxied_screen((120, 16));
    let hits = screen.draw();
    let Some(Action::CallView(action)) = hits.find(20, 5).cloned() else { panic!("no row there") };
    screen.act(&action);
    assert_eq!(screen.view.cursor_at, 3);
    screen.act(&CallViewAction::Wheel { at: (20, 5), rows: -2 });
    assert_eq!(screen.view.cursor_at, 1);
    screen.keys("home");
    screen.act(&CallViewAction::Wheel { at: (100, 5), rows: 3 });
    assert_eq!((screen.view.cursor_at, screen.view.message.scroll), (0, 3));
    screen.keys(", .");
    assert_eq!(screen.view.message.scroll, 4);
}

#[test]
fn related_calls_are_added_and_taken_away() {
    let mut other = Scene::new(1, "206", "+4420");
    let tie = "X-CID: call-0@example.com\n";
    other.say(10, (P, "10.9.9.9:5060"), "INVITE sip:+4420@trunk SIP/2.0", "b", "1 INVITE", tie);
    let mut stranger = Scene::new(2, "1", "2");
    stranger.say(10, (P, "10.9.9.9:5060"), "INVITE sip:2@trunk SIP/2.0", "c", "1 INVITE", "");
    let calls = vec![busy().call(), other.call(), stranger.call()];
    let mut screen = Screen::new(snapshot(calls, Vec::new()), &[0], (120, 30));
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(0), CallKey(1)]);
    assert!(screen.page().contains("10.9.9.9"), "{}", screen.page());
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(0)]);
    let mut screen = Screen::new(screen.snapshot, &[1], (120, 30));
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(1), CallKey(0)], "the tie works from both ends");
}

#[test]
fn what_a_status_means_is_explained_over_the_ladder() {
    let mut screen = Screen::new(snapshot(vec![busy().call()], Vec::new()), &[0], (80, 21));
    screen.keys("j e");
    insta::assert_snapshot!("explain_80", screen.page());
    assert_eq!(screen.view.context(), Context::CallView);
    screen.keys("esc");
    assert!(!screen.page().contains('┌'));
}

#[test]
fn without_colours_the_calls_of_a_merged_ladder_are_numbered() {
    let mut screen = merged_screen((120, 30));
    assert!(!screen.page().contains("1: INVITE"));
    screen.theme.no_color = true;
    screen.draw();
    assert!(screen.row(0).contains("1: 206 → 208  2: 206 → sales"), "{}", screen.page());
    assert!(screen.page().contains("2: INVITE (SDP)"), "{}", screen.page());
}

#[test]
fn a_call_evicted_while_shown_stays_on_the_screen() {
    let mut screen = proxied_screen((80, 21));
    screen.snapshot.calls.remove(0);
    screen.draw();
    assert!(screen.page().contains(INVITE));
    let gone = Screen::new(Snapshot::default(), &[7], (80, 21));
    assert!(gone.page().contains("no longer kept"));
}

#[test]
fn no_control_byte_reaches_the_screen() {
    let mut scene = Scene::new(0, "206", "\u{1b}[31m");
    let evil = b"INVITE sip:\x1b]0;x\x07@b SIP/2.0\r\nVia: \x9b31m\r\nCall-ID: \x00\xff\r\nCSeq: 1 INVITE\r\n\
        Subject: \xe2\x80\xae\x08\x0b\x7f\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 \x1b[2J\r\n\
        m=audio\x1b 1 RTP/AVP 0\r\na=\x07\x00\xc2\x9b\r\n";
    scene.raw(0, (A, P), evil, "1", "1 INVITE");
    scene.raw(5, (P, A), b"SIP/2.0 200 \x1b[5m\r\nCall-ID: \x00\xff\r\nCSeq: 1 INVITE\r\n\r\n", "1", "1 INVITE");
    (scene.call.state, scene.call.status, scene.call.reason) = (CallState::Failed, Some(500), "\u{1b}[5m".into());
    scene.call.cause = Some("\u{7}\u{9b}".into());
    scene.call.call_id = "\u{0}\u{1b}".into();
    scene.call.codecs = vec!["\u{1b}X".into()].into();
    for size in [(80, 21), (160, 42)] {
        let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], size);
        for keys in ["d", "d", "r", "r", "space j space", "esc", "/ x enter", "end"] {
            screen.keys(keys);
            let buffer = screen.terminal.backend().buffer();
            let raw =
                buffer.content.iter().find(|cell| cell.symbol().chars().any(|ch| ch.is_control() || ch == '\u{202e}'));
            assert!(raw.is_none(), "{raw:?} after {keys}");
        }
    }
}

#[test]
fn a_call_of_ten_thousand_messages_draws_what_is_on_the_screen() {
    let mut scene = Scene::new(0, "206", "208");
    for i in 0..10_000 {
        let start = format!("NOTIFY sip:{i}@h SIP/2.0");
        scene.say(i * 10, (P, A), &start, &i.to_string(), &format!("{i} NOTIFY"), "");
    }
    let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], (80, 21));
    assert_eq!(screen.view.page.items.len(), 1_001, "first and newest ones and the gap");
    screen.keys("g 200 enter j");
    assert!(screen.page().contains("9000 messages left out"), "{}", screen.page());
    let hits = screen.draw();
    assert!((0..21).filter(|y| hits.find(40, *y).is_some()).count() <= 16);
    screen.keys("end");
    assert!(screen.page().contains("sip:9999@h"));
}

fn any_action() -> impl Strategy<Value = CallViewAction> {
    let bound: Vec<CallViewAction> = BINDINGS
        .iter()
        .filter_map(|binding| match &binding.action {
            Action::CallView(action) => Some(action.clone()),
            _ => None,
        })
        .collect();
    prop_oneof![
        8 => proptest::sample::select(bound),
        1 => (0_u16..200, 0_u16..60, -9..9).prop_map(|(x, y, rows)| CallViewAction::Wheel { at: (x, y), rows }),
        1 => any::<i32>().prop_map(CallViewAction::Move),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_action_at_any_size_panics(
        steps in proptest::collection::vec((any_action(), 0_u16..200, 0_u16..60, "[a-z0-9:+.#]{0,4}"), 1..40),
        merged in any::<bool>(),
    ) {
        let mut screen = if merged { merged_screen((80, 24)) } else { proxied_screen((1, 1)) };
        for (action, width, height, text) in steps {
            screen.terminal.backend_mut().resize(width, height);
            screen.act(&action);
            if screen.view.wants_text() {
                for letter in text.chars() {
                    screen.view.text_key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), &screen.snapshot);
                }
                let code = if width % 2 == 0 { KeyCode::Enter } else { KeyCode::Esc };
                screen.view.text_key(KeyEvent::new(code, KeyModifiers::NONE), &screen.snapshot);
            }
            screen.draw();
        }
    }
}
