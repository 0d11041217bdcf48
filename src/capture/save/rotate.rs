//! When a capture goes on in a new file, what that is called, and which old one goes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::capture::FileId;
use crate::limits::FILE_ORDER_SECONDS;
use crate::time::{Elapsed, Timestamp};

/// When a new file begins. Nothing set: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Once a file has this many bytes.
    pub bytes: Option<u64>,
    /// Once a file spans this many seconds of packet time.
    pub seconds: Option<u64>,
    /// Files kept: with one more the oldest of this run is deleted.
    pub files: Option<usize>,
}

impl Rotation {
    /// Whether there will be more than one file.
    pub fn is_on(self) -> bool {
        self.bytes.is_some() || self.seconds.is_some()
    }

    /// Whether a file that began at `began` and has `bytes` is full when a packet of time `at` comes.
    pub(super) fn is_due(self, began: Timestamp, bytes: u64, at: Timestamp) -> bool {
        let seconds = self.seconds.map(|seconds| Elapsed::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
        // A clock that was set back would keep the file open until it has caught up.
        let is_behind = began.since(at) > Elapsed::from_secs(FILE_ORDER_SECONDS);
        self.bytes.is_some_and(|most| bytes >= most) || seconds.is_some_and(|most| is_behind || at.since(began) >= most)
    }
}

/// `FILE_00001_20261128T154500.pcapng` for `FILE.pcapng`: sorts in order, and says when it begins (UTC).
pub(super) fn name(path: &Path, number: u64, began: Timestamp) -> PathBuf {
    let mut name = OsString::from(path.file_stem().unwrap_or_default());
    name.push(format!("_{number:05}_{}", began.format_utc("%Y%m%dT%H%M%S")));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// The files of this run that are still there.
#[derive(Debug, Default)]
pub(super) struct Kept(VecDeque<(PathBuf, Option<FileId>)>);

impl Kept {
    /// Adds a file, and deletes the oldest ones above `most`.
    pub(super) fn add(&mut self, path: PathBuf, most: Option<usize>) {
        let id = FileId::at(&path);
        self.0.push_back((path, id));
        let most = most.unwrap_or(usize::MAX).max(1);
        while self.0.len() > most {
            let Some((oldest, id)) = self.0.pop_front() else { break };
            // Somebody may have moved it away, which is as good, and put another file there.
            if FileId::at(&oldest) == id {
                let _ = fs::remove_file(oldest);
            }
        }
    }
}
