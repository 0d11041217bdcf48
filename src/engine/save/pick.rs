//! Which packets belong to the calls that are to be saved.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use memchr::memmem::Finder;

use super::SaveRequest;
use super::wanted::Wanted;
use crate::engine::inside::{Inside, inside};
use crate::limits::{SAVE_MEDIA_SLACK_S, SAVE_RTCP_SLACK_S, SAVE_SEARCHED_CALLS, SAVE_TCP_SLACK_S};
use crate::net::Segment;
use crate::packet::{Endpoint, FlowKey, Packet, PacketId, Transport};
use crate::rtp::classify::{Media, classify};
use crate::sdp::Sdp;
use crate::sip::multipart::sdp_body;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, Fact};
use crate::track::stream::Stream;

/// From when to when packets of a flow are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    from: Timestamp,
    to: Timestamp,
}

/// At any time.
const ALWAYS: Window = Window { from: Timestamp::from_nanos(i64::MIN), to: Timestamp::from_nanos(i64::MAX) };

type Windows = HashMap<FlowKey, Vec<Window>>;

/// What is wanted of all packets, and how much of it was found.
#[derive(Debug, Default)]
pub(super) struct Pick {
    /// Every packet is wanted.
    all: bool,
    media: bool,
    /// Packets that carried the calls' messages, and facts on their flows.
    packets: HashSet<PacketId>,
    udp: Windows,
    tcp: Windows,
    /// Where the calls' session descriptions expect media: RTCP on a port of its own, STUN, fax.
    announced: HashMap<Endpoint, Vec<Window>>,
    /// Call-IDs of calls whose messages are not all remembered: they are looked for in every datagram.
    texts: Vec<Finder<'static>>,
    /// RTP packets of the calls' streams, and messages that are not remembered.
    uncertain: u64,
    found: u64,
}

impl Pick {
    /// What a request asks for. `may_miss` says that packets may be gone; then those of everything are counted as well.
    pub fn of(request: &SaveRequest, wanted: &Wanted, may_miss: bool) -> Self {
        let mut pick = Self { all: request.calls.is_none(), media: request.media, ..Self::default() };
        let Wanted { calls, streams, .. } = wanted;
        if !pick.all || may_miss {
            calls.iter().for_each(|call| pick.call(call));
        }
        // Of everything, what is media must be known where it is not wanted.
        let is_left_out = pick.all && !pick.media;
        if (pick.media && !pick.all) || is_left_out {
            calls.iter().for_each(|call| pick.announcements(call));
        }
        if pick.media && (!pick.all || may_miss) {
            for stream in streams {
                pick.uncertain += stream.packets;
                pick.stream(stream, Window { from: stream.first, to: stream.last });
            }
        }
        if is_left_out {
            // A stream may have gone on since; what it is will not have changed.
            streams.iter().for_each(|stream| pick.stream(stream, ALWAYS));
        }
        let windows = pick.udp.values_mut().chain(pick.tcp.values_mut()).chain(pick.announced.values_mut());
        windows.for_each(join);
        pick
    }

    fn call(&mut self, call: &Call) {
        let mut spans: HashMap<FlowKey, Window> = HashMap::new();
        for message in call.messages.iter() {
            self.packets.extend(message.packets.iter().copied());
            let from = match message.transport {
                Transport::Udp | Transport::Sctp => continue,
                Transport::Tcp => message.at,
                // Nothing of these can be read without their beginning.
                Transport::Tls | Transport::Ws => Timestamp::from_nanos(i64::MIN),
            };
            let span = spans.entry(message.flow).or_insert(Window { from, to: message.at });
            span.from = span.from.min(from);
            span.to = span.to.max(message.at);
        }
        for (flow, span) in spans {
            for flow in [flow, reversed(flow)] {
                self.tcp.entry(flow).or_default().push(widened(span, SAVE_TCP_SLACK_S));
            }
        }
        self.packets.extend(call.facts.iter().map(|fact| match fact {
            Fact::Tcp(fact) => fact.packet,
            Fact::Icmp(fact) => fact.packet,
        }));
        let left_out = call.messages.left_out();
        self.uncertain += left_out;
        if left_out > 0 && !call.call_id.is_empty() && self.texts.len() < SAVE_SEARCHED_CALLS {
            self.texts.push(Finder::new(call.call_id.as_bytes()).into_owned());
        }
    }

    fn announcements(&mut self, call: &Call) {
        let to = if call.state.is_live() { Timestamp::from_nanos(i64::MAX) } else { call.last };
        let span = widened(Window { from: call.started, to }, SAVE_RTCP_SLACK_S);
        for message in call.messages.iter().filter(|message| message.has_sdp) {
            let Some(body) = sdp_body(&message.sip) else { continue };
            for medium in Sdp::parse(body).media_endpoints() {
                let windows = self.announced.entry(Endpoint::new(medium.ip, medium.port)).or_default();
                // An answer says again what the offer said.
                if windows.last().is_none_or(|last| *last != span) {
                    windows.push(span);
                }
            }
        }
    }

    fn stream(&mut self, stream: &Stream, span: Window) {
        let flow = stream.flow;
        let mut add = |flow: FlowKey, slack: i64| {
            for flow in [flow, reversed(flow)] {
                self.udp.entry(flow).or_default().push(widened(span, slack));
            }
        };
        add(flow, SAVE_MEDIA_SLACK_S);
        // RTCP has the next port on both sides, unless it shares that of RTP.
        if let Some((src, dst)) = next_port(flow.src).zip(next_port(flow.dst)) {
            add(FlowKey { src, dst }, SAVE_RTCP_SLACK_S);
        }
    }

    /// Whether a packet is wanted. To be asked once for each.
    pub fn takes(&mut self, packet: &Packet<'_>) -> bool {
        if self.packets.remove(&packet.meta.id) {
            return true;
        }
        if self.all {
            return self.takes_of_all(packet);
        }
        let at = packet.meta.at;
        match inside(packet) {
            Inside::Datagram(segment) => self.takes_datagram(&segment, at),
            Inside::Stream(flow) => is_within(&self.tcp, &flow, at),
            Inside::Piece | Inside::Other => false,
        }
    }

    /// Of every packet: all but media that is not wanted, and that is what belongs to a stream or to a call. Much else
    /// looks like RTP at its start.
    fn takes_of_all(&mut self, packet: &Packet<'_>) -> bool {
        if self.udp.is_empty() && self.announced.is_empty() && self.texts.is_empty() {
            return true;
        }
        let Inside::Datagram(segment) = inside(packet) else { return true };
        let at = packet.meta.at;
        let Some(media) = classify(segment.payload, segment.wire_len) else {
            self.found += u64::from(self.is_named(&segment));
            return true;
        };
        let is_stream = is_within(&self.udp, &segment.flow, at);
        if self.media {
            self.found += u64::from(is_stream && matches!(media, Media::Rtp(_)));
            return true;
        }
        !is_stream && !self.is_announced(&segment.flow, at)
    }

    fn is_announced(&self, flow: &FlowKey, at: Timestamp) -> bool {
        is_within(&self.announced, &flow.dst, at) || is_within(&self.announced, &flow.src, at)
    }

    fn is_named(&self, segment: &Segment<'_>) -> bool {
        self.texts.iter().any(|text| text.find(segment.payload).is_some())
    }

    fn takes_datagram(&mut self, segment: &Segment<'_>, at: Timestamp) -> bool {
        if is_within(&self.udp, &segment.flow, at) {
            self.found += u64::from(matches!(classify(segment.payload, segment.wire_len), Some(Media::Rtp(_))));
            return true;
        }
        if self.is_announced(&segment.flow, at) {
            return true;
        }
        let is_named = self.is_named(segment);
        self.found += u64::from(is_named);
        is_named
    }

    /// These are not wanted any more.
    pub fn forget(&mut self, packets: &HashSet<PacketId>) {
        for id in packets {
            self.packets.remove(id);
        }
    }

    /// Packets that are wanted and were not found.
    pub fn missing(&self) -> u64 {
        self.packets.len() as u64 + self.uncertain.saturating_sub(self.found)
    }
}

fn is_within<K: Eq + Hash>(windows: &HashMap<K, Vec<Window>>, place: &K, at: Timestamp) -> bool {
    windows.get(place).is_some_and(|windows| {
        // Of windows that do not touch, only the last one that began before can hold it.
        let behind = windows.partition_point(|window| window.from <= at);
        behind.checked_sub(1).and_then(|last| windows.get(last)).is_some_and(|window| at <= window.to)
    })
}

/// Sorts windows and makes one of those that touch: a trunk has thousands on one flow.
fn join(windows: &mut Vec<Window>) {
    windows.sort_by_key(|window| window.from);
    windows.dedup_by(|later, kept| {
        let touches = later.from <= kept.to;
        if touches {
            kept.to = kept.to.max(later.to);
        }
        touches
    });
}

fn widened(window: Window, seconds: i64) -> Window {
    let by = Elapsed::from_secs(seconds);
    Window { from: window.from.after(Elapsed::from_secs(-seconds)), to: window.to.after(by) }
}

const fn reversed(flow: FlowKey) -> FlowKey {
    FlowKey { src: flow.dst, dst: flow.src }
}

fn next_port(end: Endpoint) -> Option<Endpoint> {
    Some(Endpoint::new(end.ip, end.port.checked_add(1)?))
}
