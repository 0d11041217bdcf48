//! The call view: the ladder of one or several calls, the selected message beside it, two messages compared.
//!
//! [`page`] keeps what the ladder shows and is made anew only when the calls shown have changed; [`ladder`] draws the
//! lines on the screen; [`update`] says what an action changes. The cursor is a row's identity, so it stays where it is
//! while rows arrive, and follows the end only while it is there.

mod action;
mod diff;
mod ending;
mod geometry;
mod ladder;
mod look;
mod message;
mod page;
mod quality;
mod related;
mod sdp;
mod search;
mod sound;
#[cfg(test)]
mod tests;
mod update;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::CallKey;
use crate::tui::action::{Action, Hits};
use crate::tui::keys::Context;
use crate::tui::popup::explain::ExplainPopup;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::widget::raw::{self, Raw, fit, width};

pub use action::CallViewAction;
pub use page::RowId;

use diff::Pair;
use geometry::Geometry;
use ladder::LadderPane;
use look::{Clock, ColourMode, TimeMode};
use message::MessagePane;
use page::{Page, PageOptions};
use search::{Needle, Prompt};

/// From this width on the message stands beside the ladder.
const BESIDE: u16 = 120;

/// From this height on the text of a message stands below the ladder, and not only its start line.
const ROOMY: u16 = 6;

/// What the keys that scroll move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Focus {
    #[default]
    Ladder,
    /// The message on the full screen.
    Full,
}

/// Two messages being compared.
#[derive(Debug)]
struct Comparison {
    titles: (String, String),
    pairs: Vec<Pair>,
    scroll: usize,
    /// Rows of the last frame, for the end of the scrolling.
    rows: usize,
}

/// Where things were drawn, for pages and the mouse wheel.
#[derive(Clone, Copy, Debug, Default)]
struct Areas {
    ladder: Rect,
    message: Rect,
}

/// The state of the call view.
#[derive(Debug)]
pub struct CallView {
    keys: Vec<CallKey>,
    /// The calls as opened, while related ones are added.
    without_related: Option<Vec<CallKey>>,
    page: Page,
    options: PageOptions,
    cursor: Option<RowId>,
    cursor_at: usize,
    cursor_time: Timestamp,
    follow: bool,
    top: usize,
    first_column: usize,
    time: TimeMode,
    utc: bool,
    colour: ColourMode,
    mark: Option<RowId>,
    focus: Focus,
    /// The text of all messages was opened from the table, and goes back to it.
    from_table: bool,
    widen: i32,
    /// Whether the quality pane is shown, where there is audio and room.
    quality: bool,
    message: MessagePane,
    comparison: Option<Comparison>,
    prompt: Option<Prompt>,
    needle: Option<Needle>,
    explanation: Option<ExplainPopup>,
    /// The line of the message that is explained.
    explained: usize,
    areas: Areas,
}

impl CallView {
    /// The view of these calls, merged in time order.
    pub fn open(keys: Vec<CallKey>) -> Self {
        let colour = if keys.len() > 1 { ColourMode::Call } else { ColourMode::Class };
        Self {
            keys,
            without_related: None,
            page: Page::default(),
            options: PageOptions::default(),
            cursor: None,
            cursor_at: 0,
            cursor_time: Timestamp::default(),
            follow: false,
            top: 0,
            first_column: 0,
            time: TimeMode::default(),
            utc: false,
            colour,
            mark: None,
            focus: Focus::default(),
            from_table: false,
            widen: 0,
            quality: true,
            message: MessagePane::default(),
            comparison: None,
            prompt: None,
            needle: None,
            explanation: None,
            explained: 0,
            areas: Areas::default(),
        }
    }

    /// The same with times in UTC, or in the machine's zone.
    #[must_use]
    pub fn in_utc(self, utc: bool) -> Self {
        Self { utc, ..self }
    }

    /// The calls shown.
    pub fn keys(&self) -> &[CallKey] {
        &self.keys
    }

    /// Which keys have a meaning now.
    pub fn context(&self) -> Context {
        match (&self.comparison, self.focus) {
            (Some(_), _) => Context::Diff,
            (None, Focus::Ladder) => Context::CallView,
            (None, Focus::Full) => Context::Raw,
        }
    }

    /// Whether a line is being typed.
    pub fn wants_text(&self) -> bool {
        self.prompt.is_some()
    }

    /// Draws the view.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, snapshot: &Snapshot, theme: &Theme, hits: &mut Hits) {
        self.refresh(snapshot);
        let buffer = frame.buffer_mut();
        let area = area.intersection(buffer.area);
        self.areas = Areas::default();
        if area.is_empty() {
            return;
        }
        let [main, line] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(u16::from(self.prompt.is_some()))]).areas(area);
        match (&mut self.comparison, self.focus) {
            (Some(comparison), _) => comparison.draw(main, buffer, theme),
            (None, Focus::Full) => self.draw_full(main, buffer, theme),
            (None, _) => self.draw_ladder(main, buffer, snapshot, theme, hits),
        }
        self.draw_prompt(line, buffer, theme);
        if let Some(explanation) = &mut self.explanation {
            explanation.draw(main, buffer, theme);
        }
    }

    /// Takes over what the snapshot says about the calls shown, and keeps the cursor on its row.
    fn refresh(&mut self, snapshot: &Snapshot) {
        if !self.page.refresh(&self.keys, snapshot, self.options) {
            return;
        }
        let last = self.page.items.len().saturating_sub(1);
        let place = self.cursor.and_then(|id| self.page.place(id));
        let at = match place {
            _ if self.follow => last,
            Some(place) => place,
            None if self.cursor.is_some() => {
                let near = self.page.items.iter().position(|item| item.at >= self.cursor_time);
                near.unwrap_or(last)
            }
            None => 0,
        };
        let follow = self.follow;
        self.select(at);
        self.follow = follow || self.follow;
    }

    /// Puts the cursor on this item. At the end, it follows.
    fn select(&mut self, item: usize) {
        let last = self.page.items.len().saturating_sub(1);
        self.cursor_at = item.min(last);
        self.follow = self.cursor_at == last;
        if let Some(item) = self.page.items.get(self.cursor_at) {
            (self.cursor, self.cursor_time) = (Some(item.id), item.at);
        }
    }

    fn clock(&self, wide: bool) -> Clock {
        let mark = self.mark.and_then(|id| self.page.place(id)).and_then(|item| self.page.items.get(item));
        Clock {
            mode: self.time,
            utc: self.utc,
            micros: wide,
            start: self.page.items.first().map(|item| item.at).unwrap_or_default(),
            mark: mark.map(|item| item.at),
        }
    }

    fn draw_ladder(&mut self, area: Rect, buffer: &mut Buffer, snapshot: &Snapshot, theme: &Theme, hits: &mut Hits) {
        let [title, area] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        self.draw_title(title, buffer, snapshot, theme);
        let area = self.draw_quality(area, buffer, snapshot, theme);
        let beside = area.width >= BESIDE;
        let (pane, other) = if beside { self.beside(area) } else { below(area, self.page.lines.len()) };
        let [header, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(pane);
        self.areas.ladder = body;
        self.scroll_to_cursor(usize::from(body.height));
        let clock = self.clock(pane.width >= 100);
        let geometry = Geometry::new(pane, self.page.ladder.columns.len(), self.first_column, clock.width());
        self.first_column = geometry.first;
        let found = self.found(body.height);
        let ladder = LadderPane {
            page: &self.page,
            theme,
            clock,
            colour: self.colour,
            geometry,
            cursor: self.cursor_at,
            mark: self.mark.and_then(|id| self.page.place(id)),
            found: &|item| found.contains(&item),
            top: self.top,
            now: snapshot.now.unwrap_or_default(),
            zone: self.zone(),
            streams: &snapshot.streams,
        };
        ladder.draw_header(header, buffer);
        for (item, y) in ladder.draw_rows(body, buffer) {
            if let Some(item) = self.page.items.get(item) {
                let row = Rect { y, height: 1, ..body };
                hits.add(row, Action::CallView(CallViewAction::Select(item.id)));
            }
        }
        if beside {
            self.draw_beside(other, buffer, theme);
        } else {
            self.draw_summary(other, buffer, theme);
        }
    }

    /// The items on the screen that the search found.
    fn found(&mut self, height: u16) -> Vec<usize> {
        let Some(needle) = &mut self.needle else { return Vec::new() };
        let lines = self.page.lines.iter().skip(self.top).take(usize::from(height));
        let mut items: Vec<usize> = lines.map(|line| line.item).collect();
        items.dedup();
        items.retain(|item| self.page.message(*item).is_some_and(|message| needle.is_in(message)));
        items
    }

    fn scroll_to_cursor(&mut self, height: usize) {
        let height = height.max(1);
        let first = self.page.first_line(self.cursor_at);
        let end = self.page.first_line(self.cursor_at + 1);
        let needed = (end - first).clamp(1, height);
        self.top = self.top.clamp((first + needed).saturating_sub(height), first);
        self.top = self.top.min(self.page.lines.len().saturating_sub(height));
    }

    /// Ladder and message beside each other. The split depends on the terminal and the number of columns.
    fn beside(&self, area: Rect) -> (Rect, Rect) {
        let wanted = Geometry::comfortable(self.page.ladder.columns.len(), 15);
        let (least, most) = (area.width * 45 / 100, area.width * 60 / 100);
        let shift = i32::from(wanted.clamp(least, most)) - self.widen * 4;
        let ladder = u16::try_from(shift).unwrap_or(0).clamp(40, area.width.saturating_sub(30).max(40));
        let [left, right] = Layout::horizontal([Constraint::Length(ladder), Constraint::Fill(1)]).areas(area);
        (left, right)
    }

    fn draw_beside(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let [rule, area] = Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
        for y in rule.top()..rule.bottom() {
            buffer.set_stringn(rule.x, y, theme.glyph(Glyph::Vertical), 1, theme.style(Role::Dim));
        }
        self.draw_message(area, buffer, theme);
    }

    /// The raw message and nothing beside it, so that it can be copied with the mouse.
    fn draw_full(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        self.draw_message(area, buffer, theme);
    }

    fn draw_message(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let [place, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        if self.message.all {
            let count = (0..self.page.items.len()).filter(|item| self.page.message(*item).is_some()).count();
            let what = if count == 1 { "message" } else { "messages, one below the other" };
            put(buffer, place, &format!("{count} {what}"), theme, Role::Dim);
        } else if let Some(message) = self.page.message(self.cursor_at) {
            let whole = message::place(message, self.utc);
            let text = if width(&whole) > usize::from(place.width) { message::hop(message) } else { whole };
            let text = message::plain(&text, theme);
            put(buffer, place, &text, theme, Role::Dim);
        }
        self.draw_text(body, buffer, theme);
    }

    /// The text of what is selected, scrolled as the user left it.
    fn draw_text(&mut self, body: Rect, buffer: &mut Buffer, theme: &Theme) {
        self.areas.message = body;
        self.message.ascii = theme.ascii;
        self.message.prepare(&self.page, self.cursor_at, self.utc, (body.width, body.height));
        let raw = Raw {
            lines: &self.message.lines,
            pieces: &self.message.pieces,
            scroll: self.message.scroll,
            pan: self.message.pan,
            needle: self.needle.as_ref().map(|needle| &needle.shown),
        };
        raw.draw(body, buffer, theme);
    }

    /// What is selected, in as many lines as there are: where it was seen, its start line, what is odd about it.
    fn draw_summary(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        if area.is_empty() {
            return;
        }
        let (place, lines) = message::summary(&self.page, self.cursor_at, self.utc, usize::from(area.width));
        let place = message::plain(&place, theme);
        let roomy = area.height >= ROOMY;
        let lines: Vec<_> =
            lines.into_iter().map(|line| raw::RawLine { text: message::plain(&line.text, theme), ..line }).collect();
        let pieces = raw::pieces(&lines, Some(usize::from(area.width)));
        let mut text = area;
        if area.height > 1 || lines.is_empty() {
            let rule = theme.glyph(Glyph::Horizontal).repeat(usize::from(area.width));
            put(buffer, area, &rule, theme, Role::Dim);
            let inner = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), height: 1, ..area };
            let place = fit(&place, usize::from(inner.width).saturating_sub(2), theme);
            put(buffer, inner, &format!(" {place} "), theme, Role::Text);
            text = Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        if roomy {
            return self.draw_text(text, buffer, theme);
        }
        let needle = self.needle.as_ref().map(|needle| &needle.shown);
        Raw { lines: &lines, pieces: &pieces, scroll: 0, pan: 0, needle }.draw(text, buffer, theme);
    }

    fn draw_title(&self, area: Rect, buffer: &mut Buffer, snapshot: &Snapshot, theme: &Theme) {
        if area.is_empty() {
            return;
        }
        let mut x = area.x;
        let mut write = |text: &str, role: Role| {
            let text = message::plain(text, theme);
            let room = usize::from(area.right().saturating_sub(x));
            if room > 0 {
                x = buffer.set_stringn(x, area.y, fit(&text, room, theme), room, theme.style(role)).0;
            }
        };
        if let [call] = self.page.calls.as_slice() {
            write(&ending::parties(call), Role::Title);
            write(&format!("  {}", ending::standing(call, snapshot.now)), Role::Text);
            let codecs: Vec<&str> = call.codecs.iter().map(AsRef::as_ref).collect();
            if !codecs.is_empty() {
                write(&format!("  {}", crate::text::visible(&codecs.join(" "))), Role::Dim);
            }
            write(&format!("  Call-ID {}", crate::text::visible(&call.call_id)), Role::Dim);
            return;
        }
        if self.page.calls.is_empty() {
            write("These calls are no longer kept.", Role::Dim);
            return;
        }
        write(&format!("{} calls", self.page.calls.len()), Role::Title);
        for (number, call) in self.page.calls.iter().enumerate() {
            let role = Role::Series(u16::try_from(number).unwrap_or(u16::MAX));
            let mark = match ladder::call_number(number, self.page.calls.len(), theme) {
                Some(number) => number,
                None => theme.glyph(Glyph::Up).to_owned(),
            };
            write(&format!("  {mark} {}", ending::parties(call)), role);
        }
    }

    fn draw_prompt(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let Some(prompt) = &self.prompt else { return };
        if area.is_empty() {
            return;
        }
        let label = prompt.kind.label();
        let room = usize::from(area.width);
        let label = if width(label) + 12 > room { ": " } else { label };
        let at = buffer.set_stringn(area.x, area.y, label, room, theme.style(Role::Key)).0;
        let room = usize::from(area.right().saturating_sub(at));
        let value = crate::text::visible(prompt.input.value()).into_owned();
        let before: String = prompt.input.value().chars().take(prompt.input.cursor()).collect();
        let cursor = width(&crate::text::visible(&before));
        let pan = (cursor + 1).saturating_sub(room);
        let start = raw::at_cell(&value, pan);
        buffer.set_stringn(at, area.y, value.get(start..).unwrap_or_default(), room, theme.style(Role::Text));
        let x = at.saturating_add(u16::try_from(cursor - pan.min(cursor)).unwrap_or(u16::MAX));
        if x < area.right() {
            buffer.set_style(Rect { x, width: 1, height: 1, ..area }, theme.style(Role::Selected));
        }
    }
}

impl Comparison {
    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let [a, b, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        put(buffer, a, &format!("- {}", message::plain(&self.titles.0, theme)), theme, Role::Bad);
        put(buffer, b, &format!("+ {}", message::plain(&self.titles.1, theme)), theme, Role::Good);
        self.rows = diff::draw(&self.pairs, self.scroll, body, buffer, theme);
        let last = self.rows.saturating_sub(usize::from(body.height));
        if self.scroll > last {
            self.scroll = last;
            for y in body.top()..body.bottom() {
                buffer.set_stringn(
                    body.x,
                    y,
                    " ".repeat(usize::from(body.width)),
                    usize::from(body.width),
                    theme.style(Role::Text),
                );
            }
            diff::draw(&self.pairs, self.scroll, body, buffer, theme);
        }
    }
}

/// The ladder above, and the selected row below it: in short, and in full where the ladder leaves room. Its height does
/// not depend on what is selected, so that nothing jumps while the cursor moves.
fn below(area: Rect, lines: usize) -> (Rect, Rect) {
    let summary = match area.height {
        0..4 => 0,
        4..9 => 1,
        9..13 => 2,
        13..17 => 3,
        _ => 4,
    };
    let unused = usize::from(area.height.saturating_sub(summary + 1)).saturating_sub(lines);
    let summary = if summary < 4 { summary } else { summary + u16::try_from(unused).unwrap_or(0) };
    let [ladder, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(summary)]).areas(area);
    (ladder, below)
}

fn put(buffer: &mut Buffer, area: Rect, text: &str, theme: &Theme, role: Role) {
    if !area.is_empty() {
        let room = usize::from(area.width);
        buffer.set_stringn(area.x, area.y, fit(text, room, theme), room, theme.style(role));
    }
}
