//! Which file a path means, and whether it is still what was read.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// An ordinary file, whatever it is called: its device, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// The ordinary file that a path leads to, through links as well.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::metadata(path).ok()?)
    }

    /// The ordinary file that this was said of.
    pub fn of(file: &Metadata) -> Option<Self> {
        file.is_file().then(|| Self { device: file.dev(), number: file.ino() })
    }
}

/// A file as it was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// The file.
    pub id: FileId,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileStamp {
    /// The ordinary file that a path leads to, as it is now.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::metadata(path).ok()?)
    }

    /// The ordinary file that this was said of.
    pub fn of(file: &Metadata) -> Option<Self> {
        Some(Self { id: FileId::of(file)?, bytes: file.len(), modified: file.modified().ok() })
    }
}
