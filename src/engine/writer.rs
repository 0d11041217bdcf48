//! The thread that writes what was captured, batch by batch.
//!
//! A batch comes by value once the engine has decoded it, and goes back to the capture threads from here: nothing is
//! copied and nothing shared.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded};

use crate::capture::save::{Recorder, WriteStatus};
use crate::limits::{FILE_QUEUE_BATCHES, WRITER_QUEUE_BATCHES};
use crate::packet::Batch;

/// How often a writer without work looks whether its file should be opened anew.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The engine's end of the thread.
pub(super) struct Writer {
    batches: Option<Sender<Batch>>,
    give_back: Sender<Batch>,
    thread: Option<JoinHandle<()>>,
    status: Arc<WriteStatus>,
    /// Whether packets come when they happen: then the engine never waits.
    live: bool,
}

impl Writer {
    /// Starts the thread; empty batches go to `give_back`.
    pub fn start(recorder: Recorder, live: bool, give_back: Sender<Batch>) -> std::io::Result<Self> {
        let (batches, incoming) = bounded(if live { WRITER_QUEUE_BATCHES } else { FILE_QUEUE_BATCHES });
        let status = recorder.status();
        let back = give_back.clone();
        let thread = thread::Builder::new().name("writer".into()).spawn(move || write(recorder, &incoming, &back))?;
        Ok(Self { batches: Some(batches), give_back, thread: Some(thread), status, live })
    }

    /// Hands a batch on. Of a live capture it is counted as not written when the thread is too far behind.
    pub fn take(&self, batch: Batch) {
        let Some(batches) = &self.batches else { return self.lose(batch) };
        if !self.live {
            return self.wait_for_room(batch);
        }
        match batches.try_send(batch) {
            Ok(()) => {}
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => self.lose(batch),
        }
    }

    /// Hands a batch on, and waits for room.
    pub fn wait_for_room(&self, batch: Batch) {
        if let Some(Err(unsent)) = self.batches.as_ref().map(|batches| batches.send(batch)) {
            self.lose(unsent.into_inner());
        }
    }

    fn lose(&self, mut batch: Batch) {
        self.status.lost_queue.fetch_add(batch.len() as u64, Ordering::Relaxed);
        batch.clear();
        let _ = self.give_back.try_send(batch);
    }

    /// What was written.
    pub fn status(&self) -> &Arc<WriteStatus> {
        &self.status
    }

    /// No more comes: waits until all is in the file.
    pub fn finish(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked the hook has told of it.
            let _ = thread.join();
        }
    }
}

fn write(mut recorder: Recorder, incoming: &Receiver<Batch>, give_back: &Sender<Batch>) {
    loop {
        let received = match incoming.try_recv() {
            Ok(batch) => Ok(batch),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                recorder.flush();
                incoming.recv_timeout(LOOK_EVERY)
            }
        };
        match received {
            Ok(mut batch) => {
                recorder.write(&batch);
                batch.clear();
                let _ = give_back.try_send(batch);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
