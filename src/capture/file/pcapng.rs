//! The pcapng format: sections of blocks, with interfaces that each have a link type, a snap length and a clock.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pcap_parser::{
    EnhancedPacketBlock, InterfaceDescriptionBlock, OptionCode, SimplePacketBlock, parse_enhancedpacketblock_be,
    parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le,
    parse_simplepacketblock_be, parse_simplepacketblock_le,
};

use super::names;
use super::record::{Found, Step, word};
use crate::capture::FileFacts;
use crate::limits::{FILE_INTERFACES, FILE_NAMES, FILE_NAMES_BLOCK_BYTES, FILE_PACKET_BYTES};
use crate::packet::LinkType;
use crate::time::Timestamp;

/// A section header's block type, the same in both byte orders.
pub(super) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE_TYPE: u32 = 1;
const OBSOLETE_PACKET_TYPE: u32 = 2;
const SIMPLE_PACKET_TYPE: u32 = 3;
const NAMES_TYPE: u32 = 4;
const ENHANCED_PACKET_TYPE: u32 = 6;
const SECRETS_TYPE: u32 = 10;

/// The type of secrets that a TLS key log is: `TLSK`.
const TLS_KEY_LOG: u32 = 0x544c_534b;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Block type, length, and the length again at the end.
const FRAMING_LEN: usize = 12;

/// Where a packet's bytes start in an enhanced packet block, and in an obsolete one.
const PACKET_DATA_AT: usize = 28;

/// Where a packet's bytes start in a simple packet block.
const SIMPLE_DATA_AT: usize = 12;

/// An interface's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    resolution: Resolution,
    offset_seconds: i64,
}

/// How many nanoseconds a tick has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// So many.
    Nanos(u64),
    /// One nanosecond has so many ticks.
    TicksPerNano(u128),
    /// A second has two to the power of this many ticks.
    PowerOfTwo(u8),
}

impl Resolution {
    /// From the option `if_tsresol`.
    fn new(code: u8) -> Self {
        let exponent = code & 0x7f;
        match (code & 0x80 != 0, exponent) {
            (true, _) => Self::PowerOfTwo(exponent),
            (false, 0..=9) => Self::Nanos(10_u64.pow(9 - u32::from(exponent))),
            (false, _) => Self::TicksPerNano(10_u128.checked_pow(u32::from(exponent) - 9).unwrap_or(u128::MAX)),
        }
    }
}

impl Clock {
    fn at(self, high: u32, low: u32) -> Timestamp {
        let ticks = u64::from(high) << 32 | u64::from(low);
        let nanos = match self.resolution {
            Resolution::Nanos(nanos) => u128::from(ticks) * u128::from(nanos),
            Resolution::TicksPerNano(ticks_per_nano) => u128::from(ticks) / ticks_per_nano,
            Resolution::PowerOfTwo(exponent) => (u128::from(ticks) * 1_000_000_000) >> exponent,
        };
        Timestamp::from_parts(self.offset_seconds, i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

#[derive(Clone, Debug)]
struct Interface {
    name: String,
    link: LinkType,
    snap_len: u32,
    clock: Clock,
}

/// A pcapng file on the way.
#[derive(Debug, Default)]
pub(super) struct Pcapng {
    big_endian: bool,
    in_section: bool,
    /// Those of all sections: packets name theirs from the section's first on.
    interfaces: Vec<Interface>,
    first_of_section: usize,
    /// A simple packet has no time; it gets that of the packet before it.
    last_at: Timestamp,
    /// Bytes of an uninteresting block that are still to be passed over.
    to_pass: u64,
    hosts: BTreeMap<IpAddr, String>,
    key_blocks: u64,
    has_tls_keys: bool,
}

impl Pcapng {
    /// The link types of the interfaces described so far.
    pub(super) fn links(&self) -> impl Iterator<Item = LinkType> {
        self.interfaces.iter().map(|interface| interface.link)
    }

    /// How much it has told so far; grows with it.
    pub(super) fn told(&self) -> usize {
        self.interfaces.len() + self.hosts.len() + self.key_blocks as usize
    }

    /// Adds what the file told besides its packets. `file` is its number in the capture.
    pub(super) fn tell(&self, file: u16, facts: &mut FileFacts) {
        facts.key_blocks += self.key_blocks;
        facts.has_tls_keys |= self.has_tls_keys;
        for (number, interface) in (0..).zip(&self.interfaces) {
            if !interface.name.is_empty() {
                facts.interfaces.insert((file, number), interface.name.clone());
            }
        }
        for (address, name) in &self.hosts {
            if facts.hosts.len() < FILE_NAMES {
                facts.hosts.entry(*address).or_insert_with(|| name.clone());
            }
        }
    }

    /// Whether the file ends inside a block that is being passed over.
    pub(super) fn inside_block(&self) -> bool {
        self.to_pass > 0
    }

    /// Looks at the next block.
    pub(super) fn step(&mut self, unread: &[u8]) -> Step {
        if self.to_pass > 0 {
            if unread.is_empty() {
                return Step::Need(1);
            }
            let passed = unread.len().min(usize::try_from(self.to_pass).unwrap_or(usize::MAX));
            self.to_pass -= passed as u64;
            return Step::Pass(passed);
        }
        let Some(start) = unread.first_chunk::<FRAMING_LEN>() else { return Step::Need(FRAMING_LEN) };
        if start.starts_with(&SECTION_HEADER) && !self.take_byte_order(start) {
            return Step::Broken("a section header without byte order".to_owned());
        }
        if !self.in_section {
            return Step::Broken("no section header".to_owned());
        }
        let (Some(block_type), Some(block_len)) = (word(start, 0, self.big_endian), word(start, 4, self.big_endian))
        else {
            return Step::Need(FRAMING_LEN);
        };
        let len = block_len as usize;
        if len < FRAMING_LEN {
            return Step::Broken(format!("a block of {block_len} bytes"));
        }
        let read = match block_type {
            ENHANCED_PACKET_TYPE => Self::enhanced,
            INTERFACE_TYPE => Self::interface,
            SIMPLE_PACKET_TYPE => Self::simple,
            OBSOLETE_PACKET_TYPE => Self::obsolete,
            NAMES_TYPE if block_len <= FILE_NAMES_BLOCK_BYTES => Self::names,
            kind => {
                if kind == SECRETS_TYPE {
                    self.key_blocks += 1;
                    self.has_tls_keys |= word(start, 8, self.big_endian) == Some(TLS_KEY_LOG);
                }
                self.to_pass = u64::from(block_len);
                return Step::Pass(0);
            }
        };
        if block_len > FILE_PACKET_BYTES {
            return Step::Broken(format!("a block of {block_len} bytes"));
        }
        match unread.get(..len) {
            Some(block) => read(self, block),
            None => Step::Need(len),
        }
    }

    /// A section header says the byte order of what follows, and starts a new list of interfaces.
    fn take_byte_order(&mut self, start: &[u8; FRAMING_LEN]) -> bool {
        self.big_endian = match word(start, 8, false) {
            Some(BYTE_ORDER) => false,
            Some(order) if order == BYTE_ORDER.swap_bytes() => true,
            _ => return false,
        };
        self.in_section = true;
        self.first_of_section = self.interfaces.len();
        true
    }

    fn interface(&mut self, block: &[u8]) -> Step {
        let parsed = if self.big_endian {
            parse_interfacedescriptionblock_be(block)
        } else {
            parse_interfacedescriptionblock_le(block)
        };
        let Ok((_, description)) = parsed else {
            return Step::Broken("an unreadable interface description".to_owned());
        };
        if self.interfaces.len() >= FILE_INTERFACES {
            return Step::Broken(format!("more than {FILE_INTERFACES} interfaces"));
        }
        let name = description.options.iter().find(|option| option.code == OptionCode::IfName);
        self.interfaces.push(Interface {
            name: name.map(|option| names::text(option.value())).unwrap_or_default(),
            link: LinkType(description.linktype.0 as u32),
            snap_len: description.snaplen,
            clock: self.clock(&description),
        });
        Step::Pass(block.len())
    }

    fn clock(&self, description: &InterfaceDescriptionBlock<'_>) -> Clock {
        let mut clock = Clock { resolution: Resolution::new(description.if_tsresol), offset_seconds: 0 };
        // The parser reads the offset as little-endian in any section.
        let offset = description.options.iter().find(|option| option.code == OptionCode::IfTsoffset);
        if let Some(bytes) = offset.and_then(|option| option.value().first_chunk::<8>()) {
            clock.offset_seconds =
                if self.big_endian { i64::from_be_bytes(*bytes) } else { i64::from_le_bytes(*bytes) };
        }
        clock
    }

    fn names(&mut self, block: &[u8]) -> Step {
        let records = block.get(FRAMING_LEN - 4..block.len() - 4).unwrap_or_default();
        names::read(records, self.big_endian, &mut self.hosts);
        Step::Pass(block.len())
    }

    fn enhanced(&mut self, block: &[u8]) -> Step {
        let parsed =
            if self.big_endian { parse_enhancedpacketblock_be(block) } else { parse_enhancedpacketblock_le(block) };
        let Ok((_, EnhancedPacketBlock { if_id, ts_high, ts_low, caplen, origlen, .. })) = parsed else {
            return Step::Broken("an unreadable packet block".to_owned());
        };
        self.timed(if_id, (ts_high, ts_low), (caplen, origlen), block.len())
    }

    /// The packet block of the first pcapng drafts, still found in old captures.
    fn obsolete(&mut self, block: &[u8]) -> Step {
        let half = |at: usize| {
            let half = *block.get(at..)?.first_chunk::<2>()?;
            Some(if self.big_endian { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) })
        };
        let word = |at: usize| word(block, at, self.big_endian);
        let (Some(interface), Some(high), Some(low), Some(captured_len), Some(original_len)) =
            (half(8), word(12), word(16), word(20), word(24))
        else {
            return Step::Broken("an unreadable packet block".to_owned());
        };
        self.timed(u32::from(interface), (high, low), (captured_len, original_len), block.len())
    }

    fn timed(&mut self, id: u32, (high, low): (u32, u32), (captured, original): (u32, u32), record_len: usize) -> Step {
        let index = self.first_of_section.saturating_add(id as usize);
        let Some(interface) = self.interfaces.get(index) else {
            return Step::Broken(format!("interface {id}, which the file does not describe"));
        };
        let end = PACKET_DATA_AT + captured as usize;
        if end + 4 > record_len {
            return Step::Broken("a packet longer than its block".to_owned());
        }
        self.last_at = interface.clock.at(high, low);
        Step::Packet(Found {
            at: self.last_at,
            interface: index as u16,
            link: interface.link,
            original_len: original,
            data: PACKET_DATA_AT..end,
            record_len,
        })
    }

    fn simple(&mut self, block: &[u8]) -> Step {
        let parsed =
            if self.big_endian { parse_simplepacketblock_be(block) } else { parse_simplepacketblock_le(block) };
        let Ok((_, SimplePacketBlock { origlen, data, .. })) = parsed else {
            return Step::Broken("an unreadable packet block".to_owned());
        };
        let index = self.first_of_section;
        let Some(interface) = self.interfaces.get(index) else {
            return Step::Broken("a packet before any interface".to_owned());
        };
        let snap_len = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
        let captured_len = data.len().min(origlen.min(snap_len) as usize);
        Step::Packet(Found {
            at: self.last_at,
            interface: index as u16,
            link: interface.link,
            original_len: origlen,
            data: SIMPLE_DATA_AT..SIMPLE_DATA_AT + captured_len,
            record_len: block.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(code: u8, ticks: u64, offset_seconds: i64) -> i64 {
        Clock { resolution: Resolution::new(code), offset_seconds }.at((ticks >> 32) as u32, ticks as u32).nanos()
    }

    #[test]
    fn clocks_of_every_resolution_give_nanoseconds() {
        assert_eq!(nanos(6, 1_500_000, 0), 1_500_000_000);
        assert_eq!(nanos(9, 1_500_000_007, 0), 1_500_000_007);
        assert_eq!(nanos(0, 3, 10), 13_000_000_000);
        assert_eq!(nanos(12, 5_000_999, 0), 5_000);
        assert_eq!(nanos(0x80 | 10, 1_536, 0), 1_500_000_000);
        assert_eq!(nanos(6, 1_000_000, -1), 0);
    }

    #[test]
    fn absurd_clocks_saturate() {
        assert_eq!(nanos(0, u64::MAX, i64::MAX), i64::MAX);
        assert_eq!(nanos(0x7f, u64::MAX, 0), 0);
        assert_eq!(nanos(0xff, u64::MAX, 0), 0);
    }
}
