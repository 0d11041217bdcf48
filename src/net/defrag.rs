//! Fragments of IPv4 (RFC 791, 3.2) and IPv6 (RFC 8200, 4.5) put together.
//!
//! Fragments come in any order, repeated and overlapping; where two claim the same octets, the first one captured wins,
//! since that is what most receivers keep. What is kept is bounded in datagrams, pieces and bytes. The oldest unfinished
//! datagram leaves first, and is counted when it does.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use smallvec::SmallVec;

use super::{Fragment, Frame, Path, ip};
use crate::counters::{DecodeCounters, Layer, Malformed};
use crate::limits::{DEFRAG_BYTES, DEFRAG_DATAGRAMS, DEFRAG_PIECES, DEFRAG_SECONDS};
use crate::packet::{PacketId, PacketMeta};
use crate::time::{Elapsed, Timestamp};

/// The end of the largest possible payload, in octets.
const LARGEST: u32 = 65_535;

/// The packets that carried a datagram, the completing one last.
pub type CarriedBy = SmallVec<[PacketId; 2]>;

/// A datagram whose fragments have all come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The IP payload; shorter than `wire_len` when the capture cut a fragment.
    pub payload: Vec<u8>,
    /// Its length on the wire.
    pub wire_len: usize,
    /// What it is, as its first fragment says.
    pub protocol: u8,
    /// The packets that carried it, the completing one last.
    pub packets: CarriedBy,
}

impl Whole {
    /// The datagram as if it had come in one packet. `last` is any of its fragments.
    pub fn frame(&self, last: &Frame<'_>) -> Result<Frame<'_>, Malformed> {
        ip::through_extensions(Frame {
            protocol: self.protocol,
            payload: &self.payload,
            wire_len: self.wire_len,
            fragment: None,
            src: last.src,
            dst: last.dst,
            ip_id: last.ip_id,
            ttl: last.ttl,
            path: last.path,
        })
    }
}

/// Datagrams of which some fragments are missing.
#[derive(Debug, Default)]
pub struct Defrag {
    datagrams: HashMap<Key, Datagram, foldhash::fast::RandomState>,
    /// Oldest first: by when the first fragment came.
    by_age: BTreeMap<u64, Key>,
    next_serial: u64,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Defrag {
    /// Takes a fragment, and gives the datagram that it completes. `frame` must be a fragment; any other is ignored.
    pub fn push(&mut self, meta: &PacketMeta, frame: &Frame<'_>, counters: &mut DecodeCounters) -> Option<Whole> {
        let fragment = frame.fragment?;
        self.expire(meta.at, counters);
        let arrived = match placed(frame, fragment) {
            Ok(arrived) => arrived,
            Err(why) => {
                counters.malformed(*meta, why, frame.payload);
                return None;
            }
        };
        let key = Key::new(meta, frame, fragment);
        self.open(key, meta, frame.protocol, counters);
        let datagram = self.datagrams.get_mut(&key)?;
        let before = datagram.cost();
        let taken = datagram.take(arrived);
        let after = datagram.cost();
        self.bytes = (self.bytes + after).saturating_sub(before);
        match taken {
            Ok(Taken::Repeated) => counters.pass("repeated fragment"),
            Ok(Taken::New { overlaps }) => {
                datagram.packets.push(meta.id);
                if arrived.offset == 0 {
                    datagram.protocol = frame.protocol;
                }
                if overlaps {
                    counters.malformed(*meta, malformed("fragments overlap"), frame.payload);
                }
            }
            Err(why) => counters.malformed(*meta, why, frame.payload),
        }
        if datagram.is_whole() {
            return self.remove(&key).map(Datagram::join);
        }
        if datagram.pieces.len() >= DEFRAG_PIECES {
            self.give_up(&key, malformed("too many fragments"), counters);
        }
        while self.bytes > DEFRAG_BYTES && self.give_up_oldest(counters) {}
        None
    }

    /// Gives up what is older than [`DEFRAG_SECONDS`] at packet time `now`.
    pub fn expire(&mut self, now: Timestamp, counters: &mut DecodeCounters) {
        while let Some((_, key)) = self.by_age.first_key_value() {
            let is_old = |d: &Datagram| now.since(d.started) > Elapsed::from_secs(DEFRAG_SECONDS);
            if !self.datagrams.get(key).is_some_and(is_old) {
                return;
            }
            self.give_up_oldest(counters);
        }
    }

    /// Gives up all that is left, at the end of a capture.
    pub fn finish(&mut self, counters: &mut DecodeCounters) {
        while self.give_up_oldest(counters) {}
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

    fn open(&mut self, key: Key, meta: &PacketMeta, protocol: u8, counters: &mut DecodeCounters) {
        if self.datagrams.contains_key(&key) {
            return;
        }
        while self.datagrams.len() >= DEFRAG_DATAGRAMS && self.give_up_oldest(counters) {}
        let serial = self.next_serial;
        self.next_serial += 1;
        let datagram = Datagram {
            serial,
            started: meta.at,
            first: *meta,
            pieces: Vec::new(),
            covered: 0,
            end: None,
            protocol,
            packets: CarriedBy::new(),
        };
        self.by_age.insert(serial, key);
        self.datagrams.insert(key, datagram);
    }

    fn remove(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.by_age.remove(&datagram.serial);
        self.bytes = self.bytes.saturating_sub(datagram.cost());
        Some(datagram)
    }

    fn give_up_oldest(&mut self, counters: &mut DecodeCounters) -> bool {
        let Some(key) = self.by_age.first_key_value().map(|(_, key)| *key) else { return false };
        self.give_up(&key, malformed("fragments missing"), counters);
        true
    }

    fn give_up(&mut self, key: &Key, why: Malformed, counters: &mut DecodeCounters) {
        if let Some(datagram) = self.remove(key) {
            let sample = datagram.pieces.first().map(|piece| &*piece.data).unwrap_or_default();
            counters.malformed(datagram.first, why, sample);
        }
    }
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
            path: frame.path,
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
        self.pieces.iter().map(Piece::cost).sum()
    }

    fn is_whole(&self) -> bool {
        self.end == Some(self.covered)
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
        let mut missing = SmallVec::new();
        let mut at = arrived.offset;
        let behind = self.pieces.partition_point(|piece| piece.end <= at);
        for piece in self.pieces.iter().skip(behind) {
            if piece.offset >= arrived.end {
                break;
            }
            if at < piece.offset {
                missing.push((at, piece.offset));
            }
            at = at.max(piece.end);
        }
        if at < arrived.end {
            missing.push((at, arrived.end));
        }
        missing
    }

    /// All pieces in one, up to the first octet that the capture cut off.
    fn join(self) -> Whole {
        let mut payload = Vec::with_capacity(self.pieces.iter().map(|piece| piece.data.len()).sum());
        for piece in &self.pieces {
            payload.extend_from_slice(&piece.data);
            if piece.data.len() < (piece.end - piece.offset) as usize {
                break;
            }
        }
        Whole { payload, wire_len: self.covered as usize, protocol: self.protocol, packets: self.packets }
    }
}

#[cfg(test)]
mod tests;
