//! The call view: the ladder, and what is selected beside it.

/// What the user meant within the call view.
#[derive(Clone, Debug, PartialEq)]
pub enum CallViewAction {
    /// Select the message this many rows further down (up when negative).
    Move(i32),
}
