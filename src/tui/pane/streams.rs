//! 3 Streams: every RTP stream is a row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::store::audio;
use crate::track::stream::Stream;
use crate::tui::action::{Action, Hits};
use crate::tui::state::State;
use crate::tui::table::paint::{self, Spot};
use crate::tui::table::streams::{COLUMNS, MINUTE};
use crate::tui::table::{CellContext, Placed, place};
use crate::tui::theme::Role;
use crate::tui::verdict::{self, Life};
use crate::tui::widget::seconds;

/// Draws the table. Returns how many cells were built: tests hold it against the size of the screen.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State, hits: &mut Hits) -> u64 {
    if area.height == 0 || area.width == 0 {
        return 0;
    }
    let streams = &state.streams;
    let placed = place(COLUMNS, &streams.wanted_columns(), area.width);
    super::calls::header(buffer, area, COLUMNS, (streams.sort, streams.descending), &placed, state, hits);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let shown = streams.order.shown();
    if shown.is_empty() {
        super::empty::draw_streams(buffer, rows, state);
        return 0;
    }
    let visible = shown.iter().skip(streams.cursor.top()).take(usize::from(rows.height));
    let mut text = String::new();
    let mut cells = 0;
    for (line, key) in visible.enumerate() {
        let Some(stream) = state.snapshot.stream(*key) else { continue };
        let row = Rect { y: rows.y + line as u16, height: 1, ..rows };
        hits.add(row, Action::SelectStream(*key));
        draw_row(buffer, row, state, &placed, stream, &mut text);
        cells += placed.len() as u64;
    }
    cells
}

fn draw_row(buffer: &mut Buffer, row: Rect, state: &State, placed: &[Placed], stream: &Stream, text: &mut String) {
    let (theme, snapshot) = (&state.theme, &*state.snapshot);
    let is_over = Life::of(stream, snapshot) == Life::Over && snapshot.capture.is_live();
    for place in placed {
        let Some(column) = COLUMNS.get(place.column) else { continue };
        let spot = Spot { x: row.x + place.x, y: row.y, width: place.width };
        if column.id == MINUTE {
            let call = stream.call.and_then(|key| snapshot.call(key));
            let passed = call.and_then(|call| audio::passed(stream, call, verdict::now(stream, snapshot)));
            let cells = seconds::cells(&stream.quality.bars, passed, usize::from(spot.width), theme);
            seconds::draw(buffer, (spot.x, spot.y), &cells, theme);
            continue;
        }
        let now = verdict::now(stream, snapshot);
        let cell = CellContext { now, snapshot, zone: state.zone, theme, width: place.width };
        text.clear();
        let role = match (column.cell)(stream, &cell, text) {
            Role::Text if is_over => Role::Dim,
            role => role,
        };
        paint::text(buffer, spot, text, column.fit, theme.style(role), theme);
    }
    if state.streams.cursor.selected() == Some(stream.key) {
        buffer.set_style(row, theme.style(Role::Selected));
    }
}
