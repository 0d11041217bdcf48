//! Keys of the Capture tab.

use super::Context::Capture;
use super::{Binding, bind};
use crate::tui::action::Action;

pub(super) const BINDINGS: &[Binding] = &[
    bind(Capture, "enter right", Action::Open, "show the bytes of the packet", "bytes"),
    bind(Capture, "f2 s", Action::Save, "save calls or packets to a file", "save"),
    bind(Capture, "j down", Action::Move(1), "go down", "move"),
    bind(Capture, "k up", Action::Move(-1), "go up", ""),
    bind(Capture, "pgdn ctrl-f", Action::Page(1), "go down a page", ""),
    bind(Capture, "pgup ctrl-b", Action::Page(-1), "go up a page", ""),
    bind(Capture, "ctrl-d", Action::HalfPage(1), "go down half a page", ""),
    bind(Capture, "ctrl-u", Action::HalfPage(-1), "go up half a page", ""),
    bind(Capture, "home ctrl-a", Action::First, "go to the top", ""),
    bind(Capture, "end ctrl-e", Action::Last, "go to the end", ""),
];
