//! TCP connections segment by segment: handshake, data with acknowledgments, and every way to end (RFC 9293).
//!
//! A [`Connection`] knows both sides' sequence numbers and gives [`Segment`]s, which stay open to [`faults`] until they
//! become frames.

pub mod faults;
#[cfg(test)]
mod tests;

use super::schedule::Schedule;
use super::wire::{self, Path, TcpSegment};
use crate::packet::Endpoint;
use crate::time::{Elapsed, Timestamp};

/// What 1,500 bytes take at 1 Gbit/s: the time from one segment of a message to the next.
const GAP: Elapsed = Elapsed::from_nanos(12_000);

/// How long the other side takes to answer a segment.
const ANSWER: Elapsed = Elapsed::from_nanos(200_000);

/// The receiver acknowledges every second segment (RFC 9293, section 3.8.6.3), and the last.
const SEGMENTS_PER_ACK: usize = 2;

/// Data bytes of a full segment on Ethernet over IPv4, and over IPv6.
pub const MSS: [usize; 2] = [1_460, 1_440];

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that opens.
    Client,
    /// The one that listens.
    Server,
}

impl Side {
    /// The far end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A segment that is captured at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When it is captured.
    pub at: Timestamp,
    /// Who sends it.
    pub from: Side,
    /// The way it takes.
    pub path: Path,
    /// Identification in the IPv4 header.
    pub ip_id: u16,
    /// Sequence numbers, flags and window.
    pub header: TcpSegment,
    /// Its data.
    pub data: Vec<u8>,
}

impl Segment {
    /// The segment as an Ethernet frame.
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(74 + self.data.len());
        wire::tcp(&self.path, self.ip_id, self.header, &self.data, &mut frame);
        frame
    }

    /// The sequence number behind it: SYN and FIN count as one byte each (RFC 9293, section 3.4).
    pub fn end(&self) -> u32 {
        let flags = u32::from(self.header.syn) + u32::from(self.header.fin);
        self.header.seq.wrapping_add(self.data.len() as u32).wrapping_add(flags)
    }
}

/// The segments as frames, in their order.
pub fn frames(segments: &[Segment]) -> Vec<(Timestamp, Vec<u8>)> {
    segments.iter().map(|segment| (segment.at, segment.frame())).collect()
}

/// Puts the segments on a schedule, which brings them into order of time.
pub fn schedule(segments: &[Segment], on: &mut Schedule) {
    for segment in segments {
        on.frame(segment.at, segment.frame());
    }
}

#[derive(Clone, Debug)]
struct End {
    path: Path,
    /// The next sequence number it sends.
    next: u32,
    window: u16,
    ip_id: u16,
}

/// A connection between two endpoints.
///
/// What it gives is in order of time if it is asked in order of time. It may send without being opened: then the
/// capture began later than the connection, and the first sequence numbers are those of the first bytes.
#[derive(Clone, Debug)]
pub struct Connection {
    client: End,
    server: End,
}

impl Connection {
    /// From `client` to `server`, of one address family. `first` are their first sequence numbers; each is that of the
    /// SYN if the connection is opened.
    pub fn new(client: Endpoint, server: Endpoint, first: [u32; 2]) -> Self {
        Self::over(Path::new(client, server), first)
    }

    /// Over a path with more in front of it, given as the client sends.
    pub fn over(path: Path, first: [u32; 2]) -> Self {
        let [client, server] = first;
        let back = path.reversed();
        let end = |path, next: u32| End { path, next, window: 0xFFFF, ip_id: (next >> 16) as u16 };
        Self { client: end(path, client), server: end(back, server) }
    }

    /// The next sequence number of a side.
    pub const fn next(&self, side: Side) -> u32 {
        self.end(side).next
    }

    /// The data bytes of a full segment.
    pub const fn mss(&self) -> usize {
        let [over_v4, over_v6] = MSS;
        if self.client.path.src.ip.is_ipv4() { over_v4 } else { over_v6 }
    }

    /// SYN, SYN and ACK, ACK.
    pub fn open(&mut self, at: Timestamp) -> Vec<Segment> {
        let mut syn = self.emit(at, Side::Client, b"");
        syn.header = TcpSegment { syn: true, ack: None, ..syn.header };
        self.client.next = self.client.next.wrapping_add(1);
        let mut accepted = self.emit(at.after(ANSWER), Side::Server, b"");
        accepted.header.syn = true;
        self.server.next = self.server.next.wrapping_add(1);
        let ack = self.emit(accepted.at.after(ANSWER), Side::Client, b"");
        vec![syn, accepted, ack]
    }

    /// Data in segments of these sizes, of which the last repeats (full ones where none is given), with the other
    /// side's acknowledgments.
    pub fn send(&mut self, at: Timestamp, from: Side, bytes: &[u8], sizes: &[usize]) -> Vec<Segment> {
        let full = [self.mss()];
        let pieces = faults::cut(bytes, if sizes.is_empty() { &full } else { sizes });
        let count = pieces.len();
        let mut out = Vec::with_capacity(count + count / SEGMENTS_PER_ACK + 1);
        let mut due = at;
        for (n, piece) in (1..).zip(pieces) {
            out.push(self.emit(due, from, piece));
            if n % SEGMENTS_PER_ACK == 0 || n == count {
                out.push(self.emit(due.after(ANSWER), from.other(), b""));
            }
            due = due.after(GAP);
        }
        out.sort_by_key(|segment| segment.at);
        out
    }

    /// One segment of data that nobody acknowledges; without data, an acknowledgment.
    pub fn emit(&mut self, at: Timestamp, from: Side, data: &[u8]) -> Segment {
        let ack = Some(self.next(from.other()));
        let end = self.end_mut(from);
        let header = TcpSegment { seq: end.next, ack, window: end.window, ..TcpSegment::default() };
        end.next = end.next.wrapping_add(data.len() as u32);
        end.ip_id = end.ip_id.wrapping_add(1);
        Segment { at, from, path: end.path.clone(), ip_id: end.ip_id, header, data: data.to_vec() }
    }

    /// A keep-alive, one before the next sequence number, and its answer; some stacks send a byte of garbage with it
    /// (RFC 9293, section 3.8.4).
    pub fn keep_alive(&mut self, at: Timestamp, from: Side, with_garbage: bool) -> Vec<Segment> {
        let mut probe = self.emit(at, from, b"");
        probe.header.seq = probe.header.seq.wrapping_sub(1);
        if with_garbage {
            probe.data.push(0);
        }
        vec![probe, self.emit(at.after(ANSWER), from.other(), b"")]
    }

    /// Says that this side takes no more for now (RFC 9293, section 3.8.6).
    pub fn zero_window(&mut self, at: Timestamp, from: Side) -> Segment {
        self.window(at, from, 0)
    }

    /// Says how many bytes this side takes from now on.
    pub fn window(&mut self, at: Timestamp, from: Side, bytes: u16) -> Segment {
        self.end_mut(from).window = bytes;
        self.emit(at, from, b"")
    }

    /// FIN and ACK each way, begun by `from`.
    pub fn close(&mut self, at: Timestamp, from: Side) -> Vec<Segment> {
        let first = self.fin(at, from);
        let ack = self.emit(at.after(ANSWER), from.other(), b"");
        let second = self.fin(ack.at.after(GAP), from.other());
        let last = self.emit(second.at.after(ANSWER), from, b"");
        vec![first, ack, second, last]
    }

    /// FIN of one side, which may be the only one: the other may go on sending.
    pub fn fin(&mut self, at: Timestamp, from: Side) -> Segment {
        let mut fin = self.emit(at, from, b"");
        fin.header.fin = true;
        let end = self.end_mut(from);
        end.next = end.next.wrapping_add(1);
        fin
    }

    /// RST and ACK: one side gives up.
    pub fn abort(&mut self, at: Timestamp, from: Side) -> Segment {
        let mut reset = self.emit(at, from, b"");
        reset.header.rst = true;
        reset
    }

    /// What a host sends that does not know the connection of this segment: RST with the sequence number that the
    /// segment acknowledged and no ACK; to a segment without ACK, RST and ACK (RFC 9293, section 3.10.7.1).
    pub fn unknown(&mut self, at: Timestamp, answered: &Segment) -> Segment {
        let mut reset = self.emit(at, answered.from.other(), b"");
        let (seq, ack) = match answered.header.ack {
            Some(ack) => (ack, None),
            None => (0, Some(answered.end())),
        };
        reset.header = TcpSegment { seq, ack, rst: true, window: 0, ..TcpSegment::default() };
        reset
    }

    const fn end(&self, side: Side) -> &End {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}
