//! Captures written to files: pcapng and pcap, at once or while packets come, in one file or in turns.
//!
//! [`Recorder`] is `-w`: it never gives up for good, since capture goes on whatever the disk does. [`CaptureFile`] is one
//! file saved on request: it is there as a whole or not at all.

mod capture_file;
mod names;
mod pcapng;
mod place;
mod recorder;
mod rotate;
mod status;
#[cfg(test)]
mod tests;

pub use capture_file::{CaptureFile, Format, SaveOptions};
pub use names::SourceNames;
pub use place::{Owner, SaveError, Spared, create_anew};
pub use recorder::{RecordOptions, Recorder};
pub use rotate::Rotation;
pub use status::WriteStatus;

/// The interface of packets that were made again from what was remembered of them: it has a name of its own.
pub const REBUILT_INTERFACE: u16 = u16::MAX;
