//! Keys of the Stats tab.

use super::Context::Stats;
use super::{Binding, bind};
use crate::tui::action::Action;

pub(super) const BINDINGS: &[Binding] = &[
    bind(Stats, "j down", Action::Move(1), "scroll down", "scroll"),
    bind(Stats, "k up", Action::Move(-1), "scroll up", ""),
    bind(Stats, "pgdn ctrl-f", Action::Page(1), "scroll down a page", ""),
    bind(Stats, "pgup ctrl-b", Action::Page(-1), "scroll up a page", ""),
    bind(Stats, "ctrl-d", Action::HalfPage(1), "scroll down half a page", ""),
    bind(Stats, "ctrl-u", Action::HalfPage(-1), "scroll up half a page", ""),
    bind(Stats, "home ctrl-a", Action::First, "go to the top", ""),
    bind(Stats, "end ctrl-e", Action::Last, "go to the end", ""),
];
