//! A SIP message as lines for the screen: every byte visible, and none lost where a line wraps.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use regex::Regex;
use unicode_width::UnicodeWidthChar;

use crate::sip::SipMessage;
use crate::tui::text::visible;
use crate::tui::theme::{Glyph, Role, Theme};

/// What a line of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Something odd about the message, said above it.
    Note,
    /// The request or status line.
    Start,
    /// A header line, or the continuation of one.
    Header,
    /// The line between headers and body.
    Blank,
    /// A line of the body.
    Body,
}

/// One line of a message, fit for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// What it is.
    pub part: Part,
    /// Bytes of `text` that are the header's name; 0 for a continuation and for other parts.
    pub name_len: usize,
    /// Its text, with control characters and broken UTF-8 made visible.
    pub text: String,
}

impl RawLine {
    /// The word that tells what the line is: the method, the status, or the name of the header.
    pub fn word(&self) -> Option<&str> {
        match self.part {
            Part::Start => {
                let mut words = self.text.split(' ');
                let first = words.next()?;
                if first.starts_with("SIP/") { words.next() } else { Some(first) }
            }
            Part::Header => self.text.get(..self.name_len).map(str::trim).filter(|name| !name.is_empty()),
            _ => None,
        }
    }
}

/// A piece of a [`RawLine`] that fits into one row of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which line.
    pub line: usize,
    /// First byte of its text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The bytes as text: broken UTF-8 as `\xNN`, control characters as pictures.
pub fn shown(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// The lines of a message, its oddities first.
pub fn lines(message: &SipMessage) -> Vec<RawLine> {
    let plain = |part, text: String| RawLine { part, name_len: 0, text };
    let mut out: Vec<RawLine> = message.notes().texts().map(|text| plain(Part::Note, text.to_owned())).collect();
    let mut part = Part::Start;
    let bytes = message.bytes();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match part {
            Part::Start => {
                out.push(plain(Part::Start, shown(line)));
                part = Part::Header;
            }
            Part::Header if line.is_empty() => {
                out.push(plain(Part::Blank, String::new()));
                part = Part::Body;
            }
            Part::Header => {
                let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
                let colon = line.iter().position(|byte| *byte == b':').filter(|_| !folded);
                let name_len = colon.map_or(0, |colon| shown(line.get(..colon).unwrap_or_default()).len());
                out.push(RawLine { part: Part::Header, name_len, text: shown(line) });
            }
            _ => out.push(plain(Part::Body, shown(line))),
        }
    }
    while out.last().is_some_and(|line| line.part == Part::Blank) {
        out.pop();
    }
    out
}

/// Cells that a character takes. The variation selector is counted too: it may widen the character before it.
fn cells(ch: char) -> usize {
    if ch == '\u{fe0f}' { 1 } else { ch.width().unwrap_or(0) }
}

/// Cells that a text takes, at most.
pub fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// The text cut to `width` cells, the last of them an ellipsis if anything was cut.
pub fn fit(text: &str, width: usize, theme: &Theme) -> String {
    if self::width(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for ch in text.chars() {
        used += cells(ch);
        if used + 1 > width {
            break;
        }
        out.push(ch);
    }
    if width > 0 {
        out.push_str(theme.glyph(Glyph::Ellipsis));
    }
    out
}

/// Byte ranges of `text`, each at most `width` cells wide, together the whole text. At least one.
pub fn wrap(text: &str, width: usize) -> Vec<(usize, usize)> {
    let width = width.max(2);
    let mut out = Vec::with_capacity(1 + text.len() / width);
    let (mut start, mut used) = (0, 0);
    for (at, ch) in text.char_indices() {
        let wide = cells(ch);
        if used + wide > width && at > start {
            out.push((start, at));
            (start, used) = (at, 0);
        }
        used += wide;
    }
    out.push((start, text.len()));
    out
}

/// The rows that lines take on a screen of this width, wrapped or one row each.
pub fn pieces(lines: &[RawLine], width: Option<usize>) -> Vec<Piece> {
    let mut out = Vec::with_capacity(lines.len());
    for (line, raw) in lines.iter().enumerate() {
        match width {
            Some(width) => {
                out.extend(wrap(&raw.text, width).into_iter().map(|(start, end)| Piece { line, start, end }))
            }
            None => out.push(Piece { line, start: 0, end: raw.text.len() }),
        }
    }
    out
}

/// Byte offset of the first character at or after this cell.
pub fn at_cell(text: &str, cell: usize) -> usize {
    let mut used = 0;
    for (at, ch) in text.char_indices() {
        if used >= cell {
            return at;
        }
        used += cells(ch);
    }
    text.len()
}

/// Lines of a message in a pane.
pub struct Raw<'a> {
    /// The lines.
    pub lines: &'a [RawLine],
    /// The rows they take.
    pub pieces: &'a [Piece],
    /// First row shown.
    pub scroll: usize,
    /// Cells left out at the left, when lines are not wrapped.
    pub pan: usize,
    /// What a search found.
    pub needle: Option<&'a Regex>,
}

impl Raw<'_> {
    /// Draws the rows that fit.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buffer.area);
        for (y, piece) in (area.top()..area.bottom()).zip(self.pieces.iter().skip(self.scroll)) {
            let Some(line) = self.lines.get(piece.line) else { continue };
            let start = match self.pan {
                0 => piece.start,
                pan => at_cell(&line.text, pan).max(piece.start),
            };
            put_styled(buffer, (area.x, y), area.width, line, (start, piece.end), self.needle, theme);
        }
    }
}

fn put_styled(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    width: u16,
    line: &RawLine,
    (start, end): (usize, usize),
    needle: Option<&Regex>,
    theme: &Theme,
) {
    let mut cuts: Vec<(usize, usize, Style)> = Vec::new();
    let base = theme.style(match line.part {
        Part::Note => Role::Warn,
        Part::Start => Role::StartLine,
        Part::Header | Part::Blank => Role::Text,
        Part::Body => Role::Body,
    });
    cuts.push((0, line.name_len, theme.style(Role::HeaderName)));
    cuts.push((line.name_len, line.text.len(), base));
    if let Some(needle) = needle {
        let found = needle.find_iter(&line.text).filter(|found| !found.is_empty());
        cuts.extend(found.map(|found| (found.start(), found.end(), theme.style(Role::Match))));
    }
    let right = x.saturating_add(width);
    let mut at = x;
    let (texts, matches) = cuts.split_at(2);
    for (from, to, style) in texts {
        let (from, to) = ((*from).max(start), (*to).min(end));
        if let Some(text) = line.text.get(from..to.max(from)) {
            at = buffer.set_stringn(at, y, text, usize::from(right.saturating_sub(at)), *style).0;
        }
    }
    for (from, to, style) in matches {
        let (from, to) = ((*from).max(start), (*to).min(end));
        let (Some(before), Some(text)) = (line.text.get(start..from.max(start)), line.text.get(from..to.max(from)))
        else {
            continue;
        };
        let at = x.saturating_add(u16::try_from(self::width(before)).unwrap_or(u16::MAX));
        if at < right && !text.is_empty() {
            buffer.set_stringn(at, y, text, usize::from(right - at), *style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::parse_datagram;

    #[test]
    fn wrapping_loses_no_character_and_never_exceeds_the_width() {
        let text = "Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK日本語-é-😀-tail";
        for width in 1..40 {
            let parts: Vec<&str> = wrap(text, width).into_iter().map(|(a, b)| &text[a..b]).collect();
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| self::width(part) <= width.max(2)), "{width}: {parts:?}");
        }
        assert_eq!(wrap("", 10), vec![(0, 0)]);
    }

    #[test]
    fn parts_of_a_message_are_told_apart_and_bytes_are_visible() {
        let text = b"INFO sip:a@b SIP/2.0\r\nVia: x\r\n folded\r\nSubject: \x1b[2J\xff\r\n\r\nab\x00\x81c\r\nlast\r\n";
        let got = lines(&parse_datagram(text, true).unwrap());
        let got: Vec<(Part, usize, &str)> =
            got.iter().filter(|l| l.part != Part::Note).map(|l| (l.part, l.name_len, l.text.as_str())).collect();
        assert_eq!(
            got,
            vec![
                (Part::Start, 0, "INFO sip:a@b SIP/2.0"),
                (Part::Header, 3, "Via: x"),
                (Part::Header, 0, " folded"),
                (Part::Header, 7, "Subject: ␛[2J\\xff"),
                (Part::Blank, 0, ""),
                (Part::Body, 0, "ab␀\\x81c"),
                (Part::Body, 0, "last"),
            ]
        );
    }

    #[test]
    fn a_match_over_a_wrap_is_marked_in_both_rows() {
        let lines = vec![RawLine { part: Part::Header, name_len: 2, text: "To: abcdefgh".to_owned() }];
        let pieces = pieces(&lines, Some(6));
        let needle = Regex::new("bcd").unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
        let theme = Theme::default();
        let raw = Raw { lines: &lines, pieces: &pieces, scroll: 0, pan: 0, needle: Some(&needle) };
        raw.draw(buffer.area, &mut buffer, &theme);
        let marked = |x, y| buffer[(x, y)].style().add_modifier == theme.style(Role::Match).add_modifier;
        assert_eq!((0..6).map(|x| marked(x, 0)).collect::<Vec<_>>(), [false, false, false, false, false, true]);
        assert_eq!((0..6).map(|x| marked(x, 1)).collect::<Vec<_>>(), [true, true, false, false, false, false]);
    }

    #[test]
    fn a_text_too_long_ends_in_an_ellipsis() {
        let theme = Theme::default();
        assert_eq!((fit("abcdef", 6, &theme), fit("abcdef", 4, &theme)), ("abcdef".to_owned(), "abc…".to_owned()));
        assert_eq!((fit("日本語", 5, &theme), fit("abc", 0, &theme)), ("日本…".to_owned(), String::new()));
    }
}
