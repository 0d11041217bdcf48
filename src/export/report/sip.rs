//! `--report sip`: SIP statistics as text.

use std::io::{self, Write};

use crate::counters::Layer;
use crate::export::table::{Align, Head, Table};
use crate::packet::Transport;
use crate::sip::status;
use crate::store::snapshot::{CaptureView, Snapshot};
use crate::store::stats::{Delays, Stats};
use crate::text::visible;

const INDENT: &str = "  ";

pub(super) fn write(snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
    capture(&snapshot.capture, out)?;
    messages(&snapshot.stats, out)?;
    requests(&snapshot.stats, out)?;
    responses(&snapshot.stats, out)?;
    delays(&snapshot.stats, out)?;
    ratios(&snapshot.stats, out)?;
    wireshark(&snapshot.stats, out)
}

fn capture(capture: &CaptureView, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Capture")?;
    for source in &capture.sources {
        let filter = if source.filter.is_empty() { String::new() } else { format!(", filter: {}", source.filter) };
        writeln!(out, "  source    {} ({}){}", visible(&source.name), visible(&source.link), visible(&filter))?;
        if let Some(trouble) = &source.trouble {
            writeln!(out, "            {}", visible(trouble))?;
        } else if source.truncated {
            writeln!(out, "            cut or partly unreadable: read as far as it goes")?;
        }
        if let Some(disorder) = source.facts.disorder() {
            writeln!(out, "            {disorder}")?;
        }
    }
    writeln!(out, "  packets   {} ({} bytes)", capture.decode.packets, capture.decode.bytes)?;
    match capture.first.zip(capture.last) {
        Some((first, last)) => {
            writeln!(out, "  time      {first} to {last}, {:.3} s", last.since(first).seconds())?;
        }
        None => writeln!(out, "  time      no packet")?,
    }
    let lost = capture.lost;
    writeln!(out, "  lost      {} kernel, {} interface, {} queue", lost.kernel, lost.interface, lost.queue)?;
    let bad = Layer::ALL.iter().map(|layer| (layer.name(), capture.decode.malformed_at(*layer)));
    let bad: Vec<String> = bad.filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    if !bad.is_empty() {
        writeln!(out, "  malformed {}", bad.join(", "))?;
    }
    Ok(())
}

fn messages(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nSIP messages")?;
    writeln!(out, "  all              {}", stats.messages)?;
    writeln!(out, "  retransmissions  {}", stats.retransmissions)?;
    let by = Transport::ALL.iter().zip(stats.transports).filter(|(transport, n)| *n > 0 || !transport.is_rare());
    let by: Vec<String> = by.map(|(transport, n)| format!("{} {n}", transport.name())).collect();
    writeln!(out, "  by transport     {}", by.join(", "))?;
    if stats.unnamed > 0 {
        writeln!(
            out,
            "  not listed below {} (their messages are no longer held, or there are too many names)",
            stats.unnamed
        )?;
    }
    Ok(())
}

const REQUESTS: &[Head] = &[
    Head("method", Align::Left, 32),
    Head("count", Align::Right, 20),
    Head("retransmitted", Align::Right, 20),
    Head("answered", Align::Right, 20),
    Head("p50 ms", Align::Right, 20),
    Head("p95 ms", Align::Right, 20),
    Head("max ms", Align::Right, 20),
];

fn requests(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nRequests by method, and the time to their final response")?;
    let mut table = Table::new(REQUESTS);
    for (method, stat) in &stats.requests {
        let d = &stat.response;
        table.row([
            method.to_string(),
            stat.count.to_string(),
            stat.retransmissions.to_string(),
            d.count.to_string(),
            millis(d, d.p50),
            millis(d, d.p95),
            millis(d, d.max),
        ]);
    }
    table.write(out, INDENT)
}

const RESPONSES: &[Head] = &[
    Head("status", Align::Right, 20),
    Head("count", Align::Right, 20),
    Head("retransmitted", Align::Right, 20),
    Head("meaning", Align::Left, 60),
];

fn responses(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nResponses by status")?;
    let mut table = Table::new(RESPONSES);
    for (code, (count, retransmissions)) in &stats.responses {
        let meaning = match status::phrase(*code) {
            "" => "not registered",
            phrase => phrase,
        };
        table.row([code.to_string(), count.to_string(), retransmissions.to_string(), meaning.to_owned()]);
    }
    table.write(out, INDENT)
}

const DELAYS: &[Head] = &[
    Head("", Align::Left, 40),
    Head("count", Align::Right, 20),
    Head("min ms", Align::Right, 20),
    Head("p50 ms", Align::Right, 20),
    Head("p95 ms", Align::Right, 20),
    Head("max ms", Align::Right, 20),
];

fn delays(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nDelays")?;
    let mut table = Table::new(DELAYS);
    let rows = [
        ("pdd (INVITE to 101-199 or final)", &stats.pdd),
        ("setup (INVITE to 2xx)", &stats.setup),
        ("ring (180/183 to final)", &stats.ring),
        ("auth (challenges)", &stats.auth),
        ("registration (REGISTER to 2xx)", &stats.registration),
        ("release (BYE to 2xx)", &stats.release),
    ];
    for (name, d) in rows {
        table.row([
            name.to_owned(),
            d.count.to_string(),
            millis(d, d.min),
            millis(d, d.p50),
            millis(d, d.p95),
            millis(d, d.max),
        ]);
    }
    table.write(out, INDENT)
}

fn ratios(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    let Stats { attempts, answered, user_side, talked, .. } = *stats;
    let completed = answered.saturating_add(user_side);
    writeln!(out, "\nCalls (a challenged attempt counts once)")?;
    writeln!(out, "  ASR  {}  answered / attempts = {answered} / {attempts}", percent(answered, attempts))?;
    writeln!(
        out,
        "  NER  {}  (answered + busy, no answer, cancelled, declined) / attempts = {completed} / {attempts}",
        percent(completed, attempts)
    )?;
    let acd = if talked == 0 { "-".to_owned() } else { format!("{:.1} s", stats.talk_s / talked as f64) };
    writeln!(out, "  ACD  {acd}  talk time / answered calls that ended = {:.1} s / {talked}", stats.talk_s)?;
    writeln!(out, "  now  {} up, {} being set up", stats.calls_up, stats.calls_setup)
}

fn wireshark(stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    let w = stats.wireshark;
    let (average, min, max) = w.setup_ms;
    writeln!(
        out,
        "\nWireshark: {} messages, {} resent, setup {average}/{min}/{max} ms (average/min/max; sip,stat counts so: UDP only, every ACK)",
        w.messages, w.resent
    )
}

fn millis(delays: &Delays, value: f64) -> String {
    if delays.count == 0 { "-".to_owned() } else { format!("{value:.3}") }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.2} %", part as f64 * 100.0 / whole as f64) }
}
