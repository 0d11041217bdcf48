//! What a user feels: nothing jumps, nothing said is lost, what matters is never cut.

use std::sync::Arc;

use sipwatch::store::snapshot::Snapshot;
use sipwatch::track::call::CallKey;
use sipwatch::tui::keys::{self, Context};
use sipwatch::tui::{Options, Screen};

use crate::fixture;
use crate::pages::{screen, text};

const SIZE: (u16, u16) = (80, 24);

fn grown(count: usize, generation: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot { generation, ..fixture::many(count) })
}

fn line(page: &str, at: usize) -> String {
    page.lines().nth(at).unwrap_or_default().trim_end().to_owned()
}

#[test]
fn the_row_that_was_opened_is_still_selected_and_visible_afterwards() {
    let mut screen = screen(fixture::many(60), SIZE, "<end>");
    assert_eq!(screen.state().calls.cursor.selected(), Some(CallKey(59)));
    screen.press("<enter>");
    for (generation, count) in (70..200).step_by(10).enumerate() {
        screen.offer(grown(count, generation as u64 + 5));
        screen.render(SIZE.0, SIZE.1);
    }
    screen.press("<esc>");
    assert_eq!(screen.state().calls.cursor.selected(), Some(CallKey(59)));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains(" 3059 "), "{page}");
    assert!(line(&page, 22).contains("→ 3059"), "{page}");
}

#[test]
fn the_end_is_followed_again_when_nothing_came_meanwhile() {
    let mut screen = screen(fixture::many(60), SIZE, "<end><enter>");
    let mut same = fixture::many(60);
    same.generation = 7;
    screen.offer(Arc::new(same));
    screen.render(SIZE.0, SIZE.1);
    screen.press("<esc>");
    screen.offer(grown(80, 9));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert_eq!(screen.state().calls.cursor.selected(), Some(CallKey(79)));
    assert!(page.contains(" 3079 "), "{page}");
}

#[test]
fn what_the_call_view_says_is_shown_until_the_next_key() {
    let mut screen = screen(fixture::snapshot(), SIZE, "<home>jj<enter>b");
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert_eq!(line(&page, 23), " Colours by branch");
    screen.press("j");
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(line(&page, 23).starts_with(" Enter raw"), "{page}");
}

#[test]
fn a_name_being_typed_does_not_empty_the_table() {
    let mut screen = screen(fixture::snapshot(), SIZE, "/");
    for (typed, shown) in [("met", 8), ("hod", 8), (" ~ ", 8), ("INV", 5), (" and sta", 5), ("te = failed", 1)] {
        screen.press(typed);
        assert_eq!(screen.state().calls.order.shown().len(), shown, "{typed}");
    }
    screen.press("<esc>/meth");
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(line(&page, 22).starts_with(" Field method: then ~ =="), "{page}");
    screen.press("<enter>");
    assert_eq!(screen.state().calls.order.shown().len(), 0, "as a word it is looked for");
}

#[test]
fn why_a_filter_is_none_is_said_in_full_and_enter_keeps_the_line_open() {
    let mut screen = screen(fixture::snapshot(), SIZE, "/state ~ failed and method ~ <enter>");
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert_eq!(line(&page, 2), " all  filter: state ~ failed and method ~                          1 of 8 shown");
    assert_eq!(line(&page, 22), " Not a filter yet: method compared with what? (at character 28)");
    assert_eq!(screen.state().context(), Context::Line);
    screen.press("INVITE<enter>");
    assert_eq!(screen.state().context(), Context::Calls);
}

#[test]
fn cleared_is_not_the_same_as_nothing_seen() {
    let mut screen = screen(fixture::snapshot(), SIZE, "");
    screen.offer(Arc::new(Snapshot { generation: 2, calls: fixture::rows(Vec::new()), ..fixture::snapshot() }));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains("All calls of 12k SIP messages were forgotten."), "{page}");
    assert!(!page.contains("none is SIP"), "{page}");
}

#[test]
fn g_never_means_the_first_row() {
    for context in [Context::Calls, Context::Stats, Context::Capture, Context::Popup, Context::Diff] {
        for key in ["g", "G"] {
            let event = keys::Key::parse(key).unwrap().event();
            assert!(keys::find(context, &event).is_none(), "{key} in {context:?}");
        }
    }
}

#[test]
fn counts_of_a_filter_are_shown_only_with_a_filter() {
    let mut screen = screen(fixture::many(30_000), SIZE, "");
    screen.offer(grown(60_000, 2));
    screen.prepare(&mut || true);
    assert!(screen.is_busy());
    let buffer = {
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap().buffer.clone()
    };
    assert_eq!(line(&text(&buffer), 2), " all  INVITE  SUBSCRIBE  REGISTER  other");
}

#[test]
fn a_call_id_opens_exactly_or_by_a_part_of_it_and_the_table_keeps_it() {
    let open = |wanted: &str| {
        let mut screen = Screen::new(Options { utc: true, open_call: Some(wanted.into()), ..Options::default() });
        screen.offer(Arc::new(fixture::snapshot()));
        screen.render(SIZE.0, SIZE.1);
        let keys = screen.state().view.as_ref().map(|view| view.keys().to_vec());
        (screen, keys)
    };
    let (mut screen, keys) = open("206-209-62@10.1.1.123");
    assert_eq!(keys, Some(vec![CallKey(4)]));
    screen.press("<esc>");
    assert_eq!(screen.state().calls.order.shown(), [CallKey(4)]);
    screen.press("<esc>");
    assert_eq!(screen.state().calls.order.shown().len(), 8);
    let (mut screen, keys) = open("206-209-");
    assert_eq!(keys, Some(vec![CallKey(4)]));
    screen.press("<esc>");
    assert_eq!(screen.state().calls.order.shown(), [CallKey(4)]);
    let (mut screen, keys) = open("nobody");
    assert_eq!(keys, None);
    screen.finish(Some(String::new()));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(line(&page, 22).contains("No call has a Call-ID like \"nobody\""), "{page}");
}

#[test]
fn a_call_of_the_last_batches_opens_though_the_sources_had_ended_before() {
    let open_call = Some("206-209-62@10.1.1.123".into());
    let mut screen = Screen::new(Options { utc: true, open_call, ..Options::default() });
    screen.finish(Some(String::new()));
    screen.render(SIZE.0, SIZE.1);
    assert!(screen.state().notice().is_some() && screen.state().view.is_none());
    let mut last = fixture::snapshot();
    last.generation = 7;
    screen.offer(Arc::new(last));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!(screen.state().view.as_ref().map(|view| view.keys()), Some(&[CallKey(4)][..]));
}

#[test]
fn call_ids_of_any_characters_open_and_stay_alone_in_the_table() {
    for odd in ["a\"b\\c@x", "tab\tand \u{301}accent", "(.*)"] {
        let mut snapshot = fixture::snapshot();
        snapshot.calls.get_mut(4).unwrap().call_id = odd.into();
        for wanted in [odd, &odd[1..]] {
            let open_call = Some(wanted.to_owned());
            let mut screen = Screen::new(Options { utc: true, open_call, ..Options::default() });
            screen.offer(Arc::new(snapshot.clone()));
            screen.render(SIZE.0, SIZE.1);
            assert_eq!(screen.state().view.as_ref().map(|view| view.keys()), Some(&[CallKey(4)][..]), "{wanted:?}");
            screen.press("<esc>");
            screen.render(SIZE.0, SIZE.1);
            assert_eq!(screen.state().calls.order.shown(), [CallKey(4)], "{wanted:?}");
        }
    }
}

#[test]
fn from_the_table_into_all_messages_and_back() {
    let mut screen = screen(fixture::snapshot(), SIZE, "<home>j<f6>");
    assert_eq!(screen.state().context(), Context::Raw);
    screen.press("a");
    assert_eq!(screen.state().context(), Context::Raw);
    screen.press("<esc>");
    assert_eq!(screen.state().context(), Context::Calls);
    screen.press("<f6><enter>");
    assert_eq!(screen.state().context(), Context::CallView);
    screen.press("<esc>x");
    assert_eq!(screen.state().context(), Context::CallView);
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(line(&page, 23).starts_with(" No call shares"), "{page}");
}
