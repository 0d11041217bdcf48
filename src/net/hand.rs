//! The common packet in one go: Ethernet with at most one 802.1Q tag, or a cooked capture without; IPv4 without options
//! or fragments; UDP; nothing cut.
//!
//! Nearly all packets of a voice network are like that, and the general path costs five times as much. `None` says
//! that the packet is not common, not that it is wrong. Both paths give the same for every packet; a test holds them
//! to it.

use std::net::{IpAddr, Ipv4Addr};

use super::link::{ETHER_IPV4, ETHER_VLAN};
use super::transport::UDP_HEADER;
use super::{Segment, ip};
use crate::packet::{Endpoint, FlowKey, LinkType, Transport};

/// IPv4 header without options, and UDP header.
pub const HEADERS: usize = 20 + UDP_HEADER;

/// Everything of an IPv4 fragment field but "don't fragment" and the reserved bit.
const FRAGMENT_BITS: u16 = 0x3fff;

/// Hardware types of cooked captures whose protocol field is an Ethernet type: Ethernet, loopback, none.
const PLAIN_HARDWARE: [u16; 3] = [1, 772, 0xfffe];

/// A common packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common<'p> {
    /// Its datagram.
    pub segment: Segment<'p>,
    /// Its IPv4 and UDP headers.
    pub headers: &'p [u8; HEADERS],
}

/// The UDP datagram of a packet, if it is a common one.
#[inline]
pub fn datagram(link: LinkType, data: &[u8]) -> Option<Common<'_>> {
    match link {
        LinkType::ETHERNET => udp(behind_ethernet(data)?),
        LinkType::LINUX_SLL => udp(behind_cooked(data)?),
        LinkType::LINUX_SLL2 => udp(behind_cooked_2(data)?),
        _ => None,
    }
}

#[inline]
fn behind_ethernet(data: &[u8]) -> Option<&[u8]> {
    let [.., t0, t1] = data.first_chunk::<14>()?;
    let behind = data.get(14..)?;
    match (u16::from_be_bytes([*t0, *t1]), behind) {
        (ETHER_IPV4, packet) => Some(packet),
        (ETHER_VLAN, [_, _, 0x08, 0x00, packet @ ..]) => Some(packet),
        _ => None,
    }
}

#[inline]
fn behind_cooked(data: &[u8]) -> Option<&[u8]> {
    let [_, _, h0, h1, .., 0x08, 0x00] = data.first_chunk::<16>()? else { return None };
    data.get(16..).filter(|_| PLAIN_HARDWARE.contains(&u16::from_be_bytes([*h0, *h1])))
}

#[inline]
fn behind_cooked_2(data: &[u8]) -> Option<&[u8]> {
    let [0x08, 0x00, _, _, _, _, _, _, h0, h1, ..] = data.first_chunk::<20>()? else { return None };
    data.get(20..).filter(|_| PLAIN_HARDWARE.contains(&u16::from_be_bytes([*h0, *h1])))
}

#[inline]
fn udp(packet: &[u8]) -> Option<Common<'_>> {
    let headers = packet.first_chunk::<HEADERS>()?;
    #[rustfmt::skip]
    let [
        0x45, _, len0, len1, _, _, frag0, frag1, _, ip::UDP, _, _,
        s0, s1, s2, s3, d0, d1, d2, d3,
        sp0, sp1, dp0, dp1, udp0, udp1, _, _,
    ] = headers else { return None };
    let total = usize::from(u16::from_be_bytes([*len0, *len1]));
    let length = usize::from(u16::from_be_bytes([*udp0, *udp1]));
    let fragment = u16::from_be_bytes([*frag0, *frag1]) & FRAGMENT_BITS;
    if fragment != 0 || length < UDP_HEADER || length > total.saturating_sub(20) || total > packet.len() {
        return None;
    }
    let payload = packet.get(HEADERS..20 + length)?;
    let endpoint = |a: &u8, b: &u8, c: &u8, d: &u8, p0: &u8, p1: &u8| {
        Endpoint::new(IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d)), u16::from_be_bytes([*p0, *p1]))
    };
    let segment = Segment {
        flow: FlowKey { src: endpoint(s0, s1, s2, s3, sp0, sp1), dst: endpoint(d0, d1, d2, d3, dp0, dp1) },
        transport: Transport::Udp,
        payload,
        wire_len: payload.len(),
        complete: true,
    };
    Some(Common { segment, headers })
}
