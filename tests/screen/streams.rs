//! The stream table and the detail of a stream.
#![expect(clippy::unwrap_used, reason = "a test that finds no stream has failed")]

use std::sync::Arc;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use sipwatch::store::snapshot::Snapshot;
use sipwatch::track::call::CallKey;
use sipwatch::track::stream::StreamKey;
use sipwatch::tui::Screen;
use sipwatch::tui::action::Action;
use sipwatch::tui::keys::Context;
use sipwatch::tui::table::streams::COLUMNS;

use crate::fixture;
use crate::pages::{screen, text};
use crate::talk;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (160, 45);

fn page(size: (u16, u16), keys: &str) -> String {
    text(&screen(talk::all(), size, keys).render(size.0, size.1))
}

/// The key of the stream with this SSRC.
fn key(snapshot: &Snapshot, ssrc: u32) -> StreamKey {
    snapshot.streams.iter().find(|stream| stream.ssrc == ssrc).unwrap().key
}

/// The detail of the stream with this SSRC.
fn detail(ssrc: u32, size: (u16, u16), keys: &str) -> Screen {
    let snapshot = talk::all();
    let key = key(&snapshot, ssrc);
    let mut screen = screen(snapshot, size, "3");
    screen.act(&Action::SelectStream(key));
    screen.press(&format!("<enter>{keys}"));
    screen
}

fn shown(screen: &Screen) -> Vec<StreamKey> {
    screen.state().streams.order.shown().to_vec()
}

const CASES: [(&str, u32); 4] =
    [("healthy", 0x6AB2_1E82), ("lossy", 0xC0DE_0001), ("one_way", 0x0E0E_0E0E), ("nat", 0x6161_6161)];

#[test]
fn tables() {
    insta::assert_snapshot!("streams_80", page(SMALL, "3jj"));
    insta::assert_snapshot!("streams_160", page(LARGE, "3"));
    insta::assert_snapshot!("streams_40", page((40, 12), "3"));
}

#[test]
fn details() {
    for (name, ssrc) in CASES {
        for (size, (width, height)) in [("80", SMALL), ("160", LARGE)] {
            let page = text(&detail(ssrc, (width, height), "").render(width, height));
            insta::assert_snapshot!(format!("stream_{name}_{size}"), page);
        }
    }
    insta::assert_snapshot!("stream_lossy_80_down", text(&detail(0xC0DE_0001, SMALL, "<pgdn>").render(80, 24)));
    insta::assert_snapshot!("stream_healthy_80_end", text(&detail(0x6AB2_1E82, SMALL, "<end>").render(80, 24)));
    insta::assert_snapshot!("stream_lossy_80_whole", text(&detail(0xC0DE_0001, SMALL, "t").render(80, 24)));
    insta::assert_snapshot!("stream_help", page(SMALL, "3<enter>?"));
    insta::assert_snapshot!("streams_help", page(SMALL, "3?<end>"));
}

#[test]
fn what_is_wrong_stands_in_the_table_and_in_the_detail_without_scrolling() {
    let words = [
        ("healthy", vec!["Nothing lost"]),
        // Of 1,870 packets 3 of each 100, the first three unseen, and 3 of each 25 in the second ten seconds.
        ("lossy", vec!["Lost 5.3 % (99 of 1867)", "worst 10 s"]),
        ("one_way", vec!["One way: nothing comes back from 198.51.100.20"]),
        ("nat", vec!["NAT: comes from 203.0.113.9:40002", "SDP says 192.168.1.7:4000"]),
    ];
    for ((name, words), (_, ssrc)) in words.into_iter().zip(CASES) {
        let snapshot = talk::all();
        let key = key(&snapshot, ssrc);
        for (width, height) in [SMALL, LARGE] {
            let mut screen = screen(snapshot.clone(), (width, height), "3");
            screen.act(&Action::SelectStream(key));
            let table = text(&screen.render(width, height));
            assert!(table.contains(words[0]), "{name}: {table}");
            screen.press("<enter>");
            let detail = text(&screen.render(width, height)).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.iter().all(|word| detail.contains(word)), "{name}: {detail}");
        }
    }
}

#[test]
fn marks_tell_the_troubles_apart_without_colour() {
    let page = page(LARGE, "3");
    let mark = |ssrc: &str| {
        let line = page.lines().find(|line| line.contains(ssrc)).unwrap();
        line.trim_end().chars().last().unwrap()
    };
    assert_eq!([mark("0E0E0E0E"), mark("61616161"), mark("C0DE0001")], ['→', '≠', '✗'], "{page}");
    for healthy in ["6AB21E82", "C0DE0002", "00990099"] {
        assert!(!"→≠✗▲".contains(mark(healthy)), "{page}");
    }
}

#[test]
fn every_column_sorts_both_ways_and_can_be_shown() {
    let mut screen = screen(talk::all(), LARGE, "3");
    let count = shown(&screen).len();
    assert_eq!(count, 10);
    for column in COLUMNS {
        screen.act(&Action::SortBy(column.id));
        screen.press("");
        let up = shown(&screen);
        screen.press("z");
        let down = shown(&screen);
        assert_eq!((up.len(), down.len()), (count, count), "{}", column.id);
        if ["src", "ssrc", "loss", "p95", "call", "alert"].contains(&column.id) {
            assert_ne!(up, down, "{}", column.id);
        }
        screen.press("z");
        assert_eq!(shown(&screen), up, "{}", column.id);
    }
    screen.press("<f10>");
    for at in 0..COLUMNS.len() {
        if !screen.state().streams.columns[at].1 {
            screen.press(" ");
        }
        screen.press("j");
    }
    screen.press("<esc>");
    let page = text(&screen.render(500, 45));
    assert!(COLUMNS.iter().all(|column| page.contains(column.header)), "{page}");
}

#[test]
fn streams_without_a_score_stand_last_in_either_order() {
    let mut screen = screen(talk::all(), LARGE, "3");
    let snapshot = talk::all();
    let without: Vec<StreamKey> =
        snapshot.streams.iter().filter(|stream| stream.quality.score.is_none()).map(|stream| stream.key).collect();
    assert_eq!(without.len(), 0, "a stream of 50 packets is scored");
    let lossy = key(&snapshot, 0xC0DE_0001);
    screen.act(&Action::SortBy("mos"));
    screen.press("");
    assert_eq!(shown(&screen).first(), Some(&lossy));
    // A stream without a call sorts last by its call, whatever the order.
    let loose = key(&snapshot, 0x0099_0099);
    screen.act(&Action::SortBy("call"));
    screen.press("");
    assert_eq!(shown(&screen).last(), Some(&loose));
    screen.press("z");
    assert_eq!(shown(&screen).last(), Some(&loose));
}

#[test]
fn the_cursor_stays_on_its_stream_whatever_comes_or_moves() {
    let snapshot = talk::all();
    let lossy = key(&snapshot, 0xC0DE_0001);
    let mut screen = screen(snapshot.clone(), SMALL, "3");
    screen.act(&Action::SelectStream(lossy));
    for keys in ["z", "<lt>", "<gt><gt>", "z"] {
        screen.press(keys);
        assert_eq!(screen.state().streams.cursor.selected(), Some(lossy), "{keys}");
    }
    let mut fewer = snapshot;
    fewer.streams.remove(0);
    fewer.generation += 1;
    screen.offer(Arc::new(fewer));
    screen.render(80, 24);
    assert_eq!(screen.state().streams.cursor.selected(), Some(lossy));
    // And after a look at another tab.
    screen.press("73");
    assert_eq!(screen.state().streams.cursor.selected(), Some(lossy));
}

#[test]
fn the_filter_line_works_by_address_ssrc_and_call() {
    for (filter, ssrcs) in [
        ("c0de", vec![0xC0DE_0002, 0xC0DE_0001]),
        ("src == 203.0.113.0/24", vec![0x6161_6161]),
        ("ip == 203.0.113.9", vec![0x6161_6161, 0x6262_6262]),
        ("from == 220", vec![0x0E0E_0E0E]),
        ("loss > 1 and mos < 4", vec![0xC0DE_0001]),
        ("state == completed", vec![0x5555_0001, 0x5555_0002]),
        ("codec == pcmu and not state ~ .", vec![0x0099_0099]),
        ("callid != 206-208 and src ~ 10.9", vec![0x0099_0099]),
    ] {
        let snapshot = talk::all();
        let mut screen = screen(snapshot.clone(), SMALL, &format!("3/{filter}<enter>"));
        let found: Vec<u32> = shown(&screen).iter().map(|key| snapshot.stream(*key).unwrap().ssrc).collect();
        assert_eq!(found, ssrcs, "{filter}");
        let page = text(&screen.render(80, 24));
        assert!(page.contains(&format!("{} of 10 shown", ssrcs.len())), "{page}");
        screen.press("<esc>");
        assert_eq!(shown(&screen).len(), 10);
    }
}

#[test]
fn keys_lead_into_the_detail_on_to_the_call_and_back() {
    let mut screen = detail(0x6161_6161, SMALL, "");
    assert_eq!(screen.state().context(), Context::StreamView);
    let shown = |screen: &Screen| screen.state().stream.as_ref().map(|view| view.key());
    let (there, back) = (key(&talk::all(), 0x6161_6161), key(&talk::all(), 0x6262_6262));
    screen.press("r");
    assert_eq!(shown(&screen), Some(back));
    screen.press("rJ");
    assert_eq!(shown(&screen), Some(back));
    screen.press("K");
    assert_eq!(shown(&screen), Some(there));
    for keys in ["<enter>", "x"] {
        screen.press(keys);
        assert_eq!(screen.state().view.as_ref().map(|view| view.keys().to_vec()), Some(vec![CallKey(3)]));
        screen.press("<esc>");
        assert_eq!((screen.state().context(), shown(&screen)), (Context::StreamView, Some(there)));
    }
    screen.press("q");
    assert_eq!(screen.state().context(), Context::Streams);
    screen.press("x");
    assert!(screen.state().view.is_some());
    screen.press("<esc>");
    assert_eq!(screen.state().context(), Context::Streams);
    let mut alone = detail(0x0099_0099, SMALL, "x");
    assert!(text(&alone.render(80, 24)).contains("No call is known"));
}

#[test]
fn a_click_selects_a_second_one_opens_and_headers_sort() {
    let mut screen = screen(talk::all(), SMALL, "3");
    screen.render(80, 24);
    let click = |column, row| MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    screen.mouse(&click(10, 6));
    assert_eq!(screen.state().streams.cursor.at(), 2);
    screen.mouse(&click(10, 6));
    assert_eq!(screen.state().context(), Context::StreamView);
    let before = text(&screen.render(80, 24));
    screen.mouse(&MouseEvent { kind: MouseEventKind::ScrollDown, ..click(10, 6) });
    assert_ne!(text(&screen.render(80, 24)), before);
    screen.press("<esc>");
    screen.render(80, 24);
    screen.mouse(&click(4, 3));
    assert_eq!(COLUMNS[screen.state().streams.sort].id, "src");
    screen.render(80, 24);
    screen.mouse(&click(13, 1));
    assert_eq!(screen.state().context(), Context::Streams);
}

#[test]
fn a_stream_that_is_gone_says_so() {
    let mut screen = detail(0xC0DE_0001, SMALL, "");
    screen.offer(Arc::new(Snapshot { generation: 99, ..fixture::snapshot() }));
    assert!(text(&screen.render(80, 24)).contains("no longer kept"));
    screen.press("jt<end>r<esc>");
    assert!(text(&screen.render(80, 24)).contains("No RTP yet"));
}

#[test]
fn empty_tables_say_what_to_do() {
    insta::assert_snapshot!("streams_empty", text(&screen(fixture::snapshot(), SMALL, "3").render(80, 24)));
    let mut screen = screen(talk::all(), SMALL, "3/nobody");
    assert!(text(&screen.render(80, 24)).contains("None of 10 streams matches."));
}

#[test]
fn all_sizes_and_ascii_are_safe() {
    for ssrc in [0x6AB2_1E82, 0xC0DE_0001] {
        let mut screen = detail(ssrc, SMALL, "");
        for width in (1..200).step_by(13) {
            for height in [1, 11, 12, 13, 24, 50] {
                screen.render(width, height);
                screen.press("<end><pgup>");
            }
        }
    }
    let theme = sipwatch::tui::theme::Theme { ascii: true, ..Default::default() };
    let mut ascii = Screen::new(sipwatch::tui::Options { utc: true, theme, ..Default::default() });
    ascii.offer(Arc::new(talk::all()));
    ascii.render(80, 24);
    ascii.press("3");
    assert!(text(&ascii.render(80, 24)).is_ascii());
    ascii.press("<enter>");
    let page = text(&ascii.render(80, 60));
    assert!(page.is_ascii() && !page.contains('?'.to_string().repeat(2).as_str()), "{page}");
}

#[test]
fn only_visible_rows_are_built_and_no_work_is_done_for_another_tab() {
    let mut screen = screen(talk::all(), SMALL, "");
    assert_eq!(screen.state().streams.order.work().evaluated, 0);
    screen.press("3");
    screen.render(80, 12);
    assert!(screen.cells_built() <= 6 * COLUMNS.len() as u64);
    screen.press("1");
    assert_eq!(screen.state().streams.order.total(), 0);
}
