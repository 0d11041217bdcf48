//! RTP streams: found by their flow and SSRC, measured beside a plain table, shown as rows when a snapshot asks.

mod analysis;
mod candidates;
mod copies;
mod index;
mod queue;
mod reported;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::event::RtpSample;
use crate::packet::{Endpoint, FlowKey};
use crate::rtp::round_trip::RoundTrips;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::CallKey;
use crate::track::media::MediaMap;
use crate::track::stream::{Announced, Reported, Stream, StreamKey};

use super::Change;
use super::rows::Rows;
use analysis::Analysis;
use candidates::{Candidate, Candidates, Seen};
use copies::Newest;
use index::packed;
use queue::{Chain, Queue, Sample};

/// Packets looked up together before they are counted: the lookups' cache misses then overlap.
const WINDOW: usize = 32;
/// Marks a packet whose stream is not known.
const UNKNOWN: u32 = u32::MAX;
/// A stream is reported again when it was last reported this long ago.
const REPORT_EVERY: Elapsed = Elapsed::from_secs(10);
/// A stream that was silent for so long may be evicted.
const SILENT: Elapsed = Elapsed::from_secs(30);
/// The figures of a row are at most so old while its stream goes on: percentiles and buffers are not free.
const FIGURES_EVERY: Elapsed = Elapsed::from_millis(500);
/// Streams looked at to find a silent one.
const EVICTION_TRIES: usize = 16;

type StreamId = (FlowKey, u32);

/// A stream. What every packet needs stands in front.
#[derive(Debug)]
struct Counter {
    id: StreamId,
    waiting: Chain,
    last: Timestamp,
    is_dirty: bool,
    report_at: Timestamp,
    analysis: Box<Analysis>,
    newest: Newest,
    key: StreamKey,
    call: Option<CallKey>,
    /// The newest stream in the other direction.
    reverse: Option<StreamKey>,
    /// When its row last got its figures.
    shown: Option<Timestamp>,
    reported: Option<Arc<Reported>>,
}

impl Counter {
    /// Whether it counted, as one that was captured before does not.
    #[inline]
    fn count(&mut self, sample: &Sample, media: &MediaMap) -> bool {
        if self.newest.is_copy(sample) {
            return false;
        }
        self.analysis.packet(sample, &self.id.0, media, self.call);
        true
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        self.shown.is_none_or(|shown| now.since(shown) >= FIGURES_EVERY)
    }
}

/// All streams.
#[derive(Debug)]
pub struct Streams {
    v4: HashMap<u128, u32, RandomState>,
    v6: HashMap<StreamId, u32, RandomState>,
    counters: Vec<Counter>,
    free: Vec<u32>,
    /// The newest stream of a flow, for that of the other direction.
    flows: HashMap<FlowKey, u32, RandomState>,
    order: VecDeque<(u32, StreamKey)>,
    candidates: Candidates,
    /// Streams without a call, by both of their ends: SDP that comes later ties them.
    loose: HashMap<Endpoint, SmallVec<[u32; 2]>, RandomState>,
    /// By SSRC, since RTCP names no more. A bridge may send the same on several flows.
    by_ssrc: HashMap<u32, SmallVec<[u32; 2]>, RandomState>,
    round_trips: RoundTrips,
    queue: Queue,
    /// Streams to be reported again.
    due: Vec<StreamKey>,
    dirty: Vec<u32>,
    rows: Rows<Stream>,
    limit: usize,
    evicted: u64,
    /// Packets of streams.
    pub packets: u64,
    /// RTP packets that were captured before.
    pub copies: u64,
}

impl Streams {
    /// A table that keeps at most `limit` streams.
    pub fn new(limit: usize) -> Self {
        Self {
            v4: HashMap::default(),
            v6: HashMap::default(),
            counters: Vec::new(),
            free: Vec::new(),
            flows: HashMap::default(),
            order: VecDeque::new(),
            candidates: Candidates::default(),
            loose: HashMap::default(),
            by_ssrc: HashMap::default(),
            round_trips: RoundTrips::default(),
            queue: Queue::default(),
            due: Vec::new(),
            dirty: Vec::new(),
            rows: Rows::default(),
            limit: limit.max(1),
            evicted: 0,
            packets: 0,
            copies: 0,
        }
    }

    /// Takes packets. Those of known streams are measured when there are enough of them, or when there are no more for the
    /// moment. Streams that were found to belong to a call are added to `bound`.
    pub fn apply(
        &mut self,
        samples: &[RtpSample],
        media: &MediaMap,
        changes: &mut Vec<Change>,
        bound: &mut Vec<(CallKey, StreamKey)>,
    ) {
        let mut found = [UNKNOWN; WINDOW];
        for window in samples.chunks(WINDOW) {
            for (sample, slot) in window.iter().zip(&mut found) {
                *slot = self.find(sample);
            }
            for (sample, slot) in window.iter().zip(found) {
                match self.counters.get_mut(slot as usize) {
                    Some(counter) if slot != UNKNOWN && counter.id.1 == sample.ssrc && counter.id.0 == sample.flow => {
                        counter.last = sample.at;
                        self.queue.push(slot, &mut counter.waiting, sample.into());
                    }
                    _ => self.unknown(sample, media, changes, bound),
                }
            }
        }
        if samples.is_empty() || self.queue.is_full() {
            self.measure(media);
        }
        changes.extend(self.due.drain(..).map(Change::Stream));
    }

    /// Measures the packets that wait, stream by stream.
    fn measure(&mut self, media: &MediaMap) {
        let mut queue = std::mem::take(&mut self.queue);
        for &slot in queue.slots() {
            let Some(counter) = self.counters.get_mut(slot as usize) else { continue };
            for sample in queue.samples(std::mem::replace(&mut counter.waiting, Chain::EMPTY)) {
                if !counter.count(sample, media) {
                    self.copies += 1;
                    continue;
                }
                self.packets += 1;
                if sample.at >= counter.report_at {
                    counter.report_at = sample.at.after(REPORT_EVERY);
                    self.due.push(counter.key);
                }
            }
            if !counter.is_dirty {
                counter.is_dirty = true;
                self.dirty.push(slot);
            }
        }
        queue.clear();
        self.queue = queue;
    }

    /// A packet whose stream was not known when its window was looked up.
    fn unknown(
        &mut self,
        sample: &RtpSample,
        media: &MediaMap,
        changes: &mut Vec<Change>,
        bound: &mut Vec<(CallKey, StreamKey)>,
    ) {
        let slot = self.find(sample);
        if let Some(counter) = self.counters.get_mut(slot as usize).filter(|_| slot != UNKNOWN) {
            counter.last = sample.at;
            self.queue.push(slot, &mut counter.waiting, sample.into());
            return;
        }
        let id = (sample.flow, sample.ssrc);
        let call = media.of(&sample.flow).map(|announced| announced.call);
        match self.candidates.take(id, sample, call.is_some()) {
            Seen::Copy => self.copies += 1,
            Seen::Unproved => {}
            Seen::Proved(candidate) => self.promote(id, &candidate, media, call, changes, bound),
        }
    }

    fn promote(
        &mut self,
        id: StreamId,
        candidate: &Candidate,
        media: &MediaMap,
        call: Option<CallKey>,
        changes: &mut Vec<Change>,
        bound: &mut Vec<(CallKey, StreamKey)>,
    ) {
        let (Some(first), Some(last)) = (candidate.run.first(), candidate.run.last()) else { return };
        if self.counters.len() - self.free.len() >= self.limit {
            // Whoever leaves must have no packets waiting.
            self.measure(media);
        }
        while self.counters.len() - self.free.len() >= self.limit {
            self.evict_one(last.at);
        }
        let (flow, ssrc) = id;
        let key = StreamKey(self.rows.next_ordinal());
        let slot = self.free.pop().unwrap_or(self.counters.len() as u32);
        let is_listed = self.counters.get(slot as usize).is_some_and(|gone| gone.is_dirty);
        let mut analysis = Box::<Analysis>::default();
        for sample in &candidate.run {
            analysis.packet(&sample.into(), &flow, media, call);
        }
        let counter = Counter {
            id,
            waiting: Chain::EMPTY,
            last: last.at,
            is_dirty: true,
            report_at: last.at.after(REPORT_EVERY),
            analysis,
            newest: candidate.newest,
            key,
            call,
            reverse: self.meet(flow, key),
            shown: None,
            reported: None,
        };
        self.rows.push(Stream {
            key,
            flow,
            ssrc,
            payload_type: last.payload_type,
            codec: None,
            packets: counter.analysis.packets(),
            payload_bytes: counter.analysis.payload_bytes(),
            first: first.at,
            last: last.at,
            call,
            quality: Arc::default(),
        });
        self.packets += counter.analysis.packets();
        match self.counters.get_mut(slot as usize) {
            Some(free) => *free = counter,
            None => self.counters.push(counter),
        }
        self.index(slot, id);
        self.order.push_back((slot, key));
        if !is_listed {
            self.dirty.push(slot);
        }
        changes.push(Change::Stream(key));
        match call {
            Some(call) => bound.push((call, key)),
            None => self.await_call(slot, flow),
        }
    }

    /// The stream in the other direction, which is told of this new one.
    fn meet(&mut self, flow: FlowKey, key: StreamKey) -> Option<StreamKey> {
        let slot = self.flows.get(&flow.reversed()).copied()?;
        let other = self.counters.get_mut(slot as usize)?;
        other.reverse = Some(key);
        if !other.is_dirty {
            other.is_dirty = true;
            self.dirty.push(slot);
        }
        Some(other.key)
    }

    /// Has every stream reported once more that went on since the last time.
    pub fn report_all(&mut self) {
        for (slot, key) in &self.order {
            let Some(counter) = self.counters.get_mut(*slot as usize).filter(|counter| counter.key == *key) else {
                continue;
            };
            if counter.last.after(REPORT_EVERY) > counter.report_at {
                counter.report_at = counter.last.after(REPORT_EVERY);
                self.due.push(*key);
            }
        }
    }

    /// Ties the streams that come from or go to this endpoint to the call that announced it.
    pub fn bind(
        &mut self,
        endpoint: Endpoint,
        call: CallKey,
        media: &MediaMap,
        changes: &mut Vec<Change>,
    ) -> SmallVec<[StreamKey; 2]> {
        let mut bound = SmallVec::new();
        for slot in self.loose.remove(&endpoint).unwrap_or_default() {
            let Some(counter) = self.counters.get_mut(slot as usize) else { continue };
            let flow = counter.id.0;
            if counter.call.is_some() || (flow.src != endpoint && flow.dst != endpoint) {
                continue;
            }
            counter.call = Some(call);
            counter.analysis.ask_again(&flow, media, counter.call);
            bound.push(counter.key);
            changes.push(Change::Stream(counter.key));
            if !counter.is_dirty {
                counter.is_dirty = true;
                self.dirty.push(slot);
            }
            let other = if flow.src == endpoint { flow.dst } else { flow.src };
            self.loosen(other, slot);
        }
        bound
    }

    /// Writes what was counted since the last time into the rows. Figures that take more work are left as they are for half
    /// a second, unless `all` are to be as of `now`.
    pub fn refresh(&mut self, media: &mut MediaMap, now: Timestamp, all: bool) -> &Rows<Stream> {
        self.measure(media);
        let mut waiting = Vec::new();
        for slot in std::mem::take(&mut self.dirty) {
            let Some(counter) = self.counters.get_mut(slot as usize) else { continue };
            if !counter.is_dirty {
                continue;
            }
            let Some(row) = self.rows.get_mut(counter.key.0) else {
                counter.is_dirty = false;
                continue;
            };
            row.payload_type = counter.analysis.payload_type().unwrap_or(row.payload_type);
            row.packets = counter.analysis.packets();
            row.payload_bytes = counter.analysis.payload_bytes();
            row.last = counter.last;
            row.call = counter.call;
            let codec = media.codec(&counter.id.0, counter.call, row.payload_type);
            row.codec = codec.or(row.codec.take());
            if all || counter.is_stale(now) {
                counter.analysis.ask_again(&counter.id.0, media, counter.call);
                let named = |number| (number, media.codec(&counter.id.0, counter.call, number));
                let payloads = counter.analysis.payload_types().map(named).collect();
                let format = media.format(&counter.id.0, counter.call, row.payload_type);
                let parameters = format.map_or("", |format| &format.parameters);
                let codec = row.codec.as_deref().map(|name| (name, parameters));
                let mut quality = counter.analysis.quality(now, codec);
                quality.payloads = payloads;
                // What was once named stays so, though a later call may take the address over.
                let (ends, before) = (media.ends(&counter.id.0), row.quality.announced);
                quality.announced = Announced { src: ends.src || before.src, dst: ends.dst || before.dst };
                quality.reverse = counter.reverse;
                quality.reported = counter.reported.clone();
                row.quality = Arc::new(quality);
                counter.shown = Some(now);
                counter.is_dirty = false;
            } else {
                waiting.push(slot);
            }
        }
        self.dirty = waiting;
        &self.rows
    }

    /// Whether anything was measured since the last [`Streams::refresh`].
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Oldest first, but not one that still sends, if there is another near the front.
    fn evict_one(&mut self, now: Timestamp) {
        for turn in 0..EVICTION_TRIES {
            let Some((slot, key)) = self.order.pop_front() else { return };
            let Some(counter) = self.counters.get(slot as usize) else { continue };
            if turn + 1 < EVICTION_TRIES && counter.last.after(SILENT) > now {
                self.order.push_back((slot, key));
                continue;
            }
            self.remove(slot);
            self.evicted += 1;
            return;
        }
    }

    fn remove(&mut self, slot: u32) {
        let Some(counter) = self.counters.get_mut(slot as usize) else { return };
        // It stays marked while it is in the list of marked ones, or its next owner would be listed twice.
        let (flow, ssrc) = counter.id;
        let (key, is_loose) = (counter.key, counter.call.is_none());
        match packed(&flow, ssrc) {
            Some(packed) => self.v4.remove(&packed),
            None => self.v6.remove(&(flow, ssrc)),
        };
        if let Some(same) = self.by_ssrc.get_mut(&ssrc) {
            same.retain(|other| *other != slot);
            if same.is_empty() {
                self.by_ssrc.remove(&ssrc);
            }
        }
        if self.flows.get(&flow) == Some(&slot) {
            self.flows.remove(&flow);
        }
        if is_loose {
            self.loosen(flow.src, slot);
            self.loosen(flow.dst, slot);
        }
        self.rows.remove(key.0);
        self.free.push(slot);
    }

    /// Forgets all streams and candidates; the numbering goes on.
    pub fn clear(&mut self) {
        for slot in self.queue.slots() {
            if let Some(counter) = self.counters.get_mut(*slot as usize) {
                counter.waiting = Chain::EMPTY;
            }
        }
        self.queue.clear();
        while let Some((slot, _)) = self.order.pop_front() {
            self.remove(slot);
        }
        self.candidates.clear();
        for slot in self.dirty.drain(..) {
            if let Some(counter) = self.counters.get_mut(slot as usize) {
                counter.is_dirty = false;
            }
        }
    }

    /// Entries of the lists that are cleared only now and then: slots to be shown, and slots without a call.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.dirty.len() + self.loose.values().filter(|slots| slots.len() > 50).count() + self.loose.len()
    }

    /// Streams kept, candidates waiting, streams evicted.
    pub fn usage(&self) -> (usize, usize, u64) {
        (self.rows.len(), self.candidates.len(), self.evicted)
    }
}
