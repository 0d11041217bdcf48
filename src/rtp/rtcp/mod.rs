//! RTCP (RFC 3550, 6): telling it from RTP on the same port, and reading it whole.
//!
//! [`Compound::parse`] reads a datagram without copying; [`Summary::read`] keeps what statistics need of it. Extended
//! reports (RFC 3611) are in [`xr`]. Of SRTCP (RFC 3711, 3.4) only the first header and SSRC are in clear.

mod compound;
mod description;
mod report;
mod summary;
pub mod xr;

pub use compound::{Compound, Content, Packet, Packets};
pub use description::{Application, Chunk, Chunks, Goodbye, Items, SourceDescription, item_name};
pub use report::{Blocks, ReceiverReport, ReportBlock, SenderReport, middle_of_ntp};
pub use summary::{Reading, Reference, SenderInfo, Summary, Text};

/// Whether a datagram of `wire_len` octets starts with an RTCP packet: version 2, a packet type of the range that is
/// kept free for it, and a length that fits (RFC 5761, 4). What follows the first packet may be encrypted and is not
/// looked at.
#[inline]
pub fn looks_like_rtcp(bytes: &[u8], wire_len: usize) -> bool {
    let Some([first, packet_type, length @ ..]) = bytes.first_chunk::<4>() else { return false };
    let octets = (usize::from(u16::from_be_bytes(*length)) + 1) * 4;
    // The shortest that says anything has a sender's SSRC.
    first >> 6 == 2 && matches!(packet_type, 192..=223) && (8..=wire_len).contains(&octets)
}

/// The big-endian word that starts `at` octets into `bytes`.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|word| u32::from_be_bytes(*word))
}

/// The big-endian half word that starts `at` octets into `bytes`.
fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|half| u16::from_be_bytes(*half))
}

#[cfg(test)]
mod tests;
