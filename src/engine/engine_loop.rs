//! The engine's thread: batches and commands in, snapshots out.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::capture_view::Origin;
use super::merge::Merge;
use super::pipeline::Pipeline;
use super::publish::Publisher;
use super::recent::Recent;
use super::save::{Input, Job, Packets, SaveFrom, SaveRequest, Savers};
use super::sink::{self, Sent};
use super::writer::Writer;
use super::{Command, EngineOptions, Observer};
use crate::capture::save::{Owner, SourceNames, Spared};
use crate::capture::{SourceKind, SourceStatus, Stopper};
use crate::counters::Lost;
use crate::limits::FILE_QUEUE_LOW;
use crate::packet::Batch;
use crate::store::snapshot::Snapshot;
use crate::time::{Elapsed, Timestamp};

/// How far timers stay behind the clock, so that no tick overtakes a packet that the kernel still holds.
const TICK_LAG_MS: i64 = 100;

/// How often the timers of a quiet live capture are looked at.
const TICK_EVERY: Duration = Duration::from_millis(250);

/// How long a stopping source may take to hand its last batch on.
const LAST_BATCH: Duration = Duration::from_millis(250);

/// The ends of the channels that the loop works between.
pub(super) struct Ends {
    pub incoming: Receiver<Sent>,
    /// Tells the readers of files, one by one, that `incoming` is nearly empty.
    pub room: Sender<()>,
    pub give_back: Sender<Batch>,
    pub orders: Receiver<Command>,
    pub latest: Arc<ArcSwap<Snapshot>>,
    pub capture_threads: Vec<JoinHandle<()>>,
    pub stoppers: Vec<Stopper>,
    pub writer: Option<Writer>,
    pub savers: Savers,
}

pub(super) struct EngineLoop {
    pipeline: Pipeline,
    publisher: Publisher,
    merge: Option<Merge>,
    merged: Batch,
    ends: Ends,
    statuses: Vec<Arc<SourceStatus>>,
    observer: Option<Box<dyn Observer>>,
    lost: Lost,
    live: bool,
    publish: bool,
    end_with_sources: bool,
    save_from: SaveFrom,
    owner: Option<Owner>,
    ticked: Option<Instant>,
}

impl EngineLoop {
    pub fn new(
        options: EngineOptions,
        statuses: Vec<Arc<SourceStatus>>,
        ends: Ends,
        observer: Option<Box<dyn Observer>>,
    ) -> Self {
        let live = statuses.iter().any(|status| status.kind == SourceKind::Live);
        let mut pipeline = Pipeline::new(options.decode, options.store);
        if options.save_from == SaveFrom::Recent {
            pipeline.keep_recent();
        }
        Self {
            pipeline,
            publisher: Publisher::new(Arc::clone(&ends.latest)),
            merge: (statuses.len() > 1).then(|| Merge::new(statuses.len())),
            merged: Batch::default(),
            ends,
            statuses,
            observer,
            lost: Lost::default(),
            live,
            publish: options.publish,
            end_with_sources: options.end_with_sources,
            save_from: options.save_from,
            owner: options.owner,
            ticked: None,
        }
    }

    /// Runs until the end. The error is the observer's.
    pub fn run(mut self) -> std::io::Result<()> {
        let to_the_end = self.packets().is_continue();
        if to_the_end {
            self.sources_ended();
        } else {
            self.write_rest();
        }
        let observed = self.observation_ended();
        if to_the_end && !self.end_with_sources {
            self.orders_only();
        }
        if self.end_with_sources {
            // The process ends soon: giving tables back piece by piece would only cost time.
            std::mem::forget(self.pipeline);
        }
        // Whoever still captures finds nobody to take its batches; on a quiet link it would not even look.
        let Ends { incoming, room, capture_threads, stoppers, writer, savers, .. } = self.ends;
        savers.finish();
        drop(writer);
        drop((incoming, room));
        for stop in stoppers {
            stop();
        }
        for thread in capture_threads {
            let _ = thread.join();
        }
        observed
    }

    fn observation_ended(&mut self) -> std::io::Result<()> {
        match &mut self.observer {
            Some(observer) => observer.ended(self.pipeline.store_mut()),
            None => Ok(()),
        }
    }

    /// Works until the last source has ended, or somebody wants to stop.
    fn packets(&mut self) -> ControlFlow<()> {
        loop {
            self.orders()?;
            let pending = self.merge.as_ref().is_some_and(|merge| !merge.is_empty());
            let patience = match pending {
                true => Duration::from_millis(10),
                false => self.publisher.patience(now(), &self.pipeline).max(Duration::from_millis(1)),
            };
            let received = match self.ends.incoming.try_recv() {
                Ok(sent) => Ok(sent),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {
                    self.idle()?;
                    let patience = if self.publish || pending { patience } else { TICK_EVERY };
                    self.ends.incoming.recv_timeout(patience)
                }
            };
            match received {
                Ok((source, batch)) => {
                    self.make_room();
                    self.take(source, batch)?;
                }
                Err(RecvTimeoutError::Timeout) => self.release(clock())?,
                Err(RecvTimeoutError::Disconnected) => return self.release(Timestamp::from_nanos(i64::MAX)),
            }
            self.show();
        }
    }

    fn make_room(&self) {
        if !self.live && self.ends.incoming.len() == FILE_QUEUE_LOW {
            while self.ends.room.try_send(()).is_ok() {}
        }
    }

    fn take(&mut self, source: usize, batch: Batch) -> ControlFlow<()> {
        match &mut self.merge {
            Some(merge) => {
                merge.push(source, batch);
                self.release(clock())
            }
            None => self.work_off(batch),
        }
    }

    fn release(&mut self, clock: Timestamp) -> ControlFlow<()> {
        loop {
            let Some(merge) = &mut self.merge else { return ControlFlow::Continue(()) };
            let mut batch = std::mem::take(&mut self.merged);
            let give_back = &self.ends.give_back;
            let moved = merge.release(merge.horizon(clock), &mut batch, &mut |mut empty| {
                empty.clear();
                let _ = give_back.try_send(empty);
            });
            if !moved {
                self.merged = batch;
                return ControlFlow::Continue(());
            }
            self.work_off(batch)?;
        }
    }

    fn work_off(&mut self, mut batch: Batch) -> ControlFlow<()> {
        let flow = match &mut self.observer {
            Some(observer) => {
                self.pipeline.step_observed(&batch, &mut |changes, store| observer.changed(changes, store))
            }
            None => {
                self.pipeline.step(&batch);
                ControlFlow::Continue(())
            }
        };
        match &self.ends.writer {
            Some(writer) => writer.take(batch),
            None => {
                batch.clear();
                let _ = self.ends.give_back.try_send(batch);
            }
        }
        flow
    }

    /// Somebody wants to stop, and packets that came before still wait: they are written, though nobody looks at them.
    fn write_rest(&mut self) {
        let Some(mut writer) = self.ends.writer.take() else { return };
        for stop in &self.ends.stoppers {
            stop();
        }
        if let Some(merge) = &mut self.merge {
            let mut batch = Batch::default();
            while merge.release(Timestamp::from_nanos(i64::MAX), &mut batch, &mut |_| {}) {
                writer.wait_for_room(std::mem::take(&mut batch));
            }
        }
        // A source that does not stop must not keep the program.
        let most = self.ends.incoming.capacity().unwrap_or(0) + self.statuses.len();
        for _ in 0..most {
            match self.ends.incoming.recv_timeout(LAST_BATCH) {
                Ok((_, batch)) => {
                    self.make_room();
                    writer.wait_for_room(batch);
                }
                Err(_) => break,
            }
        }
        writer.finish();
        self.ends.writer = Some(writer);
    }

    /// Nothing waits: timers may run, and what is buffered goes out.
    fn idle(&mut self) -> ControlFlow<()> {
        let now = now();
        if self.live && self.ticked.is_none_or(|at| now.duration_since(at) >= TICK_EVERY) {
            self.ticked = Some(now);
            let now = clock().after(Elapsed::from_millis(-TICK_LAG_MS));
            match &mut self.observer {
                Some(observer) => {
                    self.pipeline.tick_observed(now, &mut |changes, store| observer.changed(changes, store))?;
                }
                None => {
                    self.pipeline.tick(now);
                }
            }
        }
        self.watch_losses()?;
        match &mut self.observer {
            Some(observer) => observer.idle(),
            None => ControlFlow::Continue(()),
        }
    }

    fn watch_losses(&mut self) -> ControlFlow<()> {
        let Some(observer) = &mut self.observer else { return ControlFlow::Continue(()) };
        let mut lost = Lost::default();
        for status in &self.statuses {
            lost.add(status.lost());
        }
        if lost == self.lost {
            return ControlFlow::Continue(());
        }
        self.lost = lost;
        observer.lost(self.pipeline.now(), lost)
    }

    fn sources_ended(&mut self) {
        // The threads note their end in the status right before they finish.
        for (thread, status) in self.ends.capture_threads.drain(..).zip(&self.statuses) {
            if thread.join().is_err() {
                sink::note_panic(status);
            }
        }
        match &mut self.observer {
            // Nobody reading any more ends what ends anyway.
            Some(observer) => {
                let _ = self.pipeline.finish_observed(&mut |changes, store| observer.changed(changes, store));
            }
            None => self.pipeline.finish(),
        }
        if let Some(writer) = &mut self.ends.writer {
            writer.finish();
        }
        let _ = self.watch_losses();
        self.show_now(None);
    }

    fn orders_only(&mut self) {
        while let Ok(command) = self.ends.orders.recv() {
            if self.obey(command).is_break() {
                return;
            }
            self.show_now(None);
        }
    }

    fn orders(&mut self) -> ControlFlow<()> {
        while let Ok(command) = self.ends.orders.try_recv() {
            self.obey(command)?;
        }
        ControlFlow::Continue(())
    }

    fn obey(&mut self, command: Command) -> ControlFlow<()> {
        match command {
            Command::Forget(calls) => self.pipeline.store_mut().forget(&calls),
            Command::ForgetAll => self.pipeline.store_mut().forget_all(),
            Command::Save(request, seen) => self.save(request, seen),
            Command::Stop => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Gives a thread of its own what it needs for a request, and goes on.
    fn save(&mut self, request: SaveRequest, seen: Arc<Snapshot>) {
        let packets = match &self.save_from {
            SaveFrom::Files(paths) => {
                let stamps = self.statuses.iter().flat_map(|status| status.stamps.iter().copied());
                let stamps = stamps.chain(std::iter::repeat(None));
                Packets::Files(paths.iter().cloned().zip(stamps).map(|(path, stamp)| Input { path, stamp }).collect())
            }
            SaveFrom::Recent | SaveFrom::Nothing => {
                Packets::Recent(self.pipeline.recent().map(Recent::share).unwrap_or_default())
            }
        };
        let names = SourceNames::of(self.statuses.iter().cloned());
        let snapshot = self.ends.latest.load_full();
        let spared = Spared {
            read: self.statuses.iter().flat_map(|status| &status.stamps).flatten().map(|stamp| stamp.id).collect(),
            written: self.ends.writer.as_ref().map(|writer| Arc::clone(writer.status())),
        };
        self.ends.savers.start(Job { request, snapshot, seen, packets, names, owner: self.owner, spared });
    }

    fn show(&mut self) {
        if self.publish && self.publisher.is_due(now()) {
            self.show_now(self.live.then(clock));
        }
    }

    fn show_now(&mut self, clock: Option<Timestamp>) {
        let queue = (self.ends.incoming.len(), self.ends.incoming.capacity().unwrap_or(0));
        let origin = Origin {
            statuses: &self.statuses,
            queue,
            written: self.ends.writer.as_ref().map(|writer| &**writer.status()),
        };
        self.publisher.publish(now(), &mut self.pipeline, &origin, clock);
    }
}

#[expect(clippy::disallowed_methods, reason = "the engine paces snapshots and the timers of a live capture")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a live capture's packet time is the wall clock")]
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}
