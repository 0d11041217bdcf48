//! What the screen may ask of a running engine.

use super::save::SaveRequest;
use crate::track::call::CallKey;

/// An order to the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Forget these calls.
    Forget(Vec<CallKey>),
    /// Forget all calls and streams, and start counting anew.
    ForgetAll,
    /// Save packets or messages to a file. How it went is told by [`Handle::saved`](super::Handle::saved).
    Save(SaveRequest),
    /// End without working off what still waits.
    Stop,
}
