//! The choice of columns and their order.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action, Hits, Tab};
use crate::tui::state::State;
use crate::tui::table::{calls, streams};
use crate::tui::theme::Role;
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::window;

/// The choice of columns.
#[derive(Debug)]
pub struct Columns {
    /// The selected line.
    pub at: usize,
    /// Lines there are.
    pub count: usize,
}

/// The columns of the tab's table.
fn columns(state: &mut State) -> &mut Vec<(usize, bool)> {
    match state.tab {
        Tab::Streams => &mut state.streams.columns,
        _ => &mut state.calls.columns,
    }
}

/// Header and description of a column.
fn described(tab: Tab, index: usize) -> Option<(&'static str, &'static str)> {
    match tab {
        Tab::Streams => streams::COLUMNS.get(index).map(|column| (column.header, column.about)),
        _ => calls::COLUMNS.get(index).map(|column| (column.header, column.about)),
    }
}

impl Columns {
    /// The choice for the tab's table, from its first line.
    pub fn new(tab: Tab) -> Self {
        Self { at: 0, count: if tab == Tab::Streams { streams::COLUMNS.len() } else { calls::COLUMNS.len() } }
    }

    /// Draws it.
    pub fn draw(&self, buffer: &mut Buffer, screen: Rect, state: &State, hits: &mut Hits) {
        let height = self.count as u16 + 2;
        let top = (self.at + 1).saturating_sub(usize::from(screen.height.saturating_sub(4)));
        let title = window::title("Columns", screen, height, top);
        let inner = window::draw(buffer, screen, (58, height), &title, &state.theme);
        let help = Line::of("Space shows or hides, + and - move, Esc closes", Role::Dim);
        lines::draw(buffer, inner, &[help], 0, &state.theme);
        let list = Rect { y: inner.y + 2.min(inner.height), height: inner.height.saturating_sub(2), ..inner };
        let top = (self.at + 1).saturating_sub(usize::from(list.height));
        let chosen = if state.tab == Tab::Streams { &state.streams.columns } else { &state.calls.columns };
        for (y, (line, (index, on))) in (list.y..list.bottom()).zip(chosen.iter().enumerate().skip(top)) {
            let Some((header, about)) = described(state.tab, *index) else { continue };
            let row = Rect { y, height: 1, ..list };
            let mark = if *on { "[x]" } else { "[ ]" };
            let text = Line::blank().at(0, 3, mark, Role::Key).at(4, 14, header, Role::Text).at(
                19,
                u16::MAX,
                about,
                Role::Dim,
            );
            lines::draw_line(buffer, row, &text, &state.theme);
            if line == self.at {
                buffer.set_style(row, state.theme.style(Role::Selected));
            }
            hits.add(row, Action::SelectLine(line));
        }
    }
}

/// Shows or hides the selected column.
pub fn toggle(state: &mut State, at: usize) {
    if let Some((_, on)) = columns(state).get_mut(at) {
        *on = !*on;
    }
}

/// Moves the selected column; returns where it is then.
pub fn reorder(state: &mut State, at: usize, by: i64) -> usize {
    let columns = columns(state);
    let last = columns.len().saturating_sub(1) as i64;
    let to = (at as i64).saturating_add(by).clamp(0, last) as usize;
    if at < columns.len() {
        columns.swap(at, to);
    }
    to
}
