//! What carries the signalling between two phones: datagrams, or one TCP connection.

use super::super::schedule::Schedule;
use super::super::tcp::{self, Connection, Side};
use super::super::wire::Path;
use super::{Carrier, HOSTS, Message};
use crate::packet::Transport;
use crate::time::{Elapsed, Timestamp};

/// The first message follows this long after the SYN; the handshake takes 400 µs.
const HANDSHAKE: Elapsed = Elapsed::from_millis(1);

/// An idle connection is closed this long after its last message.
const IDLE: Elapsed = Elapsed::from_millis(50);

/// Clients' ports start here; hosts that appear again (see [`super::host`]) take the next.
const CLIENT_PORTS: u16 = 40_000;

/// The way between a phone that begins and another one.
pub(super) enum Line {
    /// Each message is a datagram.
    Datagrams {
        /// As the beginner sends.
        there: Path,
        /// The way back.
        back: Path,
    },
    /// All messages share a connection that the beginner opened.
    Stream {
        /// The connection.
        connection: Box<Connection>,
        /// When its last segment is captured.
        last: Timestamp,
    },
}

impl Line {
    /// Makes the way for pair `number` at a time, and says when the first message may go. `path` is between the two
    /// listening ports.
    pub(super) fn open(carrier: &mut Carrier, path: Path, number: u32, at: Timestamp) -> (Self, Timestamp) {
        if carrier.options.transport == Transport::Udp {
            let back = path.reversed();
            return (Self::Datagrams { there: path, back }, at);
        }
        let mut path = path;
        path.src.port = CLIENT_PORTS + (number / HOSTS % 20_000) as u16;
        // Spread over all values, so that some connections wrap; none of it may change what the random numbers of the
        // calls are.
        let first = number.wrapping_mul(0x9E37_79B9) ^ u32::from(path.dst.port);
        let mut connection = Box::new(Connection::over(path, [first, !first]));
        carrier.truth.tcp_connections += 1;
        let segments = connection.open(at);
        let mut line = Self::Stream { connection, last: at };
        line.schedule(carrier, &segments);
        (line, at.after(HANDSHAKE))
    }

    /// Sends one message.
    pub(super) fn send(&mut self, carrier: &mut Carrier, at: Timestamp, from: Side, message: &Message) {
        match self {
            Self::Datagrams { there, back } => {
                carrier.schedule.sip(at, if from == Side::Client { there } else { back }, message);
            }
            Self::Stream { connection, last } => {
                // Sequence numbers follow the order in which messages are made.
                let segments = connection.send(at.max(*last), from, message.text().as_bytes(), &[]);
                self.schedule(carrier, &segments);
            }
        }
    }

    /// Ends it after its last message.
    pub(super) fn close(mut self, carrier: &mut Carrier) {
        if let Self::Stream { connection, last } = &mut self {
            let segments = connection.close(last.after(IDLE), Side::Client);
            self.schedule(carrier, &segments);
        }
    }

    fn schedule(&mut self, carrier: &mut Carrier, segments: &[tcp::Segment]) {
        if let (Self::Stream { last, .. }, Some(newest)) = (self, segments.last()) {
            *last = newest.at;
        }
        carrier.truth.tcp_segments += segments.len() as u64;
        let on: &mut Schedule = &mut carrier.schedule;
        tcp::schedule(segments, on);
    }
}
