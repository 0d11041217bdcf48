//! Text to read: the bytes of a packet, a message of some lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::state::State;
use crate::tui::table::paint;
use crate::tui::theme::Role;
use crate::tui::widget::{lines, window};

/// A window of text.
#[derive(Debug)]
pub struct TextPopup {
    /// What stands above it.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// First visible line.
    pub top: usize,
}

impl TextPopup {
    /// Bytes as hex and characters, sixteen a line.
    pub fn hex(title: String, note: String, bytes: &[u8]) -> Self {
        let mut lines = vec![note, String::new()];
        for (row, chunk) in bytes.chunks(16).enumerate() {
            let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let (left, right) = hex.split_at(hex.len().min(8));
            let text: String =
                chunk.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' }).collect();
            lines.push(format!("{:04x}  {:<23}  {:<23}  {text}", row * 16, left.join(" "), right.join(" ")));
        }
        Self { title, lines, top: 0 }
    }

    /// Draws it.
    pub fn draw(&mut self, buffer: &mut Buffer, screen: Rect, state: &State) {
        let width = self.lines.iter().map(|line| paint::width(line)).max().unwrap_or(0) as u16;
        let size = (width, self.lines.len().min(usize::from(u16::MAX)) as u16);
        let inner = window::draw(buffer, screen, size, &self.title, &state.theme);
        self.top = self.top.min(lines::last_top(self.lines.len(), inner.height));
        let shown: Vec<lines::Line> =
            self.lines.iter().map(|line| lines::Line::of(line.as_str(), Role::Text)).collect();
        lines::draw(buffer, inner, &shown, self.top, &state.theme);
    }
}
