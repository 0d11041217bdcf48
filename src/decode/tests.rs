use proptest::prelude::*;

use super::*;
use crate::event::Event;
use crate::limits::DEFRAG_DATAGRAMS;
use crate::net::packets::*;
use crate::packet::{LinkType, PacketId, Transport};
use crate::sip::{Method, Notes};
use crate::time::Timestamp;

mod copies;
mod fragments;
mod tunnels;

/// Decodes packets of one link type, a millisecond apart.
fn decode_all(decoder: &mut Decoder, link: LinkType, packets: &[Vec<u8>]) -> Decoded {
    let mut batch = Batch::new();
    for (i, data) in packets.iter().enumerate() {
        batch.push(meta(link, i as u64 + 1, data.len()), data);
    }
    let mut out = Decoded::default();
    decoder.decode(&batch, &mut out);
    out
}

fn meta(link: LinkType, number: u64, original_len: usize) -> PacketMeta {
    PacketMeta {
        id: PacketId::new(0, number),
        at: Timestamp::from_nanos(number as i64 * 1_000_000),
        interface: 0,
        link,
        original_len: original_len as u32,
    }
}

fn on_ethernet(packets: &[Vec<u8>]) -> (Decoder, Decoded) {
    let mut decoder = Decoder::new(DecodeOptions::default());
    let out = decode_all(&mut decoder, LinkType::ETHERNET, packets);
    (decoder, out)
}

fn in_udp(payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(17, &udp(payload)))
}

fn passed(payload: &[u8]) -> Vec<(&'static str, u64)> {
    let (decoder, out) = on_ethernet(&[in_udp(payload)]);
    assert!(out.events.is_empty() && out.rtp.is_empty());
    decoder.counters().passed.iter().map(|(what, n)| (*what, *n)).collect()
}

#[test]
fn sip_and_rtp_come_out_with_their_packets_and_times() {
    let (decoder, out) = on_ethernet(&[in_udp(SIP), in_udp(&rtp(7)), in_udp(&rtp(8))]);
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!(arrival.message.method(), Some(&Method::Options));
    assert_eq!(arrival.message.bytes(), SIP);
    assert_eq!((arrival.packets.as_slice(), arrival.transport), ([PacketId::new(0, 1)].as_slice(), Transport::Udp));
    assert_eq!(arrival.flow.src.to_string(), "10.1.1.123:5060");
    let samples: Vec<_> =
        out.rtp.iter().map(|s| (s.packet.number(), s.sequence, s.payload_len, s.payload_type)).collect();
    assert_eq!(samples, [(2, 7, 160, 0), (3, 8, 160, 0)]);
    assert_eq!(out.now, Some(Timestamp::from_nanos(3_000_000)));
    assert_eq!((decoder.counters().packets, decoder.counters().malformed.len()), (3, 0));
}

#[test]
fn a_batch_adds_to_what_is_there_and_time_never_runs_back() {
    let mut decoder = Decoder::new(DecodeOptions::default());
    let mut out = Decoded::default();
    for number in [9, 4] {
        let mut batch = Batch::new();
        let data = in_udp(&rtp(number as u16));
        batch.push(meta(LinkType::ETHERNET, number, data.len()), &data);
        decoder.decode(&batch, &mut out);
    }
    assert_eq!((out.rtp.len(), out.now), (2, Some(Timestamp::from_nanos(9_000_000))));
}

#[test]
fn without_media_rtp_is_only_counted() {
    let mut decoder = Decoder::new(DecodeOptions { media: false, ..DecodeOptions::default() });
    let out = decode_all(&mut decoder, LinkType::ETHERNET, &[in_udp(&rtp(1)), in_udp(&[0x80, 200, 0, 1, 0, 0, 0, 0])]);
    assert!(out.rtp.is_empty() && out.events.is_empty());
    assert_eq!(decoder.counters().passed, [("rtcp", 1), ("rtp", 1)].into());
}

#[test]
fn rtcp_is_an_event() {
    let (_, out) = on_ethernet(&[in_udp(&[0x81, 201, 0, 7].into_iter().chain([0; 28]).collect::<Vec<_>>())]);
    assert!(matches!(out.events.as_slice(), [Event::Rtcp(seen)] if seen.flow.dst.port == 5070));
}

#[test]
fn other_datagrams_are_counted_by_name() {
    let stun = [[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42].as_slice(), &[9; 12]].concat();
    assert_eq!(passed(&stun), [("stun", 1)]);
    assert_eq!(passed(b"\r\n\r\n"), [("sip keep-alive", 1)]);
    assert_eq!(passed(b"\r\n"), [("sip keep-alive", 1)]);
    assert_eq!(passed(b"\0"), [("sip keep-alive", 1)]);
    assert_eq!(passed(b""), [("empty udp", 1)]);
    assert_eq!(passed(b"NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n"), [("other udp", 1)]);
    assert_eq!(passed(&[0x80, 64, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), [("other udp", 1)]);
    assert_eq!(passed(&[0xff; 40]), [("other udp", 1)]);
    assert_eq!(passed(&[0xff]), [("other udp", 1)]);
}

#[test]
fn sip_is_found_on_every_link_and_behind_every_header() {
    let v4 = ipv4(17, &udp(SIP));
    let v6 = ipv6(0, &[&[17, 0, 1, 4, 0, 0, 0, 0], udp(SIP).as_slice()].concat());
    for (link, data) in [
        (LinkType::ETHERNET, ethernet(0x88a8, &vlan(1, 0x8100, &vlan(2, 0x86dd, &v6)))),
        (LinkType::LINUX_SLL, cooked(0x0800, &v4)),
        (LinkType::LINUX_SLL2, cooked_2(0x86dd, 4, &v6)),
        (LinkType::RAW, v6.clone()),
        (LinkType::NULL, [&[30, 0, 0, 0], v6.as_slice()].concat()),
    ] {
        let out = decode_all(&mut Decoder::default(), link, &[data]);
        assert!(matches!(out.events.as_slice(), [Event::Sip(_)]), "{link:?}");
    }
}

#[test]
fn a_fragmented_message_is_one_message_of_several_packets() {
    let datagram = udp(SIP);
    let piece = |from: usize, to: usize| {
        let more = if to < datagram.len() { 0x2000 } else { 0 };
        ethernet(0x0800, &ipv4_piece(17, 77, more | (from as u16 / 8), &datagram[from..to]))
    };
    let (decoder, out) = on_ethernet(&[piece(160, datagram.len()), in_udp(&rtp(1)), piece(0, 80), piece(80, 160)]);
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!(arrival.message.bytes(), SIP);
    assert_eq!(arrival.packets.iter().map(|id| id.number()).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(arrival.at, Timestamp::from_nanos(4_000_000));
    assert!(!arrival.message.notes().contains(Notes::CUT));
    assert!(decoder.counters().malformed.is_empty());
}

#[test]
fn a_fragmented_ipv6_message_may_have_headers_inside() {
    let inside = [&[17, 0, 1, 4, 0, 0, 0, 0], udp(SIP).as_slice()].concat();
    let (a, b) = inside.split_at(96);
    let (_, out) = on_ethernet(&[
        ethernet(0x86dd, &ipv6(44, &fragment6(60, 0, true, 1, a))),
        ethernet(0x86dd, &ipv6(44, &fragment6(60, 96, false, 1, b))),
    ]);
    assert!(matches!(out.events.as_slice(), [Event::Sip(arrival)] if arrival.message.bytes() == SIP));
}

#[test]
fn a_missing_fragment_is_counted_at_the_end() {
    let (mut decoder, mut out) = on_ethernet(&[ethernet(0x0800, &ipv4_piece(17, 77, 0x2000, &udp(&rtp(1))[..80]))]);
    decoder.finish(&mut out);
    assert!(out.events.is_empty() && out.rtp.is_empty());
    assert_eq!(decoder.counters().malformed, [(Malformed::new(Layer::Ip, "fragments missing"), 1)].into());
}

#[test]
fn a_message_that_the_capture_cut_is_shown_and_counted_once() {
    let whole = in_udp(SIP);
    let mut batch = Batch::new();
    batch.push(meta(LinkType::ETHERNET, 1, whole.len()), &whole[..whole.len() - 60]);
    let (mut decoder, mut out) = (Decoder::default(), Decoded::default());
    decoder.decode(&batch, &mut out);
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert!(arrival.message.notes().contains(Notes::CUT));
    assert_eq!(decoder.counters().malformed, [(Malformed::new(Layer::Sip, "message is cut"), 1)].into());
    assert_eq!(decoder.counters().samples[0].meta.id, PacketId::new(0, 1));
}

#[test]
fn rtp_that_the_capture_cut_counts_with_its_real_length() {
    let whole = in_udp(&rtp(5));
    let mut batch = Batch::new();
    batch.push(meta(LinkType::ETHERNET, 1, whole.len()), &whole[..14 + 28 + 12]);
    let mut out = Decoded::default();
    Decoder::default().decode(&batch, &mut out);
    assert_eq!(out.rtp.iter().map(|s| (s.sequence, s.payload_len)).collect::<Vec<_>>(), [(5, 160)]);
}

#[test]
fn a_status_out_of_range_is_shown_and_counted() {
    let (decoder, out) = on_ethernet(&[in_udp(b"SIP/2.0 4294967301 Odd\r\nCall-ID: 1\r\n\r\n")]);
    assert!(matches!(out.events.as_slice(), [Event::Sip(_)]));
    assert_eq!(decoder.counters().malformed_at(Layer::Sip), 1);
}

#[test]
fn sip_inside_an_icmp_error_is_no_message() {
    let quote = ipv4(17, &udp(SIP));
    let error = ethernet(0x0800, &ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0], quote.as_slice()].concat()));
    let (_, out) = on_ethernet(&[error]);
    let [Event::Icmp(fact)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!((fact.what, fact.quoted.dst.port, fact.reporter), ("port unreachable", 5070, SRC.into()));
    let said = fact.quote.as_deref().map(|quote| (&*quote.start, quote.call_id.as_deref(), quote.cseq));
    assert_eq!(said, Some(("OPTIONS", Some("1@10.1.1.123"), Some(1))));
}

#[test]
fn an_icmp_error_tells_of_the_message_what_it_quotes_in_whole_lines() {
    let at = |line: &str| 28 + SIP.windows(line.len()).position(|window| window == line.as_bytes()).unwrap();
    let quoted = |length: usize| {
        let quote = &ipv4(17, &udp(SIP))[..length];
        let (_, out) = on_ethernet(&[ethernet(0x0800, &ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0], quote].concat()))]);
        let [Event::Icmp(fact)] = out.events.as_slice() else { panic!("{:?}", out.events) };
        fact.quote.as_deref().map(|quote| (quote.start.to_string(), quote.call_id.as_deref().map(str::len), quote.cseq))
    };
    let start = |call_id, cseq| Some(("OPTIONS".to_owned(), call_id, cseq));
    assert_eq!(quoted(at("CSeq")), start(Some(12), None));
    assert_eq!(quoted(at("CSeq") - 4), start(None, None), "half a Call-ID is another one");
    assert_eq!(quoted(at("Via")), start(None, None));
    assert_eq!(quoted(28), None);
}

#[test]
fn a_copy_in_hep_is_a_message_where_it_was_seen() {
    let (decoder, out) = on_ethernet(&[in_udp(&hep3(&[])), in_udp(&hep3(&[hep_chunk(2, &[6])]))]);
    let [Event::Sip(first), Event::Sip(second)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!(first.message.bytes(), SIP);
    assert_eq!((first.flow.src.to_string(), first.flow.dst.port), ("192.0.2.1:5060".to_owned(), 5080));
    assert_eq!(first.relayed_by.map(|agent| agent.to_string()), Some("10.1.1.123:5060".to_owned()));
    assert_eq!((first.transport, second.transport), (Transport::Udp, Transport::Tcp));
    assert!(decoder.counters().malformed.is_empty() && decoder.counters().passed.is_empty());
    let two = [&[2, 16, 2, 17, 0x13, 0xc4, 0x13, 0xd8, 192, 0, 2, 1, 192, 0, 2, 2], [7; 12].as_slice(), SIP].concat();
    let (_, out) = on_ethernet(&[in_udp(&two)]);
    assert!(matches!(out.events.as_slice(), [Event::Sip(arrival)] if arrival.flow.dst.port == 5080));
}

#[test]
fn hep_whose_length_looks_like_a_space_is_no_request() {
    let body = [SIP, &[b'x'; 0x2004 - 107]].concat();
    let (_, out) = on_ethernet(&[in_udp(&hep3(&[hep_chunk(15, &body[..0x2010 - hep3(&[]).len() - 6])]))]);
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!(arrival.message.method(), Some(&Method::Options));
}

#[test]
fn other_hep_is_counted_by_name_or_by_damage() {
    assert_eq!(passed(&hep3(&[hep_chunk(11, &[5]), hep_chunk(15, b"{}")])), [("hep rtcp", 1)]);
    assert_eq!(passed(&hep3(&[hep_chunk(11, &[100])])), [("hep log", 1)]);
    assert_eq!(passed(&hep3(&[hep_chunk(15, b"")])), [("hep without payload", 1)]);
    assert_eq!(passed(&hep3(&[hep_chunk(15, b"no SIP")])), [("other hep", 1)]);
    let (decoder, _) = on_ethernet(&[in_udp(&hep3(&[])[..20])]);
    let why = Malformed::new(Layer::Transport, "cut before the HEP payload");
    assert_eq!(decoder.counters().malformed, [(why, 1)].into());
}

#[test]
fn sip_over_sctp_is_read_message_by_message() {
    let packet = |chunks: &[Vec<u8>]| ethernet(0x0800, &ipv4(132, &sctp(chunks)));
    let (decoder, out) = on_ethernet(&[
        packet(&[sctp_chunk(3, 0, &[0; 12]), sctp_data(3, 1, SIP), sctp_data(3, 2, SIP)]),
        packet(&[sctp_chunk(1, 0, &[0; 16])]),
        packet(&[sctp_data(3, 3, b"\x01\0\0\x14diameter")]),
    ]);
    let [Event::Sip(first), Event::Sip(_)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!((first.transport.name(), first.message.bytes(), first.flow.dst.port), ("sctp", SIP, 5070));
    assert_eq!(decoder.counters().passed, [("sctp control", 1), ("other sctp data", 1)].into());
}

#[test]
fn what_sctp_sends_again_is_no_message_of_its_own() {
    let packet = |flags, tsn, payload: &[u8]| ethernet(0x0800, &ipv4(132, &sctp(&[sctp_data(flags, tsn, payload)])));
    let mut decoder = Decoder::default();
    let mut out = Decoded::default();
    for (millis, data) in [
        (0, packet(3, 1, SIP)),
        (1_000, packet(3, 1, SIP)),
        (1_001, packet(3, 2, SIP)),
        (1_002, packet(2, 3, &SIP[..80])),
        (1_003, packet(1, 4, &SIP[80..])),
        (2_000, packet(2, 3, &SIP[..80])),
        (2_001, packet(1, 4, &SIP[80..])),
    ] {
        let mut batch = Batch::new();
        batch.push(meta(LinkType::ETHERNET, millis, data.len()), &data);
        decoder.decode(&batch, &mut out);
    }
    let at: Vec<_> = out
        .events
        .iter()
        .map(|event| match event {
            Event::Sip(arrival) => arrival.at.nanos() / 1_000_000,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(at, [0, 1_001, 1_003]);
    assert_eq!(decoder.counters().passed, [("sctp sent again", 2), ("other sctp data", 1)].into());
    assert!(decoder.counters().malformed.is_empty() && decoder.sctp_usage() == 0);
}

#[test]
fn a_message_in_pieces_of_sctp_is_one_message_of_several_packets() {
    let packet = |flags, tsn, payload: &[u8]| ethernet(0x0800, &ipv4(132, &sctp(&[sctp_data(flags, tsn, payload)])));
    let (mut decoder, out) = on_ethernet(&[
        packet(2, 1, &SIP[..80]),
        packet(1, 2, &SIP[80..]),
        packet(2, 3, b"diameter"),
        packet(2, 4, &SIP[..80]),
    ]);
    let [Event::Sip(arrival)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!((arrival.message.bytes(), arrival.transport), (SIP, Transport::Sctp));
    assert_eq!(arrival.packets.iter().map(|id| id.number()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(decoder.counters().passed, [("other sctp data", 1)].into());
    decoder.finish(&mut Decoded::default());
    let why = Malformed::new(Layer::Transport, "pieces of an SCTP message missing");
    assert_eq!(decoder.counters().malformed, [(why, 1)].into());
}

#[test]
fn what_cannot_be_decoded_is_counted_and_kept() {
    let (decoder, out) = on_ethernet(&[vec![1, 2, 3], ethernet(0x0800, &[0x45, 0]), ethernet(0x0806, &[0; 28])]);
    assert!(out.events.is_empty());
    let counters = decoder.counters();
    assert_eq!((counters.malformed_at(Layer::Link), counters.malformed_at(Layer::Ip)), (1, 1));
    assert_eq!((counters.samples.len(), counters.passed.get("arp")), (2, Some(&1)));
}

#[test]
fn endless_fragments_do_not_fill_the_memory() {
    let mut decoder = Decoder::default();
    for round in 0..40u16 {
        let packets: Vec<_> =
            (0..200).map(|i| ethernet(0x0800, &ipv4_piece(17, round * 200 + i, 0x2000, &[7; 1_400]))).collect();
        decode_all(&mut decoder, LinkType::ETHERNET, &packets);
        assert!(decoder.defrag.len() <= DEFRAG_DATAGRAMS);
    }
    assert_eq!(decoder.defrag.len(), DEFRAG_DATAGRAMS);
}

proptest! {
    #[test]
    fn any_payload_is_survived_and_accounted_for(payload in proptest::collection::vec(any::<u8>(), 0..120)) {
        let (decoder, out) = on_ethernet(&[in_udp(&payload)]);
        let counted = decoder.counters().passed.values().sum::<u64>();
        prop_assert_eq!(counted + out.events.len() as u64 + out.rtp.len() as u64, 1);
    }

    #[test]
    fn any_packets_are_survived(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..20),
        link in prop_oneof![Just(0u32), Just(1), Just(101), Just(108), Just(113), Just(228), Just(229), Just(276), any::<u32>()],
    ) {
        let mut decoder = Decoder::default();
        decode_all(&mut decoder, LinkType(link), &packets);
        prop_assert_eq!(decoder.counters().packets, packets.len() as u64);
    }

    #[test]
    fn a_damaged_message_is_survived(hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)) {
        let mut data = in_udp(SIP);
        for (at, octet) in hits {
            let at = at.index(data.len());
            data[at] = octet;
        }
        on_ethernet(&[data]);
    }
}
