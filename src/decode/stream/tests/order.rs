//! Octets out of order, ends and resets among them, and numbers of all kinds.

use super::*;

impl Lab {
    /// A lab whose packets are decoded one by one, or all together at the end.
    fn batched(is_together: bool) -> Self {
        let mut lab = Self::new();
        if is_together {
            lab.together();
        }
        lab
    }

    pub(super) fn handshake_from(&mut self, first: [u32; 2]) {
        let [zero, one] = first.map(|first| first.wrapping_sub(1));
        self.send(0, Sent { seq: zero, syn: true, ..Sent::default() }, b"");
        self.send(1, Sent { seq: one, ack: Some(first[0]), syn: true, ..Sent::default() }, b"");
        self.send(0, Sent { seq: first[0], ack: Some(first[1]), ..Sent::default() }, b"");
    }

    fn cut(&self) -> Vec<bool> {
        self.arrivals().iter().map(|arrival| arrival.message.notes().contains(Notes::CUT)).collect()
    }
}

#[test]
fn a_fin_that_overtakes_octets_cuts_no_message() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(10));
    let end = 101 + text.len() as u32;
    lab.data(0, 101, &text.as_bytes()[..300]);
    lab.send(0, Sent { seq: end, ack: Some(501), fin: true, ..Sent::default() }, b"");
    assert!(lab.texts().is_empty());
    lab.data(0, 401, &text.as_bytes()[300..]);
    assert_eq!((lab.texts(), lab.cut()), (vec![text], vec![false]));
    assert!(lab.decoder.counters().streams.skipped.is_empty());
}

/// A hole on the other side must not keep what this side's FIN has cut.
#[test]
fn a_fin_ends_its_own_side_only() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(10));
    lab.data(1, 901, b"behind a hole");
    lab.data(0, 101, &text.as_bytes()[..300]);
    lab.send(0, Sent { seq: 401, ack: Some(501), fin: true, ..Sent::default() }, b"");
    assert_eq!((lab.texts(), lab.cut()), (vec![text[..300].to_owned()], vec![true]));
}

/// The rest before the FIN was not captured, but its receiver has it.
#[test]
fn a_message_cut_by_a_hole_before_the_end_is_shown_soon() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(10));
    let end = 101 + text.len() as u32;
    lab.data(0, 101, &text.as_bytes()[..300]);
    lab.send(0, Sent { seq: end, ack: Some(501), fin: true, ..Sent::default() }, b"");
    lab.send(1, Sent { seq: 501, ack: Some(end + 1), ..Sent::default() }, b"");
    lab.wait(201);
    assert_eq!((lab.texts(), lab.cut()), (vec![text[..300].to_owned()], vec![true]));
    assert_eq!(lab.decoder.counters().streams.missing, text.len() as u64 - 300);
}

/// A reset that its receiver did not believe, or that somebody else sent, must not cut what comes later.
#[test]
fn messages_in_pieces_go_on_after_a_reset() {
    for rst in [777_777_777, 101] {
        let mut lab = Lab::connected();
        let texts = ["a", "b"].map(|id| message("INVITE", id, &body(10)));
        lab.send(0, Sent { seq: rst, rst: true, ..Sent::default() }, b"");
        let mut seq = 101;
        for piece in texts.concat().as_bytes().chunks(200) {
            lab.data(0, seq, piece);
            seq += piece.len() as u32;
        }
        assert_eq!((lab.texts(), lab.cut()), (texts.to_vec(), vec![false; 2]), "reset with {rst}");
        assert_eq!(lab.decoder.flows()[0].standing.name(), "open");
    }
}

/// A host that was restarted asks anew; the other side still knows the old connection and says so, until a reset.
#[test]
fn a_connection_asked_for_again_after_a_reset_is_another_one() {
    let mut lab = Lab::connected();
    let (old, new) = (message("OPTIONS", "old", ""), message("INVITE", "new", &body(10)));
    lab.data(0, 101, old.as_bytes());
    let known = 101 + old.len() as u32;
    lab.send(1, Sent { seq: 501, ack: Some(known), ..Sent::default() }, b"");
    let syn = Sent { seq: 90_000, syn: true, ..Sent::default() };
    lab.send(0, syn, b"");
    lab.send(1, Sent { seq: 501, ack: Some(known), ..Sent::default() }, b"");
    lab.send(0, Sent { seq: known, rst: true, ..Sent::default() }, b"");
    lab.send(0, syn, b"");
    lab.send(1, Sent { seq: 7_000, ack: Some(90_001), syn: true, ..Sent::default() }, b"");
    lab.send(0, Sent { seq: 90_001, ack: Some(7_001), ..Sent::default() }, &new.as_bytes()[..150]);
    lab.send(0, Sent { seq: 90_151, ack: Some(7_001), ..Sent::default() }, &new.as_bytes()[150..]);
    assert_eq!((lab.texts(), lab.cut()), (vec![old, new], vec![false; 2]));
    assert_eq!(lab.decoder.flows()[0].standing.name(), "open");
}

/// Two trunks between the same ports; the SYNs of the second were not captured.
#[test]
fn a_connection_between_used_ports_is_seen_without_its_beginning() {
    let mut lab = Lab::new();
    let texts = ["a", "b", "c"].map(|id| message("OPTIONS", id, ""));
    let len = texts[0].len() as u32;
    let seqs = [900_000, 5_000, 5_000 + len];
    for (seq, text) in seqs.into_iter().zip(&texts) {
        lab.send(0, Sent { seq, ack: Some(501), ..Sent::default() }, text.as_bytes());
        lab.send(1, Sent { seq: 501, ack: Some(seq + len), ..Sent::default() }, b"");
        lab.wait(1_000);
    }
    assert_eq!((lab.texts(), lab.packets()), (texts.to_vec(), vec![vec![1], vec![3], vec![5]]));
    assert_eq!(lab.decoder.counters().streams.again, 0);
}

#[test]
fn a_stray_segment_far_ahead_costs_no_message() {
    let mut lab = Lab::connected();
    let texts: Vec<_> = (0..60).map(|n| message("OPTIONS", &format!("{n:02}"), "")).collect();
    let mut seq = 101;
    for (n, text) in texts.iter().enumerate() {
        if n == 10 {
            lab.data(0, 1_000_000_101, b"nothing of this connection");
        }
        lab.data(0, seq, text.as_bytes());
        seq += text.len() as u32;
        lab.wait(1_000);
    }
    lab.finish();
    assert_eq!(lab.texts(), texts);
    let streams = &lab.decoder.counters().streams;
    assert_eq!((streams.holes, streams.skipped.len()), (0, 0));
}

/// The rest of the first message was not captured: its octets are counted, and calls that come later see the hole.
#[test]
fn the_first_octets_of_a_lost_message_do_not_vanish() {
    let mut lab = Lab::connected();
    let (lost, next) = (message("INVITE", "lost", &body(10)), message("OPTIONS", "next", ""));
    let behind = 101 + lost.len() as u32;
    lab.data(0, 101, &lost.as_bytes()[..20]);
    lab.data(0, behind, b"\r\n");
    lab.send(1, Sent { seq: 501, ack: Some(behind + 2), ..Sent::default() }, b"");
    lab.wait(201);
    lab.data(0, behind + 2, next.as_bytes());
    assert_eq!(lab.texts(), [next]);
    assert_eq!(lab.facts().iter().filter(|(_, sign)| *sign == TcpSign::Hole).count(), 1);
    let streams = &lab.decoder.counters().streams;
    assert_eq!((streams.missing, streams.skipped.values().sum()), (lost.len() as u64 - 20, 20));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the numbers, wrapping ones too, with the handshake or picked up, FINs anywhere among the octets, and all
    /// packets in one batch or each in its own: every message is there, whole.
    #[test]
    fn any_order_of_any_numbers_gives_the_messages(
        turns in dialogue(),
        sizes in prop::collection::vec(80_usize..3_000, 1..9),
        ranks in prop::collection::vec(any::<u16>(), 1..64),
        first in any::<[u32; 2]>(),
        wraps_after in 0_u32..5_000,
        has_beginning in any::<bool>(),
        is_together in any::<bool>(),
    ) {
        let first = [first[0], wraps_after.wrapping_neg()];
        let mut all: Vec<_> = segments(&turns, &sizes)
            .into_iter()
            .map(|(side, seq, octets)| (side, seq - if side == 0 { 101 } else { 501 }, octets, false))
            .collect();
        let len = |side: usize| turns.iter().filter(|turn| turn.0 == side).map(|turn| turn.1.len() as u32).sum::<u32>();
        all.extend([(0, len(0), vec![], true), (1, len(1), vec![], true)]);
        let mut rank = ranks.iter().cycle();
        all.sort_by_cached_key(|(_, place, ..)| (place / 32_768, *rank.next().unwrap()));
        let mut lab = Lab::batched(is_together);
        if has_beginning {
            lab.handshake_from(first);
        }
        for (side, place, octets, fin) in all {
            let [seq, ack] = [(side, place), (1 - side, 0)].map(|(side, place)| first[side].wrapping_add(place));
            lab.send(side, Sent { seq, ack: Some(ack), fin, ..Sent::default() }, &octets);
            if !has_beginning {
                // Nothing here takes long enough for a stream to be picked up behind its first octets.
                lab.now -= MS;
            }
        }
        lab.finish();
        for side in 0..2 {
            let wanted: Vec<_> = turns.iter().filter(|turn| turn.0 == side).map(|turn| turn.1.clone()).collect();
            prop_assert_eq!(said_by(&lab, side), wanted);
        }
        let streams = &lab.decoder.counters().streams;
        prop_assert_eq!((streams.holes, streams.skipped.len()), (0, 0));
    }

    /// One packet that the capture lost, a SYN or a FIN too, costs the messages whose octets it carried and no other. A reset
    /// with a wrong number costs nothing.
    #[test]
    fn any_lost_packet_costs_only_what_it_carried(
        turns in dialogue(),
        sizes in prop::collection::vec(100_usize..3_000, 1..9),
        first in any::<[u32; 2]>(),
        paces in [1_u32..5, 1..5],
        lost in any::<prop::sample::Index>(),
        stray in any::<prop::sample::Index>(),
        is_aborted in any::<bool>(),
        is_together in any::<bool>(),
    ) {
        let mut all = connection(&turns, &sizes, paces, is_aborted);
        let lost = lost.index(all.len());
        let (lost_side, from) = (all[lost].side, all[lost].place);
        let to = from + all[lost].octets.len() as u32;
        let mut lab = Lab::batched(is_together);
        let stray = stray.index(all.len());
        let mut next = [0; 2];
        for (n, Packet { side, place, kind, octets }) in all.drain(..).enumerate() {
            let seq = first[side].wrapping_add(place);
            let ack = first[1 - side].wrapping_add(next[1 - side]);
            next[side] = place.wrapping_add(octets.len() as u32 + u32::from(matches!(kind, "syn" | "fin")));
            if n == stray {
                lab.send(side, Sent { seq: seq.wrapping_add(1_000_000_000), rst: true, ..Sent::default() }, b"");
            }
            if n != lost {
                let (syn, fin, rst) = (kind == "syn", kind == "fin", kind == "rst");
                let ack = Some(ack).filter(|_| n > 0);
                lab.send(side, Sent { seq, ack, syn, fin, rst, ..Sent::default() }, &octets);
            }
        }
        lab.finish();
        for side in 0..2 {
            let got = said_by(&lab, side);
            let mut at = 0;
            for (_, text) in turns.iter().filter(|turn| turn.0 == side) {
                let end = at + text.len() as u32;
                let is_hit = side == lost_side && at < to && end > from && to != from;
                prop_assert_eq!(is_hit, !got.contains(text), "lost {}..{}, and with it {}..{}", from, to, at, end);
                at = end;
            }
        }
        for arrival in lab.arrivals() {
            let whole = turns.iter().any(|turn| turn.1.as_bytes() == arrival.message.bytes());
            prop_assert!(whole != arrival.message.notes().contains(Notes::CUT));
        }
    }
}

/// A packet of a connection; its place counts from the first octet.
struct Packet {
    side: usize,
    place: u32,
    kind: &'static str,
    octets: Vec<u8>,
}

/// All of a connection in order, each side at its pace, with the handshake and the end.
fn connection(turns: &[(usize, String)], sizes: &[usize], paces: [u32; 2], is_aborted: bool) -> Vec<Packet> {
    let empty = |side, place, kind| Packet { side, place, kind, octets: Vec::new() };
    let mut all = vec![empty(0, u32::MAX, "syn"), empty(1, u32::MAX, "syn"), empty(0, 0, "ack")];
    let mut data = segments(turns, sizes);
    let mut counts = [0, 0];
    data.sort_by_cached_key(|(side, ..)| {
        counts[*side] += paces[*side];
        counts[*side]
    });
    let mut ends = [0, 0];
    for (side, seq, octets) in data {
        let place = seq - if side == 0 { 101 } else { 501 };
        ends[side] = place + octets.len() as u32;
        all.push(Packet { side, place, kind: "data", octets });
    }
    all.push(empty(0, ends[0], if is_aborted { "rst" } else { "fin" }));
    if !is_aborted {
        all.push(empty(1, ends[1], "fin"));
    }
    all
}
