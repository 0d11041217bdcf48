//! Connections and their faults, judged by a receiver as RFC 9293 describes it and by another parser.

use etherparse::{SlicedPacket, TransportSlice};

use super::faults::*;
use super::*;
use crate::capture::synth::Rng;

const START: Timestamp = Timestamp::from_nanos(1_000_000_000);
const LATER: Timestamp = Timestamp::from_nanos(2_000_000_000);

fn connection(v6: bool, first: [u32; 2]) -> Connection {
    let [a, b] = if v6 { ["2001:db8::1", "2001:db8::8"] } else { ["192.0.2.1", "192.0.2.8"] };
    let [a, b] = [a, b].map(|ip| ip.parse().expect("an address"));
    Connection::new(Endpoint::new(a, 40_000), Endpoint::new(b, 5060), first)
}

/// What a receiver takes from the side's segments, put together by sequence number from `first` on. `None` in a gap.
fn received(segments: &[Segment], from: Side, first: u32) -> Vec<Option<u8>> {
    let mut stream = Vec::new();
    for segment in segments.iter().filter(|segment| segment.from == from) {
        let at = segment.header.seq.wrapping_sub(first) as usize;
        for (offset, &byte) in segment.data.iter().enumerate() {
            if stream.len() <= at + offset {
                stream.resize(at + offset + 1, None);
            }
            assert!(stream[at + offset].is_none_or(|old| old == byte), "overlapping bytes must agree");
            stream[at + offset] = Some(byte);
        }
    }
    stream
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 % 251) as u8).collect()
}

fn is_in_order_of_time(segments: &[Segment]) -> bool {
    segments.is_sorted_by_key(|segment| segment.at)
}

fn flags(segment: &Segment) -> String {
    let header = segment.header;
    [(header.syn, 'S'), (header.fin, 'F'), (header.rst, 'R'), (header.ack.is_some(), '.')]
        .into_iter()
        .filter_map(|(is_set, letter)| is_set.then_some(letter))
        .collect()
}

#[test]
fn a_connection_opens_talks_and_closes_with_right_numbers_across_the_wrap() {
    for v6 in [false, true] {
        let mut connection = connection(v6, [u32::MAX - 3, u32::MAX]);
        let open = connection.open(START);
        let numbers: Vec<_> = open.iter().map(|s| (flags(s), s.header.seq, s.header.ack)).collect();
        let expected = [
            ("S".into(), u32::MAX - 3, None),
            ("S.".into(), u32::MAX, Some(u32::MAX - 2)),
            (".".into(), u32::MAX - 2, Some(0)),
        ];
        assert_eq!(numbers, expected);
        let there = text(4_000);
        let sent = connection.send(LATER, Side::Client, &there, &[]);
        let full = if v6 { 1_440 } else { 1_460 };
        let sizes: Vec<_> = sent.iter().filter(|s| s.from == Side::Client).map(|s| s.data.len()).collect();
        assert_eq!(sizes, [full, full, 4_000 - 2 * full]);
        let acks: Vec<_> = sent.iter().filter(|s| s.from == Side::Server).filter_map(|s| s.header.ack).collect();
        // The first byte has number 2^32 - 3.
        assert_eq!(acks, [2 * full as u32 - 3, 3_997]);
        assert_eq!(received(&sent, Side::Client, u32::MAX - 2), there.iter().copied().map(Some).collect::<Vec<_>>());
        let answer = connection.send(LATER, Side::Server, b"SIP/2.0 200 OK\r\n", &[3, 1]);
        assert_eq!(answer.iter().filter(|s| s.from == Side::Server).map(|s| s.data.len()).max(), Some(3));
        assert_eq!(connection.next(Side::Server), 16);
        let close = connection.close(LATER, Side::Server);
        let numbers: Vec<_> = close.iter().map(|s| (flags(s), s.header.seq, s.header.ack)).collect();
        let [client, server] = [3_997, 16];
        let expected = [
            ("F.".into(), server, Some(client)),
            (".".into(), client, Some(server + 1)),
            ("F.".into(), client, Some(server + 1)),
            (".".into(), server + 1, Some(client + 1)),
        ];
        assert_eq!(numbers, expected);
        for part in [&open, &sent, &answer, &close] {
            assert!(is_in_order_of_time(part));
        }
    }
}

#[test]
fn frames_are_read_by_another_parser_as_they_were_meant() {
    for v6 in [false, true] {
        let mut connection = connection(v6, [7, 9]);
        let mut segments = connection.open(START);
        segments.extend(connection.send(LATER, Side::Client, b"OPTIONS", &[]));
        segments.push(connection.zero_window(LATER, Side::Server));
        for ((at, frame), segment) in frames(&segments).iter().zip(&segments) {
            let sliced = SlicedPacket::from_ethernet(frame).expect("a frame");
            let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
            let ports = if segment.from == Side::Client { (40_000, 5060) } else { (5060, 40_000) };
            assert_eq!((tcp.source_port(), tcp.destination_port()), ports);
            assert_eq!((tcp.sequence_number(), tcp.payload()), (segment.header.seq, &segment.data[..]));
            assert_eq!((tcp.syn(), tcp.ack()), (segment.header.syn, segment.header.ack.is_some()));
            assert_eq!((tcp.window_size(), *at), (segment.header.window, segment.at));
        }
        assert_eq!(segments.last().map(|s| s.header.window), Some(0));
    }
}

#[test]
fn keep_alives_resets_and_strangers_have_the_numbers_of_the_rfc() {
    let mut connection = connection(false, [100, 500]);
    let _ = connection.open(START);
    let alive = connection.keep_alive(LATER, Side::Client, true);
    assert_eq!((alive[0].header.seq, alive[0].data.len(), alive[1].header.ack), (100, 1, Some(101)));
    let data = connection.emit(LATER, Side::Client, b"abc");
    let stranger = connection.unknown(LATER, &data);
    assert_eq!((flags(&stranger), stranger.from, stranger.header.seq), ("R".into(), Side::Server, 501));
    let again = connection.clone().open(LATER);
    let stranger = connection.unknown(LATER, &again[0]);
    assert_eq!((flags(&stranger), stranger.header.seq, stranger.header.ack), ("R.".into(), 0, Some(105)));
    let reset = connection.abort(LATER, Side::Client);
    assert_eq!((flags(&reset), reset.header.seq, reset.header.ack), ("R.".into(), 104, Some(501)));
}

#[test]
fn reordered_and_repeated_data_is_still_all_there() {
    let whole = text(20_000);
    for seed in 0..20 {
        let rng = &mut Rng::new(seed);
        let first = u32::MAX - 9_000;
        let mut connection = connection(false, [first, 1]);
        let sizes: Vec<usize> = (0..200).map(|_| rng.range(1, 700) as usize).collect();
        let plain = connection.send(START, Side::Client, &whole, &sizes);
        let mut changed = plain.clone();
        overlap(&mut changed, Side::Client, 200, rng);
        reorder(&mut changed, Side::Client, 2_000, rng);
        duplicate(&mut changed, 100, rng);
        retransmit(&mut changed, 100, Elapsed::from_millis(3), rng);
        assert!(is_in_order_of_time(&changed) && changed.len() > plain.len());
        assert_eq!(received(&changed, Side::Client, first), whole.iter().copied().map(Some).collect::<Vec<_>>());
    }
}

#[test]
fn reordering_stays_within_its_window_and_moves_something() {
    let rng = &mut Rng::new(3);
    let mut connection = connection(false, [0, 1]);
    let mut segments = connection.send(START, Side::Client, &text(10_000), &[100]);
    reorder(&mut segments, Side::Client, 500, rng);
    let seqs: Vec<u32> = segments.iter().filter(|s| s.from == Side::Client).map(|s| s.header.seq).collect();
    assert!(!seqs.is_sorted());
    for (at, &seq) in seqs.iter().enumerate() {
        assert!(seqs[at..].iter().all(|&later| later + 500 > seq), "{seq} came too early");
    }
    // What is acknowledged is what had come without a gap.
    let mut seen = std::collections::BTreeSet::new();
    for segment in &segments {
        if segment.from == Side::Client {
            seen.insert(segment.header.seq);
        } else {
            let whole = (0..).map(|n| n * 100).find(|seq| !seen.contains(seq));
            assert_eq!(segment.header.ack, whole);
        }
    }
}

#[test]
fn a_missed_segment_is_acknowledged_and_a_lost_one_only_once_it_came() {
    let mut connection = connection(false, [0, 1]);
    let whole = connection.send(START, Side::Client, &text(600), &[100]);
    let mut missed = whole.clone();
    assert_eq!(miss(&mut missed, Side::Client, 2).map(|s| s.header.seq), Some(200));
    assert_eq!(received(&missed, Side::Client, 0).iter().filter(|byte| byte.is_none()).count(), 100);
    assert!(missed.iter().any(|s| s.header.ack == Some(600)));
    assert_eq!(miss(&mut missed, Side::Server, 0), None);

    let mut lost = whole.clone();
    lose(&mut lost, Side::Client, 2, Elapsed::from_millis(200));
    assert!(is_in_order_of_time(&lost));
    assert_eq!(received(&lost, Side::Client, 0).len(), 600);
    let acks: Vec<_> = lost.iter().filter(|s| s.from == Side::Server).filter_map(|s| s.header.ack).collect();
    assert_eq!(acks, [200, 200, 200, 600]);
    let again = lost.iter().find(|s| s.header.seq == 200 && s.from == Side::Client).expect("sent again");
    assert_eq!(again.at, START.after(Elapsed::from_nanos(24_000)).after(Elapsed::from_millis(200)));
}

#[test]
fn bytes_are_cut_into_any_sizes() {
    assert_eq!(cut(b"abcdef", &[1, 2]), [&b"a"[..], b"bc", b"de", b"f"]);
    assert_eq!(cut(b"abc", &[0]), [b"a", b"b", b"c"]);
    assert!(cut(b"", &[5]).is_empty());
    let pieces = cut_at_random(b"abcdefghij", 3, &mut Rng::new(1));
    assert!(pieces.iter().all(|piece| (1..=3).contains(&piece.len())));
    assert_eq!(pieces.concat(), b"abcdefghij");
}
