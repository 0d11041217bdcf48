//! What the user meant, and what must happen outside the interface because of it.

use std::path::PathBuf;

use ratatui::layout::Rect;

use super::pane::call_view::CallViewAction;
use super::pane::stream_view::StreamViewAction;
use crate::engine::SaveRequest;
use crate::track::call::CallKey;
use crate::track::stream::StreamKey;

/// The tabs, by the digit that chooses them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// 1: the call table.
    #[default]
    Calls,
    /// 3: the RTP streams.
    Streams,
    /// 7: statistics.
    Stats,
    /// 8: sources, losses, memory, what could not be decoded.
    Capture,
}

impl Tab {
    /// All tabs, in the order of the tab line.
    pub const ALL: [Self; 4] = [Self::Calls, Self::Streams, Self::Stats, Self::Capture];

    /// The digit and the name.
    pub const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Calls => ("1", "Calls"),
            Self::Streams => ("3", "Streams"),
            Self::Stats => ("7", "Stats"),
            Self::Capture => ("8", "Capture"),
        }
    }

    /// The tab with this name; case is ignored.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.title().1.eq_ignore_ascii_case(name))
    }
}

/// What the user meant by a key or a click.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something within the call view.
    CallView(CallViewAction),
    /// Something within the detail of a stream.
    StreamView(StreamViewAction),
    /// Close what is on top: popup, then view.
    Back,
    /// Open the help of this context.
    Help,
    /// Close what is on top, or quit when nothing is.
    Quit,
    /// Quit at once.
    Leave,
    /// Show a tab.
    Tab(Tab),
    /// Show the tab this many places further on.
    NextTab(i32),
    /// Go this many rows down (up when negative).
    Move(i32),
    /// Go this many pages down.
    Page(i32),
    /// Go this many half pages down.
    HalfPage(i32),
    /// Go to the first row.
    First,
    /// Go to the last row.
    Last,
    /// Open what is selected.
    Open,
    /// Open what is selected as the text of all its messages.
    OpenRaw,
    /// Open what is selected together with the calls that belong to it.
    OpenRelated,
    /// Mark or unmark the selected row.
    Mark,
    /// Unmark all rows.
    Unmark,
    /// Sort by the shown column this many places to the right.
    SortColumn(i32),
    /// Sort by the column with this id; once more reverses.
    SortBy(&'static str),
    /// Reverse the order.
    SortReverse,
    /// Show rows of the next kind of method.
    CycleKind,
    /// Let the view stand, or move on.
    Pause,
    /// Follow new rows at the end, or not.
    Autoscroll,
    /// Type a filter.
    FilterLine,
    /// Open the filter form.
    FilterForm,
    /// Open the choice of columns.
    Columns,
    /// Show the quality of the selected call below the table, or not.
    Quality,
    /// Open the save window.
    Save,
    /// Change what the selected row of the save window says.
    Choose(i32),
    /// Open the settings.
    Settings,
    /// Forget all calls.
    Clear,
    /// Forget the calls that the filter hides.
    ClearHidden,
    /// Take what was typed.
    Accept,
    /// Change what is selected in a popup.
    Toggle,
    /// Move what is selected in a popup this many places down.
    Reorder(i32),
    /// Select a line of a popup or of a list by its index.
    SelectLine(usize),
    /// Select this call; a second click opens it.
    SelectCall(CallKey),
    /// Select this stream; a second click opens it.
    SelectStream(StreamKey),
}

/// What must happen outside the interface. The loop carries it out; handlers only say it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Put text on the user's clipboard (OSC 52).
    Copy(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Show a line of text for a few seconds.
    Say(String),
    /// Write text to a file.
    Write {
        /// Where.
        path: PathBuf,
        /// What.
        text: String,
    },
    /// Save to a file.
    Save(SaveRequest),
    /// Open the call view of these calls.
    OpenCalls(Vec<CallKey>),
    /// Close the call view.
    CloseCallView,
    /// Forget these calls in the store.
    Forget(Vec<CallKey>),
    /// Forget everything in the store.
    ForgetAll,
}

/// Where a click means what: draw registers, the hit test walks back to front.
#[derive(Debug, Default)]
pub struct Hits {
    areas: Vec<(Rect, Action)>,
}

impl Hits {
    /// A click in `area` means `action`.
    pub fn add(&mut self, area: Rect, action: Action) {
        self.areas.push((area, action));
    }

    /// What a click there means.
    pub fn find(&self, column: u16, row: u16) -> Option<&Action> {
        let inside = |area: &Rect| area.contains((column, row).into());
        self.areas.iter().rev().find(|(area, _)| inside(area)).map(|(_, action)| action)
    }

    /// Forgets all areas, before the next frame.
    pub fn clear(&mut self) {
        self.areas.clear();
    }
}
