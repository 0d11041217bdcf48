//! ICMP errors. SIP or RTP that they quote is evidence about the quoted flow, never a message of its own.

use std::sync::Arc;

use super::{Decoder, Origin};
use crate::event::{Decoded, Event, IcmpFact, Quote};
use crate::limits::{ICMP_QUOTE_BYTES, ICMP_QUOTE_CALL_ID_BYTES};
use crate::net::hep::is_version_3;
use crate::net::icmp::{Icmp, read};
use crate::net::{Frame, Segment};
use crate::sip::parse::{looks_like_sip, parse_datagram};

impl Decoder {
    pub(super) fn icmp(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        match read(frame) {
            Ok(Icmp::Error { what, quoted, datagram }) => out.events.push(Event::Icmp(IcmpFact {
                at: origin.meta.at,
                packet: origin.meta.id,
                reporter: frame.src,
                quoted,
                what,
                quote: datagram.and_then(|datagram| quote(&datagram)),
            })),
            Ok(Icmp::Passed(what)) => self.counters.pass(what),
            Err(why) => self.undecodable(why, origin),
        }
    }
}

/// What the quoted datagram says, if it starts with a whole SIP start line. A header line that is cut is not believed.
fn quote(datagram: &Segment<'_>) -> Option<Arc<Quote>> {
    let bytes = datagram.payload.get(..ICMP_QUOTE_BYTES).unwrap_or(datagram.payload);
    // A collector that is down: the message in the quote was not sent to it as SIP.
    if is_version_3(bytes) || !looks_like_sip(bytes) {
        return None;
    }
    let message = parse_datagram(bytes, datagram.complete && bytes.len() == datagram.payload.len())?;
    let start = match (message.method(), message.status()) {
        (Some(method), _) => method.as_str().into(),
        (None, status) => status?.to_string().into(),
    };
    let call_id = message.call_id().filter(|call_id| call_id.len() <= ICMP_QUOTE_CALL_ID_BYTES);
    let call_id = call_id.map(|call_id| call_id.as_ref().into());
    Some(Arc::new(Quote { start, call_id, cseq: message.cseq().and_then(|cseq| cseq.number()) }))
}
