//! Actions into changes of the state, and into effects.

use crossterm::event::KeyEvent;

use super::action::{Action, Effect, Tab};
use super::format::Zone;
use super::layout;
use super::pane;
use super::pane::call_view::{CallView, CallViewAction};
use super::pane::stream_view::{StreamView, StreamViewAction};
use super::popup::Popup;
use super::popup::columns::{self, Columns};
use super::popup::filter_form::FilterForm;
use super::popup::help::Help;
use super::popup::settings::{self, Settings};
use super::popup::text::TextPopup;
use super::saving;
use super::state::State;
use super::table::calls::COLUMNS;
use super::table::{next_sort, streams};
use crate::store::filter::Filter;
use crate::track::call::CallKey;
use crate::track::stream::StreamKey;

/// Does what a key or a click means.
pub fn update(state: &mut State, action: &Action) -> Vec<Effect> {
    match action {
        Action::CallView(action) => return call_view(state, action),
        Action::StreamView(action) => return stream_view(state, *action),
        Action::Quit if state.popups.is_empty() && state.view.is_none() && state.stream.is_none() => {
            return vec![Effect::Quit];
        }
        Action::Back | Action::Quit => back(state),
        Action::Leave => return vec![Effect::Quit],
        Action::Help => state.popups.push(Popup::Help(Help::new(state.context()))),
        Action::Columns => state.popups.push(Popup::Columns(Columns::new(state.tab))),
        Action::Settings => state.popups.push(Popup::Settings(Settings::default())),
        Action::Save => saving::open(state),
        Action::FilterForm => state.popups.push(Popup::Filter(Box::new(FilterForm::new(&state.form)))),
        Action::Toggle | Action::Choose(_) | Action::Reorder(_) | Action::SelectLine(_) => return popup(state, action),
        Action::Tab(tab) => show(state, *tab),
        Action::NextTab(by) => {
            let at = Tab::ALL.iter().position(|tab| *tab == state.tab).unwrap_or_default() as i64;
            let next = (at + i64::from(*by)).rem_euclid(Tab::ALL.len() as i64) as usize;
            show(state, Tab::ALL.get(next).copied().unwrap_or_default());
        }
        Action::Move(_) | Action::Page(_) | Action::HalfPage(_) | Action::First | Action::Last => step(state, action),
        Action::Open => return open_selected(state),
        Action::Pause => state.paused = !state.paused,
        Action::FilterLine => {
            state.filter.before = state.filter.input.value().to_owned();
            state.filter.editing = true;
        }
        Action::Accept => return accept(state),
        Action::OpenRaw => return open_with(state, &CallViewAction::RawAll),
        Action::OpenRelated if state.tab == Tab::Streams => return open_call(state, state.streams.cursor.selected()),
        Action::OpenRelated => return open_with(state, &CallViewAction::Related),
        Action::Clear => return clear(state),
        Action::ClearHidden => return clear_hidden(state),
        _ => table(state, action),
    }
    Vec::new()
}

/// What concerns the call table alone.
fn table(state: &mut State, action: &Action) {
    match action {
        Action::Mark => mark(state),
        Action::Unmark => state.calls.marks.clear(),
        Action::SortColumn(by) => sort_column(state, i64::from(*by)),
        Action::SortBy(id) => sort_by(state, id),
        Action::SortReverse => {
            let descending = match state.tab {
                Tab::Streams => &mut state.streams.descending,
                _ => &mut state.calls.descending,
            };
            *descending = !*descending;
            reorder(state);
        }
        Action::Quality => {
            state.quality.below_table = Some(!state.quality.is_open(state.size.height));
            fit(state);
        }
        Action::CycleKind => {
            state.calls.kinds = state.calls.kinds.next();
            reorder(state);
        }
        Action::Autoscroll => {
            state.autoscroll = !state.autoscroll;
            let on = if state.autoscroll { "New rows are followed at the end" } else { "New rows are not followed" };
            state.say(on);
        }
        Action::SelectCall(key) => {
            let page = state.page();
            state.calls.cursor.select(*key, state.calls.order.shown(), page);
        }
        Action::SelectStream(key) => {
            let page = state.page();
            state.streams.cursor.select(*key, state.streams.order.shown(), page);
        }
        _ => {}
    }
}

/// Carries out an effect that concerns the interface; gives back what the loop must do.
pub fn apply(state: &mut State, effect: Effect) -> Option<Effect> {
    match effect {
        Effect::Say(text) => state.say(text),
        Effect::OpenCalls(keys) => open(state, keys),
        Effect::CloseCallView => state.view = None,
        effect => return Some(effect),
    }
    None
}

/// Opens the call view.
pub fn open(state: &mut State, keys: Vec<CallKey>) {
    state.popups.clear();
    let first = keys.first().copied();
    let mut view = CallView::open(keys).with_quality(state.quality.in_view);
    if state.zone == Zone::Utc {
        let size = layout::areas(state).content.as_size();
        let _ = view.update(&CallViewAction::Zone, &state.snapshot, size);
    }
    state.view = Some(view);
    if let Some(key) = first.filter(|key| state.calls.cursor.selected() != Some(*key)) {
        let page = state.page();
        state.calls.cursor.select(key, state.calls.order.shown(), page);
    }
}

/// Opens the selected or marked calls, and does this there.
fn open_with(state: &mut State, action: &CallViewAction) -> Vec<Effect> {
    for effect in open_selected(state) {
        apply(state, effect);
    }
    call_view(state, action)
}

fn call_view(state: &mut State, action: &CallViewAction) -> Vec<Effect> {
    let size = layout::areas(state).content.as_size();
    match &mut state.view {
        Some(view) => {
            let effects = view.update(action, &state.snapshot, size);
            state.quality.in_view = view.shows_quality();
            effects
        }
        None => Vec::new(),
    }
}

/// What a key or a click means in the detail of a stream.
fn stream_view(state: &mut State, action: StreamViewAction) -> Vec<Effect> {
    let (size, page) = (layout::areas(state).content.as_size(), state.page());
    let Some(view) = &mut state.stream else { return Vec::new() };
    match action {
        StreamViewAction::Call => {
            let key = view.key();
            return open_call(state, Some(key));
        }
        StreamViewAction::Next(by) => {
            let streams = &mut state.streams;
            streams.cursor.move_by(i64::from(by), streams.order.shown(), page);
            if let Some(key) = streams.cursor.selected() {
                view.show(key);
            }
        }
        StreamViewAction::Reverse => {
            let reverse = state.snapshot.stream(view.key()).and_then(|stream| state.snapshot.answering(stream));
            match reverse.map(|stream| stream.key) {
                Some(key) => {
                    view.show(key);
                    state.streams.cursor.select(key, state.streams.order.shown(), page);
                }
                None => state.say("No stream is known in the other direction"),
            }
        }
        action => view.scroll(action, size, &state.snapshot, state.zone, &state.theme),
    }
    Vec::new()
}

/// Opens the call of a stream above what is open.
fn open_call(state: &mut State, stream: Option<StreamKey>) -> Vec<Effect> {
    let Some(stream) = stream.and_then(|key| state.snapshot.stream(key)) else { return Vec::new() };
    match stream.call.filter(|key| state.snapshot.call(*key).is_some()) {
        Some(call) => vec![Effect::OpenCalls(vec![call])],
        None => {
            state.say("No call is known to this stream: its SDP was not captured, or its call was forgotten");
            Vec::new()
        }
    }
}

fn show(state: &mut State, tab: Tab) {
    state.popups.clear();
    state.view = None;
    state.stream = None;
    state.tab = tab;
}

/// Back: the window on top, then the view, then the text being typed, then marks, kinds and filter.
fn back(state: &mut State) {
    if let Some(Popup::Save(form)) = state.popups.last_mut()
        && form.take_back()
    {
        return;
    }
    if state.popups.pop().is_some() || state.view.take().is_some() || state.stream.take().is_some() {
        return;
    }
    if !matches!(state.tab, Tab::Calls | Tab::Streams) {
        return;
    }
    if state.filter.editing {
        state.filter.editing = false;
        state.filter.input = tui_input::Input::default();
        filter_typed(state);
    } else if state.tab == Tab::Calls && !state.calls.marks.is_empty() {
        state.calls.marks.clear();
    } else if !state.filter.input.value().is_empty() {
        state.filter.input = tui_input::Input::default();
        filter_typed(state);
    } else if state.tab == Tab::Calls && state.calls.kinds != super::table::order::Kinds::All {
        state.calls.kinds = super::table::order::Kinds::All;
        reorder(state);
    }
}

/// Takes what was typed: the form's filter replaces the line's.
fn accept(state: &mut State) -> Vec<Effect> {
    if matches!(state.popups.last(), Some(Popup::Save(_))) {
        return saving::accept(state);
    }
    if state.filter.editing {
        state.filter.editing = false;
        filter_typed(state);
        // What is no filter stays open, with the reason below.
        state.filter.editing = state.filter.error.is_some();
    }
    if let Some(Popup::Filter(form)) = state.popups.last() {
        let (texts, expression) = (form.texts(), form.expression());
        state.form = texts;
        state.popups.pop();
        state.filter.input = expression.into();
        filter_typed(state);
    }
    Vec::new()
}

/// The filter text changed: it applies at once if it can be understood, else the last one stays.
pub fn filter_typed(state: &mut State) {
    let text = state.filter.input.value();
    let read = match state.filter.editing {
        true => Filter::parse_unfinished(text),
        false => Filter::parse(text).map(|filter| (filter, Vec::new())),
    };
    state.filter.fields.clear();
    match read {
        Ok((filter, fields)) => {
            state.filter.error = None;
            state.filter.fields = fields;
            state.filter.valid = filter;
            reorder(state);
        }
        Err(error) => state.filter.error = Some(error.to_string()),
    }
}

/// A key for the text in the window on top.
pub fn form_typed(state: &mut State, event: &KeyEvent) {
    if let Some(Popup::Filter(form)) = state.popups.last_mut() {
        form.key(event);
    }
    if let Some(Popup::Save(form)) = state.popups.last_mut() {
        form.key(event);
    }
}

/// What a key or a click means to the window on top, or to the list below it.
fn popup(state: &mut State, action: &Action) -> Vec<Effect> {
    let Some(mut top) = state.popups.pop() else {
        if let (Action::SelectLine(line), Tab::Capture) = (action, state.tab) {
            state.capture_at = *line;
        }
        return Vec::new();
    };
    let mut effects = Vec::new();
    match (&mut top, action) {
        (Popup::Columns(list), Action::Toggle) => columns::toggle(state, list.at),
        (Popup::Columns(list), Action::Reorder(by)) => list.at = columns::reorder(state, list.at, i64::from(*by)),
        (Popup::Columns(list), Action::SelectLine(line)) => {
            list.at = *line;
            columns::toggle(state, list.at);
        }
        (Popup::Settings(list), Action::Toggle) => effects = settings::toggle(state, list.at),
        (Popup::Settings(list), Action::SelectLine(line)) => {
            list.at = *line;
            effects = settings::toggle(state, list.at);
        }
        (Popup::Filter(form), Action::SelectLine(line)) => form.select(*line),
        (Popup::Save(form), Action::SelectLine(line)) => form.select(*line),
        (Popup::Save(form), Action::Choose(by)) => form.choose(i64::from(*by)),
        _ => {}
    }
    state.popups.push(top);
    effects
}

fn reorder(state: &mut State) {
    let filter = state.filter.valid.clone();
    state.calls.reorder(&filter);
    state.streams.reorder(&filter);
}

/// After the order of rows changed.
pub fn settle(state: &mut State) {
    let page = state.page();
    let calls = &mut state.calls;
    if !state.autoscroll {
        calls.cursor.set_follow(false);
    }
    // What is open keeps its row: new ones are followed again once the user is back at the end.
    let held = state.view.is_some() && calls.cursor.follows();
    if held {
        calls.cursor.set_follow(false);
    }
    calls.cursor.settle(calls.order.shown(), page);
    if held && calls.cursor.at() + 1 == calls.order.shown().len() {
        calls.cursor.set_follow(true);
    }
    let snapshot = &state.snapshot;
    calls.marks.retain(|key| snapshot.call(*key).is_some());
}

/// After the order of the streams changed: like [`settle`].
pub fn settle_streams(state: &mut State) {
    let page = state.page();
    let streams = &mut state.streams;
    let held = state.stream.is_some() || !state.autoscroll;
    if held {
        streams.cursor.set_follow(false);
    }
    streams.cursor.settle(streams.order.shown(), page);
}

/// After the size of the screen changed.
pub fn fit(state: &mut State) {
    let page = state.page();
    let calls = &mut state.calls;
    calls.cursor.fit(calls.order.shown(), page);
    let streams = &mut state.streams;
    streams.cursor.fit(streams.order.shown(), page);
}

/// Moves in whatever has the keys: a window, a table, a text.
fn step(state: &mut State, action: &Action) {
    let page = state.page() as i64;
    let delta = match action {
        Action::Move(by) => i64::from(*by),
        Action::Page(by) => i64::from(*by) * page,
        Action::HalfPage(by) => i64::from(*by) * (page / 2).max(1),
        Action::First => i64::MIN / 2,
        _ => i64::MAX / 2,
    };
    if let Some(popup) = state.popups.last_mut() {
        popup.step(delta);
        return;
    }
    match state.tab {
        Tab::Calls => {
            let calls = &mut state.calls;
            calls.cursor.move_by(delta, calls.order.shown(), page as usize);
        }
        Tab::Streams => {
            let streams = &mut state.streams;
            streams.cursor.move_by(delta, streams.order.shown(), page as usize);
        }
        Tab::Stats => {
            let last = pane::stats::last_top(state);
            state.stats_top = shifted(state.stats_top.min(last), delta).min(last);
        }
        Tab::Capture => {
            let last = pane::capture::last_line(state);
            state.capture_at = shifted(state.capture_at.min(last), delta).min(last);
        }
    }
}

fn shifted(at: usize, delta: i64) -> usize {
    usize::try_from((at as i64).saturating_add(delta)).unwrap_or(0)
}

fn open_selected(state: &mut State) -> Vec<Effect> {
    if state.tab == Tab::Capture {
        if let Some(sample) = pane::capture::selected(state) {
            let (title, note) = pane::capture::describe(sample, state.zone);
            let text = TextPopup::hex(title, note, &sample.bytes);
            state.popups.push(Popup::Text(text));
        } else {
            state.say("Enter shows the bytes of a malformed packet: none is selected");
        }
        return Vec::new();
    }
    if state.tab == Tab::Streams {
        state.stream = state.streams.cursor.selected().map(StreamView::open);
        return Vec::new();
    }
    let marked: Vec<CallKey> = state.calls.marks.iter().copied().collect();
    match (marked.is_empty(), state.calls.cursor.selected()) {
        _ if state.tab != Tab::Calls => Vec::new(),
        (false, _) => vec![Effect::OpenCalls(marked)],
        (true, Some(key)) => vec![Effect::OpenCalls(vec![key])],
        (true, None) => Vec::new(),
    }
}

/// Marks the selected row and goes on to the next one.
fn mark(state: &mut State) {
    let Some(key) = state.calls.cursor.selected() else { return };
    if !state.calls.marks.remove(&key) {
        state.calls.marks.insert(key);
    }
    let page = state.page();
    let calls = &mut state.calls;
    calls.cursor.move_by(1, calls.order.shown(), page);
}

/// Chooses the next column that is on the screen.
fn sort_column(state: &mut State, by: i64) {
    let width = state.size.width;
    if state.tab == Tab::Streams {
        let table = &mut state.streams;
        let wanted = table.wanted_columns();
        table.sort = next_sort(streams::COLUMNS, &wanted, width, table.sort, by).unwrap_or(table.sort);
    } else {
        let table = &mut state.calls;
        table.sort = next_sort(COLUMNS, &table.wanted_columns(), width, table.sort, by).unwrap_or(table.sort);
    }
    reorder(state);
}

fn sort_by(state: &mut State, id: &str) {
    let (at, sort, descending) = if state.tab == Tab::Streams {
        let at = streams::COLUMNS.iter().position(|column| column.id == id);
        (at, &mut state.streams.sort, &mut state.streams.descending)
    } else {
        let at = COLUMNS.iter().position(|column| column.id == id);
        (at, &mut state.calls.sort, &mut state.calls.descending)
    };
    let Some(column) = at else { return };
    *descending = column == *sort && !*descending;
    *sort = column;
    reorder(state);
}

fn clear(state: &mut State) -> Vec<Effect> {
    state.calls.marks.clear();
    state.say("All calls forgotten; what comes from now on is shown");
    vec![Effect::ForgetAll]
}

fn clear_hidden(state: &mut State) -> Vec<Effect> {
    let hidden = state.calls.order.hidden();
    if hidden.is_empty() {
        state.say("No filter hides a call: nothing to forget");
        return Vec::new();
    }
    let calls = if hidden.len() == 1 { "call" } else { "calls" };
    state.say(format!("{} hidden {calls} forgotten", hidden.len()));
    vec![Effect::Forget(hidden)]
}
