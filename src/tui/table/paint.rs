//! Cells into the buffer.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;
use unicode_width::UnicodeWidthStr;

use super::Fit;
use crate::tui::text::visible;
use crate::tui::theme::{Glyph, Theme};

/// Where text goes: its first cell and the cells at hand.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// Cells.
    pub width: u16,
}

/// Writes text into its cells, cut and aligned, with control characters made visible. Outside the buffer it writes nothing.
pub fn text(buffer: &mut Buffer, spot: Spot, text: &str, fit: Fit, style: Style, theme: &Theme) {
    let area = buffer.area;
    if spot.y < area.top() || spot.y >= area.bottom() || spot.x < area.left() || spot.x >= area.right() {
        return;
    }
    let width = usize::from(spot.width.min(area.right() - spot.x));
    let safe = visible(text);
    let shown = cut(&safe, width, fit, theme);
    let used = shown.width().min(width);
    let pad = if fit == Fit::Right { (width - used) as u16 } else { 0 };
    buffer.set_stringn(spot.x + pad, spot.y, shown.as_ref(), width, style);
}

/// Cells that a text takes once its control characters are made visible.
pub fn width(text: &str) -> usize {
    visible(text).width()
}

/// The text without its first `cells` cells.
pub fn skip_cells(text: &str, cells: usize) -> String {
    let mut left = cells;
    let gone = |ch: &char| {
        let width = ch.width().unwrap_or(0);
        let gone = left > 0;
        left = left.saturating_sub(width);
        gone
    };
    text.chars().skip_while(gone).collect()
}

/// The text in at most `width` cells, an ellipsis where something was cut off.
pub fn cut<'t>(text: &'t str, width: usize, fit: Fit, theme: &Theme) -> Cow<'t, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let ellipsis = theme.glyph(Glyph::Ellipsis);
    if width == 0 {
        return Cow::Borrowed("");
    }
    let room = width - 1;
    let mut used = 0;
    let fits = |ch: &char| {
        used += ch.width().unwrap_or(0);
        used <= room
    };
    if fit == Fit::Tail {
        let tail: Vec<char> = text.chars().rev().take_while(fits).collect();
        return Cow::Owned(ellipsis.chars().chain(tail.into_iter().rev()).collect());
    }
    let head: String = text.chars().take_while(fits).collect();
    Cow::Owned(head + ellipsis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_with_a_mark() {
        let theme = Theme::default();
        assert_eq!(cut("10.1.1.123:5060", 8, Fit::Left, &theme), "10.1.1.…");
        assert_eq!(cut("10.1.1.123:5060", 8, Fit::Tail, &theme), "…23:5060");
        assert_eq!(cut("日本語", 5, Fit::Left, &theme), "日本…");
        assert_eq!(cut("日本語", 4, Fit::Left, &theme), "日…");
        assert_eq!(cut("abc", 0, Fit::Left, &theme), "");
        assert_eq!(cut("abc", 3, Fit::Left, &theme), "abc");
    }
}
