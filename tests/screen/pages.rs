//! What the pages look like.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use sipwatch::store::snapshot::Snapshot;
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
