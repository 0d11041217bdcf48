//! How a call ended and where it stands, in a few words.

use crate::text::visible;
use crate::time::Elapsed;
use crate::track::call::{Call, CallState, EndedBy};
use crate::tui::theme::Role;

/// `0:42`, `1:02:03`.
pub(super) fn duration(elapsed: Elapsed) -> String {
    let seconds = elapsed.whole_seconds().max(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// `206 → 208`, or the method and one party where there are no two.
pub(super) fn parties(call: &Call) -> String {
    let name = |user: &str| if user.is_empty() { "?".to_owned() } else { visible(user).into_owned() };
    format!("{} → {}", name(&call.from.user), name(&call.to.user))
}

/// Who ended a call and why; `None` while it goes on, and where there is nothing to say.
pub(super) fn sentence(call: &Call) -> Option<(String, Role)> {
    let who = match call.ended_by {
        Some(EndedBy::Caller) => format!("{} (caller)", visible(&call.from.user)),
        Some(EndedBy::Callee) => format!("{} (callee)", visible(&call.to.user)),
        Some(EndedBy::Network) => "the network".to_owned(),
        None => String::new(),
    };
    let after = |verb: &str, since: Option<Elapsed>| match since {
        Some(since) => format!("{verb} after {}", duration(since)),
        None => verb.to_owned(),
    };
    let until = |since| call.ended.or(call.timing.hung_up).map(|end| end.since(since));
    let status = status(call);
    let (text, role) = match call.state {
        CallState::Completed if who.is_empty() => (after("ended", call.talk(call.last)), Role::Dim),
        CallState::Completed => (format!("{who} {}", after("hung up", call.talk(call.last))), Role::Good),
        CallState::Cancelled if who.is_empty() => (after("cancelled", until(call.started)), Role::Warn),
        CallState::Cancelled => (format!("{who} {}", after("gave up", until(call.started))), Role::Warn),
        CallState::Failed | CallState::Rejected => (format!("failed: {status}"), Role::Bad),
        CallState::Redirected => (format!("redirected: {status}"), Role::Warn),
        CallState::Challenged => (format!("{status}: no new attempt with credentials"), Role::Warn),
        CallState::Timeout => ("no final response: timed out".to_owned(), Role::Bad),
        CallState::Expired => ("expired without a refresh".to_owned(), Role::Warn),
        CallState::Terminated => ("subscription terminated".to_owned(), Role::Dim),
        CallState::Removed => ("binding removed".to_owned(), Role::Dim),
        _ => return None,
    };
    let cause = call.cause.as_deref().map(visible).filter(|cause| !cause.is_empty() && !text.contains(cause.as_ref()));
    let cause = cause.filter(|cause| *cause != status.as_str());
    Some((cause.map_or(text.clone(), |cause| format!("{text} · {cause}")), role))
}

/// Where a call stands: `in call 0:42`, `486 Busy Here`.
pub(super) fn standing(call: &Call, now: Option<crate::time::Timestamp>) -> String {
    let name = call.state.name().replace('_', " ");
    match call.state {
        CallState::InCall | CallState::Answered | CallState::Completed => {
            let talk = call.talk(now.unwrap_or(call.last));
            talk.map_or(name.clone(), |talk| format!("{name} {}", duration(talk)))
        }
        CallState::Failed | CallState::Rejected | CallState::Redirected | CallState::Challenged => status(call),
        _ => name,
    }
}

fn status(call: &Call) -> String {
    match call.status {
        Some(status) => format!("{status} {}", visible(&call.reason)).trim_end().to_owned(),
        None => call.state.name().replace('_', " "),
    }
}
