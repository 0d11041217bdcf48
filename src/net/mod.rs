//! From captured bytes to what UDP, TCP and ICMP carry: link header, VLAN tags, IP, fragments, transport.
//!
//! [`hand`] takes the packet that nearly all are (UDP over plain IPv4) in one go. Everything else goes [`link`] → [`ip`] → [`defrag`] where needed → [`transport`]. A tunnel is one
//! more way from a payload back to [`ip`].

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
mod pieces;
pub mod sctp;
pub mod tcp;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod transport;
pub mod websocket;

use std::net::IpAddr;

use crate::counters::Malformed;
use crate::limits::VLAN_TAGS;
use crate::packet::{FlowKey, LinkType, Transport};

/// The way a packet came by below IP: what tells two networks with the same addresses apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    tags: [u16; VLAN_TAGS],
    depth: u8,
    /// Interface index of a cooked capture, version 2; 0 elsewhere.
    pub interface: u32,
}

impl Path {
    /// VLAN identifiers, outermost first.
    pub fn vlans(&self) -> &[u16] {
        self.tags.get(..usize::from(self.depth)).unwrap_or_default()
    }

    /// Adds an inner VLAN tag. `None` when there are [`VLAN_TAGS`] already.
    #[must_use]
    pub fn tagged(mut self, vlan: u16) -> Option<Self> {
        *self.tags.get_mut(usize::from(self.depth))? = vlan;
        self.depth += 1;
        Some(self)
    }
}

/// One IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// VLAN tags and interface.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Reads link header, VLAN tags and IP headers of any packet.
pub fn open(link: LinkType, data: &[u8]) -> Result<Opened<'_>, Malformed> {
    match link::open(link, data)? {
        link::Inside::Ip { payload, path } => ip::frame(payload, path).map(Opened::Ip),
        link::Inside::Other(what) => Ok(Opened::Passed(what)),
    }
}
