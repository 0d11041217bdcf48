//! What `-w` has written, for whoever shows it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::capture::FileId;

/// What a recorder writes to.
#[derive(Debug)]
pub(super) struct Target {
    /// The file, if it is an ordinary one.
    pub id: Option<FileId>,
    /// Its place without links; empty for standard output.
    pub place: PathBuf,
}

/// Counters of a [`Recorder`](super::Recorder), shared with the engine and the screen.
#[derive(Debug, Default)]
pub struct WriteStatus {
    /// The file being written, empty before the first.
    pub file: ArcSwap<String>,
    /// The same for comparing.
    pub(super) target: ArcSwapOption<Target>,
    /// Files begun.
    pub files: AtomicU64,
    /// Packets that are in files.
    pub packets: AtomicU64,
    /// Bytes that are in files.
    pub bytes: AtomicU64,
    /// Packets not written because the writer was behind.
    pub lost_queue: AtomicU64,
    /// Packets not written because the disk refused them.
    pub lost_disk: AtomicU64,
    /// Why nothing can be written at the moment: one sentence.
    pub trouble: ArcSwapOption<String>,
    /// The first thing that went wrong, in the system's words.
    pub failure: ArcSwapOption<String>,
    /// Set once nobody reads standard output any more.
    pub reader_gone: AtomicBool,
}

impl WriteStatus {
    /// Whether what stands at this place, a path without links, is being written; or is to be, once the file that was
    /// there has been moved away.
    pub(super) fn is_at(&self, place: &Path) -> bool {
        let id = FileId::at(place);
        self.target.load().as_ref().is_some_and(|target| target.place == place || (id.is_some() && target.id == id))
    }

    /// Packets that are in no file, whatever the cause.
    pub fn lost(&self) -> u64 {
        self.lost_queue.load(Ordering::Relaxed) + self.lost_disk.load(Ordering::Relaxed)
    }

    /// What the end of the program has to say if not all was written: one sentence.
    pub fn failed(&self) -> Option<String> {
        if self.reader_gone.load(Ordering::Relaxed) {
            return None;
        }
        let (queue, disk) = (self.lost_queue.load(Ordering::Relaxed), self.lost_disk.load(Ordering::Relaxed));
        let failure = self.failure.load();
        match (&*failure, disk, queue) {
            (Some(failure), ..) => Some(format!("{failure}. {} packets were not written", disk + queue)),
            (None, _, 0) => None,
            (None, ..) => {
                Some(format!("The disk was too slow: {queue} packets were not written. Filter, or use a faster one"))
            }
        }
    }
}
