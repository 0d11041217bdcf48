//! What the screen may ask of a running engine.

use std::sync::Arc;

use super::save::SaveRequest;
use crate::store::snapshot::Snapshot;
use crate::track::call::CallKey;

/// An order to the engine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Forget these calls.
    Forget(Vec<CallKey>),
    /// Forget all calls and streams, and start counting anew.
    ForgetAll,
    /// Save packets or messages to a file, as somebody asked for who saw this. How it went is told by [`Handle::saved`](super::Handle::saved).
    Save(SaveRequest, Arc<Snapshot>),
    /// End without working off what still waits.
    Stop,
}
