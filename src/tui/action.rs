//! What the user meant, and what must happen outside the interface because of it.

use std::path::PathBuf;

use ratatui::layout::Rect;

use super::pane::call_view::CallViewAction;
use crate::track::call::CallKey;

/// What the user meant by a key or a click.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something within the call view.
    CallView(CallViewAction),
    /// Close what is on top: popup, then view.
    Back,
    /// Open the help of this context.
    Help,
}

/// What must happen outside the interface. The loop carries it out; handlers only say it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Put text on the user's clipboard (OSC 52).
    Copy(String),
    /// Show a line of text for a few seconds.
    Say(String),
    /// Write text to a file.
    Write {
        /// Where.
        path: PathBuf,
        /// What.
        text: String,
    },
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
