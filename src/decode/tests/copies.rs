//! Packets captured twice.

use super::*;
use crate::event::{RtpSample, Trace};
use crate::limits::DUPLICATE_MS;

/// A packet: `micros`, interface, link type, bytes.
type Seen = (i64, u16, LinkType, Vec<u8>);

const E: LinkType = LinkType::ETHERNET;

fn decode(options: DecodeOptions, packets: &[Seen]) -> (Decoder, Decoded) {
    let mut batch = Batch::new();
    for (number, (micros, interface, link, data)) in packets.iter().enumerate() {
        let at = Timestamp::from_nanos(1_700_000_000_000_000_000 + micros * 1_000);
        let interface = *interface;
        batch.push(PacketMeta { at, interface, ..meta(*link, number as u64 + 1, data.len()) }, data);
    }
    let (mut decoder, mut out) = (Decoder::new(options), Decoded::default());
    decoder.decode(&batch, &mut out);
    decoder.finish(&mut out);
    (decoder, out)
}

/// Messages and RTP packets that are left, and copies. Those of RTP are left to whoever knows the streams.
fn counts(packets: &[Seen]) -> (usize, usize, u64) {
    let (decoder, out) = decode(DecodeOptions::default(), packets);
    let mut rtp: Vec<RtpSample> = Vec::new();
    let mut copies = decoder.counters().duplicates;
    for sample in &out.rtp {
        let is_same = |other: &&RtpSample| (other.flow, other.sequence) == (sample.flow, sample.sequence);
        match rtp.iter().rfind(is_same) {
            Some(earlier) if sample.trace.is_copy_of(earlier.trace) => copies += 1,
            _ => rtp.push(*sample),
        }
    }
    (out.events.len(), rtp.len(), copies)
}

/// UDP with this identification and hop count.
fn numbered(id: u16, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = ipv4_piece(17, id, 0x4000, &udp(payload));
    packet[8] = ttl;
    // Checksums change with the hop count, or are left to the card.
    packet[10] = ttl;
    packet[26] = ttl;
    packet
}

fn plain(packet: &[u8]) -> Vec<u8> {
    ethernet(0x0800, packet)
}

fn tagged(tag: u16, packet: &[u8]) -> Vec<u8> {
    ethernet(0x8100, &vlan(tag, 0x0800, packet))
}

#[test]
fn the_same_packet_is_read_once_whatever_its_way() {
    for payload in [SIP, &rtp(1)] {
        let packet = numbered(5, 64, payload);
        let hop_later = numbered(5, 63, payload);
        let other_mac = [&[9; 12], &plain(&hop_later)[12..]].concat();
        let copies = [
            (E, 0, plain(&packet)),
            (E, 0, tagged(20, &packet)),
            (E, 0, ethernet(0x88a8, &vlan(1, 0x8100, &vlan(20, 0x0800, &packet)))),
            (E, 1, plain(&packet)),
            (E, 0, other_mac),
            (LinkType::LINUX_SLL, 0, cooked(0x0800, &hop_later)),
            (LinkType::LINUX_SLL2, 0, cooked_2(0x0800, 3, &packet)),
            (LinkType::RAW, 0, packet.clone()),
        ];
        for (link, interface, copy) in copies {
            let both = [(0, 0, E, plain(&packet)), (300, interface, link, copy)];
            let (events, rtp, duplicates) = counts(&both);
            assert_eq!((events + rtp, duplicates), (1, 1), "{link:?}");
            let (decoder, out) = decode(DecodeOptions { dedup: false, ..DecodeOptions::default() }, &both);
            assert_eq!((out.events.len() + out.rtp.len(), decoder.counters().duplicates), (2, 0));
            assert!(out.rtp.iter().all(|sample| sample.trace == Trace::default()));
        }
    }
}

#[test]
fn the_first_one_counts_and_three_are_one() {
    let packet = numbered(5, 64, SIP);
    let (decoder, out) = decode(
        DecodeOptions::default(),
        &[(0, 0, E, plain(&packet)), (9, 0, E, tagged(2, &packet)), (20, 1, E, plain(&packet))],
    );
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!((arrival.packets[0].number(), decoder.counters().duplicates), (1, 2));
    assert_eq!(decoder.counters().packets, 3);
}

#[test]
fn what_comes_later_or_is_not_the_same_is_another_packet() {
    let first = numbered(5, 64, SIP);
    let window = DUPLICATE_MS * 1_000;
    let longer = [SIP, b"x"].concat();
    let mut other_end = SIP.to_vec();
    *other_end.last_mut().unwrap() = b' ';
    let mut other_sender = first.clone();
    other_sender[15] = 9;
    for (micros, second) in [
        (window + 10, first.clone()),
        (1, numbered(6, 64, SIP)),
        (1, numbered(5, 64, &longer)),
        (1, numbered(5, 64, &other_end)),
        (1, other_sender),
    ] {
        assert_eq!(counts(&[(0, 0, E, plain(&first)), (micros, 0, E, plain(&second))]), (2, 0, 0));
    }
    assert_eq!(counts(&[(0, 0, E, plain(&first)), (window - 10, 0, E, plain(&first))]), (1, 0, 1));
    assert_eq!(counts(&[(0, 0, E, plain(&first)), (-500, 0, E, plain(&first))]), (1, 0, 1), "merged sources");
}

#[test]
fn rtp_without_a_number_may_be_sent_twice_on_purpose() {
    let event = numbered(0, 64, &rtp(9));
    let thrice: Vec<Seen> = (0..3).map(|at| (at, 0, E, plain(&event))).collect();
    assert_eq!(counts(&thrice), (0, 3, 0), "RFC 4733: the end of an event is sent three times");
    let ways = [
        (1, E, plain(&event)),
        (0, E, tagged(7, &event)),
        (0, E, plain(&numbered(0, 63, &rtp(9)))),
        (0, E, [&[9; 12], &plain(&event)[12..]].concat()),
    ];
    for (interface, link, copy) in ways {
        assert_eq!(counts(&[(0, 0, E, plain(&event)), (5, interface, link, copy)]), (0, 1, 1));
    }
    assert_eq!(counts(&[(0, 0, E, tagged(7, &event)), (5, 0, E, tagged(8, &event))]), (0, 1, 1));
    let in_out = |kind| [&[0, kind], &cooked(0x0800, &event)[2..]].concat();
    let both = [(0, 0, LinkType::LINUX_SLL, in_out(0)), (5, 0, LinkType::LINUX_SLL, in_out(4))];
    assert_eq!(counts(&both), (0, 1, 1), "out of one interface and into another");
}

#[test]
fn every_second_copy_of_what_was_sent_twice_is_one() {
    let event = numbered(0, 64, &rtp(9));
    let twice_on_two = [(0, 0), (1, 1), (100, 0), (101, 1)];
    let seen: Vec<Seen> = twice_on_two.iter().map(|(at, on)| (*at, *on, E, plain(&event))).collect();
    assert_eq!(counts(&seen), (0, 2, 2));
}

#[test]
fn text_without_a_number_is_never_sent_twice_at_once() {
    assert_eq!(counts(&[(0, 0, E, plain(&numbered(0, 64, SIP))), (90, 0, E, plain(&numbered(0, 64, SIP)))]), (1, 0, 1));
    let v6 = ethernet(0x86dd, &ipv6(17, &udp(SIP)));
    assert_eq!(counts(&[(0, 0, E, v6.clone()), (90, 0, E, v6.clone())]), (1, 0, 1));
    assert_eq!(counts(&[(0, 0, E, v6.clone()), (500_000, 0, E, v6)]), (2, 0, 0), "SIP repeats after T1");
}

#[test]
fn rtp_over_ipv6_is_a_copy_on_another_way_only() {
    let packet = ipv6(17, &udp(&rtp(3)));
    let on = |tag| ethernet(0x8100, &vlan(tag, 0x86dd, &packet));
    assert_eq!(counts(&[(0, 0, E, on(1)), (5, 0, E, on(1))]), (0, 2, 0));
    assert_eq!(counts(&[(0, 0, E, on(1)), (5, 0, E, on(2))]), (0, 1, 1));
}

fn pieces(datagram: &[u8]) -> [Vec<u8>; 2] {
    let (first, last) = datagram.split_at(160);
    [ipv4_piece(17, 5, 0x2000, first), ipv4_piece(17, 5, 20, last)]
}

#[test]
fn fragments_seen_twice_are_one_message() {
    let [a, b] = pieces(&udp(SIP));
    for other in [20, 30] {
        let seen = |tag, packet: &[u8]| (0, 0, E, tagged(tag, packet));
        let interleaved = [seen(20, &a), seen(other, &a), seen(20, &b), seen(other, &b)];
        let (decoder, out) = decode(DecodeOptions::default(), &interleaved);
        assert_eq!((out.events.len(), decoder.counters().duplicates), (1, 2), "VLAN {other}");
        assert!(decoder.counters().malformed.is_empty());
        // Whichever of two mirrored VLANs is first: neither datagram may miss a piece.
        let crossed = [seen(20, &a), seen(other, &a), seen(other, &b), seen(20, &b)];
        let (decoder, out) = decode(DecodeOptions::default(), &crossed);
        assert_eq!((out.events.len(), decoder.counters().duplicates), (1, 2), "VLAN {other}");
        assert!(decoder.counters().malformed.is_empty());
    }
}

#[test]
fn a_packet_fragmented_on_its_way_is_the_same_packet() {
    let whole = ipv4_piece(17, 5, 0, &udp(SIP));
    let [a, b] = pieces(&udp(SIP));
    assert_eq!(counts(&[(0, 0, E, plain(&whole)), (3, 1, E, plain(&a)), (4, 1, E, plain(&b))]), (1, 0, 2));
}

#[test]
fn what_two_tunnels_mirror_is_one_packet() {
    let mirrored = |session: u16, id: u16, packet: &[u8]| {
        let mut wire = outer(47, &gre(0x1000, 0x88be, &[u32::from(id)], &erspan_2(session, &plain(packet))));
        wire[4..6].copy_from_slice(&id.to_be_bytes());
        plain(&wire)
    };
    let packet = numbered(5, 64, SIP);
    assert_eq!(counts(&[(0, 0, E, mirrored(1, 1, &packet)), (9, 0, E, mirrored(2, 2, &packet))]), (1, 0, 1));
    let event = numbered(0, 64, &rtp(9));
    assert_eq!(counts(&[(0, 0, E, mirrored(1, 1, &event)), (9, 0, E, mirrored(1, 2, &event))]), (0, 2, 0));
    assert_eq!(counts(&[(0, 0, E, mirrored(1, 1, &event)), (9, 0, E, mirrored(2, 2, &event))]), (0, 1, 1));
    assert_eq!(
        counts(&[(0, 0, E, plain(&packet)), (9, 0, E, mirrored(1, 1, &packet))]),
        (1, 0, 1),
        "bare and mirrored"
    );
}

#[test]
fn a_tcp_segment_is_recognised_whatever_its_checksum() {
    let segment = |id: u16, checksum: u8| {
        let mut segment = tcp(0x02, b"");
        segment[17] = checksum;
        (0, 0, E, plain(&ipv4_piece(6, id, 0, &segment)))
    };
    assert_eq!(counts(&[segment(1, 0), segment(1, 9)]), (1, 0, 1));
    assert_eq!(counts(&[segment(1, 0), segment(2, 0)]), (2, 0, 0));
    let ping = |id: u16, octets: usize| {
        (0, 0, E, plain(&ipv4_piece(1, id, 0, &[&[8, 0], vec![7; octets].as_slice()].concat())))
    };
    for id in 1..200 {
        let (decoder, _) = decode(DecodeOptions::default(), &[ping(id, 80), ping(id, 81), ping(id + 1, 80)]);
        assert_eq!(decoder.counters().duplicates, 0, "the same start, another length or number");
    }
    assert_eq!(counts(&[segment(0, 0), segment(0, 0)]), (2, 0, 0), "not numbered");
}

#[test]
fn a_full_link_loses_nothing_and_nearly_every_copy_is_found() {
    // 100,000 packets/s, each once more 200 µs later.
    let mut packets: Vec<Seen> = (0..5_000i64)
        .flat_map(|n| {
            let packet = plain(&numbered(n as u16 + 1, 64, &[&[0xff; 30], n.to_be_bytes().as_slice()].concat()));
            [(n * 10, 0, E, packet.clone()), (n * 10 + 200, 1, E, packet)]
        })
        .collect();
    packets.sort_by_key(|packet| packet.0);
    let (decoder, _) = decode(DecodeOptions::default(), &packets);
    let duplicates = decoder.counters().duplicates;
    assert!((4_950..=5_000).contains(&duplicates), "{duplicates} of 5,000");
}

#[test]
fn no_amount_of_voice_makes_a_message_count_twice() {
    let voice = |n: i64| (n / 10, 0, E, plain(&numbered(n as u16 + 1, 64, &rtp(n as u16))));
    let message = |at| (at, 0, E, plain(&numbered(5, 64, SIP)));
    let packets: Vec<Seen> =
        std::iter::once(message(0)).chain((0..60_000).map(voice)).chain(std::iter::once(message(6_000))).collect();
    let (decoder, out) = decode(DecodeOptions::default(), &packets);
    assert_eq!((out.events.len(), out.rtp.len(), decoder.counters().duplicates), (1, 60_000, 1));
}
