//! Two messages compared: start lines, headers by name, bodies line by line.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::sip::{HeaderName, SipMessage};
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::widget::raw::{self, Part, RawLine};

/// Side by side from this width on; one below the other in narrower panes.
const SIDE_BY_SIDE: u16 = 100;

/// Body lines up to which the bodies are aligned; longer bodies are compared by position.
const ALIGNED_LINES: usize = 400;

/// One row of the comparison: the same header, or body line, of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// What it is.
    pub part: Part,
    /// The line of the first message.
    pub left: Option<String>,
    /// The line of the second.
    pub right: Option<String>,
}

impl Pair {
    fn is_same(&self) -> bool {
        self.left == self.right
    }
}

/// The rows of a comparison.
pub(super) fn pairs(left: &SipMessage, right: &SipMessage) -> Vec<Pair> {
    let (left, right) = (Sections::new(raw::lines(left)), Sections::new(raw::lines(right)));
    let mut out = vec![Pair { part: Part::Start, left: Some(left.start), right: Some(right.start) }];
    out.extend(headers(left.headers, right.headers));
    if !left.body.is_empty() || !right.body.is_empty() {
        out.push(Pair { part: Part::Blank, left: Some(String::new()), right: Some(String::new()) });
        out.extend(bodies(left.body, right.body));
    }
    out
}

struct Sections {
    start: String,
    /// Each with its name in one spelling, and how many of that name came before.
    headers: Vec<((String, usize), String)>,
    body: Vec<String>,
}

impl Sections {
    fn new(lines: Vec<RawLine>) -> Self {
        let mut sections = Self { start: String::new(), headers: Vec::new(), body: Vec::new() };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for line in lines {
            match line.part {
                Part::Note | Part::Blank => {}
                Part::Start => sections.start = line.text,
                Part::Header if line.name_len == 0 && !sections.headers.is_empty() => {
                    if let Some((_, text)) = sections.headers.last_mut() {
                        text.push_str(&line.text);
                    }
                }
                Part::Header => {
                    let name = canonical(line.text.get(..line.name_len).unwrap_or_default());
                    let count = seen.entry(name.clone()).or_default();
                    sections.headers.push(((name, *count), line.text));
                    *count += 1;
                }
                Part::Body => sections.body.push(line.text),
            }
        }
        sections
    }
}

fn canonical(name: &str) -> String {
    let known = HeaderName::find(name.trim().as_bytes());
    if known == HeaderName::Other { name.trim().to_ascii_lowercase() } else { known.as_str().to_ascii_lowercase() }
}

/// The first message's headers in order, each beside the second's; what only the second has follows its predecessor.
fn headers(left: Vec<((String, usize), String)>, right: Vec<((String, usize), String)>) -> Vec<Pair> {
    let places: HashMap<&(String, usize), usize> = left.iter().enumerate().map(|(i, (key, _))| (key, i)).collect();
    let mut beside: Vec<Option<String>> = vec![None; left.len()];
    let mut after: Vec<Vec<String>> = vec![Vec::new(); left.len() + 1];
    let mut last = 0;
    for (key, text) in right {
        let place = places.get(&key).copied();
        match place.and_then(|place| beside.get_mut(place)) {
            Some(slot) => {
                *slot = Some(text);
                last = place.map_or(last, |place| place + 1);
            }
            None => {
                if let Some(list) = after.get_mut(last) {
                    list.push(text);
                }
            }
        }
    }
    let mut added = after.into_iter();
    let only_right = |list: Option<Vec<String>>| {
        list.unwrap_or_default().into_iter().map(|text| Pair { part: Part::Header, left: None, right: Some(text) })
    };
    let mut out: Vec<Pair> = only_right(added.next()).collect();
    for ((_, text), right) in left.into_iter().zip(beside) {
        out.push(Pair { part: Part::Header, left: Some(text), right });
        out.extend(only_right(added.next()));
    }
    out
}

/// Body lines, aligned so that as many as possible stand beside their equal, and then beside their like.
fn bodies(left: Vec<String>, right: Vec<String>) -> Vec<Pair> {
    let pair = |left: Option<&String>, right: Option<&String>| Pair {
        part: Part::Body,
        left: left.cloned(),
        right: right.cloned(),
    };
    if left.len() > ALIGNED_LINES || right.len() > ALIGNED_LINES {
        return (0..left.len().max(right.len())).map(|i| pair(left.get(i), right.get(i))).collect();
    }
    let stride = right.len() + 1;
    let mut best = vec![0_u32; (left.len() + 1) * stride];
    let at = |best: &[u32], i: usize, j: usize| best.get(i * stride + j).copied().unwrap_or(0);
    for (i, a) in left.iter().enumerate().rev() {
        for (j, b) in right.iter().enumerate().rev() {
            let beside = at(&best, i + 1, j + 1) + likeness(a, b);
            let value = beside.max(at(&best, i + 1, j)).max(at(&best, i, j + 1));
            if let Some(cell) = best.get_mut(i * stride + j) {
                *cell = value;
            }
        }
    }
    let mut out: Vec<Pair> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (left.get(i), right.get(j)) {
        let alike = likeness(a, b);
        if alike > 0 && at(&best, i, j) == at(&best, i + 1, j + 1) + alike {
            out.push(pair(Some(a), Some(b)));
            (i, j) = (i + 1, j + 1);
        } else if at(&best, i + 1, j) >= at(&best, i, j + 1) {
            out.push(pair(Some(a), None));
            i += 1;
        } else {
            out.push(pair(None, Some(b)));
            j += 1;
        }
    }
    out.extend(left.iter().skip(i).map(|line| pair(Some(line), None)));
    out.extend(right.iter().skip(j).map(|line| pair(None, Some(line))));
    out
}

/// 4 for equal lines, 1 for those that say the same thing with other values (`m=`, the same attribute), else 0.
fn likeness(a: &str, b: &str) -> u32 {
    let head = |line: &str| {
        let end = if line.starts_with("a=") { line.find(':') } else { line.find(['=', ':']) };
        end.and_then(|end| line.get(..=end)).map(str::to_owned)
    };
    match a == b {
        true => 4,
        false => u32::from(head(a).is_some() && head(a) == head(b)),
    }
}

/// The comparison as text: equal lines once, others with `-` and `+`.
pub(super) fn unified_text(pairs: &[Pair]) -> String {
    let mut out = String::new();
    for (mark, text) in unified(pairs).iter().map(|row| (row.mark, row.text)) {
        out.push(mark);
        out.push(' ');
        out.push_str(text);
        out.push('\n');
    }
    out
}

struct UnifiedRow<'a> {
    mark: char,
    text: &'a str,
    other: Option<&'a str>,
}

fn unified(pairs: &[Pair]) -> Vec<UnifiedRow<'_>> {
    let mut out = Vec::new();
    for pair in pairs {
        let (left, right) = (pair.left.as_deref(), pair.right.as_deref());
        if pair.is_same() {
            out.push(UnifiedRow { mark: ' ', text: left.unwrap_or_default(), other: None });
            continue;
        }
        out.extend(left.map(|text| UnifiedRow { mark: '-', text, other: right }));
        out.extend(right.map(|text| UnifiedRow { mark: '+', text, other: left }));
    }
    out
}

/// A row of the screen: up to two texts, each with the range that differs.
struct ScreenRow {
    cells: Vec<ScreenCell>,
}

struct ScreenCell {
    column: usize,
    mark: char,
    text: String,
    /// Bytes of `text` that differ.
    differs: (usize, usize),
    style: Style,
}

/// Draws the comparison from row `scroll` on; returns how many rows there are.
pub(super) fn draw(pairs: &[Pair], scroll: usize, area: Rect, buffer: &mut Buffer, theme: &Theme) -> usize {
    let rows = if area.width >= SIDE_BY_SIDE {
        side_by_side(pairs, usize::from(area.width), theme)
    } else {
        one_below_the_other(pairs, usize::from(area.width), theme)
    };
    let area = area.intersection(buffer.area);
    for (y, row) in (area.top()..area.bottom()).zip(rows.iter().skip(scroll)) {
        for cell in &row.cells {
            put(buffer, (area.x, y), area.right(), cell);
        }
        if area.width >= SIDE_BY_SIDE {
            let middle = area.x + area.width / 2 - 1;
            buffer.set_stringn(middle, y, theme.glyph(Glyph::Vertical), 1, theme.style(Role::Dim));
        }
    }
    rows.len()
}

fn put(buffer: &mut Buffer, (x, y): (u16, u16), right: u16, cell: &ScreenCell) {
    let mut at = x.saturating_add(u16::try_from(cell.column).unwrap_or(u16::MAX));
    let mut write = |text: &str, style: Style| {
        if at < right {
            at = buffer.set_stringn(at, y, text, usize::from(right - at), style).0;
        }
    };
    write(&format!("{} ", cell.mark), cell.style);
    let (from, to) = cell.differs;
    let part = |range: std::ops::Range<usize>| cell.text.get(range).unwrap_or_default();
    write(part(0..from), cell.style);
    write(part(from..to), cell.style.add_modifier(Modifier::UNDERLINED));
    write(part(to..cell.text.len()), cell.style);
}

/// The pieces of one text at this width, with the differing range carried into each.
fn cells(text: &str, other: Option<&str>, mark: char, place: (usize, usize), theme: &Theme) -> Vec<ScreenCell> {
    let (column, width) = place;
    let differs = other.map_or((0, 0), |other| differing(text, other));
    let style = theme.style(match mark {
        '-' => Role::Bad,
        '+' => Role::Good,
        _ => Role::Text,
    });
    let pieces = raw::wrap(text, width.saturating_sub(2));
    let inside =
        |(start, end): (usize, usize)| (differs.0.clamp(start, end) - start, differs.1.clamp(start, end) - start);
    pieces
        .into_iter()
        .map(|(start, end)| ScreenCell {
            column,
            mark,
            text: text.get(start..end).unwrap_or_default().to_owned(),
            differs: inside((start, end)),
            style,
        })
        .collect()
}

fn one_below_the_other(pairs: &[Pair], width: usize, theme: &Theme) -> Vec<ScreenRow> {
    unified(pairs)
        .into_iter()
        .flat_map(|row| cells(row.text, row.other, row.mark, (0, width), theme))
        .map(|cell| ScreenRow { cells: vec![cell] })
        .collect()
}

fn side_by_side(pairs: &[Pair], width: usize, theme: &Theme) -> Vec<ScreenRow> {
    let half = width / 2;
    let mut out = Vec::new();
    for pair in pairs {
        let (left, right) = (pair.left.as_deref(), pair.right.as_deref());
        let marks = if pair.is_same() { (' ', ' ') } else { ('-', '+') };
        let others = if pair.is_same() { (None, None) } else { (right, left) };
        let lefts = left.map(|text| cells(text, others.0, marks.0, (0, half - 1), theme)).unwrap_or_default();
        let rights = right.map(|text| cells(text, others.1, marks.1, (half, width - half), theme)).unwrap_or_default();
        let rows = lefts.len().max(rights.len());
        let (mut lefts, mut rights) = (lefts.into_iter(), rights.into_iter());
        out.extend((0..rows).map(|_| ScreenRow { cells: lefts.next().into_iter().chain(rights.next()).collect() }));
    }
    out
}

/// The range of `text` left when what both begin and end with is taken away.
fn differing(text: &str, other: &str) -> (usize, usize) {
    let start: usize = text.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (tail, other_tail) = (text.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let same = tail.chars().rev().zip(other_tail.chars().rev()).take_while(|(a, b)| a == b);
    let end: usize = same.map(|(a, _)| a.len_utf8()).sum();
    (start, text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::parse_datagram;

    fn message(text: &str) -> SipMessage {
        parse_datagram(text.replace('\n', "\r\n").as_bytes(), true).unwrap()
    }

    #[test]
    fn headers_stand_beside_their_own_kind_whatever_the_order_and_spelling() {
        let a = message("INVITE sip:a@b SIP/2.0\nVia: one\nVia: two\nFrom: <sip:a@b>\nX-Only: 1\nCSeq: 1 INVITE\n\n");
        let b = message("INVITE sip:a@c SIP/2.0\nv: one\nf: <sip:a@b>\nCSeq: 2 INVITE\nRoute: <sip:p>\n\n");
        let got = unified_text(&pairs(&a, &b));
        assert_eq!(
            got,
            "- INVITE sip:a@b SIP/2.0\n+ INVITE sip:a@c SIP/2.0\n- Via: one\n+ v: one\n- Via: two\n\
             - From: <sip:a@b>\n+ f: <sip:a@b>\n- X-Only: 1\n- CSeq: 1 INVITE\n+ CSeq: 2 INVITE\n+ Route: <sip:p>\n"
        );
    }

    #[test]
    fn body_lines_are_aligned() {
        let head = "INVITE sip:a@b SIP/2.0\nCall-ID: 1\n\n";
        let a = message(&format!("{head}v=0\nm=audio 4000 RTP/AVP 0 8\na=sendrecv\n"));
        let b = message(&format!("{head}v=0\ns=-\nm=audio 4002 RTP/AVP 0\na=sendrecv\n"));
        let got = unified_text(&pairs(&a, &b));
        let body = got.split_once("  \n").unwrap().1;
        assert_eq!(body, "  v=0\n+ s=-\n- m=audio 4000 RTP/AVP 0 8\n+ m=audio 4002 RTP/AVP 0\n  a=sendrecv\n");
    }

    #[test]
    fn wrapped_lines_keep_every_character_in_both_layouts() {
        let long: String = (0..300).map(|i| char::from(b'a' + (i % 26) as u8)).collect();
        let a = message(&format!("INVITE sip:a@b SIP/2.0\nSubject: {long}\n\n"));
        let b = message(&format!("INVITE sip:a@b SIP/2.0\nSubject: {long}Z\n\n"));
        let pairs = pairs(&a, &b);
        for width in [40_u16, 80, 100, 161] {
            let area = Rect::new(0, 0, width, 40);
            let mut buffer = Buffer::empty(area);
            let rows = draw(&pairs, 0, area, &mut buffer, &Theme::default());
            assert!(rows <= 40);
            let text = |x0: u16, x1: u16, mark: &str| -> String {
                let mut out = String::new();
                for y in 0..40 {
                    if buffer[(x0, y)].symbol() == mark {
                        out.extend((x0 + 2..x1).map(|x| buffer[(x, y)].symbol().to_owned()));
                        out = out.trim_end().to_owned();
                    }
                }
                out
            };
            let (left, right) = if width >= SIDE_BY_SIDE {
                (text(0, width / 2 - 1, "-"), text(width / 2, width, "+"))
            } else {
                (text(0, width, "-"), text(0, width, "+"))
            };
            assert_eq!((left, right), (format!("Subject: {long}"), format!("Subject: {long}Z")), "width {width}");
        }
    }

    #[test]
    fn the_differing_part_is_what_is_left_between_common_ends() {
        assert_eq!(differing("CSeq: 1 INVITE", "CSeq: 22 INVITE"), (6, 7));
        assert_eq!(differing("aa", "a"), (1, 2));
        assert_eq!(differing("same", "same"), (4, 4));
    }
}
