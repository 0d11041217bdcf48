//! Packets that are out of order in a file, brought into order of time.
//!
//! Batches wait until a window of packets has been read behind them. One that is in order goes on as it came, without a
//! copy; only batches that overlap are taken apart. Where time runs back by more than the window, a new run begins:
//! the packets before it are not mixed with those behind, so that a file that was appended to another keeps its order.

use std::collections::VecDeque;

use crate::limits::{FILE_ORDER_BYTES, FILE_ORDER_PACKETS, FILE_ORDER_SECONDS};
use crate::packet::{Batch, Packet};
use crate::time::{Elapsed, Timestamp};

/// How far back in time a packet may belong.
const REACH: Elapsed = Elapsed::from_secs(FILE_ORDER_SECONDS);

/// Emptied batches kept for later ones: about as many as wait.
const SPARE_BATCHES: usize = 8;

/// A batch in order that waits.
struct Held {
    batch: Batch,
    /// Its packets from this position on belong to the run at hand, into which later packets may still be sorted.
    open_from: usize,
}

impl Held {
    fn is_open(&self) -> bool {
        self.open_from < self.batch.len()
    }
}

/// What waits until it is certain that nothing earlier comes.
pub(super) struct Order {
    /// Whether batches wait at all: those of a pipe do not.
    waits: bool,
    held: VecDeque<Held>,
    packets: usize,
    bytes: usize,
    spare: Vec<Batch>,
    /// Of the run at hand, the newest time read.
    newest: Option<Timestamp>,
    /// Of the run at hand, the newest time given out.
    released: Option<Timestamp>,
    strays: u64,
}

impl Order {
    /// Holds nothing yet. When nothing may `wait`, only packets of one batch are sorted.
    pub(super) fn new(waits: bool) -> Self {
        Self {
            waits,
            held: VecDeque::new(),
            packets: 0,
            bytes: 0,
            spare: Vec::new(),
            newest: None,
            released: None,
            strays: 0,
        }
    }

    /// Places where packets came too late to be put where they belong.
    pub(super) const fn strays(&self) -> u64 {
        self.strays
    }

    /// Takes a batch, and leaves an empty one in its place.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        let Some((first, last)) = batch.span() else { return };
        let is_ordered = batch.is_in_order();
        let full = std::mem::replace(batch, self.spare.pop().unwrap_or_default());
        if is_ordered && self.newest.is_none_or(|newest| newest <= first) {
            self.newest = Some(last);
            self.hold(full, 0);
        } else {
            self.sort_in(full);
        }
    }

    /// The next batch that need not wait any longer; once the file is `over`, none need.
    pub(super) fn due(&mut self, over: bool) -> Option<Batch> {
        let front = self.held.front()?;
        let (_, last) = front.batch.span()?;
        let is_open = front.is_open();
        let is_recent = self.newest.is_some_and(|newest| last.after(REACH) >= newest);
        let behind = self.packets - front.batch.len();
        let has_room = behind < FILE_ORDER_PACKETS && self.bytes <= FILE_ORDER_BYTES;
        if self.waits && !over && is_open && is_recent && has_room {
            return None;
        }
        if is_open {
            self.released = Some(last);
        }
        let Held { batch, .. } = self.held.pop_front()?;
        self.packets -= batch.len();
        self.bytes -= batch.bytes();
        Some(batch)
    }

    /// Takes back what the sink left in place of a batch.
    pub(super) fn give_back(&mut self, empty: Batch) {
        if self.spare.len() < SPARE_BATCHES {
            self.spare.push(empty);
        }
    }

    fn hold(&mut self, batch: Batch, open_from: usize) {
        self.packets += batch.len();
        self.bytes += batch.bytes();
        self.held.push_back(Held { batch, open_from });
    }

    /// Sorts each run of the batch, and what continues the run at hand into the batches that wait.
    fn sort_in(&mut self, mut full: Batch) {
        let starts = self.run_starts(&full);
        let len = full.len();
        let mut ends = starts.iter().copied().chain([len]);
        let continued = 0..ends.next().unwrap_or(len);
        full.sort_by_time(continued.clone());
        for (&start, end) in starts.iter().zip(ends) {
            full.sort_by_time(start..end);
        }
        let earliest = full.get(0).map(|packet| packet.meta.at).filter(|_| !continued.is_empty());
        if let Some(released) = self.released.filter(|_| self.waits) {
            let late = |packet: &Packet<'_>| packet.meta.at < released;
            self.strays += full.iter().take(continued.len()).take_while(late).count() as u64;
        }
        let overlaps = |held: &Held| {
            let last = held.batch.span().map(|(_, last)| last);
            held.is_open() && earliest.zip(last).is_some_and(|(earliest, last)| earliest < last)
        };
        let from = self.held.iter().position(overlaps);
        if !starts.is_empty() {
            self.released = None;
            for held in self.held.iter_mut().take(from.unwrap_or(usize::MAX)) {
                held.open_from = held.batch.len();
            }
        }
        match from {
            Some(from) => self.interleave(from, full, continued.end, starts.last().copied()),
            None => self.hold(full, starts.last().copied().unwrap_or(0)),
        }
    }

    /// Where in the batch time runs back too far to belong to what came before.
    fn run_starts(&mut self, full: &Batch) -> Vec<usize> {
        let mut starts = Vec::new();
        for (position, packet) in full.iter().enumerate() {
            let at = packet.meta.at;
            match self.newest {
                Some(newest) if at.after(REACH) < newest => {
                    starts.push(position);
                    self.newest = Some(at);
                }
                newest => self.newest = newest.max(Some(at)),
            }
        }
        self.strays += starts.len() as u64;
        starts
    }

    /// Merges the first `continued` packets of a batch with those that wait from batch `from` on. `last_start` is where
    /// the batch's last run begins, if it begins one.
    fn interleave(&mut self, from: usize, full: Batch, continued: usize, last_start: Option<usize>) {
        let mut parts: Vec<Batch> = Vec::new();
        let mut closed = 0;
        for held in self.held.split_off(from) {
            if parts.is_empty() {
                closed = held.open_from;
            }
            self.packets -= held.batch.len();
            self.bytes -= held.batch.bytes();
            parts.push(held.batch);
        }
        let waiting: usize = parts.iter().map(Batch::len).sum();
        parts.push(full);
        let mut packets: Vec<_> = parts.iter().flat_map(Batch::iter).collect();
        if let Some(open) = packets.get_mut(closed..waiting + continued) {
            // Keeps the file's order among packets of the same time.
            open.sort_by_key(|packet| packet.meta.at);
        }
        let barrier = last_start.map_or(closed, |start| waiting + start);
        let mut given = 0;
        let mut merged = Vec::new();
        let mut batch = self.spare.pop().unwrap_or_default();
        for packet in packets {
            batch.push(packet.meta, packet.data);
            if batch.is_full() {
                merged.push(std::mem::replace(&mut batch, self.spare.pop().unwrap_or_default()));
            }
        }
        merged.push(batch);
        for batch in merged.into_iter().filter(|batch| !batch.is_empty()) {
            let open_from = barrier.saturating_sub(given).min(batch.len());
            given += batch.len();
            self.hold(batch, open_from);
        }
        for mut part in parts {
            part.clear();
            self.give_back(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::{LinkType, PacketId, PacketMeta};

    fn batch(packets: &[(u64, i64)]) -> Batch {
        let mut batch = Batch::new();
        for &(number, millis) in packets {
            let meta = PacketMeta {
                id: PacketId::new(0, number),
                at: Timestamp::from_nanos(millis * 1_000_000),
                interface: 0,
                link: LinkType::ETHERNET,
                original_len: 8,
            };
            batch.push(meta, &number.to_be_bytes());
        }
        batch
    }

    /// Numbers and times of all that comes out, batch by batch. Each packet must have kept its bytes.
    fn pass(order: &mut Order, batches: Vec<Batch>) -> Vec<Vec<(u64, i64)>> {
        let mut out = Vec::new();
        let mut note = |batch: &Batch| {
            assert!(batch.iter().all(|packet| packet.data == packet.meta.id.number().to_be_bytes()));
            out.push(batch.iter().map(|p| (p.meta.id.number(), p.meta.at.nanos() / 1_000_000)).collect());
        };
        for mut batch in batches {
            order.take(&mut batch);
            assert!(batch.is_empty());
            while let Some(mut due) = order.due(false) {
                note(&due);
                due.clear();
                order.give_back(due);
            }
        }
        while let Some(due) = order.due(true) {
            note(&due);
        }
        assert_eq!((order.packets, order.bytes), (0, 0));
        out
    }

    fn numbered(times: &[i64]) -> Vec<(u64, i64)> {
        (1..).zip(times.iter().copied()).collect()
    }

    #[test]
    fn batches_in_order_stay_as_they_are() {
        let packets = numbered(&(0..5_000).map(|n| n / 3).collect::<Vec<_>>());
        let parts: Vec<_> = packets.chunks(230).map(<[_]>::to_vec).collect();
        let mut order = Order::new(true);
        let out = pass(&mut order, parts.iter().map(|part| batch(part)).collect());
        assert_eq!((out, order.strays()), (parts, 0));
    }

    #[test]
    fn no_more_waits_than_the_window() {
        let mut order = Order::new(true);
        for n in 0..40 {
            order.take(&mut batch(&numbered(&vec![n; 200])));
            while order.due(false).is_some() {}
            assert!(order.packets <= FILE_ORDER_PACKETS + 200);
        }
        let mut large = batch(&numbered(&[50]));
        let meta = large.get(0).expect("a packet").meta;
        for _ in 0..30 {
            large.push(meta, &[0; 500_000]);
            order.take(&mut large);
            while order.due(false).is_some() {}
            assert!(order.bytes <= FILE_ORDER_BYTES + 500_000);
        }
        // Two seconds on, nothing waits for what came before.
        order.take(&mut batch(&numbered(&[2_051])));
        while order.due(false).is_some() {}
        assert_eq!(order.packets, 1);
    }

    #[test]
    fn a_packet_that_is_later_than_the_window_is_counted_and_given_on() {
        let mut times: Vec<i64> = (0..3_000).map(|n| 10_000 + n / 10).collect();
        times.push(10_000);
        let packets = numbered(&times);
        let mut order = Order::new(true);
        let out = pass(&mut order, packets.chunks(256).map(batch).collect()).concat();
        assert_eq!((out.len(), order.strays()), (3_001, 1));
        let at = out.iter().position(|packet| packet.0 == 3_001).expect("given on");
        assert!(at > 1_000 && at < 3_000 - 500, "{at}");
    }

    #[test]
    fn a_file_behind_another_keeps_its_order() {
        let one: Vec<i64> = (0..2_000).map(|n| n * 10).collect();
        let packets = numbered(&[&one[..], &one[..]].concat());
        let mut order = Order::new(true);
        let out = pass(&mut order, packets.chunks(300).map(batch).collect());
        assert_eq!((out.concat(), order.strays()), (packets, 1));
    }

    #[test]
    fn a_pipe_waits_for_nothing() {
        let mut order = Order::new(false);
        let out = pass(&mut order, vec![batch(&[(1, 5), (2, 3)]), batch(&[(3, 4), (4, 6)])]);
        assert_eq!((out, order.strays()), (vec![vec![(2, 3), (1, 5)], vec![(3, 4), (4, 6)]], 0));
    }

    /// By definition: a new run begins where time is more than two seconds back; each run is sorted, ties stay.
    fn sorted_by_definition(packets: &[(u64, i64)]) -> (Vec<(u64, i64)>, u64) {
        let (mut run, mut newest) = (0, i64::MIN);
        let mut keyed: Vec<_> = packets
            .iter()
            .map(|&(number, at)| {
                if newest > at + 2_000 {
                    run += 1;
                    newest = at;
                }
                newest = newest.max(at);
                (run, at, number)
            })
            .collect();
        keyed.sort();
        (keyed.into_iter().map(|(_, at, number)| (number, at)).collect(), run)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn what_fits_the_window_is_sorted_by_definition(
            steps in prop::collection::vec(prop_oneof![8 => 0..40_i64, 3 => -900..0_i64, 1 => -9_000..9_000_i64], 1..900),
            sizes in prop::collection::vec(1..260_usize, 1..20),
        ) {
            let times: Vec<i64> = steps
                .iter()
                .scan(100_000, |at, step| { *at += step; Some(*at) })
                .collect();
            let packets = numbered(&times);
            let mut rest = &packets[..];
            let mut batches = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break }
                let (part, behind) = rest.split_at((*size).min(rest.len()));
                batches.push(batch(part));
                rest = behind;
            }
            let mut order = Order::new(true);
            let out = pass(&mut order, batches).concat();
            let (expected, runs) = sorted_by_definition(&packets);
            prop_assert_eq!(out, expected);
            prop_assert_eq!(order.strays(), runs);
        }
    }
}
