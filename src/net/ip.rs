//! IPv4 and IPv6 with all that may stand between the addresses and the payload.
//!
//! Fixed headers are read by etherparse. Extension headers are walked here, since the walk must stop at a fragment and
//! be taken up again behind it once the datagram is whole.

use std::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::octets::{u16_at, u32_at};
use super::{Fragment, Frame, Path};
use crate::counters::{Layer, Malformed};
use crate::limits::IP_EXTENSIONS;

/// ICMP.
pub const ICMP: u8 = 1;
/// IPv4 in IP.
pub const IPV4: u8 = 4;
/// IPv6 in IP.
pub const IPV6: u8 = 41;
/// Generic routing encapsulation.
pub const GRE: u8 = 47;
/// MPLS in IP.
pub const MPLS: u8 = 137;
/// TCP.
pub const TCP: u8 = 6;
/// UDP.
pub const UDP: u8 = 17;
/// ICMPv6.
pub const ICMPV6: u8 = 58;
/// SCTP.
pub const SCTP: u8 = 132;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Ip, why)
}

/// Reads an IP packet of either version. Bytes behind its own length are padding.
pub fn frame(data: &[u8], path: Path) -> Result<Frame<'_>, Malformed> {
    match data.first().map(|first| first >> 4) {
        Some(4) => ipv4(data, path),
        Some(6) => ipv6(data, path),
        Some(_) => Err(malformed("neither IPv4 nor IPv6")),
        None => Err(malformed("cut before the IP header")),
    }
}

fn ipv4(data: &[u8], path: Path) -> Result<Frame<'_>, Malformed> {
    let header = Ipv4HeaderSlice::from_slice(data).map_err(|error| match error {
        etherparse::err::ipv4::HeaderSliceError::Len(_) => malformed("cut inside the IPv4 header"),
        etherparse::err::ipv4::HeaderSliceError::Content(_) => malformed("IPv4 header length smaller than the header"),
    })?;
    let header_len = header.slice().len();
    let total = match usize::from(header.total_len()) {
        // The card splits it up later and fills the field in then.
        0 => data.len(),
        total if total < header_len => return Err(malformed("IPv4 total length smaller than its header")),
        total => total,
    };
    let offset = u32::from(header.fragments_offset().value()) * 8;
    let more = header.more_fragments();
    let id = header.identification();
    let frame = Frame {
        src: IpAddr::V4(header.source_addr()),
        dst: IpAddr::V4(header.destination_addr()),
        protocol: header.protocol().0,
        payload: data.get(header_len..total.min(data.len())).unwrap_or_default(),
        wire_len: total - header_len,
        fragment: (more || offset > 0).then_some(Fragment { id: id.into(), offset, more }),
        ip_id: id,
        ttl: header.ttl(),
        path,
    };
    // The authentication header of a fragmented packet is in its first fragment's payload.
    if frame.fragment.is_some() { Ok(frame) } else { through_extensions(frame) }
}

fn ipv6(data: &[u8], path: Path) -> Result<Frame<'_>, Malformed> {
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|_| malformed("cut inside the IPv6 header"))?;
    let behind = data.get(header.slice().len()..).unwrap_or_default();
    let wire_len = match usize::from(header.payload_length()) {
        // Jumbograms, and packets that the card splits up later.
        0 if header.next_header().0 != NO_NEXT_HEADER => behind.len(),
        length => length,
    };
    through_extensions(Frame {
        src: IpAddr::V6(header.source_addr()),
        dst: IpAddr::V6(header.destination_addr()),
        protocol: header.next_header().0,
        payload: behind.get(..wire_len).unwrap_or(behind),
        wire_len,
        fragment: None,
        ip_id: 0,
        ttl: header.hop_limit(),
        path,
    })
}

const NO_NEXT_HEADER: u8 = 59;

/// Goes through extension headers (RFC 8200, 4) and the authentication header (RFC 4302) to the payload, or to the
/// fragment header of a fragment.
pub(super) fn through_extensions(mut frame: Frame<'_>) -> Result<Frame<'_>, Malformed> {
    const CUT: Malformed = malformed("cut inside an extension header");
    let is_ipv6 = frame.src.is_ipv6();
    for _ in 0..IP_EXTENSIONS {
        let length = match frame.protocol {
            AUTHENTICATION => (usize::from(*frame.payload.get(1).ok_or(CUT)?) + 2) * 4,
            FRAGMENT if is_ipv6 => 8,
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6 if is_ipv6 => {
                (usize::from(*frame.payload.get(1).ok_or(CUT)?) + 1) * 8
            }
            _ => return Ok(frame),
        };
        let is_fragment_header = frame.protocol == FRAGMENT;
        let header = frame.payload.get(..length).ok_or(CUT)?;
        frame.protocol = header.first().copied().unwrap_or_default();
        frame.payload = frame.payload.get(length..).unwrap_or_default();
        frame.wire_len = frame.wire_len.saturating_sub(length);
        if is_fragment_header {
            frame.fragment = fragment_header(header);
            // Behind a fragment header with nothing missing (RFC 6946) the walk goes on.
            if frame.fragment.is_some() {
                return Ok(frame);
            }
        }
    }
    Err(malformed("too many extension headers"))
}

fn fragment_header(header: &[u8]) -> Option<Fragment> {
    let place = u16_at(header, 2)?;
    let (offset, more) = (u32::from(place & 0xfff8), place & 1 == 1);
    (more || offset > 0).then_some(Fragment { id: u32_at(header, 4)?, offset, more })
}

/// The name under which a packet of this protocol is counted when it is not analysed.
pub fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        2 => "igmp",
        IPV4 | IPV6 => "ip in ip",
        GRE => "gre",
        50 => "esp",
        NO_NEXT_HEADER => "ipv6 without payload",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        108 => "ipcomp",
        112 => "vrrp",
        115 => "l2tp",
        136 => "udp-lite",
        MPLS => "mpls",
        _ => "other ip protocol",
    }
}
