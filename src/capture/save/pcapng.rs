//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section, little endian, times in nanoseconds.

use std::collections::HashMap;

use super::SourceNames;
use crate::limits::SNAP_LEN;
use crate::packet::{LinkType, Packet};

const SECTION_HEADER_TYPE: u32 = 0x0a0d_0d0a;
const INTERFACE_TYPE: u32 = 1;
const ENHANCED_PACKET_TYPE: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;

const OPTION_END: u16 = 0;
const OPTION_APPLICATION: u16 = 4;
const OPTION_INTERFACE_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;

/// The exponent of `if_tsresol`: 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// Source, interface within it, link type: what an interface description stands for.
type InterfaceKey = (u16, u16, LinkType);

/// Turns packets into blocks.
#[derive(Debug)]
pub(super) struct Pcapng {
    names: SourceNames,
    described: Vec<InterfaceKey>,
    numbers: HashMap<InterfaceKey, u32>,
    /// The interface of the packet before: mostly that of the next one, too.
    last: Option<(InterfaceKey, u32)>,
}

impl Pcapng {
    pub(super) fn new(names: SourceNames) -> Self {
        Self { names, described: Vec::new(), numbers: HashMap::new(), last: None }
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        self.forget_from(0);
        block(out, SECTION_HEADER_TYPE, |out| {
            out.extend_from_slice(&BYTE_ORDER.to_le_bytes());
            out.extend_from_slice(&[1, 0, 0, 0]);
            // The section's length is not known yet.
            out.extend_from_slice(&(-1_i64).to_le_bytes());
            option(out, OPTION_APPLICATION, concat!("sipwatch ", env!("CARGO_PKG_VERSION")).as_bytes());
            option(out, OPTION_END, &[]);
        });
    }

    /// Adds a packet, and before the first one of an interface its description.
    pub(super) fn packet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let meta = &packet.meta;
        let key = (meta.id.source(), meta.interface, meta.link);
        let number = match self.last {
            Some((last, number)) if last == key => number,
            _ => self.interface(key, out),
        };
        self.last = Some((key, number));
        // A time before 1970 cannot be written.
        let at = u64::try_from(meta.at.nanos()).unwrap_or(0);
        let captured = packet.data.len() as u32;
        block(out, ENHANCED_PACKET_TYPE, |out| {
            for word in [number, (at >> 32) as u32, at as u32, captured, meta.original_len.max(captured)] {
                out.extend_from_slice(&word.to_le_bytes());
            }
            out.extend_from_slice(packet.data);
            pad(out, packet.data.len());
        });
    }

    /// How many interfaces the file describes.
    pub(super) fn interfaces(&self) -> usize {
        self.described.len()
    }

    /// The descriptions behind the first `count` did not get into the file.
    pub(super) fn forget_from(&mut self, count: usize) {
        for key in self.described.drain(count.min(self.described.len())..) {
            self.numbers.remove(&key);
        }
        self.last = None;
    }

    fn interface(&mut self, key: InterfaceKey, out: &mut Vec<u8>) -> u32 {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.described.len() as u32;
        self.described.push(key);
        self.numbers.insert(key, number);
        let (source, interface, link) = key;
        let name = self.names.name(source, interface);
        block(out, INTERFACE_TYPE, |out| {
            out.extend_from_slice(&(in_file(link).0 as u16).to_le_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&SNAP_LEN.to_le_bytes());
            if !name.is_empty() {
                // An option holds 65,535 octets at most.
                option(
                    out,
                    OPTION_INTERFACE_NAME,
                    name.as_bytes().get(..usize::from(u16::MAX)).unwrap_or(name.as_bytes()),
                );
            }
            option(out, OPTION_RESOLUTION, &[NANOSECONDS]);
            option(out, OPTION_END, &[]);
        });
        number
    }
}

/// The number of a link type in files: libpcap's live numbers differ for raw IP.
pub(super) fn in_file(link: LinkType) -> LinkType {
    match link {
        LinkType::DLT_RAW_BSD | LinkType::DLT_RAW_OPENBSD => LinkType::RAW,
        link => link,
    }
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let len = (out.len() - start + 4) as u32;
    out.extend_from_slice(&len.to_le_bytes());
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

fn pad(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice([0; 3].get(..len.next_multiple_of(4) - len).unwrap_or_default());
}
