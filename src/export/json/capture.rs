//! `capture`: what was read, what was lost, what could not be decoded.

use serde::Serialize;

use crate::counters::{Layer, Lost};
use crate::store::snapshot::{CaptureView, WrittenView};

/// The `capture` object.
#[derive(Clone, Debug, Serialize)]
pub struct CaptureReport {
    /// Names of interfaces or files.
    pub sources: Vec<String>,
    /// Packets read.
    pub packets: u64,
    /// Captured bytes read.
    pub bytes: u64,
    /// Time of the first packet.
    pub first: Option<String>,
    /// Time of the newest packet.
    pub last: Option<String>,
    /// Seconds between them.
    pub duration_s: Option<f64>,
    /// The three loss counters.
    pub lost: LostReport,
    /// Packets captured once before, and read only then.
    pub duplicates: u64,
    /// Whether a file was cut or partly unreadable.
    pub truncated: bool,
    /// What could not be decoded, by layer.
    pub malformed: MalformedReport,
    /// With `-w`: what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenReport>,
}

/// What `-w` wrote.
#[derive(Clone, Debug, Serialize)]
pub struct WrittenReport {
    /// The last file.
    pub file: String,
    /// Files begun.
    pub files: u64,
    /// Packets in files.
    pub packets: u64,
    /// Bytes in files.
    pub bytes: u64,
    /// Packets that are in no file.
    pub lost: UnwrittenReport,
}

/// Packets that were captured but not written, one cause each.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct UnwrittenReport {
    /// The writer was behind.
    pub queue: u64,
    /// The disk refused them.
    pub disk: u64,
}

impl From<&WrittenView> for WrittenReport {
    fn from(written: &WrittenView) -> Self {
        Self {
            file: written.file.clone(),
            files: written.files,
            packets: written.packets,
            bytes: written.bytes,
            lost: UnwrittenReport { queue: written.lost_queue, disk: written.lost_disk },
        }
    }
}

/// The loss counters, one cause each.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LostReport {
    /// The kernel's ring was full.
    pub kernel: u64,
    /// The interface or its driver dropped.
    pub interface: u64,
    /// The queue to the engine was full.
    pub queue: u64,
}

impl From<Lost> for LostReport {
    fn from(lost: Lost) -> Self {
        Self { kernel: lost.kernel, interface: lost.interface, queue: lost.queue }
    }
}

/// Undecodable packets by layer.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the layers' names")]
pub struct MalformedReport {
    pub link: u64,
    pub ip: u64,
    pub transport: u64,
    pub sip: u64,
    pub body: u64,
    pub rtp: u64,
}

impl CaptureReport {
    /// The object of this capture.
    pub fn of(capture: &CaptureView) -> Self {
        let span = capture.first.zip(capture.last);
        let decode = &capture.decode;
        Self {
            sources: capture.sources.iter().flat_map(|source| source.inputs.clone()).collect(),
            packets: decode.packets,
            bytes: decode.bytes,
            first: capture.first.map(super::time),
            last: capture.last.map(super::time),
            duration_s: span.map(|(first, last)| super::seconds(last.since(first))),
            lost: capture.lost.into(),
            duplicates: decode.duplicates,
            truncated: capture.sources.iter().any(|source| source.truncated),
            malformed: MalformedReport {
                link: decode.malformed_at(Layer::Link),
                ip: decode.malformed_at(Layer::Ip),
                transport: decode.malformed_at(Layer::Transport),
                sip: decode.malformed_at(Layer::Sip),
                body: decode.malformed_at(Layer::Body),
                rtp: decode.malformed_at(Layer::Rtp),
            },
            written: capture.written.as_ref().map(WrittenReport::from),
        }
    }
}
