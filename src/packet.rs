//! What libpcap delivers, and the batches it travels in.

use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;
use std::ops::Range;

use crate::limits::{BATCH_BYTES, BATCH_PACKETS};
use crate::time::Timestamp;

/// Data link type as libpcap numbers it (`LINKTYPE_*`, `DLT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback, family in host byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without the HDLC address in front.
    pub const PPP: Self = Self(9);
    /// PPP with the HDLC address in front (RFC 1662), or Cisco's framing instead.
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE without the Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// Cisco's framing of serial lines.
    pub const C_HDLC: Self = Self(104);
    /// Raw IP, the number that Linux and most files use.
    pub const RAW: Self = Self(101);
    /// Raw IP as `DLT_RAW` on BSD.
    pub const DLT_RAW_BSD: Self = Self(12);
    /// Raw IP as `DLT_RAW` on OpenBSD.
    pub const DLT_RAW_OPENBSD: Self = Self(14);
    /// OpenBSD loopback, family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// A packet's place: its source, and its number there, counted from 1 in capture order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(u64);

impl PacketId {
    const NUMBER_BITS: u32 = 48;

    /// `source` counts from 0, `number` from 1.
    pub const fn new(source: u16, number: u64) -> Self {
        Self((source as u64) << Self::NUMBER_BITS | (number & ((1 << Self::NUMBER_BITS) - 1)))
    }

    /// Which of the capture's sources it came from.
    pub const fn source(self) -> u16 {
        (self.0 >> Self::NUMBER_BITS) as u16
    }

    /// Its number within the source, as in Wireshark's first column.
    pub const fn number(self) -> u64 {
        self.0 & ((1 << Self::NUMBER_BITS) - 1)
    }
}

/// Everything about a packet but its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketMeta {
    /// Its place in the capture.
    pub id: PacketId,
    /// When it was captured.
    pub at: Timestamp,
    /// Interface index within its source (0 where a source has but one).
    pub interface: u16,
    /// How the bytes start.
    pub link: LinkType,
    /// Length on the wire; more than the bytes at hand when the snap length cut it.
    pub original_len: u32,
}

/// One captured packet, borrowed from its [`Batch`].
#[derive(Clone, Copy, Debug)]
pub struct Packet<'b> {
    /// Place, time and link type.
    pub meta: PacketMeta,
    /// The captured bytes.
    pub data: &'b [u8],
}

impl Packet<'_> {
    /// Whether the snap length cut bytes off.
    pub fn is_cut(&self) -> bool {
        (self.data.len() as u64) < u64::from(self.meta.original_len)
    }
}

/// An arena grows by this many bytes, since what is left of a read differs from one to the next.
const ARENA_STEP: usize = 16 * 1024;

/// Packets on their way from a source to the engine: one byte arena and an index into it.
///
/// Its packets are either copied in one by one ([`Batch::push`]), or found in bytes that were read straight into it
/// ([`Batch::read`], [`Batch::mark`]).
#[derive(Debug, Default)]
pub struct Batch {
    /// May be longer than what is used of it, so that reading into it needs no zeroing each time.
    arena: Vec<u8>,
    used: usize,
    packet_bytes: usize,
    index: Vec<(PacketMeta, u32, u32)>,
}

impl Batch {
    /// An empty batch with room for [`BATCH_PACKETS`] packets of voice size.
    pub fn new() -> Self {
        Self { arena: Vec::with_capacity(BATCH_BYTES), index: Vec::with_capacity(BATCH_PACKETS), ..Self::default() }
    }

    /// Adds a packet. A batch takes a packet of any size while it is not full.
    pub fn push(&mut self, meta: PacketMeta, data: &[u8]) {
        self.arena.truncate(self.used);
        self.arena.extend_from_slice(data);
        self.mark(meta, self.used..self.arena.len());
        self.used = self.arena.len();
    }

    /// Fills an empty batch: with what is left of an earlier read, and behind it with what one more read gives, at most
    /// `count` bytes. Returns how many it gave, 0 at the end. The packets in them are still to be marked.
    pub fn read(&mut self, left: &[u8], source: &mut dyn Read, count: usize) -> io::Result<usize> {
        let whole = left.len() + count;
        if self.arena.len() < whole {
            self.arena.resize(whole.next_multiple_of(ARENA_STEP), 0);
        }
        let Some((start, room)) = self.arena.split_at_mut_checked(left.len()) else { return Ok(0) };
        start.copy_from_slice(left);
        self.used = left.len();
        let read = loop {
            match source.read(room.get_mut(..count).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.used += read.min(count);
        Ok(read)
    }

    /// The bytes of [`Batch::read`].
    pub fn unmarked(&self, from: usize) -> &[u8] {
        self.arena.get(from..self.used).unwrap_or_default()
    }

    /// Says that these bytes are a packet.
    pub fn mark(&mut self, meta: PacketMeta, place: Range<usize>) {
        self.packet_bytes += place.len();
        self.index.push((meta, place.start as u32, place.end as u32));
    }

    /// Whether it should be handed on before the next packet.
    pub fn is_full(&self) -> bool {
        self.index.len() >= BATCH_PACKETS || self.used >= BATCH_BYTES
    }

    /// Packets in it.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Captured bytes of its packets.
    pub fn bytes(&self) -> usize {
        self.packet_bytes
    }

    /// Bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.arena.capacity() + self.index.capacity() * size_of::<(PacketMeta, u32, u32)>()
    }

    /// The packet at this position, from 0.
    pub fn get(&self, position: usize) -> Option<Packet<'_>> {
        let &(meta, start, end) = self.index.get(position)?;
        Some(Packet { meta, data: self.arena.get(start as usize..end as usize).unwrap_or_default() })
    }

    /// The packets, in capture order.
    pub fn iter(&self) -> impl Iterator<Item = Packet<'_>> {
        self.index.iter().map(|&(meta, start, end)| Packet {
            meta,
            data: self.arena.get(start as usize..end as usize).unwrap_or_default(),
        })
    }

    /// The times of the packets at its two ends; `None` when it is empty.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.index.first()?.0.at, self.index.last()?.0.at))
    }

    /// Whether no packet is earlier than the one before it.
    pub fn is_in_order(&self) -> bool {
        self.index.is_sorted_by(|(before, ..), (after, ..)| before.at <= after.at)
    }

    /// Brings the packets at these positions into order of time; those of the same time keep theirs.
    pub fn sort_by_time(&mut self, positions: Range<usize>) {
        if let Some(part) = self.index.get_mut(positions) {
            part.sort_by_key(|(meta, ..)| meta.at);
        }
    }

    /// Empties it and keeps its memory, unless one huge packet made it much larger than usual.
    pub fn clear(&mut self) {
        self.index.clear();
        self.used = 0;
        self.packet_bytes = 0;
        if self.arena.capacity() > BATCH_BYTES * 2 {
            self.arena = Vec::with_capacity(BATCH_BYTES);
        }
    }
}

/// IP address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Address.
    pub ip: IpAddr,
    /// UDP, TCP or SCTP port.
    pub port: u16,
}

impl Endpoint {
    /// `10.1.1.1:5060` in parts.
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port }
    }
}

impl fmt::Display for Endpoint {
    /// `10.1.1.123:5060`, `[2001:db8::1]:5060`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

/// One direction between two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
}

impl FlowKey {
    /// The other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { src: self.dst, dst: self.src }
    }
}

/// What carried a SIP message on this hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP datagram.
    Udp,
    /// TCP stream.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118), with or without TLS.
    Ws,
    /// SCTP message (RFC 4168).
    Sctp,
}

impl Transport {
    /// The name in reports: `udp`, `tcp`, `tls`, `ws`, `sctp`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Sctp => "sctp",
        }
    }

    /// All of them, in the order of the report.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Ws, Self::Tls, Self::Sctp];

    /// Whether it is so rare that a report speaks of it only where there is any.
    pub const fn is_rare(self) -> bool {
        matches!(self, Self::Sctp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_id_keeps_source_and_number() {
        let id = PacketId::new(3, 70_000_000_000);
        assert_eq!((id.source(), id.number()), (3, 70_000_000_000));
    }

    #[test]
    fn a_batch_gives_back_what_was_pushed_and_forgets_it_when_cleared() {
        let meta = PacketMeta {
            id: PacketId::new(0, 1),
            at: Timestamp::from_nanos(5),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: 9,
        };
        let mut batch = Batch::new();
        batch.push(meta, b"abc");
        batch.push(meta, b"");
        let got: Vec<_> = batch.iter().map(|p| (p.data.to_vec(), p.is_cut())).collect();
        assert_eq!(got, vec![(b"abc".to_vec(), true), (Vec::new(), true)]);
        batch.clear();
        assert!(batch.is_empty() && batch.iter().next().is_none());
        let mut source: &[u8] = b"defghi";
        assert_eq!(batch.read(b"abc", &mut source, 4).unwrap(), 4);
        assert_eq!(batch.unmarked(1), b"bcdefg");
        batch.mark(meta, 2..5);
        assert_eq!(batch.iter().map(|p| p.data).collect::<Vec<_>>(), [b"cde"]);
        assert_eq!((batch.bytes(), source), (3, &b"hi"[..]));
        batch.clear();
        batch.push(meta, b"xy");
        assert_eq!(batch.get(0).map(|p| p.data), Some(&b"xy"[..]));
    }
}
