//! Packets in tunnels. Each one is a byte that chooses what carries it, two bytes of length, and what is behind that header;
//! the choice of nothing takes the bytes as an Ethernet frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::decode::{DecodeOptions, Decoder};
use sipwatch::event::{Decoded, Event};
use sipwatch::limits::{ENCAPSULATIONS, VLAN_TAGS};
use sipwatch::packet::{Batch, LinkType, PacketId, PacketMeta};
use sipwatch::time::Timestamp;

/// IP protocols that carry packets.
const PROTOCOLS: [u8; 4] = [4, 41, 47, 137];

/// UDP ports of tunnels.
const PORTS: [u16; 7] = [4789, 8472, 4790, 6081, 2152, 6635, 3544];

/// Ethernet types that carry packets.
const TYPES: [u16; 4] = [0x8847, 0x8864, 0x8100, 0x88a8];

/// Packets are this far apart, in ns: copies are near enough, unfinished datagrams grow old after a while.
const STEP: i64 = 7_000_000;

fn wrapped(choice: u8, inside: &[u8]) -> Vec<u8> {
    let choice = usize::from(choice) % (1 + PROTOCOLS.len() + PORTS.len() + TYPES.len());
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let ports = PROTOCOLS.len() + 1;
    let types = ports + PORTS.len();
    match choice {
        0 => return inside.to_vec(),
        choice if choice < ports => ip(&mut out, PROTOCOLS[choice - 1], inside),
        choice if choice < types => {
            let mut datagram = vec![0xc0, 0];
            datagram.extend(PORTS[choice - ports].to_be_bytes());
            datagram.extend((inside.len() as u16 + 8).to_be_bytes());
            datagram.extend([0, 0]);
            datagram.extend(inside);
            ip(&mut out, 17, &datagram);
        }
        choice => {
            out.extend(TYPES[choice - types].to_be_bytes());
            out.extend(inside);
        }
    }
    out
}

fn ip(out: &mut Vec<u8>, protocol: u8, inside: &[u8]) {
    out.extend([8, 0, 0x45, 0]);
    out.extend((inside.len() as u16 + 20).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    out.extend(inside);
}

fn decoded(batch: &Batch, dedup: bool) -> Decoded {
    let mut decoder = Decoder::new(DecodeOptions { dedup, ..DecodeOptions::default() });
    let mut decoded = Decoded::default();
    decoder.decode(batch, &mut decoded);
    decoder.finish(&mut decoded);
    let counters = decoder.counters();
    assert_eq!(counters.packets, batch.len() as u64);
    assert!(counters.duplicates <= counters.packets && (dedup || counters.duplicates == 0));
    decoded
}

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let mut batch = Batch::new();
    let mut number = 0_u32;
    while let [choice, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (inside, next) = tail.split_at(length);
        number += 1;
        let data = wrapped(*choice, inside);
        let meta = PacketMeta {
            id: PacketId::new(0, u64::from(number)),
            at: Timestamp::from_nanos(i64::from(number) * STEP),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: data.len() as u32,
        };
        batch.push(meta, &data);
        rest = next;
    }
    let all = decoded(&batch, false);
    let once = decoded(&batch, true);
    assert!(once.rtp.len() <= all.rtp.len() && all.rtp.len() <= batch.len());
    // One segment may do several things to its connection, and carry several messages.
    assert!(all.events.len() <= input.len());
    for event in &all.events {
        let Event::Sip(arrival) = event else { continue };
        let Some(path) = &arrival.path else { continue };
        let tags = path.vlans().count();
        assert!(tags <= VLAN_TAGS && path.layers().len() - tags <= ENCAPSULATIONS);
        assert!(!path.to_string().is_empty() && format!("{path:#}").is_ascii());
    }
});
