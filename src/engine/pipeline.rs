//! Decode and store, one batch after the other. No thread, no clock.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::recent::Recent;
use crate::counters::DecodeCounters;
use crate::decode::{DecodeOptions, Decoder};
use crate::event::Decoded;
use crate::packet::Batch;
use crate::store::snapshot::{CaptureView, MemoryUse, RecentView, Snapshot};
use crate::store::{Change, Store, StoreOptions};
use crate::time::Timestamp;

/// What every packet goes through, live or not, with screen or without.
pub struct Pipeline {
    decoder: Decoder,
    decoded: Decoded,
    store: Store,
    changes: Vec<Change>,
    first: Option<Timestamp>,
    now: Option<Timestamp>,
    recent: Option<Recent>,
    /// A batch for what happens without packets.
    nothing: Batch,
}

impl Pipeline {
    /// An empty one.
    pub fn new(decode: DecodeOptions, store: StoreOptions) -> Self {
        Self {
            decoder: Decoder::new(decode),
            decoded: Decoded::default(),
            store: Store::new(store),
            changes: Vec::new(),
            first: None,
            now: None,
            recent: None,
            nothing: Batch::default(),
        }
    }

    /// From now on the newest packets are kept, to be saved.
    pub(super) fn keep_recent(&mut self) {
        self.recent = Some(Recent::default());
    }

    /// The newest packets, if they are kept.
    pub(super) fn recent(&mut self) -> Option<&mut Recent> {
        self.recent.as_mut()
    }

    /// Works off a batch and says what it changed.
    pub fn step(&mut self, batch: &Batch) -> &[Change] {
        self.changes.clear();
        self.decode(batch);
        self.apply();
        &self.changes
    }

    /// Works off a batch for somebody who wants to see the rows as they were after every single message.
    pub fn step_observed(
        &mut self,
        batch: &Batch,
        seen: &mut dyn FnMut(&[Change], &mut Store) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.decode(batch);
        self.observe(seen)
    }

    /// Applies what was decoded one by one.
    fn observe(&mut self, seen: &mut dyn FnMut(&[Change], &mut Store) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut one = Decoded::default();
        for event in std::mem::take(&mut self.decoded.events) {
            self.changes.clear();
            one.events.push(event);
            self.store.apply(&mut one, &mut self.changes);
            seen(&self.changes, &mut self.store)?;
        }
        self.changes.clear();
        self.apply();
        self.store.measure(&mut self.changes);
        seen(&self.changes, &mut self.store)
    }

    fn decode(&mut self, batch: &Batch) {
        self.decoded.clear();
        if self.first.is_none() {
            self.first = batch.iter().next().map(|packet| packet.meta.at);
        }
        self.decoder.decode(batch, &mut self.decoded);
        if let Some(recent) = &mut self.recent {
            recent.keep(batch, &self.decoded, &self.decoder);
        }
        self.now = self.now.max(self.decoded.now);
    }

    fn apply(&mut self) {
        self.store.apply(&mut self.decoded, &mut self.changes);
        if let Some(now) = self.now {
            self.store.tick(now, &mut self.changes);
        }
    }

    /// Lets packet time move on to `now` without a packet: timers run out.
    pub fn tick(&mut self, now: Timestamp) -> &[Change] {
        self.changes.clear();
        self.pass_time(now);
        self.apply();
        self.store.tick(now, &mut self.changes);
        &self.changes
    }

    /// Like [`Pipeline::tick`], for somebody who wants to see the rows as they were after every single message.
    pub fn tick_observed(
        &mut self,
        now: Timestamp,
        seen: &mut dyn FnMut(&[Change], &mut Store) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.pass_time(now);
        self.observe(seen)?;
        self.changes.clear();
        self.store.tick(now, &mut self.changes);
        seen(&self.changes, &mut self.store)
    }

    fn pass_time(&mut self, now: Timestamp) {
        self.decoded.clear();
        self.decoder.tick(now, &mut self.decoded);
        if let Some(recent) = &mut self.recent {
            recent.keep(&self.nothing, &self.decoded, &self.decoder);
        }
    }

    /// The packets are over: what still waits for its rest is given as it is, or given up.
    pub fn finish(&mut self) {
        self.changes.clear();
        self.decoded.clear();
        self.decoder.finish(&mut self.decoded);
        self.apply();
        self.store.finish();
    }

    /// Like [`Pipeline::finish`], for somebody who wants to see the rows as they were after every single message.
    pub fn finish_observed(
        &mut self,
        seen: &mut dyn FnMut(&[Change], &mut Store) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.decoded.clear();
        self.decoder.finish(&mut self.decoded);
        self.store.finish();
        self.observe(seen)
    }

    /// Memory in use by kind, and how far the packets that are kept reach back.
    pub(super) fn memory(&self) -> (Vec<MemoryUse>, Option<RecentView>) {
        let mut memory = self.store.memory();
        memory.extend(self.recent.iter().flat_map(Recent::memory));
        (memory, self.recent.as_ref().map(Recent::view))
    }

    /// Rows and indices.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Rows and indices, to be changed.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// What turns packets into events, to be asked about streams and fragments.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// What was seen and could not be used.
    pub fn counters(&self) -> &DecodeCounters {
        self.decoder.counters()
    }

    /// Time of the first packet.
    pub fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// Time of the newest packet.
    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// The state of the moment; `capture` says where it came from.
    pub fn snapshot(&mut self, capture: Arc<CaptureView>) -> Snapshot {
        self.store.snapshot(capture)
    }
}
