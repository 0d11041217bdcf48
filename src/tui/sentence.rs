//! One sentence on a call: what happened, who ended it, and why.

use std::fmt::Write;

use crate::event::TcpSign;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKind, CallState, EndedBy, Fact};

use super::format;
use super::table::standing::state_text;

/// What is most worth knowing about a call.
pub fn of(call: &Call, now: Timestamp) -> String {
    let mut out = String::new();
    match call.kind {
        CallKind::Invite => invite(call, now, &mut out),
        CallKind::Subscribe => subscription(call, now, &mut out),
        _ => request(call, now, &mut out),
    }
    broken(call, &mut out);
    if call.retransmissions > 0 {
        let times = if call.retransmissions == 1 { "retransmission" } else { "retransmissions" };
        let _ = write!(out, "; {} {times}", call.retransmissions);
    }
    out
}

fn invite(call: &Call, now: Timestamp, out: &mut String) {
    let (from, to) = (&call.from.user, &call.to.user);
    let _ = write!(out, "{from} → {to}: ");
    let who = call.ended_by.map(|by| match by {
        EndedBy::Caller => "caller",
        EndedBy::Callee => "callee",
        EndedBy::Network => "the network",
    });
    match call.state {
        CallState::Completed => {
            let _ = match who {
                None => write!(out, "ended"),
                Some(who) => write!(out, "{who} hung up"),
            };
            if let Some(talk) = call.talk(now) {
                out.push_str(" after ");
                format::duration(out, talk);
            }
            cause(call, out);
            answered_in(call, out);
        }
        CallState::Cancelled => {
            let _ = match who {
                None => write!(out, "given up before the answer"),
                Some(who) => write!(out, "{who} gave up before the answer"),
            };
        }
        CallState::Failed | CallState::Redirected => {
            state_text(call, now, out);
        }
        CallState::Timeout => out.push_str("no final response came"),
        CallState::Challenged => out.push_str("the server asked for a password, and no new INVITE followed"),
        _ => {
            state_text(call, now, out);
            answered_in(call, out);
        }
    }
    if call.state != CallState::Completed {
        cause(call, out);
    }
    if call.branches > 1 {
        let _ = write!(out, "; forked to {} branches", call.branches);
    }
}

fn answered_in(call: &Call, out: &mut String) {
    if let Some(setup) = call.timing.setup {
        out.push_str(", answered in ");
        format::delay(out, setup);
    }
}

fn cause(call: &Call, out: &mut String) {
    if let Some(cause) = call.cause.as_deref().filter(|cause| !cause.is_empty()) {
        let known = call.status.is_some_and(|status| cause.starts_with(&status.to_string()));
        if !(known && matches!(call.state, CallState::Failed | CallState::Redirected | CallState::Rejected)) {
            let _ = write!(out, " ({})", told(cause));
        }
    }
}

/// What a Reason or Warning header tells people: its quoted text if it has one, and the cause's number.
fn told(cause: &str) -> String {
    let quoted = cause.split_once("text=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(text, _)| text);
    let number = cause.split(';').find_map(|part| part.trim().strip_prefix("cause="));
    let protocol = cause.split(';').next().unwrap_or_default().trim();
    match (quoted.filter(|text| !text.is_empty()), number) {
        (Some(text), Some(number)) => format!("{text}, {protocol} {number}"),
        (Some(text), None) => text.to_owned(),
        _ => cause.to_owned(),
    }
}

fn subscription(call: &Call, now: Timestamp, out: &mut String) {
    let watcher = &call.from.user;
    match &call.subscription {
        Some(info) => {
            let _ = write!(out, "{watcher} watches {} ({}): ", info.resource, info.event);
        }
        None => {
            let _ = write!(out, "{watcher} → {}: ", call.to.user);
        }
    }
    state_text(call, now, out);
    match call.subscription.as_ref().map(|info| info.notifies) {
        Some(0) => out.push_str(", no NOTIFY seen"),
        Some(1) => out.push_str(", 1 NOTIFY"),
        Some(n) => {
            let _ = write!(out, ", {n} NOTIFYs");
        }
        None => {}
    }
    cause(call, out);
}

fn request(call: &Call, now: Timestamp, out: &mut String) {
    let _ = match call.kind {
        CallKind::Register => write!(out, "{} registers: ", call.to.user),
        _ => write!(out, "{} {} → {}: ", call.method, call.from.user, call.to.user),
    };
    state_text(call, now, out);
    if call.timing.challenges > 0 && call.state != CallState::Challenged {
        let _ = write!(
            out,
            " after {} challenge{}",
            call.timing.challenges,
            if call.timing.challenges == 1 { "" } else { "s" }
        );
    }
    cause(call, out);
}

fn broken(call: &Call, out: &mut String) {
    for fact in call.facts.iter() {
        match fact {
            Fact::Tcp(fact) if fact.kind.is_reset() => {
                let _ = match fact.kind {
                    TcpSign::Unknown => write!(out, "; TCP lost (RST) at {}", fact.flow.src),
                    TcpSign::Refused => write!(out, "; {} refuses TCP (RST)", fact.flow.src),
                    _ => write!(out, "; TCP reset by {}", fact.flow.src),
                };
                return;
            }
            Fact::Icmp(fact) => {
                let _ = write!(out, "; ICMP {} from {}", fact.what, fact.reporter);
                if fact.reporter != fact.quoted.dst.ip {
                    let _ = write!(out, " about {}", fact.quoted.dst);
                }
                return;
            }
            Fact::Tcp(_) => {}
        }
    }
}
