//! Packets become events: dispatch by content, never by port.
//!
//! A packet goes the hand path or the general one ([`crate::net`]), its UDP payload to [`udp`], its TCP segment to [`stream`],
//! which puts the octets of every connection in order and finds the messages in them, and what SCTP carries to [`sctp`].

mod hep;
mod icmp;
mod sctp;
pub mod stream;
#[cfg(test)]
mod tests;
mod udp;

use crate::counters::{DecodeCounters, Layer, Malformed};
use crate::event::{Decoded, PacketIds};
use crate::net::defrag::Defrag;
use crate::net::sctp::Assembly;
use crate::net::transport::{Carried, carried};
use crate::net::{Frame, Opened, hand, open};
use crate::packet::{Batch, Packet, PacketMeta};
use crate::time::Timestamp;

use stream::{FlowView, Streams};

/// How to decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Whether RTP and RTCP are handed on; else they are counted as passed.
    pub media: bool,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { media: true }
    }
}

/// Turns packets into events. Holds what must be remembered between packets: unfinished datagrams and counters.
#[derive(Debug, Default)]
pub struct Decoder {
    options: DecodeOptions,
    counters: DecodeCounters,
    defrag: Defrag,
    streams: Streams,
    now: Option<Timestamp>,
    sctp: Assembly,
}

/// The packet at hand, for whoever makes an event or a counter of it.
struct Origin<'b> {
    meta: PacketMeta,
    data: &'b [u8],
    /// Set when several packets carried it.
    packets: Option<PacketIds>,
}

impl Origin<'_> {
    fn packets(&self) -> PacketIds {
        self.packets.clone().unwrap_or_else(|| PacketIds::from_slice(&[self.meta.id]))
    }
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(options: DecodeOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Decodes a batch and adds what it finds to `out`. `out.now` becomes the newest packet time.
    pub fn decode(&mut self, batch: &Batch, out: &mut Decoded) {
        out.rtp.reserve(batch.len());
        for packet in batch.iter() {
            out.now = out.now.max(Some(packet.meta.at));
            self.packet(&packet, out);
        }
        self.counters.packets += batch.len() as u64;
        self.counters.bytes += batch.bytes() as u64;
        if let Some(now) = out.now {
            self.tick(now, out);
        }
    }

    /// Packet time has come to `now`: gives up what was waited for too long.
    pub fn tick(&mut self, now: Timestamp, out: &mut Decoded) {
        self.now = self.now.max(Some(now));
        self.defrag.expire(now, &mut self.counters);
        self.streams.expire(now, &mut self.counters, out);
    }

    /// The end of a capture: gives what still waits for octets before it, and counts datagrams of which fragments are missing.
    pub fn finish(&mut self, out: &mut Decoded) {
        self.defrag.finish(&mut self.counters);
        self.finish_sctp();
        self.streams.finish(self.now.unwrap_or_default(), &mut self.counters, out);
    }

    /// The TCP connections that carry SIP, and those that may do so unseen, as [`stream`] lists them.
    pub fn flows(&self) -> Vec<FlowView> {
        self.streams.views()
    }

    /// TCP connections followed, and the bytes that they keep.
    pub fn stream_usage(&self) -> (usize, usize) {
        (self.streams.len(), self.streams.bytes())
    }

    /// Unfinished datagrams, and the bytes that they keep.
    pub fn fragment_usage(&self) -> (usize, usize) {
        (self.defrag.len(), self.defrag.bytes())
    }

    /// What was seen and what could not be used.
    pub fn counters(&self) -> &DecodeCounters {
        &self.counters
    }

    /// The same, to be added to or reset.
    pub fn counters_mut(&mut self) -> &mut DecodeCounters {
        &mut self.counters
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, out: &mut Decoded) {
        let origin = Origin { meta: packet.meta, data: packet.data, packets: None };
        match hand::datagram(packet.meta.link, packet.data) {
            Some(segment) => self.datagram(&segment, &origin, out),
            None => self.uncommon(origin, out),
        }
    }

    fn uncommon(&mut self, mut origin: Origin<'_>, out: &mut Decoded) {
        let frame = match open(origin.meta.link, origin.data) {
            Ok(Opened::Ip(frame)) => frame,
            Ok(Opened::Passed(what)) => return self.counters.pass(what),
            Err(why) => return self.undecodable(why, &origin),
        };
        if frame.fragment.is_none() {
            return self.whole(&frame, &origin, out);
        }
        let Some(whole) = self.defrag.push(&origin.meta, &frame, &mut self.counters) else { return };
        origin.packets = Some(whole.packets.clone());
        match whole.frame(&frame) {
            Ok(frame) if frame.fragment.is_some() => {
                self.undecodable(Malformed::new(Layer::Ip, "fragment of a fragment"), &origin);
            }
            Ok(frame) => self.whole(&frame, &origin, out),
            Err(why) => self.undecodable(why, &origin),
        }
    }

    fn whole(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        match carried(frame) {
            Ok(Carried::Udp(segment)) => self.datagram(&segment, origin, out),
            Ok(Carried::Tcp(segment)) => self.streams.segment(&segment, origin, &mut self.counters, out),
            Ok(Carried::Icmp) => self.icmp(frame, origin, out),
            Ok(Carried::Sctp) => self.sctp(frame, origin, out),
            Ok(Carried::Passed(what)) => self.counters.pass(what),
            Err(why) => self.undecodable(why, origin),
        }
    }

    fn undecodable(&mut self, why: Malformed, origin: &Origin<'_>) {
        self.counters.malformed(origin.meta, why, origin.data);
    }
}
