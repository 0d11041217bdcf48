//! SIP over SCTP (RFC 4168): each user message is one SIP message.

use super::{Decoder, Origin};
use crate::counters::{Layer, Malformed};
use crate::event::Decoded;
use crate::net::sctp::{Assembled, Chunk, Data, chunks};
use crate::net::{Frame, Segment};
use crate::sip::parse::{looks_like_sip, parse_datagram};

const MISSING: Malformed = Malformed::new(Layer::Transport, "pieces of an SCTP message missing");
const NO_ROOM: Malformed = Malformed::new(Layer::Transport, "no room for pieces of an SCTP message");
const AGAIN: &str = "sctp sent again";

impl Decoder {
    pub(super) fn sctp(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let chunks = match chunks(frame) {
            Ok(chunks) => chunks,
            Err(why) => return self.undecodable(why, origin),
        };
        let mut is_control = true;
        for chunk in chunks {
            match chunk {
                Ok(Chunk::Control) => continue,
                Ok(Chunk::Message(data)) => self.message(&data, origin, out),
                Ok(Chunk::Fragment(piece)) => self.piece(&piece, origin, out),
                Err(why) => return self.undecodable(why, origin),
            }
            is_control = false;
        }
        if is_control {
            self.counters.pass("sctp control");
        }
    }

    /// What SCTP sends again is no message of its own.
    fn message(&mut self, data: &Data<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        if looks_like_sip(data.segment.payload) && self.recent_sctp.is_again(data) {
            return self.counters.pass(AGAIN);
        }
        self.user_message(&data.segment, origin, out);
    }

    fn user_message(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let sip = looks_like_sip(segment.payload).then(|| parse_datagram(segment.payload, segment.complete));
        match sip.flatten() {
            Some(message) => self.sip(message, segment, None, origin, out),
            None => self.counters.pass("other sctp data"),
        }
    }

    /// Only what starts like SIP is put together.
    fn piece(&mut self, piece: &Data<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        if piece.first && !looks_like_sip(piece.segment.payload) {
            return self.counters.pass("other sctp data");
        }
        if piece.first && self.recent_sctp.is_again(piece) {
            return self.counters.pass(AGAIN);
        }
        match self.sctp.push(piece, origin.meta.id) {
            Assembled::Pending => {}
            Assembled::Stray => self.counters.pass("other sctp data"),
            Assembled::Missing => self.undecodable(MISSING, origin),
            Assembled::NoRoom => {
                self.counters.sctp_evicted += 1;
                self.undecodable(NO_ROOM, origin);
            }
            Assembled::Whole { bytes, packets, complete } => {
                let origin = Origin { packets: Some(&packets), ..*origin };
                let segment = Segment { payload: &bytes, wire_len: bytes.len(), complete, ..piece.segment };
                self.user_message(&segment, &origin, out);
            }
        }
    }

    /// The end of a capture: counts messages of which pieces are missing.
    pub(super) fn finish_sctp(&mut self) {
        let count = self.sctp.finish() as u64;
        if count > 0 {
            *self.counters.malformed.entry(MISSING).or_default() += count;
        }
    }
}
