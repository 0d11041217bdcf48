//! `--report rtp`: two lines per stream, newest stream first as in tshark's `rtp,streams`. The first has our figures, the
//! second the same columns by Wireshark's definitions, so that one can be checked against tshark and the other be used.

use std::io::{self, Write};

use crate::export::table::{Align, Head, Table};
use crate::rtp::mos::Basis;
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::stream::{Quality, Range, Stream};

const HEADS: &[Head] = &[
    Head("Start s", Align::Right, 20),
    Head("End s", Align::Right, 20),
    Head("Source", Align::Left, 39),
    Head("Port", Align::Right, 5),
    Head("Destination", Align::Left, 39),
    Head("Port", Align::Right, 5),
    Head("SSRC", Align::Left, 10),
    Head("Payload", Align::Left, 40),
    Head("By", Align::Left, 9),
    Head("Packets", Align::Right, 20),
    Head("Lost", Align::Right, 20),
    Head("Lost %", Align::Right, 9),
    Head("Min delta", Align::Right, 14),
    Head("Mean delta", Align::Right, 14),
    Head("Max delta", Align::Right, 14),
    Head("Min jitter", Align::Right, 14),
    Head("Mean jitter", Align::Right, 14),
    Head("Max jitter", Align::Right, 14),
    Head("Max skew", Align::Right, 14),
    Head("Problem", Align::Left, 7),
    Head("Dup", Align::Right, 12),
    Head("Late", Align::Right, 12),
    Head("Jitter p50", Align::Right, 14),
    Head("p95", Align::Right, 14),
    Head("p99", Align::Right, 14),
    Head("Longest gap", Align::Right, 14),
    Head("Heard lost %", Align::Right, 12),
    Head("MOS", Align::Right, 5),
    Head("Worst", Align::Right, 5),
    Head("Basis", Align::Left, 9),
    Head("Model", Align::Left, 90),
    Head("DTMF", Align::Left, 64),
    Head("Call-ID", Align::Left, 128),
];

/// What stands where something was not measured, or where Wireshark has no such figure.
const NONE: &str = "-";

pub(super) fn write(snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
    let mut streams: Vec<&Stream> = snapshot.streams.iter().map(AsRef::as_ref).collect();
    streams.sort_by_key(|stream| (std::cmp::Reverse(stream.first), std::cmp::Reverse(stream.key)));
    let mut table = Table::new(HEADS);
    for stream in &streams {
        let begin = snapshot.capture.first.unwrap_or(stream.first);
        let call = stream.call.and_then(|key| snapshot.call(key)).map_or(NONE, |call| &*call.call_id);
        table.row(ours(stream, begin, call));
        table.row(wiresharks(stream, begin));
    }
    writeln!(
        out,
        "Times in s from the first packet of the capture; delta, jitter, skew and gap in ms. \"ours\" counts by the RFCs,"
    )?;
    writeln!(out, "\"Wireshark\" as tshark's rtp,streams does (negative loss: repeated packets).\n")?;
    table.write(out, "")?;
    let lost = snapshot.capture.lost;
    writeln!(
        out,
        "{} streams; lost in capture: {} kernel, {} interface, {} queue",
        streams.len(),
        lost.kernel,
        lost.interface,
        lost.queue
    )
}

fn ours(stream: &Stream, begin: Timestamp, call: &str) -> [String; HEADS.len()] {
    let quality = &*stream.quality;
    let [min_delta, mean_delta, max_delta] = three(quality.delta);
    let [min_jitter, mean_jitter, max_jitter] = three(quality.jitter);
    let jitter = |of: fn(&crate::rtp::figures::Percentiles) -> f64| ms(quality.jitter_percentiles.as_ref().map(of));
    let [start, end, src, src_port, dst, dst_port, ssrc, payload] = who(stream, begin);
    let score = quality.score;
    let heard = quality.playout.and_then(|[.., adaptive]| adaptive.loss.percent());
    [
        start,
        end,
        src,
        src_port,
        dst,
        dst_port,
        ssrc,
        payload,
        "ours".to_owned(),
        stream.packets.to_string(),
        quality.lost.to_string(),
        two(quality.lost_percent()),
        min_delta,
        mean_delta,
        max_delta,
        min_jitter,
        mean_jitter,
        max_jitter,
        ms(quality.max_skew),
        mark(quality.has_problem),
        quality.duplicates.to_string(),
        quality.out_of_order.to_string(),
        jitter(|of| of.p50),
        jitter(|of| of.p95),
        jitter(|of| of.p99),
        ms(quality.longest_gap.map(|(gap, _)| gap.millis())),
        two(heard),
        two(score.map(|score| score.mos)),
        two(quality.worst.map(|(_, score)| score.mos)),
        score.map_or(Basis::None, |score| score.basis).name().to_owned(),
        score.map_or(NONE.to_owned(), |score| score.model_text()),
        if quality.digits.is_empty() { NONE.to_owned() } else { quality.digits.to_string() },
        call.to_owned(),
    ]
}

/// What Wireshark does not say is left empty, so that the line ends early.
fn wiresharks(stream: &Stream, begin: Timestamp) -> [String; HEADS.len()] {
    let figures = &stream.quality.wireshark;
    let mut row = [const { String::new() }; HEADS.len()];
    let said = [
        "Wireshark".to_owned(),
        figures.packets.to_string(),
        figures.lost.to_string(),
        format!("{:.2}", figures.lost_percent),
        ms(Some(figures.min_delta)),
        ms(Some(figures.mean_delta)),
        ms(Some(figures.max_delta)),
        ms(Some(figures.min_jitter)),
        ms(Some(figures.mean_jitter)),
        ms(Some(figures.max_jitter)),
        ms(Some(figures.max_skew)),
        mark(figures.problem),
    ];
    for (cell, text) in row.iter_mut().zip(who(stream, begin).into_iter().chain(said)) {
        *cell = text;
    }
    row
}

fn who(stream: &Stream, begin: Timestamp) -> [String; 8] {
    let seconds = |at: Timestamp| format!("{:.6}", at.since(begin).seconds());
    [
        seconds(stream.first),
        seconds(stream.last),
        stream.flow.src.ip.to_string(),
        stream.flow.src.port.to_string(),
        stream.flow.dst.ip.to_string(),
        stream.flow.dst.port.to_string(),
        format!("0x{:08X}", stream.ssrc),
        payloads(stream, &stream.quality),
    ]
}

/// The codecs of all payload types in the stream, without blanks; a type that nobody named is its number.
fn payloads(stream: &Stream, quality: &Quality) -> String {
    if quality.payloads.is_empty() {
        return stream.codec.as_deref().map_or_else(|| stream.payload_type.to_string(), without_blanks);
    }
    let names = quality.payloads.iter().map(|(number, name)| match name {
        Some(name) => without_blanks(name),
        None => number.to_string(),
    });
    names.collect::<Vec<_>>().join(",")
}

fn without_blanks(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("_")
}

fn three(range: Option<Range>) -> [String; 3] {
    [range.map(|of| of.min), range.map(|of| of.mean), range.map(|of| of.max)].map(ms)
}

fn ms(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.3}"))
}

fn two(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.2}"))
}

fn mark(problem: bool) -> String {
    if problem { "X" } else { NONE }.to_owned()
}
