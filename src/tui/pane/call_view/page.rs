//! What the ladder shows, row by row: made anew only when the calls shown have changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::packet::{Endpoint, PacketId};
use crate::sip::Method;
use crate::store::ladder::{ColumnBy, Ladder, LadderOptions, LadderRow, MessageRow, RowKind};
use crate::store::paths::{self, Pair};
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKey, Fact};
use crate::track::message::Message;
use crate::track::stream::Stream;

use super::{ending, sdp};

/// What stays the same about a row while others come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A message: its call, and its ordinal there.
    Message(CallKey, u32),
    /// A TCP or ICMP fact, by its packet.
    Fact(PacketId),
    /// RTP between two endpoints.
    Rtp(Endpoint, Endpoint),
    /// The place in a call where messages were left out.
    Gap(CallKey),
    /// How a call ended.
    End(CallKey),
}

/// How SDP is shown in the ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SdpMode {
    /// Not beyond the word in the label.
    #[default]
    Off,
    /// One line a medium, below the arrow.
    Short,
    /// All of its lines.
    Whole,
}

/// What the rows depend on beside the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageOptions {
    pub collapse: bool,
    pub columns: ColumnBy,
    pub only_sdp: bool,
    pub sdp: SdpMode,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { collapse: true, columns: ColumnBy::Address, only_sdp: false, sdp: SdpMode::Off }
    }
}

/// A row that the cursor can be on.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub id: RowId,
    pub at: Timestamp,
    pub what: What,
}

/// What an item shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A row of the ladder, by index.
    Row(usize),
    /// How a call ended, by the call's index.
    End(usize),
}

/// A line of the screen: an item's own, or one of its SDP lines.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub item: usize,
    pub sdp: Option<String>,
}

/// The rows of the ladder, ready to be drawn.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub calls: Vec<Arc<Call>>,
    /// Where the media of each call should go and goes.
    pub pairs: Vec<Vec<Pair>>,
    /// The snapshot's generation when that was looked at.
    generation: u64,
    streams: Vec<Arc<Stream>>,
    options: PageOptions,
    pub ladder: Ladder,
    pub items: Vec<Item>,
    pub lines: Vec<Line>,
    /// Moves whenever the page was made anew.
    pub version: u64,
    places: HashMap<RowId, usize>,
    /// Which transmission a message is, for retransmissions with a row of their own.
    nth: HashMap<(CallKey, u32), u32>,
    /// INVITE transactions of a fork (call and transaction), and whether a 2xx came back.
    forks: HashMap<(usize, u16), bool>,
}

impl Page {
    /// Looks whether the calls shown have changed, and makes the rows anew if so. Tells whether it did.
    pub fn refresh(&mut self, keys: &[CallKey], snapshot: &Snapshot, options: PageOptions) -> bool {
        let old = |key: CallKey| self.calls.iter().find(|call| call.key == key);
        let calls: Vec<Arc<Call>> =
            keys.iter().filter_map(|key| snapshot.call(*key).or_else(|| old(*key)).cloned()).collect();
        let streams: Vec<Arc<Stream>> =
            calls.iter().flat_map(|call| &call.streams).filter_map(|key| snapshot.stream(*key).cloned()).collect();
        let same = options == self.options
            && self.version > 0
            && same_arcs(&calls, &self.calls)
            && same_arcs(&streams, &self.streams);
        if self.generation != snapshot.generation || !same {
            // Streams of other calls may count, too.
            self.generation = snapshot.generation;
            self.pairs = calls.iter().map(|call| paths::of(call, &snapshot.streams)).collect();
        }
        if same {
            return false;
        }
        let ladder_options = LadderOptions { columns: options.columns, collapse: options.collapse };
        self.ladder = Ladder::of(&calls, &|key| snapshot.stream(key).cloned(), ladder_options);
        (self.calls, self.streams, self.options) = (calls, streams, options);
        self.version += 1;
        self.find_forks();
        self.make_items();
        self.make_lines();
        true
    }

    /// The row of an item, unless it is a closing line.
    pub fn row(&self, item: usize) -> Option<&LadderRow> {
        match self.items.get(item)?.what {
            What::Row(row) => self.ladder.rows.get(row),
            What::End(_) => None,
        }
    }

    /// Index of the call that an item belongs to.
    pub fn call_of(&self, item: usize) -> usize {
        match self.items.get(item).map(|item| item.what) {
            Some(What::Row(row)) => self.ladder.rows.get(row).map_or(0, LadderRow::call),
            Some(What::End(call)) => call,
            None => 0,
        }
    }

    /// The message of an item, if it is one.
    pub fn message(&self, item: usize) -> Option<&Arc<Message>> {
        self.row(item)?.message()
    }

    /// The message row of an item, if it is one.
    pub fn message_row(&self, item: usize) -> Option<&MessageRow> {
        match &self.row(item)?.kind {
            RowKind::Message(row) => Some(row),
            _ => None,
        }
    }

    /// Where this row stands now. A collapsed copy stands where its original does.
    pub fn place(&self, id: RowId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// Which transmission of its message this row is: 1 for the first.
    pub fn nth(&self, row: &MessageRow) -> u32 {
        let key = self.calls.get(row.call).map(|call| (call.key, row.message.ordinal));
        key.and_then(|key| self.nth.get(&key)).copied().unwrap_or(1)
    }

    /// Whether this row sends one branch of a fork, and whether that branch was answered.
    pub fn fork(&self, row: &MessageRow) -> Option<bool> {
        row.message.sip.method().filter(|method| **method == Method::Invite)?;
        self.forks.get(&(row.call, row.message.transaction)).copied()
    }

    /// The first of an item's lines.
    pub fn first_line(&self, item: usize) -> usize {
        self.lines.partition_point(|line| line.item < item)
    }

    fn make_items(&mut self) {
        let mut last_row: HashMap<usize, usize> = HashMap::new();
        for (index, row) in self.ladder.rows.iter().enumerate() {
            last_row.insert(row.call(), index);
        }
        (self.items, self.places, self.nth) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut sent: HashMap<(CallKey, u32), u32> = HashMap::new();
        for (index, row) in self.ladder.rows.iter().enumerate() {
            let Some(call) = self.calls.get(row.call()) else { continue };
            if let RowKind::Message(message) = &row.kind {
                let ordinal = message.message.ordinal;
                let original = message.message.repeats.unwrap_or(ordinal);
                let count = sent.entry((call.key, original)).or_default();
                *count += 1;
                self.nth.insert((call.key, ordinal), *count);
                for copy in &message.copies {
                    self.places.insert(RowId::Message(call.key, copy.ordinal), self.items.len());
                }
            }
            if !self.options.only_sdp || is_media(row) {
                let item = Item { id: row_id(row, call.key), at: row.at, what: What::Row(index) };
                self.places.insert(item.id, self.items.len());
                self.items.push(item);
            }
            if last_row.get(&row.call()) == Some(&index) && ending::sentence(call).is_some() {
                let item = Item { id: RowId::End(call.key), at: row.at, what: What::End(row.call()) };
                self.places.insert(item.id, self.items.len());
                self.items.push(item);
            }
        }
    }

    fn make_lines(&mut self) {
        let mut lines = Vec::with_capacity(self.items.len());
        for item in 0..self.items.len() {
            lines.push(Line { item, sdp: None });
            let Some(message) = self.message(item).filter(|message| message.has_sdp) else { continue };
            let texts = match self.options.sdp {
                SdpMode::Off => Vec::new(),
                SdpMode::Short => sdp::summary(&message.sip),
                SdpMode::Whole => sdp::lines(&message.sip),
            };
            lines.extend(texts.into_iter().map(|text| Line { item, sdp: Some(text) }));
        }
        self.lines = lines;
    }

    /// One INVITE sent on as several from the same column with the same CSeq number is a fork.
    fn find_forks(&mut self) {
        let mut sent: HashMap<(usize, usize, u16), HashSet<u16>> = HashMap::new();
        let mut answered: HashSet<(usize, u16)> = HashSet::new();
        for row in &self.ladder.rows {
            let RowKind::Message(row) = &row.kind else { continue };
            let transaction = row.message.transaction;
            if row.message.sip.method() == Some(&Method::Invite) {
                sent.entry((row.call, row.from, row.cseq)).or_default().insert(transaction);
            } else if row.message.sip.status().is_some_and(|status| (200..300).contains(&status)) {
                answered.insert((row.call, transaction));
            }
        }
        self.forks = sent
            .into_iter()
            .filter(|(_, transactions)| transactions.len() > 1)
            .flat_map(|((call, ..), transactions)| transactions.into_iter().map(move |number| (call, number)))
            .map(|key| (key, answered.contains(&key)))
            .collect();
    }
}

fn same_arcs<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

fn is_media(row: &LadderRow) -> bool {
    match &row.kind {
        RowKind::Message(row) => row.message.has_sdp,
        RowKind::Rtp(_) => true,
        RowKind::Fact(_) | RowKind::Gap(_) => false,
    }
}

fn row_id(row: &LadderRow, call: CallKey) -> RowId {
    match &row.kind {
        RowKind::Message(row) => RowId::Message(call, row.message.ordinal),
        RowKind::Fact(row) => RowId::Fact(fact_packet(&row.fact)),
        RowKind::Rtp(row) => RowId::Rtp(row.near, row.far),
        RowKind::Gap(_) => RowId::Gap(call),
    }
}

/// The packet that a fact was read from.
pub(super) fn fact_packet(fact: &Fact) -> PacketId {
    match fact {
        Fact::Tcp(fact) => fact.packet,
        Fact::Icmp(fact) => fact.packet,
    }
}
