//! What keys, clicks and new snapshots do.

use std::sync::Arc;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use sipwatch::store::snapshot::Snapshot;
use sipwatch::track::call::CallKey;
use sipwatch::tui::action::{Action, Effect};
use sipwatch::tui::keys::{self, Context};
use sipwatch::tui::table::calls::COLUMNS;
use sipwatch::tui::theme::Theme;
use sipwatch::tui::{Options, Screen};

use crate::fixture;
use crate::pages::{screen, text};

const SIZE: (u16, u16) = (80, 24);

fn selected(screen: &Screen) -> Option<CallKey> {
    screen.state().calls.cursor.selected()
}

fn row_of(buffer: &Buffer, what: &str) -> u16 {
    text(buffer).lines().position(|line| line.contains(what)).map_or(u16::MAX, |y| y as u16)
}

fn column_of(buffer: &Buffer, y: u16, what: &str) -> u16 {
    let page = text(buffer);
    let line = page.lines().nth(usize::from(y)).and_then(|line| line.split_once(what));
    line.map_or(u16::MAX, |(before, _)| before.chars().count() as u16)
}

#[test]
fn the_selected_row_is_reversed_and_a_failed_one_is_red() {
    let picture = screen(fixture::snapshot(), SIZE, "<home>").render(SIZE.0, SIZE.1);
    let first = row_of(&picture, "REGISTER  206");
    assert!(picture[(20, first)].modifier.contains(Modifier::REVERSED));
    let failed = row_of(&picture, "486 Busy Here");
    assert!(!picture[(20, failed)].modifier.contains(Modifier::REVERSED));
    let state = column_of(&picture, failed, "486 Busy");
    assert_eq!((picture[(0, failed)].fg, picture[(state, failed)].fg), (Color::Red, Color::Red));
}

#[test]
fn no_color_means_no_colour_anywhere() {
    let theme = Theme { no_color: true, ascii: false };
    for keys in ["", "7", "8", "?", "<f10>", "<f7>", "<f2>", "jj<enter>"] {
        let mut screen = Screen::new(Options { theme, utc: true, ..Options::default() });
        screen.offer(Arc::new(fixture::snapshot()));
        screen.press(keys);
        let picture = screen.render(120, 40);
        assert!(picture.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{keys}");
        let attributes = picture.content.iter().any(|cell| !cell.modifier.is_empty());
        assert!(attributes, "{keys}");
    }
}

#[test]
fn ascii_means_ascii() {
    let theme = Theme { no_color: false, ascii: true };
    for keys in ["", "7", "8", "?", "?<end>", "<f10>", "<f8>", "<f7>", " ", "<home><f2><right>"] {
        let mut screen = Screen::new(Options { theme, utc: true, ..Options::default() });
        screen.offer(Arc::new(fixture::snapshot()));
        screen.press(keys);
        let page = text(&screen.render(80, 24));
        let odd: String = page.chars().filter(|ch| !ch.is_ascii()).collect();
        assert_eq!(odd, "", "{keys}");
    }
}

#[test]
fn control_characters_never_reach_the_buffer() {
    let safe = |ch: char| {
        !ch.is_control() && !('\u{200b}'..='\u{200f}').contains(&ch) && !('\u{202a}'..='\u{202e}').contains(&ch)
    };
    for keys in ["", "jjjjj", "<home>jjjjj<f2><right>", "jjjjj<enter>", "/\u{1b}[31m", "8<end><enter>", "<f10>"] {
        let page = text(&screen(fixture::snapshot(), SIZE, keys).render(SIZE.0, SIZE.1));
        assert!(page.chars().filter(|ch| *ch != '\n').all(safe), "{keys}: {page}");
    }
    let page = text(&screen(fixture::snapshot(), SIZE, "").render(SIZE.0, SIZE.1));
    assert!(page.contains("a␛[31m␇"), "{page}");
}

#[test]
fn the_selection_and_the_marks_follow_the_call() {
    let mut screen = screen(fixture::snapshot(), SIZE, "<home>jj jj");
    let (before, marks) = (selected(&screen), screen.state().calls.marks.clone());
    assert_eq!(marks.len(), 1);
    screen.press("<gt>z<lt><lt>");
    assert_eq!((selected(&screen), &screen.state().calls.marks), (before, &marks));
    let mut more = fixture::many(300);
    more.generation = 9;
    screen.offer(Arc::new(more));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!((selected(&screen), &screen.state().calls.marks), (before, &marks));
}

#[test]
fn new_rows_are_followed_only_from_the_end() {
    let grown = |count, generation| Arc::new(Snapshot { generation, ..fixture::many(count) });
    let mut screen = screen(fixture::many(100), SIZE, "<end>");
    screen.offer(grown(200, 2));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!(selected(&screen), Some(CallKey(199)));
    screen.press("k");
    screen.offer(grown(300, 3));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!(selected(&screen), Some(CallKey(198)));
    screen.press("A<end>");
    screen.offer(grown(400, 4));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!(selected(&screen), Some(CallKey(299)));
}

#[test]
fn a_page_is_a_page_of_this_screen() {
    for height in [12, 24, 50] {
        let mut screen = screen(fixture::many(1_000), (80, height), "<home><pgdn>");
        // The quality pane stands below the table where there is room.
        let page = usize::from(height) - if height < 36 { 6 } else { 12 };
        assert_eq!(screen.state().calls.cursor.at(), page);
        screen.press("<pgup>");
        assert_eq!(screen.state().calls.cursor.at(), 0);
    }
}

#[test]
fn every_column_sorts_both_ways_and_can_be_shown() {
    let mut screen = screen(fixture::snapshot(), (160, 45), "");
    for column in COLUMNS {
        screen.act(&Action::SortBy(column.id));
        screen.press("");
        let up = screen.state().calls.order.shown().to_vec();
        screen.act(&Action::SortBy(column.id));
        screen.press("");
        let down = screen.state().calls.order.shown().to_vec();
        assert_eq!(up.len(), 8, "{}", column.id);
        let sorted = |keys: &[CallKey]| keys.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!((sorted(&up), sorted(&down)), (8, 8), "{}", column.id);
        if ["time", "from", "msgs", "state"].contains(&column.id) {
            assert_ne!(up, down, "{}", column.id);
        }
    }
    screen.press("<f10>");
    for at in 0..COLUMNS.len() {
        if !screen.state().calls.columns[at].1 {
            screen.press(" ");
        }
        screen.press("j");
    }
    screen.press("<esc>");
    let page = text(&screen.render(500, 45));
    for column in COLUMNS {
        assert!(page.contains(column.header), "{}: {page}", column.header);
    }
}

#[test]
fn texts_longer_than_a_prefix_sort_by_all_of_it() {
    let mut snapshot = fixture::snapshot();
    let users = ["aaaaaaaaaaaaaaaaaaaa2", "AAAAAAAAAAAAAAAAAAAA1", "aaaaaaaaaaaaaaaa", "b"];
    let calls = users.iter().enumerate().map(|(n, user)| {
        fixture::call(
            sipwatch::track::call::CallKind::Invite,
            user,
            "x",
            sipwatch::track::call::CallState::InCall,
            n as f64,
        )
    });
    snapshot.calls = fixture::rows(calls.collect());
    let mut screen = screen(snapshot, SIZE, "");
    screen.act(&Action::SortBy("from"));
    screen.press("");
    assert_eq!(screen.state().calls.order.shown(), [CallKey(2), CallKey(1), CallKey(0), CallKey(3)]);
}

#[test]
fn pause_holds_the_view_and_goes_on_with_the_newest() {
    let mut screen = screen(fixture::many(10), SIZE, "p");
    screen.offer(Arc::new(Snapshot { generation: 5, ..fixture::many(50) }));
    screen.render(SIZE.0, SIZE.1);
    assert_eq!(screen.state().calls.order.total(), 10);
    screen.press("p");
    assert_eq!(screen.state().calls.order.total(), 50);
}

#[test]
fn a_filter_sees_what_arrives_later() {
    let mut snapshot = fixture::snapshot();
    let mut screen = screen(snapshot.clone(), SIZE, "/in_call<enter>");
    screen.press("/<ctrl-u>state == completed<enter>");
    assert_eq!(screen.state().calls.order.shown().len(), 1);
    let ringing = snapshot.calls.iter().find(|call| &*call.to.user == "lisa").unwrap().key;
    snapshot.calls.get_mut(ringing.0).unwrap().state = sipwatch::track::call::CallState::Completed;
    snapshot.generation += 1;
    screen.offer(Arc::new(snapshot));
    screen.render(SIZE.0, SIZE.1);
    assert!(screen.state().calls.order.shown().contains(&ringing));
}

#[test]
fn a_filter_that_is_not_finished_leaves_the_last_one_in_force() {
    let mut screen = screen(fixture::snapshot(), SIZE, "/state == failed");
    assert_eq!(screen.state().calls.order.shown().len(), 1);
    screen.press(" (");
    assert!(screen.state().filter.error.is_some());
    assert_eq!(screen.state().calls.order.shown().len(), 1);
    screen.press("206)");
    assert_eq!(screen.state().calls.order.shown().len(), 1);
    assert!(screen.state().filter.error.is_none());
    screen.press("<esc>");
    assert_eq!(screen.state().calls.order.shown().len(), 8);
}

#[test]
fn clearing_asks_the_engine() {
    let mut screen = screen(fixture::snapshot(), SIZE, "/state == failed<enter>");
    let effects = screen.press("<f9>");
    let [Effect::Forget(keys)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(keys.len(), 7);
    assert_eq!(screen.press("<f5>"), [Effect::ForgetAll]);
    assert!(!screen.press("<esc>").contains(&Effect::Quit));
    assert_eq!(screen.press("q"), [Effect::Quit]);
}

#[test]
fn only_q_at_the_top_quits() {
    let mut screen = screen(fixture::snapshot(), SIZE, "");
    for keys in ["<esc><esc>", "?q", "<f8><esc>", "7<esc>1", "<enter>q", "/q<esc>"] {
        assert_eq!(screen.press(keys), [], "{keys}");
        screen.render(SIZE.0, SIZE.1);
    }
    assert_eq!(screen.press("q"), [Effect::Quit]);
}

#[test]
fn marked_calls_open_together_and_call_id_opens_at_once() {
    let mut marked = screen(fixture::snapshot(), SIZE, "<home>  <enter>");
    let open = |screen: &Screen| screen.state().view.as_ref().map(|view| view.keys().to_vec());
    assert_eq!(open(&marked), Some(vec![CallKey(0), CallKey(1)]));
    marked.press("<esc>");
    assert_eq!(open(&marked), None);
    let snapshot = fixture::snapshot();
    let call = snapshot.calls.iter().nth(4).unwrap().clone();
    let mut wanted =
        Screen::new(Options { open_call: Some(call.call_id.to_string()), utc: true, ..Options::default() });
    wanted.render(80, 24);
    assert_eq!(open(&wanted), None);
    wanted.offer(Arc::new(snapshot));
    wanted.render(80, 24);
    assert_eq!(open(&wanted), Some(vec![call.key]));
}

#[test]
fn clicks_select_open_and_sort() {
    let mut screen = screen(fixture::snapshot(), SIZE, "<home>");
    let picture = screen.render(SIZE.0, SIZE.1);
    let click = |column, row| MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    let row = row_of(&picture, "486 Busy Here");
    screen.mouse(&click(30, row));
    assert_eq!(selected(&screen), Some(CallKey(4)));
    screen.mouse(&click(30, row));
    assert_eq!(screen.state().view.as_ref().map(|view| view.keys().to_vec()), Some(vec![CallKey(4)]));
    screen.press("<esc>");
    let picture = screen.render(SIZE.0, SIZE.1);
    let head = row_of(&picture, "Method");
    screen.mouse(&click(column_of(&picture, head, "PDD"), head));
    assert_eq!(COLUMNS[screen.state().calls.sort].id, "pdd");
    screen.press("<home>");
    let wheel = MouseEvent { kind: MouseEventKind::ScrollDown, ..click(10, 10) };
    screen.mouse(&wheel);
    assert_eq!(screen.state().calls.cursor.at(), 3);
}

#[test]
fn every_key_of_every_row_does_its_action() {
    for binding in keys::bindings() {
        for word in binding.keys.split(' ') {
            let event = keys::Key::parse(word).unwrap().event();
            let found = keys::find(binding.context, &event).unwrap();
            assert_eq!(found.action, binding.action, "{word}");
        }
    }
    let ways = [
        (Context::Calls, ""),
        (Context::Line, "/"),
        (Context::Form, "<f7>"),
        (Context::Popup, "?"),
        (Context::Stats, "7"),
        (Context::Capture, "8"),
        (Context::CallView, "<enter>"),
    ];
    for (context, way) in ways {
        let mut there = screen(fixture::snapshot(), SIZE, way);
        assert_eq!(there.state().context(), context);
        for binding in keys::of(context) {
            for word in binding.keys.split(' ') {
                let mut screen = screen(fixture::snapshot(), SIZE, way);
                screen.key(&keys::Key::parse(word).unwrap().event());
                screen.render(SIZE.0, SIZE.1);
            }
        }
        there.render(SIZE.0, SIZE.1);
    }
}

#[test]
fn a_frame_builds_visible_cells_only() {
    let cells = |count| {
        let mut screen = screen(fixture::many(count), (120, 40), "");
        screen.render(120, 40);
        screen.cells_built()
    };
    assert_eq!(cells(1_000), cells(50_000));
    assert!(cells(50_000) <= 40 * COLUMNS.len() as u64);
}

#[test]
fn a_key_in_100_000_rows_does_bounded_work() {
    let mut screen = screen(fixture::many(100_000), (120, 40), "");
    let work = |screen: &Screen| screen.state().calls.order.work();
    let before = work(&screen);
    screen.press("jjk<pgdn><pgup><end><home><pgdn> ?<esc>7 8 1");
    screen.render(120, 40);
    assert_eq!(work(&screen), before);
    screen.press("z");
    assert_eq!(work(&screen).sorts, before.sorts + 1);

    let mut changed = fixture::many(100_000);
    changed.generation = 2;
    let mut next = fixture::many(0);
    next.calls = changed.calls.clone();
    screen.offer(Arc::new(changed));
    screen.render(120, 40);
    let before = work(&screen);
    next.generation = 3;
    next.calls.get_mut(70_000).unwrap().message_count = 99;
    screen.offer(Arc::new(next));
    screen.render(120, 40);
    assert_eq!(work(&screen).evaluated, before.evaluated + 1);
}

#[test]
fn filtering_is_done_in_slices_and_keys_work_meanwhile() {
    let mut screen = screen(fixture::many(20_000), SIZE, "");
    for key in keys::sequence("/2001") {
        screen.key(&key.event());
    }
    let mut slices = 0;
    loop {
        let mut looks = 0;
        let before = screen.state().calls.order.work().evaluated;
        screen.prepare(&mut || {
            looks += 1;
            looks > 10
        });
        assert!(screen.state().calls.order.work().evaluated - before <= 400);
        slices += 1;
        if !screen.is_busy() {
            break;
        }
        if slices == 3 {
            screen.key(&keys::Key::parse("down").unwrap().event());
            assert_eq!(screen.state().calls.cursor.at(), 1);
        }
        assert!(slices < 200);
    }
    assert!(slices > 10);
    let shown = screen.state().calls.order.shown().len();
    assert!((1..1_000).contains(&shown), "{shown}");
}

#[test]
fn tiny_sizes_show_a_notice() {
    for (width, height) in [(1, 1), (20, 5), (39, 24), (80, 11), (0, 0)] {
        let page = text(&screen(fixture::snapshot(), (width, height), "jj?").render(width, height));
        assert!(!page.contains("REGISTER"));
    }
    let page = text(&screen(fixture::snapshot(), (39, 24), "").render(39, 24));
    assert!(page.contains("needs 40×12"), "{page}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_keys_at_any_size_never_panic(
        steps in proptest::collection::vec((0usize..400, 1u16..140, 1u16..50, 0usize..12), 1..30),
    ) {
        let all: Vec<&str> = keys::bindings().flat_map(|binding| binding.keys.split(' ')).collect();
        let mut screen = Screen::new(Options { utc: true, ..Options::default() });
        screen.offer(Arc::new(fixture::snapshot()));
        for (generation, (key, width, height, rows)) in steps.into_iter().enumerate() {
            let word = all[key % all.len()];
            screen.key(&keys::Key::parse(word).unwrap().event());
            if rows > 8 {
                let generation = generation as u64 + 10;
                screen.offer(Arc::new(Snapshot { generation, ..fixture::many(rows * 7) }));
            }
            screen.render(width, height);
        }
    }
}
