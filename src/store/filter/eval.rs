//! Whether a call matches a filter.

use std::net::IpAddr;

use super::fields::{Field, Id};
use super::lexer::Operator;
use super::parser::{Expression, Test};
use crate::packet::Endpoint;
use crate::sip::message::unfold;
use crate::store::audio::Audio;
use crate::store::rows::Rows;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, Party};
use crate::track::stream::Stream;

/// What a call is looked at with: its streams, and the time that running durations count to.
#[derive(Clone, Copy)]
pub(super) struct With<'a> {
    pub streams: &'a Rows<Stream>,
    pub now: Option<Timestamp>,
}

pub(super) fn matches(expression: &Expression, call: &Call, with: With<'_>) -> bool {
    match expression {
        Expression::And(parts) => parts.iter().all(|part| matches(part, call, with)),
        Expression::Or(parts) => parts.iter().any(|part| matches(part, call, with)),
        Expression::Not(inner) => !matches(inner, call, with),
        Expression::Contains(text) => row_contains(call, text),
        Expression::Compare(field, test) => compare(field, test, call, with),
    }
}

pub(super) fn asks_streams(expression: &Expression) -> bool {
    match expression {
        Expression::And(parts) | Expression::Or(parts) => parts.iter().any(asks_streams),
        Expression::Not(inner) => asks_streams(inner),
        Expression::Contains(_) => false,
        Expression::Compare(field, _) => {
            matches!(field, Field::Row(row) if matches!(row.id, Id::Mos | Id::Jitter | Id::Loss))
        }
    }
}

/// Case folds ASCII only: what phone systems write in the columns of a row.
pub(super) fn contains(haystack: &str, lower: &str) -> bool {
    let (haystack, needle) = (haystack.as_bytes(), lower.as_bytes());
    let Some(first) = needle.first() else { return true };
    let upper = first.to_ascii_uppercase();
    memchr::memchr2_iter(*first, upper, haystack)
        .any(|at| haystack.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle)))
}

pub(super) fn row_contains(call: &Call, lower: &str) -> bool {
    let party =
        |party: &Party| contains(&party.user, lower) || contains(&party.uri, lower) || contains(&party.display, lower);
    let endpoint = |endpoint: Endpoint| contains(&endpoint.to_string(), lower);
    party(&call.from)
        || party(&call.to)
        || contains(&call.call_id, lower)
        || contains(call.method.as_str(), lower)
        || contains(call.state.name(), lower)
        || contains(&call.reason, lower)
        || call.cause.as_deref().is_some_and(|cause| contains(cause, lower))
        || call.subscription.as_ref().is_some_and(|sub| contains(&sub.resource, lower) || contains(&sub.event, lower))
        || call.identities.user_agent.as_deref().is_some_and(|agent| contains(agent, lower))
        || call.codecs.iter().any(|codec| contains(codec, lower))
        || call.status.is_some_and(|status| contains(&status.to_string(), lower))
        || endpoint(call.src)
        || endpoint(call.dst)
}

pub(super) fn compare(field: &Field, test: &Test, call: &Call, with: With<'_>) -> bool {
    match test {
        Test::Number(operator, wanted) => {
            number(field, call, with).is_some_and(|value| in_order(value, *operator, *wanted))
        }
        Test::Network(ip, bits, wanted) => {
            addresses(field, call, &mut |endpoint| in_network(endpoint.ip, *ip, *bits)) == *wanted
        }
        Test::Text(text, wanted) => texts(field, call, with, &mut |value| value.to_lowercase() == *text) == *wanted,
        Test::Regex(regex, wanted) => texts(field, call, with, &mut |value| regex.is_match(value)) == *wanted,
    }
}

pub(super) fn in_order(value: f64, operator: Operator, wanted: f64) -> bool {
    match operator {
        Operator::Equal => value == wanted,
        Operator::NotEqual => value != wanted,
        Operator::Less => value < wanted,
        Operator::LessOrEqual => value <= wanted,
        Operator::Greater => value > wanted,
        Operator::GreaterOrEqual => value >= wanted,
        Operator::Matches | Operator::MatchesNot => false,
    }
}

pub(super) fn in_network(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    let prefix = |value: u128, width: u32| value.checked_shr(width - u32::from(bits)).unwrap_or(0);
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => prefix(u32::from(a).into(), 32) == prefix(u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => prefix(a.into(), 128) == prefix(b.into(), 128),
        _ => false,
    }
}

fn addresses(field: &Field, call: &Call, test: &mut dyn FnMut(Endpoint) -> bool) -> bool {
    let Field::Row(row) = field else { return false };
    match row.id {
        Id::Source => test(call.src),
        Id::Destination => test(call.dst),
        Id::Address => {
            test(call.src) || test(call.dst) || call.messages.iter().any(|m| test(m.flow.src) || test(m.flow.dst))
        }
        _ => false,
    }
}

fn number(field: &Field, call: &Call, with: With<'_>) -> Option<f64> {
    let Field::Row(row) = field else { return None };
    let now = with.now.unwrap_or(call.last);
    let millis = |elapsed: Option<Elapsed>| elapsed.map(Elapsed::millis);
    match row.id {
        Id::Status => call.status.map(|status| status as f64),
        Id::Messages => Some(call.message_count as f64),
        Id::Retransmissions => Some(call.retransmissions as f64),
        Id::Branches => Some(f64::from(call.branches)),
        Id::Pdd => millis(call.timing.pdd),
        Id::Setup => millis(call.timing.setup),
        Id::Ring => millis(call.timing.ring),
        Id::Talk => call.talk(now).map(Elapsed::seconds),
        Id::Mos => Audio::of(call, with.streams, now).score.map(|(score, _)| score.mos),
        Id::Jitter => Audio::of(call, with.streams, now).jitter_p95,
        Id::Loss => Audio::of(call, with.streams, now).lost_percent,
        _ => None,
    }
}

/// Whether any text of the field passes the test.
fn texts(field: &Field, call: &Call, with: With<'_>, test: &mut dyn FnMut(&str) -> bool) -> bool {
    let row = match field {
        Field::Header(name) => {
            return call.messages.iter().any(|m| {
                m.sip.headers().any(|(_, written, value)| written.eq_ignore_ascii_case(name) && test(&unfold(value)))
            });
        }
        Field::Row(row) => row,
    };
    let party = |party: &Party, test: &mut dyn FnMut(&str) -> bool| {
        test(&party.user) || test(&party.uri) || (!party.display.is_empty() && test(&party.display))
    };
    let some =
        |text: &Option<std::sync::Arc<str>>, test: &mut dyn FnMut(&str) -> bool| text.as_deref().is_some_and(test);
    match row.id {
        Id::Call => test(&call.call_id),
        Id::From => party(&call.from, test),
        Id::To => party(&call.to, test),
        Id::User => party(&call.from, test) || party(&call.to, test),
        Id::Source | Id::Destination | Id::Address => {
            addresses(field, call, &mut |endpoint| test(&endpoint.to_string()) || test(&endpoint.ip.to_string()))
        }
        Id::Method => test(call.method.as_str()),
        Id::Kind => test(call.kind.name()),
        Id::State => test(call.state.name()),
        Id::Reason => test(&call.reason),
        Id::Cause => some(&call.cause, test),
        Id::EndedBy => call.ended_by.is_some_and(|by| test(by.name())),
        Id::Transport => test(call.transport.name()),
        Id::Codec => call.codecs.iter().any(|codec| test(codec)),
        Id::Agent => some(&call.identities.user_agent, test) || some(&call.identities.server, test),
        Id::Asserted => some(&call.identities.asserted, test),
        Id::Diversion => some(&call.identities.diversion, test),
        Id::Event => call.subscription.as_ref().is_some_and(|sub| test(&sub.event)),
        Id::Resource => call.subscription.as_ref().is_some_and(|sub| test(&sub.resource)),
        Id::Payload => call.messages.iter().any(|m| test(&String::from_utf8_lossy(m.sip.bytes()))),
        _ => number(field, call, with).is_some_and(|value| test(&value.to_string())),
    }
}
