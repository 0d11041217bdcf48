//! From captured bytes to what UDP, TCP and ICMP carry: link header, VLAN tags, IP, fragments, transport.
//!
//! [`hand`] takes the packet that nearly all are (UDP over plain IPv4) in one go. Everything else goes [`link`] → [`ip`] →
//! [`defrag`] where needed → [`transport`]. A [`tunnel`] is one more way from a payload back to [`ip`]; what was taken off on
//! the way is in the [`Path`].

#[cfg(test)]
pub(crate) mod captured;
pub mod defrag;
pub mod hand;
pub mod hep;
pub mod icmp;
pub mod ip;
pub mod link;
mod octets;
#[cfg(test)]
pub(crate) mod packets;
mod path;
mod pieces;
pub mod sctp;
pub mod tcp;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod transport;
pub mod tunnel;
pub mod websocket;

use std::net::IpAddr;

pub use path::{Encapsulation, Path, Tunnel};

use crate::counters::Malformed;
use crate::packet::{FlowKey, LinkType, Transport};

/// One IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'p> {
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// What the payload is, after all extension headers (IANA protocol number).
    pub protocol: u8,
    /// The payload as far as it was captured, padding of the link taken off.
    pub payload: &'p [u8],
    /// The payload's length on the wire; larger than `payload` when the packet was cut.
    pub wire_len: usize,
    /// Set when this is but a piece of a datagram.
    pub fragment: Option<Fragment>,
    /// The identification of the IPv4 header; 0 for IPv6.
    pub ip_id: u16,
    /// Time to live, hop limit.
    pub ttl: u8,
    /// What stands around it.
    pub path: Path,
}

/// Where a fragment belongs in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification, shared by all fragments of a datagram.
    pub id: u32,
    /// Where its payload starts, in octets.
    pub offset: u32,
    /// Whether others follow.
    pub more: bool,
}

/// A packet without its link header.
#[expect(clippy::large_enum_variant, reason = "nearly every packet is IP, and a box would cost an allocation for each")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened<'p> {
    /// IP.
    Ip(Frame<'p>),
    /// Fine, but not IP: what it is.
    Passed(&'static str),
}

/// Transport payload in order: a UDP datagram, an SCTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'p> {
    /// Addresses and ports.
    pub flow: FlowKey,
    /// What carried it.
    pub transport: Transport,
    /// The octets at hand.
    pub payload: &'p [u8],
    /// Its length on the wire; larger than `payload` when it was cut.
    pub wire_len: usize,
    /// Whether nothing is missing at its end.
    pub complete: bool,
}

/// Reads link header, VLAN tags, labels, sessions and IP headers of any packet.
pub fn open(link: LinkType, data: &[u8]) -> Result<Opened<'_>, Malformed> {
    link::open(link, data)?.opened()
}
