//! `--report json`: one document, the contract with scripts and other tools.
//!
//! The structs are the document: their fields stand in its order. What is unknown is `null`, never 0. Two runs over one
//! file give the same bytes.

pub mod calls;
pub mod capture;
pub(super) mod escape;
pub mod sip;
pub mod streams;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::packet::PacketId;
use crate::store::snapshot::{Snapshot, SourceView};
use crate::time::{Elapsed, Timestamp};

pub use calls::CallRow;
pub use capture::CaptureReport;
pub use sip::SipReport;
pub use streams::StreamRow;

/// Goes up when a name or a meaning in the document changes.
pub const SCHEMA: u32 = 1;

/// The list of rows that nothing follows yet: always empty.
type NotFollowed = [(); 0];

/// The whole document.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was read, and what was lost.
    pub capture: CaptureReport,
    /// Counts over all SIP messages.
    pub sip: SipReport,
    /// Every Call-ID once.
    pub calls: Vec<CallRow>,
    /// Event subscriptions. They are rows of `calls` until their own state machine follows them.
    pub subscriptions: NotFollowed,
    /// Lamps.
    pub blf: NotFollowed,
    /// Registrations. They are rows of `calls` until their own state machine follows them.
    pub registrations: NotFollowed,
    /// RTP streams.
    pub streams: Vec<StreamRow>,
    /// Phones.
    pub phones: NotFollowed,
    /// Findings.
    pub findings: NotFollowed,
}

/// The document of a moment. Messages without a Call-ID are counted in `sip` and are no call.
pub fn report(snapshot: &Snapshot) -> Report {
    Report {
        schema: SCHEMA,
        capture: CaptureReport::of(&snapshot.capture),
        sip: SipReport::of(&snapshot.stats),
        calls: calls::rows(snapshot),
        subscriptions: [],
        blf: [],
        registrations: [],
        streams: snapshot.streams.iter().map(|stream| StreamRow::of(stream, &snapshot.calls)).collect(),
        phones: [],
        findings: [],
    }
}

/// Writes the document, indented, with a line end behind it.
pub fn write_json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    escape::write_pretty(out, report)?;
    out.write_all(b"\n")
}

/// Milliseconds, three decimals.
pub(super) fn millis(elapsed: Elapsed) -> f64 {
    rounded(elapsed.millis(), 3)
}

/// Seconds, down to the microsecond.
pub(super) fn seconds(elapsed: Elapsed) -> f64 {
    rounded(elapsed.seconds(), 6)
}

/// A number cut to so many decimals; the shortest text that reads back as it is what gets printed.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    let scaled = (value * factor).round() / factor;
    if scaled.is_finite() { scaled + 0.0 } else { 0.0 }
}

pub(super) fn time(at: Timestamp) -> String {
    at.rfc3339()
}

/// A packet as JSON names it: its number, and with several sources the source's name before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PacketName {
    /// The only source's packet.
    Number(u64),
    /// `call.pcap:20`.
    Sourced(String),
}

/// How packets are named in this capture.
#[derive(Clone, Debug, Default)]
pub struct PacketNames {
    sources: Vec<String>,
}

impl PacketNames {
    /// For these sources, in the order of their numbers.
    pub fn new(sources: &[SourceView]) -> Self {
        Self { sources: sources.iter().flat_map(|source| source.inputs.clone()).collect() }
    }

    /// For sources with these names.
    pub fn named(sources: Vec<String>) -> Self {
        Self { sources }
    }

    /// The packet's name.
    pub fn name(&self, id: PacketId) -> PacketName {
        match self.sources.get(usize::from(id.source())) {
            Some(source) if self.sources.len() > 1 => PacketName::Sourced(format!("{source}:{}", id.number())),
            _ => PacketName::Number(id.number()),
        }
    }
}
