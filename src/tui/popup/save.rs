//! F2: what to save, as what, and where.

use std::path::PathBuf;

use crossterm::event::{Event, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::capture::save::Format;
use crate::engine::{SaveRequest, Saved};
use crate::store::snapshot::{RecentView, Snapshot};
use crate::track::call::{Call, CallKey};
use crate::tui::action::{Action, Hits};
use crate::tui::format::{Zone, bytes};
use crate::tui::keys::Context;
use crate::tui::state::State;
use crate::tui::table::paint;
use crate::tui::theme::Role;
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::window;

/// Cells before what is chosen or typed.
const LABEL: u16 = 9;

/// Cells inside the window, if there is room.
const WIDTH: u16 = 70;

/// Lines inside the window.
const HEIGHT: u16 = 9;

/// Characters of a user's name in the name of a file.
const NAME_CHARS: usize = 24;

/// The rows of the form.
const WHAT: usize = 0;
const FORMAT: usize = 1;
const MEDIA: usize = 2;
const FILE: usize = 3;
const ROWS: usize = 4;

/// One answer to "what".
#[derive(Clone, Debug)]
struct Choice {
    label: String,
    /// `None` for every packet.
    calls: Option<Vec<CallKey>>,
    /// The file's name without ending.
    name: String,
}

/// The form while it is filled in.
#[derive(Clone, Debug)]
pub struct SaveForm {
    choices: Vec<Choice>,
    what: usize,
    format: Format,
    media: bool,
    file: Input,
    /// Whether the name is the user's own; else it follows what is chosen.
    is_named: bool,
    at: usize,
    /// There is such a file: may it go?
    asks: bool,
    /// Why it could not be saved the last time.
    trouble: Option<String>,
}

impl SaveForm {
    /// The form for where the user is: the open calls, else the marked, the shown ones, or all packets.
    pub fn new(state: &State) -> Self {
        let (choices, what) = choices(state);
        let mut form = Self {
            choices,
            what,
            format: Format::default(),
            media: true,
            file: Input::default(),
            is_named: false,
            at: WHAT,
            asks: false,
            trouble: None,
        };
        form.rename();
        form
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match self.at {
            _ if self.asks => Context::Overwrite,
            FILE => Context::SaveName,
            _ => Context::Save,
        }
    }

    /// Asks whether the file that is there may go.
    pub fn ask(&mut self) {
        self.asks = true;
    }

    /// Back from the question to the form. False when there was no question.
    pub fn take_back(&mut self) -> bool {
        std::mem::take(&mut self.asks)
    }

    /// Says why it was not saved.
    pub fn fail(&mut self, why: String) {
        self.asks = false;
        self.trouble = Some(why);
        self.at = FILE;
    }

    /// Goes to another row.
    pub fn step(&mut self, delta: i64) {
        self.at = (self.at as i64).saturating_add(delta).rem_euclid(ROWS as i64) as usize;
    }

    /// Goes to this row; one that was selected already changes.
    pub fn select(&mut self, at: usize) {
        if self.at == at {
            self.choose(1);
        }
        self.at = at.min(ROWS - 1);
    }

    /// Changes what the row says.
    pub fn choose(&mut self, by: i64) {
        let turn = |at: usize, count: usize| (at as i64 + by).rem_euclid(count.max(1) as i64) as usize;
        match self.at {
            WHAT => self.what = turn(self.what, self.choices.len()),
            FORMAT => {
                let at = Format::ALL.iter().position(|format| *format == self.format).unwrap_or_default();
                self.format = Format::ALL.get(turn(at, Format::ALL.len())).copied().unwrap_or_default();
            }
            MEDIA => self.media = !self.media,
            _ => {}
        }
        self.rename();
    }

    /// Types into the name.
    pub fn key(&mut self, event: &KeyEvent) {
        let change = self.file.handle_event(&Event::Key(*event));
        if !change.is_some_and(|change| change.value) {
            return;
        }
        self.is_named = true;
        // The name says what the file is to be.
        let ending = self.file.value().rsplit_once('.').map(|(_, ending)| ending);
        let named = Format::ALL.into_iter().find(|format| ending.is_some_and(|ending| ending == format.ending()));
        self.format = named.unwrap_or(self.format);
    }

    /// What is asked for; `None` without a name.
    pub fn request(&self) -> Option<SaveRequest> {
        let path = self.file.value().trim();
        let choice = self.choices.get(self.what).filter(|_| !path.is_empty())?;
        Some(SaveRequest {
            path: PathBuf::from(path),
            format: self.format,
            calls: choice.calls.clone(),
            media: self.media,
            replace: self.asks,
        })
    }

    /// The name follows what is chosen; of one's own only a known ending does.
    fn rename(&mut self) {
        let stem = match (self.is_named, self.choices.get(self.what)) {
            (true, _) => {
                let known =
                    |stem: &&str| Format::ALL.iter().any(|f| self.file.value() == format!("{stem}.{}", f.ending()));
                let stem = self.file.value().rsplit_once('.').map(|(stem, _)| stem).filter(known);
                stem.map(str::to_owned)
            }
            (false, choice) => choice.map(|choice| choice.name.clone()),
        };
        if let Some(stem) = stem {
            let cursor = stem.chars().count();
            self.file = Input::new(format!("{stem}.{}", self.format.ending())).with_cursor(cursor);
        }
    }

    /// Draws it.
    pub fn draw(&self, frame: &mut Frame<'_>, screen: Rect, state: &State, hits: &mut Hits) {
        let theme = &state.theme;
        let below = self.below(state, usize::from(WIDTH.min(screen.width.saturating_sub(4))));
        let height = (ROWS + 1 + below.len()).max(usize::from(HEIGHT)) as u16;
        let inner = window::draw(frame.buffer_mut(), screen, (WIDTH, height), "Save", theme);
        let room = inner.width.saturating_sub(LABEL);
        let what = self.choices.get(self.what).map_or("", |choice| choice.label.as_str());
        let media = match (self.format, self.media) {
            (Format::Text, _) => "messages only",
            (_, true) => "with RTP and RTCP",
            (_, false) => "without",
        };
        let file = self.file.value();
        let rows = [("What", what), ("Format", self.format.ending()), ("Media", media), ("File", file)];
        for (at, (y, (label, value))) in (inner.y..inner.bottom()).zip(rows).enumerate() {
            let row = Rect { y, height: 1, ..inner };
            let here = at == self.at && !self.asks;
            let label = Line::blank().at(0, LABEL - 1, label, if here { Role::Title } else { Role::Text });
            let line = if at == FILE {
                let scroll = self.file.visual_scroll(usize::from(room.saturating_sub(1)));
                if here && row.width > LABEL {
                    let cursor = self.file.visual_cursor().saturating_sub(scroll) as u16;
                    frame.set_cursor_position((row.x + LABEL + cursor.min(room.saturating_sub(1)), y));
                }
                label.at(LABEL, room, paint::skip_cells(value, scroll), Role::Title)
            } else {
                let value = if here { format!("< {value} >") } else { format!("  {value}") };
                label.at(LABEL, room, value, if here { Role::Key } else { Role::Text })
            };
            lines::draw_line(frame.buffer_mut(), row, &line, theme);
            hits.add(row, Action::SelectLine(at));
        }
        let top = (ROWS as u16 + 1).min(inner.height);
        let area = Rect { y: inner.y + top, height: inner.height - top, ..inner };
        lines::draw(frame.buffer_mut(), area, &below, 0, theme);
    }

    /// The question, what went wrong, or how far back packets are kept; and the keys.
    fn below(&self, state: &State, room: usize) -> Vec<Line> {
        if self.asks {
            let question = format!("{} exists. Overwrite it?", self.file.value());
            let mut out: Vec<Line> =
                lines::words("", &question, room).into_iter().map(|line| Line::of(line, Role::Warn)).collect();
            out.push(Line::of("y overwrites it, n goes back to choose another name", Role::Dim));
            return out;
        }
        let capture = &state.snapshot.capture;
        let said = match (&self.trouble, &capture.recent, self.format) {
            (Some(why), ..) => (why.clone(), Role::Bad),
            (None, _, Format::Text) => ("Messages as they came, each with its time and its way".to_owned(), Role::Text),
            (None, Some(recent), _) => (kept(recent, self.media, state.zone), Role::Text),
            (None, None, _) => ("Packets are read from the capture again".to_owned(), Role::Text),
        };
        let mut out: Vec<Line> =
            lines::words("", &said.0, room).into_iter().map(|line| Line::of(line, said.1)).collect();
        out.push(Line::blank());
        out.push(Line::of("Tab goes on, left and right choose, Enter saves, Esc leaves", Role::Dim));
        out
    }
}

/// How far back packets are kept.
pub fn kept(recent: &RecentView, media: bool, zone: Zone) -> String {
    let kinds = [
        ("signalling", recent.signalling),
        ("other TCP and fragments", recent.streams),
        ("media", recent.media.filter(|_| media)),
    ];
    let since = |(kind, at): (&str, Option<_>)| Some(format!("{kind} since {}", zone.format(at?, "%H:%M:%S")));
    let said: Vec<String> = kinds.into_iter().filter_map(since).collect();
    match said.is_empty() {
        true => "No packet is kept yet".to_owned(),
        false => format!("Kept: {}", said.join(", ")),
    }
}

fn choices(state: &State) -> (Vec<Choice>, usize) {
    let snapshot = &state.snapshot;
    let now = snapshot.now.map(|now| state.zone.format(now, "-%Y%m%d-%H%M%S")).unwrap_or_default();
    let several = |what: &str, calls: Vec<CallKey>| {
        let number = calls.len();
        let label = format!("the {what} {}", if number == 1 { "call".to_owned() } else { format!("{number} calls") });
        Choice { label, calls: Some(calls), name: format!("sipwatch{now}") }
    };
    let mut out = Vec::new();
    let mut first = None;
    if let Some(view) = &state.view {
        let keys = view.keys().to_vec();
        out.extend(match keys.as_slice() {
            [one] => this(*one, snapshot, state.zone),
            _ => Some(several("open", keys)),
        });
        first = Some(0);
    } else {
        let marked: Vec<CallKey> = state.calls.marks.iter().copied().collect();
        if !marked.is_empty() {
            first = Some(0);
            out.push(several("marked", marked));
        }
        let selected = state.calls.cursor.selected();
        out.extend(selected.and_then(|key| this(key, snapshot, state.zone)));
    }
    let shown = state.calls.order.shown();
    if shown.len() < state.calls.order.total() && state.view.is_none() {
        first = first.or(Some(out.len()));
        out.push(several("shown", shown.to_vec()));
    }
    out.push(Choice { label: "everything".to_owned(), calls: None, name: format!("sipwatch{now}") });
    let last = out.len() - 1;
    (out, first.unwrap_or(last))
}

/// The choice of one call.
fn this(key: CallKey, snapshot: &Snapshot, zone: Zone) -> Option<Choice> {
    let call: &Call = snapshot.call(key)?;
    let (from, to) = (&call.from.user, &call.to.user);
    let began = zone.format(call.started, "%H%M%S");
    Some(Choice {
        label: format!("this call: {} → {}", crate::text::visible(from), crate::text::visible(to)),
        calls: Some(vec![key]),
        name: format!("call-{}-{}-{began}", in_name(from), in_name(to)),
    })
}

/// A user's name as part of a file's name: what the wire says must neither leave the directory nor upset a shell.
fn in_name(user: &str) -> String {
    let safe = |ch: char| if ch.is_ascii_alphanumeric() || "+-_.".contains(ch) { ch } else { '_' };
    user.chars().map(safe).take(NAME_CHARS).collect()
}

/// How a request went, as a sentence.
pub fn sentence(saved: &Saved) -> String {
    let what = match (saved.is_text, saved.count) {
        (true, 1) => "message",
        (true, _) => "messages",
        (false, 1) => "packet",
        (false, _) => "packets",
    };
    let (count, path, size) = (saved.count, saved.path.display(), bytes(saved.bytes));
    let mut notes = Vec::new();
    if saved.rebuilt > 0 {
        notes.push(format!("{} of them rebuilt from messages", saved.rebuilt));
    }
    if saved.missing > 0 {
        notes.push(format!("{} of {} no longer kept", saved.missing, count.saturating_add(saved.missing)));
    }
    if saved.calls_gone > 0 {
        let noun = if saved.calls_gone == 1 { "call" } else { "calls" };
        notes.push(format!("{} {noun} no longer kept", saved.calls_gone));
    }
    if saved.leaves_keys {
        notes.push("without the keys that the capture holds".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("Saved {count} {what}{notes} to {path} ({size})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_the_wire_stay_in_the_directory() {
        assert_eq!(in_name("../../etc/passwd"), ".._.._etc_passwd");
        assert_eq!(in_name("+1 (202) 555\u{1b}[m;rm -rf"), "+1__202__555__m_rm_-rf");
        assert_eq!(in_name("zürich*"), "z_rich_");
        assert_eq!(in_name(&"9".repeat(300)).len(), NAME_CHARS);
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut saved = Saved {
            path: "x.pcapng".into(),
            count: 828,
            is_text: false,
            rebuilt: 0,
            bytes: 184_320,
            missing: 0,
            calls_gone: 0,
            leaves_keys: false,
        };
        assert_eq!(sentence(&saved), "Saved 828 packets to x.pcapng (180 KiB)");
        saved.rebuilt = 3;
        assert_eq!(sentence(&saved), "Saved 828 packets (3 of them rebuilt from messages) to x.pcapng (180 KiB)");
        saved.rebuilt = 0;
        saved.missing = 12;
        assert_eq!(sentence(&saved), "Saved 828 packets (12 of 840 no longer kept) to x.pcapng (180 KiB)");
    }
}
