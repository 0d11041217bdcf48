//! TCP connections and the SIP in them: the table of all connections, within named limits.
//!
//! A segment goes to its [`Flow`], which puts both directions in order and hands the octets up the layers of each. What
//! was silent the longest leaves first. Every step here is bounded, whatever comes: by [`TCP_CONNECTIONS`], and by
//! [`TCP_BYTES`] for holes and unfinished messages of all connections together.

mod flow;
mod layer;
mod side;
#[cfg(test)]
mod tests;
mod tls;
mod view;
mod websocket;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use lru::LruCache;

use super::Origin;
use crate::counters::DecodeCounters;
use crate::event::Decoded;
use crate::limits::{LISTED_FLOWS, TCP_BYTES, TCP_CONNECTIONS, TCP_NETWORKS};
use crate::net::Path;
use crate::net::transport::TcpSegment;
use crate::packet::{Endpoint, FlowKey};
use crate::time::Timestamp;

use flow::Flow;
pub use layer::Protocol;
pub use view::FlowView;

/// Two endpoints, whichever of them speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Pair([Endpoint; 2]);

impl Pair {
    /// The pair, and which of the two is the sender.
    fn of(flow: FlowKey) -> (Self, usize) {
        if flow.src <= flow.dst { (Self([flow.src, flow.dst]), 0) } else { (Self([flow.dst, flow.src]), 1) }
    }

    /// The direction in which this side sends.
    fn direction(self, side: usize) -> FlowKey {
        let [low, high] = self.0;
        if side == 0 { FlowKey { src: low, dst: high } } else { FlowKey { src: high, dst: low } }
    }
}

/// A connection between two endpoints, in one of the networks that use their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    pair: Pair,
    network: u8,
}

/// All TCP connections.
#[derive(Debug)]
pub(super) struct Streams {
    flows: LruCache<Key, Box<Flow>, RandomState>,
    /// In how many networks there are connections between the same endpoints, where that is more than one.
    networks: HashMap<Pair, u8, RandomState>,
    /// Those that are listed: with SIP, and with what may hide it.
    listed: [LruCache<Key, (), RandomState>; 2],
    /// When something that waits is given up.
    alarms: BTreeSet<(Timestamp, Key)>,
    bytes: usize,
}

impl Default for Streams {
    fn default() -> Self {
        let list = || LruCache::with_hasher(LISTED_FLOWS, RandomState::default());
        let flows = LruCache::unbounded_with_hasher(RandomState::default());
        let networks = HashMap::default();
        Self { flows, networks, listed: [list(), list()], alarms: BTreeSet::new(), bytes: 0 }
    }
}

impl Streams {
    /// Takes a segment and adds what it completes to `out`.
    pub fn segment(
        &mut self,
        segment: &TcpSegment<'_>,
        path: Option<Arc<Path>>,
        origin: &Origin<'_>,
        counters: &mut DecodeCounters,
        out: &mut Decoded,
    ) {
        let (pair, side) = Pair::of(segment.flow);
        let key = self.key_of(pair, side, segment, path.as_ref());
        if self.flows.get(&key).is_some_and(|flow| flow.is_replaced_by(side, segment)) {
            self.replace(key, origin.meta.at, counters, out);
        }
        let flow = self.flows.get_or_insert_mut(key, || Box::new(Flow::new(pair, side, origin.meta.at)));
        let before = flow.memory();
        flow.segment(side, segment, path, origin, counters, out);
        let after = flow.memory();
        if let [open, hidden] = &mut self.listed
            && let Some(is_hidden) = flow.is_listed()
        {
            (if is_hidden { hidden } else { open }).put(key, ());
        }
        let deadline = flow.deadline();
        if deadline != flow.alarm {
            if let Some(at) = flow.alarm {
                self.alarms.remove(&(at, key));
            }
            if let Some(at) = deadline {
                self.alarms.insert((at, key));
            }
            flow.alarm = deadline;
        }
        self.bytes = (self.bytes + after).saturating_sub(before);
        while self.flows.len() > TCP_CONNECTIONS {
            counters.streams.evicted += 1;
            self.evict(origin.meta.at, counters, out);
        }
        while self.bytes > TCP_BYTES && self.flows.len() > 1 {
            counters.streams.evicted_by_bytes += 1;
            self.evict(origin.meta.at, counters, out);
        }
    }

    /// When the next thing that waits is given up.
    pub fn alarm(&self) -> Option<Timestamp> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Gives up what should have come by packet time `now`, each at its own time.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        while let Some(&(at, key)) = self.alarms.first()
            && at <= now
        {
            self.alarms.pop_first();
            let Some(flow) = self.flows.peek_mut(&key) else { continue };
            let before = flow.memory();
            flow.expire(at, counters, out);
            self.bytes = (self.bytes + flow.memory()).saturating_sub(before);
            flow.alarm = flow.deadline();
            if let Some(at) = flow.alarm {
                self.alarms.insert((at, key));
            }
        }
    }

    /// The end of a capture: gives all that still waits.
    pub fn finish(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        for (_, flow) in self.flows.iter_mut().rev() {
            flow.finish(now, counters, out);
        }
        self.alarms.clear();
        self.bytes = 0;
    }

    /// What the connection of this flow, in either direction, has turned out to carry. Of those in several networks, SIP
    /// counts most.
    pub fn protocol(&self, flow: FlowKey) -> Protocol {
        let (pair, _) = Pair::of(flow);
        let networks = self.networks.get(&pair).copied().unwrap_or(1);
        let flows = || (0..networks).filter_map(|network| self.flows.peek(&Key { pair, network }));
        let mut protocols = flows().map(|flow| flow.protocol());
        protocols.clone().find(|protocol| protocol.may_be_sip()).or(protocols.next()).unwrap_or(Protocol::Unknown)
    }

    /// Connections followed.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Bytes that holes and unfinished messages take; at most [`TCP_BYTES`] between two segments.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The connections that carry SIP, and behind them those that may do so unseen; of each the newest first, at most
    /// [`LISTED_FLOWS`].
    pub fn views(&self) -> Vec<FlowView> {
        let listed = self.listed.iter().flat_map(|list| list.iter());
        listed.filter_map(|(key, ())| self.flows.peek(key).and_then(|flow| flow.view())).collect()
    }

    /// The connection that a segment belongs to. The same one may be seen in two places, and its two directions may come in
    /// different ways; but what has both another way and numbers of its own is a connection of another network.
    fn key_of(&mut self, pair: Pair, side: usize, segment: &TcpSegment<'_>, path: Option<&Arc<Path>>) -> Key {
        let networks = self.networks.get(&pair).copied().unwrap_or(1);
        let flow = |key: &Key| self.flows.peek(key);
        let known = keys(pair, networks).find(|key| flow(key).is_some_and(|flow| flow.comes_by(side, path)));
        let own = |key: &Key| flow(key).is_none_or(|flow| !flow.is_of_another_network(side, segment, path));
        if let Some(key) = known.or_else(|| keys(pair, networks).find(own)) {
            return key;
        }
        if networks >= TCP_NETWORKS {
            return Key { pair, network: 0 };
        }
        self.networks.insert(pair, networks + 1);
        Key { pair, network: networks }
    }

    /// Ends what was between the ports until now, since another connection begins there.
    fn replace(&mut self, key: Key, at: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let Some(flow) = self.flows.peek_mut(&key) else { return };
        let before = flow.memory();
        flow.finish(at, counters, out);
        self.bytes = self.bytes.saturating_sub(before);
        if let Some(at) = flow.alarm.take() {
            self.alarms.remove(&(at, key));
        }
        flow.begin_anew();
    }

    /// Forgets the connection that was silent the longest.
    fn evict(&mut self, at: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let Some((key, mut flow)) = self.flows.pop_lru() else { return };
        self.bytes = self.bytes.saturating_sub(flow.memory());
        if let Some(at) = flow.alarm {
            self.alarms.remove(&(at, key));
        }
        let networks = self.networks.get(&key.pair).copied().unwrap_or(0);
        if networks > 0 && keys(key.pair, networks).all(|key| !self.flows.contains(&key)) {
            self.networks.remove(&key.pair);
        }
        flow.finish(at, counters, out);
    }
}

fn keys(pair: Pair, networks: u8) -> impl Iterator<Item = Key> {
    (0..networks).map(move |network| Key { pair, network })
}
