//! The classic pcap format: one link type, then records of time, two lengths, and bytes.
//!
//! The records are walked by hand: their lengths must be judged before all their bytes are there, and this walk is what
//! a large file spends its time on.

use pcap_parser::{PcapHeader, parse_pcap_header};

use super::record::{Found, Step};
use crate::limits::FILE_PACKET_BYTES;
use crate::packet::{LinkType, PacketId, PacketMeta};
use crate::time::Timestamp;

/// Bytes of the file header.
pub(super) const HEADER_LEN: usize = 24;

/// Kuznetzov's variant, whose records carry 8 bytes more, with the byte order turned.
const MODIFIED_SWAPPED: [u8; 4] = [0xa1, 0xb2, 0xcd, 0x34];

/// The upper bits of the link type tell of frame check sequences.
const LINK_BITS: u32 = 0x03ff_ffff;

/// A classic pcap file after its header.
#[derive(Debug)]
pub(super) struct Legacy {
    big_endian: bool,
    nanos_per_tick: i64,
    /// Bytes before each packet.
    pub(super) record_header: usize,
    /// Link type of all packets.
    pub(super) link: LinkType,
}

/// A whole record, and what follows it.
pub(super) struct Record<'w> {
    /// When the packet was captured.
    pub at: Timestamp,
    /// Length on the wire.
    pub original_len: u32,
    /// The packet's bytes.
    pub data: &'w [u8],
    /// The bytes behind the record.
    pub rest: &'w [u8],
}

/// Whether a file of this format may begin so.
pub(super) fn is_magic(first: [u8; 4]) -> bool {
    matches!(
        u32::from_le_bytes(first),
        0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 | 0xa1b2_cd34 | 0x34cd_b2a1
    )
}

impl Legacy {
    /// Reads the file header; `None` when it is not one, or not whole.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_LEN)?;
        if let Some(rest) = header.strip_prefix(&MODIFIED_SWAPPED) {
            let link = u32::from_be_bytes(*rest.last_chunk::<4>()?) & LINK_BITS;
            return Some(Self { big_endian: true, nanos_per_tick: 1_000, record_header: 24, link: LinkType(link) });
        }
        let (_, header): (_, PcapHeader) = parse_pcap_header(header).ok()?;
        Some(Self {
            big_endian: header.is_bigendian(),
            nanos_per_tick: if header.is_nanosecond_precision() { 1 } else { 1_000 },
            record_header: if header.is_modified_format() { 24 } else { 16 },
            link: LinkType(header.network.0 as u32 & LINK_BITS),
        })
    }

    /// The next record, if it is whole and nothing about it is odd.
    #[inline]
    pub(super) fn record<'w>(&self, unread: &'w [u8]) -> Option<Record<'w>> {
        let [seconds, ticks, captured_len, original_len] = self.header(unread)?;
        if captured_len > FILE_PACKET_BYTES || [seconds, ticks, captured_len, original_len] == [0; 4] {
            return None;
        }
        let (record, rest) = unread.split_at_checked(self.record_header + captured_len as usize)?;
        Some(Record { at: self.time(seconds, ticks), original_len, data: record.get(self.record_header..)?, rest })
    }

    /// Everything about a record's packet but its bytes.
    pub(super) fn meta(&self, id: PacketId, record: &Record<'_>) -> PacketMeta {
        PacketMeta { id, at: record.at, interface: 0, link: self.link, original_len: record.original_len }
    }

    /// Looks at the next record, and says why there is none.
    pub(super) fn step(&self, unread: &[u8]) -> Step {
        let Some([seconds, ticks, captured_len, original_len]) = self.header(unread) else {
            return Step::Need(self.record_header);
        };
        if captured_len > FILE_PACKET_BYTES {
            return Step::Broken(format!("a length of {captured_len} bytes"));
        }
        if [seconds, ticks, captured_len, original_len] == [0; 4] {
            return Step::Broken("nothing but zeros".to_owned());
        }
        let record_len = self.record_header + captured_len as usize;
        if unread.len() < record_len {
            return Step::Need(record_len);
        }
        Step::Packet(Found {
            at: self.time(seconds, ticks),
            interface: 0,
            link: self.link,
            original_len,
            data: self.record_header..record_len,
            record_len,
        })
    }

    /// Seconds, ticks, captured length and original length.
    fn header(&self, unread: &[u8]) -> Option<[u32; 4]> {
        let (words, _) = unread.first_chunk::<16>()?.as_chunks::<4>();
        let word = |at: usize| {
            let word = words.get(at).copied().unwrap_or_default();
            if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        Some([word(0), word(1), word(2), word(3)])
    }

    fn time(&self, seconds: u32, ticks: u32) -> Timestamp {
        Timestamp::from_parts(i64::from(seconds), i64::from(ticks) * self.nanos_per_tick)
    }
}
