//! SCTP packets, each with one byte of length in front: their chunks, and messages put together of pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{SCTP_BYTES, SCTP_UNFINISHED, SIP_MESSAGE_BYTES};
use sipwatch::net::sctp::{Assembled, Assembly, Chunk, chunks};
use sipwatch::net::{Frame, Path};
use sipwatch::packet::PacketId;

fuzz_target!(|input: &[u8]| {
    let mut assembly = Assembly::default();
    let (mut rest, mut number) = (input, 0);
    while let [length, tail @ ..] = rest {
        let (payload, next) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = next;
        number += 1;
        let frame = Frame {
            src: [10, 0, 0, 1].into(),
            dst: [10, 0, 0, 2].into(),
            protocol: 132,
            payload,
            wire_len: payload.len(),
            fragment: None,
            ip_id: 0,
            ttl: 64,
            path: Path::default(),
        };
        for chunk in chunks(&frame).into_iter().flatten().flatten() {
            let Chunk::Fragment(piece) = chunk else { continue };
            if let Assembled::Whole { bytes, packets, .. } = assembly.push(&piece, PacketId::new(0, number)) {
                assert!(bytes.len() <= SIP_MESSAGE_BYTES && !packets.is_empty());
            }
            assert!(assembly.bytes() <= SCTP_BYTES);
        }
    }
    assert!(assembly.finish() <= SCTP_UNFINISHED);
});
