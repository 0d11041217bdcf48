//! The columns of the stream table.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use super::{CellContext, Column, Fit, Sort};
use crate::packet::Endpoint;
use crate::rtp::mos::{Scale, Score, Thresholds};
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::Call;
use crate::track::stream::Stream;
use crate::tui::format;
use crate::tui::theme::Role;
use crate::tui::verdict::{self, Life, Trouble};

type Cell = fn(&Stream, &CellContext<'_>, &mut String) -> Role;

/// The column that the pane draws itself, as its cells have colours of their own.
pub const MINUTE: &str = "minute";

/// Every column of the stream table, in the order they stand in unless chosen otherwise.
pub const COLUMNS: &[Column<Stream>] = &[
    column("st", "St", "runs, silent or over", (2, 2, 2), 0, Fit::Left, Sort::Among(life_rank), life),
    column("time", "Time", "first packet", (8, 8, 8), 23, Fit::Left, Sort::Number(|s| Some(nanos(s.first))), time),
    column("src", "From", "sender", (13, 15, 21), 1, Fit::Tail, Sort::Number(|s| address(s.flow.src)), source),
    column("dst", "To", "receiver", (13, 15, 21), 2, Fit::Tail, Sort::Number(|s| address(s.flow.dst)), destination),
    column(
        "ssrc",
        "SSRC",
        "synchronisation source",
        (8, 8, 8),
        22,
        Fit::Left,
        Sort::Number(|s| Some(s.ssrc.into())),
        ssrc,
    ),
    column("codec", "Codec", "codec of most packets", (5, 5, 10), 6, Fit::Left, Sort::Text(codec_text), codec),
    column("packets", "Packets", "packets seen", (7, 7, 7), 20, Fit::Right, Sort::Number(|s| Some(s.packets)), packets),
    column(
        "loss",
        "Loss",
        "lost on the way, of the packets expected",
        (6, 6, 6),
        3,
        Fit::Right,
        Sort::Known(loss_of),
        loss,
    ),
    column(
        "jitter",
        "Jitter",
        "mean jitter in ms (RFC 3550)",
        (6, 6, 6),
        9,
        Fit::Right,
        Sort::Known(|s| s.quality.jitter.and_then(|jitter| micros(jitter.mean))),
        jitter,
    ),
    column(
        "p95",
        "p95",
        "jitter that 95 % of the packets do not exceed, in ms",
        (5, 5, 6),
        5,
        Fit::Right,
        Sort::Known(|s| s.quality.jitter_percentiles.and_then(|jitter| micros(jitter.p95))),
        p95,
    ),
    column(
        "delta",
        "Max Δ",
        "longest time between packets, in ms",
        (6, 6, 7),
        21,
        Fit::Right,
        Sort::Known(|s| s.quality.delta.and_then(|delta| micros(delta.max))),
        delta,
    ),
    column(
        "mos",
        "MOS",
        "of the last 10 s, then of the whole; sorts by scale first",
        (4, 4, 5),
        4,
        Fit::Right,
        Sort::Among(mos_rank),
        mos,
    ),
    column(
        MINUTE,
        "60 s",
        "jitter of its last minute; lost packets and silence",
        (6, 8, 60),
        8,
        Fit::Left,
        Sort::Known(|s| s.quality.jitter_now.and_then(micros)),
        |_, _, _| Role::Text,
    ),
    column(
        "call",
        "Call",
        "the call that announced it",
        (7, 8, 24),
        7,
        Fit::Left,
        Sort::Known(|s| s.call.map(|call| call.0)),
        call,
    ),
    column(
        "alert",
        "!",
        "what is wrong: loss, one way, NAT",
        (1, 1, 1),
        5,
        Fit::Left,
        Sort::Among(trouble_rank),
        alert,
    ),
    extra(
        "length",
        "Length",
        "from the first packet to the newest",
        (7, 7, 8),
        Fit::Right,
        Sort::Number(|s| Some(verdict::length(s).nanos().max(0) as u64)),
        length,
    ),
    extra("worst", "Worst", "MOS of the worst 10 s", (5, 5, 5), Fit::Right, Sort::Known(worst_rank), worst),
    extra(
        "late",
        "Late",
        "too late for an adaptive buffer, of the packets due",
        (6, 6, 6),
        Fit::Right,
        Sort::Known(|s| late_of(s).and_then(micros)),
        late,
    ),
    extra(
        "dtmf",
        "DTMF",
        "keys pressed",
        (4, 8, 20),
        Fit::Left,
        Sort::Text(|s| Cow::Borrowed(&s.quality.digits)),
        dtmf,
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
    sort: Sort<Stream>,
    cell: Cell,
) -> Column<Stream> {
    Column { id, header, about, widths, priority, on: true, fit, sort, cell }
}

/// A column that is shown only when chosen; then it goes before those of less importance.
const fn extra(
    id: &'static str,
    header: &'static str,
    about: &'static str,
    widths: (u16, u16, u16),
    fit: Fit,
    sort: Sort<Stream>,
    cell: Cell,
) -> Column<Stream> {
    Column { id, header, about, widths, priority: 10, on: false, fit, sort, cell }
}

fn nanos(at: Timestamp) -> u64 {
    // The sign bit flipped: times before 1970 stay before the others.
    (at.nanos() as u64) ^ (1 << 63)
}

/// Figures sort as millionths; casts of floats saturate.
fn micros(value: f64) -> Option<u64> {
    value.is_finite().then_some((value * 1e6) as u64)
}

/// IPv4 addresses by number and then port; IPv6 ones behind them by their upper half.
fn address(end: Endpoint) -> Option<u64> {
    Some(match end.ip {
        IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(end.port),
        IpAddr::V6(ip) => (1 << 63) | (ip.to_bits() >> 65) as u64,
    })
}

fn life_rank(stream: &Stream, snapshot: &Snapshot) -> Option<u64> {
    Some(match Life::of(stream, snapshot) {
        Life::Silent => 0,
        Life::Runs => 1,
        Life::Over => 2,
    })
}

fn trouble_rank(stream: &Stream, snapshot: &Snapshot) -> Option<u64> {
    Some(Trouble::of(stream, snapshot) as u64)
}

/// Scores of different scales must not be compared: each scale stands together.
fn mos_key(score: &Score) -> u64 {
    let scale: u64 = match score.row.scale {
        Scale::Narrow => 0,
        Scale::Wide => 1,
        Scale::Full => 2,
    };
    scale << 32 | (score.mos * 1e6) as u64
}

fn mos_rank(stream: &Stream, snapshot: &Snapshot) -> Option<u64> {
    verdict::score(stream, snapshot).as_ref().map(mos_key)
}

fn worst_rank(stream: &Stream) -> Option<u64> {
    stream.quality.worst.as_ref().map(|(_, score)| mos_key(score))
}

fn loss_of(stream: &Stream) -> Option<u64> {
    stream.quality.lost_percent().and_then(micros)
}

fn late_of(stream: &Stream) -> Option<f64> {
    let loss = verdict::heard(stream)?.loss;
    (loss.expected > 0).then(|| loss.discarded as f64 * 100.0 / loss.expected as f64)
}

fn life(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    let (glyph, role) = Life::of(stream, cell.snapshot).glyph();
    out.push_str(cell.theme.glyph(glyph));
    role
}

fn source(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    endpoint(stream.flow.src, cell.width, out)
}

fn destination(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    endpoint(stream.flow.dst, cell.width, out)
}

/// With its port where the column is wide enough for it.
fn endpoint(end: Endpoint, width: u16, out: &mut String) -> Role {
    let _ = write!(out, "{end}");
    if out.len() > usize::from(width) {
        out.clear();
        let _ = write!(out, "{}", end.ip);
    }
    Role::Text
}

fn ssrc(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    let _ = write!(out, "{:08X}", stream.ssrc);
    Role::Dim
}

fn codec_text(stream: &Stream) -> Cow<'_, str> {
    match stream.codec.as_deref() {
        Some(codec) => Cow::Borrowed(codec),
        None => Cow::Owned(format!("PT {}", stream.payload_type)),
    }
}

fn codec(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&codec_text(stream));
    Role::Text
}

fn packets(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    format::count(out, stream.packets);
    Role::Text
}

fn loss(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    let Some(percent) = stream.quality.lost_percent() else { return Role::Text };
    out.push_str(&verdict::percent(Some(percent)));
    verdict::role(Thresholds::default().loss(percent))
}

fn millis(out: &mut String, value: f64) {
    let _ = if value < 999.95 { write!(out, "{value:.1}") } else { write!(out, "{value:.0}") };
}

fn jitter(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    let Some(jitter) = stream.quality.jitter else { return Role::Text };
    millis(out, jitter.mean);
    verdict::role(Thresholds::default().jitter(jitter.mean))
}

fn p95(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    let Some(jitter) = stream.quality.jitter_percentiles else { return Role::Text };
    millis(out, jitter.p95);
    verdict::role(Thresholds::default().jitter(jitter.p95))
}

fn delta(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    if let Some(delta) = stream.quality.delta {
        millis(out, delta.max);
    }
    Role::Text
}

fn score(score: Option<Score>, cell: &CellContext<'_>, out: &mut String) -> Role {
    match score {
        Some(score) => {
            out.push_str(&score.cell());
            verdict::role(verdict::score_level(&score))
        }
        None => {
            out.push_str(if cell.theme.ascii { "-" } else { "–" });
            Role::Dim
        }
    }
}

fn mos(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    score(verdict::score(stream, cell.snapshot), cell, out)
}

fn worst(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    score(stream.quality.worst.map(|(_, score)| score), cell, out)
}

fn late(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    let Some(percent) = late_of(stream) else { return Role::Text };
    out.push_str(&verdict::percent(Some(percent)));
    verdict::role(Thresholds::default().loss(percent))
}

/// `206→208`.
pub fn parties(call: &Call, ascii: bool, out: &mut String) {
    let arrow = if ascii { ">" } else { "→" };
    let _ = write!(out, "{}{arrow}{}", call.from.user, call.to.user);
}

fn call(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    match stream.call.and_then(|key| cell.snapshot.call(key)) {
        Some(call) => parties(call, cell.theme.ascii, out),
        None => out.push_str(if cell.theme.ascii { "-" } else { "–" }),
    }
    Role::Text
}

fn alert(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    match Trouble::of(stream, cell.snapshot).glyph() {
        Some((glyph, role)) => {
            out.push_str(cell.theme.glyph(glyph));
            role
        }
        None => Role::Text,
    }
}

fn time(stream: &Stream, cell: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&cell.zone.format(stream.first, "%H:%M:%S"));
    Role::Dim
}

fn length(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    format::duration(out, verdict::length(stream));
    Role::Text
}

fn dtmf(stream: &Stream, _: &CellContext<'_>, out: &mut String) -> Role {
    out.push_str(&stream.quality.digits);
    Role::Text
}
