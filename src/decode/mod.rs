//! Packets become events: dispatch by content, never by port.
//!
//! A packet goes the hand path or the general one ([`crate::net`]), its UDP payload to [`udp`], its TCP segment to [`stream`],
//! which puts the octets of every connection in order and finds the messages in them, and what SCTP carries to [`sctp`]. What
//! is in a tunnel goes the general path once more. A packet captured twice is counted and goes no further ([`dedup`]).

mod dedup;
mod hep;
mod icmp;
mod paths;
mod sctp;
pub mod stream;
#[cfg(test)]
mod tests;
mod udp;

use crate::counters::{DecodeCounters, Layer, Malformed};
use crate::event::{Decoded, PacketIds, Trace};
use crate::net::defrag::{Defrag, Joined};
use crate::net::hand::{self, Common};
use crate::net::sctp::{Assembly, Recent};
use crate::net::transport::{Carried, carried};
use crate::net::{Frame, Opened, Path, ip, open, tunnel};
use crate::packet::{Batch, FlowKey, Packet, PacketId, PacketMeta};
use crate::rtp::classify::{Media, classify};
use crate::time::Timestamp;
use dedup::{Dedup, Print};
use paths::Paths;
use stream::{FlowView, Protocol, Streams};
use udp::is_media_first;

/// How to decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Whether RTP and RTCP are handed on; else they are counted as passed.
    pub media: bool,
    /// Whether packets that were captured twice are read once.
    pub dedup: bool,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { media: true, dedup: true }
    }
}

/// Turns packets into events. Holds what must be remembered between packets: unfinished datagrams, packets that may be
/// captured once more, and counters.
#[derive(Debug, Default)]
pub struct Decoder {
    options: DecodeOptions,
    counters: DecodeCounters,
    defrag: Defrag,
    streams: Streams,
    now: Option<Timestamp>,
    sctp: Assembly,
    recent_sctp: Recent,
    dedup: Dedup,
    paths: Paths,
}

/// The packet at hand, for whoever makes an event or a counter of it.
#[derive(Clone, Copy)]
struct Origin<'b> {
    meta: PacketMeta,
    data: &'b [u8],
    /// Set when several packets carried it.
    packets: Option<&'b PacketIds>,
    /// What stands around it; not known on the hand path.
    path: Option<&'b Path>,
    /// What its copies are recognised by, if it is media.
    trace: Trace,
    /// Whether this is but the beginning of a datagram, counted already, of which nothing but SIP is read.
    is_beginning: bool,
}

impl<'b> Origin<'b> {
    fn of(packet: &Packet<'b>) -> Self {
        let trace = Trace::default();
        Self { meta: packet.meta, data: packet.data, packets: None, path: None, trace, is_beginning: false }
    }

    fn packets(&self) -> PacketIds {
        PacketIds::from_slice(self.packet_ids())
    }

    fn packet_ids(&self) -> &[PacketId] {
        self.packets.map_or(std::slice::from_ref(&self.meta.id), |packets| packets.as_slice())
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
        self.expire(now, out);
    }

    /// The end of a capture: gives what still waits for octets before it, and counts datagrams of which fragments are missing.
    pub fn finish(&mut self, out: &mut Decoded) {
        // What is read of one datagram may be a fragment of another, one layer further in.
        while !self.defrag.is_empty() {
            self.defrag.finish(&mut self.counters);
            self.beginnings(out);
        }
        self.finish_sctp();
        self.streams.finish(self.now.unwrap_or_default(), &mut self.counters, out);
    }

    /// The TCP connections that carry SIP, and those that may do so unseen, as [`stream`] lists them.
    pub fn flows(&self) -> Vec<FlowView> {
        self.streams.views()
    }

    /// What the TCP connection of this flow, in either direction, has turned out to carry.
    pub fn protocol(&self, flow: FlowKey) -> Protocol {
        self.streams.protocol(flow)
    }

    /// TCP connections followed, and the bytes that they keep.
    pub fn stream_usage(&self) -> (usize, usize) {
        (self.streams.len(), self.streams.bytes())
    }

    /// Unfinished datagrams, and the bytes that they keep.
    pub fn fragment_usage(&self) -> (usize, usize) {
        (self.defrag.len(), self.defrag.bytes())
    }

    /// Bytes kept of SIP messages in pieces of SCTP.
    pub fn sctp_usage(&self) -> usize {
        self.sctp.bytes()
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
        let Some(common) = hand::datagram(packet.meta.link, packet.data) else {
            return self.uncommon(&Origin::of(packet), out);
        };
        if !is_media_first(&common.segment) {
            return self.common_text(packet, &common, out);
        }
        match classify(common.segment.payload, common.segment.wire_len) {
            Some(Media::Rtp(header)) if self.options.media => {
                let trace = if self.options.dedup { dedup::trace_of_common(packet, &common) } else { Trace::default() };
                out.rtp.push(udp::sample(&header, &common.segment, &packet.meta, trace));
            }
            media => self.common_neighbour(media, packet, &common, out),
        }
    }

    #[inline(never)]
    fn common_text(&mut self, packet: &Packet<'_>, common: &Common<'_>, out: &mut Decoded) {
        let origin = Origin::of(packet);
        if !self.is_copy(|| Print::of_common(packet, common), &origin) {
            self.text_or_neighbour(&common.segment, &origin, out);
        }
    }

    #[inline(never)]
    fn common_neighbour(&mut self, media: Option<Media>, packet: &Packet<'_>, common: &Common<'_>, out: &mut Decoded) {
        let origin = Origin::of(packet);
        if !self.is_copy(|| Print::of_common(packet, common), &origin) {
            self.media(media, &common.segment, &origin, out);
        }
    }

    fn uncommon(&mut self, origin: &Origin<'_>, out: &mut Decoded) {
        match open(origin.meta.link, origin.data) {
            Ok(opened) => self.opened(&opened, origin, out),
            Err(why) => self.undecodable(why, origin),
        }
    }

    /// A packet without what stood around it: the outermost, or one out of a tunnel.
    fn opened(&mut self, opened: &Opened<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let frame = match opened {
            Opened::Ip(frame) => frame,
            Opened::Passed(what) => return self.pass(what, origin),
        };
        if self.is_copy(|| Print::of_frame(frame, origin), origin) {
            return;
        }
        match frame.fragment {
            None => self.whole(frame, origin, out),
            Some(_) => self.fragment(frame, origin, out),
        }
    }

    /// Whether it was captured before; then the packets that carried it are counted.
    fn is_copy(&mut self, print: impl FnOnce() -> Print, origin: &Origin<'_>) -> bool {
        let is_copy = self.options.dedup && self.dedup.is_copy(print(), &origin.meta);
        if is_copy {
            self.counters.duplicates += origin.packet_ids().len() as u64;
        }
        is_copy
    }

    fn fragment(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let joined = self.defrag.push(&origin.meta, origin.packet_ids(), frame, &mut self.counters);
        // Else it is being read in there, and what it put out for lack of room comes next.
        if !origin.is_beginning {
            self.beginnings(out);
        }
        if let Some(joined) = joined {
            self.joined(&joined, &Origin { packets: Some(&joined.packets), ..*origin }, out);
        }
    }

    fn joined(&mut self, joined: &Joined, origin: &Origin<'_>, out: &mut Decoded) {
        match joined.frame() {
            Ok(frame) if frame.fragment.is_some() => {
                self.undecodable(Malformed::new(Layer::Ip, "fragment of a fragment"), origin);
            }
            Ok(frame) => {
                if !self.is_copy(|| Print::of_identified(&frame, joined.id, origin), origin) {
                    self.whole(&frame, origin, out);
                }
            }
            Err(why) => self.undecodable(why, origin),
        }
    }

    /// Gives up what waited too long at packet time `now`. It goes by the time of every packet that makes an event, and in
    /// order of time, so that nothing depends on how packets were batched.
    fn expire(&mut self, now: Timestamp, out: &mut Decoded) {
        while let Some(at) = self.streams.alarm().filter(|at| *at <= now) {
            self.datagrams_expire(at, out);
            self.streams.expire(at, &mut self.counters, out);
        }
        self.datagrams_expire(now, out);
    }

    fn datagrams_expire(&mut self, now: Timestamp, out: &mut Decoded) {
        self.defrag.expire(now, &mut self.counters);
        self.beginnings(out);
    }

    /// Reads the messages that begin in datagrams given up. What is inside one may be a fragment that puts out another: so
    /// round by round, never one within the other. It ends since what is inside lies one layer further in, and layers are few.
    fn beginnings(&mut self, out: &mut Decoded) {
        loop {
            let given_up = self.defrag.take_beginnings();
            if given_up.is_empty() {
                return;
            }
            for joined in given_up {
                let origin = Origin {
                    meta: joined.last,
                    data: &joined.payload,
                    packets: Some(&joined.packets),
                    path: None,
                    trace: Trace::default(),
                    is_beginning: true,
                };
                self.joined(&joined, &origin, out);
            }
        }
    }

    fn whole(&mut self, frame: &Frame<'_>, origin: &Origin<'_>, out: &mut Decoded) {
        let is_traced = self.options.dedup && frame.protocol == ip::UDP;
        let trace = if is_traced { dedup::trace_of(frame, origin) } else { Trace::default() };
        let origin = &Origin { path: Some(&frame.path), trace, ..*origin };
        if let Some(inside) = tunnel::inside(frame) {
            return match inside.and_then(|inside| inside.opened()) {
                Ok(opened) => self.opened(&opened, origin, out),
                Err(why) => self.undecodable(why, origin),
            };
        }
        match carried(frame) {
            Ok(Carried::Udp(segment)) if origin.is_beginning => self.text_or_neighbour(&segment, origin, out),
            Ok(Carried::Udp(segment)) => self.datagram(&segment, origin, out),
            Ok(_) if origin.is_beginning => {}
            Ok(Carried::Tcp(segment)) => {
                self.expire(origin.meta.at, out);
                let path = self.path(origin);
                self.streams.segment(&segment, path, origin, &mut self.counters, out);
            }
            Ok(Carried::Icmp) => {
                self.expire(origin.meta.at, out);
                self.icmp(frame, origin, out);
            }
            Ok(Carried::Sctp) => self.sctp(frame, origin, out),
            Ok(Carried::Passed(what)) => self.counters.pass(what),
            Err(why) => self.undecodable(why, origin),
        }
    }

    /// Counts what is fine but not for us.
    fn pass(&mut self, what: &'static str, origin: &Origin<'_>) {
        if !origin.is_beginning {
            self.counters.pass(what);
        }
    }

    /// Counts what is not fine. Of a datagram that was given up, the missing fragments are counted, and explain the rest.
    fn undecodable(&mut self, why: Malformed, origin: &Origin<'_>) {
        if !origin.is_beginning {
            self.counters.malformed(origin.meta, why, origin.data);
        }
    }
}
