use proptest::prelude::*;

use super::*;
use crate::limits::{TCP_WAITING_BYTES, TCP_WAITING_PIECES};
use crate::net::transport::{TcpFlags, TcpSegment};
use crate::packet::{Endpoint, FlowKey, PacketId};
use crate::time::{Elapsed, Timestamp};

const PLAIN: TcpFlags = TcpFlags { syn: false, ack: true, fin: false, rst: false };
const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false };
const SYN_ACK: TcpFlags = TcpFlags { syn: true, ack: true, fin: false, rst: false };
const FIN: TcpFlags = TcpFlags { syn: false, ack: true, fin: true, rst: false };
const RST: TcpFlags = TcpFlags { syn: false, ack: false, fin: false, rst: true };
const RST_ACK: TcpFlags = TcpFlags { syn: false, ack: true, fin: false, rst: true };

/// One connection, its streams as they come out, and what was said of it.
#[derive(Default)]
struct Wire {
    connection: Connection,
    streams: [Vec<u8>; 2],
    missing: [u64; 2],
    ended: [u32; 2],
    anew: [u32; 2],
    signs: Vec<(u64, TcpSign)>,
    number: u64,
    now: i64,
}

impl Wire {
    fn send(&mut self, side: usize, seq: u32, ack: u32, flags: TcpFlags, payload: &[u8]) -> Taken {
        self.send_with(side, seq, ack, flags, payload, 1_000)
    }

    fn send_with(&mut self, side: usize, seq: u32, ack: u32, flags: TcpFlags, payload: &[u8], window: u16) -> Taken {
        self.number += 1;
        self.now += 1;
        let end = |last: u8| Endpoint::new([10, 0, 0, last].into(), 5060);
        let segment = TcpSegment {
            flow: FlowKey { src: end(side as u8), dst: end(1 - side as u8) },
            sequence: seq,
            acknowledgment: ack,
            flags,
            window,
            payload,
            wire_len: payload.len(),
        };
        let Self { streams, missing, ended, anew, .. } = self;
        let at = Timestamp::from_nanos(self.now * 1_000_000);
        let packet = PacketId::new(0, self.number);
        let seen = self.connection.push(side, &segment, packet, at, &mut |side, part| match part {
            Part::Octets { bytes, .. } => streams[side].extend_from_slice(bytes),
            Part::Missing(octets) => missing[side] += octets,
            Part::End => ended[side] += 1,
            Part::Anew => anew[side] += 1,
        });
        self.signs.extend(seen.signs.iter().map(|sign| (self.number, *sign)));
        seen.taken
    }

    fn wait(&mut self, millis: i64) {
        self.now += millis;
        let Self { streams, missing, ended, anew, .. } = self;
        self.connection.expire(Timestamp::from_nanos(self.now * 1_000_000), &mut |side, part| match part {
            Part::Octets { bytes, .. } => streams[side].extend_from_slice(bytes),
            Part::Missing(octets) => missing[side] += octets,
            Part::End => ended[side] += 1,
            Part::Anew => anew[side] += 1,
        });
    }

    fn finish(&mut self) {
        let Self { connection, streams, missing, ended, anew, .. } = self;
        connection.finish(&mut |side, part| match part {
            Part::Octets { bytes, .. } => streams[side].extend_from_slice(bytes),
            Part::Missing(octets) => missing[side] += octets,
            Part::End => ended[side] += 1,
            Part::Anew => anew[side] += 1,
        });
    }

    fn text(&self, side: usize) -> &str {
        std::str::from_utf8(&self.streams[side]).unwrap()
    }

    fn handshake(initial: u32) -> Self {
        let mut wire = Self::default();
        wire.send(0, initial, 0, SYN, b"");
        wire.send(1, 7_000, initial.wrapping_add(1), SYN_ACK, b"");
        wire.send(0, initial.wrapping_add(1), 7_001, PLAIN, b"");
        wire
    }
}

#[test]
fn octets_come_in_order_once_and_over_the_wrap_of_their_numbers() {
    let first = u32::MAX - 5;
    let mut wire = Wire::handshake(first - 1);
    assert_eq!(wire.send(0, first, 7_001, PLAIN, b"abcd"), Taken::InOrder);
    assert_eq!(wire.send(0, first.wrapping_add(8), 7_001, PLAIN, b"ij"), Taken::Early);
    assert_eq!(wire.send(0, first, 7_001, PLAIN, b"abcd"), Taken::Again);
    assert_eq!(wire.send(0, first.wrapping_add(2), 7_001, PLAIN, b"CDefgh"), Taken::InOrder);
    assert_eq!(wire.text(0), "abcdefghij");
    assert_eq!(wire.connection.memory(), 0);
}

#[test]
fn the_first_copy_of_an_octet_wins() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 102, 7_001, PLAIN, b"cd");
    wire.send(0, 101, 7_001, PLAIN, b"BCDE");
    wire.send(0, 100, 7_001, PLAIN, b"a");
    assert_eq!(wire.text(0), "aBcdE");
}

#[test]
fn a_stream_in_the_middle_waits_a_moment_for_earlier_octets() {
    let mut wire = Wire::default();
    wire.send(0, 500, 7_001, PLAIN, b"cd");
    wire.send(0, 498, 7_001, PLAIN, b"ab");
    assert_eq!(wire.text(0), "");
    wire.wait(60);
    assert_eq!((wire.text(0), wire.missing[0]), ("abcd", 0));
    // Whoever acknowledges octets has all that were before them.
    let mut wire = Wire::default();
    wire.send(0, 500, 7_001, PLAIN, b"cd");
    wire.send(1, 7_001, 502, PLAIN, b"x");
    assert_eq!((wire.text(0), wire.text(1)), ("cd", "x"));
}

#[test]
fn a_hole_is_waited_for_and_given_up_sooner_when_the_receiver_has_its_octets() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 103, 7_001, PLAIN, b"def");
    wire.wait(29_000);
    assert_eq!((wire.text(0), wire.missing[0]), ("", 0));
    wire.send(1, 7_001, 106, PLAIN, b"");
    wire.wait(150);
    assert_eq!(wire.text(0), "");
    wire.wait(100);
    assert_eq!((wire.text(0), wire.missing[0]), ("def", 3));

    let mut wire = Wire::handshake(99);
    wire.send(0, 103, 7_001, PLAIN, b"def");
    wire.wait(30_001);
    assert_eq!((wire.text(0), wire.missing[0]), ("def", 3));
}

/// A hole at 101..104, one at 107..110, and what the receiver has.
#[test]
fn each_hole_is_given_up_by_what_the_receiver_has_of_it() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_001, PLAIN, b"a");
    wire.send(0, 104, 7_001, PLAIN, b"efg");
    wire.send(0, 110, 7_001, PLAIN, b"k");
    wire.send(1, 7_001, 107, PLAIN, b"");
    wire.wait(150);
    // The second hole is acknowledged just now, the first one filled.
    wire.send(1, 7_001, 111, PLAIN, b"");
    wire.send(0, 101, 7_001, PLAIN, b"bcd");
    assert_eq!(wire.text(0), "abcdefg");
    wire.wait(100);
    assert_eq!((wire.text(0), wire.missing[0]), ("abcdefg", 0));
    wire.wait(100);
    assert_eq!((wire.text(0), wire.missing[0]), ("abcdefgk", 3));

    // What the receiver has not is sent again after the sender's own patience.
    let mut wire = Wire::handshake(99);
    wire.send(0, 106, 7_001, PLAIN, b"g");
    wire.send(1, 7_001, 103, PLAIN, b"");
    wire.wait(1_000);
    wire.send(0, 103, 7_001, PLAIN, b"def");
    assert_eq!((wire.text(0), wire.missing[0]), ("defg", 3));
}

#[test]
fn an_answer_stands_behind_what_it_answers() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 103, 7_001, PLAIN, b"def");
    wire.send(1, 7_001, 100, PLAIN, b"not to this");
    assert_eq!((wire.text(0), wire.missing[0]), ("", 0));
    wire.send(1, 7_012, 106, PLAIN, b"but this");
    assert_eq!((wire.text(0), wire.missing[0]), ("def", 3));
}

/// No receiver acknowledges what was not sent: one such number must not shorten the patience for ever.
#[test]
fn a_wrong_acknowledgment_is_no_evidence() {
    let mut wire = Wire::handshake(99);
    wire.send(1, 7_001, 1_000_000_000, PLAIN, b"");
    wire.send(0, 103, 7_001, PLAIN, b"def");
    wire.send(1, 7_001, 1_000_000_000, PLAIN, b"");
    wire.send(1, 7_001, 100, PLAIN, b"x");
    wire.wait(29_000);
    assert_eq!((wire.text(0), wire.missing[0]), ("", 0));
}

#[test]
fn numbers_that_wander_before_the_beginning_is_known_do_no_harm() {
    let mut wire = Wire::default();
    for (n, seq) in [0, 0x8000_0001, 2, u32::MAX - 7].into_iter().enumerate() {
        wire.send(0, seq, 0, PLAIN, &b"twenty octets of text"[..if n < 3 { 20 } else { 9 }]);
    }
    wire.wait(31_000);
    wire.wait(31_000);
    wire.finish();
    assert!(wire.missing[0] <= 1 << 32, "{}", wire.missing[0]);
    assert_eq!(wire.connection.memory(), 0);
}

/// The end is told once, when all before it was given or given up, also when the segment with FIN overtakes others.
#[test]
fn the_end_of_a_stream_comes_behind_its_octets() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_001, PLAIN, b"ab");
    wire.send(0, 104, 7_001, FIN, b"");
    assert_eq!((wire.text(0), wire.ended), ("ab", [0, 0]));
    wire.send(0, 102, 7_001, PLAIN, b"cd");
    wire.send(0, 104, 7_001, FIN, b"");
    wire.send(0, 102, 7_001, FIN, b"cd");
    assert_eq!((wire.text(0), wire.ended), ("abcd", [1, 0]));
    // Octets before it that were not captured.
    wire.send(1, 7_011, 105, FIN, b"");
    wire.send(0, 105, 7_012, PLAIN, b"");
    assert_eq!((wire.ended, wire.missing), ([1, 0], [0, 0]));
    wire.wait(201);
    assert_eq!((wire.ended, wire.missing), ([1, 1], [0, 10]));
}

#[test]
fn what_waits_is_bounded_in_octets_and_in_segments() {
    let mut wire = Wire::handshake(99);
    let block = [b'x'; 1_000];
    for n in 1..1_000_u32 {
        wire.send(0, 100 + n * 2_000, 7_001, PLAIN, &block);
        assert!(wire.connection.memory() <= TCP_WAITING_BYTES + 1_100);
    }
    assert!(wire.missing[0] > 0);
    let mut wire = Wire::handshake(99);
    for n in 1..10_000_u32 {
        wire.send(0, 100 + n * 2, 7_001, PLAIN, b"x");
        assert!(wire.connection.memory() <= (TCP_WAITING_PIECES + 1) * 64);
    }
}

#[test]
fn what_the_snap_length_cut_off_is_missing() {
    let mut wire = Wire::handshake(99);
    let Wire { connection, streams, missing, ended, anew, .. } = &mut wire;
    let segment = TcpSegment {
        flow: FlowKey { src: Endpoint::new([1; 4].into(), 1), dst: Endpoint::new([2; 4].into(), 2) },
        sequence: 100,
        acknowledgment: 7_001,
        flags: PLAIN,
        window: 9,
        payload: b"ab",
        wire_len: 10,
    };
    connection.push(0, &segment, PacketId::new(0, 9), Timestamp::default(), &mut |side, part| match part {
        Part::Octets { bytes, .. } => streams[side].extend_from_slice(bytes),
        Part::Missing(octets) => missing[side] += octets,
        Part::End => ended[side] += 1,
        Part::Anew => anew[side] += 1,
    });
    wire.send(0, 110, 7_001, PLAIN, b"k");
    assert_eq!((wire.text(0), wire.missing[0]), ("abk", 8));
}

/// RFC 9293, 3.10.7.1: a host that knows no connection answers a segment with ACK by a reset without ACK, whose number is
/// the acknowledged one; one without ACK (a SYN) by a reset with ACK.
#[test]
fn resets_are_told_apart() {
    let signs = |wire: &Wire| wire.signs.iter().map(|(_, sign)| *sign).collect::<Vec<_>>();
    let mut unknown = Wire::default();
    unknown.send(0, 500, 7_001, PLAIN, b"NOTIFY");
    unknown.send(1, 7_001, 0, RST, b"");
    assert_eq!(signs(&unknown), [TcpSign::Unknown]);

    let mut aborted = Wire::handshake(99);
    aborted.send(0, 100, 7_001, PLAIN, b"NOTIFY");
    aborted.send(1, 7_001, 106, RST_ACK, b"");
    aborted.send(1, 7_001, 0, RST, b"");
    assert_eq!(signs(&aborted)[2..], [TcpSign::Abort, TcpSign::Abort]);
    assert_eq!(aborted.connection.standing(), Standing::Reset);

    let mut refused = Wire::default();
    refused.send(0, 99, 0, SYN, b"");
    refused.send(1, 0, 100, RST_ACK, b"");
    assert_eq!(signs(&refused), [TcpSign::Syn, TcpSign::Refused]);

    let mut left = Wire::handshake(99);
    left.send(1, 7_001, 100, FIN, b"");
    left.send(0, 100, 7_002, PLAIN, b"late");
    left.send(1, 7_002, 0, RST, b"");
    assert_eq!(signs(&left)[2..], [TcpSign::Fin, TcpSign::Abort]);
}

/// A connection between the same ports whose SYN was not captured: its numbers are anywhere.
#[test]
fn a_stream_goes_on_elsewhere_once_that_is_proved() {
    let old = || {
        let mut wire = Wire::handshake(1_999_999);
        wire.send(0, 2_000_000, 7_001, PLAIN, b"old");
        wire.send(1, 7_001, 2_000_003, PLAIN, b"");
        wire
    };
    for far in [1_000, 0x7000_0000, 0x9000_0000] {
        // The next segment continues it, in any order; an empty one does too.
        let mut wire = old();
        assert_eq!(wire.send(0, far + 3, 0, PLAIN, b"def"), Taken::Elsewhere);
        assert_eq!(wire.send(0, far, 0, PLAIN, b"abc"), Taken::InOrder);
        wire.send(0, far + 6, 0, PLAIN, b"ghi");
        assert_eq!((wire.text(0), wire.missing[0], wire.anew[0]), ("oldabcdefghi", 0, 1));
        let mut wire = old();
        wire.send(0, far, 0, PLAIN, b"abc");
        wire.send(0, far + 3, 0, PLAIN, b"");
        assert_eq!(wire.text(0), "oldabc");
        // Its receiver has it.
        let mut wire = old();
        wire.send(0, far, 0, PLAIN, b"abc");
        assert_eq!(wire.text(0), "old");
        wire.send(1, 7_001, far + 3, PLAIN, b"");
        assert_eq!(wire.text(0), "oldabc");
        // Nothing goes on where the stream was.
        let mut wire = old();
        wire.send(0, far, 0, PLAIN, b"abc");
        wire.finish();
        assert_eq!(wire.text(0), "oldabc");
        // The old connection is over.
        let mut wire = old();
        wire.send(0, 2_000_003, 7_001, RST, b"");
        assert_eq!(wire.send(0, far, 0, PLAIN, b"abc"), Taken::InOrder);
        assert_eq!((wire.text(0), wire.connection.standing()), ("oldabc", Standing::PickedUp));
    }
}

#[test]
fn a_stray_segment_hides_nothing_that_follows() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_001, PLAIN, b"ab");
    assert_eq!(wire.send(0, 1_000_000_100, 7_001, PLAIN, b"stray"), Taken::Elsewhere);
    wire.send(0, 102, 7_001, PLAIN, b"cd");
    wire.wait(31_000);
    wire.send(1, 7_001, 104, PLAIN, b"");
    wire.send(0, 104, 7_001, PLAIN, b"ef");
    wire.finish();
    assert_eq!((wire.text(0), wire.missing[0], wire.anew[0]), ("abcdef", 0, 0));
    // Even where it was believed, the stream is found again.
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_001, PLAIN, b"ab");
    wire.send(0, 1_000_000_100, 7_001, PLAIN, b"XY");
    wire.send(1, 7_001, 1_000_000_102, PLAIN, b"");
    wire.send(0, 102, 7_001, PLAIN, b"cd");
    wire.send(0, 104, 7_001, PLAIN, b"ef");
    assert_eq!((wire.text(0), wire.missing[0], wire.anew[0]), ("abXYcdef", 0, 2));
}

/// What a sender repeats was not acknowledged, however large its window is.
#[test]
fn what_was_not_acknowledged_is_sent_again_from_far_behind() {
    let mut wire = Wire::handshake(99);
    let block = [b'x'; 1_000];
    wire.send(1, 7_001, 100, PLAIN, b"");
    for n in 0..600 {
        wire.send(0, 100 + n * 1_000, 7_001, PLAIN, &block);
    }
    assert_eq!(wire.send(0, 100, 7_001, PLAIN, &block), Taken::Again);
    assert_eq!(wire.send(0, 1_100, 7_001, PLAIN, &block), Taken::Again);
    assert_eq!(wire.streams[0].len(), 600_000);
}

/// RFC 5961, 3.2: a reset counts only with the number that its receiver waits for.
#[test]
fn a_reset_with_another_number_ends_nothing() {
    for (seq, sign) in [(777_777_777, TcpSign::Stray), (7_000, TcpSign::Stray), (7_001, TcpSign::Abort)] {
        let mut wire = Wire::handshake(99);
        wire.send(1, seq, 100, RST_ACK, b"");
        assert_eq!(wire.signs.last(), Some(&(4, sign)), "{seq}");
        assert_eq!(wire.connection.standing() == Standing::Reset, sign == TcpSign::Abort);
    }
    // The octets before it were not captured, or it follows a FIN.
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_301, PLAIN, b"");
    wire.send(1, 7_301, 100, RST_ACK, b"");
    assert_eq!(wire.signs.last(), Some(&(5, TcpSign::Abort)));
    let mut wire = Wire::handshake(99);
    wire.send(1, 7_001, 100, FIN, b"bye");
    wire.send(1, 7_005, 100, RST_ACK, b"");
    assert_eq!(wire.signs.last(), Some(&(5, TcpSign::Abort)));
}

/// Somebody between the two may send a reset that looks right; who goes on sending has not sent it.
#[test]
fn who_goes_on_sending_has_not_reset_the_connection() {
    let mut wire = Wire::handshake(99);
    wire.send(1, 7_001, 0, RST, b"");
    wire.send(0, 100, 7_001, PLAIN, b"on its way");
    assert_eq!(wire.connection.standing(), Standing::Reset);
    wire.send(1, 7_001, 110, PLAIN, b"still here");
    assert_eq!(wire.connection.standing(), Standing::Open);
}

#[test]
fn keep_alives_and_closed_windows_are_seen() {
    let mut wire = Wire::handshake(99);
    wire.send(0, 100, 7_001, PLAIN, b"abc");
    wire.send(0, 102, 7_001, PLAIN, b"");
    wire.send(0, 102, 7_001, PLAIN, b"c");
    wire.send_with(1, 7_001, 103, PLAIN, b"", 0);
    wire.send_with(1, 7_001, 103, PLAIN, b"", 0);
    wire.send(1, 7_001, 103, PLAIN, b"");
    let signs: Vec<_> = wire.signs.iter().skip(2).copied().collect();
    use TcpSign::{KeepAlive, WindowOpen, ZeroWindow};
    assert_eq!(signs, [(5, KeepAlive), (6, KeepAlive), (7, ZeroWindow), (9, WindowOpen)]);
    assert_eq!(wire.text(0), "abc");
}

#[test]
fn a_syn_with_another_number_begins_another_connection() {
    let mut wire = Wire::handshake(99);
    let syn = |sequence, flags| TcpSegment {
        flow: FlowKey { src: Endpoint::new([1; 4].into(), 1), dst: Endpoint::new([2; 4].into(), 2) },
        sequence,
        acknowledgment: 0,
        flags,
        window: 9,
        payload: b"",
        wire_len: 0,
    };
    assert!(!wire.connection.is_replaced_by(0, &syn(99, SYN)));
    assert!(wire.connection.is_replaced_by(0, &syn(555, SYN)));
    assert!(!wire.connection.is_replaced_by(0, &syn(555, PLAIN)));
    assert!(!Connection::default().is_replaced_by(1, &syn(5, SYN_ACK)));
    wire.send(0, 100, 7_001, FIN, b"");
    wire.send(1, 7_001, 101, FIN, b"");
    assert_eq!(wire.connection.standing(), Standing::Closed);
    assert!(wire.connection.is_replaced_by(1, &syn(4, SYN)));
}

proptest! {
    /// Any stream, cut into any segments, out of order, repeated and overlapping, comes out as it went in.
    #[test]
    fn any_segments_give_the_stream(
        initial in any::<u32>(),
        stream in prop::collection::vec(any::<u8>(), 1..4_000),
        cuts in prop::collection::vec((0_usize..4_000, 1_usize..600), 0..40),
        order in any::<prop::sample::Index>(),
        keys in prop::collection::vec(any::<u32>(), 100),
        has_syn in any::<bool>(),
    ) {
        // All of it in segments of 100, and any others over it; then shuffled.
        let base = (0..stream.len()).step_by(100).map(|from| (from, 100));
        let mut segments: Vec<_> = base.chain(cuts).filter(|(from, _)| *from < stream.len()).collect();
        let at = |n: usize| keys[(n + order.index(keys.len())) % keys.len()];
        let mut ranked: Vec<_> = segments.drain(..).enumerate().collect();
        ranked.sort_by_key(|(n, _)| at(*n));
        let mut wire = if has_syn { Wire::handshake(initial.wrapping_sub(1)) } else { Wire::default() };
        for (_, (from, len)) in ranked {
            let to = (from + len).min(stream.len());
            wire.send(0, initial.wrapping_add(from as u32), 7_001, PLAIN, &stream[from..to]);
            // Nothing here takes long enough for a stream without its beginning to be picked up.
            wire.now = 3;
        }
        wire.finish();
        prop_assert_eq!(wire.missing, [0, 0]);
        prop_assert_eq!(&wire.streams[0], &stream);
        prop_assert_eq!(wire.connection.memory(), 0);
    }

    #[test]
    fn any_segments_at_all_are_bounded(
        segments in prop::collection::vec((0_usize..2, any::<u32>(), any::<u32>(), any::<[bool; 4]>(), 0_usize..50), 0..200),
    ) {
        let mut wire = Wire::default();
        for (side, seq, ack, [syn, acks, fin, rst], len) in segments {
            wire.send(side, seq, ack, TcpFlags { syn, ack: acks, fin, rst }, &vec![b'x'; len]);
            wire.wait(i64::from(seq % 100));
            let deadline = wire.connection.deadline();
            prop_assert!(deadline.is_none_or(|at| at.since(Timestamp::from_nanos(wire.now * 1_000_000)) <= Elapsed::from_secs(30)));
        }
    }
}
