//! What happens to a batch when the engine is slow: live drops and counts, a file waits.

use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::capture::{BatchSink, SourceError, SourceState, SourceStatus};
use crate::packet::Batch;

/// A batch and the index of the source it came from.
pub(super) type Sent = (usize, Batch);

/// Never waits: a batch that finds the queue full is lost, and its packets are counted.
pub(super) struct LiveSink {
    source: usize,
    batches: Sender<Sent>,
    empties: Receiver<Batch>,
    status: Arc<SourceStatus>,
}

impl LiveSink {
    pub fn new(source: usize, batches: Sender<Sent>, empties: Receiver<Batch>, status: Arc<SourceStatus>) -> Self {
        Self { source, batches, empties, status }
    }
}

impl BatchSink for LiveSink {
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        // Not asked before whether there is room: a queue that was full when its reader went looks full for ever.
        match self.batches.try_send((self.source, mem::take(batch))) {
            Ok(()) => {
                *batch = self.empties.try_recv().unwrap_or_default();
                ControlFlow::Continue(())
            }
            Err(TrySendError::Full((_, unsent))) => {
                self.status.lost_queue.fetch_add(unsent.len() as u64, Ordering::Relaxed);
                *batch = unsent;
                batch.clear();
                ControlFlow::Continue(())
            }
            Err(TrySendError::Disconnected(_)) => ControlFlow::Break(()),
        }
    }
}

/// Waits until there is room: nothing of a file is ever lost.
///
/// The engine is slower than a file. If every batch that it took woke the reader for one more, both would sleep and wake
/// all the time; so a reader that found the queue full sleeps until it is nearly empty.
pub(super) struct FileSink {
    source: usize,
    batches: Sender<Sent>,
    empties: Receiver<Batch>,
    /// Something comes when the queue is nearly empty.
    room: Receiver<()>,
}

impl FileSink {
    pub fn new(source: usize, batches: Sender<Sent>, empties: Receiver<Batch>, room: Receiver<()>) -> Self {
        Self { source, batches, empties, room }
    }
}

impl BatchSink for FileSink {
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let full = mem::replace(batch, self.empties.try_recv().unwrap_or_default());
        let sent = match self.batches.try_send((self.source, full)) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(TrySendError::Full(unsent)) => {
                // Nothing comes only from an engine that has gone, which sending finds out.
                let _ = self.room.recv();
                self.batches.send(unsent).is_ok()
            }
            Err(TrySendError::Disconnected(_)) => false,
        };
        if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Writes a source's end into its status, unless the source did so itself.
pub(super) fn note_end(status: &SourceStatus, result: Result<(), SourceError>) {
    match result {
        Err(error) => status.state.store(Arc::new(SourceState::Failed(error.to_string()))),
        Ok(()) if **status.state.load() == SourceState::Running => {
            status.state.store(Arc::new(SourceState::Ended { warning: None }));
        }
        Ok(()) => {}
    }
}

/// Writes into a source's status that its thread panicked: what it gave until then counts, but it is not all.
pub(super) fn note_panic(status: &SourceStatus) {
    let why = format!("{} was given up after an error of this program, told above; please report it", status.name);
    status.state.store(Arc::new(SourceState::Failed(why)));
}
