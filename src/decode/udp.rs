//! UDP payload: RTP, RTCP, SIP, a copy of SIP in HEP, or something else that is counted by name.

use super::paths::outermost;
use super::{Decoder, Origin};
use crate::counters::{Layer, Malformed};
use crate::event::{Decoded, Event, RtcpSeen, RtpSample, SipArrival, Trace};
use crate::limits::KEEP_ALIVE_BYTES;
use crate::net::Segment;
use crate::net::hep::is_version_3;
use crate::net::tunnel::udp;
use crate::packet::{Endpoint, PacketMeta};
use crate::rtp::classify::{Media, classify};
use crate::rtp::header::RtpHeader;
use crate::rtp::rtcp::Summary;
use crate::sip::parse::{looks_like_sip, parse_datagram};
use crate::sip::{Notes, SipMessage};

/// Below this, the first octet is text or belongs to the neighbours of RTP.
pub(super) const FIRST_OF_RTP: u8 = 128;

/// Whether it is looked at as RTP, and as nothing else if it is none.
#[inline]
pub(super) fn is_media_first(segment: &Segment<'_>) -> bool {
    let is_media = |first: u8| first >= FIRST_OF_RTP && !udp::is_rather_tunnel(first, segment.flow.dst.port);
    segment.payload.first().is_some_and(|first| is_media(*first))
}

impl Decoder {
    #[inline]
    pub(super) fn datagram(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        if is_media_first(segment) {
            self.media(classify(segment.payload, segment.wire_len), segment, origin, out);
        } else {
            self.text_or_neighbour(segment, origin, out);
        }
    }

    pub(super) fn media(
        &mut self,
        media: Option<Media>,
        segment: &Segment<'_>,
        origin: &Origin<'_>,
        out: &mut Decoded,
    ) {
        let meta = &origin.meta;
        match media {
            Some(Media::Rtp(header)) if self.options.media => {
                out.rtp.push(sample(&header, segment, meta, origin.trace));
            }
            Some(Media::Rtcp) if self.options.media => {
                if let Some(report) = Summary::read(segment.payload, segment.wire_len) {
                    let seen = RtcpSeen { at: meta.at, packet: meta.id, flow: segment.flow, report };
                    out.events.push(Event::Rtcp(Box::new(seen)));
                }
            }
            media => self.counters.pass(media.map_or("other udp", name)),
        }
    }

    pub(super) fn text_or_neighbour(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        // Before SIP: with the SIP inside, its first line may look like a request of the method HEP3.
        if is_version_3(segment.payload) {
            return self.hep_3(segment, origin, out);
        }
        if looks_like_sip(segment.payload)
            && let Some(message) = parse_datagram(segment.payload, segment.complete)
        {
            self.sip(message, segment, None, origin, out);
            return;
        }
        if matches!(segment.payload, [1 | 2, ..]) && self.hep_1_or_2(segment, origin, out) {
            return;
        }
        if self.tunnel(segment, origin, out) || origin.is_beginning {
            return;
        }
        if segment.payload.first().is_some_and(|first| *first >= FIRST_OF_RTP) {
            return self.media(classify(segment.payload, segment.wire_len), segment, origin, out);
        }
        let what = match segment.payload {
            [] if segment.wire_len == 0 => "empty udp",
            payload if is_keep_alive(payload) => "sip keep-alive",
            payload => classify(payload, segment.wire_len).map_or("other udp", name),
        };
        self.counters.pass(what);
    }

    /// Whether the datagram was a tunnel; what is inside is decoded then.
    fn tunnel(&mut self, segment: &Segment<'_>, origin: &Origin<'_>, out: &mut Decoded) -> bool {
        let Some(found) = udp::find(segment) else { return false };
        let path = origin.path.cloned().unwrap_or_else(|| outermost(origin));
        let Some(opened) = found.open(segment, path) else { return false };
        match opened {
            Ok(opened) => self.opened(&opened, origin, out),
            Err(why) => self.undecodable(why, origin),
        }
        true
    }

    /// `relayed_by` is the capture agent that sent a copy of it, if one did.
    pub(super) fn sip(
        &mut self,
        mut message: SipMessage,
        segment: &Segment<'_>,
        relayed_by: Option<Endpoint>,
        origin: &Origin<'_>,
        out: &mut Decoded,
    ) {
        if origin.is_beginning {
            // The missing fragment is counted already. Without its Call-ID nobody knows where the message belongs, and endless
            // first fragments would fill the table.
            if message.call_id().is_none() {
                return;
            }
            message.note(Notes::FRAGMENT_LOST);
        } else {
            // What was given up before this message came stands in front of it, however packets were batched.
            self.expire(origin.meta.at, out);
            if let Some(why) = damage(&message) {
                self.undecodable(Malformed::new(Layer::Sip, why), origin);
            }
        }
        let path = self.path(origin);
        out.events.push(Event::Sip(Box::new(SipArrival {
            at: origin.meta.at,
            packets: origin.packets(),
            flow: segment.flow,
            transport: segment.transport,
            relayed_by,
            path,
            message,
        })));
    }
}

#[inline]
pub(super) fn sample(header: &RtpHeader, segment: &Segment<'_>, meta: &PacketMeta, trace: Trace) -> RtpSample {
    RtpSample {
        at: meta.at,
        packet: meta.id,
        trace,
        flow: segment.flow,
        ssrc: header.ssrc,
        timestamp: header.timestamp,
        sequence: header.sequence,
        payload_type: header.payload_type,
        marker: header.marker,
        payload_len: header.payload_len,
        head: header.payload(segment.payload).first_chunk().copied(),
    }
}

const fn name(media: Media) -> &'static str {
    match media {
        Media::Rtp(_) => "rtp",
        Media::Rtcp => "rtcp",
        Media::Stun => "stun",
        Media::Zrtp => "zrtp",
        Media::Dtls => "dtls",
        Media::TurnChannel => "turn channel",
    }
}

/// Line ends (RFC 5626, 3.5.1), or the NULs that some phones send instead.
fn is_keep_alive(payload: &[u8]) -> bool {
    let all = |is: fn(&u8) -> bool| payload.iter().all(is);
    (1..=KEEP_ALIVE_BYTES).contains(&payload.len()) && (all(|b| matches!(b, b'\r' | b'\n')) || all(|b| *b == 0))
}

/// What makes a message damaged rather than merely odd; the gravest first.
pub(super) fn damage(message: &SipMessage) -> Option<&'static str> {
    const DAMAGE: [Notes; 5] =
        [Notes::CUT, Notes::VERSION, Notes::STATUS_RANGE, Notes::NO_EMPTY_LINE, Notes::MANDATORY_MISSING];
    let notes = message.notes();
    let found = DAMAGE.into_iter().find(|note| {
        // A start line all by itself is how some keep-alives look; what it lacks is counted as missing headers.
        notes.contains(*note) && (*note != Notes::NO_EMPTY_LINE || message.headers().next().is_some())
    })?;
    found.texts().next()
}
