//! Saving calls on request: what was asked for, how it went, and the thread that does it.

mod pick;
mod rebuild;
mod saver;
#[cfg(test)]
mod tests;
mod text;
mod wanted;

use std::path::PathBuf;

use crate::capture::save::Format;
use crate::track::call::CallKey;

pub(super) use saver::{Input, Job, Packets, Savers};

/// What to save, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveRequest {
    /// The file.
    pub path: PathBuf,
    /// What it is to be.
    pub format: Format,
    /// Which calls, `None` for every packet.
    pub calls: Option<Vec<CallKey>>,
    /// Whether RTP and RTCP are to be in it.
    pub media: bool,
    /// Whether a file that is there may go.
    pub replace: bool,
}

/// Where packets to be saved are found again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SaveFrom {
    /// Nowhere: nobody will ask.
    #[default]
    Nothing,
    /// Among the newest ones, which the engine keeps.
    Recent,
    /// In these files, which are read once more.
    Files(Vec<String>),
}

/// How a request went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// It is saved.
    Saved(Saved),
    /// There is a file already, and it was not said that it may go.
    Exists(SaveRequest),
    /// It could not be saved: one sentence. Nothing is left behind.
    Failed(String),
}

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// Packets in it; of a text: messages.
    pub count: u64,
    /// Whether messages were counted.
    pub is_text: bool,
    /// Packets among them that were made again from messages, since their own were no longer kept.
    pub rebuilt: u64,
    /// Its size.
    pub bytes: u64,
    /// Packets, or messages, that belong to the calls but are no longer kept.
    pub missing: u64,
    /// Calls that were asked for and are not in it, since nothing is known of them any more.
    pub calls_gone: u64,
    /// Whether keys of encrypted connections, which the file read holds, are not in it.
    pub leaves_keys: bool,
}
