//! Packets inside packets: from a payload back to a link header or an IP header.
//!
//! Whatever is taken off goes into the [`Path`], which has room for so many layers only: nothing nests without end.

pub mod gre;
pub mod mpls;
pub mod ppp;
pub mod udp;

use super::link::Inside;
use super::{Encapsulation, Frame, Path, Tunnel, ip};
use crate::counters::{Layer, Malformed};

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Link, why)
}

/// What a whole IP packet carries, if its protocol is one of a tunnel. UDP is a matter of [`udp`].
pub fn inside<'p>(frame: &Frame<'p>) -> Option<Result<Inside<'p>, Malformed>> {
    let payload = frame.payload;
    match frame.protocol {
        ip::IPV4 | ip::IPV6 => Some(through(frame, Tunnel::Ip).map(|path| Inside::Ip { payload, path })),
        ip::MPLS => Some(through(frame, Tunnel::Ip).and_then(|path| mpls::stack(payload, path))),
        ip::GRE => Some(gre::open(frame)),
        _ => None,
    }
}

/// The path of what this packet carries.
fn through(frame: &Frame<'_>, tunnel: Tunnel) -> Result<Path, Malformed> {
    frame.path.clone().with(Encapsulation::Tunnel { tunnel, src: frame.src, dst: frame.dst })
}
