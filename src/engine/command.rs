//! What the screen may ask of a running engine.

use crate::track::call::CallKey;

/// An order to the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Forget these calls.
    Forget(Vec<CallKey>),
    /// Forget all calls and streams, and start counting anew.
    ForgetAll,
    /// End without working off what still waits.
    Stop,
}
