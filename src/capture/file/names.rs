//! Name resolution blocks of pcapng: which address the writer of the file knew by which name.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits::{FILE_NAME_BYTES, FILE_NAMES};

/// Record types: the end, an IPv4 address, an IPv6 address.
const END: u16 = 0;
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// Adds the names in a block's records, the first for each address, until there are [`FILE_NAMES`]. What is odd ends it.
pub(super) fn read(mut records: &[u8], big_endian: bool, names: &mut BTreeMap<IpAddr, String>) {
    let half = |bytes: [u8; 2]| if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
    while let Some((&[t0, t1, l0, l1], rest)) = records.split_first_chunk::<4>() {
        let (kind, len) = (half([t0, t1]), usize::from(half([l0, l1])));
        let Some(value) = rest.get(..len) else { return };
        match kind {
            END => return,
            IPV4 => add(value.split_first_chunk::<4>().map(|(ip, name)| (Ipv4Addr::from(*ip).into(), name)), names),
            IPV6 => add(value.split_first_chunk::<16>().map(|(ip, name)| (Ipv6Addr::from(*ip).into(), name)), names),
            _ => {}
        }
        records = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn add(entry: Option<(IpAddr, &[u8])>, names: &mut BTreeMap<IpAddr, String>) {
    let Some((address, name)) = entry else { return };
    let name = text(name);
    if !name.is_empty() && names.len() < FILE_NAMES {
        names.entry(address).or_insert(name);
    }
}

/// A file's text up to its first zero byte, at most [`FILE_NAME_BYTES`] of it.
pub(super) fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes.get(..FILE_NAME_BYTES).unwrap_or(bytes)).into_owned()
}
