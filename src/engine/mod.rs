//! The one pipeline, with threads and without.
//!
//! [`Pipeline`] is decode and store, one batch after the other. [`analyze`] runs it over a source without any thread;
//! [`Engine::start`] gives every source its own thread and feeds the pipeline through a bounded channel of batches. This
//! module is the only one that starts threads.

mod analyze;
mod capture_view;
mod command;
mod engine_loop;
mod inside;
mod merge;
mod pipeline;
mod publish;
mod recent;
mod save;
mod sink;
#[cfg(test)]
mod tests;
mod writer;

pub use analyze::analyze;
pub use command::Command;
pub use pipeline::Pipeline;
pub use save::{SaveFrom, SaveOutcome, SaveRequest, Saved};

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::capture::save::{Owner, Recorder, WriteStatus};
use crate::capture::{Source, SourceKind, SourceState, SourceStatus, Stopper};
use crate::counters::Lost;
use crate::decode::DecodeOptions;
use crate::limits::{FILE_QUEUE_BATCHES, LIVE_QUEUE_BATCHES};
use crate::packet::Batch;
use crate::store::snapshot::Snapshot;
use crate::store::{Change, Store, StoreOptions};
use crate::time::Timestamp;

use engine_loop::EngineLoop;
use save::Savers;
use sink::{FileSink, LiveSink};
use writer::Writer;

/// How the engine works.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// For the decoder.
    pub decode: DecodeOptions,
    /// For the store.
    pub store: StoreOptions,
    /// Whether somebody looks at snapshots while packets come. Without, rows are never copied.
    pub publish: bool,
    /// Whether the engine ends with its sources, or goes on to serve commands.
    pub end_with_sources: bool,
    /// Where packets to be saved are found again.
    pub save_from: SaveFrom,
    /// Who saved files are to belong to, if not to the process.
    pub owner: Option<Owner>,
    /// Batches waiting between a live capture and the engine; `None` for [`LIVE_QUEUE_BATCHES`].
    pub live_queue: Option<usize>,
}

/// Sees every change as it happens, on the engine's thread: the stream of `--json`.
pub trait Observer: Send {
    /// Some rows changed, by one message, by media, or by time going on. `Break` when nobody reads any more.
    fn changed(&mut self, changes: &[Change], store: &mut Store) -> ControlFlow<()>;

    /// A loss counter moved.
    fn lost(&mut self, at: Option<Timestamp>, lost: Lost) -> ControlFlow<()>;

    /// No packet waits at the moment: write out what is buffered.
    fn idle(&mut self) -> ControlFlow<()>;

    /// The packets are over, or nobody reads any more. The error is what kept it from writing.
    fn ended(&mut self, store: &mut Store) -> std::io::Result<()>;
}

/// Where an engine's packets and changes go, beside its snapshots.
#[derive(Default)]
pub struct Outputs {
    /// Sees every change.
    pub observer: Option<Box<dyn Observer>>,
    /// Writes every packet.
    pub recorder: Option<Recorder>,
}

/// A running engine, seen from outside.
pub struct Handle {
    latest: Arc<ArcSwap<Snapshot>>,
    commands: Sender<Command>,
    stoppers: Vec<Stopper>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
    statuses: Vec<Arc<SourceStatus>>,
    written: Option<Arc<WriteStatus>>,
    saved: Receiver<SaveOutcome>,
}

/// Starts engines.
pub struct Engine;

impl Engine {
    /// Starts one thread for every source and one for decoding and tracking.
    ///
    /// The sources are open already, so privileges can be dropped before this call.
    pub fn start(sources: Vec<Box<dyn Source>>, options: EngineOptions, outputs: Outputs) -> std::io::Result<Handle> {
        let statuses: Vec<_> = sources.iter().map(|source| source.status()).collect();
        let stoppers: Vec<_> = sources.iter().map(|source| source.stopper()).collect();
        let live = statuses.iter().any(|status| status.kind == SourceKind::Live);
        let queue = match live {
            true => options.live_queue.unwrap_or(LIVE_QUEUE_BATCHES).max(1),
            false => FILE_QUEUE_BATCHES,
        };
        let (batches, incoming) = bounded(queue);
        let (give_back, empties) = bounded::<Batch>(queue + sources.len());
        let written = outputs.recorder.as_ref().map(Recorder::status);
        let writer = match outputs.recorder {
            Some(recorder) => Some(Writer::start(recorder, live, give_back.clone())?),
            None => None,
        };
        let (room, has_room) = bounded(sources.len());
        let (commands, orders) = unbounded();
        let (outcomes, saved) = unbounded();
        let latest = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
        let (running_token, ended) = bounded::<()>(0);

        let mut running = Vec::with_capacity(sources.len());
        for (index, source) in sources.into_iter().enumerate() {
            let status = source.status();
            let name = format!("capture-{}", status.name);
            let (batches, empties, has_room) = (batches.clone(), empties.clone(), has_room.clone());
            running.push(thread::Builder::new().name(name).spawn(move || {
                let result = match status.kind {
                    SourceKind::Live => source.run(&mut LiveSink::new(index, batches, empties, Arc::clone(&status))),
                    SourceKind::File => source.run(&mut FileSink::new(index, batches, empties, has_room)),
                };
                sink::note_end(&status, result);
            })?);
        }
        drop(batches);

        let engine = EngineLoop::new(
            options,
            statuses.clone(),
            engine_loop::Ends {
                incoming,
                room,
                give_back,
                orders,
                latest: Arc::clone(&latest),
                capture_threads: running,
                stoppers: stoppers.clone(),
                writer,
                savers: Savers::new(outcomes),
            },
            outputs.observer,
        );
        let thread = thread::Builder::new().name("engine".into()).spawn(move || {
            let _running = running_token;
            engine.run()
        })?;
        Ok(Handle { latest, commands, stoppers, ended, thread: Some(thread), statuses, written, saved })
    }
}

impl Handle {
    /// The newest snapshot.
    pub fn latest(&self) -> Arc<Snapshot> {
        self.latest.load_full()
    }

    /// Asks the engine for something; it does so before the next batch.
    pub fn send(&self, command: Command) {
        // An engine that has ended has nothing left to do it to.
        let _ = self.commands.send(command);
    }

    /// Makes all sources stop; what they gave already is still worked off.
    pub fn stop_sources(&self) {
        for stop in &self.stoppers {
            stop();
        }
    }

    /// Stops everything soon and without waiting.
    pub fn stop(&self) {
        self.send(Command::Stop);
        self.stop_sources();
    }

    /// Waits for the engine's end, at most so long. True once it has ended.
    pub fn wait_for(&self, patience: Duration) -> bool {
        self.ended.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }

    /// The first failure of a source, if any failed: one sentence.
    pub fn failure(&self) -> Option<String> {
        self.statuses.iter().find_map(|status| match &**status.state.load() {
            SourceState::Failed(why) => Some(why.clone()),
            _ => None,
        })
    }

    /// How a request to save went, if one has ended. Never waits.
    pub fn saved(&self) -> Option<SaveOutcome> {
        self.saved.try_recv().ok()
    }

    /// What of the packets could not be written, once the engine has ended: one sentence.
    pub fn unwritten(&self) -> Option<String> {
        self.written.as_ref().and_then(|status| status.failed())
    }

    /// Whether packets are written to a pipe that nobody reads any more.
    pub fn reader_is_gone(&self) -> bool {
        self.written.as_ref().is_some_and(|status| status.reader_gone.load(Ordering::Relaxed))
    }

    /// What was wrong with the sources and at their end: one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = |status: &Arc<SourceStatus>| {
            let end = match &**status.state.load() {
                SourceState::Ended { warning } => warning.clone(),
                _ => None,
            };
            [end, status.facts.load().disorder()]
        };
        self.statuses.iter().flat_map(warnings).flatten().collect()
    }

    /// The names of all inputs, in the order of their packets' source numbers.
    pub fn inputs(&self) -> Vec<String> {
        self.statuses.iter().flat_map(|status| status.inputs.clone()).collect()
    }

    /// Waits for the engine's end and gives its last snapshot. The error is the observer's.
    pub fn wait(mut self) -> std::io::Result<Arc<Snapshot>> {
        self.join()?;
        Ok(self.latest())
    }

    fn join(&mut self) -> std::io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // The panic hook has told of it; what was known went with the thread.
            Some(Err(_)) => Err(std::io::Error::other("stopped by an error of its own, told above; please report it")),
            None => Ok(()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
        let _ = self.join();
    }
}
