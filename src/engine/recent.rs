//! The newest packets of a live capture, so that a call can be saved that nobody thought of saving when it began.
//!
//! Signalling is kept apart from media: a second of voice takes the room of an hour of messages. What may still become
//! signalling, segments and fragments, has a room of its own, which other traffic over TCP cannot take from messages. Once
//! it is known to be signalling it is put there, too.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

use lru::LruCache;

use super::inside::{Inside, inside};
use crate::decode::Decoder;
use crate::decode::stream::Protocol;
use crate::event::{Decoded, Event};
use crate::limits::{
    RECENT_BEGINNING_PACKETS, RECENT_CHUNK_BYTES, RECENT_MEDIA_BYTES, RECENT_SIGNALLING_BYTES, RECENT_STREAM_BYTES,
    RECENT_WEBSOCKETS,
};
use crate::packet::{Batch, FlowKey, Packet, PacketId, Transport};
use crate::store::snapshot::{MemoryUse, RecentView};

/// The packets of one kind, the oldest first; each chunk in order.
pub(super) type Chunks = Vec<Arc<Batch>>;

/// A chunk that is full, and the range of its packets' numbers.
#[derive(Debug)]
struct Full {
    packets: Arc<Batch>,
    ids: RangeInclusive<PacketId>,
}

/// Chunks of packets within a limit. They are shared with whoever saves them, and never changed once they are full.
#[derive(Debug)]
struct Ring {
    full: VecDeque<Full>,
    open: Batch,
    bytes: usize,
    limit: usize,
    spare: Option<Batch>,
}

impl Ring {
    fn new(limit: usize) -> Self {
        Self { full: VecDeque::new(), open: Batch::new(), bytes: 0, limit, spare: None }
    }

    #[inline]
    fn push(&mut self, packet: &Packet<'_>) {
        if self.open.bytes() + packet.data.len() > RECENT_CHUNK_BYTES && !self.open.is_empty() {
            self.close();
        }
        self.open.push(packet.meta, packet.data);
    }

    /// Puts the open chunk to the full ones, and lets go of the oldest above the limit.
    fn close(&mut self) {
        let next = match self.spare.take() {
            Some(spare) => spare,
            None => Batch::new(),
        };
        let full = std::mem::replace(&mut self.open, next);
        self.bytes += full.memory();
        let ids = || full.iter().map(|packet| packet.meta.id);
        if let Some((first, last)) = ids().min().zip(ids().max()) {
            self.full.push_back(Full { packets: Arc::new(full), ids: first..=last });
        }
        while self.bytes > self.limit
            && let Some(oldest) = self.full.pop_front()
        {
            self.bytes -= oldest.packets.memory();
            // Memory that was used before costs less than new memory.
            if let Ok(mut chunk) = Arc::try_unwrap(oldest.packets) {
                chunk.clear();
                self.spare = Some(chunk);
            }
        }
    }

    fn share(&mut self) -> Chunks {
        if !self.open.is_empty() {
            self.close();
        }
        self.full.iter().map(|full| Arc::clone(&full.packets)).collect()
    }

    fn oldest(&self) -> Option<Packet<'_>> {
        self.full.front().map_or(&self.open, |full| &*full.packets).get(0)
    }

    /// Gives the packets with these numbers as far as they are here, the newest first, and leaves the other numbers.
    fn find(&self, wanted: &mut HashSet<PacketId>, mut take: impl FnMut(&Packet<'_>)) {
        let mut look = |chunk: &Batch, wanted: &mut HashSet<PacketId>| {
            for packet in backwards(chunk) {
                if wanted.is_empty() {
                    return;
                }
                if wanted.remove(&packet.meta.id) {
                    take(&packet);
                }
            }
        };
        look(&self.open, wanted);
        for full in self.full.iter().rev() {
            if wanted.iter().any(|id| full.ids.contains(id)) {
                look(&full.packets, wanted);
            }
        }
    }

    /// The newest packets, the newest first.
    fn newest(&self) -> impl Iterator<Item = Packet<'_>> {
        backwards(&self.open).chain(self.full.iter().rev().flat_map(|full| backwards(&full.packets)))
    }
}

fn backwards(chunk: &Batch) -> impl Iterator<Item = Packet<'_>> {
    (0..chunk.len()).rev().filter_map(|at| chunk.get(at))
}

/// The newest packets by kind.
#[derive(Debug)]
pub(super) struct Recent {
    signalling: Ring,
    streams: Ring,
    media: Ring,
    /// Packets of the batch at hand that events came from; kept for its memory.
    events: HashSet<PacketId>,
    /// WebSocket connections with SIP whose handshake was found.
    websockets: LruCache<FlowKey, ()>,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            signalling: Ring::new(RECENT_SIGNALLING_BYTES),
            streams: Ring::new(RECENT_STREAM_BYTES),
            media: Ring::new(RECENT_MEDIA_BYTES),
            events: HashSet::new(),
            websockets: LruCache::new(RECENT_WEBSOCKETS),
        }
    }
}

impl Recent {
    /// Keeps the packets of a batch by what was found in them. What was found may also lie in packets of earlier batches.
    pub fn keep(&mut self, batch: &Batch, decoded: &Decoded, decoder: &Decoder) {
        self.events.clear();
        let mut websockets = Vec::new();
        for event in &decoded.events {
            match event {
                Event::Sip(arrival) => {
                    self.events.extend(arrival.packets.iter().copied());
                    if arrival.transport == Transport::Ws {
                        websockets.push(arrival.flow);
                    }
                }
                Event::TcpFlow(fact) => self.events.extend([fact.packet]),
                Event::Icmp(fact) => self.events.extend([fact.packet]),
                Event::Rtcp(_) => {}
            }
        }
        let mut rtp = decoded.rtp.iter().peekable();
        for packet in batch.iter() {
            let id = packet.meta.id;
            if rtp.next_if(|sample| sample.packet == id).is_some() {
                self.media.push(&packet);
                continue;
            }
            if self.events.remove(&id) {
                self.signalling.push(&packet);
                continue;
            }
            let ring = match inside(&packet) {
                Inside::Stream(flow) => match decoder.protocol(flow) {
                    Protocol::Sip => &mut self.signalling,
                    Protocol::WebSocket => {
                        websockets.push(flow);
                        &mut self.signalling
                    }
                    // A message may be seen in it only later.
                    Protocol::Unknown | Protocol::Tls | Protocol::Other => &mut self.streams,
                },
                Inside::Piece => &mut self.streams,
                Inside::Datagram(_) | Inside::Other => &mut self.media,
            };
            ring.push(&packet);
        }
        if !self.events.is_empty() {
            self.streams.find(&mut self.events, |packet| self.signalling.push(packet));
        }
        websockets.into_iter().for_each(|flow| self.keep_handshake(flow));
    }

    /// A WebSocket connection cannot be read without its handshake, which came before anybody knew.
    fn keep_handshake(&mut self, flow: FlowKey) {
        let reversed = FlowKey { src: flow.dst, dst: flow.src };
        if self.websockets.put(flow.min(reversed), ()).is_some() {
            return;
        }
        for packet in self.streams.newest().take(RECENT_BEGINNING_PACKETS) {
            if matches!(inside(&packet), Inside::Stream(its) if its == flow || its == reversed) {
                self.signalling.push(&packet);
            }
        }
    }

    /// Everything, for somebody who saves it on a thread of its own.
    pub fn share(&mut self) -> Vec<Chunks> {
        [&mut self.signalling, &mut self.streams, &mut self.media].map(Ring::share).into()
    }

    /// Room taken, and the limits.
    pub fn memory(&self) -> [MemoryUse; 3] {
        let rows = [
            ("recent signalling", &self.signalling),
            ("recent TCP, fragments", &self.streams),
            ("recent media and others", &self.media),
        ];
        rows.map(|(what, ring)| MemoryUse::new(what, ring.bytes + ring.open.bytes(), ring.limit, "bytes", 0))
    }

    /// How far it reaches back.
    pub fn view(&self) -> RecentView {
        let since = |ring: &Ring| ring.oldest().map(|packet| packet.meta.at);
        RecentView { signalling: since(&self.signalling), streams: since(&self.streams), media: since(&self.media) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::demo::story;
    use crate::decode::DecodeOptions;
    use crate::packet::{LinkType, PacketMeta};
    use crate::time::Timestamp;

    fn meta(number: u64) -> PacketMeta {
        PacketMeta {
            id: PacketId::new(0, number),
            at: Timestamp::from_nanos(number as i64),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: 1_000,
        }
    }

    #[test]
    fn a_ring_keeps_the_newest_within_its_limit() {
        let mut ring = Ring::new(8 * RECENT_CHUNK_BYTES);
        let count = 40 * RECENT_CHUNK_BYTES as u64 / 1_000;
        for number in 1..=count {
            ring.push(&Packet { meta: meta(number), data: &[7; 1_000] });
            assert!(ring.bytes <= ring.limit);
        }
        let shared = ring.share();
        let oldest = ring.oldest().map(|packet| packet.meta.id.number()).unwrap();
        let kept: Vec<u64> = shared.iter().flat_map(|chunk| chunk.iter().map(|p| p.meta.id.number())).collect();
        assert!(kept.iter().copied().eq(oldest..=count), "{oldest} {}", kept.len());
        assert!(kept.len() > 5 * RECENT_CHUNK_BYTES / 1_000, "{} packets", kept.len());
    }

    #[test]
    fn messages_are_kept_apart_from_media() {
        let (mut recent, mut decoder) = (Recent::default(), Decoder::new(DecodeOptions::default()));
        let (mut story, mut frame) = (story(Timestamp::from_parts(1_767_603_600, 0)), Vec::new());
        let (mut number, mut messages) = (0, 0);
        while let Some(at) = story.next_packet(&mut frame) {
            let (mut batch, mut decoded) = (Batch::default(), Decoded::default());
            number += 1;
            batch.push(PacketMeta { at, original_len: frame.len() as u32, ..meta(number) }, &frame);
            decoder.decode(&batch, &mut decoded);
            messages += decoded.events.iter().filter(|event| matches!(event, Event::Sip(_))).count();
            recent.keep(&batch, &decoded, &decoder);
        }
        let counts: Vec<usize> =
            recent.share().iter().map(|chunks| chunks.iter().map(|chunk| chunk.len()).sum()).collect();
        assert!(messages > 100 && counts[0] >= messages && counts[0] < messages * 2, "{counts:?}, {messages} messages");
        assert!(counts[2] > counts[0] * 5, "{counts:?}");
        assert_eq!(counts.iter().sum::<usize>() as u64, number);
    }
}
