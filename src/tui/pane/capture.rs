//! 8 Capture: where packets come from, what was lost, what became of streams, what could not be decoded.

mod streams;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::capture::FileFacts;
use crate::counters::{FragmentCounters, Layer, MalformedSample};
use crate::store::snapshot::{CaptureView, MemoryUse, SourceView, WrittenView};
use crate::tui::action::{Action, Hits};
use crate::tui::format::{Zone, bytes, counted, per_second, percent, rate};
use crate::tui::layout;
use crate::tui::popup::save::kept;
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role};
use crate::tui::widget::lines::{self, Line};

/// Interfaces of a file that are named; more than a dozen say nothing.
const NAMES: usize = 12;

/// Draws the tab. The selected line is marked where there is something to open.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State, hits: &mut Hits) {
    let (all, _) = lines_of(state);
    let at = state.capture_at.min(all.len().saturating_sub(1));
    let top = top_of(at, all.len(), area.height);
    lines::draw(buffer, area, &all, top, &state.theme);
    for line in top..(top + usize::from(area.height)).min(all.len()) {
        let row = Rect { y: area.y + (line - top) as u16, height: 1, ..area };
        hits.add(row, Action::SelectLine(line));
        if line == at {
            buffer.set_style(row, state.theme.style(Role::Selected));
        }
    }
}

/// The selected line in the middle, as far as there are lines above and below.
fn top_of(at: usize, count: usize, height: u16) -> usize {
    at.saturating_sub(usize::from(height) / 2).min(lines::last_top(count, height))
}

/// Index of the last line.
pub fn last_line(state: &State) -> usize {
    lines_of(state).0.len().saturating_sub(1)
}

/// The sample on the selected line.
pub fn selected(state: &State) -> Option<&MalformedSample> {
    let (_, first) = lines_of(state);
    let index = state.capture_at.checked_sub(first)?;
    state.snapshot.capture.decode.samples.iter().rev().nth(index).map(AsRef::as_ref)
}

/// Title and first line of a sample's bytes.
pub fn describe(sample: &MalformedSample, zone: Zone) -> (String, String) {
    let meta = &sample.meta;
    let title = format!("Packet {}", meta.id.number());
    let note = format!(
        "{}  {}: {}  {} of {} bytes",
        zone.format(meta.at, "%H:%M:%S%.6f"),
        sample.malformed.layer.name(),
        sample.malformed.why,
        sample.bytes.len(),
        meta.original_len
    );
    (title, note)
}

/// All lines, and the line of the first sample.
fn lines_of(state: &State) -> (Vec<Line>, usize) {
    let capture = &state.snapshot.capture;
    let mut out = sources(state);
    out.extend(losses(capture));
    if let Some(written) = &capture.written {
        out.extend(written_lines(written, usize::from(layout::areas(state).content.width)));
    }
    out.extend(saved_lines(state));
    out.extend(decoded(capture));
    out.extend(fragments(&capture.decode.fragments));
    out.extend(streams::counters(&capture.decode.streams));
    out.extend(streams::flows(&capture.flows, state.zone, layout::areas(state).content.width));
    out.extend(malformed(capture));
    out.extend(memory(&capture.memory, capture.recent.as_ref().map(|recent| kept(recent, true, state.zone))));
    let samples = &capture.decode.samples;
    if !samples.is_empty() {
        out.push(section("Malformed packets, newest first (Enter shows the bytes)"));
    }
    let first = out.len();
    out.extend(samples.iter().rev().map(|sample| {
        Line::blank()
            .right(1, 10, sample.meta.id.number().to_string(), Role::Text)
            .at(13, 12, state.zone.format(sample.meta.at, "%H:%M:%S%.3f"), Role::Dim)
            .at(27, 10, sample.malformed.layer.name(), Role::Text)
            .at(38, u16::MAX, sample.malformed.why, Role::Text)
    }));
    (out, first)
}

fn section(title: &str) -> Line {
    Line::of(format!(" {title}"), Role::Title)
}

fn sources(state: &State) -> Vec<Line> {
    let capture = &state.snapshot.capture;
    let area = layout::areas(state).content;
    let mut out = vec![section("Sources").right(28, 8, "packets", Role::Dim).at(38, 12, "link", Role::Dim).at(
        51,
        u16::MAX,
        "filter",
        Role::Dim,
    )];
    if capture.sources.is_empty() {
        out.push(Line::of("  none yet", Role::Dim));
    }
    for source in &capture.sources {
        let (glyph, role, what) = standing(source);
        let filter = if source.filter.is_empty() { "none" } else { &source.filter };
        out.push(
            Line::blank()
                .at(1, 1, state.theme.glyph(glyph), role)
                .at(3, 24, source.name.as_str(), Role::Text)
                .right(28, 8, counted(source.packets), Role::Text)
                .at(38, 12, source.link.as_str(), Role::Text)
                .at(51, area.width.saturating_sub(51), filter, Role::Text),
        );
        let role = if source.trouble.is_some() { Role::Bad } else { Role::Dim };
        let what = lines::words("", &what, usize::from(area.width.saturating_sub(4)));
        out.extend(what.into_iter().map(|line| Line::blank().at(3, u16::MAX, line, role)));
        for (remark, role) in remarks(&source.facts) {
            let lines = lines::words("", &remark, usize::from(area.width.saturating_sub(4)));
            out.extend(lines.into_iter().map(|line| Line::blank().at(3, u16::MAX, line, role)));
        }
    }
    let stats = &state.snapshot.stats;
    let last = |values: &[u32]| rate(per_second(values));
    if capture.is_live() {
        let text = format!("{} packets/s, {} SIP messages/s", last(&stats.packet_rate), last(&stats.message_rate));
        out.push(Line::blank().at(1, u16::MAX, text, Role::Text));
    }
    out.push(Line::blank());
    out
}

/// What a file tells besides its packets, in words.
fn remarks(facts: &FileFacts) -> Vec<(String, Role)> {
    let mut out: Vec<(String, Role)> = facts.disorder().map(|words| (words, Role::Warn)).into_iter().collect();
    let mut names: Vec<&str> = Vec::new();
    for name in facts.interfaces.values() {
        if names.len() < NAMES && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        out.push((format!("captured on {}", names.join(", ")), Role::Dim));
    }
    if facts.has_tls_keys {
        out.push(("holds keys of TLS connections".to_owned(), Role::Dim));
    } else if facts.key_blocks > 0 {
        out.push(("holds keys, not of TLS".to_owned(), Role::Dim));
    }
    if !facts.hosts.is_empty() {
        let noun = if facts.hosts.len() == 1 { "address" } else { "addresses" };
        out.push((format!("names {} {noun}", counted(facts.hosts.len() as u64)), Role::Dim));
    }
    out
}

/// How a source stands, as a glyph and in words.
fn standing(source: &SourceView) -> (Glyph, Role, String) {
    let lost = source.lost;
    let mut text = match (&source.trouble, source.ended, source.live) {
        (Some(why), ..) => why.clone(),
        (None, true, true) => "stopped".to_owned(),
        (None, true, false) => "read to its end".to_owned(),
        (None, false, true) => "capturing".to_owned(),
        (None, false, false) => match source.progress {
            Some((read, size)) => format!("reading, {} of {}", bytes(read), bytes(size)),
            None => "reading".to_owned(),
        },
    };
    if source.truncated && !text.contains("cut") {
        text.push_str("; the file is cut");
    }
    if source.live || lost.total() > 0 {
        text.push_str(&format!("; lost {} kernel, {} interface, {} queue", lost.kernel, lost.interface, lost.queue));
    }
    let (glyph, role) = match (source.ended, source.live) {
        (true, _) if source.trouble.is_some() => (Glyph::Stopped, Role::Bad),
        (true, true) => (Glyph::Stopped, Role::Text),
        (false, true) => (Glyph::Live, Role::Live),
        (_, false) => (Glyph::File, Role::Text),
    };
    (glyph, role, text)
}

fn losses(capture: &CaptureView) -> Vec<Line> {
    let lost = capture.lost;
    // A file waits, and nothing of it is lost.
    if !capture.sources.iter().any(|source| source.live) && lost.total() == 0 {
        return Vec::new();
    }
    let row = |name: &str, count: u64, about: &str| {
        let role = if count > 0 { Role::Bad } else { Role::Text };
        Line::blank().at(1, 12, name, Role::Text).right(13, 10, counted(count), role).at(25, u16::MAX, about, Role::Dim)
    };
    let (waiting, size) = capture.queue;
    vec![
        section("Packets lost"),
        row("kernel", lost.kernel, "the kernel's ring was full: a larger --buffer helps"),
        row("interface", lost.interface, "the network card or its driver dropped them"),
        row("queue", lost.queue, "our queue was full: a capture filter helps"),
        Line::blank().at(1, 12, "queue now", Role::Text).right(13, 10, format!("{waiting}/{size}"), Role::Text).at(
            25,
            u16::MAX,
            "batches wait between capture and analysis",
            Role::Dim,
        ),
        Line::blank(),
    ]
}

/// What `-w` wrote, and what it could not write.
fn written_lines(written: &WrittenView, width: usize) -> Vec<Line> {
    let row = |name: &str, count: u64, about: String, role: Role| {
        Line::blank().at(1, 12, name, Role::Text).right(13, 10, counted(count), role).at(25, u16::MAX, about, Role::Dim)
    };
    let lost = |count: u64| if count > 0 { Role::Bad } else { Role::Text };
    let (queue, disk) = (written.lost_queue, written.lost_disk);
    let file = if written.file.is_empty() { "no file yet" } else { &written.file };
    let mut out = vec![
        section("Written").at(25, u16::MAX, file, Role::Text),
        row(
            "packets",
            written.packets,
            format!(
                "{} in {} {}",
                bytes(written.bytes),
                counted(written.files),
                if written.files == 1 { "file" } else { "files" }
            ),
            Role::Text,
        ),
        row("not: queue", queue, "the writer was behind: the disk is too slow".to_owned(), lost(queue)),
        row("not: disk", disk, "the disk refused them".to_owned(), lost(disk)),
    ];
    let trouble = written.trouble.as_deref().unwrap_or_default();
    let sentence = lines::words("", trouble, width.saturating_sub(2)).into_iter().filter(|line| !line.is_empty());
    out.extend(sentence.map(|line| Line::blank().at(1, u16::MAX, line, Role::Bad)));
    out.push(Line::blank());
    out
}

/// How requests to save went.
fn saved_lines(state: &State) -> Vec<Line> {
    if state.saved.is_empty() {
        return Vec::new();
    }
    let width = usize::from(layout::areas(state).content.width).saturating_sub(2);
    let mut out = vec![section("Saved")];
    for (sentence, is_well) in &state.saved {
        let role = if *is_well { Role::Text } else { Role::Bad };
        out.extend(lines::words("", sentence, width).into_iter().map(|line| Line::blank().at(1, u16::MAX, line, role)));
    }
    out.push(Line::blank());
    out
}

fn memory(kinds: &[MemoryUse], kept: Option<String>) -> Vec<Line> {
    if kinds.is_empty() {
        return Vec::new();
    }
    let amount = |n: u64, unit: &str| if unit == "bytes" { bytes(n) } else { counted(n) };
    let mut out = vec![
        section("Memory")
            .right(26, 10, "used", Role::Dim)
            .right(37, 10, "limit", Role::Dim)
            .right(48, 8, "full", Role::Dim)
            .right(57, 10, "evicted", Role::Dim),
    ];
    for kind in kinds {
        let role = if kind.evicted > 0 { Role::Warn } else { Role::Text };
        out.push(
            Line::blank()
                .at(1, 24, kind.what, Role::Text)
                .right(26, 10, amount(kind.used, kind.unit), Role::Text)
                .right(37, 10, if kind.limit > 0 { amount(kind.limit, kind.unit) } else { String::new() }, Role::Dim)
                .right(48, 8, percent(kind.used, kind.limit), Role::Text)
                .right(57, 10, counted(kind.evicted), role),
        );
    }
    out.extend(kept.map(|kept| Line::blank().at(1, u16::MAX, kept, Role::Dim)));
    out.push(Line::blank());
    out
}

fn decoded(capture: &CaptureView) -> Vec<Line> {
    let decode = &capture.decode;
    let mut out = vec![
        section("Decoded"),
        Line::blank().at(1, 24, "packets", Role::Text).right(26, 10, counted(decode.packets), Role::Text).right(
            37,
            10,
            bytes(decode.bytes),
            Role::Dim,
        ),
    ];
    if decode.duplicates > 0 {
        out.push(
            Line::blank()
                .at(3, 22, "duplicates", Role::Text)
                .right(26, 10, counted(decode.duplicates), Role::Text)
                .right(37, 10, percent(decode.duplicates, decode.packets), Role::Dim)
                .at(49, u16::MAX, "captured twice, read once", Role::Dim),
        );
    }
    let mut passed: Vec<(&&str, &u64)> = decode.passed.iter().collect();
    passed.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    out.extend(passed.into_iter().map(|(what, count)| {
        Line::blank()
            .at(3, 22, *what, Role::Dim)
            .right(26, 10, counted(*count), Role::Text)
            .right(37, 10, percent(*count, decode.packets), Role::Dim)
            .at(
                49,
                u16::MAX,
                if NOTHING_IN_THEM.contains(what) { "nothing in them" } else { "not looked into" },
                Role::Dim,
            )
    }));
    out.push(Line::blank());
    out
}

/// Packets that were looked into, and bring nothing new.
const NOTHING_IN_THEM: [&str; 6] =
    ["tcp without data", "tcp keep-alive", "tcp sent again", "sctp sent again", "repeated fragment", "sip keep-alive"];

/// What became of fragments of IP; nothing where there were none.
fn fragments(fragments: &FragmentCounters) -> Vec<Line> {
    if fragments.arrived == 0 {
        return Vec::new();
    }
    let row = |what: &str, count: u64, role: Role, about: &str| {
        Line::blank().at(1, 24, what, Role::Text).right(26, 10, counted(count), role).at(38, u16::MAX, about, Role::Dim)
    };
    let warns = |count: u64| if count > 0 { Role::Warn } else { Role::Text };
    let (incomplete, evicted) = (fragments.incomplete, fragments.evicted_by_count + fragments.evicted_by_bytes);
    vec![
        section("IP fragments"),
        row("arrived", fragments.arrived, Role::Text, ""),
        row("joined", fragments.joined, Role::Text, "datagrams put together"),
        row("incomplete", incomplete, warns(incomplete), "datagrams whose rest never came: messages are cut or lost"),
        row("no room", evicted, warns(evicted), "datagrams put out by our limits, see Memory"),
        Line::blank(),
    ]
}

fn malformed(capture: &CaptureView) -> Vec<Line> {
    let decode = &capture.decode;
    let mut out = vec![section("Could not be decoded")];
    for layer in Layer::ALL {
        let total = decode.malformed_at(layer);
        if total == 0 {
            continue;
        }
        out.push(Line::blank().at(1, 12, layer.name(), Role::Text).right(26, 10, counted(total), Role::Warn));
        for (what, count) in decode.malformed.iter().filter(|(what, _)| what.layer == layer) {
            out.push(Line::blank().right(26, 10, counted(*count), Role::Dim).at(38, u16::MAX, what.why, Role::Text));
        }
    }
    if out.len() == 1 {
        out.push(Line::of("  nothing: every packet was understood as far as it is looked into", Role::Dim));
    }
    out.push(Line::blank());
    out
}
