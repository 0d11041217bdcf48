//! Draws the ladder: only the lines that are on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::store::ladder::{FactRow, MessageRow, RowKind};
use crate::store::rows::Rows;
use crate::time::Timestamp;
use crate::track::call::Fact;
use crate::track::stream::Stream;
use crate::tui::format::Zone;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::widget::raw::{fit, width};

use super::ending;
use super::geometry::Geometry;
use super::look::{Clock, ColourMode};
use super::page::{Page, What};
use super::sound::{Sound, Text};

/// All that the ladder is drawn from.
pub(super) struct LadderPane<'a> {
    pub page: &'a Page,
    pub theme: &'a Theme,
    pub clock: Clock,
    pub colour: ColourMode,
    pub geometry: Geometry,
    /// Item under the cursor.
    pub cursor: usize,
    /// The marked item.
    pub mark: Option<usize>,
    /// Whether an item's message was found by the search.
    pub found: &'a dyn Fn(usize) -> bool,
    /// First line shown.
    pub top: usize,
    /// The snapshot's time.
    pub now: Timestamp,
    /// Local time or UTC.
    pub zone: Zone,
    /// All streams.
    pub streams: &'a Rows<Stream>,
}

impl LadderPane<'_> {
    /// The hosts above their columns, and at the edges whether there are more.
    pub fn draw_header(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let (name, key) = (self.theme.style(Role::Title), self.theme.style(Role::Key));
        let room = usize::from(area.width);
        let mut free = buffer.set_stringn(area.x, area.y, self.clock.title(), room, self.theme.style(Role::Dim)).0 + 1;
        if self.geometry.first > 0 && free < area.right() {
            free = buffer.set_stringn(free, area.y, self.theme.glyph(Glyph::ArrowLeft), 1, key).0 + 1;
        }
        let last = self.geometry.columns().last().map_or(0, |(column, _)| column + 1);
        let mut right = area.right();
        if last < self.geometry.all && area.width > 1 {
            right -= 2;
            buffer.set_stringn(area.right() - 1, area.y, self.theme.glyph(Glyph::ArrowRight), 1, key);
        }
        for (column, x) in self.geometry.columns() {
            let Some(host) = self.page.ladder.columns.get(column) else { continue };
            let pitch = self.geometry.pitch.saturating_sub(1);
            let room = usize::from(pitch.min(right.saturating_sub(free)));
            let whole = match host.endpoints.as_slice() {
                [one] => one.to_string(),
                _ => host.label(),
            };
            let label = [whole, host.label(), host.ip.to_string()].into_iter().find(|label| width(label) <= room);
            let label = label.unwrap_or_else(|| cut_front(&host.ip.to_string(), room, self.theme));
            let wide = u16::try_from(width(&label)).unwrap_or(u16::MAX);
            let at = x.saturating_sub(wide / 2).min(right.saturating_sub(wide)).max(free);
            if at < right {
                free = buffer.set_stringn(at, area.y, &label, usize::from(right - at), name).0 + 1;
            }
        }
    }

    /// The rows. Returns the items drawn and their screen rows.
    pub fn draw_rows(&self, area: Rect, buffer: &mut Buffer) -> Vec<(usize, u16)> {
        let mut drawn = Vec::with_capacity(usize::from(area.height));
        for (y, line) in (area.top()..area.bottom()).zip(self.page.lines.iter().skip(self.top)) {
            let row = Rect { y, height: 1, ..area };
            match &line.sdp {
                Some(text) => self.draw_sdp(line.item, text, row, buffer),
                None => self.draw_item(line.item, row, buffer),
            }
            drawn.push((line.item, y));
        }
        drawn
    }

    fn draw_item(&self, item: usize, row: Rect, buffer: &mut Buffer) {
        let mut pen = Pen { geometry: &self.geometry, y: row.y, theme: self.theme, buffer };
        pen.lifelines();
        let Some(shown) = self.page.items.get(item) else { return };
        match shown.what {
            What::End(call) => self.draw_end(call, row, &mut pen),
            What::Row(index) => {
                let Some(ladder_row) = self.page.ladder.rows.get(index) else { return };
                match &ladder_row.kind {
                    RowKind::Message(message) => self.draw_message(message, &mut pen),
                    RowKind::Fact(fact) => self.draw_fact(fact, &mut pen),
                    RowKind::Rtp(rtp) => {
                        let sound = Sound {
                            page: self.page,
                            now: self.now,
                            zone: self.zone,
                            theme: self.theme,
                            streams: self.streams,
                        };
                        let (texts, role) = sound.bar(rtp);
                        let style = self.theme.style(role);
                        pen.bar(rtp.from.min(rtp.to), rtp.from.max(rtp.to), &texts, style);
                    }
                    RowKind::Gap(gap) => {
                        let text = format!(" {} messages left out ", gap.left_out);
                        pen.across(&text, self.theme.style(Role::Dim));
                    }
                }
            }
        }
        self.draw_time(item, shown.at, row, buffer);
        if item == self.cursor {
            buffer.set_style(row, self.theme.style(Role::Selected));
        }
    }

    fn draw_time(&self, item: usize, at: Timestamp, row: Rect, buffer: &mut Buffer) {
        let before = item.checked_sub(1).and_then(|before| self.page.items.get(before)).map(|before| before.at);
        let is_end = matches!(self.page.items.get(item).map(|item| item.what), Some(What::End(_)));
        let text = if is_end { String::new() } else { self.clock.text(at, before) };
        let role = if (self.found)(item) { Role::Match } else { Role::Dim };
        let wide = usize::from(self.clock.width());
        let room = usize::from(row.width);
        let text = fit(&text, wide, self.theme);
        let pad = wide.saturating_sub(width(&text));
        let at = row.x.saturating_add(u16::try_from(pad).unwrap_or(0));
        buffer.set_stringn(at.min(row.right()), row.y, text, room.saturating_sub(pad), self.theme.style(role));
        if self.mark == Some(item) && room > wide {
            let mark = self.theme.glyph(Glyph::Marked);
            let x = row.x + self.clock.width();
            buffer.set_stringn(x, row.y, mark, 1, self.theme.style(Role::Marked));
        }
    }

    fn draw_message(&self, row: &MessageRow, pen: &mut Pen<'_>) {
        let style = self.colour.style(row, self.theme);
        let number = call_number(row.call, self.page.calls.len(), self.theme);
        let label = number.map_or_else(|| row.label.clone(), |number| format!("{number} {}", row.label));
        let mut label = vec![(label, style)];
        let warn = self.theme.style(Role::Warn);
        let times = if self.theme.ascii { "x" } else { "×" };
        let nth = self.page.nth(row);
        if !row.copies.is_empty() {
            label.push((format!(" {times}{}", row.copies.len() + 1), warn));
        } else if nth > 1 {
            label.push((format!(" {times}{nth}"), warn));
        }
        if !row.message.sip.notes().is_empty() {
            label.push((format!(" {}", self.theme.glyph(Glyph::Warning)), warn));
        }
        if self.page.fork(row) == Some(true) {
            label.push((format!(" {}", self.theme.glyph(Glyph::Marked)), self.theme.style(Role::Good)));
        }
        pen.arrow(row.from, row.to, &label, style);
    }

    fn draw_fact(&self, row: &FactRow, pen: &mut Pen<'_>) {
        let style = self.theme.style(if row.is_fault() { Role::Bad } else { Role::Dim });
        let what = match &row.fact {
            Fact::Tcp(_) => "TCP",
            Fact::Icmp(_) => "ICMP",
        };
        let label = if row.is_fault() {
            format!("{} {what} {}", self.theme.glyph(Glyph::Cross), row.label())
        } else {
            format!("{what} {}", row.label())
        };
        pen.arrow(row.from, row.to, &[(label, style)], style);
    }

    /// The closing line has no time: a long one begins further left.
    fn draw_end(&self, call: usize, row: Rect, pen: &mut Pen<'_>) {
        let Some((text, role)) = self.page.calls.get(call).and_then(|call| ending::sentence(call)) else { return };
        let text = fit(&format!(" {text} "), usize::from(row.width), self.theme);
        let left = u16::try_from(self.geometry.bounds().0).unwrap_or(row.x) + 1;
        let latest = row.right().saturating_sub(u16::try_from(width(&text)).unwrap_or(u16::MAX));
        let x = left.min(latest).max(row.x);
        pen.buffer.set_stringn(x, row.y, &text, usize::from(row.right() - x), self.theme.style(role));
    }

    fn draw_sdp(&self, item: usize, text: &str, row: Rect, buffer: &mut Buffer) {
        let mut pen = Pen { geometry: &self.geometry, y: row.y, theme: self.theme, buffer };
        pen.lifelines();
        let sender = self.page.message_row(item).map_or(0, |row| row.from.min(row.to));
        let (left, right) = self.geometry.bounds();
        let x = (self.geometry.x(sender).max(left) + 2).min(right);
        // A line too long for the room to its right moves left, rather than being cut.
        let wide = i32::try_from(width(text)).unwrap_or(i32::MAX / 2);
        let x = x.min(right - wide).max(left + 2);
        pen.put(x, text, self.theme.style(Role::Body));
    }
}

/// Calls that colours can tell apart; more are numbered.
const COLOURED_CALLS: usize = 6;

/// The number of one call of several, where colours cannot tell whose a row is.
pub(super) fn call_number(call: usize, calls: usize, theme: &Theme) -> Option<String> {
    let needed = calls > COLOURED_CALLS || (calls > 1 && theme.no_color);
    needed.then(|| format!("{}:", call + 1))
}

/// The text without its front, where the room is too small: the end of an address tells more.
fn cut_front(text: &str, room: usize, theme: &Theme) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let tail: String = {
        let count = text.chars().count();
        text.chars().skip(count.saturating_sub(room.saturating_sub(1))).collect()
    };
    format!("{}{tail}", theme.glyph(Glyph::Ellipsis))
}

/// Draws within one row of the ladder.
struct Pen<'a> {
    geometry: &'a Geometry,
    y: u16,
    theme: &'a Theme,
    buffer: &'a mut Buffer,
}

impl Pen<'_> {
    fn lifelines(&mut self) {
        let style = self.theme.style(Role::Dim);
        for (_, x) in self.geometry.columns() {
            self.buffer.set_stringn(x, self.y, self.theme.glyph(Glyph::Vertical), 1, style);
        }
    }

    /// Writes as much as lies within the bounds. Returns the cell after it.
    fn put(&mut self, x: i32, text: &str, style: Style) -> i32 {
        let (left, right) = self.geometry.bounds();
        if x < left || x >= right {
            return x;
        }
        let (Ok(at), Ok(room)) = (u16::try_from(x), usize::try_from(right - x)) else { return x };
        i32::from(self.buffer.set_stringn(at, self.y, text, room, style).0)
    }

    fn dashes(&mut self, from: i32, to: i32, glyph: Glyph, style: Style) {
        let (left, right) = self.geometry.bounds();
        let dash = self.theme.glyph(glyph);
        let crossing = if self.theme.ascii { "+" } else { "┼" };
        for x in from.max(left)..to.min(right) {
            let crosses = glyph == Glyph::Horizontal && self.geometry.columns().any(|(_, at)| i32::from(at) == x);
            self.put(x, if crosses { crossing } else { dash }, style);
        }
    }

    /// An arrow with its label at the sender's end: `│ INVITE (SDP) ─────▶│`.
    fn arrow(&mut self, from: usize, to: usize, label: &[(String, Style)], style: Style) {
        if from == to {
            return self.self_arrow(from, label, style);
        }
        let (left, right) = self.geometry.bounds();
        let (a, b) = (self.geometry.x(from.min(to)), self.geometry.x(from.max(to)));
        // Where one end is scrolled away, the arrow reaches the edge.
        let (a, b) = (a.max(left - 1), b.min(right));
        if b - a < 4 {
            return;
        }
        let room = usize::try_from(b - a - 4).unwrap_or(0);
        let label = fit_parts(label, room, self.theme);
        let wide: usize = label.iter().map(|(text, _)| width(text)).sum();
        let wide = i32::try_from(wide).unwrap_or(0);
        let (back, forth) = (Glyph::ArrowLeft, Glyph::ArrowRight);
        let space = i32::from(wide > 0);
        let start = if from < to {
            self.dashes(a + 1 + 2 * space + wide, b - 1, Glyph::Horizontal, style);
            self.put(b - 1, self.theme.glyph(forth), style);
            a + 1
        } else {
            self.put(a + 1, self.theme.glyph(back), style);
            self.dashes(a + 2, b - 2 * space - wide, Glyph::Horizontal, style);
            b - 2 * space - wide
        };
        if wide > 0 {
            let mut x = self.put(start, " ", style);
            for (text, style) in &label {
                x = self.put(x, text, *style);
            }
            self.put(x, " ", Style::new());
        }
    }

    /// A message from a host to itself: a hook beside its column.
    fn self_arrow(&mut self, column: usize, label: &[(String, Style)], style: Style) {
        let x = self.geometry.x(column);
        let (left, right) = self.geometry.bounds();
        let next = if column + 1 < self.geometry.all { x + i32::from(self.geometry.pitch) } else { right };
        let wide: i32 = label.iter().map(|(text, _)| i32::try_from(width(text)).unwrap_or(0)).sum();
        if next.min(right) - x >= wide + 6 || x - left < wide + 6 {
            let room = usize::try_from(next.min(right) - x - 5).unwrap_or(0);
            let hook = format!("{}{} ", self.theme.glyph(Glyph::ArrowLeft), self.theme.glyph(Glyph::Horizontal));
            let mut at = self.put(x + 1, &hook, style);
            for (text, style) in fit_parts(label, room, self.theme) {
                at = self.put(at, &text, style);
            }
            self.put(at, " ", Style::new());
        } else {
            let mut at = self.put(x - wide - 4, " ", style);
            for (text, style) in label {
                at = self.put(at, text, *style);
            }
            let hook = format!(" {}{}", self.theme.glyph(Glyph::Horizontal), self.theme.glyph(Glyph::ArrowRight));
            self.put(at, &hook, style);
        }
    }

    /// A double line with the first of the texts that fits.
    fn bar(&mut self, from: usize, to: usize, texts: &[Text], style: Style) {
        let (left, right) = self.geometry.bounds();
        let a = self.geometry.x(from).max(left - 1);
        let b = if from == to { a + i32::from(self.geometry.pitch) } else { self.geometry.x(to) };
        let b = b.min(right);
        let room = usize::try_from(b - a - 3).unwrap_or(0);
        let wide = |text: &Text| text.iter().map(|(part, _)| width(part)).sum::<usize>();
        self.dashes(a + 1, b, Glyph::DoubleHorizontal, style);
        let Some(text) = texts.iter().find(|text| wide(text) <= room) else { return };
        let mut x = a + 1 + (b - a - 1 - i32::try_from(wide(text)).unwrap_or(0)) / 2;
        for (part, role) in text {
            let style = role.map_or(style, |role| self.theme.style(role));
            x = self.put(x, part, style);
        }
    }

    /// A text over all columns.
    fn across(&mut self, text: &str, style: Style) {
        let (left, right) = self.geometry.bounds();
        let room = usize::try_from(right - left - 1).unwrap_or(0);
        let text = fit(text, room, self.theme);
        self.put(left + 1, &text, style);
    }
}

/// The parts cut to `room` cells together. What comes after the first part is kept whole if it can be.
fn fit_parts(parts: &[(String, Style)], room: usize, theme: &Theme) -> Vec<(String, Style)> {
    let Some(((first, style), rest)) = parts.split_first() else { return Vec::new() };
    let tail: usize = rest.iter().map(|(text, _)| width(text)).sum();
    let mut out = vec![(fit(first, room.saturating_sub(tail).max(room.min(4)), theme), *style)];
    let mut left = room.saturating_sub(out.iter().map(|(text, _)| width(text)).sum());
    for (text, style) in rest {
        let text = fit(text, left, theme);
        left -= width(&text);
        out.push((text, *style));
    }
    out
}
