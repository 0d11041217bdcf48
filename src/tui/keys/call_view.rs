//! Keys of the call view, the raw message and the comparison.

use super::{Binding, Context};
use crate::tui::action::Action;
use crate::tui::pane::call_view::CallViewAction;

/// The keys of the call view.
pub const BINDINGS: &[Binding] = &[Binding {
    context: Context::CallView,
    keys: "esc q",
    action: Action::CallView(CallViewAction::Back),
    text: "back",
    hint: "back",
}];
