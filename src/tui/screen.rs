//! The whole interface without its terminal: keys and snapshots in, a picture and effects out.

use std::sync::Arc;

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEvent};
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use tui_input::backend::crossterm::EventHandler;

use super::action::{Action, Effect, Hits, Tab};
use super::keys::{self, Context};
use super::layout;
use super::mouse::{self, Clicks};
use super::saving;
use super::state::State;
use super::theme::Theme;
use super::update;
use crate::engine::SaveOutcome;
use crate::limits::OPENED_CALLS;
use crate::store::snapshot::Snapshot;
use crate::track::call::CallKey;

/// How the interface starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Colours and glyphs.
    pub theme: Theme,
    /// Whether the cursor follows new rows from the start, as it should on a live source.
    pub follow: bool,
    /// A filter to begin with.
    pub filter: Option<String>,
    /// Times of day in UTC.
    pub utc: bool,
    /// The tab to begin with.
    pub tab: Tab,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// Open the call with this Call-ID, or those that contain the text, as soon as there is one.
    pub open_call: Option<String>,
}

/// The interface: everything but the terminal and the clock.
#[derive(Debug)]
pub struct Screen {
    state: State,
    hits: Hits,
    newest: Arc<Snapshot>,
    open_call: Option<String>,
    /// The generation in which that call was last looked for, and whether the sources had ended.
    looked: Option<(u64, bool)>,
    clicks: Clicks,
    dirty: bool,
    cells: u64,
    /// The last trouble with writing that was told.
    told: Option<String>,
}

impl Screen {
    /// A screen with nothing to show yet.
    pub fn new(options: Options) -> Self {
        let mut state = State::new(options.theme, options.follow);
        state.tab = options.tab;
        state.mouse = options.mouse;
        if options.utc {
            state.zone = super::format::Zone::Utc;
        }
        if let Some(filter) = options.filter {
            state.filter.input = filter.into();
            update::filter_typed(&mut state);
        }
        Self {
            state,
            hits: Hits::default(),
            newest: Arc::default(),
            open_call: options.open_call,
            looked: None,
            clicks: Clicks::default(),
            dirty: true,
            cells: 0,
            told: None,
        }
    }

    /// What it remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Cells of the table that were built for the last picture.
    pub fn cells_built(&self) -> u64 {
        self.cells
    }

    /// Offers the newest snapshot. It is taken unless the view is paused.
    pub fn offer(&mut self, snapshot: Arc<Snapshot>) {
        if let Some(trouble) = trouble(&snapshot)
            && self.told.as_deref() != Some(trouble)
        {
            self.told = Some(trouble.to_owned());
            self.say(format!("Not written: {trouble}"));
        }
        self.newest = snapshot;
        if !self.state.paused && !Arc::ptr_eq(&self.newest, &self.state.snapshot) {
            self.dirty |= self.newest.generation != self.state.snapshot.generation;
            self.dirty |= second(&self.newest) != second(&self.state.snapshot);
            self.state.snapshot = Arc::clone(&self.newest);
        }
    }

    /// Tells the interface's clock, in ms since it started.
    pub fn tick(&mut self, now_ms: u64) {
        let had = self.state.notice().is_some();
        self.state.now_ms = now_ms;
        self.dirty |= had != self.state.notice().is_some();
    }

    /// Tells the size of the terminal.
    pub fn resize(&mut self, size: Size) {
        if self.state.size != size {
            self.state.size = size;
            update::fit(&mut self.state);
            self.dirty = true;
        }
    }

    /// Shows a line of text for a few seconds.
    pub fn say(&mut self, text: String) {
        self.state.say(text);
        self.dirty = true;
    }

    /// Says how a request to save went.
    pub fn saved(&mut self, outcome: SaveOutcome) {
        saving::ended(&mut self.state, outcome);
        self.dirty = true;
    }

    /// Says that the capture ended, and why.
    pub fn finish(&mut self, why: Option<String>) {
        self.dirty |= self.state.finished != why;
        self.state.finished = why;
    }

    /// Brings the order of rows up to date, until it is or time is out.
    pub fn prepare(&mut self, out_of_time: &mut dyn FnMut() -> bool) {
        let state = &mut self.state;
        let busy = (state.calls.order.is_busy(), state.streams.order.is_busy());
        if state.calls.order.step(&state.snapshot, state.now_ms, out_of_time) {
            update::settle(state);
            self.dirty = true;
        }
        match state.tab {
            Tab::Streams if state.streams.order.step(&state.snapshot, state.now_ms, out_of_time) => {
                update::settle_streams(state);
                self.dirty = true;
            }
            Tab::Streams => {}
            _ => state.streams.order.rest(),
        }
        self.dirty |= busy != (self.state.calls.order.is_busy(), self.state.streams.order.is_busy());
        self.open_wanted();
    }

    /// Whether the picture would be another one than the last.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether rows still wait to be filtered or sorted.
    pub fn is_busy(&self) -> bool {
        self.state.calls.order.is_busy() || self.state.streams.order.is_busy()
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        self.resize(frame.area().as_size());
        self.cells = layout::draw(frame, &mut self.state, &mut self.hits);
        self.dirty = false;
    }

    /// Takes a key press. What must happen outside comes back.
    pub fn key(&mut self, event: &KeyEvent) -> Vec<Effect> {
        if event.kind == KeyEventKind::Release {
            return Vec::new();
        }
        self.dirty = true;
        self.state.hush();
        if let Some(view) = self.state.view.as_mut().filter(|view| view.wants_text() && self.state.popups.is_empty()) {
            let effects = view.text_key(*event, &self.state.snapshot);
            return self.settle_effects(effects);
        }
        let context = self.state.context();
        match keys::find(context, event) {
            Some(binding) => self.act(&binding.action),
            None => {
                self.type_key(context, event);
                Vec::new()
            }
        }
    }

    /// A key that means nothing else is text, where text is typed.
    fn type_key(&mut self, context: Context, event: &KeyEvent) {
        if matches!(context, Context::Form | Context::SaveName) {
            update::form_typed(&mut self.state, event);
        }
        if context == Context::Line {
            let change = self.state.filter.input.handle_event(&Event::Key(*event));
            if change.is_some_and(|change| change.value) {
                update::filter_typed(&mut self.state);
            }
        }
    }

    /// Takes a turn of the wheel or a click.
    pub fn mouse(&mut self, event: &MouseEvent) -> Vec<Effect> {
        let double = self.clicks.is_double(event, self.state.now_ms);
        match mouse::action(event, double, &self.hits, &self.state) {
            Some(actions) => actions.iter().flat_map(|action| self.act(action)).collect(),
            None => Vec::new(),
        }
    }

    /// Does what a key or a click means.
    pub fn act(&mut self, action: &Action) -> Vec<Effect> {
        self.dirty = true;
        let paused = self.state.paused;
        let effects = update::update(&mut self.state, action);
        if paused && !self.state.paused {
            self.state.snapshot = Arc::clone(&self.newest);
        }
        self.settle_effects(effects)
    }

    /// Carries out what concerns the interface itself, and gives the rest back.
    fn settle_effects(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        effects.into_iter().filter_map(|effect| update::apply(&mut self.state, effect)).collect()
    }

    /// Opens the calls that `--call-id` means as soon as one is there: those with exactly this Call-ID, or those that
    /// contain it. The filter keeps them alone in the table.
    fn open_wanted(&mut self) {
        let Some(wanted) = self.open_call.clone() else { return };
        let snapshot = Arc::clone(&self.state.snapshot);
        let ended = self.state.finished.is_some();
        let looking = Some((snapshot.generation, ended));
        if self.looked == looking {
            return;
        }
        self.looked = looking;
        let find = |means: &dyn Fn(&str) -> bool| -> Vec<CallKey> {
            snapshot.calls.iter().filter(|call| means(&call.call_id)).map(|call| call.key).collect()
        };
        let exact = find(&|id| id == wanted);
        let (mut keys, filter) = match exact.is_empty() {
            false => (exact, format!("callid == {}", quoted(&wanted))),
            true => (find(&|id| id.contains(&wanted)), format!("callid ~ {}", quoted(&regex::escape(&wanted)))),
        };
        if !keys.is_empty() {
            self.open_call = None;
            if self.state.filter.input.value().is_empty() {
                self.state.filter.input = filter.into();
                update::filter_typed(&mut self.state);
            }
            let found = keys.len();
            keys.truncate(OPENED_CALLS);
            update::open(&mut self.state, keys);
            if found > OPENED_CALLS {
                self.say(format!("The first {OPENED_CALLS} of {found} calls; Esc shows them all in the table"));
            }
            self.dirty = true;
        } else if ended {
            // Sources end before the engine has worked off their last batches: what those bring opens all the same.
            self.say(format!("No call has a Call-ID like \"{}\"", crate::text::visible(&wanted)));
        }
    }

    /// Presses the keys of a text such as `jj<enter>`, with everything up to date after each. For tests and scripts.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys::sequence(keys) {
            self.prepare(&mut || false);
            effects.extend(self.key(&key.event()));
        }
        self.prepare(&mut || false);
        effects
    }

    /// The picture at a size, without a terminal.
    pub fn render(&mut self, width: u16, height: u16) -> Buffer {
        self.resize(Size::new(width, height));
        self.prepare(&mut || false);
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let Ok(frame) = terminal.draw(|frame| self.draw(frame));
        frame.buffer.clone()
    }
}

/// Why packets cannot be written at the moment.
fn trouble(snapshot: &Snapshot) -> Option<&str> {
    snapshot.capture.written.as_ref()?.trouble.as_deref()
}

/// Running durations are shown in seconds: less is no reason for a frame.
fn second(snapshot: &Snapshot) -> Option<i64> {
    snapshot.now.map(|now| now.nanos().div_euclid(1_000_000_000))
}

/// A text as a quoted word of a filter.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
