//! What is known: rows, indices, statistics, and the snapshots that screens and reports are made from.
//!
//! [`Store::apply`] takes what the decoder found in a batch and changes rows; it says which in [`Change`]s. A call's row is
//! shared with snapshots; what its state machines remember ([`CallMachine`]) is not, and stands beside it.

pub mod audio;
pub mod evict;
pub mod expire;
pub mod filter;
pub mod flows;
pub mod ladder;
pub mod paths;
pub mod rows;
#[cfg(test)]
pub(crate) mod sample;
mod sip;
pub mod snapshot;
pub mod stats;
pub mod streams;

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;

use crate::event::{Decoded, Event, IcmpFact, TcpSign};
use crate::limits::{
    CALL_BYTES, CALL_FACTS, CALL_STREAMS, CALLS, MEDIA_ENDPOINTS, SIP_BYTES, STAT_PEERS, STREAM_CANDIDATES, STREAMS,
};
use crate::packet::FlowKey;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKey, Fact, Identities};
use crate::track::machine::CallMachine;
use crate::track::media::MediaMap;
use crate::track::stream::{Stream, StreamKey};
use crate::track::timer::TRANSACTION;

use evict::Ended;
use expire::Alarms;
use flows::Flows;
use rows::Rows;
use snapshot::{CaptureView, MemoryUse, Snapshot};
use stats::Stats;
use stats::collect::{Collector, Counted};
use streams::Streams;

/// Limits that a test may want to reach without a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Calls kept.
    pub calls: usize,
    /// Bytes that calls and their messages may take.
    pub sip_bytes: usize,
    /// RTP streams kept.
    pub streams: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { calls: CALLS, sip_bytes: SIP_BYTES, streams: STREAMS }
    }
}

/// Which row an event touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A call got a message; its ordinal is [`crate::track::message::Message::ordinal`].
    Message {
        /// The call.
        call: CallKey,
        /// The message's ordinal within it.
        ordinal: u32,
    },
    /// A call is new, or what its row shows beyond its messages changed.
    Call(CallKey),
    /// A stream is new, got its call, or has been going on for another 10 s.
    Stream(StreamKey),
    /// A call was dropped for lack of room.
    Evicted(CallKey),
}

/// What stands beside a call's row.
#[derive(Debug, Default)]
struct CallEntry {
    machine: CallMachine,
    counted: Counted,
    alarm: Option<Timestamp>,
    epoch: u32,
    is_over: bool,
}

/// Everything that is known.
#[derive(Debug)]
pub struct Store {
    options: StoreOptions,
    keys: RandomState,
    calls: Rows<Call>,
    entries: HashMap<CallKey, Box<CallEntry>, foldhash::fast::RandomState>,
    by_id: HashMap<Arc<str>, CallKey>,
    nameless: HashMap<IpAddr, CallKey>,
    identities: HashSet<Arc<Identities>>,
    media: MediaMap,
    streams: Streams,
    bound: Vec<(CallKey, StreamKey)>,
    flows: Flows,
    ended: Ended,
    alarms: Alarms,
    collector: Collector,
    stats: Arc<Stats>,
    stats_generation: u64,
    capture_packets: u64,
    bytes: usize,
    evicted: u64,
    evicted_live: u64,
    /// Rows that have ended.
    over: usize,
    now: Option<Timestamp>,
    generation: u64,
    is_over: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self::new(StoreOptions::default())
    }
}

impl Store {
    /// An empty store.
    pub fn new(options: StoreOptions) -> Self {
        let streams = Streams::new(options.streams);
        Self {
            options,
            keys: RandomState::new(),
            calls: Rows::default(),
            entries: HashMap::default(),
            by_id: HashMap::new(),
            nameless: HashMap::new(),
            identities: HashSet::new(),
            media: MediaMap::default(),
            streams,
            bound: Vec::new(),
            flows: Flows::default(),
            ended: Ended::default(),
            alarms: Alarms::default(),
            collector: Collector::default(),
            stats: Arc::default(),
            stats_generation: 0,
            capture_packets: 0,
            bytes: 0,
            evicted: 0,
            evicted_live: 0,
            over: 0,
            now: None,
            generation: 0,
            is_over: false,
        }
    }

    /// Applies what the decoder found in one batch: takes the events out of `decoded`, then counts its RTP. What changed is
    /// added to `changes`.
    pub fn apply(&mut self, decoded: &mut Decoded, changes: &mut Vec<Change>) {
        if !decoded.events.is_empty() || !decoded.rtp.is_empty() {
            self.generation += 1;
        }
        // RTCP speaks of RTP that came before it, and is looked at behind it.
        let mut rtcp = Vec::new();
        for event in decoded.events.drain(..) {
            match event {
                Event::Sip(arrival) => self.sip(*arrival, changes),
                Event::TcpFlow(fact) => self.fact(fact.flow, Fact::Tcp(fact), changes),
                Event::Icmp(fact) => self.icmp(fact, changes),
                Event::Rtcp(seen) => {
                    self.collector.rtcp_packets += 1;
                    rtcp.push(seen);
                }
            }
        }
        self.streams.apply(&decoded.rtp, &self.media, changes, &mut self.bound);
        rtcp.iter().for_each(|seen| self.streams.rtcp(seen));
        for (call, stream) in std::mem::take(&mut self.bound) {
            self.add_stream(call, stream, changes);
        }
        if let Some(now) = decoded.now {
            self.now = self.now.max(Some(now));
        }
    }

    /// Time goes on: what has been silent for too long times out or expires. `now` is packet time; of a live capture, the
    /// clock.
    pub fn tick(&mut self, now: Timestamp, changes: &mut Vec<Change>) {
        let second = |at: Timestamp| at.nanos().div_euclid(1_000_000_000);
        // Running durations and rates move once a second.
        if self.now.is_none_or(|before| second(now) > second(before)) {
            self.generation += 1;
        }
        self.now = self.now.max(Some(now));
        self.ring(now, changes);
    }

    /// Nothing more comes: figures that may lag behind while it does are to be exact.
    pub fn finish(&mut self) {
        self.is_over = true;
        self.streams.report_all();
    }

    /// Measures the packets of streams that wait for others, for somebody who wants to see each stream's progress at once.
    pub fn measure(&mut self, changes: &mut Vec<Change>) {
        self.streams.apply(&[], &self.media, changes, &mut self.bound);
    }

    /// Forgets these calls, as the user asked for.
    pub fn forget(&mut self, keys: &[CallKey]) {
        for key in keys {
            self.remove(*key);
        }
        self.generation += 1;
    }

    /// Forgets all calls and streams. What was counted stays counted.
    pub fn forget_all(&mut self) {
        let keys: Vec<CallKey> = self.calls.iter().map(|call| call.key).collect();
        self.forget(&keys);
        self.ended.clear();
        self.alarms.clear();
        self.streams.clear();
    }

    /// All that is known now. Costs little: rows are shared, not copied.
    pub fn snapshot(&mut self, capture: Arc<CaptureView>) -> Snapshot {
        let packets = capture.decode.packets;
        if packets > self.capture_packets {
            let at = capture.last.or(self.now);
            if let Some(at) = at {
                self.collector.packets(at, packets - self.capture_packets);
            }
            self.capture_packets = packets;
            self.generation += 1;
        }
        let now = self.now.unwrap_or_default();
        let streams = self.streams.refresh(&mut self.media, now, self.is_over).clone();
        if self.stats_generation != self.generation {
            self.collector.rtp_packets = self.streams.packets;
            self.stats = Arc::new(self.collector.stats(self.now));
            self.stats_generation = self.generation;
        }
        Snapshot {
            generation: self.generation,
            now: self.now,
            calls: self.calls.clone(),
            streams,
            stats: Arc::clone(&self.stats),
            capture,
        }
    }

    /// Whether figures of streams wait to be shown.
    pub fn has_figures_to_show(&self) -> bool {
        self.streams.is_dirty()
    }

    /// RTP packets that were captured before, and are counted nowhere else.
    pub fn media_copies(&self) -> u64 {
        self.streams.copies
    }

    /// The calls, in order of appearance.
    pub fn calls(&self) -> &Rows<Call> {
        &self.calls
    }

    /// The streams, in order of appearance, with what was counted until now.
    pub fn streams(&mut self) -> &Rows<Stream> {
        self.streams.refresh(&mut self.media, self.now.unwrap_or_default(), self.is_over)
    }

    /// Moves whenever anything changed that a snapshot shows.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What is kept, against its limits.
    pub fn memory(&self) -> Vec<MemoryUse> {
        let (streams, candidates, evicted_streams) = self.streams.usage();
        let row = MemoryUse::new;
        vec![
            row("calls", self.calls.len(), self.options.calls, "calls", self.evicted),
            row(
                "live calls",
                self.calls.len().saturating_sub(self.over),
                self.options.calls,
                "calls",
                self.evicted_live,
            ),
            row("SIP memory", self.bytes, self.options.sip_bytes, "bytes", self.evicted),
            row("RTP streams", streams, self.options.streams, "streams", evicted_streams),
            row("RTP candidates", candidates, STREAM_CANDIDATES, "flows", 0),
            row("media endpoints", self.media.len(), MEDIA_ENDPOINTS, "endpoints", self.media.refused()),
            row("peers", self.collector.peers(), STAT_PEERS, "peers", 0),
        ]
    }

    /// Notes a TCP or ICMP fact on the calls whose flow it concerns.
    fn fact(&mut self, flow: FlowKey, fact: Fact, changes: &mut Vec<Change>) {
        for key in self.flows.calls(flow, &fact) {
            if let Some(call) = self.calls.get_mut(key.0).filter(|call| concerns(&fact, call)) {
                add_fact(call, fact.clone());
                changes.push(Change::Call(key));
            }
        }
    }

    /// Notes an ICMP error on the call whose message it quotes. When nobody knows which, on those of its flow.
    fn icmp(&mut self, fact: IcmpFact, changes: &mut Vec<Change>) {
        let call_id = fact.quote.as_ref().and_then(|quote| quote.call_id.as_deref());
        let quoted = call_id.and_then(|call_id| self.by_id.get(call_id)).copied();
        match quoted.and_then(|key| Some((key, self.calls.get_mut(key.0)?))) {
            Some((key, call)) => {
                add_fact(call, Fact::Icmp(fact));
                changes.push(Change::Call(key));
            }
            None => self.fact(fact.quoted, Fact::Icmp(fact), changes),
        }
    }

    fn add_stream(&mut self, call: CallKey, stream: StreamKey, changes: &mut Vec<Change>) {
        if let Some(row) = self.calls.get_mut(call.0)
            && row.streams.len() < CALL_STREAMS
        {
            row.streams.push(stream);
            changes.push(Change::Call(call));
        }
    }

    /// Looks at the rows whose time has come.
    fn ring(&mut self, now: Timestamp, changes: &mut Vec<Change>) {
        while let Some((key, at)) = self.alarms.pop(now) {
            let (Some(entry), Some(call)) = (self.entries.get_mut(&key), self.calls.get(key.0)) else { continue };
            if entry.alarm != Some(at) {
                continue;
            }
            entry.alarm = None;
            if entry.machine.deadline(call).is_some_and(|deadline| deadline <= now)
                && let Some(call) = self.calls.get_mut(key.0)
            {
                entry.machine.expire(call, now);
                changes.push(Change::Call(key));
                self.generation += 1;
            }
            self.settle(key, now);
        }
    }

    /// Brings counters, the order of eviction, and the next alarm up to what a call is now.
    fn settle(&mut self, key: CallKey, now: Timestamp) {
        let (Some(entry), Some(call)) = (self.entries.get_mut(&key), self.calls.get(key.0)) else { return };
        self.collector.call(call, entry.machine.attempts(), &mut entry.counted, now);
        let is_over = !call.state.is_live() || entry.machine.is_stale(call, now);
        if is_over != entry.is_over {
            entry.is_over = is_over;
            entry.epoch = entry.epoch.wrapping_add(1);
            if is_over {
                entry.machine.shrink();
                self.over += 1;
                self.ended.push(key, entry.epoch);
            } else {
                self.over = self.over.saturating_sub(1);
            }
        }
        if let Some(at) = entry.machine.wakes(call).filter(|at| *at > now) {
            self.alarms.set(key, at, &mut entry.alarm);
        }
    }

    /// Makes room: the oldest ended row first; a live one only when no row has ended.
    fn make_room(&mut self, changes: &mut Vec<Change>) {
        while self.calls.len() > 1 && (self.calls.len() > self.options.calls || self.bytes > self.options.sip_bytes) {
            let entries = &self.entries;
            let is_current =
                |key: CallKey, epoch: u32| entries.get(&key).is_some_and(|entry| entry.is_over && entry.epoch == epoch);
            let ended = self.ended.pop(is_current);
            self.evicted_live += u64::from(ended.is_none());
            let next = self.calls.next_ordinal();
            let Some(key) = ended.or_else(|| self.ended.oldest(next, |key| self.calls.get(key).is_some())) else {
                return;
            };
            self.remove(key);
            self.evicted += 1;
            changes.push(Change::Evicted(key));
        }
        let entries = &self.entries;
        self.ended.tidy(self.calls.len(), |key, epoch| {
            entries.get(&key).is_some_and(|entry| entry.is_over && entry.epoch == epoch)
        });
        self.alarms.tidy(self.calls.len(), |key, at| entries.get(&key).is_some_and(|entry| entry.alarm == Some(at)));
    }

    fn remove(&mut self, key: CallKey) {
        let Some(call) = self.calls.remove(key.0) else { return };
        self.bytes = self.bytes.saturating_sub(call.messages.bytes() + row_bytes(&call));
        if call.call_id.is_empty() {
            // The first message is always kept, and its sender is what the row was found by.
            if let Some(first) = call.messages.get(0) {
                self.nameless.remove(&first.flow.src.ip);
            }
        } else {
            self.by_id.remove(&call.call_id);
        }
        if let Some(entry) = self.entries.remove(&key) {
            self.over -= usize::from(entry.is_over).min(self.over);
            self.media.forget(key, &entry.machine.media);
            self.collector.forget(&call, &entry.counted);
        }
    }
}

/// Whether a fact on a call's flow can be about it. An ICMP error answers a packet that was just sent, maybe of another
/// call between the same two ports; a connection matters as long as the call lives.
fn concerns(fact: &Fact, call: &Call) -> bool {
    let (at, lasts) = match fact {
        Fact::Tcp(fact) => (fact.at, call.ended.is_none()),
        Fact::Icmp(fact) => (fact.at, false),
    };
    lasts || at <= call.last.after(TRANSACTION)
}

fn add_fact(call: &mut Call, fact: Fact) {
    let facts = Arc::make_mut(&mut call.facts);
    // Of keep-alives in a row only the newest says anything: that the connection was alive then.
    if is_keep_alive(&fact) && facts.last().is_some_and(is_keep_alive) {
        facts.pop();
    }
    if facts.len() >= CALL_FACTS {
        // Several at once, so that a flood does not move all of them for each.
        facts.drain(..CALL_FACTS / 4);
    }
    facts.push(fact);
}

fn is_keep_alive(fact: &Fact) -> bool {
    matches!(fact, Fact::Tcp(fact) if fact.kind == TcpSign::KeepAlive)
}

#[cfg(test)]
mod flood;
#[cfg(test)]
mod tests;

/// What a call is reckoned to take beside its messages. Its names are copies of header texts, which may be long.
fn row_bytes(call: &Call) -> usize {
    let names = [&call.from, &call.to].into_iter().flat_map(|party| [&party.user, &party.uri, &party.display]);
    CALL_BYTES + call.call_id.len() + names.map(|name| name.len()).sum::<usize>()
}
