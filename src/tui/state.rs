//! What the interface remembers between two keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::layout::Size;
use tui_input::Input;

use super::action::Tab;
use super::format::Zone;
use super::keys::Context;
use super::layout;
use super::pane::call_view::CallView;
use super::pane::quality::QualityState;
use super::pane::stream_view::StreamView;
use super::popup::Popup;
use super::popup::save::SaveForm;
use super::table::Sort;
use super::table::calls::COLUMNS;
use super::table::cursor::Cursor;
use super::table::order::{Kinds, Order, Wanted};
use super::table::streams;
use super::theme::Theme;
use crate::store::filter::Filter;
use crate::store::snapshot::Snapshot;
use crate::track::call::CallKey;
use crate::track::stream::{Stream, StreamKey};

/// How long a notice stays, in ms.
const NOTICE_MS: u64 = 4_000;

/// The call table.
#[derive(Debug)]
pub struct CallsState {
    /// Which calls are shown, in which order.
    pub order: Order,
    /// Where the user is.
    pub cursor: Cursor,
    /// Marked calls.
    pub marks: BTreeSet<CallKey>,
    /// All columns in the order of the user, and whether each is shown.
    pub columns: Vec<(usize, bool)>,
    /// Index of the column to sort by.
    pub sort: usize,
    /// Largest first.
    pub descending: bool,
    /// Kinds of rows that are shown.
    pub kinds: Kinds,
}

impl CallsState {
    fn new(filter: Filter, follow: bool) -> Self {
        let sort = COLUMNS.iter().position(|column| column.id == "time").unwrap_or_default();
        let wanted = Wanted { filter, kinds: Kinds::All, sort: sort_of(sort), descending: false };
        Self {
            order: Order::new(wanted),
            cursor: Cursor::new(follow),
            marks: BTreeSet::new(),
            columns: COLUMNS.iter().map(|column| column.on).enumerate().collect(),
            sort,
            descending: false,
            kinds: Kinds::All,
        }
    }

    /// Indices of the columns that the user wants to see.
    pub fn wanted_columns(&self) -> Vec<usize> {
        self.columns.iter().filter(|(_, on)| *on).map(|(index, _)| *index).collect()
    }

    /// Has the order made anew from filter, kinds and sort column.
    pub fn reorder(&mut self, filter: &Filter) {
        let Some(column) = COLUMNS.get(self.sort) else { return };
        self.order.want(Wanted {
            filter: filter.clone(),
            kinds: self.kinds,
            sort: column.sort,
            descending: self.descending,
        });
    }
}

/// The stream table.
#[derive(Debug)]
pub struct StreamsState {
    /// Which streams are shown, in which order.
    pub order: Order<Stream>,
    /// Where the user is.
    pub cursor: Cursor<StreamKey>,
    /// All columns in the order of the user, and whether each is shown.
    pub columns: Vec<(usize, bool)>,
    /// Index of the column to sort by.
    pub sort: usize,
    /// Largest first.
    pub descending: bool,
}

impl StreamsState {
    fn new(filter: Filter, follow: bool) -> Self {
        let sort = streams::COLUMNS.iter().position(|column| column.id == "time").unwrap_or_default();
        let by = streams::COLUMNS.get(sort).map_or(Sort::Number(|_: &Stream| None), |column| column.sort);
        Self {
            order: Order::new(Wanted { filter, kinds: Kinds::All, sort: by, descending: false }),
            cursor: Cursor::new(follow),
            columns: streams::COLUMNS.iter().map(|column| column.on).enumerate().collect(),
            sort,
            descending: false,
        }
    }

    /// Indices of the columns that the user wants to see.
    pub fn wanted_columns(&self) -> Vec<usize> {
        self.columns.iter().filter(|(_, on)| *on).map(|(index, _)| *index).collect()
    }

    /// Has the order made anew from filter and sort column.
    pub fn reorder(&mut self, filter: &Filter) {
        let Some(column) = streams::COLUMNS.get(self.sort) else { return };
        self.order.want(Wanted {
            filter: filter.clone(),
            kinds: Kinds::All,
            sort: column.sort,
            descending: self.descending,
        });
    }
}

/// The filter line.
#[derive(Debug, Default)]
pub struct FilterState {
    /// What is typed.
    pub input: Input,
    /// Whether it is being typed.
    pub editing: bool,
    /// The last text that was understood.
    pub valid: Filter,
    /// Fields whose name the last word begins, while it may become one of them.
    pub fields: Vec<&'static str>,
    /// Why the text is not understood (yet).
    pub error: Option<String>,
    /// The text before editing began.
    pub before: String,
}

/// Everything the interface remembers.
#[derive(Debug)]
pub struct State {
    /// Colours and glyphs.
    pub theme: Theme,
    /// Local time or UTC.
    pub zone: Zone,
    /// Whether new rows are followed at the end.
    pub autoscroll: bool,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// The tab.
    pub tab: Tab,
    /// What is drawn.
    pub snapshot: Arc<Snapshot>,
    /// Whether the view stands.
    pub paused: bool,
    /// The call table.
    pub calls: CallsState,
    /// The stream table.
    pub streams: StreamsState,
    /// The filter line.
    pub filter: FilterState,
    /// The quality panes.
    pub quality: QualityState,
    /// What the filter form held when it was last used.
    pub form: Vec<String>,
    /// First line of the Stats tab.
    pub stats_top: usize,
    /// Line of the Capture tab.
    pub capture_at: usize,
    /// The call view, when open.
    pub view: Option<CallView>,
    /// The detail of a stream, when open. The call view may lie above it.
    pub stream: Option<StreamView>,
    /// Windows, the last one on top.
    pub popups: Vec<Popup>,
    /// Size of the terminal.
    pub size: Size,
    /// The interface's own clock, in ms.
    pub now_ms: u64,
    /// Why the capture ended, once it did.
    pub finished: Option<String>,
    /// What is being saved, as it was asked for.
    pub saving: Option<Box<SaveForm>>,
    /// How requests to save went, the newest last, and whether well.
    pub saved: Vec<(String, bool)>,
    notice: Option<(String, u64)>,
}

impl State {
    /// The state at the start.
    pub fn new(theme: Theme, follow: bool) -> Self {
        Self {
            theme,
            zone: Zone::default(),
            autoscroll: true,
            mouse: true,
            tab: Tab::default(),
            snapshot: Arc::default(),
            paused: false,
            calls: CallsState::new(Filter::default(), follow),
            streams: StreamsState::new(Filter::default(), follow),
            filter: FilterState::default(),
            quality: QualityState::default(),
            form: Vec::new(),
            stats_top: 0,
            capture_at: 0,
            view: None,
            stream: None,
            popups: Vec::new(),
            size: Size::new(80, 24),
            now_ms: 0,
            finished: None,
            saving: None,
            saved: Vec::new(),
            notice: None,
        }
    }

    /// Where keys go at this moment.
    pub fn context(&self) -> Context {
        if let Some(popup) = self.popups.last() {
            return popup.context();
        }
        if let Some(view) = &self.view {
            return view.context();
        }
        if self.stream.is_some() {
            return Context::StreamView;
        }
        match self.tab {
            Tab::Calls | Tab::Streams if self.filter.editing => Context::Line,
            Tab::Calls => Context::Calls,
            Tab::Streams => Context::Streams,
            Tab::Stats => Context::Stats,
            Tab::Capture => Context::Capture,
        }
    }

    /// Rows of a table on one page.
    pub fn page(&self) -> usize {
        usize::from(layout::tab_areas(self).content.height.saturating_sub(1)).max(1)
    }

    /// Shows a line of text for a few seconds.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now_ms + NOTICE_MS));
    }

    /// Takes that line away: who presses a key has read it.
    pub fn hush(&mut self) {
        self.notice = None;
    }

    /// The line of text to show now.
    pub fn notice(&self) -> Option<&str> {
        let said = self.notice.as_ref().filter(|(_, until)| self.now_ms < *until).map(|(text, _)| text.as_str());
        said.or_else(|| self.saving.as_ref().map(|_| "Saving; the capture goes on"))
    }
}

fn sort_of(column: usize) -> Sort {
    COLUMNS.get(column).map_or(Sort::Number(|_| None), |column| column.sort)
}
