//! What a screen or a report sees: a moment, shared and unchanging.

use std::sync::Arc;

use crate::capture::FileFacts;
use crate::counters::{DecodeCounters, Lost};
use crate::decode::stream::FlowView;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKey};
use crate::track::stream::{Stream, StreamKey};

use super::rows::Rows;
use super::stats::Stats;

/// One source as the Capture tab shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceView {
    /// `eth0`, `call.pcap`, or several files in one.
    pub name: String,
    /// Its inputs one by one, as packet numbers name them.
    pub inputs: Vec<String>,
    /// Whether it is live.
    pub live: bool,
    /// Link type by name.
    pub link: String,
    /// Filter in force, empty for none.
    pub filter: String,
    /// Packets given.
    pub packets: u64,
    /// Bytes read and size of the file, when it is one and its size is known.
    pub progress: Option<(u64, u64)>,
    /// Its losses.
    pub lost: Lost,
    /// What a file tells besides its packets.
    pub facts: Arc<FileFacts>,
    /// Whether it was cut or partly unreadable.
    pub truncated: bool,
    /// Whether it came to its end.
    pub ended: bool,
    /// Why it stopped, or what was wrong at its end.
    pub trouble: Option<String>,
}

/// What `-w` wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenView {
    /// The file being written; the last one when several were.
    pub file: String,
    /// Files begun.
    pub files: u64,
    /// Packets in files.
    pub packets: u64,
    /// Bytes in files.
    pub bytes: u64,
    /// Packets not written because the writer was behind.
    pub lost_queue: u64,
    /// Packets not written because the disk refused them.
    pub lost_disk: u64,
    /// Why nothing can be written at the moment.
    pub trouble: Option<String>,
}

/// How far the packets kept for saving reach back: the oldest of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentView {
    /// Packets that carried SIP.
    pub signalling: Option<Timestamp>,
    /// TCP segments and fragments.
    pub streams: Option<Timestamp>,
    /// Media and the rest.
    pub media: Option<Timestamp>,
}

/// Memory in use against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// What ("SIP memory").
    pub what: &'static str,
    /// In use.
    pub used: u64,
    /// The limit.
    pub limit: u64,
    /// "bytes", "calls", "streams".
    pub unit: &'static str,
    /// How many were evicted because of the limit.
    pub evicted: u64,
}

impl MemoryUse {
    /// A row: what is kept, how much of it, the limit and the unit of both, and how many were evicted for it.
    pub const fn new(what: &'static str, used: usize, limit: usize, unit: &'static str, evicted: u64) -> Self {
        Self { what, used: used as u64, limit: limit as u64, unit, evicted }
    }
}

/// The state of the capture.
#[derive(Clone, Debug, Default)]
pub struct CaptureView {
    /// Where packets come from.
    pub sources: Vec<SourceView>,
    /// All losses together.
    pub lost: Lost,
    /// What was decoded and what could not be.
    pub decode: DecodeCounters,
    /// Batches waiting for the engine, and the queue's size.
    pub queue: (usize, usize),
    /// With `-w`: what was written.
    pub written: Option<WrittenView>,
    /// How far the packets kept for saving reach back, where some are kept.
    pub recent: Option<RecentView>,
    /// Memory by kind.
    pub memory: Vec<MemoryUse>,
    /// TCP connections that carry SIP, and behind them those that may do so unseen.
    pub flows: Vec<FlowView>,
    /// First packet.
    pub first: Option<Timestamp>,
    /// Newest packet.
    pub last: Option<Timestamp>,
}

impl CaptureView {
    /// Whether any source is live and still running.
    pub fn is_live(&self) -> bool {
        self.sources.iter().any(|source| source.live && !source.ended)
    }
}

/// All that is known at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Moves whenever anything changed.
    pub generation: u64,
    /// The time that running durations count to: newest packet, or the clock when live. `None` before the first packet.
    pub now: Option<Timestamp>,
    /// Calls, in order of appearance.
    pub calls: Rows<Call>,
    /// RTP streams, in order of appearance.
    pub streams: Rows<Stream>,
    /// Statistics.
    pub stats: Arc<Stats>,
    /// State of the capture.
    pub capture: Arc<CaptureView>,
}

impl Snapshot {
    /// The call with this key, unless it was evicted.
    pub fn call(&self, key: CallKey) -> Option<&Arc<Call>> {
        self.calls.get(key.0)
    }

    /// The stream with this key, unless it was evicted.
    pub fn stream(&self, key: StreamKey) -> Option<&Arc<Stream>> {
        self.streams.get(key.0)
    }
}
