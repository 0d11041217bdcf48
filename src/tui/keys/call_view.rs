//! Keys of the call view, the raw message and the comparison.

use super::{Binding, Context};
use crate::tui::action::Action;
use crate::tui::pane::call_view::CallViewAction::{self, *};

const fn bind(
    context: Context,
    keys: &'static str,
    action: CallViewAction,
    text: &'static str,
    hint: &'static str,
) -> Binding {
    Binding { context, keys, action: Action::CallView(action), text, hint }
}

/// Saving works the same in every view.
const fn save(context: Context) -> Binding {
    Binding { context, keys: "f2", action: Action::Save, text: "save the call to a file", hint: "save" }
}

/// The keys.
pub const BINDINGS: &[Binding] = &[
    bind(Context::CallView, "enter r f6", Raw, "show the raw message on the full screen", "raw"),
    bind(Context::CallView, "space", Mark, "mark the message; on a second one: compare the two", "mark"),
    save(Context::CallView),
    bind(Context::CallView, "d", Sdp, "show SDP: not, in short, whole", "SDP"),
    bind(Context::CallView, "t", Time, "show time of day, since the row before, since the start", "time"),
    bind(Context::CallView, "v", Quality, "show how the audio is, both ways, or not", "quality"),
    bind(Context::CallView, "b", Colour, "colour by response, branch, CSeq, Call-ID", "colour"),
    bind(Context::CallView, "/ f3", Search, "search in the messages", "search"),
    bind(Context::CallView, "g", Goto, "go to a packet number or a time", "go to"),
    bind(Context::CallView, "e", Explain, "explain the method or status", "explain"),
    bind(Context::CallView, "x f4", Related, "add the calls that belong to this one, or take them away", "related"),
    bind(Context::CallView, "y", Copy, "copy the message to the clipboard", "copy"),
    bind(Context::CallView, "R", Collapse, "count retransmissions in one row, or show each", ""),
    bind(Context::CallView, "D", OnlySdp, "show only messages with SDP, or all", ""),
    bind(Context::CallView, "u", Zone, "local time or UTC", ""),
    bind(Context::CallView, "s", Columns, "a column per address, or per address and port", ""),
    bind(Context::CallView, "n", Match(1), "next match of the search", ""),
    bind(Context::CallView, "N", Match(-1), "previous match of the search", ""),
    bind(Context::CallView, ".", ScrollMessage(4), "scroll the message down", ""),
    bind(Context::CallView, ",", ScrollMessage(-4), "scroll the message up", ""),
    bind(Context::CallView, "[", Widen(1), "make the message wider", ""),
    bind(Context::CallView, "]", Widen(-1), "make the message narrower", ""),
    bind(Context::CallView, "ctrl-w", Unmark, "take the mark away", ""),
    bind(Context::CallView, "j down", Move(1), "down", ""),
    bind(Context::CallView, "k up", Move(-1), "up", ""),
    bind(Context::CallView, "pgdn ctrl-f", HalfPages(2), "a page down", ""),
    bind(Context::CallView, "pgup ctrl-b", HalfPages(-2), "a page up", ""),
    bind(Context::CallView, "ctrl-d", HalfPages(1), "half a page down", ""),
    bind(Context::CallView, "ctrl-u", HalfPages(-1), "half a page up", ""),
    bind(Context::CallView, "home ctrl-a", First, "to the first row", ""),
    bind(Context::CallView, "end ctrl-e", Last, "to the last row, and follow", ""),
    bind(Context::CallView, "right", Sideways(1), "columns further right", ""),
    bind(Context::CallView, "left", Sideways(-1), "columns further left", ""),
    bind(Context::CallView, "esc q", Back, "back", "back"),
    bind(Context::Raw, "enter r f6", Raw, "back to the ladder", "ladder"),
    bind(Context::Raw, "a", RawAll, "all messages one below the other, or only this one", "all"),
    bind(Context::Raw, "J", Message(1), "next message", "next"),
    bind(Context::Raw, "K", Message(-1), "previous message", "previous"),
    bind(Context::Raw, "/ f3", Search, "search in the messages", "search"),
    save(Context::Raw),
    bind(Context::Raw, "n", Match(1), "next match of the search", ""),
    bind(Context::Raw, "N", Match(-1), "previous match of the search", ""),
    bind(Context::Raw, "g", Goto, "go to a packet number or a time", "go to"),
    bind(Context::Raw, "W", Wrap, "wrap long lines, or cut them", "wrap"),
    bind(Context::Raw, "e", Explain, "explain the method or status, then header by header", "explain"),
    bind(Context::Raw, "y", Copy, "copy the message to the clipboard", "copy"),
    bind(Context::Raw, "j down", Move(1), "down", ""),
    bind(Context::Raw, "k up", Move(-1), "up", ""),
    bind(Context::Raw, "pgdn ctrl-f", HalfPages(2), "a page down", ""),
    bind(Context::Raw, "pgup ctrl-b", HalfPages(-2), "a page up", ""),
    bind(Context::Raw, "ctrl-d", HalfPages(1), "half a page down", ""),
    bind(Context::Raw, "ctrl-u", HalfPages(-1), "half a page up", ""),
    bind(Context::Raw, "home ctrl-a", First, "to the top", ""),
    bind(Context::Raw, "end ctrl-e", Last, "to the end", ""),
    bind(Context::Raw, "right", Sideways(1), "further right in lines that are cut", ""),
    bind(Context::Raw, "left", Sideways(-1), "further left", ""),
    bind(Context::Raw, "esc q", Back, "back", "back"),
    bind(Context::Diff, "j down", Move(1), "down", ""),
    bind(Context::Diff, "k up", Move(-1), "up", ""),
    bind(Context::Diff, "pgdn ctrl-f", HalfPages(2), "a page down", ""),
    bind(Context::Diff, "pgup ctrl-b", HalfPages(-2), "a page up", ""),
    bind(Context::Diff, "ctrl-d", HalfPages(1), "half a page down", ""),
    bind(Context::Diff, "ctrl-u", HalfPages(-1), "half a page up", ""),
    bind(Context::Diff, "home ctrl-a", First, "to the top", ""),
    bind(Context::Diff, "end ctrl-e", Last, "to the end", ""),
    bind(Context::Diff, "y", Copy, "copy the comparison to the clipboard", "copy"),
    bind(Context::Diff, "esc q", Back, "back", "back"),
];
