//! `--ladder CALL-ID`: a call's ladder as text.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::packet::PacketId;
use crate::store::ladder::{Column, Ladder, LadderOptions, LadderRow, MessageRow, RowKind, RtpRow};
use crate::store::snapshot::Snapshot;
use crate::text::visible;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, CallKey};

use super::ending;
use super::table::shorten;

/// How the text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LadderText {
    /// Only ASCII characters for lines and arrows.
    pub ascii: bool,
    /// How the ladder is made.
    pub ladder: LadderOptions,
}

/// The characters that a ladder is drawn with.
struct Glyphs {
    line: char,
    dash: char,
    fact: char,
    media: char,
    left: char,
    right: char,
    turn: char,
    times: char,
    fault: &'static str,
    both: &'static str,
    one: &'static str,
    gap: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    line: '│',
    dash: '─',
    fact: '┄',
    media: '═',
    left: '◀',
    right: '▶',
    turn: '↻',
    times: '×',
    fault: "✗ ",
    both: "⇄",
    one: "→",
    gap: "⋮",
};

const ASCII: Glyphs = Glyphs {
    line: '|',
    dash: '-',
    fact: '.',
    media: '=',
    left: '<',
    right: '>',
    turn: '@',
    times: 'x',
    fault: "x ",
    both: "<>",
    one: "->",
    gap: ":",
};

/// Cells before the first column's line: time of day and delta.
const TIMES: usize = 32;

/// Writes the ladder of these calls, merged in time order if there are several. Times are UTC.
pub fn write(snapshot: &Snapshot, keys: &[CallKey], text: LadderText, out: &mut dyn Write) -> io::Result<()> {
    let calls: Vec<Arc<Call>> = keys.iter().filter_map(|key| snapshot.call(*key).cloned()).collect();
    for (index, call) in calls.iter().enumerate() {
        heading(index, calls.len(), call, out)?;
    }
    let inputs: Vec<&String> = inputs(snapshot).collect();
    if inputs.len() > 1 {
        let sources = inputs.iter().enumerate().map(|(at, name)| format!("{} {}", at + 1, visible(name)));
        writeln!(out, "Sources of the packets: {}", sources.collect::<Vec<_>>().join(", "))?;
    }
    let ladder = Ladder::of(&calls, &|key| snapshot.stream(key).cloned(), text.ladder);
    let page = Page::new(&calls, &ladder, if text.ascii { &ASCII } else { &UNICODE }, snapshot);
    page.write(out)
}

/// The interfaces and files that packets are numbered in, in the order of their source numbers.
fn inputs(snapshot: &Snapshot) -> impl Iterator<Item = &String> {
    snapshot.capture.sources.iter().flat_map(|source| &source.inputs)
}

fn heading(index: usize, of: usize, call: &Call, out: &mut dyn Write) -> io::Result<()> {
    let number = if of > 1 { format!("Call {}: ", index + 1) } else { String::new() };
    let id = if call.call_id.is_empty() { "(no Call-ID)".into() } else { visible(&call.call_id) };
    writeln!(out, "{number}{id}")?;
    let why = ending::why(call);
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    let line = format!("  {} {} > {}: {}{why}", call.method, call.from.user, call.to.user, ending::state(call));
    writeln!(out, "{}", visible(&line))?;
    let parts = [
        ("auth", call.timing.auth.filter(|_| call.timing.challenges > 0)),
        ("pdd", call.timing.pdd),
        ("ring", call.timing.ring),
        ("setup", call.timing.setup),
        ("ack", call.timing.ack),
    ];
    let parts = parts.iter().filter_map(|(name, value)| value.map(|v| format!("{name} {:.3} ms", v.millis())));
    let talked = call.timing.hung_up.and_then(|end| call.talk(end)).map(|t| format!("talk {:.3} s", t.seconds()));
    let parts: Vec<String> = parts.chain(talked).collect();
    if !parts.is_empty() {
        writeln!(out, "  {}", parts.join(", "))?;
    }
    Ok(())
}

struct Page<'a> {
    calls: &'a [Arc<Call>],
    ladder: &'a Ladder,
    glyphs: &'a Glyphs,
    sources: usize,
    lane: usize,
    packets: HashMap<(usize, u32), PacketId>,
}

impl<'a> Page<'a> {
    fn new(calls: &'a [Arc<Call>], ladder: &'a Ladder, glyphs: &'a Glyphs, snapshot: &Snapshot) -> Self {
        let mut packets = HashMap::new();
        for row in &ladder.rows {
            let RowKind::Message(row) = &row.kind else { continue };
            for message in std::iter::once(&row.message).chain(&row.copies) {
                if let Some(id) = message.packets.last() {
                    packets.insert((row.call, message.ordinal), *id);
                }
            }
        }
        let lane = lane_width(&ladder.columns);
        Self { calls, ladder, glyphs, sources: inputs(snapshot).count(), lane, packets }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        let mut day = String::new();
        let mut before: Option<Timestamp> = None;
        for row in &self.ladder.rows {
            let today = row.at.format_utc("%Y-%m-%d");
            if today != day {
                writeln!(out, "{}", self.blank(&format!("{today} UTC")).text())?;
                day = today;
            }
            self.row(row, before, out)?;
            before = Some(row.at);
        }
        Ok(())
    }

    /// The columns' names over their lines; each name is centred as far as the page's edge lets it.
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (index, column) in self.ladder.columns.iter().enumerate() {
            let label = column.label();
            let start = self.x(index).saturating_sub(label.width() / 2);
            let blank = start.saturating_sub(line.width()).max(usize::from(index > 0));
            line.extend(std::iter::repeat_n(' ', blank));
            line.push_str(&label);
        }
        writeln!(out, "{line}")
    }

    fn row(&self, row: &LadderRow, before: Option<Timestamp>, out: &mut dyn Write) -> io::Result<()> {
        let delta = before.map_or(Elapsed::ZERO, |before| row.at.since(before));
        let mut canvas = self.blank(&format!("{} {:>15}", time_of_day(row.at), delta_text(delta, row.at)));
        let note = match &row.kind {
            RowKind::Message(message) => {
                let label = match message.copies.len() {
                    0 => message.label.clone(),
                    copies => format!("{} {}{}", message.label, self.glyphs.times, copies + 1),
                };
                self.arrow(&mut canvas, (message.from, message.to), &label, self.glyphs.dash);
                self.message_note(message)
            }
            RowKind::Fact(fact) => {
                let fault = if fact.is_fault() { self.glyphs.fault } else { "" };
                let label = format!("{fault}{}", fact.label());
                self.arrow(&mut canvas, (fact.from, fact.to), &label, self.glyphs.fact);
                self.packet(fact.packet())
            }
            RowKind::Rtp(rtp) => {
                self.bar(&mut canvas, rtp);
                self.rtp_note(rtp)
            }
            RowKind::Gap(gap) => format!("{} {} messages left out", self.glyphs.gap, gap.left_out),
        };
        let call = if self.calls.len() > 1 { format!("call {} ", row.call() + 1) } else { String::new() };
        let line = format!("{}  {call}{note}", canvas.text());
        writeln!(out, "{}", line.trim_end())
    }

    /// Where a column's line stands.
    fn x(&self, column: usize) -> usize {
        TIMES + column * self.lane
    }

    /// A row with nothing but its times and the columns' lines.
    fn blank(&self, times: &str) -> Canvas {
        let columns = self.ladder.columns.len();
        let mut canvas = Canvas { cells: vec![' '; self.x(columns.saturating_sub(1)) + 1] };
        canvas.put(0, times);
        for column in 0..columns {
            canvas.put(self.x(column), self.glyphs.line.encode_utf8(&mut [0; 4]));
        }
        canvas
    }

    fn arrow(&self, canvas: &mut Canvas, (from, to): (usize, usize), label: &str, dash: char) {
        let (low, high) = (self.x(from.min(to)), self.x(from.max(to)));
        if low == high {
            let label = shorten(label, self.lane.saturating_sub(4));
            canvas.put(low + 1, &format!("{} {label} ", self.glyphs.turn));
            return;
        }
        let inner = high - low - 1;
        let label = format!(" {} ", shorten(label, inner.saturating_sub(4)));
        let dashes: String = std::iter::repeat_n(dash, inner.saturating_sub(label.width() + 1)).collect();
        let text = if from < to {
            format!("{label}{dashes}{}", self.glyphs.right)
        } else {
            format!("{}{dashes}{label}", self.glyphs.left)
        };
        canvas.put(low + 1, &text);
    }

    fn bar(&self, canvas: &mut Canvas, rtp: &RtpRow) {
        let codec = rtp.codec.as_deref().unwrap_or("");
        let label = visible(&format!("RTP {codec}")).trim_end().to_owned();
        let (low, high) = (self.x(rtp.from.min(rtp.to)), self.x(rtp.from.max(rtp.to)));
        if low == high {
            self.arrow(canvas, (rtp.from, rtp.to), &label, self.glyphs.media);
            return;
        }
        let (to_right, to_left) = if rtp.from < rtp.to {
            (rtp.packets > 0, rtp.packets_back > 0)
        } else {
            (rtp.packets_back > 0, rtp.packets > 0)
        };
        let inner = high - low - 1;
        let label = format!(" {} ", shorten(&label, inner.saturating_sub(6)));
        let fill = inner.saturating_sub(label.width() + 2);
        let media = |n| std::iter::repeat_n(self.glyphs.media, n).collect::<String>();
        let left = if to_left { self.glyphs.left } else { self.glyphs.media };
        let right = if to_right { self.glyphs.right } else { self.glyphs.media };
        canvas.put(low + 1, &format!("{left}{}{label}{}{right}", media(fill / 2), media(fill - fill / 2)));
    }

    /// Packet number, what it repeats, and what is odd about it.
    fn message_note(&self, row: &MessageRow) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(row.message.packets.last().map(|id| self.packet(*id)));
        if let Some(ordinal) = row.message.repeats {
            let original = self.packets.get(&(row.call, ordinal)).map(|id| self.packet(*id));
            parts.push(format!("retransmission of {}", original.as_deref().unwrap_or("one not shown")));
        }
        if !row.copies.is_empty() {
            let copies = row.copies.iter().filter_map(|copy| copy.packets.last()).map(|id| self.packet(*id));
            parts.push(format!("retransmitted in {}", copies.collect::<Vec<_>>().join(" ")));
        }
        parts.extend(row.message.sip.notes().texts().map(str::to_owned));
        parts.join(", ")
    }

    fn rtp_note(&self, rtp: &RtpRow) -> String {
        let seconds = rtp.streams.first().map_or(0.0, |stream| rtp.last.since(stream.first).seconds());
        let way = if rtp.packets_back > 0 { self.glyphs.both } else { self.glyphs.one };
        format!(
            "{} {way} {}, {} packets out, {} back, {seconds:.1} s",
            rtp.near, rtp.far, rtp.packets, rtp.packets_back
        )
    }

    fn packet(&self, id: PacketId) -> String {
        if self.sources > 1 { format!("#{}:{}", id.source() + 1, id.number()) } else { format!("#{}", id.number()) }
    }
}

/// One line of cells, each a character of width 1 or the rest of a wide one before it (NUL).
struct Canvas {
    cells: Vec<char>,
}

impl Canvas {
    fn put(&mut self, at: usize, text: &str) {
        let mut x = at;
        for ch in text.chars() {
            let width = ch.width().unwrap_or(0);
            if self.cells.len() < x + width {
                self.cells.resize(x + width, ' ');
            }
            for (offset, cell) in self.cells.iter_mut().skip(x).take(width).enumerate() {
                *cell = if offset == 0 { ch } else { '\0' };
            }
            x += width;
        }
    }

    fn text(&self) -> String {
        self.cells.iter().filter(|ch| **ch != '\0').collect::<String>().trim_end().to_owned()
    }
}

/// Cells from one column's line to the next: few columns get more room, and every name fits.
fn lane_width(columns: &[Column]) -> usize {
    let roomy = match columns.len() {
        0..=2 => 36,
        3 => 28,
        _ => 24,
    };
    columns.iter().map(|column| column.label().width() + 2).fold(roomy, usize::max)
}

/// Microseconds, or nanoseconds when the capture has them.
fn time_of_day(at: Timestamp) -> String {
    at.format_utc(if at.nanos() % 1_000 == 0 { "%H:%M:%S%.6f" } else { "%H:%M:%S%.9f" })
}

fn delta_text(delta: Elapsed, at: Timestamp) -> String {
    let decimals = if at.nanos() % 1_000 == 0 { 6 } else { 9 };
    format!("{:+.decimals$}", delta.seconds())
}
