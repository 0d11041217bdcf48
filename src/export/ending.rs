//! How a call ended, in words.

use crate::track::call::{Call, CallState};

/// `in call`, `failed 486`, `challenged 401`.
pub(super) fn state(call: &Call) -> String {
    let name = call.state.name().replace('_', " ");
    let status_tells =
        matches!(call.state, CallState::Failed | CallState::Redirected | CallState::Challenged | CallState::Rejected);
    match call.status.filter(|_| status_tells) {
        Some(status) => format!("{name} {status}"),
        None => name,
    }
}

/// `callee hung up: Q.850;cause=16`, `486 Busy Here`; empty while there is nothing to tell.
pub(super) fn why(call: &Call) -> String {
    let status = call.status.map(|status| format!("{status} {}", call.reason).trim_end().to_owned());
    let who = match (call.state, call.ended_by) {
        (CallState::Completed, Some(by)) => Some(format!("{} hung up", by.name())),
        (CallState::Cancelled, Some(by)) => Some(format!("{} cancelled", by.name())),
        (CallState::Cancelled, None) => Some("cancelled".to_owned()),
        (CallState::Timeout, _) => Some("no final response".to_owned()),
        (CallState::Failed | CallState::Redirected | CallState::Challenged | CallState::Rejected, _) => status.clone(),
        _ => None,
    };
    let cause = call.cause.as_deref().filter(|cause| status.as_deref() != Some(*cause));
    match (who, cause) {
        (Some(who), Some(cause)) => format!("{who}: {cause}"),
        (Some(who), None) => who,
        (None, Some(cause)) => cause.to_owned(),
        (None, None) => String::new(),
    }
}
