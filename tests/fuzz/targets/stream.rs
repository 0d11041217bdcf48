//! Segments of one TCP connection through the whole decoder. Eight octets say where the numbers of both sides begin; then
//! each segment is a byte of what it is, a byte of where it starts, and its octets up to a length byte; both sides and any
//! order. Several may come in one batch, which must make no difference.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use sipwatch::capture::synth::Path;
use sipwatch::capture::synth::wire::{TcpSegment, tcp};
use sipwatch::decode::{DecodeOptions, Decoder};
use sipwatch::event::{Decoded, Event};
use sipwatch::limits::{SIP_MESSAGE_BYTES, TCP_BYTES};
use sipwatch::packet::{Batch, Endpoint, LinkType, PacketId, PacketMeta};
use sipwatch::time::Timestamp;

/// A decoder and what it told.
struct Run {
    decoder: Decoder,
    decoded: Decoded,
    batch: Batch,
}

impl Run {
    fn new() -> Self {
        Self { decoder: Decoder::new(DecodeOptions::default()), decoded: Decoded::default(), batch: Batch::new() }
    }

    fn take(&mut self, meta: PacketMeta, frame: &[u8], is_last: bool) {
        self.batch.push(meta, frame);
        if is_last {
            self.decode();
        }
    }

    fn decode(&mut self) {
        self.decoder.decode(&self.batch, &mut self.decoded);
        self.batch = Batch::new();
        let (_, bytes) = self.decoder.stream_usage();
        assert!(bytes <= TCP_BYTES);
    }

    fn finish(mut self) -> Vec<Event> {
        self.decode();
        self.decoder.finish(&mut self.decoded);
        self.decoded.events
    }
}

fuzz_target!(|input: &[u8]| {
    let end = |last, port| Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let ends = [end(1, 1025), end(2, 5060)];
    let Some((first, mut rest)) = input.split_at_checked(8) else { return };
    let number_at = |from: usize| first[from..from + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let (mut next, mut now, mut number) = ([number_at(0), number_at(4)], 0_i64, 0_u64);
    let (mut apart, mut together) = (Run::new(), Run::new());
    while let [what, place, length, tail @ ..] = rest {
        let (payload, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(what & 1);
        // Mostly in order; else a little before or behind, or far off.
        let shift = match place & 3 {
            0 => 0,
            2 => i32::from(*place as i8) << 24 | 0x1234,
            _ => i32::from(*place as i8),
        };
        let seq = next[side].wrapping_add_signed(shift);
        let syn = what & 0x0e == 0x02;
        let segment = TcpSegment {
            seq,
            ack: (what & 0x20 == 0).then_some(next[1 - side]),
            syn,
            fin: what & 0x4e == 0x04,
            rst: what & 0x4e == 0x08,
            ..TcpSegment::default()
        };
        if shift == 0 {
            next[side] = seq.wrapping_add(payload.len() as u32 + u32::from(syn));
        }
        // Where the connection is from now on.
        if what & 0x4e == 0x46 {
            next[side] = seq;
        }
        let mut frame = Vec::new();
        tcp(&Path::new(ends[side], ends[1 - side]), number as u16, segment, payload, &mut frame);
        number += 1;
        now += if what & 0x80 == 0 { 1_000_000 } else { 1_500_000_000 };
        let meta = PacketMeta {
            id: PacketId::new(0, number),
            at: Timestamp::from_nanos(now),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: frame.len() as u32,
        };
        apart.take(meta, &frame, true);
        together.take(meta, &frame, what & 0x10 == 0);
    }
    let (apart, together) = (apart.finish(), together.finish());
    for event in &together {
        if let Event::Sip(arrival) = event {
            assert!(arrival.message.bytes().len() <= SIP_MESSAGE_BYTES);
            assert!(!arrival.packets.is_empty());
            assert!(arrival.packets.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
    assert_eq!(apart.len(), together.len());
    for pair in apart.iter().zip(&together) {
        match pair {
            (Event::Sip(one), Event::Sip(other)) => {
                assert_eq!((one.at, &one.packets, one.flow), (other.at, &other.packets, other.flow));
                assert_eq!(one.message.bytes(), other.message.bytes());
            }
            (Event::TcpFlow(one), Event::TcpFlow(other)) => assert_eq!(one, other),
            other => panic!("{other:?}"),
        }
    }
});
