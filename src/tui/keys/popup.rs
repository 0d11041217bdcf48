//! Keys of windows: help, columns, settings, messages.

use super::Context::Popup;
use super::{Binding, bind};
use crate::tui::action::Action;

pub(super) const BINDINGS: &[Binding] = &[
    bind(Popup, "esc q Q ? f1", Action::Back, "close", "close"),
    bind(Popup, "j down", Action::Move(1), "go down", "move"),
    bind(Popup, "k up", Action::Move(-1), "go up", ""),
    bind(Popup, "pgdn ctrl-f ctrl-d", Action::Page(1), "go down a page", ""),
    bind(Popup, "pgup ctrl-b ctrl-u", Action::Page(-1), "go up a page", ""),
    bind(Popup, "home ctrl-a", Action::First, "go to the top", ""),
    bind(Popup, "end ctrl-e", Action::Last, "go to the end", ""),
    bind(Popup, "space enter right", Action::Toggle, "change what is selected", ""),
    bind(Popup, "+ K", Action::Reorder(-1), "move the column to the left", ""),
    bind(Popup, "minus J", Action::Reorder(1), "move the column to the right", ""),
    bind(Popup, "ctrl-c", Action::Leave, "quit at once", ""),
];
