//! 1 Calls: every Call-ID is a row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::store::snapshot::Snapshot;
use crate::track::call::Call;
use crate::tui::action::{Action, Hits};
use crate::tui::state::State;
use crate::tui::table::calls::COLUMNS;
use crate::tui::table::paint::{self, Spot};
use crate::tui::table::{CellContext, Column, Fit, Placed, place};
use crate::tui::theme::{Glyph, Role};

/// Draws the table. Returns how many cells were built: tests hold it against the size of the screen.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State, hits: &mut Hits) -> u64 {
    if area.height == 0 || area.width == 0 {
        return 0;
    }
    let placed = place(COLUMNS, &state.calls.wanted_columns(), area.width);
    let sort = (state.calls.sort, state.calls.descending);
    header(buffer, area, COLUMNS, sort, &placed, state, hits);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let shown = state.calls.order.shown();
    if shown.is_empty() {
        super::empty::draw(buffer, rows, state);
        return 0;
    }
    let top = state.calls.cursor.top();
    let visible = shown.iter().skip(top).take(usize::from(rows.height));
    let mut text = String::new();
    let mut cells = 0;
    for (line, key) in visible.enumerate() {
        let Some(call) = state.snapshot.call(*key) else { continue };
        let row = Rect { y: rows.y + line as u16, height: 1, ..rows };
        hits.add(row, Action::SelectCall(*key));
        draw_row(buffer, row, state, &placed, call, &mut text);
        cells += placed.len() as u64;
    }
    cells
}

fn draw_row(buffer: &mut Buffer, row: Rect, state: &State, placed: &[Placed], call: &Call, text: &mut String) {
    let theme = &state.theme;
    let marked = state.calls.marks.contains(&call.key);
    for place in placed {
        let Some(column) = COLUMNS.get(place.column) else { continue };
        let cell = CellContext {
            now: now(&state.snapshot, call),
            snapshot: &state.snapshot,
            zone: state.zone,
            theme,
            width: place.width,
        };
        text.clear();
        let role = (column.cell)(call, &cell, text);
        let spot = Spot { x: row.x + place.x, y: row.y, width: place.width };
        let style = if marked && role == Role::Text { theme.style(Role::Marked) } else { theme.style(role) };
        paint::text(buffer, spot, text, column.fit, style, theme);
        if marked && column.id == "st" {
            let spot = Spot { x: spot.x + 1, width: 1, ..spot };
            paint::text(buffer, spot, theme.glyph(Glyph::Marked), Fit::Left, theme.style(Role::Marked), theme);
        }
    }
    if state.calls.cursor.selected() == Some(call.key) {
        buffer.set_style(row, theme.style(Role::Selected));
    }
}

/// Running durations count to the snapshot's time; to the call's own end if there is none.
fn now(snapshot: &Snapshot, call: &Call) -> crate::time::Timestamp {
    snapshot.now.unwrap_or(call.last)
}

/// Draws the headers of a table, with a mark at the column it is sorted by: its index, and whether the largest is first.
pub(super) fn header<R>(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column<R>],
    (sort, descending): (usize, bool),
    placed: &[Placed],
    state: &State,
    hits: &mut Hits,
) {
    let theme = &state.theme;
    for place in placed {
        let Some(column) = columns.get(place.column) else { continue };
        let spot = Spot { x: area.x + place.x, y: area.y, width: place.width };
        let style = theme.style(Role::Header);
        paint::text(buffer, spot, column.header, column.fit, style, theme);
        if place.column == sort {
            let glyph = if descending { Glyph::SortDown } else { Glyph::SortUp };
            // The mark stands behind the header, or in the gap before a column that is full.
            let taken = column.header.chars().count() as u16;
            let x = match column.fit {
                Fit::Right => (spot.x + spot.width).saturating_sub(taken + 1),
                _ => spot.x + taken,
            };
            if x < area.right() && x >= area.x {
                paint::text(buffer, Spot { x, y: area.y, width: 1 }, theme.glyph(glyph), Fit::Left, style, theme);
            }
        }
        hits.add(Rect { x: spot.x, y: spot.y, width: spot.width, height: 1 }, Action::SortBy(column.id));
    }
}
