//! SCTP packets (RFC 9260) and the user messages in them.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use lru::LruCache;

use super::defrag::CarriedBy;
use super::octets::{u16_at, u32_at};
use super::{Frame, Segment, transport};
use crate::counters::{Layer, Malformed};
use crate::limits::{
    DEFRAG_PIECES, SCTP_ASSOCIATIONS, SCTP_CHUNKS, SCTP_CHUNKS_BEHIND, SCTP_UNFINISHED, SIP_MESSAGE_BYTES,
};
use crate::packet::{FlowKey, PacketId, Transport};

/// Octets of the common header, and of a chunk's header.
const HEADER: usize = 12;
const CHUNK: usize = 4;

/// Where the verification tag stands.
const TAG: usize = 4;

const DATA: u8 = 0;
/// RFC 8260, 2.1.
const I_DATA: u8 = 64;

/// Octets behind the chunk header before the payload.
const DATA_FIELDS: usize = 12;
const I_DATA_FIELDS: usize = 16;

/// First and last fragment of a message; a whole one is both.
const BEGINNING: u8 = 2;
const ENDING: u8 = 1;

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'p> {
    /// A whole user message.
    Message(Data<'p>),
    /// A piece of one.
    Fragment(Data<'p>),
    /// Anything that carries no user data.
    Control,
}

/// A user message or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'p> {
    /// The verification tag of the packet: it tells one association from the next between the same ports.
    pub tag: u32,
    /// Its transmission sequence number; the pieces of a message have consecutive ones.
    pub tsn: u32,
    /// Whether it is the first.
    pub first: bool,
    /// Whether it is the last.
    pub last: bool,
    /// Addresses, ports, and the octets at hand.
    pub segment: Segment<'p>,
}

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Transport, why)
}

/// The chunks of an SCTP packet, in order. An error is the last item.
pub fn chunks<'p>(frame: &Frame<'p>) -> Result<Chunks<'p>, Malformed> {
    const CUT: Malformed = malformed("cut inside the SCTP header");
    let flow = transport::flow(frame).ok_or(CUT)?;
    let rest = frame.payload.get(HEADER..).ok_or(CUT)?;
    let tag = u32_at(frame.payload, TAG).ok_or(CUT)?;
    Ok(Chunks { flow, tag, rest })
}

/// See [`chunks`].
#[derive(Clone, Debug)]
pub struct Chunks<'p> {
    flow: FlowKey,
    tag: u32,
    rest: &'p [u8],
}

impl<'p> Iterator for Chunks<'p> {
    type Item = Result<Chunk<'p>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        // Up to three octets of padding may stand behind the last chunk.
        if rest.len() < CHUNK {
            return None;
        }
        let length = usize::from(u16_at(rest, 2)?);
        if length < CHUNK {
            self.rest = &[];
            return Some(Err(malformed("SCTP chunk length smaller than its header")));
        }
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        let (kind, flags) = (*rest.first()?, *rest.get(1)?);
        let value = rest.get(CHUNK..length).or(rest.get(CHUNK..)).unwrap_or_default();
        let fields = match kind {
            DATA => DATA_FIELDS,
            I_DATA => I_DATA_FIELDS,
            _ => return Some(Ok(Chunk::Control)),
        };
        Some(self.data(flags, value, fields, length - CHUNK))
    }
}

impl<'p> Chunks<'p> {
    fn data(&self, flags: u8, value: &'p [u8], fields: usize, length: usize) -> Result<Chunk<'p>, Malformed> {
        let cut = malformed("cut inside an SCTP DATA chunk");
        let payload = value.get(fields..).ok_or(cut)?;
        let wire_len = length - fields;
        let segment = Segment {
            flow: self.flow,
            transport: Transport::Sctp,
            payload,
            wire_len,
            complete: payload.len() == wire_len,
        };
        let (first, last) = (flags & BEGINNING != 0, flags & ENDING != 0);
        let data = Data { tag: self.tag, tsn: u32_at(value, 0).ok_or(cut)?, first, last, segment };
        Ok(if first && last { Chunk::Message(data) } else { Chunk::Fragment(data) })
    }
}

/// The chunks with SIP that came last on each association, to know those that are sent again.
#[derive(Debug)]
pub struct Recent(LruCache<(FlowKey, u32), VecDeque<u32>, RandomState>);

impl Default for Recent {
    fn default() -> Self {
        Self(LruCache::with_hasher(SCTP_ASSOCIATIONS, RandomState::default()))
    }
}

impl Recent {
    /// Whether a chunk of this number came before on its association. It is remembered.
    pub fn is_again(&mut self, data: &Data<'_>) -> bool {
        let numbers = self.0.get_or_insert_mut((data.segment.flow, data.tag), VecDeque::new);
        if numbers.contains(&data.tsn) {
            return true;
        }
        if numbers.len() >= SCTP_CHUNKS {
            numbers.pop_front();
        }
        numbers.push_back(data.tsn);
        false
    }
}

/// Messages in pieces that are being put together. Pieces that do not follow one another end their message: senders send
/// them in order, and on one path they stay so.
#[derive(Debug, Default)]
pub struct Assembly {
    unfinished: Vec<Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    flow: FlowKey,
    next: u32,
    packets: CarriedBy,
    bytes: Vec<u8>,
    complete: bool,
}

/// What a piece came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assembled {
    /// Others must follow, or it came twice.
    Pending,
    /// It was the last one.
    Whole {
        /// The message, at most [`SIP_MESSAGE_BYTES`].
        bytes: Vec<u8>,
        /// The packets that carried it.
        packets: CarriedBy,
        /// Whether nothing of it is missing.
        complete: bool,
    },
    /// It belongs to nothing that is kept.
    Stray,
    /// A piece before it is missing: its message is given up.
    Missing,
    /// It begins a message, for which the one that waited the longest was given up.
    NoRoom,
}

impl Assembly {
    /// Takes the next piece, seen in this packet.
    pub fn push(&mut self, piece: &Data<'_>, packet: PacketId) -> Assembled {
        let flow = piece.segment.flow;
        let place = self.unfinished.iter().position(|message| message.flow == flow);
        if piece.first {
            return self.begin(place, piece, packet);
        }
        let Some((place, message)) = place.and_then(|place| Some((place, self.unfinished.get_mut(place)?))) else {
            return Assembled::Stray;
        };
        if message.is_repeated_by(piece.tsn) {
            return Assembled::Pending;
        }
        if message.next != piece.tsn {
            self.unfinished.remove(place);
            return Assembled::Missing;
        }
        message.add(piece, packet);
        if !piece.last {
            return Assembled::Pending;
        }
        let Unfinished { bytes, packets, complete, .. } = self.unfinished.remove(place);
        Assembled::Whole { bytes, packets, complete }
    }

    fn begin(&mut self, place: Option<usize>, piece: &Data<'_>, packet: PacketId) -> Assembled {
        let message = Unfinished::begin(piece, packet);
        if let Some(before) = place.and_then(|place| self.unfinished.get_mut(place)) {
            if before.is_repeated_by(piece.tsn) {
                return Assembled::Pending;
            }
            *before = message;
            return Assembled::Missing;
        }
        let is_full = self.unfinished.len() >= SCTP_UNFINISHED;
        if is_full {
            self.unfinished.remove(0);
        }
        self.unfinished.push(message);
        if is_full { Assembled::NoRoom } else { Assembled::Pending }
    }

    /// Bytes kept of unfinished messages; at most [`SCTP_BYTES`](crate::limits::SCTP_BYTES).
    pub fn bytes(&self) -> usize {
        self.unfinished.iter().map(|message| message.bytes.len()).sum()
    }

    /// The end of a capture: gives up what is unfinished and says how much that was.
    pub fn finish(&mut self) -> usize {
        std::mem::take(&mut self.unfinished).len()
    }
}

impl Unfinished {
    fn begin(piece: &Data<'_>, packet: PacketId) -> Self {
        let mut message = Self {
            flow: piece.segment.flow,
            next: piece.tsn,
            packets: CarriedBy::new(),
            bytes: Vec::new(),
            complete: true,
        };
        message.add(piece, packet);
        message
    }

    fn is_repeated_by(&self, tsn: u32) -> bool {
        (1..=SCTP_CHUNKS_BEHIND).contains(&self.next.wrapping_sub(tsn))
    }

    fn add(&mut self, piece: &Data<'_>, packet: PacketId) {
        let payload = piece.segment.payload;
        let room = SIP_MESSAGE_BYTES.saturating_sub(self.bytes.len());
        // Behind a hole nothing is kept: a message is cut at its end only.
        if self.complete {
            self.bytes.extend_from_slice(payload.get(..room).unwrap_or(payload));
            if self.packets.last() != Some(&packet) {
                self.packets.push(packet);
            }
        }
        let fits = payload.len() <= room && self.packets.len() < DEFRAG_PIECES;
        self.complete &= fits && piece.segment.complete;
        self.next = piece.tsn.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::packets::{SIP, ipv4, sctp, sctp_chunk, sctp_data};
    use crate::net::{Path, ip};

    fn read(packet: &[u8]) -> Vec<Result<Chunk<'_>, Malformed>> {
        let frame = ip::frame(packet, Path::default()).unwrap();
        chunks(&frame).unwrap().collect()
    }

    fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
        ipv4(ip::SCTP, &sctp(chunks))
    }

    #[test]
    fn each_whole_message_of_a_packet_is_given() {
        let i_data = sctp_chunk(64, 3, &[&[0; 16], b"odd".as_slice()].concat());
        let bytes = packet(&[sctp_chunk(3, 0, &[0; 12]), sctp_data(3, 1, SIP), i_data, sctp_data(7, 2, SIP)]);
        let said = read(&bytes);
        let [Ok(Chunk::Control), Ok(Chunk::Message(first)), Ok(Chunk::Message(odd)), Ok(Chunk::Message(last))] = *said
        else {
            panic!("{said:?}")
        };
        let payloads = [first, odd, last].map(|data| data.segment.payload);
        assert_eq!(payloads, [SIP, b"odd".as_slice(), SIP]);
        assert_eq!((first.tag, first.tsn, last.tsn), (7, 1, 2));
        let segment = first.segment;
        assert!(segment.complete && segment.transport == Transport::Sctp);
        assert_eq!((segment.flow.src.port, segment.flow.dst.port), (5060, 5070));
    }

    #[test]
    fn pieces_are_given_with_their_numbers() {
        let bytes = packet(&[sctp_data(2, 7, &SIP[..40]), sctp_data(0, 8, &SIP[40..80]), sctp_data(1, 9, &SIP[80..])]);
        let pieces: Vec<_> = read(&bytes)
            .into_iter()
            .map(|chunk| match chunk {
                Ok(Chunk::Fragment(piece)) => (piece.tsn, piece.first, piece.last, piece.segment.payload.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(pieces, [(7, true, false, 40), (8, false, false, 40), (9, false, true, SIP.len() - 80)]);
    }

    #[test]
    fn damage_has_a_reason() {
        let whole = packet(&[sctp_data(3, 1, SIP)]);
        let cut = &whole[..whole.len() - 20];
        assert!(matches!(read(cut).as_slice(), [Ok(Chunk::Message(message))]
            if !message.segment.complete && message.segment.wire_len == SIP.len()));
        let short = packet(&[vec![3, 0, 0, 3], sctp_data(3, 1, SIP)]);
        assert_eq!(read(&short), [Err(malformed("SCTP chunk length smaller than its header"))]);
        let empty = packet(&[sctp_chunk(0, 3, &[0; 4])]);
        assert_eq!(read(&empty), [Err(malformed("cut inside an SCTP DATA chunk"))]);
        let frame = ipv4(ip::SCTP, &[0; 11]);
        assert!(chunks(&ip::frame(&frame, Path::default()).unwrap()).is_err());
    }

    fn assembled(assembly: &mut Assembly, packet: u64, chunk: Vec<u8>) -> Assembled {
        let packet_bytes = super::tests::packet(&[chunk]);
        let said = read(&packet_bytes);
        let [Ok(Chunk::Fragment(piece))] = said.as_slice() else { panic!("{said:?}") };
        assembly.push(piece, PacketId::new(0, packet))
    }

    #[test]
    fn pieces_become_a_message() {
        let mut assembly = Assembly::default();
        let mut push =
            |packet, flags, tsn, payload: &[u8]| assembled(&mut assembly, packet, sctp_data(flags, tsn, payload));
        assert_eq!(push(1, 2, u32::MAX, &SIP[..40]), Assembled::Pending);
        assert_eq!(push(2, 0, 0, &SIP[40..80]), Assembled::Pending);
        assert_eq!(push(3, 0, 0, &SIP[40..80]), Assembled::Pending, "again");
        let packets = [1, 2, 4].into_iter().map(|number| PacketId::new(0, number)).collect();
        assert_eq!(push(4, 1, 1, &SIP[80..]), Assembled::Whole { bytes: SIP.to_vec(), packets, complete: true });
        assert_eq!(push(5, 1, 2, b"x"), Assembled::Stray);
        assert_eq!(push(6, 2, 5, b"a"), Assembled::Pending);
        assert_eq!(push(7, 0, 7, b"c"), Assembled::Missing);
        assert_eq!(push(8, 2, 9, b"a"), Assembled::Pending);
        assert_eq!(push(9, 2, 12, b"a"), Assembled::Missing, "the one before it");
        assert_eq!((assembly.finish(), assembly.finish()), (1, 0));
    }

    #[test]
    fn a_chunk_that_came_before_is_known_within_its_association() {
        let mut recent = Recent::default();
        let bytes = packet(&[sctp_data(3, 1, SIP)]);
        let [Ok(Chunk::Message(first))] = read(&bytes)[..] else { panic!() };
        let mut is_again = |tag, tsn| recent.is_again(&Data { tag, tsn, ..first });
        assert!(!is_again(7, 1) && !is_again(7, 2) && is_again(7, 1), "sent again");
        assert!(!is_again(8, 1), "another association");
        for tsn in 3..SCTP_CHUNKS as u32 + 2 {
            assert!(!is_again(7, tsn));
        }
        assert!(is_again(7, 2) && !is_again(7, 1), "no more are remembered");
        for tag in 0..2 * SCTP_ASSOCIATIONS.get() as u32 {
            is_again(tag, 9);
        }
        assert_eq!(recent.0.len(), SCTP_ASSOCIATIONS.get());
    }

    #[test]
    fn the_oldest_of_too_many_unfinished_messages_leaves() {
        let mut assembly = Assembly::default();
        let mut begin = |port: u16| {
            let mut bytes = packet(&[sctp_data(2, 1, SIP)]);
            bytes[20..22].copy_from_slice(&port.to_be_bytes());
            let [Ok(Chunk::Fragment(piece))] = read(&bytes)[..] else { panic!() };
            assembly.push(&piece, PacketId::new(0, 1))
        };
        for port in 0..SCTP_UNFINISHED as u16 {
            assert_eq!(begin(port), Assembled::Pending);
        }
        assert_eq!(begin(60_000), Assembled::NoRoom);
        assert_eq!(assembly.bytes(), SCTP_UNFINISHED * SIP.len());
    }

    #[test]
    fn a_message_without_end_is_cut() {
        let mut assembly = Assembly::default();
        let count = SIP_MESSAGE_BYTES as u32 / 1_000 + 50;
        for tsn in 0..count {
            assembled(&mut assembly, 1, sctp_data(if tsn == 0 { 2 } else { 0 }, tsn, &[b'x'; 1_000]));
        }
        let whole = assembled(&mut assembly, 2, sctp_data(1, count, b"x"));
        assert!(matches!(whole, Assembled::Whole { bytes, complete: false, .. } if bytes.len() == SIP_MESSAGE_BYTES));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let packet = packet(&[bytes]);
            prop_assert!(read(&packet).len() <= 200 / 4);
        }
    }
}
