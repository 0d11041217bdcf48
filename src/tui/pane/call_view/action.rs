//! What the user can mean within the call view.

use super::page::RowId;

/// What the user meant within the call view.
#[derive(Clone, Debug, PartialEq)]
pub enum CallViewAction {
    /// Move the cursor, or scroll what has the focus, by this many rows (up when negative).
    Move(i32),
    /// The same by half pages: 2 is a page.
    HalfPages(i32),
    /// To the first row.
    First,
    /// To the last row, and follow the end from there on.
    Last,
    /// Scroll sideways: columns of the ladder, or the text of a message that does not wrap.
    Sideways(i32),
    /// Select this row.
    Select(RowId),
    /// Turn of the mouse wheel at a place on the screen, in rows (up when negative).
    Wheel {
        /// Column and row of the screen.
        at: (u16, u16),
        /// Rows.
        rows: i32,
    },
    /// Show the message on the full screen, or go back to the ladder.
    Raw,
    /// Show all messages on the full screen, one below the other, or only the selected one.
    RawAll,
    /// Scroll the message beside the ladder by this many rows (up when negative).
    ScrollMessage(i32),
    /// Select the next or previous message while one is shown.
    Message(i32),
    /// Wrap long lines, or cut them.
    Wrap,
    /// Mark the message; with one marked before, compare the two.
    Mark,
    /// Take all marks away.
    Unmark,
    /// Next way to show SDP.
    Sdp,
    /// Only messages with SDP, or all.
    OnlySdp,
    /// Next way to show the time.
    Time,
    /// Local time or UTC.
    Zone,
    /// Next meaning of the colours.
    Colour,
    /// Count retransmissions on the first one's row, or give each its own.
    Collapse,
    /// Columns by address, or by address and port.
    Columns,
    /// Add the related calls, or take them away.
    Related,
    /// Explain the selected method or status.
    Explain,
    /// Copy the selected message or the comparison to the clipboard.
    Copy,
    /// Type what to search for.
    Search,
    /// Next match, or previous when negative.
    Match(i32),
    /// Type a packet number or a time to go to.
    Goto,
    /// Make the message pane wider, or narrower when negative.
    Widen(i32),
    /// Show the quality pane, or take it away.
    Quality,
    /// Close what is on top: explanation, comparison, message, then the view.
    Back,
}
