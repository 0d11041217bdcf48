//! One datagram of RTCP: the packets in it one behind the other, or the sign that it is encrypted.

use super::description::{Application, Goodbye, SourceDescription};
use super::report::{ReceiverReport, SenderReport};
use super::xr::ExtendedReport;
use super::{looks_like_rtcp, word};
use crate::limits::RTCP_PACKETS;

/// Octets in front of a packet's content, the first SSRC not counted.
const HEADER: usize = 4;

/// Octets behind SRTCP: index and authentication tag of 80 bits (RFC 3711, 3.4 and 5.2).
const TRAILER_HMAC: usize = 14;

/// Octets behind SRTCP with AES-GCM: a tag of 16 octets, then the index (RFC 7714, 9.2).
const TRAILER_GCM: usize = 20;

/// Some phones forget the padding at the end of the last packet: so many octets may be missing.
const MISSING: usize = 3;

/// The shortest that may stand behind SRTCP: the index and a tag of 32 bits.
const TRAILER_SHORTEST: usize = 8;

/// A datagram of RTCP.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'p> {
    /// SSRC of the first packet: who sent the datagram. In clear under SRTCP, too.
    pub sender: u32,
    /// The first packet's type. In clear under SRTCP, too.
    pub first_type: u8,
    /// What can be read of it.
    pub content: Content<'p>,
}

/// What can be read of a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p> {
    /// All of it.
    Plain(Packets<'p>),
    /// SRTCP: nothing but [`Compound::sender`]. Show "encrypted".
    Encrypted,
    /// The snap length cut it, so that nobody can tell whether it is encrypted; shown as such.
    Cut,
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'p> {
    /// SR, type 200.
    SenderReport(SenderReport<'p>),
    /// RR, type 201.
    ReceiverReport(ReceiverReport<'p>),
    /// SDES, type 202.
    SourceDescription(SourceDescription<'p>),
    /// BYE, type 203.
    Goodbye(Goodbye<'p>),
    /// APP, type 204.
    Application(Application<'p>),
    /// XR, type 207.
    Extended(ExtendedReport<'p>),
    /// Any other: feedback (RFC 4585), or one too short for what its type needs.
    Other {
        /// Its type, 192 to 223.
        packet_type: u8,
        /// The five bits that count things or name a format.
        format: u8,
        /// SSRC of its sender, if it has one.
        sender: Option<u32>,
    },
}

impl<'p> Compound<'p> {
    /// Reads a datagram that had `wire_len` octets on the wire. `None` when it is no RTCP ([`looks_like_rtcp`]) or ends
    /// before the first SSRC.
    ///
    /// Lengths that lead from packet to packet exactly to the end make it plain. Otherwise something stands behind the
    /// first packet that is none: the trailer of SRTCP, in which a bit says whether the packets are encrypted or only
    /// signed, or a damaged end behind packets that are good.
    pub fn parse(bytes: &'p [u8], wire_len: usize) -> Option<Self> {
        if !looks_like_rtcp(bytes, wire_len) {
            return None;
        }
        let (first_type, sender) = (*bytes.get(1)?, word(bytes, HEADER)?);
        let content = if bytes.len() < wire_len { Content::Cut } else { content(bytes) };
        Some(Self { sender, first_type, content })
    }

    /// The packets; none when the content is not plain.
    pub fn packets(&self) -> Packets<'p> {
        match self.content {
            Content::Plain(packets) => packets,
            Content::Encrypted | Content::Cut => Packets { rest: &[], left: 0, is_damaged: false },
        }
    }

    /// Whether octets are missing at the end of a plain datagram, or stand there and are no packet.
    pub const fn is_damaged(&self) -> bool {
        matches!(&self.content, Content::Plain(packets) if packets.is_damaged)
    }
}

fn content(bytes: &[u8]) -> Content<'_> {
    let mut behind = bytes;
    let mut count = 0;
    while let Some((_, rest)) = split(behind) {
        behind = rest;
        count += 1;
    }
    let plain = |is_damaged| {
        let end = bytes.len() - behind.len();
        Content::Plain(Packets { rest: bytes.get(..end).unwrap_or_default(), left: RTCP_PACKETS, is_damaged })
    };
    if behind.is_empty() {
        return plain(!bytes.len().is_multiple_of(4));
    }
    match encryption_bit(behind) {
        Some(true) => Content::Encrypted,
        Some(false) => plain(false),
        // A second good header does not come by chance; eight octets are the least that SRTCP adds.
        None if count > 1 || behind.len() < TRAILER_SHORTEST => plain(true),
        None => Content::Encrypted,
    }
}

/// The E bit, if what stands behind the packets has the length of an SRTCP trailer.
fn encryption_bit(trailer: &[u8]) -> Option<bool> {
    let index = match trailer.len() {
        TRAILER_HMAC => trailer.first(),
        TRAILER_GCM => trailer.get(TRAILER_GCM - 4),
        _ => None,
    };
    index.map(|octet| octet & 0x80 != 0)
}

/// The first packet and what stands behind it; `None` when its header is none or more than [`MISSING`] octets of it are.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [first, packet_type, length @ ..] = bytes.first_chunk::<HEADER>()?;
    let octets = (usize::from(u16::from_be_bytes(*length)) + 1) * 4;
    let is_header = first >> 6 == 2 && matches!(packet_type, 192..=223);
    let end = if octets > bytes.len() && octets <= bytes.len() + MISSING { bytes.len() } else { octets };
    bytes.split_at_checked(end).filter(|_| is_header)
}

/// The packets of a datagram in order, at most [`RTCP_PACKETS`].
#[derive(Clone, Copy, Debug)]
pub struct Packets<'p> {
    rest: &'p [u8],
    left: usize,
    is_damaged: bool,
}

impl<'p> Iterator for Packets<'p> {
    type Item = Packet<'p>;

    fn next(&mut self) -> Option<Packet<'p>> {
        self.left = self.left.checked_sub(1)?;
        let (packet, rest) = split(self.rest)?;
        self.rest = rest;
        read(packet)
    }
}

fn read(packet: &[u8]) -> Option<Packet<'_>> {
    let [first, packet_type, ..] = *packet.first_chunk::<HEADER>()?;
    let body = without_padding(first, packet.get(HEADER..)?);
    let count = first & 0x1f;
    let known = match packet_type {
        200 => SenderReport::read(body, count).map(Packet::SenderReport),
        201 => ReceiverReport::read(body, count).map(Packet::ReceiverReport),
        202 => Some(Packet::SourceDescription(SourceDescription::read(body, count))),
        203 => Some(Packet::Goodbye(Goodbye::read(body, count))),
        204 => Application::read(body, count).map(Packet::Application),
        207 => ExtendedReport::read(body).map(Packet::Extended),
        _ => None,
    };
    Some(known.unwrap_or_else(|| Packet::Other { packet_type, format: count, sender: word(body, 0) }))
}

/// RFC 3550, 6.4.1: with the P bit the last octet counts the padding, itself included. A count that cannot be is ignored.
fn without_padding(first: u8, body: &[u8]) -> &[u8] {
    let count = body.last().filter(|_| first & 0x20 != 0).copied().map_or(0, usize::from);
    body.len().checked_sub(count).and_then(|end| body.get(..end)).unwrap_or(body)
}
