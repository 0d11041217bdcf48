//! PPP (RFC 1661, 1662), over Ethernet (RFC 2516) and over serial lines, Cisco's framing of them included.

use super::{malformed, mpls};
use crate::counters::Malformed;
use crate::net::link::{self, Inside};
use crate::net::octets::u16_at;
use crate::net::{Encapsulation, Path};

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MPLS: [u16; 2] = [0x0281, 0x0283];

/// Protocols from here on set up the link and carry no packets.
const FIRST_CONTROL: u16 = 0x4000;

/// Octets of a PPPoE header.
const SESSION_HEADER: usize = 6;

/// A PPPoE session packet, from its version on.
pub fn session(data: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    let payload = data.get(SESSION_HEADER..).ok_or(malformed("cut inside the PPPoE header"))?;
    let [version, code] = [data.first(), data.get(1)];
    if version != Some(&0x11) {
        return Err(malformed("PPPoE version is not 1"));
    }
    if code != Some(&0) {
        return Ok(Inside::Other("pppoe discovery"));
    }
    let (session, length) = (u16_at(data, 2).unwrap_or_default(), u16_at(data, 4).unwrap_or_default());
    let path = path.with(Encapsulation::Pppoe(session))?;
    // What is behind its length is padding.
    protocol(payload.get(..usize::from(length)).unwrap_or(payload), path)
}

/// A frame that may start with the all-stations address and the control octet; on a serial line also with Cisco's.
pub fn framed(data: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    match data {
        [0xff, 3, rest @ ..] => protocol(rest, path),
        [0x0f | 0x8f, 0, ..] => cisco(data, path),
        _ => protocol(data, path),
    }
}

/// Cisco's framing: address, control, Ethernet type.
pub fn cisco(data: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    let ether_type = u16_at(data, 2).ok_or(malformed("cut inside the HDLC header"))?;
    link::ether_payload(ether_type, data.get(4..).unwrap_or_default(), path)
}

/// From the protocol field on, which has one octet if it could be compressed: then that is odd.
fn protocol(data: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    const CUT: Malformed = malformed("cut inside the PPP header");
    let first = *data.first().ok_or(CUT)?;
    let (protocol, payload) =
        if first & 1 == 1 { (u16::from(first), data.get(1..)) } else { (u16_at(data, 0).ok_or(CUT)?, data.get(2..)) };
    let payload = payload.unwrap_or_default();
    match protocol {
        IPV4 | IPV6 => Ok(Inside::Ip { payload, path }),
        label if MPLS.contains(&label) => mpls::stack(payload, path),
        FIRST_CONTROL.. => Ok(Inside::Other("ppp control")),
        _ => Ok(Inside::Other("other ppp")),
    }
}
