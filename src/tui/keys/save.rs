//! Keys of the save window, of the name in it, and of its question.

use super::Context::{Overwrite, Save, SaveName};
use super::{Binding, bind};
use crate::tui::action::Action;

pub(super) const BINDINGS: &[Binding] = &[
    bind(Save, "enter", Action::Accept, "save", "save"),
    bind(Save, "esc q f2", Action::Back, "leave without saving", "cancel"),
    bind(Save, "right space l", Action::Choose(1), "choose the next", "choose"),
    bind(Save, "left h", Action::Choose(-1), "choose the one before", ""),
    bind(Save, "tab down j", Action::Move(1), "next row", "next"),
    bind(Save, "shift-tab up k", Action::Move(-1), "row before", "before"),
    bind(Save, "ctrl-c", Action::Leave, "quit at once", ""),
    bind(SaveName, "enter", Action::Accept, "save", "save"),
    bind(SaveName, "esc f2", Action::Back, "leave without saving", "cancel"),
    bind(SaveName, "tab down", Action::Move(1), "next row", "next"),
    bind(SaveName, "shift-tab up", Action::Move(-1), "row before", "before"),
    bind(SaveName, "ctrl-c", Action::Leave, "quit at once", ""),
    bind(Overwrite, "y Y", Action::Accept, "overwrite the file", "overwrite"),
    bind(Overwrite, "n N esc q", Action::Back, "choose another name", "another name"),
    bind(Overwrite, "ctrl-c", Action::Leave, "quit at once", ""),
];
