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

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use lru::LruCache;

use super::Origin;
use crate::counters::DecodeCounters;
use crate::event::Decoded;
use crate::limits::{LISTED_FLOWS, TCP_BYTES, TCP_CONNECTIONS};
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

/// All TCP connections.
#[derive(Debug)]
pub(super) struct Streams {
    flows: LruCache<Pair, Box<Flow>, RandomState>,
    /// Those that are listed: with SIP, and with what may hide it.
    listed: [LruCache<Pair, (), RandomState>; 2],
    /// When something that waits is given up.
    alarms: BTreeSet<(Timestamp, Pair)>,
    bytes: usize,
}

impl Default for Streams {
    fn default() -> Self {
        let list = || LruCache::with_hasher(LISTED_FLOWS, RandomState::default());
        let flows = LruCache::unbounded_with_hasher(RandomState::default());
        Self { flows, listed: [list(), list()], alarms: BTreeSet::new(), bytes: 0 }
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
        if self.flows.get(&pair).is_some_and(|flow| flow.is_replaced_by(side, segment)) {
            self.replace(pair, origin.meta.at, counters, out);
        }
        let flow = self.flows.get_or_insert_mut(pair, || Box::new(Flow::new(pair, side, origin.meta.at)));
        let before = flow.memory();
        flow.segment(side, segment, path, origin, counters, out);
        let after = flow.memory();
        if let [open, hidden] = &mut self.listed
            && let Some(is_hidden) = flow.is_listed()
        {
            (if is_hidden { hidden } else { open }).put(pair, ());
        }
        let deadline = flow.connection.deadline();
        if deadline != flow.alarm {
            if let Some(at) = flow.alarm {
                self.alarms.remove(&(at, pair));
            }
            if let Some(at) = deadline {
                self.alarms.insert((at, pair));
            }
            flow.alarm = deadline;
        }
        self.bytes = (self.bytes + after).saturating_sub(before);
        while self.flows.len() > TCP_CONNECTIONS || (self.bytes > TCP_BYTES && self.flows.len() > 1) {
            self.evict(origin.meta.at, counters, out);
        }
    }

    /// Gives up, at packet time `now`, what will not come any more.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        while let Some(&(at, pair)) = self.alarms.first()
            && at <= now
        {
            self.alarms.pop_first();
            let Some(flow) = self.flows.peek_mut(&pair) else { continue };
            let before = flow.memory();
            flow.expire(now, counters, out);
            self.bytes = (self.bytes + flow.memory()).saturating_sub(before);
            flow.alarm = flow.connection.deadline();
            if let Some(at) = flow.alarm {
                self.alarms.insert((at, pair));
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

    /// What the connection of this flow, in either direction, has turned out to carry.
    pub fn protocol(&self, flow: FlowKey) -> Protocol {
        self.flows.peek(&Pair::of(flow).0).map_or(Protocol::Unknown, |flow| flow.protocol())
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
        listed.filter_map(|(pair, ())| self.flows.peek(pair).and_then(|flow| flow.view())).collect()
    }

    /// Ends what was between the ports until now, since another connection begins there.
    fn replace(&mut self, pair: Pair, at: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let Some(flow) = self.flows.peek_mut(&pair) else { return };
        let before = flow.memory();
        flow.finish(at, counters, out);
        self.bytes = self.bytes.saturating_sub(before);
        if let Some(at) = flow.alarm.take() {
            self.alarms.remove(&(at, pair));
        }
        flow.begin_anew();
    }

    /// Forgets the connection that was silent the longest.
    fn evict(&mut self, at: Timestamp, counters: &mut DecodeCounters, out: &mut Decoded) {
        let Some((pair, mut flow)) = self.flows.pop_lru() else { return };
        self.bytes = self.bytes.saturating_sub(flow.memory());
        if let Some(at) = flow.alarm {
            self.alarms.remove(&(at, pair));
        }
        flow.finish(at, counters, out);
        counters.streams.evicted += 1;
    }
}
