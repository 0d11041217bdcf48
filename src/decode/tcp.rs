//! TCP segments: the beginnings and ends of connections. Their streams are not put together here.

use super::{Decoder, Origin};
use crate::event::{Decoded, Event, TcpFact, TcpFactKind};
use crate::net::transport::{TcpFlags, TcpSegment};

impl Decoder {
    pub(super) fn tcp(&mut self, segment: &TcpSegment<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        if let Some(kind) = fact(segment.flags) {
            let fact = TcpFact { at: origin.meta.at, packet: origin.meta.id, flow: segment.flow, kind };
            out.events.push(Event::TcpFlow(fact));
        }
        self.counters.pass(if segment.wire_len > 0 { "tcp, not analysed yet" } else { "tcp without data" });
    }
}

const fn fact(flags: TcpFlags) -> Option<TcpFactKind> {
    match flags {
        TcpFlags { rst: true, .. } => Some(TcpFactKind::Rst),
        TcpFlags { syn: true, ack: true, .. } => Some(TcpFactKind::SynAck),
        TcpFlags { syn: true, .. } => Some(TcpFactKind::Syn),
        TcpFlags { fin: true, .. } => Some(TcpFactKind::Fin),
        _ => None,
    }
}
