//! Fragments of a few datagrams, in any order and overlapping: five bytes each. All pieces are cut from one pattern, so
//! whatever is put together must be the start of that pattern.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use sipwatch::counters::DecodeCounters;
use sipwatch::limits::{DEFRAG_BYTES, DEFRAG_DATAGRAMS};
use sipwatch::net::defrag::Defrag;
use sipwatch::net::{Fragment, Frame, Path};
use sipwatch::packet::{LinkType, PacketId, PacketMeta};
use sipwatch::time::Timestamp;

const PROTOCOLS: [u8; 4] = [17, 4, 47, 6];

fn frame<'p>(pattern: &'p [u8], [what, high, low, length, cut]: [u8; 5]) -> Frame<'p> {
    let offset = usize::from(u16::from_be_bytes([high, low]) & 0x1fff) * 8;
    let length = usize::from(length) * 8 + usize::from(what & 7);
    let from = offset.min(pattern.len());
    let captured = &pattern[from..(offset + length).min(pattern.len())];
    let is_six = what & 0x40 != 0;
    let address = |last| match is_six {
        true => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)),
        false => IpAddr::V4(Ipv4Addr::new(10, 0, 0, last as u8)),
    };
    let more = what & 0x80 != 0;
    Frame {
        src: address(1),
        dst: address(2),
        protocol: PROTOCOLS[usize::from(cut >> 6)],
        payload: &captured[..captured.len().saturating_sub(usize::from(cut & 3))],
        wire_len: length,
        fragment: Some(Fragment { id: u32::from(what >> 3 & 3), offset: offset as u32, more }),
        ip_id: 0,
        ttl: 64,
        path: Path::default(),
    }
}

fuzz_target!(|input: &[u8]| {
    // 64 KiB in which no two places look the same, text where SIP would start.
    let pattern: Vec<u8> = (0..66_000_u32).map(|at| if at == 8 { b'I' } else { (at * 7 + at / 251) as u8 }).collect();
    let mut defrag = Defrag::default();
    let mut counters = DecodeCounters::default();
    let mut now = 0_i64;
    for (number, piece) in input.chunks_exact(5).enumerate() {
        let Some(piece) = piece.first_chunk::<5>() else { return };
        now += i64::from(piece[4] & 0x3c) * 20_000_000;
        let meta = PacketMeta {
            id: PacketId::new(0, number as u64 + 1),
            at: Timestamp::from_nanos(now),
            interface: 0,
            link: LinkType::RAW,
            original_len: 0,
        };
        if let Some(joined) = defrag.push(&meta, &[meta.id], &frame(&pattern, *piece), &mut counters) {
            assert!(pattern.starts_with(&joined.payload));
            assert!(joined.payload.len() <= joined.wire_len && joined.wire_len <= 65_535);
            assert_eq!(joined.packets.last(), Some(&meta.id));
        }
        assert!(defrag.len() <= DEFRAG_DATAGRAMS && defrag.bytes() <= DEFRAG_BYTES);
        for beginning in defrag.take_beginnings() {
            assert!(!beginning.payload.is_empty() && pattern.starts_with(&beginning.payload));
            assert!(beginning.payload.len() <= beginning.wire_len);
        }
    }
    defrag.finish(&mut counters);
    assert!(defrag.is_empty() && defrag.bytes() == 0);
});
