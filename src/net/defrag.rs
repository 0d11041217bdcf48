//! Fragments of IPv4 (RFC 791, 3.2) and IPv6 (RFC 8200, 4.5) put together.
//!
//! Fragments come in any order, repeated and overlapping; where two claim the same octets, the first one captured wins,
//! since that is what most receivers keep. What is kept is bounded in datagrams, pieces and bytes. The oldest unfinished
//! datagram leaves first, and is counted when it does. If it may hold the beginning of a SIP message, that is kept for
//! [`Defrag::take_beginnings`].

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use smallvec::SmallVec;

use super::pieces::uncovered;
use super::transport::UDP_HEADER;
use super::{Fragment, Frame, Path, ip};
use crate::counters::{DecodeCounters, Layer, Malformed};
use crate::limits::{DEFRAG_BYTES, DEFRAG_DATAGRAMS, DEFRAG_MESSAGE_MS, DEFRAG_PIECES, DEFRAG_SECONDS};
use crate::packet::{PacketId, PacketMeta};
use crate::time::{Elapsed, Timestamp};

/// The end of the largest possible payload, in octets.
const LARGEST: u32 = 65_535;

/// The packets that carried a datagram, the completing one last.
pub type CarriedBy = SmallVec<[PacketId; 2]>;

/// A datagram put together: whole, or its beginning when the rest never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The IP payload; shorter than `wire_len` when the capture cut a fragment, or one is missing.
    pub payload: Vec<u8>,
    /// Its length on the wire, as far as that is known.
    pub wire_len: usize,
    /// What it is, as its first fragment says.
    pub protocol: u8,
    /// The packets that carried it, the completing one last.
    pub packets: CarriedBy,
    /// The packet that completed it, or brought the last piece there is.
    pub last: PacketMeta,
    /// Identification, shared by all its fragments.
    pub id: u32,
    src: IpAddr,
    dst: IpAddr,
    ttl: u8,
    path: Path,
}

impl Joined {
    /// The datagram as if it had come in one packet.
    pub fn frame(&self) -> Result<Frame<'_>, Malformed> {
        ip::through_extensions(Frame {
            protocol: self.protocol,
            payload: &self.payload,
            wire_len: self.wire_len,
            fragment: None,
            src: self.src,
            dst: self.dst,
            // An identification of IPv6 has 32 bits and is none of the header.
            ip_id: if self.src.is_ipv4() { self.id as u16 } else { 0 },
            ttl: self.ttl,
            path: self.path.clone(),
        })
    }
}

/// Datagrams of which some fragments are missing.
#[derive(Debug, Default)]
pub struct Defrag {
    datagrams: HashMap<Key, Datagram, foldhash::fast::RandomState>,
    /// Oldest first: by when the first fragment came.
    by_age: BTreeMap<u64, Key>,
    /// Those of them that may hold a message.
    messages: BTreeMap<u64, Key>,
    next_serial: u64,
    bytes: usize,
    /// Beginnings of messages whose rest was given up.
    beginnings: Vec<Joined>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: u16,
    interface: u16,
    path: Path,
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// 0 for IPv6, where it is not part of the identity.
    protocol: u8,
}

#[derive(Debug)]
struct Datagram {
    serial: u64,
    started: Timestamp,
    first: PacketMeta,
    /// In order of offset, never overlapping.
    pieces: Vec<Piece>,
    /// Octets of the wire that the pieces stand for.
    covered: u32,
    /// Known once the last fragment has come.
    end: Option<u32>,
    /// Known once the first fragment has come; until then that of any.
    protocol: u8,
    packets: CarriedBy,
    last: PacketMeta,
    ttl: u8,
}

#[derive(Debug)]
struct Piece {
    offset: u32,
    end: u32,
    /// Shorter than `offset..end` when the capture cut it.
    data: Box<[u8]>,
}

impl Piece {
    fn cost(&self) -> usize {
        self.data.len() + size_of::<Self>()
    }
}

/// One fragment's place and octets.
#[derive(Clone, Copy)]
struct Arrived<'p> {
    offset: u32,
    end: u32,
    more: bool,
    data: &'p [u8],
}

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Ip, why)
}

const MISSING: Malformed = malformed("fragments missing");
/// Not the network's fault: another one than those that the network lost.
const NO_ROOM: Malformed = malformed("no room for fragments");

impl Defrag {
    /// Takes a fragment that these packets carried, and gives the datagram that it completes. `frame` must be a fragment;
    /// any other is ignored.
    pub fn push(
        &mut self,
        meta: &PacketMeta,
        carried_by: &[PacketId],
        frame: &Frame<'_>,
        counters: &mut DecodeCounters,
    ) -> Option<Joined> {
        let fragment = frame.fragment?;
        counters.fragments.arrived += 1;
        self.expire(meta.at, counters);
        let arrived = match placed(frame, fragment) {
            Ok(arrived) => arrived,
            Err(why) => {
                counters.malformed(*meta, why, frame.payload);
                return None;
            }
        };
        let key = Key::new(meta, frame, fragment);
        self.open(&key, meta, frame, counters);
        let datagram = self.datagrams.get_mut(&key)?;
        let before = datagram.cost();
        match datagram.take(arrived) {
            Ok(Taken::Repeated) => counters.pass("repeated fragment"),
            Ok(Taken::New { overlaps }) => {
                datagram.packets.extend_from_slice(carried_by);
                datagram.last = *meta;
                if arrived.offset == 0 {
                    (datagram.protocol, datagram.ttl) = (frame.protocol, frame.ttl);
                    if datagram.may_hold_message() {
                        self.messages.insert(datagram.serial, key.clone());
                    }
                }
                if overlaps {
                    counters.malformed(*meta, malformed("fragments overlap"), frame.payload);
                }
            }
            Err(why) => counters.malformed(*meta, why, frame.payload),
        }
        self.bytes = (self.bytes + datagram.cost()).saturating_sub(before);
        if datagram.is_whole() {
            counters.fragments.joined += 1;
            return self.remove(&key).map(|datagram| datagram.join(key));
        }
        if datagram.pieces.len() >= DEFRAG_PIECES {
            self.give_up(&key, malformed("too many fragments"), counters);
        }
        while self.bytes > DEFRAG_BYTES && self.give_up_oldest(NO_ROOM, counters) {
            counters.fragments.evicted_by_bytes += 1;
        }
        None
    }

    /// Gives up what at packet time `now` is older than [`DEFRAG_SECONDS`], or [`DEFRAG_MESSAGE_MS`] if it may hold a
    /// message.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters) {
        let message = Elapsed::from_millis(DEFRAG_MESSAGE_MS);
        while let Some(key) = oldest(&self.messages, &self.datagrams, now, message) {
            counters.fragments.incomplete += 1;
            self.give_up(&key, MISSING, counters);
        }
        while let Some(key) = oldest(&self.by_age, &self.datagrams, now, Elapsed::from_secs(DEFRAG_SECONDS)) {
            counters.fragments.incomplete += 1;
            self.give_up(&key, MISSING, counters);
        }
    }

    /// Gives up all that is left, at the end of a capture.
    pub fn finish(&mut self, counters: &mut DecodeCounters) {
        while self.give_up_oldest(MISSING, counters) {
            counters.fragments.incomplete += 1;
        }
    }

    /// The beginnings of what may be messages, whose rest was given up since the last call.
    pub fn take_beginnings(&mut self) -> Vec<Joined> {
        std::mem::take(&mut self.beginnings)
    }

    /// Unfinished datagrams.
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether nothing is unfinished.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Bytes kept for unfinished datagrams; at most [`DEFRAG_BYTES`] between two calls.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn open(&mut self, key: &Key, meta: &PacketMeta, frame: &Frame<'_>, counters: &mut DecodeCounters) {
        if self.datagrams.contains_key(key) {
            return;
        }
        while self.datagrams.len() >= DEFRAG_DATAGRAMS && self.give_up_oldest(NO_ROOM, counters) {
            counters.fragments.evicted_by_count += 1;
        }
        let serial = self.next_serial;
        self.next_serial += 1;
        let datagram = Datagram {
            serial,
            started: meta.at,
            first: *meta,
            pieces: Vec::new(),
            covered: 0,
            end: None,
            protocol: frame.protocol,
            packets: CarriedBy::new(),
            last: *meta,
            ttl: frame.ttl,
        };
        self.by_age.insert(serial, key.clone());
        self.datagrams.insert(key.clone(), datagram);
    }

    fn remove(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.by_age.remove(&datagram.serial);
        self.messages.remove(&datagram.serial);
        self.bytes = self.bytes.saturating_sub(datagram.cost());
        Some(datagram)
    }

    fn give_up_oldest(&mut self, why: Malformed, counters: &mut DecodeCounters) -> bool {
        let Some(key) = self.by_age.first_key_value().map(|(_, key)| key.clone()) else { return false };
        self.give_up(&key, why, counters);
        true
    }

    fn give_up(&mut self, key: &Key, why: Malformed, counters: &mut DecodeCounters) {
        let Some(datagram) = self.remove(key) else { return };
        let sample = datagram.pieces.first().map(|piece| &*piece.data).unwrap_or_default();
        counters.malformed(datagram.first, why, sample);
        if datagram.may_hold_message() && self.beginnings.len() < DEFRAG_DATAGRAMS {
            self.beginnings.push(datagram.join(key.clone()));
        }
    }
}

/// The first of these datagrams, if it is older than `age` at `now`.
fn oldest(
    order: &BTreeMap<u64, Key>,
    datagrams: &HashMap<Key, Datagram, foldhash::fast::RandomState>,
    now: Timestamp,
    age: Elapsed,
) -> Option<Key> {
    let (_, key) = order.first_key_value()?;
    datagrams.get(key).filter(|datagram| now.since(datagram.started) > age).map(|_| key.clone())
}

/// Checks that a fragment can belong to any datagram at all.
fn placed<'p>(frame: &Frame<'p>, fragment: Fragment) -> Result<Arrived<'p>, Malformed> {
    let end = u32::try_from(frame.wire_len)
        .ok()
        .and_then(|length| fragment.offset.checked_add(length))
        .filter(|end| *end <= LARGEST)
        .ok_or(malformed("fragment ends beyond the largest datagram"))?;
    if fragment.more && (frame.wire_len == 0 || !frame.wire_len.is_multiple_of(8)) {
        return Err(malformed("fragment length not a multiple of eight"));
    }
    Ok(Arrived { offset: fragment.offset, end, more: fragment.more, data: frame.payload })
}

impl Key {
    fn new(meta: &PacketMeta, frame: &Frame<'_>, fragment: Fragment) -> Self {
        Self {
            source: meta.id.source(),
            interface: meta.interface,
            path: frame.path.clone(),
            src: frame.src,
            dst: frame.dst,
            id: fragment.id,
            protocol: if frame.src.is_ipv4() { frame.protocol } else { 0 },
        }
    }
}

/// What became of a fragment.
enum Taken {
    /// All its octets were here already.
    Repeated,
    /// It brought octets that were missing, or told the end; `overlaps` when it also brought others.
    New { overlaps: bool },
}

impl Datagram {
    fn cost(&self) -> usize {
        self.pieces.iter().map(Piece::cost).sum::<usize>() + size_of_val(self.packets.as_slice())
    }

    fn is_whole(&self) -> bool {
        self.end == Some(self.covered)
    }

    /// Whether its first piece is there and may be, or hold, the start of a SIP message: text in UDP, or a tunnel.
    fn may_hold_message(&self) -> bool {
        let Some(first) = self.pieces.first().filter(|piece| piece.offset == 0) else { return false };
        match self.protocol {
            ip::UDP => first.data.get(UDP_HEADER).is_some_and(u8::is_ascii_alphabetic),
            ip::IPV4 | ip::IPV6 | ip::GRE | ip::MPLS => !first.data.is_empty(),
            _ => false,
        }
    }

    fn take(&mut self, arrived: Arrived<'_>) -> Result<Taken, Malformed> {
        const ENDS: Malformed = malformed("fragments disagree about the end");
        let reach = self.pieces.last().map_or(0, |piece| piece.end);
        match self.end {
            Some(end) if arrived.end > end || (!arrived.more && arrived.end != end) => return Err(ENDS),
            None if !arrived.more && arrived.end < reach => return Err(ENDS),
            _ => {}
        }
        let tells_end = !arrived.more && self.end.is_none();
        if tells_end {
            self.end = Some(arrived.end);
        }
        let missing = self.missing(arrived);
        let new: u32 = missing.iter().map(|(from, to)| to - from).sum();
        if new == 0 && !tells_end {
            return Ok(Taken::Repeated);
        }
        for (from, to) in missing {
            let start = (from - arrived.offset) as usize;
            let stop = ((to - arrived.offset) as usize).min(arrived.data.len());
            let data = arrived.data.get(start..stop).unwrap_or_default().into();
            self.pieces.push(Piece { offset: from, end: to, data });
        }
        self.pieces.sort_by_key(|piece| piece.offset);
        self.covered += new;
        Ok(Taken::New { overlaps: new < arrived.end - arrived.offset })
    }

    /// The parts of a fragment that no piece covers.
    fn missing(&self, arrived: Arrived<'_>) -> SmallVec<[(u32, u32); 4]> {
        let pieces = self.pieces.iter().map(|piece| (piece.offset.into(), piece.end.into()));
        let holes = uncovered(pieces, arrived.offset.into(), arrived.end.into());
        holes.into_iter().map(|(from, to)| (from as u32, to as u32)).collect()
    }

    /// All pieces in one, up to the first octet that the capture cut off or that never came.
    fn join(self, key: Key) -> Joined {
        let mut payload = Vec::with_capacity(self.pieces.iter().map(|piece| piece.data.len()).sum());
        for piece in &self.pieces {
            if piece.offset as usize != payload.len() {
                break;
            }
            payload.extend_from_slice(&piece.data);
        }
        // Of a datagram without its end only this is sure: more was to come.
        let reach = self.pieces.last().map_or(0, |piece| piece.end);
        let wire_len = self.end.unwrap_or(reach + 1) as usize;
        Joined {
            payload,
            wire_len,
            protocol: self.protocol,
            packets: self.packets,
            last: self.last,
            id: key.id,
            src: key.src,
            dst: key.dst,
            ttl: self.ttl,
            path: key.path,
        }
    }
}

#[cfg(test)]
mod tests;
