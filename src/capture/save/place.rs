//! Where a capture goes: creating its file with the right owner, and saying why that failed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::WriteStatus;
use crate::capture::{FileId, system_words};

/// A capture holds what people said: the group may read it, nobody else.
const MODE: u32 = 0o640;

/// Who a new file is to belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
}

/// Why a capture cannot be written: each is one sentence with the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// The file cannot be created or written.
    #[error("{path}: {why}. {next}")]
    File {
        /// The path.
        path: String,
        /// The system's words.
        why: String,
        /// What to do.
        next: &'static str,
    },
    /// There is a file already, and nobody said that it may go.
    #[error("{path} exists. Choose another name, or overwrite it")]
    Exists {
        /// The path.
        path: String,
    },
    /// The file is one of those being read.
    #[error("{path} is being read. Choose another name")]
    Input {
        /// The path.
        path: String,
    },
    /// The file is the one that `-w` writes.
    #[error("{path} is being written (-w). Choose another name")]
    Output {
        /// The path.
        path: String,
    },
    /// A classic pcap file holds one link type only.
    #[error("{path}: pcap holds one link type, and these packets have {links}. Save them as pcapng")]
    Links {
        /// The path.
        path: String,
        /// The link types by name.
        links: String,
    },
    /// Nothing is known any more of what was to be saved.
    #[error("These calls are no longer kept. Save calls while they are in the list")]
    Gone,
    /// Somebody ended the program meanwhile.
    #[error("{path} was not written to its end")]
    Stopped {
        /// The path.
        path: String,
    },
    /// What was to be read again is no longer the same.
    #[error("{path} has changed since it was read. Read it again with sipwatch -r, and save then")]
    Changed {
        /// The path.
        path: String,
    },
    /// What was to be read again cannot be read.
    #[error("{0}")]
    Source(String),
}

impl SaveError {
    /// What the system said about a path.
    pub fn of(path: &Path, error: &io::Error) -> Self {
        Self::File { path: path.display().to_string(), why: system_words(error), next: next_step(error) }
    }
}

fn next_step(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "Choose a directory that you may write to; root's are out of reach once privileges are dropped (--no-drop)"
        }
        io::ErrorKind::NotFound => "Make the directory first, or choose another",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room there, or choose another disk",
        _ => "Choose another place",
    }
}

/// Files that must stay as they are, whatever a user says.
#[derive(Clone, Debug, Default)]
pub struct Spared {
    /// Those that are read.
    pub read: Vec<FileId>,
    /// That of `-w`.
    pub written: Option<Arc<WriteStatus>>,
}

impl Spared {
    /// Refuses a place, a path without links, where one of them is. `path` is how the user calls it.
    pub(super) fn refuse(&self, place: &Path, path: &Path) -> Result<(), SaveError> {
        let path = || path.display().to_string();
        if FileId::at(place).is_some_and(|id| self.read.contains(&id)) {
            return Err(SaveError::Input { path: path() });
        }
        if self.written.as_ref().is_some_and(|written| written.is_at(place)) {
            return Err(SaveError::Output { path: path() });
        }
        Ok(())
    }
}

/// The place of a file that need not be there yet, without links.
pub(super) fn without_links(path: &Path) -> PathBuf {
    let folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(folder).unwrap_or_else(|| path.to_owned())
}

/// Creates a file that belongs to `owner`. One that exists is emptied and keeps its owner.
pub fn create(path: &Path, owner: Option<Owner>) -> io::Result<File> {
    match create_anew(path, owner) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(path)
        }
        outcome => outcome,
    }
}

/// Creates a file that belongs to `owner`; fails if there is one.
pub fn create_anew(path: &Path, owner: Option<Owner>) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    if let Some(owner) = owner {
        // A file system without owners, as on a stick, takes the file all the same.
        let _ = fchown(&file, Some(owner.uid), Some(owner.gid));
    }
    Ok(file)
}
