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
use crate::limits::STREAM_REST_MS;
use crate::net::Path;
use crate::net::tcp::{Connection, Part, Seen, Taken, TcpSign};
use crate::net::transport::TcpSegment;
use crate::net::websocket::may_upgrade;
use crate::packet::{FlowKey, PacketId, PacketMeta, Transport};
use crate::sip::SipMessage;
use crate::sip::parse::looks_like_sip;
use crate::time::{Elapsed, Timestamp};

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
    /// What stood around the newest packet of each side, and whether there was one.
    paths: [Option<Arc<Path>>; 2],
    has_come: [bool; 2],
    /// When a message of each side of which nothing says where it ends is taken as whole.
    rest_at: [Option<Timestamp>; 2],
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
    paths: [Option<Arc<Path>>; 2],
    flow: [FlowKey; 2],
}

/// Where what comes out of a connection goes.
struct Sink<'s> {
    cause: Cause,
    counters: &'s mut DecodeCounters,
    out: &'s mut Decoded,
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
        Self {
            connection,
            alarm: None,
            pair,
            sides,
            client: side,
            replaces: false,
            counts,
            paths: [None, None],
            has_come: [false; 2],
            rest_at: [None, None],
        }
    }

    /// Whether this segment begins another connection between the same ports.
    pub fn is_replaced_by(&self, side: usize, segment: &TcpSegment<'_>) -> bool {
        self.connection.is_replaced_by(side, segment)
    }

    /// Whether packets of this side come this way; of a side that is not known yet, whether those of the other one do.
    pub fn comes_by(&self, side: usize, path: Option<&Arc<Path>>) -> bool {
        let [own, other] = [side, side ^ 1].map(|side| {
            let has_come = self.has_come.get(side) == Some(&true);
            has_come.then(|| self.paths.get(side).is_some_and(|known| known.as_ref() == path))
        });
        own.or(other).unwrap_or(false)
    }

    /// Whether this segment came another way and does not fit: the same addresses are used in another network.
    pub fn is_of_another_network(&self, side: usize, segment: &TcpSegment<'_>, path: Option<&Arc<Path>>) -> bool {
        let comes_by_another = self.has_come.get(side) == Some(&true) && !self.comes_by(side, path);
        comes_by_another && !self.connection.standing().is_over() && self.connection.is_strange(side, segment)
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
        if let (Some(own), Some(has_come)) = (self.paths.get_mut(side), self.has_come.get_mut(side)) {
            (*own, *has_come) = (path, true);
        }
        let mut sink = Sink { cause: self.cause(origin.meta), counters, out };
        self.count(segment, origin.meta);
        if segment.flags.syn && !self.connection.has_beginning(side) {
            self.client = if segment.flags.ack { side ^ 1 } else { side };
            self.sides = self.fresh_sides(side);
        }
        let segment = &self.what_matters_of(side, segment, origin);
        let mut hole = None;
        let Self { connection, sides, counts, .. } = self;
        let seen = connection.push(side, segment, origin.meta.id, origin.meta.at, &mut |side, part| {
            hole = hole.or(sink.take(sides, side, part, counts));
        });
        self.signs(side, &seen, &mut sink);
        self.hole(hole, &mut sink);
        self.await_rest((segment.wire_len > 0).then_some(side), origin.meta.at);
        self.tell(side, segment, &seen, sink.counters);
        if seen.signs.iter().any(|sign| sign.is_reset()) {
            self.give_all(&mut sink);
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

    /// A stream that is not looked into costs nothing but this look at where its segments begin: SIP may start there, or after
    /// a refusal, say, the upgrade to WebSocket.
    fn what_matters_of<'p>(&mut self, side: usize, segment: &TcpSegment<'p>, origin: &Origin<'_>) -> TcpSegment<'p> {
        let is_other = self.side(side).protocol() == Protocol::Other;
        if !is_other || segment.wire_len == 0 {
            return *segment;
        }
        if looks_like_sip(segment.payload) || may_upgrade(segment.payload) {
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
    fn signs(&mut self, side: usize, seen: &Seen, sink: &mut Sink<'_>) {
        for sign in &seen.signs {
            let small_talk = matches!(sign, TcpSign::KeepAlive | TcpSign::ZeroWindow | TcpSign::WindowOpen);
            self.counts.keep_alives += u64::from(*sign == TcpSign::KeepAlive);
            let kind = match sign {
                TcpSign::Syn if self.replaces => TcpSign::SynAnew,
                other => *other,
            };
            if !small_talk || self.carries_sip() {
                sink.fact(side, kind);
            }
        }
    }

    /// Says, where SIP is spoken, that octets of this side were not captured.
    fn hole(&mut self, side: Option<usize>, sink: &mut Sink<'_>) {
        if let Some(side) = side
            && self.carries_sip()
        {
            sink.fact(side, TcpSign::Hole);
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
            Taken::Elsewhere => "tcp with numbers of no known connection",
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

    /// Gives up, at packet time `now`, holes that will not be filled any more.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let mut sink = Sink { cause: self.late_cause(now), counters, out };
        let Self { connection, sides, counts, .. } = self;
        let mut hole = None;
        connection.expire(now, &mut |side, part| {
            hole = hole.or(sink.take(sides, side, part, counts));
        });
        self.hole(hole, &mut sink);
        self.await_rest(hole, now);
        let Self { sides, counts, rest_at, .. } = self;
        for (side, (direction, rest_at)) in sides.iter_mut().zip(rest_at).enumerate() {
            if rest_at.take_if(|at| *at <= now).is_some() {
                direction.come_to_rest(&mut |given| sink.give(given, side, counts));
            }
        }
    }

    /// A message without an end may have begun; of this side octets came, so one may have gone on.
    fn await_rest(&mut self, side: Option<usize>, at: Timestamp) {
        for (own, (direction, rest_at)) in self.sides.iter().zip(&mut self.rest_at).enumerate() {
            let until = at.after(Elapsed::from_millis(STREAM_REST_MS));
            match direction.is_open_ended() {
                true if side == Some(own) => *rest_at = Some(until),
                true => *rest_at = rest_at.or(Some(until)),
                false => *rest_at = None,
            }
        }
    }

    /// When something that waits is to be given up.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.rest_at.into_iter().chain([self.connection.deadline()]).flatten().min()
    }

    /// Gives all that waits: nothing more will come.
    pub fn finish(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let mut sink = Sink { cause: self.late_cause(now), counters, out };
        self.give_all(&mut sink);
    }

    fn give_all(&mut self, sink: &mut Sink<'_>) {
        let Self { connection, sides, counts, .. } = self;
        let mut hole = None;
        connection.finish(&mut |side, part| {
            hole = hole.or(sink.take(sides, side, part, counts));
        });
        for (side, direction) in sides.iter_mut().enumerate() {
            direction.finish(&mut |given| sink.give(given, side, counts));
        }
        self.hole(hole, sink);
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
        Cause { meta, paths: self.paths.clone(), flow: [self.pair.direction(0), self.pair.direction(1)] }
    }

    /// For what happens without a packet of its own: the connection's last one stands for it.
    fn late_cause(&self, now: Timestamp) -> Cause {
        let meta = PacketMeta {
            id: self.counts.last_packet,
            at: now,
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
}

impl Sink<'_> {
    fn fact(&mut self, side: usize, kind: TcpSign) {
        let PacketMeta { at, id, .. } = self.cause.meta;
        self.out.events.push(Event::TcpFlow(TcpFact { at, packet: id, flow: self.cause.direction(side), kind }));
    }

    /// Hands a part of a stream up its layers. Gives the side when it was a hole.
    fn take(&mut self, sides: &mut [Side; 2], side: usize, part: Part<'_>, counts: &mut Counts) -> Option<usize> {
        let direction = sides.get_mut(side)?;
        match part {
            // Nobody followed its octets.
            Part::Missing(_) if direction.protocol() == Protocol::Other => None,
            Part::Octets { bytes, packet, at } => {
                let mut upgraded = None;
                direction.octets(bytes, packet, at, &mut |given| match given {
                    Given::Upgraded(deflate) => upgraded = Some(deflate),
                    given => self.give(given, side, counts),
                });
                if let (Some(deflate), Some(other)) = (upgraded, sides.get_mut(side ^ 1)) {
                    other.agree(deflate);
                }
                None
            }
            Part::Missing(octets) => {
                counts.missing += octets;
                self.counters.streams.holes += 1;
                self.counters.streams.missing += octets;
                // Nobody will know whether this was SIP, unless more of it comes.
                if direction.holds_start() {
                    self.fact(side, TcpSign::Hole);
                }
                direction.missing(octets, &mut |given| self.give(given, side, counts));
                Some(side)
            }
            Part::Anew => {
                direction.finish(&mut |given| self.give(given, side, counts));
                *direction = Side::new(true);
                None
            }
            Part::End => {
                direction.finish(&mut |given| self.give(given, side, counts));
                None
            }
        }
    }

    /// Makes an event or a count of what a direction gave.
    fn give(&mut self, given: Given, side: usize, counts: &mut Counts) {
        match given {
            Given::Message { message, transport, packets, at } => {
                counts.messages += 1;
                self.message(side, message, transport, packets, at.unwrap_or(self.cause.meta.at));
            }
            Given::Upgraded(_) => {}
            Given::KeepAlive => self.counters.streams.keep_alives += 1,
            Given::Skipped { octets, why } => *self.counters.streams.skipped.entry(why).or_default() += octets,
        }
    }

    /// A message stands at the time when its octets came, however long it was waited for those before it, or for its rest.
    fn message(&mut self, side: usize, message: SipMessage, transport: Transport, packets: PacketIds, at: Timestamp) {
        let id = packets.last().copied().unwrap_or(self.cause.meta.id);
        if let Some(why) = udp::damage(&message) {
            let meta = PacketMeta { id, at, ..self.cause.meta };
            self.counters.malformed(meta, Malformed::new(Layer::Sip, why), message.bytes());
        }
        self.out.events.push(Event::Sip(Box::new(SipArrival {
            at,
            packets: if packets.is_empty() { PacketIds::from_slice(&[id]) } else { packets },
            flow: self.cause.direction(side),
            transport,
            relayed_by: None,
            path: self.cause.paths.get(side).cloned().flatten(),
            message,
        })));
    }
}
