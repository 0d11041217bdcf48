//! What the two file formats say about the bytes at hand.

use std::ops::Range;

use crate::packet::LinkType;
use crate::time::Timestamp;

/// The outcome of one look at the start of the unread bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A packet starts here.
    Packet(Found),
    /// So many bytes hold no packet; look again behind them.
    Pass(usize),
    /// A whole record needs so many bytes, at least one more than there are.
    Need(usize),
    /// No record can be here, for this reason, and none can be found behind it.
    Broken(String),
}

/// A packet in the unread bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// When it was captured.
    pub at: Timestamp,
    /// Interface, counted over all sections.
    pub interface: u16,
    /// How the bytes start.
    pub link: LinkType,
    /// Length on the wire.
    pub original_len: u32,
    /// Where its bytes are, from the first unread one.
    pub data: Range<usize>,
    /// Bytes of the whole record.
    pub record_len: usize,
}

/// A 32-bit number at `offset`, in the file's byte order.
pub(super) fn word(bytes: &[u8], offset: usize, big_endian: bool) -> Option<u32> {
    let word = *bytes.get(offset..)?.first_chunk::<4>()?;
    Some(if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
}
