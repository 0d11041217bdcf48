//! Whether a stream matches a filter.

use super::eval::{self, With};
use super::fields::{Field, Id};
use super::parser::{Expression, Test};
use crate::packet::Endpoint;
use crate::track::call::Call;
use crate::track::stream::Stream;

pub(super) fn matches(expression: &Expression, stream: &Stream, call: Option<&Call>, with: With<'_>) -> bool {
    let part = |part: &Expression| matches(part, stream, call, with);
    match expression {
        Expression::And(parts) => parts.iter().all(part),
        Expression::Or(parts) => parts.iter().any(part),
        Expression::Not(inner) => !part(inner),
        Expression::Contains(text) => contains(stream, text) || call.is_some_and(|call| eval::row_contains(call, text)),
        Expression::Compare(field, test) => match own(field) {
            Some(id) => compare(id, test, stream),
            None => match call {
                Some(call) => eval::compare(field, test, call, with),
                None => !asks_for(test),
            },
        },
    }
}

/// The name of the stream holds its addresses and its SSRC.
fn contains(stream: &Stream, lower: &str) -> bool {
    eval::contains(&stream.name(), lower) || stream.codec.as_deref().is_some_and(|codec| eval::contains(codec, lower))
}

/// The fields that a stream answers itself.
fn own(field: &Field) -> Option<Id> {
    match field {
        Field::Row(row) => {
            let addressed = matches!(row.id, Id::Source | Id::Destination | Id::Address | Id::Codec);
            (addressed || matches!(row.id, Id::Mos | Id::Jitter | Id::Loss)).then_some(row.id)
        }
        Field::Header(_) => None,
    }
}

/// False for what asks that something is not so.
fn asks_for(test: &Test) -> bool {
    match test {
        Test::Number(..) => true,
        Test::Network(_, _, wanted) | Test::Text(_, wanted) | Test::Regex(_, wanted) => *wanted,
    }
}

fn compare(id: Id, test: &Test, stream: &Stream) -> bool {
    let ends: &[Endpoint] = match id {
        Id::Source => &[stream.flow.src],
        Id::Destination => &[stream.flow.dst],
        Id::Address => &[stream.flow.src, stream.flow.dst],
        _ => &[],
    };
    let texts = |test: &dyn Fn(&str) -> bool| {
        ends.iter().any(|end| test(&end.to_string()) || test(&end.ip.to_string()))
            || (id == Id::Codec && stream.codec.as_deref().is_some_and(test))
    };
    match test {
        Test::Number(operator, wanted) => {
            figure(id, stream).is_some_and(|value| eval::in_order(value, *operator, *wanted))
        }
        Test::Network(ip, bits, wanted) => ends.iter().any(|end| eval::in_network(end.ip, *ip, *bits)) == *wanted,
        Test::Text(text, wanted) => texts(&|value| value.to_lowercase() == *text) == *wanted,
        Test::Regex(regex, wanted) => texts(&|value| regex.is_match(value)) == *wanted,
    }
}

/// A figure of the whole stream: MOS, the 95th percentile of the jitter in ms, loss in percent.
fn figure(id: Id, stream: &Stream) -> Option<f64> {
    let quality = &stream.quality;
    match id {
        Id::Mos => quality.score.map(|score| score.mos),
        Id::Jitter => quality.jitter_percentiles.map(|jitter| jitter.p95),
        Id::Loss => quality.lost_percent(),
        _ => None,
    }
}
