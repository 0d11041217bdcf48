//! Packets of known streams that wait to be measured.
//!
//! What is known of a stream fills some dozen cache lines, and packets of a thousand streams come in turn. Measured one by one,
//! each would have to fetch its stream's lines anew; so they wait until there are a few of each stream, which are measured
//! one behind the other.

use crate::event::{RtpSample, Trace};
use crate::limits::STREAM_QUEUE_PACKETS;
use crate::time::Timestamp;

/// One packet, without what its stream knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub at: Timestamp,
    pub timestamp: u32,
    pub trace: Trace,
    pub sequence: u16,
    pub payload_len: u16,
    pub payload_type: u8,
    pub marker: bool,
    pub head: Option<[u8; 4]>,
}

impl From<&RtpSample> for Sample {
    fn from(sample: &RtpSample) -> Self {
        Self {
            at: sample.at,
            timestamp: sample.timestamp,
            trace: sample.trace,
            sequence: sample.sequence,
            payload_len: sample.payload_len,
            payload_type: sample.payload_type,
            marker: sample.marker,
            head: sample.head,
        }
    }
}

/// No packet.
const NONE: u32 = u32::MAX;

/// The packets of one stream in the queue, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u32,
    last: u32,
}

impl Chain {
    pub const EMPTY: Self = Self { first: NONE, last: NONE };
}

#[derive(Debug)]
struct Queued {
    sample: Sample,
    next: u32,
}

/// All packets that wait. It keeps its memory, so that a packet costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Queue {
    packets: Vec<Queued>,
    /// The streams that they are of.
    slots: Vec<u32>,
}

impl Queue {
    /// Adds a packet of the stream in this slot, whose chain is given.
    #[inline]
    pub fn push(&mut self, slot: u32, chain: &mut Chain, sample: Sample) {
        let index = self.packets.len() as u32;
        match self.packets.get_mut(chain.last as usize) {
            Some(before) if chain.last != NONE => before.next = index,
            _ => {
                chain.first = index;
                self.slots.push(slot);
            }
        }
        chain.last = index;
        self.packets.push(Queued { sample, next: NONE });
    }

    /// Whether it is time to measure.
    pub fn is_full(&self) -> bool {
        self.packets.len() >= STREAM_QUEUE_PACKETS
    }

    /// Streams with packets in it.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// The packets of a chain.
    pub fn samples(&self, chain: Chain) -> impl Iterator<Item = &Sample> {
        let mut next = chain.first;
        std::iter::from_fn(move || {
            let queued = self.packets.get(next as usize)?;
            next = queued.next;
            Some(&queued.sample)
        })
    }

    /// Forgets all packets; the chains are the caller's.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.slots.clear();
    }
}
