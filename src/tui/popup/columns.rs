//! The choice of columns and their order.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action, Hits};
use crate::tui::state::State;
use crate::tui::table::calls::COLUMNS;
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

impl Default for Columns {
    /// The choice, from its first line.
    fn default() -> Self {
        Self { at: 0, count: COLUMNS.len() }
    }
}

impl Columns {
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
        for (y, (line, (index, on))) in (list.y..list.bottom()).zip(state.calls.columns.iter().enumerate().skip(top)) {
            let Some(column) = COLUMNS.get(*index) else { continue };
            let row = Rect { y, height: 1, ..list };
            let mark = if *on { "[x]" } else { "[ ]" };
            let text = Line::blank().at(0, 3, mark, Role::Key).at(4, 14, column.header, Role::Text).at(
                19,
                u16::MAX,
                column.about,
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
    if let Some((_, on)) = state.calls.columns.get_mut(at) {
        *on = !*on;
    }
}

/// Moves the selected column; returns where it is then.
pub fn reorder(state: &mut State, at: usize, by: i64) -> usize {
    let columns = &mut state.calls.columns;
    let last = columns.len().saturating_sub(1) as i64;
    let to = (at as i64).saturating_add(by).clamp(0, last) as usize;
    if at < columns.len() {
        columns.swap(at, to);
    }
    to
}
