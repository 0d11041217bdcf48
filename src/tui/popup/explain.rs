//! What a method or status means, over the call view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::text::visible;
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::lines::words;

/// Cells that a line of the explanation takes at most: longer lines are hard to read.
const WIDEST: u16 = 68;

/// An explanation being read.
#[derive(Debug)]
pub struct ExplainPopup {
    /// Paragraphs, each with its look, the mark before its first line, and its text.
    paragraphs: Vec<(Role, &'static str, String)>,
    scroll: usize,
    /// Where the scrolling ends, as of the last frame.
    last: usize,
}

impl ExplainPopup {
    /// The explanation of a method or status code, if there is one.
    pub fn about(word: &str) -> Option<Self> {
        let explanation = crate::sip::explain::explain(word)?;
        let mut paragraphs = vec![
            (Role::Title, "", visible(&explanation.title).into_owned()),
            (Role::Text, "", explanation.meaning.to_owned()),
        ];
        paragraphs.extend(explanation.causes.iter().map(|cause| (Role::Text, "- ", (*cause).to_owned())));
        if !explanation.next.is_empty() {
            paragraphs.push((Role::Good, "Next: ", explanation.next.to_owned()));
        }
        paragraphs.push((Role::Dim, "", explanation.rfc.to_owned()));
        Some(Self { paragraphs, scroll: 0, last: 0 })
    }

    /// The same with a line about what to press below it.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.paragraphs.push((Role::Key, "", note.to_owned()));
        self
    }

    /// Scrolls by this many rows.
    pub fn scroll(&mut self, rows: i32) {
        let by = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        self.scroll =
            if rows < 0 { self.scroll.saturating_sub(by) } else { self.scroll.saturating_add(by).min(self.last) };
    }

    /// Draws it in the middle of the area.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buffer.area);
        if area.width < 12 || area.height < 3 {
            return;
        }
        let wide = area.width.min(WIDEST + 4);
        let inner = usize::from(wide - 4);
        let lines: Vec<(Role, String)> = self
            .paragraphs
            .iter()
            .flat_map(|(role, mark, text)| words(mark, text, inner).into_iter().map(|line| (*role, line)))
            .collect();
        let tall = area.height.min(u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2));
        let frame = Rect {
            x: area.x + (area.width - wide) / 2,
            y: area.y + (area.height - tall) / 2,
            width: wide,
            height: tall,
        };
        self.last = lines.len().saturating_sub(usize::from(tall - 2));
        self.scroll = self.scroll.min(self.last);
        draw_frame(frame, buffer, theme);
        for (y, (role, text)) in (frame.y + 1..frame.bottom() - 1).zip(lines.iter().skip(self.scroll)) {
            buffer.set_stringn(frame.x + 2, y, text, inner, theme.style(*role));
        }
    }
}

fn draw_frame(frame: Rect, buffer: &mut Buffer, theme: &Theme) {
    let [left, top, right, below_left, below_right, side] =
        if theme.ascii { ["+", "-", "+", "+", "+", "|"] } else { ["┌", "─", "┐", "└", "┘", "│"] };
    let style = theme.style(Role::Dim);
    let inner = usize::from(frame.width - 2);
    let mut put = |y: u16, text: &str| {
        buffer.set_style(Rect { y, height: 1, ..frame }, ratatui::style::Style::reset());
        buffer.set_stringn(frame.x, y, text, usize::from(frame.width), style);
    };
    put(frame.y, &format!("{left}{}{right}", top.repeat(inner)));
    for y in frame.y + 1..frame.bottom() - 1 {
        put(y, &format!("{side}{}{side}", " ".repeat(inner)));
    }
    put(frame.bottom() - 1, &format!("{below_left}{}{below_right}", top.repeat(inner)));
}
