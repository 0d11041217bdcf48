//! ICMP errors. SIP or RTP that they quote is evidence about the quoted flow, never a message of its own.

use super::{Decoder, Origin};
use crate::event::{Decoded, Event, IcmpFact};
use crate::net::Frame;
use crate::net::icmp::{Icmp, read};

impl Decoder {
    pub(super) fn icmp(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        match read(frame) {
            Ok(Icmp::Error { what, quoted }) => out.events.push(Event::Icmp(IcmpFact {
                at: origin.meta.at,
                packet: origin.meta.id,
                reporter: frame.src,
                quoted,
                what,
            })),
            Ok(Icmp::Passed(what)) => self.counters.pass(what),
            Err(why) => self.undecodable(why, origin),
        }
    }
}
