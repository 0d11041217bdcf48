//! Tunnels in UDP: VXLAN (RFC 7348) and its generic extension, GENEVE (RFC 8926), GTP-U (TS 29.281), MPLS (RFC 7510) and
//! Teredo (RFC 4380).
//!
//! Anything may be sent to any port. So a datagram is a tunnel only if the port is that of one, the header is right in
//! all that must be so, and what is inside opens.

use super::mpls;
use crate::counters::Malformed;
use crate::net::link::{self, Inside};
use crate::net::octets::{u16_at, u32_at};
use crate::net::path::{TOO_DEEP, TOO_MANY_TAGS};
use crate::net::{Encapsulation, Opened, Path, Segment, Tunnel};

const VXLAN: u16 = 4789;
/// The port of Linux before the protocol had one.
const OLD_VXLAN: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;
const MPLS: u16 = 6635;
const TEREDO: u16 = 3544;

/// A datagram whose port and header are those of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'p> {
    tunnel: Tunnel,
    payload: &'p [u8],
    kind: Kind,
}

/// What is behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ethernet,
    Ip,
    Mpls,
}

/// The flag of VXLAN that the network is valid.
const NETWORK_IS_VALID: u8 = 0x08;

/// Whether a datagram whose first octet is that of RTP is looked at as a tunnel first: VXLAN has bits there that a receiver
/// ignores, and that policies use. All other tunnels begin with an octet below 128, but for MPLS labels from 524,288 on, which
/// nobody assigns first.
#[inline]
pub fn is_rather_tunnel(first: u8, port: u16) -> bool {
    first & NETWORK_IS_VALID != 0 && matches!(port, VXLAN | OLD_VXLAN | VXLAN_GPE)
}

/// Looks at port and header.
pub fn find<'p>(segment: &Segment<'p>) -> Option<Found<'p>> {
    let payload = segment.payload;
    match segment.flow.dst.port {
        VXLAN | OLD_VXLAN => vxlan(payload),
        VXLAN_GPE => vxlan_gpe(payload),
        GENEVE => geneve(payload),
        GTP_U => gtp(payload),
        MPLS => Some(Found { tunnel: Tunnel::MplsInUdp, payload, kind: Kind::Mpls }),
        TEREDO => teredo(payload),
        _ if segment.flow.src.port == TEREDO => teredo(payload),
        _ => None,
    }
}

impl<'p> Found<'p> {
    /// What is inside, if it opens as a packet. An error only when there are too many layers; what is wrong otherwise
    /// says that it was no tunnel.
    pub fn open(self, outer: &Segment<'p>, path: Path) -> Option<Result<Opened<'p>, Malformed>> {
        let layer = Encapsulation::Tunnel { tunnel: self.tunnel, src: outer.flow.src.ip, dst: outer.flow.dst.ip };
        let opened = path.with(layer).and_then(|path| self.inside(path)).and_then(Inside::opened);
        match opened {
            Ok(Opened::Passed(what)) if what.starts_with("other") || what == mpls::UNKNOWN => None,
            Err(why) if why != TOO_DEEP && why != TOO_MANY_TAGS => None,
            opened => Some(opened),
        }
    }

    fn inside(self, path: Path) -> Result<Inside<'p>, Malformed> {
        match self.kind {
            Kind::Ethernet => link::ethernet(self.payload, path),
            Kind::Ip => Ok(Inside::Ip { payload: self.payload, path }),
            Kind::Mpls => mpls::stack(self.payload, path),
        }
    }
}

/// The 24 bits of a network identifier at `at`, behind which one octet is reserved.
fn network(payload: &[u8], at: usize) -> Option<u32> {
    u32_at(payload, at).map(|word| word >> 8)
}

/// The network is valid; all other bits must be ignored (RFC 7348, 5).
fn vxlan(payload: &[u8]) -> Option<Found<'_>> {
    payload.first().filter(|flags| **flags & NETWORK_IS_VALID != 0)?;
    let tunnel = Tunnel::Vxlan(network(payload, 4)?);
    Some(Found { tunnel, payload: payload.get(8..)?, kind: Kind::Ethernet })
}

/// Network and next protocol are valid, the version is 0, and it is no message of the tunnel's own.
fn vxlan_gpe(payload: &[u8]) -> Option<Found<'_>> {
    const NEXT_IS_VALID: u8 = 0x04;
    const VERSION: u8 = 0x30;
    const OWN_MESSAGE: u8 = 0x01;
    const TOLD: u8 = VERSION | NETWORK_IS_VALID | NEXT_IS_VALID | OWN_MESSAGE;
    let [flags, _, _, next, ..] = payload else { return None };
    if flags & TOLD != NETWORK_IS_VALID | NEXT_IS_VALID {
        return None;
    }
    let kind = match next {
        1 | 2 => Kind::Ip,
        3 => Kind::Ethernet,
        5 => Kind::Mpls,
        _ => return None,
    };
    Some(Found { tunnel: Tunnel::Vxlan(network(payload, 4)?), payload: payload.get(8..)?, kind })
}

/// Version 0 and the length of the options, in words; what is inside; the network.
fn geneve(payload: &[u8]) -> Option<Found<'_>> {
    const TRANSPARENT_BRIDGING: u16 = 0x6558;
    let words = *payload.first().filter(|first| **first < 0x40)?;
    let kind = match u16_at(payload, 2)? {
        TRANSPARENT_BRIDGING => Kind::Ethernet,
        link::ETHER_IPV4 | link::ETHER_IPV6 => Kind::Ip,
        label if link::ETHER_MPLS.contains(&label) => Kind::Mpls,
        _ => return None,
    };
    let tunnel = Tunnel::Geneve(network(payload, 4)?);
    Some(Found { tunnel, payload: payload.get(8 + 4 * usize::from(words)..)?, kind })
}

/// Version 1 of the protocol (not of charging), a packet of a user; four more octets if any flag says so, and extension
/// headers behind them.
fn gtp(payload: &[u8]) -> Option<Found<'_>> {
    const USER_PACKET: u8 = 255;
    const HEADER: usize = 8;
    const EXTENDED: u8 = 0x07;
    const HAS_EXTENSIONS: u8 = 0x04;
    let [flags @ (0x30..=0x37), USER_PACKET, ..] = payload else { return None };
    let end = HEADER + usize::from(u16_at(payload, 2)?);
    let endpoint = u32_at(payload, 4)?;
    let payload = payload.get(..end).unwrap_or(payload);
    let mut at = HEADER;
    if flags & EXTENDED != 0 {
        at += 4;
        let mut next = *payload.get(at - 1)?;
        while flags & HAS_EXTENSIONS != 0 && next != 0 {
            // Each is so many words long, and ends with the type of the next.
            let words = usize::from(*payload.get(at)?);
            if words == 0 {
                return None;
            }
            at += 4 * words;
            next = *payload.get(at - 1)?;
        }
    }
    Some(Found { tunnel: Tunnel::Gtp(endpoint), payload: payload.get(at..)?, kind: Kind::Ip })
}

/// IPv6, behind an authentication and an origin indication if they are there (RFC 4380, 5.1.1).
fn teredo(payload: &[u8]) -> Option<Found<'_>> {
    const ORIGIN: usize = 8;
    let mut rest = payload;
    if let [0, 1, client, authentication, ..] = rest {
        rest = rest.get(4 + usize::from(*client) + usize::from(*authentication) + 9..)?;
    }
    if let [0, 0, ..] = rest {
        rest = rest.get(ORIGIN..)?;
    }
    let first = rest.first()?;
    (first >> 4 == 6).then_some(Found { tunnel: Tunnel::Teredo, payload: rest, kind: Kind::Ip })
}
