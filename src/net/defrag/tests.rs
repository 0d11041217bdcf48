use proptest::prelude::*;

use super::*;
use crate::counters::FragmentCounters;
use crate::net::packets::{fragment6, ipv4_piece, ipv6};
use crate::net::{Opened, open};
use crate::packet::LinkType;

#[derive(Default)]
struct Bench {
    defrag: Defrag,
    counters: DecodeCounters,
    number: u64,
}

impl Bench {
    fn push_at(&mut self, at: i64, packet: &[u8]) -> Option<Joined> {
        self.number += 1;
        let meta = PacketMeta {
            id: PacketId::new(0, self.number),
            at: Timestamp::from_parts(at, 0),
            interface: 0,
            link: LinkType::RAW,
            original_len: packet.len() as u32,
        };
        let Ok(Opened::Ip(frame)) = open(LinkType::RAW, packet) else { panic!("no IP") };
        let whole = self.defrag.push(&meta, &[meta.id], &frame, &mut self.counters);
        if let Some(whole) = &whole {
            assert_eq!(whole.packets.last(), Some(&meta.id), "the completing one is last");
        }
        whole
    }

    fn push(&mut self, packet: &[u8]) -> Option<Joined> {
        self.push_at(0, packet)
    }

    fn count(&self, why: &str) -> u64 {
        self.counters.malformed.iter().filter(|(m, _)| m.why == why).map(|(_, n)| *n).sum()
    }
}

/// The part `from..to` of a payload as an IPv4 fragment.
fn v4(id: u16, payload: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = if to < payload.len() { 0x2000 } else { 0 };
    ipv4_piece(17, id, more | (from as u16 / 8), &payload[from..to])
}

fn v6(id: u32, payload: &[u8], from: usize, to: usize) -> Vec<u8> {
    ipv6(44, &fragment6(17, from as u16, to < payload.len(), id, &payload[from..to]))
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn numbers(whole: &Joined) -> Vec<u64> {
    whole.packets.iter().map(|id| id.number()).collect()
}

#[test]
fn fragments_in_order_and_last_first_give_the_payload() {
    let payload = sample(40);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        for make in [|p: &[u8], a, b| v4(1, p, a, b), |p: &[u8], a, b| v6(1, p, a, b)] {
            let mut bench = Bench::default();
            let pieces = [make(&payload, 0, 16), make(&payload, 16, 32), make(&payload, 32, 40)];
            assert_eq!(bench.push(&pieces[order[0]]), None);
            assert_eq!(bench.push(&pieces[order[1]]), None);
            let whole = bench.push(&pieces[order[2]]).expect("whole");
            assert_eq!((whole.payload.as_slice(), whole.wire_len, whole.protocol), (payload.as_slice(), 40, 17));
            assert_eq!(numbers(&whole), [1, 2, 3]);
            assert!(bench.defrag.is_empty() && bench.defrag.bytes() == 0);
        }
    }
}

#[test]
fn a_repeated_fragment_changes_nothing() {
    let payload = sample(24);
    let mut bench = Bench::default();
    bench.push(&v4(1, &payload, 0, 8));
    bench.push(&v4(1, &payload, 0, 8));
    bench.push(&v4(1, &payload, 16, 24));
    let whole = bench.push(&v4(1, &payload, 8, 16)).expect("whole");
    assert_eq!((whole.payload.as_slice(), numbers(&whole)), (payload.as_slice(), vec![1, 3, 4]));
    assert_eq!(bench.counters.passed.get("repeated fragment"), Some(&1));
}

#[test]
fn where_fragments_overlap_the_first_wins() {
    let (first, second) = ([1u8; 32], [2u8; 32]);
    let mut bench = Bench::default();
    bench.push(&v4(1, &first, 8, 16));
    bench.push(&v4(1, &second, 0, 24));
    let whole = bench.push(&v4(1, &first, 16, 32)).expect("whole");
    let expected = [[2; 8], [1; 8], [2; 8], [1; 8]].concat();
    assert_eq!(whole.payload, expected);
    assert_eq!(bench.count("fragments overlap"), 2);
}

#[test]
fn others_with_the_same_identification_are_kept_apart() {
    let payload = sample(16);
    let mut bench = Bench::default();
    bench.push(&v4(1, &payload, 0, 8));
    assert_eq!(bench.push(&v4(2, &payload, 8, 16)), None, "another identification");
    let mut other_source = v4(1, &payload, 8, 16);
    other_source[15] = 99;
    assert_eq!(bench.push(&other_source), None, "another sender");
    let other_protocol = ipv4_piece(6, 1, 1, &payload[8..]);
    assert_eq!(bench.push(&other_protocol), None, "another protocol");
    assert!(bench.push(&v4(1, &payload, 8, 16)).is_some());
    assert_eq!(bench.defrag.len(), 3);
}

#[test]
fn the_first_fragment_says_what_an_ipv6_datagram_is() {
    let payload = sample(16);
    let mut bench = Bench::default();
    bench.push(&ipv6(44, &fragment6(99, 8, false, 5, &payload[8..])));
    let whole = bench.push(&ipv6(44, &fragment6(17, 0, true, 5, &payload[..8]))).expect("whole");
    assert_eq!(whole.protocol, 17);
}

#[test]
fn an_empty_last_fragment_tells_the_end() {
    let payload = sample(8);
    let mut bench = Bench::default();
    bench.push(&ipv4_piece(17, 1, 0x2000, &payload));
    let whole = bench.push(&ipv4_piece(17, 1, 1, &[])).expect("whole");
    assert_eq!((whole.payload, whole.packets.len()), (payload, 2));
}

#[test]
fn impossible_fragments_are_counted_and_left_out() {
    let payload = sample(32);
    let mut bench = Bench::default();
    bench.push(&ipv4_piece(17, 1, 0x2000, &payload[..12]));
    assert_eq!(bench.count("fragment length not a multiple of eight"), 1);
    bench.push(&ipv4_piece(17, 1, 0x1fff, &payload));
    assert_eq!(bench.count("fragment ends beyond the largest datagram"), 1);
    assert!(bench.defrag.is_empty());

    bench.push(&v4(1, &payload, 24, 32));
    bench.push(&ipv4_piece(17, 1, 1, &payload[..8]));
    bench.push(&ipv4_piece(17, 1, 0x2000 | 4, &payload[..8]));
    assert_eq!(bench.count("fragments disagree about the end"), 2);
    assert!(bench.push(&v4(1, &payload, 0, 24)).is_some());
}

#[test]
fn what_the_capture_cut_ends_the_payload() {
    let payload = sample(48);
    let mut bench = Bench::default();
    bench.push(&v4(1, &payload, 0, 16));
    let cut = v4(1, &payload, 16, 32);
    bench.push(&cut[..cut.len() - 6]);
    let whole = bench.push(&v4(1, &payload, 32, 48)).expect("whole");
    assert_eq!((whole.payload.as_slice(), whole.wire_len), (&payload[..26], 48));
}

#[test]
fn old_datagrams_are_given_up_and_counted() {
    let payload = sample(24);
    let mut bench = Bench::default();
    bench.push_at(100, &v4(1, &payload, 0, 8));
    bench.push_at(100 + DEFRAG_SECONDS, &v4(2, &payload, 0, 8));
    assert_eq!((bench.defrag.len(), bench.count("fragments missing")), (2, 0));
    bench.push_at(101 + DEFRAG_SECONDS, &v4(1, &payload, 8, 24));
    assert_eq!((bench.defrag.len(), bench.count("fragments missing")), (2, 1));
    bench.defrag.finish(&mut bench.counters);
    assert_eq!((bench.defrag.len(), bench.defrag.bytes(), bench.count("fragments missing")), (0, 0, 3));
}

#[test]
fn endless_fragments_stay_within_the_limits() {
    let mut bench = Bench::default();
    let payload = sample(64_000);
    for id in 0..3_000u32 {
        bench.push(&v6(id, &payload, 0, 60_000));
        assert!(bench.defrag.len() <= DEFRAG_DATAGRAMS && bench.defrag.bytes() <= DEFRAG_BYTES);
        assert_eq!(bench.defrag.by_age.len(), bench.defrag.len());
    }
    let left = 3_000 - bench.defrag.len() as u64;
    assert_eq!((left, bench.counters.fragments.evicted_by_bytes), (bench.count("no room for fragments"), left));
    let mut bench = Bench::default();
    for id in 0..5_000u32 {
        bench.push(&v6(id, &payload, 8, 16));
    }
    assert_eq!(bench.defrag.len(), DEFRAG_DATAGRAMS);
    let evicted = 5_000 - DEFRAG_DATAGRAMS as u64;
    assert_eq!((bench.count("no room for fragments"), bench.count("fragments missing")), (evicted, 0));
    bench.defrag.finish(&mut bench.counters);
    assert_eq!(bench.count("fragments missing"), DEFRAG_DATAGRAMS as u64);
    let counted = FragmentCounters {
        arrived: 5_000,
        joined: 0,
        incomplete: DEFRAG_DATAGRAMS as u64,
        evicted_by_count: evicted,
        evicted_by_bytes: 0,
    };
    assert_eq!(bench.counters.fragments, counted);
}

#[test]
fn one_datagram_in_too_many_pieces_is_given_up() {
    let mut bench = Bench::default();
    let payload = sample(32_000);
    for piece in 0..DEFRAG_PIECES {
        bench.push(&v4(1, &payload, piece * 16, piece * 16 + 8));
    }
    assert_eq!((bench.defrag.len(), bench.count("too many fragments")), (0, 1));
}

#[test]
fn the_beginning_of_what_may_be_a_message_is_kept() {
    let text = [&[0; 8], b"INVITE sip:208@example.com SIP/2.0\r\n".as_slice(), &[b'x'; 60]].concat();
    let binary = sample(80);
    let mut bench = Bench::default();
    bench.push(&v4(1, &text, 16, 40));
    bench.push(&v4(1, &text, 0, 16));
    bench.push(&v4(1, &text, 48, 64));
    bench.push(&v4(2, &text, 16, 48));
    bench.push(&v4(3, &binary, 0, 16));
    assert!(bench.defrag.take_beginnings().is_empty());
    bench.defrag.finish(&mut bench.counters);
    let [beginning] = bench.defrag.take_beginnings().try_into().expect("one of the three");
    assert_eq!((beginning.payload.as_slice(), beginning.id, numbers(&beginning)), (&text[..40], 1, vec![1, 2, 3]));
    assert!(beginning.frame().is_ok_and(|frame| frame.wire_len > frame.payload.len()));
    assert_eq!(bench.count("fragments missing"), 3);
}

#[test]
fn what_may_be_a_message_waits_less() {
    let text = [&[0; 8], b"INVITE sip:208@example.com SIP/2.0\r\n".as_slice()].concat();
    let mut bench = Bench::default();
    bench.push(&v4(1, &text, 0, 16));
    bench.push(&v4(2, &text, 16, 32));
    let after = |millis| Timestamp::from_parts(0, millis * 1_000_000);
    bench.defrag.expire(after(DEFRAG_MESSAGE_MS), &mut bench.counters);
    assert_eq!(bench.defrag.len(), 2);
    bench.defrag.expire(after(DEFRAG_MESSAGE_MS + 1), &mut bench.counters);
    assert_eq!((bench.defrag.len(), bench.defrag.messages.len()), (1, 0));
    assert_eq!(bench.defrag.take_beginnings().len(), 1);
}

#[test]
fn endless_beginnings_stay_within_the_limits() {
    let text = [b'x'; 64];
    let mut bench = Bench::default();
    for id in 0..5_000u32 {
        bench.push(&v6(id, &text, 0, 16));
        assert!(bench.defrag.messages.len() <= DEFRAG_DATAGRAMS);
    }
    assert_eq!(bench.defrag.messages.len(), bench.defrag.len());
    assert_eq!(bench.defrag.take_beginnings().len(), DEFRAG_DATAGRAMS);
    bench.defrag.finish(&mut bench.counters);
    assert!(bench.defrag.messages.is_empty() && bench.defrag.bytes() == 0);
}

proptest! {
    #[test]
    fn any_cut_and_order_gives_the_same_payload(
        len in 9usize..2_000,
        cuts in proptest::collection::btree_set(1usize..250, 1..12),
        order in any::<u64>(),
        repeat in any::<bool>(),
        six in any::<bool>(),
    ) {
        let payload = sample(len);
        let mut edges: Vec<usize> = cuts.iter().map(|cut| cut * 8).filter(|cut| *cut < len).collect();
        if edges.is_empty() {
            edges.push(8);
        }
        edges.insert(0, 0);
        edges.push(len);
        let mut pieces: Vec<Vec<u8>> = edges
            .windows(2)
            .map(|edge| if six { v6(3, &payload, edge[0], edge[1]) } else { v4(3, &payload, edge[0], edge[1]) })
            .collect();
        let mut seed = order;
        for i in (1..pieces.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            pieces.swap(i, (seed >> 33) as usize % (i + 1));
        }
        let mut bench = Bench::default();
        let last = pieces.len() - 1;
        for piece in &pieces[..last] {
            prop_assert!(bench.push(piece).is_none());
            if repeat {
                prop_assert!(bench.push(piece).is_none());
            }
        }
        let whole = bench.push(&pieces[last]).expect("whole");
        prop_assert_eq!(whole.payload, payload);
        prop_assert_eq!(whole.packets.len(), pieces.len());
        prop_assert!(bench.defrag.is_empty() && bench.counters.malformed.is_empty());
    }

    #[test]
    fn any_fragments_are_survived(
        fragments in proptest::collection::vec((0u16..4, 0u16..64, any::<bool>(), 0usize..80, 0i64..60), 0..200),
    ) {
        let mut bench = Bench::default();
        let payload = sample(80);
        for (id, offset, more, len, at) in fragments {
            let place = offset | if more { 0x2000 } else { 0 };
            let packet = ipv4_piece(17, id, place, &payload[..len]);
            if place != 0 && let Some(whole) = bench.push_at(at, &packet) {
                prop_assert_eq!(whole.payload.len(), whole.wire_len);
            }
            let kept: usize = bench.defrag.datagrams.values().map(Datagram::cost).sum();
            prop_assert_eq!(kept, bench.defrag.bytes());
            prop_assert!(bench.defrag.len() <= 4);
        }
    }
}
