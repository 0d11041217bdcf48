//! A segment whose numbers have nothing to do with its stream.
//!
//! It may be a stray, or the first that was captured of another connection between the same ports. What comes next tells.

use super::assembly::Arrived;
use crate::packet::PacketId;
use crate::time::Timestamp;

/// Such a segment; the next one takes its place.
#[derive(Debug)]
pub(super) struct Elsewhere {
    pub sequence: u32,
    /// Set when the stream went on where it was.
    pub is_doubtful: bool,
    bytes: Box<[u8]>,
    wire_len: usize,
    packet: PacketId,
    at: Timestamp,
}

impl Elsewhere {
    pub fn new(arrived: &Arrived<'_>) -> Self {
        let Arrived { sequence, bytes, wire_len, packet, at } = *arrived;
        Self { sequence, is_doubtful: false, bytes: bytes.into(), wire_len, packet, at }
    }

    pub fn arrived(&self) -> Arrived<'_> {
        let Self { sequence, bytes, wire_len, packet, at, .. } = self;
        Arrived { sequence: *sequence, bytes, wire_len: *wire_len, packet: *packet, at: *at }
    }

    fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.wire_len as u32)
    }

    /// Whether a segment has octets of it, stands directly before or behind it, or is an empty one sent after it.
    pub fn touches(&self, arrived: &Arrived<'_>) -> bool {
        let ahead = arrived.sequence.wrapping_sub(self.end()) as i32;
        self.is_behind_start_of(arrived) && ahead <= 0
    }

    /// Whether a segment stands before it.
    pub fn follows(&self, arrived: &Arrived<'_>) -> bool {
        (arrived.sequence.wrapping_sub(self.sequence) as i32) < 0
    }

    fn is_behind_start_of(&self, arrived: &Arrived<'_>) -> bool {
        let end = arrived.sequence.wrapping_add(arrived.wire_len as u32);
        self.sequence.wrapping_sub(end) as i32 <= 0
    }

    /// Whether its receiver has octets of it: nobody acknowledges a stray.
    pub fn is_acknowledged_by(&self, sequence: u32) -> bool {
        let acked = sequence.wrapping_sub(self.sequence) as usize;
        (1..=self.wire_len).contains(&acked)
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
}
