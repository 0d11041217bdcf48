//! All packets of a capture in order of time, made when they are asked for.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::message::Message;
use super::rtp::{RtpCount, RtpSender};
use super::wire::{self, Path};
use crate::time::{Elapsed, Timestamp};

/// The largest IP packet on the simulated links; longer SIP messages go in fragments.
const MTU: usize = 1_500;

enum Item {
    Frame(Vec<u8>),
    Stream(Box<RtpSender>),
}

struct Entry {
    at: Timestamp,
    /// Keeps packets of the same time in the order in which they were added.
    order: u64,
    item: Item,
}

/// What will be sent and when: single packets, which are kept whole, and RTP streams, which make theirs when due.
#[derive(Default)]
pub struct Schedule {
    heap: BinaryHeap<Entry>,
    added: u64,
    ip_id: u16,
    rtp: RtpCount,
}

impl Schedule {
    /// Nothing to send.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a frame as it is.
    pub fn frame(&mut self, at: Timestamp, frame: Vec<u8>) {
        self.push(at, Item::Frame(frame));
    }

    /// Sends a SIP message over UDP, in fragments if it must be.
    pub fn sip(&mut self, at: Timestamp, path: &Path, message: &Message) {
        self.udp(at, path, message.text().as_bytes());
    }

    /// Sends a UDP datagram, in fragments if it must be.
    pub fn udp(&mut self, at: Timestamp, path: &Path, payload: &[u8]) {
        self.ip_id = self.ip_id.wrapping_add(1);
        for (n, frame) in wire::udp_fragments(path, self.ip_id, payload, MTU).into_iter().enumerate() {
            // 12 µs is what 1,500 bytes take at 1 Gbit/s.
            self.push(at.after(Elapsed::from_nanos(n as i64 * 12_000)), Item::Frame(frame));
        }
    }

    /// Sends a stream.
    pub fn stream(&mut self, sender: RtpSender) {
        match sender.next_at() {
            Some(at) => self.push(at, Item::Stream(Box::new(sender))),
            None => self.add_up(sender.count()),
        }
    }

    /// When the next packet is due; `None` when all are sent.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Puts the next packet into `out`, in place of what was there, and says when it is due.
    pub fn next_packet(&mut self, out: &mut Vec<u8>) -> Option<Timestamp> {
        let Entry { at, item, .. } = self.heap.pop()?;
        match item {
            Item::Frame(frame) => *out = frame,
            Item::Stream(mut sender) => {
                out.clear();
                sender.emit(out);
                match sender.next_at() {
                    Some(at) => self.push(at, Item::Stream(sender)),
                    None => self.add_up(sender.count()),
                }
            }
        }
        Some(at)
    }

    /// What became of the streams that are over.
    pub const fn rtp(&self) -> RtpCount {
        self.rtp
    }

    fn push(&mut self, at: Timestamp, item: Item) {
        self.added += 1;
        self.heap.push(Entry { at, order: self.added, item });
    }

    fn add_up(&mut self, count: RtpCount) {
        self.rtp.packets += count.packets;
        self.rtp.lost += count.lost;
        self.rtp.reordered += count.reordered;
        self.rtp.duplicates += count.duplicates;
    }
}

impl Ord for Entry {
    /// The heap gives its greatest first, so the earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_in_order_of_time_and_then_as_added() {
        let mut schedule = Schedule::new();
        for (at, byte) in [(5, 1), (3, 2), (5, 3), (4, 4)] {
            schedule.frame(Timestamp::from_nanos(at), vec![byte]);
        }
        let mut out = Vec::new();
        let mut seen = Vec::new();
        while schedule.next_packet(&mut out).is_some() {
            seen.push(out[0]);
        }
        assert_eq!(seen, [2, 4, 1, 3]);
    }
}
