//! The same packet captured twice: by both sides of a mirrored port, on a bond and its member, with a VLAN tag and without,
//! before and behind a router.
//!
//! A sender numbers its packets (the identification of IPv4, or of a fragment of IPv6). So a packet with the addresses, the
//! number, the lengths and the content of one that came just before is that packet again, whatever link header, tags,
//! hop count and checksums the two have: those change on the way. Where a sender does not number them, two that look the
//! same may be two; then a packet counts as a copy only if it came another way than the first, or if it is text, which
//! nobody sends twice within [`DUPLICATE_MS`].
//!
//! Telephone events (RFC 4733, 2.5.1.4) and lost-packet repair of some codecs do send the same RTP packet twice at once.
//!
//! RTP that goes the hand path is not looked up here: a stream knows its newest packets by itself, and their copies by
//! their [`Trace`], without one more place in memory for every packet.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;

use foldhash::fast::FixedState;

use super::Origin;
use super::udp::FIRST_OF_RTP;
use crate::event::Trace;
use crate::limits::{DUPLICATE_MS, DUPLICATE_OCTETS, DUPLICATE_SLOTS, DUPLICATE_TEXT_SLOTS};
use crate::net::hand::Common;
use crate::net::transport::UDP_HEADER;
use crate::net::{Encapsulation, Frame, ip};
use crate::packet::{LinkType, Packet, PacketMeta};
use crate::time::Timestamp;

/// Numbers with bits well mixed: of the fractional part of pi, made odd.
const SALT: [u64; 3] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1];

/// Low bits of a hash that are given up for the way in which a packet came, where that matters.
const WAY_BITS: u32 = 12;

/// The packets of the last [`DUPLICATE_MS`], as far as others have not taken their place.
#[derive(Debug)]
pub(super) struct Dedup {
    recent: Box<[Seen]>,
}

/// The low bits of a packet's hash, and below them its time in units of 8 µs, which comes round every two minutes. The
/// high bits of the hash are the slot.
#[derive(Clone, Copy, Debug, Default)]
struct Seen(u64);

impl Seen {
    const TIME_BITS: u32 = 24;
    /// A unit of time is 2 to this power nanoseconds.
    const TICK_BITS: u32 = 13;

    const fn new(hash: u64, at: Timestamp) -> Self {
        let ticks = (at.nanos() >> Self::TICK_BITS) as u64;
        Self(hash << Self::TIME_BITS | ticks & ((1 << Self::TIME_BITS) - 1))
    }

    /// How far the times are apart, in nanoseconds. Sources that are merged by time may run a little backwards.
    const fn apart(self, other: Self) -> u64 {
        let shift = u64::BITS - Self::TIME_BITS;
        let ticks = ((self.0 << shift).wrapping_sub(other.0 << shift) as i64) >> shift;
        ticks.unsigned_abs() << Self::TICK_BITS
    }
}

/// What a packet is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    /// If `is_unsure`, its low bits are the way.
    hash: u64,
    /// Whether only another way makes it a copy.
    is_unsure: bool,
    /// Texts have slots of their own, so that no amount of voice makes a message count twice.
    is_text: bool,
}

impl Default for Dedup {
    fn default() -> Self {
        Self { recent: vec![Seen::default(); DUPLICATE_SLOTS + DUPLICATE_TEXT_SLOTS].into_boxed_slice() }
    }
}

impl Dedup {
    /// Whether this packet is a copy of one that came before. The first one is remembered.
    pub fn is_copy(&mut self, print: Print, meta: &PacketMeta) -> bool {
        let (first, slots) = if print.is_text { (DUPLICATE_SLOTS, DUPLICATE_TEXT_SLOTS) } else { (0, DUPLICATE_SLOTS) };
        let slot = first + (print.hash >> (u64::BITS - slots.trailing_zeros())) as usize;
        let Some(seen) = self.recent.get_mut(slot) else { return false };
        let now = Seen::new(print.hash, meta.at);
        if (seen.0 ^ now.0) >> (Seen::TIME_BITS + WAY_BITS) == 0 && is_copy_of(*seen, now, print.is_unsure) {
            return true;
        }
        *seen = now;
        false
    }
}

fn is_copy_of(seen: Seen, now: Seen, is_unsure: bool) -> bool {
    const WINDOW: u64 = DUPLICATE_MS as u64 * 1_000_000;
    let is_other_hash = (seen.0 ^ now.0) >> Seen::TIME_BITS != 0;
    seen.apart(now) <= WINDOW && is_other_hash == is_unsure
}

impl Print {
    /// Of a common packet.
    pub fn of_common(packet: &Packet<'_>, common: &Common<'_>) -> Self {
        const ID: usize = 4;
        const ADDRESSES: usize = 12;
        const UDP: usize = 20;
        let headers = common.headers.as_slice();
        let id = u16::from_le_bytes(octets(headers, ID));
        let hash = mix(u64::from_le_bytes(octets(headers, ADDRESSES)), datagram(octets(headers, UDP), id));
        let payload = common.segment.payload;
        let hash = content(hash, payload);
        let is_text = is_text(payload);
        if id == 0 && !is_text {
            return Self::unnumbered_common(hash, packet, common);
        }
        Self { hash, is_unsure: false, is_text }
    }

    #[inline(never)]
    fn unnumbered_common(hash: u64, packet: &Packet<'_>, common: &Common<'_>) -> Self {
        const TTL: usize = 8;
        let [ttl] = octets(common.headers, TTL);
        Self::unnumbered(hash, way_of(&packet.meta, packet.data, ttl, 0))
    }

    const fn unnumbered(hash: u64, way: u64) -> Self {
        Self { hash: hash >> WAY_BITS << WAY_BITS | way >> (u64::BITS - WAY_BITS), is_unsure: true, is_text: false }
    }

    /// Of any IP packet, or fragment of one, or datagram put together.
    pub fn of_frame(frame: &Frame<'_>, origin: &Origin<'_>) -> Self {
        let id = frame.fragment.map_or(frame.ip_id.into(), |fragment| fragment.id);
        Self::of_identified(frame, id, origin)
    }

    /// The same with an identification that is no longer in the header: of a datagram put together.
    pub fn of_identified(frame: &Frame<'_>, id: u32, origin: &Origin<'_>) -> Self {
        let on_path = || hash_of(&(origin.meta.id.source(), origin.meta.interface, &frame.path));
        let (mut hash, is_text) = match frame.payload.split_first_chunk::<UDP_HEADER>() {
            Some((head, payload)) if frame.protocol == ip::UDP && frame.fragment.is_none() => {
                let id = u16::from_le_bytes((id as u16).to_be_bytes());
                (content(mix(addresses(frame), datagram(*head, id)), payload), is_text(payload))
            }
            _ => (other(frame, id), false),
        };
        if let Some(fragment) = frame.fragment {
            // A datagram is put together of what came one way; so its pieces are looked for there only, and the whole is
            // compared once more.
            let place = u64::from(fragment.offset) << 1 | u64::from(fragment.more);
            hash = mix(hash ^ place, SALT[1] ^ on_path());
        }
        if id > u16::MAX.into() {
            hash = mix(hash ^ u64::from(id), SALT[2]);
        }
        if id == 0 && !is_text {
            return Self::unnumbered(hash, way_of(&origin.meta, origin.data, frame.ttl, around(frame, origin)));
        }
        Self { hash, is_unsure: false, is_text }
    }
}

/// What the copies of an RTP packet are recognised by, of a common packet.
#[inline]
pub(super) fn trace_of_common(packet: &Packet<'_>, common: &Common<'_>) -> Trace {
    const ID: usize = 4;
    match u16::from_be_bytes(octets(common.headers, ID)) {
        0 => unnumbered_trace(packet, common),
        id => Trace { id, way: 0 },
    }
}

#[inline(never)]
fn unnumbered_trace(packet: &Packet<'_>, common: &Common<'_>) -> Trace {
    const TTL: usize = 8;
    let [ttl] = octets(common.headers, TTL);
    trace_of_way(way_of(&packet.meta, packet.data, ttl, 0))
}

/// The same of any IP packet.
pub(super) fn trace_of(frame: &Frame<'_>, origin: &Origin<'_>) -> Trace {
    match frame.ip_id {
        0 => trace_of_way(way_of(&origin.meta, origin.data, frame.ttl, around(frame, origin))),
        id => Trace { id, way: 0 },
    }
}

const fn trace_of_way(way: u64) -> Trace {
    Trace { id: 0, way: (way >> 48) as u16 | 1 }
}

/// What stands around a packet beyond the link header that [`way_of`] looks at.
fn around(frame: &Frame<'_>, origin: &Origin<'_>) -> u64 {
    match frame.path.layers() {
        [] | [Encapsulation::Vlan(_)] => 0,
        _ => hash_of(&(origin.meta.id.source(), origin.meta.interface, &frame.path)),
    }
}

/// So many octets at `at`, which must be there.
#[inline]
fn octets<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

fn is_text(payload: &[u8]) -> bool {
    payload.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Both halves of a product: every bit of both factors reaches every bit of it.
const fn mix(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// A UDP header: ports and length, and the identification instead of the checksum. Never 0, as no datagram is shorter than
/// its header.
const fn datagram(header: [u8; UDP_HEADER], id: u16) -> u64 {
    u64::from_le_bytes(header) << 16 | id as u64
}

/// Takes in what a datagram carries: of RTP its header and the payload's first octets, since its end lies in memory that
/// nobody else looks at; of a text all; of anything else the first [`DUPLICATE_OCTETS`].
fn content(hash: u64, payload: &[u8]) -> u64 {
    if let Some([first, ..]) = payload.first_chunk::<1>()
        && *first >= FIRST_OF_RTP
        && let Some(start) = payload.first_chunk::<16>()
    {
        let start = u128::from_le_bytes(*start);
        let (flags_and_time, source) = (start as u64, (start >> 64) as u64);
        return mix(hash ^ flags_and_time, source ^ SALT[0]);
    }
    any_content(hash, payload)
}

#[inline(never)]
fn any_content(seed: u64, payload: &[u8]) -> u64 {
    let compared = if is_text(payload) { payload } else { payload.get(..DUPLICATE_OCTETS).unwrap_or(payload) };
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(compared);
    hasher.finish()
}

/// Of what is no whole UDP datagram.
fn other(frame: &Frame<'_>, id: u32) -> u64 {
    let length = u64::try_from(frame.wire_len).unwrap_or_default() & 0xffff;
    let rest = u64::from(id) << 32 | length << 16 | u64::from(frame.protocol);
    let hash = mix(addresses(frame) ^ SALT[0], rest ^ SALT[1]);
    behind_checksum(hash, frame)
}

/// Takes in what is no UDP, without TCP's checksum: the card fills that in behind our back.
fn behind_checksum(hash: u64, frame: &Frame<'_>) -> u64 {
    const CHECKSUM_AT: usize = 16;
    let is_tcp = frame.protocol == ip::TCP && frame.fragment.is_none();
    match frame.payload.split_at_checked(CHECKSUM_AT) {
        Some((head, [_, _, rest @ ..])) if is_tcp => any_content(any_content(hash, head), rest),
        _ => any_content(hash, frame.payload),
    }
}

fn addresses(frame: &Frame<'_>) -> u64 {
    match (frame.src, frame.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [src, dst] = [src, dst].map(|address| u64::from(u32::from_le_bytes(address.octets())));
            src | dst << 32
        }
        (src, dst) => hash_of(&(src, dst)),
    }
}

fn hash_of(what: &impl Hash) -> u64 {
    FixedState::with_seed(SALT[0]).hash_one(what)
}

/// The way in which a packet came: source, interface, hop count, link header, and what stood
/// around it.
fn way_of(meta: &PacketMeta, data: &[u8], ttl: u8, around: u64) -> u64 {
    let place = match meta.link {
        // With a tag, or with what no way changes.
        LinkType::ETHERNET => 0..18,
        LinkType::LINUX_SLL => 0..16,
        LinkType::LINUX_SLL2 => 4..20,
        _ => 0..0,
    };
    let link = data.get(place).unwrap_or_default();
    let (start, middle, last) = (octets(link, 0), octets(link, 8), octets(link, link.len().saturating_sub(8)));
    let [start, middle, last] = [start, middle, last].map(u64::from_le_bytes);
    let seen_at = u64::from(meta.id.source()) << 32 | u64::from(meta.interface) << 16 | u64::from(ttl);
    mix(mix(start ^ SALT[0], middle ^ SALT[1]) ^ seen_at, last ^ SALT[2] ^ around)
}
