//! What the pages look like.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use sipwatch::capture::FileFacts;
use sipwatch::counters::{DecodeCounters, FragmentCounters};
use sipwatch::engine::SaveOutcome;
use sipwatch::store::snapshot::{CaptureView, RecentView, Snapshot, SourceView, WrittenView};
use sipwatch::tui::action::Effect;
use sipwatch::tui::{Options, Screen};

use crate::fixture;

/// A screen in UTC over a snapshot, with these keys pressed at this size.
pub fn screen(snapshot: Snapshot, size: (u16, u16), keys: &str) -> Screen {
    let mut screen = Screen::new(Options { utc: true, ..Options::default() });
    screen.offer(Arc::new(snapshot));
    screen.render(size.0, size.1);
    screen.press(keys);
    screen
}

/// The characters of a picture, one line a row.
pub fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width.max(1));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}

/// The same capture with `-w` on a disk that is full, and packets kept for saving.
pub fn writing() -> CaptureView {
    let mut capture = (*fixture::snapshot().capture).clone();
    capture.written = Some(WrittenView {
        file: "/var/captures/all.pcapng".into(),
        files: 1,
        packets: 12_000,
        bytes: 2_900_000,
        lost_queue: 0,
        lost_disk: 345,
        trouble: Some(
            "/var/captures/all.pcapng: no space left on device. Make room there, or choose another disk".into(),
        ),
    });
    capture.recent =
        Some(RecentView { signalling: Some(fixture::at(2.0)), streams: None, media: Some(fixture::at(140.0)) });
    capture
}

fn page(size: (u16, u16), keys: &str) -> String {
    text(&screen(fixture::snapshot(), size, keys).render(size.0, size.1))
}

#[test]
fn calls_at_80_by_24() {
    insta::assert_snapshot!(page((80, 24), "jj"));
}

#[test]
fn calls_at_120_by_40() {
    insta::assert_snapshot!(page((120, 40), ""));
}

#[test]
fn calls_at_40_by_12() {
    insta::assert_snapshot!(page((40, 12), ""));
}

#[test]
fn filter_line_and_form() {
    insta::assert_snapshot!("filter_line", page((80, 24), "/state == failed<enter>"));
    insta::assert_snapshot!("filter_error", page((80, 24), "/206 and from ~ \"x"));
    insta::assert_snapshot!("filter_form", page((80, 24), "<f7>206<tab><tab>10.1.0.0/16"));
    insta::assert_snapshot!("nothing_matches", page((80, 24), "/nobody"));
}

#[test]
fn windows_at_80_by_24() {
    insta::assert_snapshot!("help", page((80, 24), "?"));
    insta::assert_snapshot!("help_end", page((80, 24), "?<end>"));
    insta::assert_snapshot!("columns", page((80, 24), "<f10>jjjj j "));
    insta::assert_snapshot!("settings", page((80, 24), "<f8>j"));
}

#[test]
fn saving() {
    insta::assert_snapshot!("save", page((80, 24), "<home>jj<f2>"));
    insta::assert_snapshot!("save_name", page((80, 24), "<home>j <f2><right><down><right><tab><tab>"));
    insta::assert_snapshot!("save_small", page((40, 12), "<f2>"));
    let mut screen = screen(fixture::snapshot(), (80, 24), "<f2>");
    let request = match screen.press("<enter>").pop() {
        Some(Effect::Save(request)) => request,
        other => panic!("{other:?}"),
    };
    screen.saved(SaveOutcome::Exists(request));
    insta::assert_snapshot!("save_exists", text(&screen.render(80, 24)));
}

#[test]
fn marks_and_kinds() {
    insta::assert_snapshot!("marks", page((80, 24), "<home>j  k"));
    insta::assert_snapshot!("kinds", page((80, 24), "mm"));
}

#[test]
fn stats_and_capture() {
    let mut busy = fixture::snapshot();
    busy.capture = Arc::new(writing());
    let page_120 = text(&screen(busy, (120, 40), "8").render(120, 40));
    insta::assert_snapshot!("capture_written", page_120);
    for (name, size) in [("80", (80, 24)), ("120", (120, 40)), ("40", (40, 12))] {
        insta::assert_snapshot!(format!("stats_{name}"), page(size, "7"));
        insta::assert_snapshot!(format!("capture_{name}"), page(size, "8"));
    }
    insta::assert_snapshot!("stats_end", page((80, 24), "7<end>"));
    insta::assert_snapshot!("capture_end", page((80, 24), "8<end>"));
    insta::assert_snapshot!("hex", page((80, 24), "8<end><enter>"));
}

#[test]
fn empty_states_say_what_to_do() {
    let empty = |capture| Snapshot { generation: 1, capture: Arc::new(capture), ..Snapshot::default() };
    let mut quiet = fixture::source("eth0", true);
    quiet.packets = 0;
    let mut busy = fixture::source("eth0", true);
    busy.filter = "port 5060".into();
    let mut ended = fixture::source("dns.pcap", false);
    ended.ended = true;
    for (name, source) in [("quiet", quiet), ("no_sip", busy), ("file", ended)] {
        let capture = CaptureView { sources: vec![source], ..CaptureView::default() };
        let page = text(&screen(empty(capture), (80, 24), "").render(80, 24));
        insta::assert_snapshot!(format!("empty_{name}"), page);
    }
}

#[test]
fn what_a_file_tells_besides_packets_stands_below_it() {
    let mut file = fixture::source("call.pcapng", false);
    let page = |file: &SourceView| {
        let capture = CaptureView { sources: vec![file.clone()], ..CaptureView::default() };
        let snapshot = Snapshot { generation: 1, capture: Arc::new(capture), ..Snapshot::default() };
        text(&screen(snapshot, (80, 24), "8").render(80, 24))
    };
    let plain = page(&file);
    file.facts = Arc::new(FileFacts {
        out_of_order: 1,
        key_blocks: 1,
        has_tls_keys: true,
        interfaces: [((0, 0), "eth0".to_owned()), ((0, 1), "wl\u{1b}an0".to_owned()), ((0, 2), "eth0".to_owned())]
            .into(),
        hosts: [([192, 0, 2, 1].into(), "pbx".to_owned())].into(),
    });
    let told = page(&file);
    for words in [
        "packets out of order by more than 2 s or 1024 packets in 1 place",
        "captured on eth0, wl",
        "holds keys of TLS connections",
        "names 1 address",
    ] {
        assert!(told.contains(words) && !plain.contains(words), "{words}\n{told}");
    }
    assert!(!told.contains('\u{1b}'));
}

#[test]
fn what_became_of_fragments_stands_in_the_capture_tab() {
    let page = |fragments: FragmentCounters| {
        let decode = DecodeCounters { fragments, ..DecodeCounters::default() };
        let capture = CaptureView { decode, ..CaptureView::default() };
        let snapshot = Snapshot { generation: 1, capture: Arc::new(capture), ..Snapshot::default() };
        text(&screen(snapshot, (120, 45), "8").render(120, 45))
    };
    assert!(!page(FragmentCounters::default()).contains("fragments"));
    let page =
        page(FragmentCounters { arrived: 12, joined: 5, incomplete: 1, evicted_by_count: 3, evicted_by_bytes: 4 });
    let words = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> =
        page.lines().skip_while(|line| !line.contains("IP fragments")).skip(1).take(4).map(words).collect();
    assert_eq!(lines, ["arrived 12", "joined 5 datagrams", "incomplete 1 datagrams", "no room 7"], "{page}");
}

#[test]
fn title_line_of_every_source() {
    let line = |change: fn(&mut CaptureView), keys: &str| {
        let mut snapshot = fixture::snapshot();
        let mut capture = (*snapshot.capture).clone();
        change(&mut capture);
        snapshot.capture = Arc::new(capture);
        text(&screen(snapshot, (80, 24), keys).render(80, 24)).lines().next().unwrap().to_owned()
    };
    insta::assert_snapshot!(
        [
            line(|_| {}, ""),
            line(|_| {}, "p"),
            line(|c| c.lost.kernel = 12_345, ""),
            line(
                |c| {
                    c.sources = vec![fixture::source("call.pcap", false)];
                    c.sources[0].progress = Some((430, 1_000));
                },
                ""
            ),
            line(
                |c| {
                    c.sources[0].ended = true;
                    c.sources[0].trouble = Some("eth0 went down while capturing".into());
                },
                ""
            ),
        ]
        .join("\n")
    );
}
