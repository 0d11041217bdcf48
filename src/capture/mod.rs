//! Where packets come from: live interfaces, files, the built-in demo.
//!
//! A [`Source`] pushes [`Batch`]es into a [`BatchSink`]. What happens when the other side is slow is the sink's affair
//! (live: drop and count; file: wait), so a source knows neither channels nor the engine.

pub mod demo;
pub mod device;
pub mod file;
mod filter;
mod identity;
mod link;
pub mod live;
pub mod privileges;
pub mod save;
pub mod synth;

pub use identity::{FileId, FileStamp};

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::counters::Lost;
use crate::limits::{FILE_ORDER_PACKETS, FILE_ORDER_SECONDS};
use crate::packet::Batch;

/// Takes batches from a source.
pub trait BatchSink {
    /// Takes the batch and leaves an empty one in its place. `Break` when nobody wants more.
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()>;
}

impl<F: FnMut(&mut Batch) -> ControlFlow<()>> BatchSink for F {
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self(batch)
    }
}

/// Something that gives packets.
pub trait Source: Send {
    /// Its name, state and counters, shared with whoever shows them.
    fn status(&self) -> Arc<SourceStatus>;

    /// Makes [`Source::run`] return soon; callable from any thread, any number of times.
    fn stopper(&self) -> Stopper;

    /// Hands all packets to the sink, until the end, a stop, or an error. A batch that is not full is handed on as soon
    /// as no further packet waits.
    fn run(self: Box<Self>, sink: &mut dyn BatchSink) -> Result<(), SourceError>;
}

/// Stops a source from outside.
pub type Stopper = Arc<dyn Fn() + Send + Sync>;

/// Whether a source is bound to the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Packets come when they happen; what cannot be taken at once is lost and counted.
    Live,
    /// Packets wait for us; nothing is lost.
    File,
}

/// What a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Packets come, or would.
    Running,
    /// It came to its end. A warning says that the end was not clean ("cut in the middle of packet 12").
    Ended {
        /// What was wrong at the end, if anything.
        warning: Option<String>,
    },
    /// It failed: one sentence with the next step.
    Failed(String),
}

/// What a file tells besides its packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Places where packets come too late in the file to be put in order of time: by more than [`FILE_ORDER_SECONDS`] or
    /// [`FILE_ORDER_PACKETS`]. A whole part that lies back is one.
    pub out_of_order: u64,
    /// Decryption secrets blocks.
    pub key_blocks: u64,
    /// Whether one of them is a TLS key log.
    pub has_tls_keys: bool,
    /// Names of interfaces by the file's number and theirs, as [`PacketMeta`](crate::packet::PacketMeta) gives them.
    pub interfaces: BTreeMap<(u16, u16), String>,
    /// Names of hosts; raw text of the file.
    pub hosts: BTreeMap<IpAddr, String>,
}

impl FileFacts {
    /// That packets are out of order, in words; `None` when all could be put in order.
    pub fn disorder(&self) -> Option<String> {
        let count = self.out_of_order;
        let places = if count == 1 { "place" } else { "places" };
        let limits = format!("{FILE_ORDER_SECONDS} s or {FILE_ORDER_PACKETS} packets");
        (count > 0).then(|| format!("packets out of order by more than {limits} in {count} {places}"))
    }
}

/// What is known of a source from outside while it runs on its own thread.
#[derive(Debug)]
pub struct SourceStatus {
    /// `eth0`, `call.pcap`, `demo`.
    pub name: String,
    /// Its inputs one by one: the files that one source merges, else its name.
    pub inputs: Vec<String>,
    /// Of each input that is an ordinary file: which one, and how it was when it was opened.
    pub stamps: Vec<Option<FileStamp>>,
    /// Live or file.
    pub kind: SourceKind,
    /// Link type by name, empty until known.
    pub link: ArcSwap<String>,
    /// The filter in force, empty for none.
    pub filter: String,
    /// Packets given so far.
    pub packets: AtomicU64,
    /// Bytes of the file read so far.
    pub read_bytes: AtomicU64,
    /// Size of the file, 0 when unknown.
    pub total_bytes: AtomicU64,
    /// Packets dropped by the kernel.
    pub lost_kernel: AtomicU64,
    /// Packets dropped by the interface.
    pub lost_interface: AtomicU64,
    /// Packets dropped because our queue was full.
    pub lost_queue: AtomicU64,
    /// Set once the file turned out to be cut or partly unreadable.
    pub truncated: AtomicBool,
    /// What the file tells besides its packets; a live source has none.
    pub facts: ArcSwap<FileFacts>,
    /// What it is doing.
    pub state: ArcSwap<SourceState>,
}

impl SourceStatus {
    /// A source that is about to run.
    pub fn new(name: impl Into<String>, kind: SourceKind, filter: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            inputs: vec![name.clone()],
            stamps: Vec::new(),
            name,
            kind,
            link: ArcSwap::default(),
            filter: filter.into(),
            packets: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            total_bytes: AtomicU64::new(0),
            lost_kernel: AtomicU64::new(0),
            lost_interface: AtomicU64::new(0),
            lost_queue: AtomicU64::new(0),
            truncated: AtomicBool::new(false),
            facts: ArcSwap::default(),
            state: ArcSwap::from_pointee(SourceState::Running),
        }
    }

    /// The three loss counters.
    pub fn lost(&self) -> Lost {
        Lost {
            kernel: self.lost_kernel.load(Ordering::Relaxed),
            interface: self.lost_interface.load(Ordering::Relaxed),
            queue: self.lost_queue.load(Ordering::Relaxed),
        }
    }
}

/// The system's words without its error number.
pub(crate) fn system_words(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words);
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Why a source cannot be opened or cannot go on: each is one sentence with the next step.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Opening the device needs more rights.
    #[error(
        "No permission to capture on {device}. Run it with sudo, or once: \
         sudo setcap cap_net_raw,cap_net_admin=eip {program}; or try sipwatch --demo"
    )]
    Permission {
        /// The interface.
        device: String,
        /// This program's own path.
        program: String,
    },
    /// The device does not exist.
    #[error("{device}: no such interface. Interfaces here: {here}")]
    NoDevice {
        /// The interface asked for.
        device: String,
        /// Those that exist, with commas.
        here: String,
    },
    /// The device exists but is down.
    #[error("{device} is down. Bring it up first: ip link set {device} up")]
    DeviceDown {
        /// The interface.
        device: String,
    },
    /// The device went away or down while capturing.
    #[error("{device} went down while capturing ({why}). Start again when it is up")]
    DeviceLost {
        /// The interface.
        device: String,
        /// libpcap's words.
        why: String,
    },
    /// The BPF words do not compile.
    #[error("BPF filter \"{filter}\": {why}. See man pcap-filter, for example: udp port 5060")]
    Filter {
        /// The filter as given.
        filter: String,
        /// libpcap's words.
        why: String,
    },
    /// The file cannot be opened.
    #[error("{path}: {why}. Check the path, or capture live with -i")]
    NoFile {
        /// The path as given.
        path: String,
        /// The system's words.
        why: String,
    },
    /// The file is empty.
    #[error("{path} is empty. Was the capture stopped before it wrote anything?")]
    EmptyFile {
        /// The path as given.
        path: String,
    },
    /// The file is no capture.
    #[error("{path} is not a capture file (pcap, pcapng, also with gzip or zstd). It starts with {starts}")]
    NotACapture {
        /// The path as given.
        path: String,
        /// Its first bytes in hex.
        starts: String,
    },
    /// A source that failed while it ran, in its own sentence.
    #[error("{0}")]
    Stopped(String),
    /// Anything else that libpcap says.
    #[error("{device}: {why}. Interfaces here: {here}")]
    Device {
        /// The interface.
        device: String,
        /// libpcap's words.
        why: String,
        /// Those that exist, with commas.
        here: String,
    },
}
