//! The columns of the call table.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use super::sound::{audio_key, jitter, loss, mos, mos_key};
use super::standing::{glyph_of, state_text};
use super::{CellContext, Column, Fit, Sort};
use crate::packet::Endpoint;
use crate::time::Timestamp;
use crate::track::call::{Call, EndedBy, Fact};
use crate::tui::format;
use crate::tui::theme::{Glyph, Role};

type Cell = fn(&Call, &CellContext<'_>, &mut String) -> Role;

/// Every column of the call table, in the order they stand in unless chosen otherwise.
pub const COLUMNS: &[Column] = &[
    column(
        "st",
        "St",
        "how it stands, at a glance; ✓ is a mark",
        (2, 2, 2),
        0,
        Fit::Left,
        Sort::Number(state_rank),
        state_glyph,
    ),
    column("time", "Time", "first message", (8, 8, 8), 5, Fit::Left, Sort::Number(|c| Some(nanos(c.started))), time),
    column(
        "method",
        "Method",
        "method of the first request",
        (9, 9, 9),
        1,
        Fit::Left,
        Sort::Text(|c| c.method.as_str().into()),
        method,
    ),
    column(
        "from",
        "From",
        "user of the From header",
        (8, 12, 26),
        2,
        Fit::Left,
        Sort::Text(|c| borrowed(&c.from.user)),
        from,
    ),
    column("to", "To", "user of the To header", (8, 12, 26), 3, Fit::Left, Sort::Text(|c| borrowed(&c.to.user)), to),
    column(
        "src",
        "Source",
        "sender of the first request",
        (15, 15, 21),
        21,
        Fit::Tail,
        Sort::Number(|c| address(c.src)),
        source,
    ),
    column(
        "dst",
        "Destination",
        "receiver of the first request",
        (15, 15, 21),
        22,
        Fit::Tail,
        Sort::Number(|c| address(c.dst)),
        destination,
    ),
    column(
        "state",
        "State",
        "where it stands, and who ended it",
        (8, 18, 32),
        4,
        Fit::Left,
        Sort::Number(state_rank),
        state,
    ),
    column(
        "pdd",
        "PDD",
        "post-dial delay",
        (6, 6, 6),
        7,
        Fit::Right,
        Sort::Number(|c| c.timing.pdd.map(|t| t.nanos().max(0) as u64)),
        pdd,
    ),
    column(
        "talk",
        "Talk",
        "time talked",
        (7, 7, 8),
        20,
        Fit::Right,
        Sort::Running(|c, now| c.talk(now).map(|t| t.nanos().max(0) as u64)),
        talk,
    ),
    column(
        "mos",
        "MOS",
        "lowest MOS of its audio now; ~ no published value",
        (4, 4, 4),
        12,
        Fit::Right,
        Sort::Audio(mos_key),
        mos,
    ),
    column(
        "jit95",
        "Jit95",
        "greatest jitter of its audio, 95th percentile, ms",
        (5, 5, 5),
        14,
        Fit::Right,
        Sort::Audio(|audio| audio_key(audio.jitter_p95)),
        jitter,
    ),
    column(
        "loss",
        "Loss",
        "greatest loss of its audio",
        (5, 5, 5),
        13,
        Fit::Right,
        Sort::Audio(|audio| audio_key(audio.lost_percent)),
        loss,
    ),
    column(
        "msgs",
        "Msgs",
        "messages, retransmissions included",
        (4, 4, 5),
        6,
        Fit::Right,
        Sort::Number(|c| Some(c.message_count)),
        msgs,
    ),
    column(
        "alert",
        "!",
        "retransmissions, resets, unreachable peers",
        (1, 1, 1),
        8,
        Fit::Left,
        Sort::Number(|c| Some(alert_rank(c))),
        alert,
    ),
    extra("callid", "Call-ID", "Call-ID", (10, 20, 44), Fit::Left, Sort::Text(|c| borrowed(&c.call_id)), call_id),
    extra("codec", "Codec", "negotiated codecs", (5, 8, 16), Fit::Left, Sort::Text(codec_text), codec),
    extra(
        "ua",
        "User-Agent",
        "User-Agent of the first request",
        (8, 16, 30),
        Fit::Left,
        Sort::Text(|c| optional(c.identities.user_agent.as_ref())),
        user_agent,
    ),
    extra(
        "pai",
        "P-Asserted-Id",
        "P-Asserted-Identity",
        (8, 16, 40),
        Fit::Left,
        Sort::Text(|c| optional(c.identities.asserted.as_ref())),
        asserted,
    ),
    extra(
        "diversion",
        "Diversion",
        "who forwarded it",
        (8, 16, 40),
        Fit::Left,
        Sort::Text(|c| optional(c.identities.diversion.as_ref())),
        diversion,
    ),
    extra(
        "status",
        "Status",
        "status that explains the state",
        (6, 6, 6),
        Fit::Right,
        Sort::Number(|c| c.status),
        status,
    ),
    extra(
        "setup",
        "Setup",
        "INVITE to its 2xx",
        (6, 6, 6),
        Fit::Right,
        Sort::Number(|c| c.timing.setup.map(|t| t.nanos().max(0) as u64)),
        setup,
    ),
    extra(
        "ring",
        "Ring",
        "ringing to the answer",
        (6, 6, 6),
        Fit::Right,
        Sort::Number(|c| c.timing.ring.map(|t| t.nanos().max(0) as u64)),
        ring,
    ),
    extra(
        "retrans",
        "Rtx",
        "retransmissions",
        (4, 4, 5),
        Fit::Right,
        Sort::Number(|c| Some(c.retransmissions)),
        retransmissions,
    ),
    extra(
        "transport",
        "Tpt",
        "udp, tcp, tls, ws",
        (3, 3, 3),
        Fit::Left,
        Sort::Text(|c| c.transport.name().into()),
        transport,
    ),
    extra(
        "date",
        "Date",
        "day of the first message",
        (10, 10, 10),
        Fit::Left,
        Sort::Number(|c| Some(nanos(c.started))),
        date,
    ),
    extra(
        "cause",
        "Cause",
        "why it ended, in the wire's words",
        (8, 20, 60),
        Fit::Left,
        Sort::Text(|c| optional(c.cause.as_ref())),
        cause,
    ),
    extra(
        "ended",
        "Ended by",
        "who hung up",
        (8, 8, 8),
        Fit::Left,
        Sort::Text(|c| c.ended_by.map_or("", EndedBy::name).into()),
        ended_by,
    ),
    extra(
        "branches",
        "Br",
        "branches of a fork",
        (2, 2, 3),
        Fit::Right,
        Sort::Number(|c| Some(u64::from(c.branches))),
        branches,
    ),
];

#[expect(clippy::too_many_arguments, reason = "a row of a table, one argument a field")]
const fn column(
    id: &'static str,
    header: &'static str,
    about: &'static str,
    widths: (u16, u16, u16),
    priority: u8,
    fit: Fit,
    sort: Sort,
    cell: Cell,
) -> Column {
    Column { id, header, about, widths, priority, on: true, fit, sort, cell }
}

/// A column that is shown only when chosen; then it goes before those of less importance.
const fn extra(
    id: &'static str,
    header: &'static str,
    about: &'static str,
    widths: (u16, u16, u16),
    fit: Fit,
    sort: Sort,
    cell: Cell,
) -> Column {
    Column { id, header, about, widths, priority: 10, on: false, fit, sort, cell }
}

fn nanos(at: Timestamp) -> u64 {
    // The sign bit flipped: times before 1970 stay before the others.
    (at.nanos() as u64) ^ (1 << 63)
}

fn borrowed(text: &Arc<str>) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn optional(text: Option<&Arc<str>>) -> Cow<'_, str> {
    text.map_or(Cow::Borrowed(""), |text| Cow::Borrowed(text))
}

/// IPv4 addresses by number and then port; IPv6 ones behind them by their upper half.
fn address(end: Endpoint) -> Option<u64> {
    Some(match end.ip {
        IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(end.port),
        IpAddr::V6(ip) => (1 << 63) | (ip.to_bits() >> 65) as u64,
    })
}

/// Problems first, then what is up, then what is over.
fn state_rank(call: &Call) -> Option<u64> {
    let rank = match glyph_of(call.state).0 {
        Glyph::Failed => 0,
        Glyph::Challenged => 1,
        Glyph::Waiting => 2,
        Glyph::Progress => 3,
        Glyph::Up => 4,
        Glyph::Subscribed => 5,
        _ => 6,
    };
    Some(rank << 32 | call.status.unwrap_or(0).min(u64::from(u32::MAX)))
}

/// 0 for nothing, 1 for retransmissions, 2 for a reset connection or an unreachable peer.
fn alert_rank(call: &Call) -> u64 {
    let broken = |fact: &Fact| match fact {
        Fact::Tcp(fact) => fact.kind.is_reset(),
        Fact::Icmp(_) => true,
    };
    if call.facts.iter().any(broken) { 2 } else { u64::from(call.retransmissions > 0) }
}

fn state_glyph(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    let (glyph, role) = glyph_of(call.state);
    out.push_str(cell.theme.glyph(glyph));
    role
}

fn time(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&cell.zone.format(call.started, "%H:%M:%S"));
    Role::Dim
}

fn date(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&cell.zone.format(call.started, "%Y-%m-%d"));
    Role::Dim
}

fn method(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(call.method.as_str());
    Role::Text
}

fn from(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&call.from.user);
    Role::Text
}

fn to(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&call.to.user);
    Role::Text
}

fn source(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    endpoint(call.src, cell.width, out)
}

fn destination(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    endpoint(call.dst, cell.width, out)
}

/// With its port where the column is wide enough for every IPv4 address.
fn endpoint(end: Endpoint, width: u16, out: &mut String) -> Role {
    let _ = if width >= 21 { write!(out, "{end}") } else { write!(out, "{}", end.ip) };
    Role::Dim
}

fn state(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    state_text(call, cell.now, out);
    glyph_of(call.state).1
}

fn delay_cell(delay: Option<crate::time::Elapsed>, out: &mut String) -> Role {
    if let Some(delay) = delay {
        format::delay(out, delay);
    }
    Role::Text
}

fn pdd(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    delay_cell(call.timing.pdd, out)
}

fn setup(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    delay_cell(call.timing.setup, out)
}

fn ring(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    delay_cell(call.timing.ring, out)
}

fn talk(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    if let Some(talk) = call.talk(cell.now) {
        format::duration(out, talk);
    }
    Role::Text
}

fn msgs(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    format::count(out, call.message_count);
    Role::Text
}

fn alert(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    let (glyph, role) = match alert_rank(call) {
        0 => return Role::Text,
        1 => (Glyph::Warning, Role::Warn),
        _ => (Glyph::Cross, Role::Bad),
    };
    out.push_str(cell.theme.glyph(glyph));
    role
}

fn call_id(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&call.call_id);
    Role::Dim
}

fn codec_text(call: &Call) -> Cow<'_, str> {
    Cow::Owned(call.codecs.join(","))
}

fn codec(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&codec_text(call));
    Role::Text
}

fn user_agent(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&optional(call.identities.user_agent.as_ref()));
    Role::Text
}

fn asserted(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&optional(call.identities.asserted.as_ref()));
    Role::Text
}

fn diversion(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&optional(call.identities.diversion.as_ref()));
    Role::Text
}

fn status(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    if let Some(status) = call.status {
        let _ = write!(out, "{status}");
    }
    Role::Text
}

fn retransmissions(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    if call.retransmissions > 0 {
        format::count(out, call.retransmissions);
    }
    Role::Warn
}

fn transport(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(call.transport.name());
    Role::Dim
}

fn cause(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&optional(call.cause.as_ref()));
    Role::Text
}

fn ended_by(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(call.ended_by.map_or("", EndedBy::name));
    Role::Text
}

fn branches(call: &Call, _: &CellContext<'_>, out: &mut String) -> Role {
    if call.branches > 1 {
        let _ = write!(out, "{}", call.branches);
    }
    Role::Text
}
