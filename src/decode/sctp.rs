//! SIP over SCTP (RFC 4168): each user message is one SIP message.

use super::{Decoder, Origin};
use crate::event::Decoded;
use crate::net::Frame;
use crate::net::sctp::{Chunk, chunks};
use crate::sip::parse::{looks_like_sip, parse_datagram};

impl Decoder {
    pub(super) fn sctp(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let chunks = match chunks(frame) {
            Ok(chunks) => chunks,
            Err(why) => return self.undecodable(why, origin),
        };
        let mut is_control = true;
        for chunk in chunks {
            let segment = match chunk {
                Ok(Chunk::Control) => continue,
                Ok(Chunk::Message(segment)) => Some(segment),
                Ok(Chunk::Fragment(_)) => None,
                Err(why) => return self.undecodable(why, origin),
            };
            is_control = false;
            let Some(segment) = segment else {
                self.counters.pass("sctp fragmented message");
                continue;
            };
            let sip = looks_like_sip(segment.payload).then(|| parse_datagram(segment.payload, segment.complete));
            match sip.flatten() {
                Some(message) => self.sip(message, &segment, None, origin, out),
                None => self.counters.pass("other sctp data"),
            }
        }
        if is_control {
            self.counters.pass("sctp control");
        }
    }
}
