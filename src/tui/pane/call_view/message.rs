//! What is selected, as text: the raw message, or what is known of a fact, a stream or the call's end.

use crate::event::{IcmpFact, PacketIds};
use crate::packet::{PacketId, Transport};
use crate::sip::Notes;
use crate::store::ladder::{FactRow, MessageRow, RowKind, RtpRow};
use crate::track::call::Fact;
use crate::track::message::Message;
use crate::tui::theme::Theme;
use crate::tui::widget::raw::{self, Part, Piece, RawLine, shown};

use super::ending;
use super::look::time_of_day;
use super::page::{Page, RowId, What};

/// The message pane: what it shows, and where it is scrolled to.
#[derive(Debug)]
pub(super) struct MessagePane {
    pub lines: Vec<RawLine>,
    pub pieces: Vec<Piece>,
    pub scroll: usize,
    pub pan: usize,
    pub wrap: bool,
    /// All messages, one below the other, instead of the selected one.
    pub all: bool,
    /// What is said about messages is said in ASCII. Their own text is shown as it is.
    pub ascii: bool,
    of: Option<Shown>,
    wrapped_to: Option<usize>,
    /// First line of each item, when all are shown.
    starts: Vec<usize>,
}

/// Headers shown below the start line at most, where there is no room for the whole message.
const SHORT_LINES: usize = 3;

/// What a text was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    row: RowId,
    version: u64,
    utc: bool,
    all: bool,
    ascii: bool,
}

impl Default for MessagePane {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            pieces: Vec::new(),
            scroll: 0,
            pan: 0,
            wrap: true,
            all: false,
            ascii: false,
            of: None,
            wrapped_to: None,
            starts: Vec::new(),
        }
    }
}

impl MessagePane {
    /// Makes the text of this item ready for a pane of this size. Another item is shown from its top.
    pub fn prepare(&mut self, page: &Page, item: usize, utc: bool, size: (u16, u16)) {
        let of = page.items.get(item).map(|item| Shown {
            row: item.id,
            version: page.version,
            utc,
            all: self.all,
            ascii: self.ascii,
        });
        let width = self.wrap.then_some(usize::from(size.0));
        let moved = of.map(|of| (of.row, of.all)) != self.of.map(|of| (of.row, of.all));
        if of != self.of {
            let row = |of: Option<Shown>| of.map(|of| of.row);
            let same = |now: Shown| self.of.is_some_and(|was| Shown { row: now.row, ..was } == now);
            if !(self.all && of.is_some_and(same)) {
                self.starts.clear();
                self.lines = if self.all { self.text_of_all(page, utc) } else { text_of(page, item, utc) };
                for line in self.lines.iter_mut().filter(|line| self.ascii && line.part == Part::Note) {
                    line.text = in_ascii(&line.text);
                }
                self.wrapped_to = None;
                self.pieces.clear();
            }
            if row(of) != row(self.of) {
                (self.scroll, self.pan) = (0, 0);
            }
            self.of = of;
        }
        if self.pieces.is_empty() || self.wrapped_to != width {
            self.pieces = raw::pieces(&self.lines, width);
            self.wrapped_to = width;
        }
        if moved && self.all {
            self.scroll = self.first_piece(item);
        }
        self.scroll = self.scroll.min(self.pieces.len().saturating_sub(usize::from(size.1)));
    }

    /// The texts of all messages, each below the line that says where it was seen.
    fn text_of_all(&mut self, page: &Page, utc: bool) -> Vec<RawLine> {
        let mut out: Vec<RawLine> = Vec::new();
        for item in 0..page.items.len() {
            self.starts.push(out.len());
            let Some(message) = page.message(item) else { continue };
            out.push(RawLine { part: Part::Note, name_len: 0, text: place(message, utc) });
            out.extend(text_of(page, item, utc));
            out.push(RawLine { part: Part::Body, name_len: 0, text: String::new() });
        }
        out
    }

    /// The first row of an item, when all are shown; else the first row.
    fn first_piece(&self, item: usize) -> usize {
        let line = self.starts.get(item).copied().unwrap_or(0);
        self.pieces.partition_point(|piece| piece.line < line)
    }

    /// After scrolling through all messages: the item at the top, which is where the user is now.
    pub fn item_at_top(&mut self, page: &Page) -> Option<usize> {
        let line = self.pieces.get(self.scroll).filter(|_| self.all)?.line;
        let item = self.starts.partition_point(|start| *start <= line).checked_sub(1)?;
        if let (Some(of), Some(item)) = (&mut self.of, page.items.get(item)) {
            of.row = item.id;
        }
        Some(item)
    }

    /// Scrolls so that the first line holding a match is on the screen.
    pub fn show_match(&mut self, needle: &regex::Regex, item: usize, height: usize) {
        let from = self.first_piece(item);
        let found = self.pieces.iter().skip(from).position(|piece| {
            let found = self.lines.get(piece.line).and_then(|line| needle.find(&line.text));
            found.is_some_and(|found| (piece.start..piece.end).contains(&found.start()))
        });
        if let Some(at) = found.map(|at| at + from)
            && !(self.scroll..self.scroll + height).contains(&at)
        {
            self.scroll = at.saturating_sub(height / 3);
        }
    }
}

/// `#12`, or `2:12` when it is not of the first source.
pub(super) fn packet_name(id: PacketId) -> String {
    match id.source() {
        0 => format!("#{}", id.number()),
        source => format!("#{}:{}", u32::from(source) + 1, id.number()),
    }
}

/// `#12`, `#10+11+12` for a message in several packets, shortened when there are many.
fn packet_names(packets: &PacketIds) -> String {
    match packets.as_slice() {
        [] => String::new(),
        [one] => packet_name(*one),
        [first, .., last] if packets.len() > 3 => {
            format!("{}…{} ({} packets)", packet_name(*first), last.number(), packets.len())
        }
        [first, rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(|id| id.number().to_string()).collect();
            format!("{}+{}", packet_name(*first), rest.join("+"))
        }
    }
}

/// `arrived in 3 fragments (packets 12, 13, 14)`; of a message that lost one, which came. Nothing for one packet.
fn fragments(message: &Message) -> Option<String> {
    const NAMED: usize = 8;
    let count = message.packets.len();
    if count < 2 || message.transport != Transport::Udp {
        return None;
    }
    let numbers: Vec<String> = message.packets.iter().take(NAMED).map(|id| id.number().to_string()).collect();
    let more = if count > NAMED { ", …" } else { "" };
    let packets = format!("(packets {}{more})", numbers.join(", "));
    Some(match message.sip.notes().contains(Notes::FRAGMENT_LOST) {
        true => format!("{count} fragments arrived {packets}"),
        false => format!("arrived in {count} fragments {packets}"),
    })
}

/// Where a message was seen: packet, time, hop, transport, size.
pub(super) fn place(message: &Message, utc: bool) -> String {
    format!(
        "{}  {}  {} → {}  {}  {} B",
        packet_names(&message.packets),
        time_of_day(message.at, utc, true),
        message.flow.src,
        message.flow.dst,
        message.transport.name(),
        message.sip.bytes().len()
    )
}

/// The same without the time, for a narrow pane.
pub(super) fn hop(message: &Message) -> String {
    let size = message.sip.bytes().len();
    let name = message.transport.name();
    format!("{}  {} → {}  {name}  {size} B", packet_names(&message.packets), message.flow.src, message.flow.dst)
}

/// What is worth knowing about a message beyond its text.
pub(super) fn remarks(page: &Page, row: &MessageRow) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(agent) = row.message.relayed_by {
        out.push(format!("sent by capture agent {agent} in HEP"));
    }
    out.extend(row.message.path.as_ref().map(|path| path.to_string()));
    out.extend(fragments(&row.message));
    if let Some(original) = row.message.repeats {
        let call = page.calls.get(row.call);
        let original = call.and_then(|call| call.messages.iter().find(|message| message.ordinal == original));
        let of = original.map(|message| format!(" of {}", packet_names(&message.packets))).unwrap_or_default();
        out.push(format!("retransmission{of}"));
    }
    if !row.copies.is_empty() {
        let copies: Vec<String> = row
            .copies
            .iter()
            .take(8)
            .map(|copy| format!("{} {:+.3} s", packet_names(&copy.packets), copy.at.since(row.message.at).seconds()))
            .collect();
        let more = if row.copies.len() > copies.len() { ", …" } else { "" };
        out.push(format!("retransmitted {}×: {}{more}", row.copies.len(), copies.join(", ")));
    }
    match page.fork(row) {
        Some(true) => out.push("fork: this branch was answered".to_owned()),
        Some(false) => out.push("fork: this branch was not answered".to_owned()),
        None => {}
    }
    out
}

fn text_of(page: &Page, item: usize, utc: bool) -> Vec<RawLine> {
    let plain = |part, text: String| RawLine { part, name_len: 0, text };
    let Some(shown) = page.items.get(item) else { return Vec::new() };
    if let What::End(call) = shown.what {
        let sentence = page.calls.get(call).and_then(|call| ending::sentence(call));
        return sentence.map(|(text, _)| vec![plain(Part::Start, text)]).unwrap_or_default();
    }
    let Some(row) = page.row(item) else { return Vec::new() };
    match &row.kind {
        RowKind::Message(row) => {
            let remarks = remarks(page, row).into_iter().map(|text| plain(Part::Note, text));
            remarks.chain(raw::lines(&row.message.sip)).collect()
        }
        RowKind::Fact(fact) => fact_text(fact, utc).into_iter().map(|text| plain(Part::Header, text)).collect(),
        RowKind::Rtp(rtp) => rtp_text(rtp, utc).into_iter().map(|text| plain(Part::Header, text)).collect(),
        RowKind::Gap(gap) => vec![
            plain(Part::Start, format!("{} messages left out", gap.left_out)),
            plain(Part::Header, "Of a call with very many messages the first and the newest are kept.".to_owned()),
        ],
    }
}

fn fact_text(row: &FactRow, utc: bool) -> Vec<String> {
    match &row.fact {
        Fact::Tcp(fact) => vec![
            format!("TCP {}", row.label()),
            format!("{} → {}", fact.flow.src, fact.flow.dst),
            format!("{}  {}", packet_name(fact.packet), time_of_day(fact.at, utc, true)),
            String::new(),
            fact.kind.meaning().to_owned(),
        ],
        Fact::Icmp(fact) => vec![
            format!("ICMP {} from {}", row.label(), fact.reporter),
            about(fact),
            format!("{}  {}", packet_name(fact.packet), time_of_day(fact.at, utc, true)),
        ],
    }
}

/// What an ICMP error is about: `about INVITE (CSeq 1) 10.0.0.1:5060 → 10.0.0.2:5060  Call-ID …`.
fn about(fact: &IcmpFact) -> String {
    let (src, dst) = (fact.quoted.src, fact.quoted.dst);
    let Some(quote) = &fact.quote else { return format!("about a packet {src} → {dst}") };
    let cseq = quote.cseq.map(|cseq| format!(" (CSeq {cseq})")).unwrap_or_default();
    let call_id = quote.call_id.as_ref().map(|call_id| format!("  Call-ID {}", shown(call_id.as_bytes())));
    format!("about {}{cseq} {src} → {dst}{}", shown(quote.start.as_bytes()), call_id.unwrap_or_default())
}

fn rtp_text(row: &RtpRow, utc: bool) -> Vec<String> {
    let mut out = vec![format!("RTP between {} and {}", row.near, row.far)];
    for stream in &row.streams {
        let codec = stream.codec.as_deref().map_or_else(
            || format!("payload type {}", stream.payload_type),
            |codec| format!("{} (payload type {})", shown(codec.as_bytes()), stream.payload_type),
        );
        out.push(String::new());
        out.push(format!("{} → {}", stream.flow.src, stream.flow.dst));
        out.push(format!("SSRC 0x{:08X}  {codec}", stream.ssrc));
        out.push(format!(
            "{} packets  {} to {}",
            stream.packets,
            time_of_day(stream.first, utc, false),
            time_of_day(stream.last, utc, false)
        ));
    }
    out
}

/// The selected row in short, for a screen without room for the message pane: its start line and what is odd about it,
/// then the headers as far as there is room.
pub(super) fn summary(page: &Page, item: usize, utc: bool, room: usize) -> (String, Vec<RawLine>) {
    match page.message_row(item) {
        Some(row) => {
            let start =
                RawLine { part: Part::Start, name_len: 0, text: shown(row.message.sip.start_line().as_bytes()) };
            let mut notes = remarks(page, row);
            notes.extend(row.message.sip.notes().texts().map(str::to_owned));
            let notes = (!notes.is_empty()).then(|| RawLine { part: Part::Note, name_len: 0, text: notes.join("; ") });
            let whole = place(&row.message, utc);
            let place = if raw::width(&whole) + 6 > room { hop(&row.message) } else { whole };
            let headers = raw::lines(&row.message.sip).into_iter().filter(|line| line.part == Part::Header);
            (place, std::iter::once(start).chain(notes).chain(headers.take(SHORT_LINES)).collect())
        }
        None => {
            let mut lines = text_of(page, item, utc).into_iter();
            let title = lines.next().map_or_else(String::new, |line| line.text);
            (title, lines.filter(|line| !line.text.is_empty()).collect())
        }
    }
}

/// The text that goes to the clipboard: the message as it was received, or what the pane says.
pub(super) fn copied(page: &Page, item: usize, all: bool) -> String {
    if all {
        let messages = (0..page.items.len()).filter_map(|item| page.message(item));
        return messages.map(|message| String::from_utf8_lossy(message.sip.bytes()).into_owned()).collect();
    }
    match page.message(item) {
        Some(message) => String::from_utf8_lossy(message.sip.bytes()).into_owned(),
        None => text_of(page, item, true).into_iter().map(|line| line.text + "\n").collect(),
    }
}

/// Makes the ASCII arrows of a line that was built with Unicode ones.
pub(super) fn plain(text: &str, theme: &Theme) -> String {
    if theme.ascii { in_ascii(text) } else { text.to_owned() }
}

fn in_ascii(text: &str) -> String {
    text.replace('→', "->").replace('×', "x").replace('…', "~").replace('·', "-").replace('›', ">")
}
