//! The ladder: one or several calls as columns and rows, for the screen and for text alike.
//!
//! This is the model only: who stands in which column, and what happened in which order. How wide an arrow is, and in
//! which colour, is the business of whoever draws it.

mod columns;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::event::IcmpFact;
use crate::packet::{Endpoint, PacketId};
use crate::sip::{HeaderName, Method, StartLine};
use crate::text::visible;
use crate::time::Timestamp;
use crate::track::call::{Call, Fact};
use crate::track::message::Message;
use crate::track::stream::{Stream, StreamKey};

use columns::Placing;
pub use columns::{Column, ColumnBy};

/// How a ladder is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LadderOptions {
    /// What a column stands for.
    pub columns: ColumnBy,
    /// Whether copies of a message that follow it at once are counted on its row instead of having their own.
    pub collapse: bool,
}

/// Columns from left to right, rows from first to last.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    /// The hosts, the caller leftmost.
    pub columns: Vec<Column>,
    /// What happened, in time order; at the same time, in capture order.
    pub rows: Vec<LadderRow>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct LadderRow {
    /// When it happened, or began.
    pub at: Timestamp,
    /// What happened.
    pub kind: RowKind,
}

/// What a row shows.
#[derive(Clone, Debug)]
pub enum RowKind {
    /// A SIP message.
    Message(MessageRow),
    /// A TCP or ICMP fact.
    Fact(FactRow),
    /// RTP between two endpoints, at the time of its first packet.
    Rtp(RtpRow),
    /// Messages that a very long call no longer holds.
    Gap(GapRow),
}

/// A SIP message between two columns.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// Index of its call in the list that the ladder was made of.
    pub call: usize,
    /// The message. Its `transaction` and `branch` are indices within the call, for colours.
    pub message: Arc<Message>,
    /// Index of its CSeq number within the call, in order of appearance; a message without one shares index 0.
    pub cseq: u16,
    /// Column of the sender.
    pub from: usize,
    /// Column of the receiver.
    pub to: usize,
    /// `INVITE (SDP)`, `180 Ringing`: fit for a terminal, not cut.
    pub label: String,
    /// Copies of it that were collapsed into this row.
    pub copies: Vec<Arc<Message>>,
}

impl MessageRow {
    /// Whether this row is a retransmission of an earlier one.
    pub fn is_retransmission(&self) -> bool {
        self.message.repeats.is_some()
    }
}

/// A TCP or ICMP fact between two columns.
#[derive(Clone, Debug)]
pub struct FactRow {
    /// Index of its call.
    pub call: usize,
    /// The fact.
    pub fact: Fact,
    /// Column of the sender; for ICMP, of the host that reports.
    pub from: usize,
    /// Column of the receiver.
    pub to: usize,
}

impl FactRow {
    /// `SYN`, `RST`, `port unreachable (INVITE)`: fit for a terminal.
    pub fn label(&self) -> Cow<'static, str> {
        match &self.fact {
            Fact::Tcp(fact) => Cow::Borrowed(fact.kind.label()),
            Fact::Icmp(IcmpFact { what, quote: None, .. }) => Cow::Borrowed(what),
            Fact::Icmp(IcmpFact { what, quote: Some(quote), .. }) => {
                Cow::Owned(format!("{what} ({})", visible(&quote.start)))
            }
        }
    }

    /// The packet that it was seen in.
    pub fn packet(&self) -> PacketId {
        fact_packet(&self.fact)
    }

    /// Whether it means that something did not arrive.
    pub fn is_fault(&self) -> bool {
        match &self.fact {
            Fact::Tcp(fact) => fact.kind.is_fault(),
            Fact::Icmp(_) => true,
        }
    }
}

/// The RTP between two endpoints, both ways.
#[derive(Clone, Debug)]
pub struct RtpRow {
    /// Index of its call.
    pub call: usize,
    /// Column of the side that sent first.
    pub from: usize,
    /// Column of the other side.
    pub to: usize,
    /// Endpoint of the side that sent first.
    pub near: Endpoint,
    /// Endpoint of the other side.
    pub far: Endpoint,
    /// Codec of the first stream whose codec is known.
    pub codec: Option<Arc<str>>,
    /// Packets from near to far.
    pub packets: u64,
    /// Packets from far to near.
    pub packets_back: u64,
    /// Newest packet of either direction.
    pub last: Timestamp,
    /// The streams, in order of appearance: one per direction and SSRC.
    pub streams: Vec<Arc<Stream>>,
}

impl RtpRow {
    /// `RTP PCMU 10.1.1.123:4006 ⇄ 10.1.1.124:5004`, with `→` when nothing came back.
    pub fn label(&self) -> String {
        let codec = self.codec.as_deref().map_or(String::new(), |codec| format!("{} ", visible(codec)));
        let arrow = if self.packets_back > 0 { '⇄' } else { '→' };
        format!("RTP {codec}{} {arrow} {}", self.near, self.far)
    }
}

/// A hole in a call's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRow {
    /// Index of its call.
    pub call: usize,
    /// Messages left out.
    pub left_out: u64,
}

/// Where a row stands among those of the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    BeforePacket(PacketId),
    AtPacket(PacketId),
    AfterPackets,
}

impl Place {
    fn key(self) -> (PacketId, u8) {
        match self {
            Self::BeforePacket(id) => (id, 0),
            Self::AtPacket(id) => (id, 1),
            Self::AfterPackets => (PacketId::new(u16::MAX, u64::MAX), 2),
        }
    }
}

impl Ladder {
    /// The ladder of these calls, their rows merged in time order. `streams` finds a call's RTP streams.
    pub fn of(calls: &[Arc<Call>], streams: &dyn Fn(StreamKey) -> Option<Arc<Stream>>, options: LadderOptions) -> Self {
        let mut placed = Vec::new();
        let mut facts_seen = HashSet::new();
        for (index, call) in calls.iter().enumerate() {
            message_rows(index, call, &mut placed);
            for fact in call.facts.iter() {
                if facts_seen.insert(fact_packet(fact)) {
                    let row = FactRow { call: index, fact: fact.clone(), from: 0, to: 0 };
                    placed.push((Place::AtPacket(fact_packet(fact)), new_row(fact.at(), RowKind::Fact(row))));
                }
            }
        }
        rtp_rows(calls, streams, &mut placed);
        placed.sort_by_key(|(place, row)| (row.at, place.key()));
        let mut rows: Vec<LadderRow> = placed.into_iter().map(|(_, row)| row).collect();
        let columns = place_columns(&mut rows, options.columns);
        if options.collapse {
            rows = collapse(rows);
        }
        Self { columns, rows }
    }
}

impl LadderRow {
    /// Index of the call that it belongs to.
    pub fn call(&self) -> usize {
        match &self.kind {
            RowKind::Message(row) => row.call,
            RowKind::Fact(row) => row.call,
            RowKind::Rtp(row) => row.call,
            RowKind::Gap(row) => row.call,
        }
    }

    /// The columns that it goes from and to; `None` for a gap.
    pub fn span(&self) -> Option<(usize, usize)> {
        match &self.kind {
            RowKind::Message(row) => Some((row.from, row.to)),
            RowKind::Fact(row) => Some((row.from, row.to)),
            RowKind::Rtp(row) => Some((row.from, row.to)),
            RowKind::Gap(_) => None,
        }
    }

    /// The message, if it is one.
    pub fn message(&self) -> Option<&Arc<Message>> {
        match &self.kind {
            RowKind::Message(row) => Some(&row.message),
            _ => None,
        }
    }

    /// Whether this packet made the row, or a copy that was collapsed into it.
    pub fn has_packet(&self, id: PacketId) -> bool {
        match &self.kind {
            RowKind::Message(row) => {
                row.message.packets.contains(&id) || row.copies.iter().any(|copy| copy.packets.contains(&id))
            }
            RowKind::Fact(row) => row.packet() == id,
            RowKind::Rtp(_) | RowKind::Gap(_) => false,
        }
    }
}

/// `INVITE (SDP)`, `200 OK (SDP)`, `NOTIFY active (dialog)`: what the arrow of this message says, fit for a terminal.
pub fn message_label(message: &Message) -> String {
    let mut label = match message.sip.start() {
        StartLine::Request { method, .. } => visible(method.as_str()).into_owned(),
        StartLine::Response { status, .. } => {
            let reason = message.sip.reason().unwrap_or_default();
            format!("{status} {}", visible(&reason)).trim_end().to_owned()
        }
    };
    if matches!(message.sip.method(), Some(Method::Subscribe | Method::Notify | Method::Publish)) {
        let first = |name| message.sip.header(name).map(visible_token).unwrap_or_default();
        let state = first(HeaderName::SubscriptionState);
        let event = first(HeaderName::Event);
        let parts = [(" ", state, ""), (" (", event, ")")];
        for (before, word, after) in parts.iter().filter(|(_, word, _)| !word.is_empty()) {
            label.push_str(&format!("{before}{word}{after}"));
        }
    }
    if message.has_sdp {
        label.push_str(" (SDP)");
    }
    label
}

/// The value of a header up to its parameters, fit for a terminal.
fn visible_token(value: &[u8]) -> String {
    let token = value.split(|byte| *byte == b';').next().unwrap_or_default();
    visible(String::from_utf8_lossy(token).trim()).into_owned()
}

fn new_row(at: Timestamp, kind: RowKind) -> LadderRow {
    LadderRow { at, kind }
}

fn fact_packet(fact: &Fact) -> PacketId {
    match fact {
        Fact::Tcp(fact) => fact.packet,
        Fact::Icmp(fact) => fact.packet,
    }
}

fn message_rows(call: usize, row: &Call, placed: &mut Vec<(Place, LadderRow)>) {
    let mut numbers: HashMap<Vec<u8>, u16> = HashMap::new();
    let gap = row.messages.gap();
    for (position, message) in row.messages.iter().enumerate() {
        let packet = message.packets.last().copied().unwrap_or(PacketId::new(0, 0));
        if gap == Some(position) {
            let kind = RowKind::Gap(GapRow { call, left_out: row.messages.left_out() });
            placed.push((Place::BeforePacket(packet), new_row(message.at, kind)));
        }
        let number = message.sip.header(HeaderName::CSeq).unwrap_or_default();
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        let cseq = *numbers.entry(number.get(..digits).unwrap_or_default().to_vec()).or_insert(next);
        let kind = RowKind::Message(MessageRow {
            call,
            cseq,
            from: 0,
            to: 0,
            label: message_label(message),
            copies: Vec::new(),
            message: Arc::clone(message),
        });
        placed.push((Place::AtPacket(packet), new_row(message.at, kind)));
    }
}

fn rtp_rows(
    calls: &[Arc<Call>],
    streams: &dyn Fn(StreamKey) -> Option<Arc<Stream>>,
    placed: &mut Vec<(Place, LadderRow)>,
) {
    let mut seen = HashSet::new();
    let mut all: Vec<(usize, Arc<Stream>)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let new = call.streams.iter().filter(|key| seen.insert(**key)).filter_map(|key| streams(*key));
        all.extend(new.map(|stream| (index, stream)));
    }
    all.sort_by_key(|(_, stream)| (stream.first, stream.key));
    let mut bars: Vec<RtpRow> = Vec::new();
    let mut by_pair: HashMap<(Endpoint, Endpoint), usize> = HashMap::new();
    for (call, stream) in all {
        let (src, dst) = (stream.flow.src, stream.flow.dst);
        let at = *by_pair.entry((src.min(dst), src.max(dst))).or_insert(bars.len());
        if at == bars.len() {
            bars.push(RtpRow {
                call,
                from: 0,
                to: 0,
                near: src,
                far: dst,
                codec: None,
                packets: 0,
                packets_back: 0,
                last: stream.last,
                streams: Vec::new(),
            });
        }
        if let Some(bar) = bars.get_mut(at) {
            bar.add(stream);
        }
    }
    for bar in bars {
        let at = bar.streams.first().map_or(bar.last, |stream| stream.first);
        placed.push((Place::AfterPackets, new_row(at, RowKind::Rtp(bar))));
    }
}

impl RtpRow {
    fn add(&mut self, stream: Arc<Stream>) {
        if stream.flow.src == self.near {
            self.packets += stream.packets;
        } else {
            self.packets_back += stream.packets;
        }
        self.last = self.last.max(stream.last);
        if self.codec.is_none() {
            self.codec.clone_from(&stream.codec);
        }
        self.streams.push(stream);
    }
}

/// Two passes, since a later row may move a column: first every row's hosts get an identity, then the identities a position.
fn place_columns(rows: &mut [LadderRow], by: ColumnBy) -> Vec<Column> {
    let mut placing = Placing::new(by);
    for row in rows.iter() {
        if let RowKind::Message(row) = &row.kind {
            placing.learn(&row.message);
        }
    }
    for row in rows.iter_mut() {
        match &mut row.kind {
            RowKind::Message(row) => {
                (row.from, row.to) = placing.signalling(row.message.flow.src, row.message.flow.dst);
            }
            RowKind::Fact(row) => {
                (row.from, row.to) = match &row.fact {
                    Fact::Tcp(fact) => placing.signalling(fact.flow.src, fact.flow.dst),
                    Fact::Icmp(IcmpFact { reporter, quoted, .. }) => placing.icmp(*reporter, *quoted),
                };
            }
            RowKind::Rtp(row) => (row.from, row.to) = placing.media(row.near, row.far),
            RowKind::Gap(_) => {}
        }
    }
    let (columns, position) = placing.finish();
    let at = |id: &mut usize| *id = position.get(*id).copied().unwrap_or(0);
    for row in rows.iter_mut() {
        match &mut row.kind {
            RowKind::Message(row) => (at(&mut row.from), at(&mut row.to)),
            RowKind::Fact(row) => (at(&mut row.from), at(&mut row.to)),
            RowKind::Rtp(row) => (at(&mut row.from), at(&mut row.to)),
            RowKind::Gap(_) => continue,
        };
    }
    columns
}

/// Copies go into the row of the message they repeat, as long as nothing else passed between the same two columns.
fn collapse(rows: Vec<LadderRow>) -> Vec<LadderRow> {
    let mut kept: Vec<LadderRow> = Vec::with_capacity(rows.len());
    let mut latest: HashMap<(usize, usize, usize), usize> = HashMap::new();
    for row in rows {
        let RowKind::Message(new) = &row.kind else {
            kept.push(row);
            continue;
        };
        let pair = (new.call, new.from.min(new.to), new.from.max(new.to));
        let before = latest.get(&pair).and_then(|at| kept.get_mut(*at));
        if let Some(LadderRow { kind: RowKind::Message(original), .. }) = before {
            let of_this = |ordinal| {
                original.message.ordinal == ordinal || original.copies.iter().any(|copy| copy.ordinal == ordinal)
            };
            if new.message.repeats.is_some_and(of_this) {
                original.copies.push(Arc::clone(&new.message));
                continue;
            }
        }
        latest.insert(pair, kept.len());
        kept.push(row);
    }
    kept
}
