//! What a packet carries, for whoever keeps or saves packets: as the decoder sees it, but without its memory.

use crate::net::transport::{Carried, carried};
use crate::net::{Opened, Path, Segment, hand, open, tunnel};
use crate::packet::{FlowKey, Packet};

/// What is in a packet.
pub(super) enum Inside<'p> {
    /// A UDP datagram.
    Datagram(Segment<'p>),
    /// A segment of this TCP flow.
    Stream(FlowKey),
    /// A piece of something, or IP with something else in it.
    Piece,
    /// Neither.
    Other,
}

/// Looks into a packet, through tunnels to what the decoder reads.
pub(super) fn inside<'p>(packet: &Packet<'p>) -> Inside<'p> {
    let mut opened = match hand::datagram(packet.meta.link, packet.data) {
        Some(common) => match behind_udp(&common.segment, Path::default()) {
            Some(opened) => opened,
            None => return Inside::Datagram(common.segment),
        },
        None => match open(packet.meta.link, packet.data) {
            Ok(opened) => opened,
            Err(_) => return Inside::Other,
        },
    };
    // Ends, since a path has room for so many layers only.
    loop {
        let Opened::Ip(frame) = opened else { return Inside::Other };
        if frame.fragment.is_some() {
            return Inside::Piece;
        }
        opened = match tunnel::inside(&frame) {
            Some(Ok(inside)) => match inside.opened() {
                Ok(opened) => opened,
                Err(_) => return Inside::Piece,
            },
            Some(Err(_)) => return Inside::Piece,
            None => match carried(&frame) {
                Ok(Carried::Udp(segment)) => match behind_udp(&segment, frame.path) {
                    Some(opened) => opened,
                    None => return Inside::Datagram(segment),
                },
                Ok(Carried::Tcp(segment)) => return Inside::Stream(segment.flow),
                Ok(Carried::Icmp | Carried::Sctp | Carried::Passed(_)) | Err(_) => return Inside::Piece,
            },
        };
    }
}

/// What is in a tunnel over UDP, if this is one.
fn behind_udp<'p>(segment: &Segment<'p>, path: Path) -> Option<Opened<'p>> {
    tunnel::udp::find(segment)?.open(segment, path)?.ok()
}
