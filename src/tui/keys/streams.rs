//! Keys of the stream table and of a stream's detail.

use super::Context::{StreamView, Streams};
use super::{Binding, bind};
use crate::tui::action::Action;
use crate::tui::pane::stream_view::StreamViewAction as View;

const fn detail(keys: &'static str, action: View, text: &'static str, hint: &'static str) -> Binding {
    Binding { context: StreamView, keys, action: Action::StreamView(action), text, hint }
}

pub(super) const BINDINGS: &[Binding] = &[
    bind(Streams, "enter right", Action::Open, "open the stream: charts, histograms, buffers", "open"),
    bind(
        Streams,
        "/ f3",
        Action::FilterLine,
        "filter as you type: address, SSRC, codec, or what its call says",
        "filter",
    ),
    bind(Streams, "x f4", Action::OpenRelated, "open the call of the stream", "call"),
    bind(Streams, "f2 s", Action::Save, "save calls or packets to a file", "save"),
    bind(Streams, "lt", Action::SortColumn(-1), "sort by the column to the left", "sort"),
    bind(Streams, "gt", Action::SortColumn(1), "sort by the column to the right", "sort"),
    bind(Streams, "z", Action::SortReverse, "reverse the order", "reverse"),
    bind(Streams, "f7 f", Action::FilterForm, "filter by fields", "filter…"),
    bind(Streams, "f10 t", Action::Columns, "choose the columns", "columns"),
    bind(Streams, "j down", Action::Move(1), "go down", ""),
    bind(Streams, "k up", Action::Move(-1), "go up", ""),
    bind(Streams, "pgdn ctrl-f", Action::Page(1), "go down a page", ""),
    bind(Streams, "pgup ctrl-b", Action::Page(-1), "go up a page", ""),
    bind(Streams, "ctrl-d", Action::HalfPage(1), "go down half a page", ""),
    bind(Streams, "ctrl-u", Action::HalfPage(-1), "go up half a page", ""),
    bind(Streams, "home ctrl-a", Action::First, "go to the first row", ""),
    bind(Streams, "end ctrl-e", Action::Last, "go to the last row and follow new ones", ""),
    bind(Streams, "A", Action::Autoscroll, "follow new rows at the end, or not", ""),
    bind(Streams, "f5 ctrl-l", Action::Clear, "forget all calls and streams", ""),
    bind(Streams, "o", Action::Settings, "change settings", ""),
    bind(Streams, "h H", Action::Help, "show the keys of this place", ""),
    detail("enter x f4", View::Call, "open the call of the stream", "call"),
    detail("t", View::Span, "chart the last minute, or the whole stream", "span"),
    detail("r", View::Reverse, "go to the stream in the other direction", "reverse"),
    detail("J", View::Next(1), "next stream of the table", "next"),
    detail("K", View::Next(-1), "previous stream of the table", "previous"),
    detail("j down", View::Scroll(1), "scroll down", "scroll"),
    detail("k up", View::Scroll(-1), "scroll up", "scroll"),
    detail("pgdn ctrl-f", View::HalfPages(2), "scroll down a page", ""),
    detail("pgup ctrl-b", View::HalfPages(-2), "scroll up a page", ""),
    detail("ctrl-d", View::HalfPages(1), "scroll down half a page", ""),
    detail("ctrl-u", View::HalfPages(-1), "scroll up half a page", ""),
    detail("home ctrl-a", View::First, "go to the top", ""),
    detail("end ctrl-e", View::Last, "go to the end", ""),
    bind(StreamView, "f2", Action::Save, "save calls or packets to a file", "save"),
    bind(StreamView, "esc q", Action::Back, "back to the table", "back"),
];
