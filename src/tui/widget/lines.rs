//! Lines of text with columns of their own, of which a window shows some.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::table::Fit;
use crate::tui::table::paint::{self, Spot};
use crate::tui::theme::{Role, Theme};

/// A piece of a line: where it starts, how wide it may be, how it is aligned, what it says, how it looks.
#[derive(Clone, Debug)]
pub struct Piece {
    /// First cell, from the left.
    pub x: u16,
    /// Cells; what is longer is cut.
    pub width: u16,
    /// Alignment.
    pub fit: Fit,
    /// What it says.
    pub text: String,
    /// How it looks.
    pub role: Role,
}

/// A line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

impl Line {
    /// An empty line.
    pub fn blank() -> Self {
        Self::default()
    }

    /// A line of one text.
    pub fn of(text: impl Into<String>, role: Role) -> Self {
        Self::blank().at(0, u16::MAX, text, role)
    }

    /// Adds a text that is cut at its end.
    #[must_use]
    pub fn at(mut self, x: u16, width: u16, text: impl Into<String>, role: Role) -> Self {
        self.pieces.push(Piece { x, width, fit: Fit::Left, text: text.into(), role });
        self
    }

    /// Adds a number, aligned to the right end of its cells.
    #[must_use]
    pub fn right(mut self, x: u16, width: u16, text: impl Into<String>, role: Role) -> Self {
        self.pieces.push(Piece { x, width, fit: Fit::Right, text: text.into(), role });
        self
    }
}

/// Two columns of lines, the right one from cell `x` on.
pub fn beside(left: Vec<Line>, right: Vec<Line>, x: u16) -> Vec<Line> {
    let mut out = left;
    for (at, line) in right.into_iter().enumerate() {
        if at >= out.len() {
            out.push(Line::blank());
        }
        if let Some(to) = out.get_mut(at) {
            to.pieces.extend(line.pieces.into_iter().map(|piece| Piece { x: piece.x + x, ..piece }));
        }
    }
    out
}

/// Draws the lines from `top` on.
pub fn draw(buffer: &mut Buffer, area: Rect, lines: &[Line], top: usize, theme: &Theme) {
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(top)) {
        draw_line(buffer, Rect { y, height: 1, ..area }, line, theme);
    }
}

/// Draws one line.
pub fn draw_line(buffer: &mut Buffer, area: Rect, line: &Line, theme: &Theme) {
    for piece in line.pieces.iter().filter(|piece| piece.x < area.width) {
        let spot = Spot { x: area.x + piece.x, y: area.y, width: piece.width.min(area.width - piece.x) };
        paint::text(buffer, spot, &piece.text, piece.fit, theme.style(piece.role), theme);
    }
}

/// A text in lines of at most `room` cells, broken between words; the first begins with a mark, and further ones are
/// indented as wide as it.
pub fn words(mark: &str, text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = mark.to_owned();
    let indent = " ".repeat(paint::width(mark));
    for word in text.split_whitespace() {
        let begun = paint::width(&line) > indent.len();
        if begun && paint::width(&line) + 1 + paint::width(word) > room {
            lines.push(std::mem::replace(&mut line, indent.clone()));
        } else if begun {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The largest first line that still fills the area.
pub fn last_top(lines: usize, height: u16) -> usize {
    lines.saturating_sub(usize::from(height).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_between_words_and_are_indented_as_their_mark() {
        assert_eq!(words("- ", "the phone is busy now", 11), ["- the phone", "  is busy", "  now"]);
        assert_eq!(words("", "one", 2), ["one"]);
    }
}
