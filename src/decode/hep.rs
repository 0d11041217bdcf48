//! Copies that capture agents send: the message inside is what was seen, the agent only brought it.

use super::{Decoder, Origin};
use crate::event::Decoded;
use crate::net::hep::{self, Hep};
use crate::net::{Segment, ip};
use crate::packet::Transport;
use crate::sip::parse::{looks_like_sip, parse_datagram};

/// What Kamailio and Sofia write as the protocol of SIP over TLS, which has no number of its own.
const TLS: u8 = 22;

impl Decoder {
    /// A datagram of HEP version 3.
    pub(super) fn hep_3(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        match hep::version_3(segment.payload) {
            Ok(hep) if matches!(hep.kind, None | Some(hep::SIP)) && looks_like_sip(&hep.payload) => {
                self.relayed(&hep, segment, origin, out);
            }
            Ok(hep) => self.pass(name(&hep), origin),
            Err(why) => self.undecodable(why, origin),
        }
    }

    /// A datagram that may be HEP version 1 or 2, which only the SIP in it can prove. False when it is not.
    pub(super) fn hep_1_or_2(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) -> bool {
        let hep = hep::version_1_or_2(segment.payload).filter(|hep| looks_like_sip(&hep.payload));
        hep.is_some_and(|hep| self.relayed(&hep, segment, origin, out))
    }

    /// The copied message becomes an event where it was seen. False when it is none.
    fn relayed(&mut self, hep: &Hep<'_>, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) -> bool {
        // The chunks of version 3 say themselves whether the payload was cut.
        let complete = hep.complete && (hep.version == 3 || segment.complete);
        let Some(message) = parse_datagram(&hep.payload, complete) else { return false };
        let transport = match hep.protocol {
            ip::TCP => Transport::Tcp,
            ip::SCTP => Transport::Sctp,
            TLS => Transport::Tls,
            _ => Transport::Udp,
        };
        let wire_len = hep.payload.len();
        let inner = Segment { flow: hep.flow, transport, payload: &hep.payload, wire_len, complete };
        self.sip(message, &inner, Some(segment.flow.src), origin, out);
        true
    }
}

/// The name under which a copy is counted that is no SIP.
fn name(hep: &Hep<'_>) -> &'static str {
    match hep.kind {
        _ if hep.payload.is_empty() => "hep without payload",
        Some(4) => "hep rtp",
        Some(5 | 8) => "hep rtcp",
        Some(34 | 35) => "hep quality report",
        Some(100) => "hep log",
        _ => "other hep",
    }
}
