//! What a packet carries, for whoever keeps or saves packets: as the decoder sees it, but without its memory.

use crate::net::transport::{Carried, carried};
use crate::net::{Opened, Segment, hand, open};
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

/// Looks into a packet.
pub(super) fn inside<'p>(packet: &Packet<'p>) -> Inside<'p> {
    if let Some(segment) = hand::datagram(packet.meta.link, packet.data) {
        return Inside::Datagram(segment);
    }
    let Ok(Opened::Ip(frame)) = open(packet.meta.link, packet.data) else { return Inside::Other };
    if frame.fragment.is_some() {
        return Inside::Piece;
    }
    match carried(&frame) {
        Ok(Carried::Udp(segment)) => Inside::Datagram(segment),
        Ok(Carried::Tcp(segment)) => Inside::Stream(segment.flow),
        Ok(Carried::Icmp | Carried::Passed(_)) | Err(_) => Inside::Piece,
    }
}
