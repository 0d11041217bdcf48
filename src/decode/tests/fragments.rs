//! Messages of which a fragment never came.

use super::*;
use crate::event::SipArrival;
use crate::limits::DEFRAG_MESSAGE_MS;

/// A piece of the message's datagram, in a packet `millis` after the first.
fn piece(number: u64, millis: i64, from: usize, to: usize) -> (PacketMeta, Vec<u8>) {
    let datagram = udp(SIP);
    let to = to.min(datagram.len());
    let more = if to < datagram.len() { 0x2000 } else { 0 };
    at(number, millis, ethernet(0x0800, &ipv4_piece(17, 77, more | (from as u16 / 8), &datagram[from..to])))
}

fn at(number: u64, millis: i64, data: Vec<u8>) -> (PacketMeta, Vec<u8>) {
    let meta =
        PacketMeta { at: Timestamp::from_nanos(millis * 1_000_000), ..meta(LinkType::ETHERNET, number, data.len()) };
    (meta, data)
}

fn decode(decoder: &mut Decoder, packets: &[(PacketMeta, Vec<u8>)]) -> Decoded {
    let mut batch = Batch::new();
    for (meta, data) in packets {
        batch.push(*meta, data);
    }
    let mut out = Decoded::default();
    decoder.decode(&batch, &mut out);
    out
}

fn only(out: &Decoded) -> &SipArrival {
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    arrival
}

fn missing(decoder: &Decoder) -> bool {
    decoder.counters().malformed == [(Malformed::new(Layer::Ip, "fragments missing"), 1)].into()
}

#[test]
fn a_message_whose_end_is_lost_is_shown_as_far_as_it_came() {
    let mut decoder = Decoder::default();
    let mut out = decode(&mut decoder, &[piece(4, 0, 0, 176), piece(5, 3, 176, 200)]);
    assert!(out.events.is_empty());
    decoder.finish(&mut out);
    let arrival = only(&out);
    assert_eq!(arrival.message.bytes(), &SIP[..200 - 8]);
    assert_eq!(arrival.packets.iter().map(|id| id.number()).collect::<Vec<_>>(), [4, 5]);
    assert_eq!((arrival.at, arrival.flow.dst.port), (Timestamp::from_nanos(3_000_000), 5070));
    let notes = arrival.message.notes();
    assert!(notes.contains(Notes::CUT) && notes.contains(Notes::FRAGMENT_LOST));
    assert!(missing(&decoder), "{:?}", decoder.counters().malformed);
}

#[test]
fn what_is_behind_a_hole_is_left_out() {
    let mut decoder = Decoder::default();
    let mut out = decode(&mut decoder, &[piece(1, 0, 200, 999), piece(2, 1, 0, 176)]);
    decoder.finish(&mut out);
    assert_eq!(only(&out).message.bytes(), &SIP[..176 - 8]);
    assert!(missing(&decoder));
}

#[test]
fn without_its_first_fragment_there_is_no_message() {
    let mut decoder = Decoder::default();
    let mut out = decode(&mut decoder, &[piece(1, 0, 176, 200)]);
    decoder.finish(&mut out);
    assert!(out.events.is_empty() && missing(&decoder));
}

#[test]
fn a_cut_message_stands_in_front_of_its_repetition() {
    let mut decoder = Decoder::default();
    let later = at(2, DEFRAG_MESSAGE_MS + 1, in_udp(SIP));
    let out = decode(&mut decoder, &[piece(1, 0, 0, 176), later]);
    let numbers: Vec<_> = out
        .events
        .iter()
        .map(|event| match event {
            Event::Sip(arrival) => {
                (arrival.packets[0].number(), arrival.message.notes().contains(Notes::FRAGMENT_LOST))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [(1, true), (2, false)]);
}

#[test]
fn a_late_fragment_still_belongs_to_its_message() {
    let mut decoder = Decoder::default();
    let out = decode(&mut decoder, &[piece(1, 0, 0, 176), piece(2, DEFRAG_MESSAGE_MS, 176, 999)]);
    assert!(only(&out).message.notes().is_empty());
}

#[test]
fn a_tunnel_whose_end_is_lost_shows_its_message() {
    let inner = ipv4(17, &udp(SIP));
    let mut decoder = Decoder::default();
    let first = ethernet(0x0800, &ipv4_piece(4, 9, 0x2000, &inner[..192]));
    let mut out = decode(&mut decoder, &[at(1, 0, first)]);
    decoder.finish(&mut out);
    let arrival = only(&out);
    assert_eq!(arrival.message.bytes(), &SIP[..192 - 28]);
    assert!(arrival.message.notes().contains(Notes::FRAGMENT_LOST) && arrival.path.is_some());
}

#[test]
fn nothing_but_sip_comes_out_of_half_a_datagram() {
    let tcp = ipv4(6, &tcp(0x02, &[0; 40]));
    let text = udp(&[b'x'; 80]);
    let odd = udp(&[b"HEP3\0\x70\0\0\0\x01\0\x03", [0; 99].as_slice()].concat());
    let log = udp(&[b"HEP3\0\x70\0\0\0\x0b\0\x07\x64", [0xff; 99].as_slice()].concat());
    let arp = gre(0, 0x6558, &[], &ethernet(0x0806, &[0; 40]));
    for (protocol, datagram) in [(4, tcp), (17, udp(&rtp(1))), (17, text), (17, odd), (17, log), (47, arp)] {
        let mut decoder = Decoder::default();
        let first = ethernet(0x0800, &ipv4_piece(protocol, 9, 0x2000, &datagram[..56]));
        let mut out = decode(&mut decoder, &[at(1, 0, first)]);
        decoder.finish(&mut out);
        assert!(out.events.is_empty() && out.rtp.is_empty() && decoder.counters().passed.is_empty());
        assert!(missing(&decoder));
    }
}

/// A first fragment of a tunnel, in which is a first fragment of a tunnel, and so on; in the last one a message begins.
fn beginning_in_beginnings(levels: u16, id: u16) -> Vec<u8> {
    let datagram = udp(SIP);
    let mut packet = ipv4_piece(17, id, 0x2000, &datagram[..176]);
    for level in 0..levels {
        let mut inside = gre(0, 0x0800, &[], &packet);
        inside.resize(inside.len().next_multiple_of(8), 0);
        packet = ipv4_piece(47, id.wrapping_add(level), 0x2000, &inside);
    }
    ethernet(0x0800, &packet)
}

#[test]
fn reading_beginnings_never_nests_however_many_wait() {
    let mut decoder = Decoder::new(DecodeOptions { dedup: false, ..DecodeOptions::default() });
    let mut out = Decoded::default();
    for number in 1..=2 * DEFRAG_DATAGRAMS as u64 {
        let packets = [at(number, 0, beginning_in_beginnings(3, number as u16 * 8))];
        out.events.extend(decode(&mut decoder, &packets).events);
        assert!(decoder.fragment_usage().0 <= DEFRAG_DATAGRAMS);
    }
    assert!(!out.events.is_empty());
}

#[test]
fn at_the_end_of_a_capture_beginnings_in_beginnings_are_read_and_counted() {
    let mut decoder = Decoder::default();
    let mut out = decode(&mut decoder, &[at(1, 0, beginning_in_beginnings(2, 9))]);
    assert!(out.events.is_empty());
    decoder.finish(&mut out);
    assert_eq!(only(&out).message.bytes(), &SIP[..176 - 8]);
    let counted = [(Malformed::new(Layer::Ip, "fragments missing"), 3)];
    assert_eq!((decoder.counters().malformed.clone(), decoder.fragment_usage()), (counted.into(), (0, 0)));
}
