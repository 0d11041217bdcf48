//! One direction: its layers, and which packet brought which octets.

use super::layer::{Found, Layer, Protocol};
use super::tls::Tls;
use crate::event::PacketIds;
use crate::limits::STREAM_MESSAGE_PACKETS;
use crate::net::websocket::DeflateParameters;
use crate::packet::{PacketId, Transport};
use crate::sip::SipMessage;
use crate::time::Timestamp;

/// What a direction gives.
#[derive(Debug)]
pub(super) enum Given {
    /// A SIP message, the packets that carried it, the completing one last, and when all of it had come.
    Message { message: SipMessage, transport: Transport, packets: PacketIds, at: Option<Timestamp> },
    /// A keep-alive between messages.
    KeepAlive,
    /// Octets that belong to no message.
    Skipped { octets: u64, why: &'static str },
    /// The server took the upgrade to WebSocket, and how messages may be compressed.
    Upgraded(Option<DeflateParameters>),
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Side {
    layer: Layer,
    /// Octets since the layers began.
    position: u64,
    marks: Marks,
}

/// Which packet brought the octets from a position on, and when they were there.
#[derive(Debug)]
struct Mark {
    from: u64,
    packet: PacketId,
    at: Timestamp,
}

/// In order of their positions.
#[derive(Debug, Default)]
struct Marks(Vec<Mark>);

impl Side {
    /// A direction of which nothing came yet.
    pub fn new(picked_up: bool) -> Self {
        Self { layer: Layer::new(picked_up), position: 0, marks: Marks::default() }
    }

    /// What it carries.
    pub fn protocol(&self) -> Protocol {
        self.layer.protocol()
    }

    /// Takes octets in order.
    pub fn octets(&mut self, bytes: &[u8], packet: PacketId, at: Timestamp, out: &mut dyn FnMut(Given)) {
        self.marks.add(Mark { from: self.position, packet, at });
        self.position += bytes.len() as u64;
        let marks = &self.marks;
        self.layer.push(bytes, &mut |found| out(marks.name(found)));
        self.settle();
    }

    /// Whether the first octets of what may be a message are all that came.
    pub fn holds_start(&self) -> bool {
        self.layer.holds_start()
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64, out: &mut dyn FnMut(Given)) {
        let marks = &self.marks;
        self.layer.missing(octets, &mut |found| out(marks.name(found)));
        self.position += octets;
        self.settle();
    }

    /// Forgets the packets of octets that are done with, and all when the layers begin anew.
    fn settle(&mut self) {
        if self.layer.is_lost() {
            self.layer = Layer::new(true);
        }
        let needs_from = self.layer.needs_from();
        if matches!(self.layer, Layer::Undecided { .. }) && self.layer.memory() == 0 {
            (self.position, self.marks) = (0, Marks::default());
        }
        self.marks.forget_before(needs_from);
    }

    /// The server says how messages may be compressed.
    pub fn agree(&mut self, deflate: Option<DeflateParameters>) {
        self.layer.agree(deflate);
    }

    /// What the handshake of TLS told.
    pub fn tls(&self) -> Option<&Tls> {
        self.layer.tls()
    }

    /// Whether a message waits of which nothing says where it ends.
    pub fn is_open_ended(&self) -> bool {
        self.layer.is_open_ended()
    }

    /// Nothing came for so long that such a message must have ended.
    pub fn come_to_rest(&mut self, out: &mut dyn FnMut(Given)) {
        let marks = &self.marks;
        self.layer.come_to_rest(&mut |found| out(marks.name(found)));
        self.settle();
    }

    /// Nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(Given)) {
        let marks = &self.marks;
        self.layer.finish(&mut |found| out(marks.name(found)));
        self.marks = Marks::default();
    }

    /// Bytes of memory that wait for more.
    pub fn memory(&self) -> usize {
        self.layer.memory() + self.marks.0.len() * size_of::<Mark>()
    }
}

impl Marks {
    fn add(&mut self, mark: Mark) {
        let is_full = self.0.len() >= STREAM_MESSAGE_PACKETS;
        match self.0.last_mut() {
            // The packet that completes a message is named in any case.
            Some(last) if is_full => (last.packet, last.at) = (mark.packet, mark.at),
            _ => self.0.push(mark),
        }
    }

    /// Octets before this position need no packet any more.
    fn forget_before(&mut self, position: u64) {
        // The last mark that is not behind the position covers it.
        let covering = self.0.partition_point(|mark| mark.from <= position).saturating_sub(1);
        if position == u64::MAX {
            self.0.clear();
        } else {
            self.0.drain(..covering);
        }
    }

    fn name(&self, found: Found) -> Given {
        match found {
            Found::Message { message, transport, start, end } => {
                let (packets, at) = self.covering(start, end);
                Given::Message { message, transport, packets, at }
            }
            Found::KeepAlive => Given::KeepAlive,
            Found::Skipped { octets, why } => Given::Skipped { octets, why },
            Found::Upgraded(deflate) => Given::Upgraded(deflate),
        }
    }

    /// The packets that brought the octets from `start` to `end`, in capture order, and when the last of these was there.
    fn covering(&self, start: u64, end: u64) -> (PacketIds, Option<Timestamp>) {
        let first = self.0.partition_point(|mark| mark.from <= start).saturating_sub(1);
        let covering = self.0.iter().skip(first).take_while(|mark| mark.from < end);
        let at = covering.clone().map(|mark| mark.at).max();
        let mut packets: PacketIds = covering.map(|mark| mark.packet).collect();
        packets.sort_unstable();
        packets.dedup();
        (packets, at)
    }
}
