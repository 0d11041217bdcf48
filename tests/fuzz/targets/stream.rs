//! Segments of one TCP connection through the whole decoder. Each is a byte of what it is, a byte of where it starts, and
//! its octets up to a length byte; both sides and any order.
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

fuzz_target!(|input: &[u8]| {
    let end = |last, port| Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let ends = [end(1, 1025), end(2, 5060)];
    let mut decoder = Decoder::new(DecodeOptions::default());
    let mut decoded = Decoded::default();
    let (mut next, mut now, mut number) = ([100_u32, 500], 0_i64, 0_u64);
    let mut rest = input;
    while let [what, place, length, tail @ ..] = rest {
        let (payload, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(what & 1);
        // Mostly in order; else a little before or behind.
        let shift = if place & 1 == 0 { 0 } else { i32::from(*place as i8) };
        let seq = next[side].wrapping_add_signed(shift);
        let syn = what & 0x1e == 0x02;
        let segment = TcpSegment {
            seq,
            ack: (what & 0x20 == 0).then_some(next[1 - side]),
            syn,
            fin: what & 0x5e == 0x04,
            rst: what & 0x5e == 0x08,
            ..TcpSegment::default()
        };
        if shift == 0 {
            next[side] = seq.wrapping_add(payload.len() as u32 + u32::from(syn));
        }
        let mut frame = Vec::new();
        tcp(&Path::new(ends[side], ends[1 - side]), number as u16, segment, payload, &mut frame);
        number += 1;
        now += if what & 0x80 == 0 { 1_000_000 } else { 1_500_000_000 };
        let mut batch = Batch::new();
        let meta = PacketMeta {
            id: PacketId::new(0, number),
            at: Timestamp::from_nanos(now),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: frame.len() as u32,
        };
        batch.push(meta, &frame);
        decoder.decode(&batch, &mut decoded);
        let (_, bytes) = decoder.stream_usage();
        assert!(bytes <= TCP_BYTES);
    }
    decoder.finish(&mut decoded);
    for event in &decoded.events {
        if let Event::Sip(arrival) = event {
            assert!(arrival.message.bytes().len() <= SIP_MESSAGE_BYTES);
            assert!(!arrival.packets.is_empty());
            assert!(arrival.packets.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
});
