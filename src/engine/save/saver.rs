//! The threads that save. Neither the engine nor the screen waits for them.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::pick::Pick;
use super::rebuild::{Rebuilt, rebuild};
use super::wanted::Wanted;
use super::{SaveOutcome, SaveRequest, Saved, text};
use crate::capture::file::FileSource;
use crate::capture::save::{
    CaptureFile, Format, Owner, REBUILT_INTERFACE, SaveError, SaveOptions, SourceNames, Spared,
};
use crate::capture::{FileStamp, Source};
use crate::engine::recent::Chunks;
use crate::limits::LAST_SAVE_S;
use crate::packet::{Batch, Packet, PacketId};
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;

/// Where the packets are.
pub(in crate::engine) enum Packets {
    /// Here, by kind.
    Recent(Vec<Chunks>),
    /// In these files.
    Files(Vec<Input>),
}

/// A file to be read again.
#[derive(Clone)]
pub(in crate::engine) struct Input {
    pub path: String,
    /// How it was when it was opened first.
    pub stamp: Option<FileStamp>,
}

impl Input {
    /// Its packets must still be the same ones by number.
    fn must_be_unchanged(&self) -> Result<(), SaveError> {
        match self.stamp {
            Some(stamp) if FileStamp::at(Path::new(&self.path)) != Some(stamp) => {
                Err(SaveError::Changed { path: self.path.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// A request with all that it takes to fulfil it.
pub(in crate::engine) struct Job {
    pub request: SaveRequest,
    pub snapshot: Arc<Snapshot>,
    /// What the user saw when asking.
    pub seen: Arc<Snapshot>,
    pub packets: Packets,
    pub names: SourceNames,
    pub owner: Option<Owner>,
    pub spared: Spared,
}

/// The threads that save.
pub(in crate::engine) struct Savers {
    threads: Vec<JoinHandle<()>>,
    outcomes: Sender<SaveOutcome>,
    stop: Arc<AtomicBool>,
    /// Held by every thread while it runs.
    running: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Savers {
    pub fn new(outcomes: Sender<SaveOutcome>) -> Self {
        let (running, ended) = bounded(0);
        Self { threads: Vec::new(), outcomes, stop: Arc::default(), running: Some(running), ended }
    }

    /// Starts on a request.
    pub fn start(&mut self, job: Job) {
        self.threads.retain(|thread| !thread.is_finished());
        let (outcomes, stop, running) = (self.outcomes.clone(), Arc::clone(&self.stop), self.running.clone());
        let thread = thread::Builder::new().name("saver".into()).spawn(move || {
            let _running = running;
            // Nobody may be left to hear it.
            let _ = outcomes.send(save(job, &stop));
        });
        match thread {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                let _ = self.outcomes.send(SaveOutcome::Failed(format!("No thread to save with: {error}")));
            }
        }
    }

    /// The program ends: waits for what is being saved, but not for ever.
    pub fn finish(mut self) {
        self.running = None;
        let _ = self.ended.recv_timeout(Duration::from_secs(LAST_SAVE_S));
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Saves, and says how it went.
pub(super) fn save(job: Job, stop: &AtomicBool) -> SaveOutcome {
    match try_save(&job, stop) {
        Ok(saved) => SaveOutcome::Saved(saved),
        Err(SaveError::Exists { .. }) => SaveOutcome::Exists(job.request),
        Err(error) => SaveOutcome::Failed(error.to_string()),
    }
}

fn try_save(job: &Job, stop: &AtomicBool) -> Result<Saved, SaveError> {
    let request = &job.request;
    let wanted = Wanted::of(request, &job.snapshot, &job.seen);
    if wanted.calls.is_empty() && wanted.gone > 0 {
        return Err(SaveError::Gone);
    }
    let mut file = CaptureFile::create(SaveOptions {
        path: request.path.clone(),
        format: request.format,
        names: job.names.clone(),
        owner: job.owner,
        replace: request.replace,
        spared: job.spared.clone(),
    })?;
    let is_text = request.format == Format::Text;
    let mut rebuilt = 0;
    let (count, missing) = if is_text {
        text::write(&mut file, &wanted.calls)?
    } else {
        let may_miss = matches!(job.packets, Packets::Recent(_));
        let mut writing = Writing { pick: Pick::of(request, &wanted, may_miss), file: &mut file, count: 0, stop };
        match &job.packets {
            Packets::Recent(kinds) => {
                let again = rebuild(request.format, &wanted.calls, kinds);
                rebuilt = again.count;
                writing.pick.forget(&again.replaced);
                in_order(kinds, &again, |packet| writing.packet(packet))
            }
            Packets::Files(inputs) => from_files(inputs, |packet| writing.packet(packet)),
        }?;
        (writing.count, writing.pick.missing())
    };
    if stop.load(Ordering::Relaxed) {
        return Err(SaveError::Stopped { path: request.path.display().to_string() });
    }
    let bytes = file.finish()?;
    let leaves_keys = !is_text && job.names.leaves_keys();
    Ok(Saved {
        path: request.path.clone(),
        count,
        is_text,
        rebuilt,
        bytes,
        missing,
        calls_gone: wanted.gone,
        leaves_keys,
    })
}

/// A file being filled with the packets that are wanted.
struct Writing<'s> {
    pick: Pick,
    file: &'s mut CaptureFile,
    count: u64,
    stop: &'s AtomicBool,
}

impl Writing<'_> {
    fn packet(&mut self, packet: &Packet<'_>) -> ControlFlow<Result<(), SaveError>> {
        if self.stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(Ok(()));
        }
        // What was made again has the number of a packet that may be wanted for another reason.
        if packet.meta.interface == REBUILT_INTERFACE || self.pick.takes(packet) {
            if let Err(error) = self.file.packet(packet) {
                return ControlFlow::Break(Err(error));
            }
            self.count += 1;
        }
        ControlFlow::Continue(())
    }
}

type Take<'t> = dyn FnMut(&Packet<'_>) -> ControlFlow<Result<(), SaveError>> + 't;

/// The packets that are kept, each once, and those made again in the place of others, in order of time.
fn in_order(
    kinds: &[Chunks],
    again: &Rebuilt,
    mut take: impl FnMut(&Packet<'_>) -> ControlFlow<Result<(), SaveError>>,
) -> Result<(), SaveError> {
    fn places(chunk: &Arc<Batch>) -> impl Iterator<Item = (Timestamp, PacketId, &Arc<Batch>, usize)> {
        chunk.iter().enumerate().map(move |(at, packet)| (packet.meta.at, packet.meta.id, chunk, at))
    }
    let kept = kinds.iter().flatten().flat_map(places);
    let mut all: Vec<_> = kept.filter(|(_, id, ..)| !again.replaced.contains(id)).collect();
    all.sort_by_key(|(at, id, ..)| (*at, *id));
    // A piece of a message is kept among pieces, and again with the message once that was whole.
    all.dedup_by_key(|(_, id, ..)| *id);
    all.extend(again.packets.iter().flat_map(places));
    all.sort_by_key(|(at, id, ..)| (*at, *id));
    for packet in all.into_iter().filter_map(|(.., chunk, at)| chunk.get(at)) {
        if let ControlFlow::Break(outcome) = take(&packet) {
            return outcome;
        }
    }
    Ok(())
}

/// The packets of files, numbered as when they were read first.
fn from_files(
    inputs: &[Input],
    mut take: impl FnMut(&Packet<'_>) -> ControlFlow<Result<(), SaveError>>,
) -> Result<(), SaveError> {
    let again = |error: &dyn std::fmt::Display| SaveError::Source(format!("Reading the capture again: {error}"));
    let paths: Vec<String> = inputs.iter().map(|input| input.path.clone()).collect();
    let source = FileSource::open(&paths).map_err(|error| again(&error))?;
    inputs.iter().try_for_each(Input::must_be_unchanged)?;
    let mut outcome = Ok(());
    let take: &mut Take<'_> = &mut take;
    let mut sink = |batch: &mut Batch| {
        for packet in batch.iter() {
            if let ControlFlow::Break(early) = take(&packet) {
                outcome = early;
                return ControlFlow::Break(());
            }
        }
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(source).run(&mut sink).map_err(|error| again(&error))?;
    // It may have been written to while it was read.
    inputs.iter().try_for_each(Input::must_be_unchanged)?;
    outcome
}
