//! What a method or status means, over the call view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::Theme;

/// An explanation being read.
#[derive(Debug)]
pub struct ExplainPopup {
    scroll: usize,
}

impl ExplainPopup {
    /// The explanation of a method or status code, if there is one.
    pub fn about(_word: &str) -> Option<Self> {
        None
    }

    /// Scrolls by this many rows.
    pub fn scroll(&mut self, rows: i32) {
        let by = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        self.scroll = if rows < 0 { self.scroll.saturating_sub(by) } else { self.scroll.saturating_add(by) };
    }

    /// Draws it in the middle of the area.
    pub fn draw(&mut self, _area: Rect, _buffer: &mut Buffer, _theme: &Theme) {}
}
