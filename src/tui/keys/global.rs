//! Keys that work everywhere.

use super::Context::Global;
use super::{Binding, bind};
use crate::tui::action::{Action, Tab};

pub(super) const BINDINGS: &[Binding] = &[
    bind(Global, "1", Action::Tab(Tab::Calls), "show the calls", ""),
    bind(Global, "3", Action::Tab(Tab::Streams), "show the RTP streams", ""),
    bind(Global, "7", Action::Tab(Tab::Stats), "show the statistics", ""),
    bind(Global, "8", Action::Tab(Tab::Capture), "show the state of the capture", ""),
    bind(Global, "tab", Action::NextTab(1), "go to the next tab", ""),
    bind(Global, "shift-tab", Action::NextTab(-1), "go to the tab before", ""),
    bind(Global, "p", Action::Pause, "pause the view; the capture goes on", "pause"),
    bind(Global, "f8", Action::Settings, "change settings", ""),
    bind(Global, "? f1", Action::Help, "show the keys of this place", "help"),
    bind(Global, "esc", Action::Back, "go back; first clear marks and filter", ""),
    bind(Global, "q Q", Action::Quit, "go back, and quit at the top", "quit"),
    bind(Global, "ctrl-c", Action::Leave, "quit at once", ""),
];
