//! Generic routing encapsulation (RFC 2784, RFC 2890), mirrored ports in it (ERSPAN, draft-foschiano-erspan), and PPTP
//! (RFC 2637).

use super::{malformed, mpls, ppp, through};
use crate::counters::Malformed;
use crate::net::link::{self, Inside};
use crate::net::octets::{u16_at, u32_at};
use crate::net::{Frame, Path, Tunnel};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Of version 1 only.
const ACKNOWLEDGMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

const TRANSPARENT_BRIDGING: u16 = 0x6558;
const PPP: u16 = 0x880b;
const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;

const CUT: Malformed = malformed("cut inside the GRE header");
const CUT_ERSPAN: Malformed = malformed("cut inside the ERSPAN header");

/// What a packet of protocol 47 carries.
pub fn open<'p>(frame: &Frame<'p>) -> Result<Inside<'p>, Malformed> {
    let (flags, kind) = u16_at(frame.payload, 0).zip(u16_at(frame.payload, 2)).ok_or(CUT)?;
    match flags & VERSION {
        0 if flags & ROUTING == 0 => version_0(frame, flags, kind),
        1 if kind == PPP && flags & KEY != 0 => pptp(frame, flags),
        _ => Ok(Inside::Other("gre")),
    }
}

fn version_0<'p>(frame: &Frame<'p>, flags: u16, kind: u16) -> Result<Inside<'p>, Malformed> {
    let mut at = if flags & CHECKSUM == 0 { 4 } else { 8 };
    let mut key = None;
    if flags & KEY != 0 {
        key = Some(u32_at(frame.payload, at).ok_or(CUT)?);
        at += 4;
    }
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    let payload = frame.payload.get(at..).ok_or(CUT)?;
    let path = || through(frame, Tunnel::Gre(key));
    match kind {
        TRANSPARENT_BRIDGING => link::ethernet(payload, path()?),
        // Type I has no header, and no sequence number either.
        ERSPAN if flags & SEQUENCE == 0 => link::ethernet(payload, through(frame, Tunnel::Erspan(None))?),
        ERSPAN => erspan_2(frame, payload),
        ERSPAN_III => erspan_3(frame, payload),
        PPP => ppp::framed(payload, path()?),
        link::ETHER_IPV4 | link::ETHER_IPV6 => Ok(Inside::Ip { payload, path: path()? }),
        label if link::ETHER_MPLS.contains(&label) => mpls::stack(payload, path()?),
        _ => Ok(Inside::Other("gre")),
    }
}

/// Version, VLAN, class, encapsulation, truncation, session; index.
fn erspan_2<'p>(frame: &Frame<'p>, payload: &'p [u8]) -> Result<Inside<'p>, Malformed> {
    const HEADER: usize = 8;
    let mirrored = payload.get(HEADER..).ok_or(CUT_ERSPAN)?;
    link::ethernet(mirrored, session(frame, payload)?)
}

/// The same in its first word; time stamp; group and what the frame is; perhaps a subheader of the platform.
fn erspan_3<'p>(frame: &Frame<'p>, payload: &'p [u8]) -> Result<Inside<'p>, Malformed> {
    const HEADER: usize = 12;
    const SUBHEADER: usize = 8;
    const ETHERNET: u16 = 0;
    const IP: u16 = 2;
    let last = u16_at(payload, 10).ok_or(CUT_ERSPAN)?;
    let at = if last & 1 == 1 { HEADER + SUBHEADER } else { HEADER };
    let mirrored = payload.get(at..).ok_or(CUT_ERSPAN)?;
    let path = session(frame, payload)?;
    match last >> 10 & 0x1f {
        ETHERNET => link::ethernet(mirrored, path),
        IP => Ok(Inside::Ip { payload: mirrored, path }),
        _ => Ok(Inside::Other("erspan")),
    }
}

fn session(frame: &Frame<'_>, payload: &[u8]) -> Result<Path, Malformed> {
    let session = u16_at(payload, 2).ok_or(CUT_ERSPAN)? & 0x03ff;
    through(frame, Tunnel::Erspan(Some(session)))
}

/// The key is the payload's length and the receiver's call.
fn pptp<'p>(frame: &Frame<'p>, flags: u16) -> Result<Inside<'p>, Malformed> {
    let (length, call) = u16_at(frame.payload, 4).zip(u16_at(frame.payload, 6)).ok_or(CUT)?;
    let words = [SEQUENCE, ACKNOWLEDGMENT].into_iter().filter(|flag| flags & flag != 0).count();
    if length == 0 {
        return Ok(Inside::Other("pptp acknowledgment"));
    }
    let payload = frame.payload.get(8 + 4 * words..).ok_or(CUT)?;
    let payload = payload.get(..usize::from(length)).unwrap_or(payload);
    ppp::framed(payload, through(frame, Tunnel::Pptp(call))?)
}
