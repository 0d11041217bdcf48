//! The reports of `--report KIND`, as a table: the command line's help and its error message are made from it.

mod calls;
mod rtp;
mod sip;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use crate::store::snapshot::Snapshot;

use super::json;

/// A kind of report.
#[derive(Clone, Copy, Debug)]
pub struct ReportKind {
    /// The word behind `--report`.
    pub name: &'static str,
    /// What it is, for the help.
    pub about: &'static str,
    /// Writes it.
    pub write: fn(&Snapshot, &mut dyn Write) -> io::Result<()>,
}

/// All kinds.
pub const REPORTS: &[ReportKind] = &[
    ReportKind {
        name: "json",
        about: "everything as one JSON document",
        write: |snapshot, out| json::write_json(out, &json::report(snapshot)),
    },
    ReportKind { name: "sip", about: "SIP statistics: methods, statuses, delays, ratios", write: sip::write },
    ReportKind {
        name: "rtp",
        about: "RTP streams: loss, jitter, MOS, and the same as tshark's rtp,streams",
        write: rtp::write,
    },
    ReportKind { name: "calls", about: "one line per call: who, when, how it ended and why", write: calls::write },
];

/// The kind with this name.
pub fn find(name: &str) -> Option<&'static ReportKind> {
    REPORTS.iter().find(|kind| kind.name == name)
}
