//! The frame of every screen.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::{Action, Hits, Tab};
use super::format::counted;
use super::keys::{self, Binding, Context};
use super::pane;
use super::pane::quality::QualityPane;
use super::sentence;
use super::state::State;
use super::table::Fit;
use super::table::order::Kinds;
use super::table::paint::{self, Spot};
use super::theme::{Glyph, Role, Theme};
use super::title;

/// Below this, nothing useful fits.
pub const LEAST: (u16, u16) = (40, 12);

/// Where the parts of the screen are; a part that is not shown has no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Program, source, rates, losses, time.
    pub title: Rect,
    /// The tabs.
    pub tabs: Rect,
    /// The filter.
    pub filter: Rect,
    /// The tab, or the call view.
    pub content: Rect,
    /// How the audio of the selected call is.
    pub quality: Rect,
    /// A sentence on the selected row.
    pub sentence: Rect,
    /// The most useful keys.
    pub hints: Rect,
}

/// Divides the screen. Depends on size and state only, so that keys know the height of a page before anything is drawn.
pub fn areas(state: &State) -> Areas {
    let raw = state.view.as_ref().is_some_and(|view| view.context() == Context::Raw);
    divide(state, state.view.is_some(), raw)
}

/// The areas of the tab alone, whatever is open above it: its page keeps its height meanwhile.
pub fn tab_areas(state: &State) -> Areas {
    divide(state, false, false)
}

fn divide(state: &State, in_view: bool, raw: bool) -> Areas {
    let (width, height) = (state.size.width, state.size.height);
    if width < LEAST.0 || height < LEAST.1 {
        return Areas::default();
    }
    let mut top = 0;
    let mut take = |rows: u16| {
        let area = Rect::new(0, top, width, rows);
        top += rows;
        area
    };
    let calls = !in_view && state.tab == Tab::Calls;
    let title = take(u16::from(!raw));
    let tabs = take(u16::from(!in_view));
    let filter = take(u16::from(calls));
    let below = 1 + u16::from(calls);
    let pane = if calls && state.quality.is_open(height) { pane::quality::HEIGHT } else { 0 };
    let content = take(height.saturating_sub(title.height + tabs.height + filter.height + below + pane));
    let quality = take(pane);
    let sentence = take(u16::from(calls));
    let hints = take(1);
    Areas { title, tabs, filter, content, quality, sentence, hints }
}

/// Draws everything. Returns how many table cells were built.
pub fn draw(frame: &mut Frame<'_>, state: &mut State, hits: &mut Hits) -> u64 {
    hits.clear();
    let areas = areas(state);
    if areas.hints.height == 0 {
        too_small(frame.buffer_mut(), &state.theme);
        return 0;
    }
    let mut cells = 0;
    let buffer = frame.buffer_mut();
    title::draw(buffer, areas.title, state);
    tabs(buffer, areas.tabs, state, hits);
    filter_line(frame, areas.filter, state);
    if let Some(mut view) = state.view.take() {
        view.draw(frame, areas.content, &state.snapshot, &state.theme, hits);
        state.view = Some(view);
    } else {
        let buffer = frame.buffer_mut();
        match state.tab {
            Tab::Calls => {
                cells = pane::calls::draw(buffer, areas.content, state, hits);
                quality_pane(buffer, areas.quality, state);
            }
            Tab::Stats => pane::stats::draw(buffer, areas.content, state),
            Tab::Capture => pane::capture::draw(buffer, areas.content, state, hits),
        }
    }
    let buffer = frame.buffer_mut();
    sentence_line(buffer, areas.sentence, state);
    match state.notice().filter(|_| areas.sentence.height == 0) {
        Some(notice) => say(buffer, areas.hints, notice, state),
        None => hint_bar(buffer, areas.hints, state, hits),
    }
    popups(frame, state, hits);
    if state.theme.ascii {
        to_ascii(frame.buffer_mut());
    }
    cells
}

/// How the audio of the selected call is.
fn quality_pane(buffer: &mut Buffer, area: Rect, state: &mut State) {
    if area.height == 0 {
        return;
    }
    let snapshot = &state.snapshot;
    let call = state.calls.cursor.selected().and_then(|key| snapshot.call(key));
    state.quality.follow(call, snapshot);
    let theme = &state.theme;
    match call {
        Some(call) => {
            let (now, pairs) = (snapshot.now.unwrap_or(call.last), state.quality.pairs());
            let (streams, zone) = (&snapshot.streams, state.zone);
            QualityPane { call, pairs, streams, now, zone, theme }.draw(buffer, area);
        }
        None => pane::quality::draw_empty(buffer, area, theme),
    }
}

/// Draws the windows, the last one on top; a click below them means nothing.
fn popups(frame: &mut Frame<'_>, state: &mut State, hits: &mut Hits) {
    if state.popups.is_empty() {
        return;
    }
    hits.clear();
    let mut popups = std::mem::take(&mut state.popups);
    let screen = Rect { height: frame.area().height.saturating_sub(1), ..frame.area() };
    for popup in &mut popups {
        popup.draw(frame, screen, state, hits);
    }
    state.popups = popups;
}

/// What is still not ASCII, mostly words from the wire, for a terminal that shows nothing else.
fn to_ascii(buffer: &mut Buffer) {
    for cell in buffer.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        let stand_in = match cell.symbol() {
            "…" => "~",
            "→" => ">",
            "←" => "<",
            "×" => "x",
            "–" | "·" => "-",
            _ => "?",
        };
        cell.set_symbol(stand_in);
    }
}

fn too_small(buffer: &mut Buffer, theme: &Theme) {
    let area = buffer.area;
    let text = format!("needs {}×{} cells, here {}×{}", LEAST.0, LEAST.1, area.width, area.height);
    let text = if theme.ascii { text.replace('×', "x") } else { text };
    let spot = Spot { x: 0, y: area.height / 2, width: area.width };
    paint::text(buffer, spot, &text, Fit::Left, theme.style(Role::Text), theme);
}

fn tabs(buffer: &mut Buffer, area: Rect, state: &State, hits: &mut Hits) {
    if area.height == 0 {
        return;
    }
    let mut x = area.x + 1;
    for tab in Tab::ALL {
        let (digit, name) = tab.title();
        let count = match tab {
            Tab::Calls if !state.snapshot.calls.is_empty() => {
                format!(" {}", counted(state.snapshot.calls.len() as u64))
            }
            _ => String::new(),
        };
        let text = format!("{digit} {name}{count}");
        let width = text.chars().count() as u16;
        if x + width > area.right() {
            break;
        }
        let role = if tab == state.tab { Role::Title } else { Role::Dim };
        paint::text(buffer, Spot { x, y: area.y, width }, &text, Fit::Left, state.theme.style(role), &state.theme);
        hits.add(Rect { x, y: area.y, width, height: 1 }, Action::Tab(tab));
        x += width + 3;
    }
}

fn filter_line(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let theme = &state.theme;
    let calls = &state.calls;
    let (shown, total) = (calls.order.shown().len(), calls.order.total());
    let all = state.filter.valid.is_empty() && calls.kinds == Kinds::All;
    let busy = if calls.order.is_busy() { "filtering… " } else { "" };
    let counts = match all || (shown == total && busy.is_empty()) {
        true => String::new(),
        false => format!("{busy}{} of {} shown", counted(shown as u64), counted(total as u64)),
    };
    let marks = match calls.marks.len() {
        0 => String::new(),
        n => format!("{n} marked   "),
    };
    let right = format!("{marks}{counts} ");
    let right_width = (right.chars().count() as u16).min(area.width);
    let buffer = frame.buffer_mut();
    let spot = Spot { x: area.right() - right_width, y: area.y, width: right_width };
    paint::text(buffer, spot, &right, Fit::Right, theme.style(Role::Dim), theme);
    let mut x = area.x + 1;
    let mut put = |buffer: &mut Buffer, text: &str, role: Role| {
        let room = area.right().saturating_sub(x + right_width);
        let width = (paint::width(text) as u16).min(room);
        paint::text(buffer, Spot { x, y: area.y, width }, text, Fit::Left, theme.style(role), theme);
        x += width;
        x
    };
    let filter = &state.filter;
    let filtering = filter.editing || !filter.input.value().is_empty();
    for kinds in Kinds::ALL.into_iter().filter(|kinds| *kinds == calls.kinds || !filtering) {
        put(buffer, kinds.title(), if kinds == calls.kinds { Role::Title } else { Role::Dim });
        put(buffer, "  ", Role::Dim);
    }
    if filter.editing || !filter.input.value().is_empty() {
        let start = put(buffer, "filter: ", Role::Dim);
        let room = area.right().saturating_sub(start + right_width + 1);
        let scroll = filter.input.visual_scroll(usize::from(room.saturating_sub(1)));
        let typed: String = paint::skip_cells(filter.input.value(), scroll);
        put(buffer, &typed, Role::Title);
        if filter.editing {
            let cursor = filter.input.visual_cursor().saturating_sub(scroll) as u16;
            frame.set_cursor_position((start + cursor.min(room), area.y));
        }
    }
}

fn sentence_line(buffer: &mut Buffer, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let call = state.calls.cursor.selected().and_then(|key| state.snapshot.call(key));
    let filter = &state.filter;
    let (text, role) = match (state.notice(), &filter.error, call) {
        (Some(notice), ..) => return say(buffer, area, notice, state),
        (None, Some(error), _) => (format!("Not a filter yet: {error}"), Role::Warn),
        (None, None, _) if filter.editing && !filter.fields.is_empty() => {
            let names = filter.fields.join(", ");
            (format!("Field {names}: then ~ == != < > and a value; Enter takes it as a word"), Role::Dim)
        }
        (None, None, Some(call)) => (sentence::of(call, state.snapshot.now.unwrap_or(call.last)), Role::Text),
        (None, None, None) => return,
    };
    let spot = Spot { x: area.x + 1, y: area.y, width: area.width.saturating_sub(2) };
    paint::text(buffer, spot, &text, Fit::Left, state.theme.style(role), &state.theme);
}

/// A line that stays for a few seconds.
fn say(buffer: &mut Buffer, area: Rect, notice: &str, state: &State) {
    let spot = Spot { x: area.x + 1, y: area.y, width: area.width.saturating_sub(2) };
    paint::text(buffer, spot, notice, Fit::Left, state.theme.style(Role::Title), &state.theme);
}

/// The hint that is never left out.
const BACK: &str = "back";

/// The hint bar: the keys of the context that have a word for it; those with the same word share it.
fn hint_bar(buffer: &mut Buffer, area: Rect, state: &State, hits: &mut Hits) {
    let theme = &state.theme;
    let mut hints: Vec<(String, String, Action)> = Vec::new();
    let mut own = 0;
    let context = state.context();
    let has_samples = !state.snapshot.capture.decode.samples.is_empty();
    let is_of_use = |binding: &&Binding| {
        let opens_sample = binding.context == Context::Capture && binding.action == Action::Open;
        !binding.hint.is_empty() && (has_samples || !opens_sample)
    };
    for binding in keys::of(context).filter(is_of_use) {
        let first = binding.keys.split(' ').next().unwrap_or_default();
        let key = keys::shown(first, theme.ascii);
        let word = if theme.ascii { binding.hint.replace('…', "") } else { binding.hint.to_owned() };
        match hints.last_mut().filter(|(_, hint, _)| *hint == word) {
            Some((keys, _, _)) => *keys = format!("{keys} {key}"),
            None => hints.push((key, word, binding.action.clone())),
        }
        if binding.context == context && binding.hint != BACK {
            own = hints.len();
        }
    }
    let width_of = |(key, hint, _): &(String, String, Action)| (paint::width(key) + 1 + paint::width(hint)) as u16;
    // The last hints are those of every place: they keep their room, and the context's own fill the rest.
    let mut room = area.width.saturating_sub(1);
    let (own, common) = hints.split_at(own.min(hints.len()));
    let common_width: u16 = common.iter().map(|hint| width_of(hint) + 2).sum();
    room = room.saturating_sub(common_width);
    let mut shown: Vec<_> = Vec::new();
    for hint in own {
        let need = width_of(hint) + 2;
        if need > room {
            break;
        }
        room -= need;
        shown.push(hint);
    }
    shown.extend(common);
    let mut x = area.x + 1;
    for hint in shown {
        let (key, word, action) = hint;
        let width = width_of(hint);
        if x + width > area.right() {
            break;
        }
        let key_width = paint::width(key) as u16;
        let spot = Spot { x, y: area.y, width: key_width };
        paint::text(buffer, spot, key, Fit::Left, theme.style(Role::Key), theme);
        let spot = Spot { x: x + key_width + 1, y: area.y, width: width - key_width - 1 };
        paint::text(buffer, spot, word, Fit::Left, theme.style(Role::Dim), theme);
        hits.add(Rect { x, y: area.y, width, height: 1 }, action.clone());
        x += width + 2;
    }
}

/// The glyph of the source's state.
pub(super) fn source_glyph(state: &State) -> (Glyph, Role) {
    let capture = &state.snapshot.capture;
    let failed = capture.sources.iter().any(|source| source.ended && source.trouble.is_some());
    match () {
        () if state.paused => (Glyph::Paused, Role::Warn),
        () if failed && !capture.is_live() => (Glyph::Stopped, Role::Bad),
        () if capture.is_live() => (Glyph::Live, Role::Live),
        () if capture.sources.iter().any(|source| !source.live) => (Glyph::File, Role::Text),
        () => (Glyph::Stopped, Role::Text),
    }
}
