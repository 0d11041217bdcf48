//! One connection: its two directions in order, their layers, and what is told of it.

use std::sync::Arc;

use super::Pair;
use super::layer::Protocol;
use super::side::{Given, Side};
use super::tls::Tls;
use super::view::FlowView;
use crate::counters::{DecodeCounters, Layer, Malformed};
use crate::decode::{Origin, udp};
use crate::event::{Decoded, Event, PacketIds, SipArrival, TcpFact};
use crate::net::Path;
use crate::net::tcp::{Connection, Part, Seen, Standing, Taken, TcpSign};
use crate::net::transport::TcpSegment;
use crate::packet::{FlowKey, PacketId, PacketMeta};
use crate::sip::parse::looks_like_sip;
use crate::time::Timestamp;

/// The port of web pages.
const HTTPS: u16 = 443;

/// A connection.
#[derive(Debug)]
pub(super) struct Flow {
    pub connection: Connection,
    /// When something that waits is given up, as the table of connections knows it.
    pub alarm: Option<Timestamp>,
    pair: Pair,
    sides: [Side; 2],
    /// The side that asked for the connection, or that was seen first.
    client: usize,
    /// Set when nobody closed the connection that was between these ports before.
    replaces: bool,
    counts: Counts,
    /// What stood around its newest packet.
    path: Option<Arc<Path>>,
}

/// What is told of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub first: Timestamp,
    pub last: Timestamp,
    pub packets: u64,
    pub octets: u64,
    pub messages: u64,
    pub again: u64,
    pub missing: u64,
    pub keep_alives: u64,
    pub last_packet: PacketId,
}

/// The packet that made something happen, for events and counters.
struct Cause {
    meta: PacketMeta,
    path: Option<Arc<Path>>,
    flow: [FlowKey; 2],
}

impl Flow {
    /// A connection of which this is the first segment.
    pub fn new(pair: Pair, side: usize, at: Timestamp) -> Self {
        let counts = Counts {
            first: at,
            last: at,
            packets: 0,
            octets: 0,
            messages: 0,
            again: 0,
            missing: 0,
            keep_alives: 0,
            last_packet: PacketId::new(0, 0),
        };
        let sides = [Side::new(true), Side::new(true)];
        let connection = Connection::default();
        Self { connection, alarm: None, pair, sides, client: side, replaces: false, counts, path: None }
    }

    /// Whether this segment begins another connection between the same ports.
    pub fn is_replaced_by(&self, side: usize, segment: &TcpSegment<'_>) -> bool {
        self.connection.is_replaced_by(side, segment)
    }

    /// Makes it the next connection between the same ports.
    pub fn begin_anew(&mut self) {
        let standing = self.connection.standing();
        let counts = self.counts;
        *self = Self::new(self.pair, self.client, counts.last);
        self.counts.last_packet = counts.last_packet;
        self.replaces = !standing.is_over();
    }

    /// Takes a segment of `side`.
    pub fn segment(
        &mut self,
        side: usize,
        segment: &TcpSegment<'_>,
        path: Option<Arc<Path>>,
        origin: &Origin<'_>,
        counters: &mut DecodeCounters,
        out: &mut Decoded,
    ) {
        self.path = path;
        let cause = self.cause(origin.meta);
        self.count(segment, origin.meta);
        if segment.flags.syn && !self.connection.has_beginning(side) {
            self.client = if segment.flags.ack { side ^ 1 } else { side };
            self.sides = self.fresh_sides(side);
        }
        let segment = &self.what_matters_of(side, segment, origin);
        let Self { connection, sides, counts, .. } = self;
        let mut hole = None;
        let seen = connection.push(side, segment, origin.meta.id, origin.meta.at, &mut |side, part| {
            hole = hole.or(take(sides, side, part, counts, &cause, counters, out));
        });
        self.signs(side, &seen, &cause, out);
        self.hole(hole, &cause, out);
        self.tell(side, segment, &seen, counters);
        if seen.signs.contains(&TcpSign::Fin) || self.connection.standing() == Standing::Reset {
            self.end(side, &cause, counters, out);
        }
    }

    /// A SYN tells where a stream begins, unless its octets were there before it.
    fn fresh_sides(&mut self, side: usize) -> [Side; 2] {
        let [zero, one] = std::mem::replace(&mut self.sides, [Side::new(true), Side::new(true)]);
        let fresh = |own: usize, kept: Side| {
            let is_its = own == side && kept.protocol() == Protocol::Unknown;
            if is_its { Side::new(false) } else { kept }
        };
        [fresh(0, zero), fresh(1, one)]
    }

    /// A stream that is not looked into costs nothing but this look at where its segments begin: SIP may start there.
    fn what_matters_of<'p>(&mut self, side: usize, segment: &TcpSegment<'p>, origin: &Origin<'_>) -> TcpSegment<'p> {
        let is_other = self.side(side).protocol() == Protocol::Other;
        if !is_other || segment.wire_len == 0 {
            return *segment;
        }
        if looks_like_sip(segment.payload) {
            let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
            self.connection.restart_at(side, sequence);
            *self.side_mut(side) = Side::new(false);
            self.counts.last_packet = origin.meta.id;
            return *segment;
        }
        TcpSegment { payload: &[], wire_len: 0, ..*segment }
    }

    fn count(&mut self, segment: &TcpSegment<'_>, meta: PacketMeta) {
        let counts = &mut self.counts;
        counts.last = counts.last.max(meta.at);
        counts.last_packet = meta.id;
        counts.packets += 1;
        counts.octets += segment.wire_len as u64;
    }

    /// Says what the segment did to the connection. Small talk only where SIP is spoken.
    fn signs(&mut self, side: usize, seen: &Seen, cause: &Cause, out: &mut Decoded) {
        for sign in &seen.signs {
            let small_talk = matches!(sign, TcpSign::KeepAlive | TcpSign::ZeroWindow | TcpSign::WindowOpen);
            self.counts.keep_alives += u64::from(*sign == TcpSign::KeepAlive);
            let kind = match sign {
                TcpSign::Syn if self.replaces => TcpSign::SynAnew,
                other => *other,
            };
            if !small_talk || self.carries_sip() {
                out.events.push(cause.fact(side, kind));
            }
        }
    }

    /// Says, where SIP is spoken, that octets of this side were not captured.
    fn hole(&mut self, side: Option<usize>, cause: &Cause, out: &mut Decoded) {
        if let Some(side) = side
            && self.carries_sip()
        {
            out.events.push(cause.fact(side, TcpSign::Hole));
        }
    }

    /// Counts a segment by what it was.
    fn tell(&mut self, side: usize, segment: &TcpSegment<'_>, seen: &Seen, counters: &mut DecodeCounters) {
        let streams = &mut counters.streams;
        streams.segments += u64::from(seen.taken != Taken::Nothing);
        streams.early += u64::from(seen.taken == Taken::Early);
        let what = match seen.taken {
            _ if seen.signs.contains(&TcpSign::KeepAlive) => "tcp keep-alive",
            Taken::Again => {
                streams.again += 1;
                self.counts.again += 1;
                "tcp sent again"
            }
            Taken::Nothing if self.side(side).protocol() == Protocol::Other && segment.flags.ack => "other tcp",
            Taken::Nothing => "tcp without data",
            Taken::InOrder | Taken::Early => match self.side(side).protocol() {
                Protocol::Other => "other tcp",
                Protocol::Tls => "tls",
                Protocol::Unknown | Protocol::Sip | Protocol::WebSocket => return,
            },
        };
        counters.pass(what);
    }

    /// A direction has ended, or all of the connection has.
    fn end(&mut self, side: usize, cause: &Cause, counters: &mut DecodeCounters, out: &mut Decoded) {
        let is_reset = self.connection.standing() == Standing::Reset;
        if is_reset {
            self.give_all(cause, counters, out);
        } else if self.connection.deadline().is_none() {
            let Self { sides, counts, .. } = self;
            if let Some(ended) = sides.get_mut(side) {
                ended.finish(&mut |given| give(given, side, counts, cause, counters, out));
            }
        }
    }

    /// Gives up holes that will not be filled any more.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let cause = self.late_cause(now);
        let Self { connection, sides, counts, .. } = self;
        let mut hole = None;
        connection.expire(now, &mut |side, part| {
            hole = hole.or(take(sides, side, part, counts, &cause, counters, out));
        });
        self.hole(hole, &cause, out);
    }

    /// Gives all that waits: nothing more will come.
    pub fn finish(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let cause = self.late_cause(now);
        self.give_all(&cause, counters, out);
    }

    fn give_all(&mut self, cause: &Cause, counters: &mut DecodeCounters, out: &mut Decoded) {
        let Self { connection, sides, counts, .. } = self;
        let mut hole = None;
        connection.finish(&mut |side, part| {
            hole = hole.or(take(sides, side, part, counts, cause, counters, out));
        });
        for (side, direction) in sides.iter_mut().enumerate() {
            direction.finish(&mut |given| give(given, side, counts, cause, counters, out));
        }
        self.hole(hole, cause, out);
    }

    /// Bytes of memory that wait for holes and for the rest of messages.
    pub fn memory(&self) -> usize {
        self.connection.memory() + self.sides.iter().map(Side::memory).sum::<usize>()
    }

    /// What the Capture tab shows of it, if it carries SIP or may do so unseen.
    pub fn view(&self) -> Option<FlowView> {
        let protocol = self.protocol();
        protocol.may_be_sip().then(|| {
            let mut note = String::new();
            self.sides.iter().filter_map(Side::tls).for_each(|tls| tls.describe(&mut note));
            FlowView::new(self.pair.direction(self.client), protocol, self.connection.standing(), &self.counts, note)
        })
    }

    /// Whether it is listed in the Capture tab; then, whether SIP in it can only be guessed. Web pages are no guess.
    pub fn is_listed(&self) -> Option<bool> {
        match self.protocol() {
            Protocol::Sip | Protocol::WebSocket => Some(false),
            Protocol::Tls => {
                let says_sip = self.sides.iter().filter_map(Side::tls).any(Tls::offers_sip);
                let is_web = self.pair.0.iter().any(|end| end.port == HTTPS);
                (says_sip || !is_web).then_some(true)
            }
            Protocol::Unknown | Protocol::Other => None,
        }
    }

    /// What both directions together are.
    pub fn protocol(&self) -> Protocol {
        let [zero, one] = self.sides.each_ref().map(Side::protocol);
        match (zero, one) {
            (Protocol::Unknown | Protocol::Other, other) => other,
            (known, _) => known,
        }
    }

    fn carries_sip(&self) -> bool {
        self.protocol().may_be_sip()
    }

    fn side(&self, side: usize) -> &Side {
        let [zero, one] = &self.sides;
        if side == 0 { zero } else { one }
    }

    fn side_mut(&mut self, side: usize) -> &mut Side {
        let [zero, one] = &mut self.sides;
        if side == 0 { zero } else { one }
    }

    fn cause(&self, meta: PacketMeta) -> Cause {
        Cause { meta, path: self.path.clone(), flow: [self.pair.direction(0), self.pair.direction(1)] }
    }

    /// For what happens without a packet of its own: the connection's last one stands for it.
    fn late_cause(&self, now: Timestamp) -> Cause {
        let meta = PacketMeta {
            id: self.counts.last_packet,
            at: self.counts.last.max(now),
            interface: 0,
            link: crate::packet::LinkType::RAW,
            original_len: 0,
        };
        self.cause(meta)
    }
}

impl Cause {
    fn direction(&self, side: usize) -> FlowKey {
        let [zero, one] = self.flow;
        if side == 0 { zero } else { one }
    }

    fn fact(&self, side: usize, kind: TcpSign) -> Event {
        Event::TcpFlow(TcpFact { at: self.meta.at, packet: self.meta.id, flow: self.direction(side), kind })
    }
}

/// Hands a part of a stream up its layers. Gives the side when it was a hole.
fn take(
    sides: &mut [Side; 2],
    side: usize,
    part: Part<'_>,
    counts: &mut Counts,
    cause: &Cause,
    counters: &mut DecodeCounters,
    out: &mut Decoded,
) -> Option<usize> {
    let direction = sides.get_mut(side)?;
    match part {
        Part::Octets { bytes, packet } => {
            let mut upgraded = None;
            direction.octets(bytes, packet, &mut |given| match given {
                Given::Upgraded(deflate) => upgraded = Some(deflate),
                given => give(given, side, counts, cause, counters, out),
            });
            if let (Some(deflate), Some(other)) = (upgraded, sides.get_mut(side ^ 1)) {
                other.agree(deflate);
            }
            None
        }
        Part::Missing(octets) => {
            counts.missing += octets;
            counters.streams.holes += 1;
            counters.streams.missing += octets;
            direction.missing(octets, &mut |given| give(given, side, counts, cause, counters, out));
            Some(side)
        }
    }
}

/// Makes an event or a count of what a direction gave.
fn give(
    given: Given,
    side: usize,
    counts: &mut Counts,
    cause: &Cause,
    counters: &mut DecodeCounters,
    out: &mut Decoded,
) {
    match given {
        Given::Message { message, transport, packets } => {
            counts.messages += 1;
            if let Some(why) = udp::damage(&message) {
                counters.malformed(cause.meta, Malformed::new(Layer::Sip, why), message.bytes());
            }
            out.events.push(Event::Sip(Box::new(SipArrival {
                at: cause.meta.at,
                packets: or_this(packets, cause.meta.id),
                flow: cause.direction(side),
                transport,
                relayed_by: None,
                path: cause.path.clone(),
                message,
            })));
        }
        Given::Upgraded(_) => {}
        Given::KeepAlive => counters.streams.keep_alives += 1,
        Given::Skipped { octets, why } => *counters.streams.skipped.entry(why).or_default() += octets,
    }
}

fn or_this(packets: PacketIds, packet: PacketId) -> PacketIds {
    if packets.is_empty() { PacketIds::from_slice(&[packet]) } else { packets }
}
