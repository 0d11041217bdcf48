//! Where a call stands, as a glyph and in words.

use std::fmt::Write;

use crate::time::Timestamp;
use crate::track::call::{Call, CallState};
use crate::tui::format;
use crate::tui::theme::{Glyph, Role};

/// The state as a glyph.
pub fn glyph_of(state: CallState) -> (Glyph, Role) {
    use CallState as S;
    match state {
        S::Setup | S::Pending | S::Requested => (Glyph::Waiting, Role::Progress),
        S::Ringing | S::SubPending => (Glyph::Progress, Role::Progress),
        S::Answered | S::InCall | S::Registered => (Glyph::Up, Role::Good),
        S::Completed | S::Cancelled | S::Removed | S::Terminated => (Glyph::Done, Role::Text),
        S::Ok => (Glyph::Done, Role::Good),
        S::Redirected => (Glyph::Done, Role::Progress),
        S::Failed | S::Timeout | S::Rejected | S::Expired => (Glyph::Failed, Role::Bad),
        S::Challenged => (Glyph::Challenged, Role::Warn),
        S::Accepted | S::Active => (Glyph::Subscribed, Role::Good),
        S::Orphan => (Glyph::Subscribed, Role::Warn),
    }
}

/// The state in words: `In call 0:42`, `486 Busy Here`, `Ended by caller`.
pub fn state_text(call: &Call, now: Timestamp, out: &mut String) {
    use CallState as S;
    let since = |out: &mut String, word: &str, from: Timestamp| {
        out.push_str(word);
        out.push(' ');
        format::duration(out, now.since(from));
    };
    match call.state {
        S::Setup => since(out, "Calling", call.started),
        S::Ringing => since(out, "Ringing", call.started),
        S::Answered => out.push_str("Answered, no ACK"),
        S::InCall => since(out, "In call", call.timing.answered.unwrap_or(call.started)),
        S::Completed => match call.ended_by {
            Some(who) => {
                let _ = write!(out, "Ended by {}", who.name());
            }
            None => out.push_str("Completed"),
        },
        S::Cancelled => out.push_str("Cancelled"),
        S::Failed | S::Redirected | S::Rejected => status_text(call, out),
        S::Challenged => {
            let _ = write!(out, "Challenged {}", call.status.unwrap_or(401));
        }
        S::Timeout => out.push_str("No final response"),
        S::Pending => since(out, "Waiting", call.started),
        S::Ok => status_text(call, out),
        S::Registered => out.push_str("Registered"),
        S::Removed => out.push_str("Unregistered"),
        S::Requested => since(out, "Requested", call.started),
        S::Accepted => out.push_str("Accepted, no NOTIFY"),
        S::SubPending => out.push_str("Pending"),
        S::Active => active_text(call, now, out),
        S::Terminated => {
            out.push_str("Terminated");
            if let Some(reason) = call.subscription.as_ref().and_then(|s| s.reason.as_ref()) {
                let _ = write!(out, ": {reason}");
            }
        }
        S::Expired => out.push_str("Expired"),
        S::Orphan => out.push_str("No SUBSCRIBE seen"),
    }
}

fn active_text(call: &Call, now: Timestamp, out: &mut String) {
    out.push_str("Active");
    let left = call.subscription.as_ref().and_then(|s| s.expires_at).map(|at| at.since(now));
    if let Some(left) = left.filter(|left| left.nanos() > 0) {
        out.push(' ');
        format::duration(out, left);
    }
}

fn status_text(call: &Call, out: &mut String) {
    match call.status {
        Some(status) => {
            let _ = write!(out, "{status} {}", call.reason);
        }
        None => out.push_str(call.state.name()),
    }
}
