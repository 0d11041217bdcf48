//! ICMP (RFC 792) and ICMPv6 (RFC 4443) errors, and the flow that they quote.

use super::{Frame, Segment, ip, transport};
use crate::counters::{Layer, Malformed};
use crate::packet::FlowKey;

/// Octets before the quoted packet.
const HEADER: usize = 8;

/// What an ICMP message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmp<'p> {
    /// An error about a packet with ports.
    Error {
        /// What it says ("port unreachable").
        what: &'static str,
        /// The flow of the quoted packet, as its sender sent it.
        quoted: FlowKey,
        /// The quoted packet's payload as far as it is quoted, if it is UDP.
        datagram: Option<Segment<'p>>,
    },
    /// No error, or one about a packet without ports: what it is.
    Passed(&'static str),
}

/// Reads an ICMP message of the version that goes with the packet's addresses.
pub fn read<'p>(frame: &Frame<'p>) -> Result<Icmp<'p>, Malformed> {
    const CUT: Malformed = Malformed::new(Layer::Transport, "cut inside the ICMP header");
    let [kind, code, ..] = *frame.payload.first_chunk::<HEADER>().ok_or(CUT)?;
    let v4 = frame.protocol == ip::ICMP;
    let what = if v4 { error_v4(kind, code) } else { error_v6(kind, code) };
    let Some(what) = what else {
        return Ok(Icmp::Passed(if v4 { name_v4(kind) } else { name_v6(kind) }));
    };
    let quote = frame.payload.get(HEADER..).unwrap_or_default();
    let quoted = ip::frame(quote, frame.path.clone())
        .map_err(|_| Malformed::new(Layer::Transport, "ICMP error quotes no IP packet"))?;
    let has_ports = matches!(quoted.protocol, ip::UDP | ip::TCP | ip::SCTP)
        && quoted.fragment.is_none_or(|fragment| fragment.offset == 0);
    match transport::flow(&quoted).filter(|_| has_ports) {
        Some(flow) => {
            let datagram = match transport::carried(&quoted) {
                Ok(transport::Carried::Udp(datagram)) => Some(datagram),
                _ => None,
            };
            Ok(Icmp::Error { what, quoted: flow, datagram })
        }
        None => Ok(Icmp::Passed(if v4 { "icmp error without ports" } else { "icmpv6 error without ports" })),
    }
}

fn error_v4(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (kind, code) {
        (3, 0) => "network unreachable",
        (3, 1) => "host unreachable",
        (3, 2) => "protocol unreachable",
        (3, 3) => "port unreachable",
        (3, 4) => "fragmentation needed",
        (3, 5) => "source route failed",
        (3, 6) => "network unknown",
        (3, 7) => "host unknown",
        (3, 8) => "source host isolated",
        (3, 9) => "network prohibited",
        (3, 10) => "host prohibited",
        (3, 11) => "network unreachable for this service",
        (3, 12) => "host unreachable for this service",
        (3, 13) => "administratively prohibited",
        (3, 14) => "host precedence violation",
        (3, 15) => "precedence cut-off",
        (3, _) => "destination unreachable",
        (4, _) => "source quench",
        (5, _) => "redirect",
        (11, 0) => "time to live exceeded",
        (11, 1) => "reassembly time exceeded",
        (11, _) => "time exceeded",
        (12, _) => "parameter problem",
        _ => return None,
    })
}

fn error_v6(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (kind, code) {
        (1, 0) => "no route to destination",
        (1, 1) => "administratively prohibited",
        (1, 2) => "beyond scope of source address",
        (1, 3) => "address unreachable",
        (1, 4) => "port unreachable",
        (1, 5) => "source address failed policy",
        (1, 6) => "route rejected",
        (1, _) => "destination unreachable",
        (2, _) => "packet too big",
        (3, 0) => "hop limit exceeded",
        (3, 1) => "reassembly time exceeded",
        (3, _) => "time exceeded",
        (4, _) => "parameter problem",
        _ => return None,
    })
}

fn name_v4(kind: u8) -> &'static str {
    match kind {
        0 | 8 => "icmp echo",
        9 | 10 => "icmp router discovery",
        13 | 14 => "icmp timestamp",
        _ => "other icmp",
    }
}

fn name_v6(kind: u8) -> &'static str {
    match kind {
        128 | 129 => "icmpv6 echo",
        130..=132 | 143 => "icmpv6 multicast listener",
        133..=137 => "icmpv6 neighbour discovery",
        _ => "other icmpv6",
    }
}
