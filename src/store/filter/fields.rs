//! The fields that a filter can name.

use super::lexer::Operator;
use super::parser::{Expression, Test};

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Address,
}

/// One field, as the help lists it.
#[derive(Clone, Copy, Debug)]
pub struct FieldRow {
    /// The name, in lower case.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it holds.
    pub text: &'static str,
    pub(super) id: Id,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    Call,
    From,
    To,
    User,
    Source,
    Destination,
    Address,
    Method,
    Kind,
    State,
    Status,
    Reason,
    Cause,
    EndedBy,
    Transport,
    Codec,
    Agent,
    Asserted,
    Diversion,
    Event,
    Resource,
    Payload,
    Messages,
    Retransmissions,
    Branches,
    Pdd,
    Setup,
    Ring,
    Talk,
    Mos,
    Jitter,
    Loss,
}

const fn row(name: &'static str, aliases: &'static [&'static str], id: Id, kind: Kind, text: &'static str) -> FieldRow {
    FieldRow { name, aliases, text, id, kind }
}

/// All fields. `header.NAME` is one more: any header of any message.
pub const FIELDS: [FieldRow; 32] = [
    row("callid", &["call-id", "call_id", "id"], Id::Call, Kind::Text, "Call-ID"),
    row("from", &["caller"], Id::From, Kind::Text, "user, URI or display name of From"),
    row("to", &["callee"], Id::To, Kind::Text, "user, URI or display name of To"),
    row("user", &[], Id::User, Kind::Text, "From or To"),
    row("src", &["source"], Id::Source, Kind::Address, "address or address:port of the first sender; also a network"),
    row("dst", &["destination"], Id::Destination, Kind::Address, "address of the first receiver; also a network"),
    row(
        "ip",
        &["addr", "host"],
        Id::Address,
        Kind::Address,
        "any address of any message; also a network (10.1.0.0/16)",
    ),
    row("method", &[], Id::Method, Kind::Text, "method of the first request"),
    row(
        "kind",
        &["type"],
        Id::Kind,
        Kind::Text,
        "invite, subscribe, register, options, publish, message, refer, other",
    ),
    row("state", &[], Id::State, Kind::Text, "setup, ringing, in_call, completed, failed, …, as in the report"),
    row("status", &["code"], Id::Status, Kind::Number, "status that explains the state"),
    row("reason", &[], Id::Reason, Kind::Text, "reason phrase of that status"),
    row("cause", &[], Id::Cause, Kind::Text, "why it ended, in the wire's words"),
    row("endedby", &["ended_by"], Id::EndedBy, Kind::Text, "caller, callee, network"),
    row("transport", &["proto"], Id::Transport, Kind::Text, "udp, tcp, ws, tls, sctp"),
    row("codec", &["codecs"], Id::Codec, Kind::Text, "negotiated codecs"),
    row("ua", &["agent", "user-agent"], Id::Agent, Kind::Text, "User-Agent or Server of either side"),
    row("pai", &["asserted"], Id::Asserted, Kind::Text, "P-Asserted-Identity"),
    row("diversion", &[], Id::Diversion, Kind::Text, "Diversion"),
    row("event", &[], Id::Event, Kind::Text, "Event package of a subscription"),
    row("resource", &[], Id::Resource, Kind::Text, "what a subscription watches"),
    row("payload", &["msg", "body", "text"], Id::Payload, Kind::Text, "the whole text of any message"),
    row("msgs", &["messages"], Id::Messages, Kind::Number, "messages"),
    row("retrans", &["retransmissions"], Id::Retransmissions, Kind::Number, "retransmissions"),
    row("branches", &["forks"], Id::Branches, Kind::Number, "branches of a fork"),
    row("pdd", &[], Id::Pdd, Kind::Number, "post-dial delay, ms (2s for seconds)"),
    row("setup", &[], Id::Setup, Kind::Number, "setup time, ms (2s for seconds)"),
    row("ring", &[], Id::Ring, Kind::Number, "ring time, ms (20s for seconds)"),
    row("talk", &["duration"], Id::Talk, Kind::Number, "talk time, seconds (2m for minutes)"),
    row("mos", &[], Id::Mos, Kind::Number, "lowest MOS of its audio streams, now or of the whole call"),
    row("jitter", &["jit95"], Id::Jitter, Kind::Number, "greatest 95th percentile of its streams' jitter, ms"),
    row("loss", &["lost"], Id::Loss, Kind::Number, "greatest loss of its streams, percent"),
];

/// A field of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Field {
    Row(&'static FieldRow),
    Header(String),
}

impl Field {
    pub fn name(&self) -> &str {
        match self {
            Self::Row(row) => row.name,
            Self::Header(name) => name,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Row(row) => row.kind,
            Self::Header(_) => Kind::Text,
        }
    }

    /// What a value with this unit is multiplied by.
    pub fn unit(&self, unit: &str) -> Result<f64, String> {
        let seconds = matches!(self, Self::Row(FieldRow { id: Id::Talk, .. }));
        let timed =
            matches!(self, Self::Row(FieldRow { id: Id::Pdd | Id::Setup | Id::Ring | Id::Talk | Id::Jitter, .. }));
        let in_seconds = match unit {
            "" => return Ok(1.0),
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            _ => return Err(format!("\"{unit}\" is no unit; there are ms, s, m, h")),
        };
        match (timed, seconds) {
            (false, _) => Err(format!("{} has no unit", self.name())),
            (true, true) => Ok(in_seconds),
            (true, false) => Ok(in_seconds * 1_000.0),
        }
    }
}

pub(super) fn find(name: &str) -> Option<Field> {
    let name = name.to_ascii_lowercase();
    if let Some(header) = name.strip_prefix("header.").filter(|header| !header.is_empty()) {
        return Some(Field::Header(header.to_owned()));
    }
    FIELDS.iter().find(|row| row.name == name || row.aliases.contains(&name.as_str())).map(Field::Row)
}

/// The fields whose name begins with this word.
pub(super) fn beginning_with(word: &str) -> Vec<&'static str> {
    let word = word.to_ascii_lowercase();
    let names = FIELDS.iter().map(|row| row.name).chain(["header.NAME"]);
    names.filter(|name| name.to_ascii_lowercase().starts_with(&word)).collect()
}

/// Words that stand for a whole expression.
pub(super) fn shorthand(word: &str) -> Option<Expression> {
    let state = |name: &str| compare("state", Test::Text(name.to_owned(), true));
    match word {
        "problems" => Some(Expression::Or(vec![
            state("failed")?,
            state("timeout")?,
            state("rejected")?,
            compare("retrans", Test::Number(Operator::Greater, 0.0))?,
        ])),
        "up" => Some(Expression::Or(vec![state("in_call")?, state("answered")?, state("ringing")?])),
        _ => None,
    }
}

fn compare(field: &str, test: Test) -> Option<Expression> {
    Some(Expression::Compare(find(field)?, test))
}
