//! Keys as rows: help, hint bar and the key handler all read them.

pub mod call_view;

use super::action::Action;

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere, unless a text is being typed.
    Global,
    /// The call table.
    Calls,
    /// The call view: ladder and message.
    CallView,
    /// The raw message on the full screen.
    Raw,
    /// Two messages side by side.
    Diff,
    /// The Stats tab.
    Stats,
    /// The Capture tab.
    Capture,
    /// A list to scroll: help, explanation.
    Popup,
}

/// One key of one context.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// The keys, several with spaces between: `"j down"`, `"ctrl-d"`, `"f2"`, `"enter"`, `"space"`, `"shift-tab"`.
    pub keys: &'static str,
    /// What it means.
    pub action: Action,
    /// What the help says, as a verb ("show SDP").
    pub text: &'static str,
    /// A word for the hint bar; empty to stay out of it.
    pub hint: &'static str,
}
