//! Which calls speak over which flow, so that a reset connection or an ICMP error is noted where it matters.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::limits::{FLOW_CALLS, FLOW_FACTS, SIGNALLING_FLOWS};
use crate::packet::FlowKey;
use crate::track::call::{CallKey, Fact};

#[derive(Debug, Default)]
struct Flow {
    calls: SmallVec<[CallKey; 2]>,
    /// A vector, since most flows have none.
    waiting: Vec<Fact>,
}

/// Flows by their two ends, in two generations: when the younger is full, the older is forgotten.
#[derive(Debug, Default)]
pub struct Flows {
    young: HashMap<FlowKey, Flow, RandomState>,
    old: HashMap<FlowKey, Flow, RandomState>,
}

impl Flows {
    /// A call speaks over this flow. Returns the facts that came before it: how its connection began.
    pub fn join(&mut self, flow: FlowKey, call: CallKey) -> Vec<Fact> {
        let entry = self.entry(flow);
        if entry.calls.len() >= FLOW_CALLS {
            entry.calls.remove(0);
        }
        entry.calls.push(call);
        std::mem::take(&mut entry.waiting)
    }

    /// The calls that a fact on this flow concerns. One that is early waits for the first call.
    pub fn calls(&mut self, flow: FlowKey, fact: &Fact) -> SmallVec<[CallKey; 4]> {
        let entry = self.entry(flow);
        if entry.calls.is_empty() {
            if entry.waiting.len() >= FLOW_FACTS {
                entry.waiting.remove(0);
            }
            entry.waiting.push(fact.clone());
        }
        entry.calls.iter().copied().collect()
    }

    /// Flows remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    fn entry(&mut self, flow: FlowKey) -> &mut Flow {
        let key = if flow.src <= flow.dst { flow } else { FlowKey { src: flow.dst, dst: flow.src } };
        if !self.young.contains_key(&key) {
            if self.young.len() >= SIGNALLING_FLOWS {
                self.old = std::mem::take(&mut self.young);
            }
            if let Some(flow) = self.old.remove(&key) {
                self.young.insert(key, flow);
            }
        }
        self.young.entry(key).or_default()
    }
}
