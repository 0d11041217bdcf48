//! Keys of the call table.

use super::Context::{Calls, Form, Line};
use super::{Binding, bind};
use crate::tui::action::Action;

pub(super) const BINDINGS: &[Binding] = &[
    bind(Calls, "enter right", Action::Open, "open the call; marked calls open together", "open"),
    bind(Calls, "/ f3", Action::FilterLine, "filter as you type", "filter"),
    bind(Calls, "space", Action::Mark, "mark the row", "mark"),
    bind(Calls, "f2 s", Action::Save, "save calls or packets to a file", "save"),
    bind(Calls, "f6 r", Action::OpenRaw, "show the text of all messages of the call", "raw"),
    bind(Calls, "f4 x", Action::OpenRelated, "open the call with those that belong to it", ""),
    bind(Calls, "f7 f", Action::FilterForm, "filter by fields", "filter…"),
    bind(Calls, "lt", Action::SortColumn(-1), "sort by the column to the left", "sort"),
    bind(Calls, "gt", Action::SortColumn(1), "sort by the column to the right", "sort"),
    bind(Calls, "z", Action::SortReverse, "reverse the order", ""),
    bind(Calls, "m", Action::CycleKind, "show all, INVITE, SUBSCRIBE, REGISTER, other", "method"),
    bind(Calls, "f10 t", Action::Columns, "choose the columns", "columns"),
    bind(Calls, "j down", Action::Move(1), "go down", ""),
    bind(Calls, "k up", Action::Move(-1), "go up", ""),
    bind(Calls, "pgdn ctrl-f", Action::Page(1), "go down a page", ""),
    bind(Calls, "pgup ctrl-b", Action::Page(-1), "go up a page", ""),
    bind(Calls, "ctrl-d", Action::HalfPage(1), "go down half a page", ""),
    bind(Calls, "ctrl-u", Action::HalfPage(-1), "go up half a page", ""),
    bind(Calls, "home ctrl-a", Action::First, "go to the first row", ""),
    bind(Calls, "end ctrl-e", Action::Last, "go to the last row and follow new ones", ""),
    bind(Calls, "A", Action::Autoscroll, "follow new rows at the end, or not", ""),
    bind(Calls, "ctrl-w", Action::Unmark, "unmark all rows", ""),
    bind(Calls, "f5 ctrl-l", Action::Clear, "forget all calls", ""),
    bind(Calls, "f9", Action::ClearHidden, "forget the calls that the filter hides", ""),
    bind(Calls, "o", Action::Settings, "change settings", ""),
    bind(Calls, "h H", Action::Help, "show the keys of this place", ""),
    bind(Line, "enter", Action::Accept, "keep the filter", "keep"),
    bind(Line, "esc", Action::Back, "drop the filter", "drop"),
    bind(Line, "down", Action::Move(1), "go down in the table", ""),
    bind(Line, "up", Action::Move(-1), "go up in the table", ""),
    bind(Line, "ctrl-c", Action::Leave, "quit at once", ""),
    bind(Form, "enter", Action::Accept, "filter", "filter"),
    bind(Form, "esc", Action::Back, "leave the filter as it was", "cancel"),
    bind(Form, "tab down", Action::Move(1), "next field", "next"),
    bind(Form, "shift-tab up", Action::Move(-1), "field before", "before"),
    bind(Form, "ctrl-c", Action::Leave, "quit at once", ""),
];
