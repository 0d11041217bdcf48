//! Packets of one capture: link header to events. The first byte chooses the link type; each packet behind it is two
//! bytes of captured length, one byte of what the snap length cut off, and its bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::decode::{DecodeOptions, Decoder};
use sipwatch::event::Decoded;
use sipwatch::packet::{Batch, LinkType, PacketId, PacketMeta};
use sipwatch::time::Timestamp;

const LINKS: [LinkType; 10] = [
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::RAW,
    LinkType::DLT_RAW_BSD,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType(147),
];

/// Packets are this far apart, in ns: a few hundred of them outlive an unfinished datagram.
const STEP: i64 = 250_000_000;

fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else { return };
    let link = LINKS[usize::from(*first) % LINKS.len()];
    let mut batch = Batch::new();
    let mut number = 0_u32;
    while let [high, low, cut, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (data, next) = tail.split_at(length);
        number += 1;
        let meta = PacketMeta {
            id: PacketId::new(0, u64::from(number)),
            at: Timestamp::from_nanos(i64::from(number) * STEP),
            interface: 0,
            link,
            original_len: length as u32 + u32::from(*cut),
        };
        batch.push(meta, data);
        rest = next;
    }
    let mut decoder = Decoder::new(DecodeOptions::default());
    let mut decoded = Decoded::default();
    decoder.decode(&batch, &mut decoded);
    decoder.finish(&mut decoded);
    assert_eq!(decoder.counters().packets, u64::from(number));
    assert_eq!(decoder.counters().bytes, batch.bytes() as u64);
    // A packet carries one RTP sample at most. Of events only SCTP has several, each in a chunk of its own.
    assert!(decoded.rtp.len() <= batch.len());
    assert!(decoded.events.len() <= batch.len() + batch.bytes() / 16);
});
