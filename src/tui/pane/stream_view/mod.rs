//! The detail of one stream: what is wrong with it, its figures, and where they come from.
//!
//! It is one list of lines, made from the snapshot alone and scrolled as a whole; where the terminal is wide, two columns of
//! sections stand side by side. [`head`] is what must be seen without scrolling.

mod buffers;
mod charts;
mod figures;
mod head;
mod histograms;
mod reported;
mod windows;
mod wireshark;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use crate::store::snapshot::Snapshot;
use crate::track::stream::{Stream, StreamKey};
use crate::tui::format::Zone;
use crate::tui::state::State;
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::lines::{self, Line};

/// From this width on two columns of sections stand side by side.
const WIDE: u16 = 156;

/// Rows of one chart, and where the page has room for more.
const CHART_ROWS: (u16, u16) = (3, 5);

/// From this height on charts have more rows.
const TALL: u16 = 36;

/// What a key means in the detail of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamViewAction {
    /// Open its call.
    Call,
    /// Chart the last minute, or the whole stream.
    Span,
    /// Show the stream in the other direction.
    Reverse,
    /// Show the stream this many rows further on in the table.
    Next(i32),
    /// Scroll this many lines down.
    Scroll(i32),
    /// Scroll this many half pages down.
    HalfPages(i32),
    /// Go to the top.
    First,
    /// Go to the end.
    Last,
}

/// Which time the charts cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Span {
    /// The last minute of a stream that is no longer, the whole of others.
    #[default]
    Fitting,
    Minute,
    Whole,
}

/// The state of the detail.
#[derive(Debug)]
pub struct StreamView {
    key: StreamKey,
    top: usize,
    span: Span,
}

/// What the sections are made from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    stream: &'a Stream,
    snapshot: &'a Snapshot,
    zone: Zone,
    theme: &'a Theme,
    /// Whether the charts cover the last minute.
    minute: bool,
}

impl StreamView {
    /// The detail of a stream, from its top.
    pub const fn open(key: StreamKey) -> Self {
        Self { key, top: 0, span: Span::Fitting }
    }

    /// The stream.
    pub const fn key(&self) -> StreamKey {
        self.key
    }

    /// Shows another stream.
    pub const fn show(&mut self, key: StreamKey) {
        self.key = key;
        self.top = 0;
    }

    /// Does what a key means to the page.
    pub fn scroll(&mut self, action: StreamViewAction, size: Size, snapshot: &Snapshot, zone: Zone, theme: &Theme) {
        let height = size.height.saturating_sub(1);
        let page = i64::from(height / 2).max(1);
        let delta = match action {
            StreamViewAction::Scroll(by) => i64::from(by),
            StreamViewAction::HalfPages(by) => i64::from(by) * page,
            StreamViewAction::First => i64::MIN / 2,
            StreamViewAction::Last => i64::MAX / 2,
            StreamViewAction::Span => {
                let minute = snapshot.stream(self.key).is_some_and(|stream| self.is_minute(stream));
                self.span = if minute { Span::Whole } else { Span::Minute };
                0
            }
            _ => 0,
        };
        let count = self.lines(size, snapshot, zone, theme).len();
        let last = lines::last_top(count, height);
        let moved = (self.top.min(last) as i64).saturating_add(delta);
        self.top = usize::try_from(moved).unwrap_or(0).min(last);
    }

    /// Draws it.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, state: &State) {
        if area.is_empty() {
            return;
        }
        let all = self.lines(area.as_size(), &state.snapshot, state.zone, &state.theme);
        let page = Rect { height: area.height - 1, ..area };
        let top = self.top.min(lines::last_top(all.len(), page.height));
        lines::draw(buffer, page, &all, top, &state.theme);
        let shown = (top + usize::from(page.height)).min(all.len());
        if all.len() > usize::from(page.height) {
            let below = if shown < all.len() { ", j goes on" } else { "" };
            let note = format!("{shown} of {} lines{below}", all.len());
            let foot = Rect { y: page.bottom(), height: 1, ..area };
            lines::draw_line(buffer, foot, &Line::blank().at(1, u16::MAX, note, Role::Dim), &state.theme);
        }
    }

    fn is_minute(&self, stream: &Stream) -> bool {
        match self.span {
            Span::Fitting => stream.last.since(stream.first).whole_seconds() <= 60,
            Span::Minute => true,
            Span::Whole => false,
        }
    }

    fn lines(&self, size: Size, snapshot: &Snapshot, zone: Zone, theme: &Theme) -> Vec<Line> {
        let Some(stream) = snapshot.stream(self.key) else {
            let text =
                "This stream is no longer kept: newer ones took its place, or all were forgotten. Esc goes back.";
            return vec![Line::blank(), Line::blank().at(2, u16::MAX, text, Role::Text)];
        };
        let scene = Scene { stream, snapshot, zone, theme, minute: self.is_minute(stream) };
        let rows = if size.height >= TALL { CHART_ROWS.1 } else { CHART_ROWS.0 };
        let mut out = head::lines(&scene, size.width);
        if size.width < WIDE {
            out.extend(figures::lines(&scene));
            out.extend(charts::lines(&scene, size.width, rows));
            out.push(Line::blank());
            for section in [
                buffers::lines(&scene),
                reported::lines(&scene),
                windows::lines(&scene),
                histograms::lines(&scene),
                wireshark::lines(&scene),
                figures::digits(&scene, size.width),
            ] {
                out.extend(section);
            }
        } else {
            let half = size.width / 2;
            let mut left = charts::lines(&scene, half - 1, rows);
            left.push(Line::blank());
            left.extend(windows::lines(&scene));
            left.extend(figures::digits(&scene, half - 2));
            let mut right = figures::lines(&scene);
            right.push(Line::blank());
            for section in
                [buffers::lines(&scene), reported::lines(&scene), histograms::lines(&scene), wireshark::lines(&scene)]
            {
                right.extend(section);
            }
            out.push(Line::blank());
            out.extend(lines::beside(left, right, half));
        }
        while out.last().is_some_and(|line| line.pieces.is_empty()) {
            out.pop();
        }
        out
    }
}

/// The heading of a section.
fn section(title: &str) -> Line {
    Line::blank().at(1, 76, title, Role::Header)
}

/// Milliseconds with one decimal, or nothing.
fn ms(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.1}")).unwrap_or_default()
}
