//! Several live sources in one order of time.
//!
//! Every interface hands its packets on by itself, up to 20 ms late. A packet waits here for [`MERGE_WINDOW_MS`], until
//! no other source can bring an older one.

use std::collections::VecDeque;

use crate::limits::{MERGE_PENDING_BATCHES, MERGE_WINDOW_MS};
use crate::packet::{Batch, Packet};
use crate::time::{Elapsed, Timestamp};

struct Queue {
    batches: VecDeque<Batch>,
    next: usize,
}

/// Packets waiting for their turn.
pub(super) struct Merge {
    queues: Vec<Queue>,
    waiting: usize,
}

impl Merge {
    pub fn new(sources: usize) -> Self {
        let queues = (0..sources).map(|_| Queue { batches: VecDeque::new(), next: 0 }).collect();
        Self { queues, waiting: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Adds a batch of one source.
    pub fn push(&mut self, source: usize, batch: Batch) {
        if let Some(queue) = self.queues.get_mut(source).filter(|_| !batch.is_empty()) {
            queue.batches.push_back(batch);
            self.waiting += 1;
        }
    }

    /// The time up to which packets may go now. Everything may when too many wait.
    pub fn horizon(&self, clock: Timestamp) -> Timestamp {
        match self.waiting > MERGE_PENDING_BATCHES {
            true => Timestamp::from_nanos(i64::MAX),
            false => clock.after(Elapsed::from_millis(-MERGE_WINDOW_MS)),
        }
    }

    /// Moves the oldest packets into `out`, until it is full or the next one is younger than `horizon`. Emptied batches
    /// go to `emptied`. Returns whether anything was moved.
    pub fn release(&mut self, horizon: Timestamp, out: &mut Batch, emptied: &mut dyn FnMut(Batch)) -> bool {
        while !out.is_full() {
            let heads = self.queues.iter().enumerate().filter_map(|(i, queue)| Some((queue.head()?.meta.at, i)));
            let Some((at, source)) = heads.min() else { break };
            if at > horizon {
                break;
            }
            let Some(queue) = self.queues.get_mut(source) else { break };
            if let Some(packet) = queue.head() {
                out.push(packet.meta, packet.data);
            }
            if let Some(done) = queue.advance() {
                self.waiting -= 1;
                emptied(done);
            }
        }
        !out.is_empty()
    }
}

impl Queue {
    fn head(&self) -> Option<Packet<'_>> {
        self.batches.front()?.get(self.next)
    }

    fn advance(&mut self) -> Option<Batch> {
        self.next += 1;
        if self.next < self.batches.front()?.len() {
            return None;
        }
        self.next = 0;
        self.batches.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{LinkType, PacketId, PacketMeta};

    fn batch(source: u16, times: &[i64]) -> Batch {
        let mut batch = Batch::new();
        for (i, at) in times.iter().enumerate() {
            let meta = PacketMeta {
                id: PacketId::new(source, i as u64 + 1),
                at: Timestamp::from_nanos(at * 1_000_000),
                interface: 0,
                link: LinkType::ETHERNET,
                original_len: 1,
            };
            batch.push(meta, &[source as u8]);
        }
        batch
    }

    fn times(batch: &Batch) -> Vec<i64> {
        batch.iter().map(|p| p.meta.at.nanos() / 1_000_000).collect()
    }

    #[test]
    fn packets_of_two_sources_come_out_in_order_of_time() {
        let mut merge = Merge::new(2);
        merge.push(0, batch(0, &[1, 4, 9]));
        merge.push(1, batch(1, &[2, 3, 50]));
        let mut out = Batch::new();
        let mut emptied = 0;
        assert!(merge.release(merge.horizon(Timestamp::from_nanos(60_000_000)), &mut out, &mut |_| emptied += 1));
        assert_eq!((times(&out), emptied), (vec![1, 2, 3, 4, 9], 1));
        out.clear();
        assert!(!merge.release(merge.horizon(Timestamp::from_nanos(60_000_000)), &mut out, &mut |_| {}));
        assert!(merge.release(Timestamp::from_nanos(i64::MAX), &mut out, &mut |_| {}));
        assert!(merge.is_empty() && times(&out) == vec![50]);
    }

    #[test]
    fn a_source_whose_clock_is_ahead_cannot_hold_packets_for_ever() {
        let mut merge = Merge::new(1);
        for _ in 0..=MERGE_PENDING_BATCHES {
            merge.push(0, batch(0, &[i64::MAX / 2_000_000]));
        }
        let mut out = Batch::new();
        assert!(merge.release(merge.horizon(Timestamp::from_nanos(0)), &mut out, &mut |_| {}));
    }
}
