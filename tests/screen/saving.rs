//! The save window: what it asks for, and what is said of how it went.

use std::sync::Arc;

use sipwatch::capture::save::Format;
use sipwatch::engine::{SaveOutcome, SaveRequest, Saved};
use sipwatch::store::snapshot::Snapshot;
use sipwatch::track::call::CallKey;
use sipwatch::tui::Screen;
use sipwatch::tui::action::Effect;
use sipwatch::tui::keys::Context;

use crate::fixture;
use crate::pages::{screen, text, writing};

const SIZE: (u16, u16) = (80, 24);

/// What a press of Enter in the save window asks for.
fn asked(screen: &mut Screen, keys: &str) -> Option<SaveRequest> {
    screen.press(keys).into_iter().find_map(|effect| match effect {
        Effect::Save(request) => Some(request),
        _ => None,
    })
}

#[test]
fn f2_saves_what_the_user_looks_at() {
    let start = |keys: &str| screen(fixture::snapshot(), SIZE, keys);
    // Everything, as long as nothing is marked or filtered.
    let all = asked(&mut start(""), "<f2><enter>").unwrap();
    assert_eq!((all.calls, all.format, all.media, all.replace), (None, Format::Pcapng, true, false));
    assert_eq!(all.path.display().to_string(), "sipwatch-20240514-100257.pcapng");
    // The call under the cursor is one step away.
    let mut screen = start("<home>jj");
    let call = screen.state().calls.cursor.selected().unwrap();
    let one = asked(&mut screen, "s<right><enter>").unwrap();
    assert_eq!(
        (one.calls, one.path.display().to_string()),
        (Some(vec![call]), "call-210-206-100005.pcapng".to_owned())
    );
    let marked = asked(&mut start("<home>  "), "<f2><enter>").unwrap();
    assert_eq!(marked.calls, Some(vec![CallKey(0), CallKey(1)]));
    let mut filtered = start("/state == failed<enter>");
    let shown = filtered.state().calls.order.shown().to_vec();
    assert!(!shown.is_empty());
    assert_eq!(asked(&mut filtered, "<f2><enter>").unwrap().calls, Some(shown));
    let mut open = start("<home>jj<enter>");
    assert_eq!(asked(&mut open, "<f2><enter>").unwrap().calls, Some(vec![call]));
}

#[test]
fn the_name_follows_the_format_and_may_be_typed() {
    let start = || screen(fixture::snapshot(), SIZE, "<f2>");
    let pcap = asked(&mut start(), "<down><right><enter>").unwrap();
    assert_eq!((pcap.format, pcap.path.extension().unwrap().to_str()), (Format::Pcap, Some("pcap")));
    let text = asked(&mut start(), "<down><left><enter>").unwrap();
    assert_eq!((text.format, text.path.extension().unwrap().to_str()), (Format::Text, Some("txt")));
    assert!(!asked(&mut start(), "<down><down> <enter>").unwrap().media);
    // The cursor stands before the ending; what is typed stays when the format changes.
    let named = asked(&mut start(), "<up>-q s<up><up><right><enter>").unwrap();
    assert_eq!(named.path.display().to_string(), "sipwatch-20240514-100257-q s.pcap");
    // The ending says what the file is to be.
    let ended = asked(&mut start(), "<up><end><ctrl-u>x.pcap<enter>").unwrap();
    assert_eq!((ended.format, ended.path.display().to_string()), (Format::Pcap, "x.pcap".to_owned()));
    assert_eq!(asked(&mut start(), "<up><end><ctrl-u>x.dump<enter>").unwrap().format, Format::Pcapng);
    let mut empty = start();
    assert_eq!(asked(&mut empty, "<up><end><ctrl-u><enter>"), None);
    assert_eq!(empty.state().context(), Context::SaveName, "it asks for a name");
    assert!(asked(&mut start(), "<esc><enter>").is_none());
}

#[test]
fn what_exists_is_overwritten_only_after_a_yes() {
    let mut screen = screen(fixture::snapshot(), SIZE, "");
    let request = asked(&mut screen, "<f2><enter>").unwrap();
    screen.saved(SaveOutcome::Exists(request.clone()));
    assert!(text(&screen.render(SIZE.0, SIZE.1)).contains("Overwrite it?"));
    assert_eq!(asked(&mut screen, "<enter>"), None, "Enter pressed twice is no yes");
    assert_eq!(asked(&mut screen, "n"), None);
    assert_eq!(asked(&mut screen, "<enter>"), Some(request.clone()), "no goes back to the form");
    screen.saved(SaveOutcome::Exists(request.clone()));
    let replacing = asked(&mut screen, "y");
    assert_eq!(replacing, Some(SaveRequest { replace: true, ..request.clone() }));
    screen.saved(SaveOutcome::Failed("x.pcapng: no space left on device. Make room there".to_owned()));
    assert!(text(&screen.render(SIZE.0, SIZE.1)).contains("no space left on device"));
    assert_eq!(asked(&mut screen, "<enter>"), Some(request), "what may go was said of that one file");
}

#[test]
fn nothing_waits_while_the_window_is_open_or_a_file_is_written() {
    let grown = |count, generation| Arc::new(Snapshot { generation, ..fixture::many(count) });
    let mut screen = screen(fixture::many(100), SIZE, "<end><f2>");
    screen.offer(grown(110, 2));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains("1 Calls 110") && page.contains(" 3109 "), "{page}");
    let request = asked(&mut screen, "<enter>").unwrap();
    screen.offer(grown(120, 3));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains("1 Calls 120") && page.contains("Saving"), "{page}");
    assert_eq!(asked(&mut screen, "<f2><enter>"), None, "one at a time");
    let saved = Saved {
        path: request.path,
        count: 840,
        is_text: false,
        rebuilt: 0,
        bytes: 184_320,
        missing: 12,
        calls_gone: 0,
        leaves_keys: false,
    };
    screen.press("<esc>");
    screen.saved(SaveOutcome::Saved(saved));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains("Saved 840 packets (12 of 852 no longer kept)"), "{page}");
    screen.press("8");
    let page = text(&screen.render(120, 40));
    assert!(page.contains("Saved 840 packets"), "{page}");
}

#[test]
fn a_disk_that_is_full_is_said_at_once_and_stays_in_the_title() {
    let mut screen = screen(fixture::snapshot(), SIZE, "");
    let mut snapshot = Snapshot { generation: 2, ..fixture::snapshot() };
    snapshot.capture = Arc::new(writing());
    let snapshot = Arc::new(snapshot);
    screen.offer(Arc::clone(&snapshot));
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(page.contains("Not written: /var/captures/all.pcapng: no space left"), "{page}");
    screen.press("j");
    screen.offer(snapshot);
    let page = text(&screen.render(SIZE.0, SIZE.1));
    assert!(!page.contains("no space left") && page.contains("345 not written"), "{page}");
}
