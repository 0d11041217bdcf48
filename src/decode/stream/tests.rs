mod networks;
mod order;
mod time;

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::capture::synth::Path;
use crate::capture::synth::wire::{TcpSegment as Sent, tcp, udp};
use crate::counters::Layer;
use crate::decode::{DecodeOptions, Decoder};
use crate::event::{Event, SipArrival, TcpSign};
use crate::packet::{Batch, LinkType, PacketId, PacketMeta, Transport};
use crate::sip::Notes;

mod ends;
mod websocket;

const MS: i64 = 1_000_000;

/// Two hosts and what the decoder makes of their segments.
struct Lab {
    decoder: Decoder,
    out: Decoded,
    ends: [Endpoint; 2],
    number: u64,
    now: i64,
    /// The packets so far, when they are decoded together.
    batch: Option<Batch>,
    /// The tag on all packets.
    vlan: Option<u16>,
}

impl Lab {
    fn new() -> Self {
        Self::between(["10.1.1.171", "10.1.1.68"])
    }

    fn between(ips: [&str; 2]) -> Self {
        let end = |ip: &str, port| Endpoint::new(ip.parse::<IpAddr>().unwrap(), port);
        let ends = [end(ips[0], 1_025), end(ips[1], 5_060)];
        Self {
            decoder: Decoder::new(DecodeOptions::default()),
            out: Decoded::default(),
            ends,
            number: 0,
            now: 0,
            batch: None,
            vlan: None,
        }
    }

    /// With the handshake done: side 0 sends from 101 on, side 1 from 501.
    fn connected() -> Self {
        let mut lab = Self::new();
        lab.handshake();
        lab
    }

    fn handshake(&mut self) {
        self.send(0, Sent { seq: 100, syn: true, ..Sent::default() }, b"");
        self.send(1, Sent { seq: 500, ack: Some(101), syn: true, ..Sent::default() }, b"");
        self.send(0, Sent { seq: 101, ack: Some(501), ..Sent::default() }, b"");
    }

    fn send(&mut self, side: usize, segment: Sent, payload: &[u8]) {
        let path = Path::new(self.ends[side], self.ends[1 - side]);
        let mut frame = Vec::new();
        tcp(&path, self.number as u16, segment, payload, &mut frame);
        if let Some(vlan) = self.vlan {
            let [high, low] = vlan.to_be_bytes();
            frame.splice(12..12, [0x81, 0, high, low]);
        }
        self.frame(&frame);
    }

    fn frame(&mut self, frame: &[u8]) {
        self.number += 1;
        self.now += MS;
        let meta = PacketMeta {
            id: PacketId::new(0, self.number),
            at: Timestamp::from_nanos(self.now),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: frame.len() as u32,
        };
        match &mut self.batch {
            Some(together) => together.push(meta, frame),
            None => {
                let mut batch = Batch::new();
                batch.push(meta, frame);
                self.decoder.decode(&batch, &mut self.out);
            }
        }
    }

    /// Decodes what was sent since the last time as one batch, and all that is sent from now on.
    fn together(&mut self) {
        let batch = self.batch.replace(Batch::new());
        if let Some(batch) = batch {
            self.decoder.decode(&batch, &mut self.out);
        }
    }

    fn data(&mut self, side: usize, seq: u32, payload: &[u8]) {
        let ack = if side == 0 { 501 } else { 101 };
        self.send(side, Sent { seq, ack: Some(ack), ..Sent::default() }, payload);
    }

    fn wait(&mut self, millis: i64) {
        self.now += millis * MS;
        if self.batch.is_none() {
            self.decoder.tick(Timestamp::from_nanos(self.now), &mut self.out);
        }
    }

    fn finish(&mut self) {
        if self.batch.is_some() {
            self.together();
        }
        self.decoder.finish(&mut self.out);
    }

    /// A datagram of another flow, with a message in it.
    fn datagram(&mut self, text: &str) {
        let path = Path::new(self.ends[1], self.ends[0]);
        let mut frame = Vec::new();
        udp(&path, 1, text.as_bytes(), &mut frame);
        self.frame(&frame);
    }

    fn arrivals(&self) -> Vec<&SipArrival> {
        let sip = self
            .out
            .events
            .iter()
            .filter_map(|event| if let Event::Sip(arrival) = event { Some(&**arrival) } else { None });
        sip.collect()
    }

    fn texts(&self) -> Vec<String> {
        self.arrivals().iter().map(|arrival| String::from_utf8_lossy(arrival.message.bytes()).into_owned()).collect()
    }

    fn packets(&self) -> Vec<Vec<u64>> {
        let numbers = |arrival: &&SipArrival| arrival.packets.iter().map(|id| id.number()).collect();
        self.arrivals().iter().map(numbers).collect()
    }

    fn facts(&self) -> Vec<(u64, TcpSign)> {
        let fact = |event: &Event| match event {
            Event::TcpFlow(fact) => Some((fact.packet.number(), fact.kind)),
            _ => None,
        };
        self.out.events.iter().filter_map(fact).collect()
    }
}

fn message(method: &str, call_id: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:208@10.1.1.68 SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.1.171:1025;branch=z9hG4bK{call_id}\r\n\
         From: <sip:207@10.1.1.68>;tag=1\r\nTo: <sip:208@10.1.1.68>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn body(lines: usize) -> String {
    "a=x-some-attribute:of a session description\r\n".repeat(lines)
}

#[test]
fn a_message_in_one_segment_keeps_its_packet_time_and_flow() {
    let mut lab = Lab::connected();
    let text = message("OPTIONS", "a", "");
    lab.data(0, 101, text.as_bytes());
    let arrivals = lab.arrivals();
    let [arrival] = arrivals.as_slice() else { panic!("{arrivals:?}") };
    assert_eq!((arrival.message.bytes(), arrival.transport), (text.as_bytes(), Transport::Tcp));
    assert_eq!((arrival.flow.src.port, arrival.at), (1_025, Timestamp::from_nanos(4 * MS)));
    assert_eq!((lab.packets(), lab.facts()), (vec![vec![4]], vec![(1, TcpSign::Syn), (2, TcpSign::SynAck)]));
    assert_eq!(lab.decoder.counters().passed, [("tcp without data", 3)].into());
}

#[test]
fn several_messages_and_a_keep_alive_in_one_segment() {
    let mut lab = Lab::connected();
    let texts = ["a", "b", "c"].map(|id| message("OPTIONS", id, ""));
    lab.data(0, 101, format!("\r\n\r\n{}", texts.concat()).as_bytes());
    assert_eq!((lab.texts(), lab.packets()), (texts.to_vec(), vec![vec![4]; 3]));
    assert_eq!(lab.decoder.counters().streams.keep_alives, 1);
}

#[test]
fn the_first_four_octets_alone_do_not_hide_a_message() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(2));
    lab.data(0, 101, &text.as_bytes()[..4]);
    lab.data(0, 105, &text.as_bytes()[4..]);
    assert_eq!((lab.texts(), lab.packets()), (vec![text], vec![vec![4, 5]]));
}

#[test]
fn what_tcp_sends_again_is_no_message_of_its_own() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(40));
    let (first, second) = text.as_bytes().split_at(1_000);
    lab.data(0, 101, first);
    lab.data(0, 101, first);
    lab.data(0, 1_101, second);
    lab.data(0, 1_101, second);
    assert_eq!((lab.texts(), lab.packets()), (vec![text], vec![vec![4, 6]]));
    assert_eq!(lab.decoder.counters().streams.again, 2);
}

#[test]
fn segments_out_of_order_are_put_in_order_and_the_completing_packet_stands_last() {
    let mut lab = Lab::connected();
    let text = message("NOTIFY", "a", &body(80));
    let parts: Vec<_> = text.as_bytes().chunks(1_000).collect();
    assert_eq!(parts.len(), 4);
    for part in [2, 0, 3, 3, 1] {
        lab.data(0, 101 + part as u32 * 1_000, parts[part]);
    }
    assert_eq!((lab.texts(), lab.packets()), (vec![text], vec![vec![4, 5, 6, 8]]));
    assert_eq!(lab.arrivals()[0].at, Timestamp::from_nanos(8 * MS));
}

#[test]
fn after_lost_segments_every_whole_message_is_found_and_the_broken_one_is_marked() {
    let mut lab = Lab::connected();
    let broken = message("INVITE", "broken", &body(40));
    lab.data(0, 101, &broken.as_bytes()[..1_000]);
    let mut seq = 101 + broken.len() as u32;
    let mut wanted = vec![broken[..1_000].to_owned()];
    for id in ["a", "b", "c", "d", "e"] {
        let text = message("OPTIONS", id, "");
        lab.data(0, seq, text.as_bytes());
        // A hole of 300 octets before the next one.
        seq += text.len() as u32 + 300;
        wanted.push(text);
    }
    lab.send(1, Sent { seq: 501, ack: Some(seq), ..Sent::default() }, b"");
    lab.wait(201);
    assert_eq!(lab.texts(), wanted);
    let cut: Vec<_> = lab.arrivals().iter().map(|a| a.message.notes().contains(Notes::CUT)).collect();
    assert_eq!(cut, [true, false, false, false, false, false]);
    let counters = lab.decoder.counters();
    assert_eq!((counters.streams.holes, counters.malformed_at(Layer::Sip)), (5, 1));
    assert_eq!(lab.facts().iter().filter(|(_, sign)| *sign == TcpSign::Hole).count(), 1);
}

#[test]
fn a_connection_that_began_before_the_capture_is_picked_up_at_the_next_message() {
    let mut lab = Lab::new();
    let text = message("OPTIONS", "a", "");
    let rest = "tail of a body\r\n";
    lab.data(0, 9_000, format!("{rest}{text}").as_bytes());
    assert_eq!(lab.texts(), [] as [String; 0]);
    lab.wait(51);
    assert_eq!(lab.texts(), [text]);
    assert_eq!(lab.decoder.counters().streams.skipped.values().sum::<u64>(), rest.len() as u64);
}

#[test]
fn at_the_end_of_a_capture_what_is_there_of_a_message_is_given() {
    let mut lab = Lab::connected();
    let text = message("INVITE", "a", &body(40));
    lab.data(0, 101, &text.as_bytes()[..700]);
    lab.finish();
    assert_eq!(lab.texts(), [&text[..700]]);
    assert!(lab.arrivals()[0].message.notes().contains(Notes::CUT));
}

#[test]
fn other_streams_are_passed_over_and_sip_in_them_is_still_found() {
    let mut lab = Lab::connected();
    lab.data(0, 101, b"GET /firmware.ld HTTP/1.1\r\nHost: 10.1.1.68\r\n\r\n");
    for n in 0..50_u32 {
        lab.data(1, 501 + n * 1_400, &[0xfe; 1_400]);
    }
    assert!(lab.arrivals().is_empty());
    assert_eq!(lab.decoder.counters().passed.get("other tcp"), Some(&51));
    assert_eq!(lab.decoder.stream_usage(), (1, 0));
    let text = message("OPTIONS", "a", "");
    lab.data(1, 501 + 50 * 1_400, text.as_bytes());
    assert_eq!(lab.texts(), [text]);
}

/// As when a phone restarts: it asks for a new connection between the same ports, and answers what comes on the old one.
#[test]
fn a_restart_between_the_same_ports_is_another_connection() {
    let mut lab = Lab::connected();
    let (old, new) = (message("SUBSCRIBE", "old", ""), message("SUBSCRIBE", "new", &body(30)));
    lab.data(0, 101, old.as_bytes());
    lab.send(0, Sent { seq: 70_000, syn: true, ..Sent::default() }, b"");
    lab.send(1, Sent { seq: 90_000, ack: Some(70_001), syn: true, ..Sent::default() }, b"");
    lab.data(0, 71_001, &new.as_bytes()[1_000..]);
    lab.data(0, 70_001, &new.as_bytes()[..1_000]);
    assert_eq!(lab.texts(), [old, new]);
    use TcpSign::{Syn, SynAck, SynAnew};
    assert_eq!(lab.facts(), [(1, Syn), (2, SynAck), (5, SynAnew), (6, SynAck)]);
}

#[test]
fn a_host_that_forgot_the_connection_is_told_from_one_that_aborts_it() {
    for (ack, sign) in [(None, TcpSign::Unknown), (Some(600), TcpSign::Abort)] {
        let mut lab = Lab::connected();
        lab.send(1, Sent { seq: 501, ack: Some(101), ..Sent::default() }, message("NOTIFY", "a", "").as_bytes());
        lab.send(0, Sent { seq: 101, ack, rst: true, ..Sent::default() }, b"");
        assert_eq!(lab.facts().last(), Some(&(5, sign)));
    }
}

#[test]
fn small_talk_is_told_only_where_sip_is_spoken() {
    let talk = |lab: &mut Lab, text: &[u8]| {
        lab.data(0, 101, text);
        lab.data(0, 100 + text.len() as u32, b"");
        lab.facts().iter().filter(|(_, sign)| *sign == TcpSign::KeepAlive).count()
    };
    assert_eq!(talk(&mut Lab::connected(), message("OPTIONS", "a", "").as_bytes()), 1);
    assert_eq!(talk(&mut Lab::connected(), b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"), 0);
}

#[test]
fn the_capture_tab_sees_who_speaks_sip() {
    let mut lab = Lab::connected();
    lab.data(0, 101, message("OPTIONS", "a", "").as_bytes());
    lab.data(0, 9_000, b"x");
    let flows = lab.decoder.flows();
    let [flow] = flows.as_slice() else { panic!("{flows:?}") };
    assert_eq!((flow.flow.src, flow.protocol, flow.messages), (lab.ends[0], Protocol::Sip, 1));
    assert_eq!((flow.standing.name(), flow.packets), ("open", 5));
    assert!(lab.decoder.stream_usage().1 > 0);
}

#[test]
fn half_open_connections_and_endless_holes_stay_within_their_limits() {
    let mut lab = Lab::new();
    for n in 0..TCP_CONNECTIONS as u32 + 5_000 {
        lab.ends[0] = Endpoint::new(IpAddr::V4((0x0b00_0000 | n).into()), 4_000);
        lab.send(0, Sent { seq: n, syn: true, ..Sent::default() }, b"");
        lab.out.clear();
    }
    assert_eq!(lab.decoder.stream_usage().0, TCP_CONNECTIONS);
    assert_eq!(lab.decoder.counters().streams.evicted, 5_000);
    for n in 0..2_000_u32 {
        lab.ends[0] = Endpoint::new(IpAddr::V4((0x0c00_0000 | n).into()), 4_000);
        lab.send(0, Sent { seq: 1, syn: true, ..Sent::default() }, b"");
        for part in 1..20 {
            lab.data(0, part * 3_000, &[b'x'; 1_400]);
        }
        lab.out.clear();
        assert!(lab.decoder.stream_usage().1 <= TCP_BYTES);
    }
    assert!(lab.decoder.stream_usage().1 > TCP_BYTES / 2);
    assert!(lab.decoder.counters().streams.evicted_by_bytes > 100);
}

/// A dialogue: whose turn it is, and what is said.
fn dialogue() -> impl Strategy<Value = Vec<(usize, String)>> {
    let turn = (0_usize..2, prop::sample::select(vec!["INVITE", "NOTIFY", "OPTIONS"]), 0_usize..80);
    prop::collection::vec(turn, 1..12).prop_map(|turns| {
        let said = |(n, (side, method, lines)): (usize, (usize, &str, usize))| {
            (side, message(method, &format!("id-{n}"), &body(lines)))
        };
        turns.into_iter().enumerate().map(said).collect()
    })
}

/// The dialogue as segments: side, sequence number, octets.
fn segments(turns: &[(usize, String)], sizes: &[usize]) -> Vec<(usize, u32, Vec<u8>)> {
    let mut out = Vec::new();
    let mut sizes = sizes.iter().cycle();
    for side in 0..2 {
        let stream: Vec<u8> =
            turns.iter().filter(|turn| turn.0 == side).flat_map(|turn| turn.1.bytes().collect::<Vec<_>>()).collect();
        let (mut rest, mut seq) = (stream.as_slice(), if side == 0 { 101_u32 } else { 501 });
        while !rest.is_empty() {
            let (segment, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            out.push((side, seq, segment.to_vec()));
            seq = seq.wrapping_add(segment.len() as u32);
            rest = after;
        }
    }
    out
}

fn said_by(lab: &Lab, side: usize) -> Vec<String> {
    let by = |arrival: &&&SipArrival| arrival.flow.src == lab.ends[side];
    let text = |arrival: &&SipArrival| String::from_utf8_lossy(arrival.message.bytes()).into_owned();
    lab.arrivals().iter().filter(by).map(text).collect()
}

const FAMILIES: [[&str; 2]; 2] = [["10.1.1.171", "10.1.1.68"], ["2001:db8::171", "2001:db8::68"]];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any dialogue in any segments, out of order within 64 KiB, repeated and overlapping, gives its messages.
    #[test]
    fn any_segments_of_a_dialogue_give_its_messages(
        turns in dialogue(),
        sizes in prop::collection::vec(1_usize..3_000, 1..9),
        ranks in prop::collection::vec(any::<u16>(), 1..64),
        repeats in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..200), 0..8),
        family in 0_usize..2,
    ) {
        let sizes: Vec<_> = sizes.iter().map(|size| size.max(&40) * 2).collect();
        let mut all = segments(&turns, &sizes);
        // Out of order within 64 KiB of each direction.
        let mut rank = ranks.iter().cycle();
        all.sort_by_cached_key(|(_, seq, _)| (seq / 65_536, *rank.next().unwrap()));
        for (index, extra) in repeats {
            let (side, seq, octets) = all[index.index(all.len())].clone();
            // Overlaps what is before it, where that is not before the stream.
            let start = if side == 0 { 101 } else { 501 };
            let back = (extra as u32).min(seq - start);
            let whole: Vec<u8> = turns.iter().filter(|turn| turn.0 == side).flat_map(|turn| turn.1.bytes()).collect();
            let from = (seq - start - back) as usize;
            all.push((side, seq - back, whole[from..from + back as usize + octets.len()].to_vec()));
        }
        let mut lab = Lab::between(FAMILIES[family]);
        lab.handshake();
        for (side, seq, octets) in &all {
            lab.data(*side, *seq, octets);
        }
        for side in 0..2 {
            let wanted: Vec<_> = turns.iter().filter(|turn| turn.0 == side).map(|turn| turn.1.clone()).collect();
            prop_assert_eq!(said_by(&lab, side), wanted);
        }
        let streams = &lab.decoder.counters().streams;
        prop_assert_eq!((streams.holes, streams.skipped.len()), (0, 0));
    }

    /// A segment that the capture lost costs the messages whose octets it carried and no other.
    #[test]
    fn a_lost_segment_costs_only_what_it_carried(
        turns in dialogue(),
        sizes in prop::collection::vec(100_usize..3_000, 1..9),
        lost in any::<prop::sample::Index>(),
    ) {
        let all = segments(&turns, &sizes);
        let lost = lost.index(all.len());
        let (lost_side, lost_seq, lost_octets) = all[lost].clone();
        let mut lab = Lab::connected();
        for (n, (side, seq, octets)) in all.iter().enumerate() {
            if n != lost {
                lab.data(*side, *seq, octets);
            }
        }
        lab.wait(30_001);
        lab.finish();
        let start = if lost_side == 0 { 101 } else { 501 };
        let (from, to) = ((lost_seq - start) as usize, (lost_seq - start) as usize + lost_octets.len());
        for side in 0..2 {
            let got = said_by(&lab, side);
            let mut at = 0;
            for (_, text) in turns.iter().filter(|turn| turn.0 == side) {
                let is_hit = side == lost_side && at < to && at + text.len() > from;
                prop_assert!(is_hit || got.contains(text), "lost {}..{}, and with it {}..{}", from, to, at, at + text.len());
                prop_assert!(!is_hit || !got.contains(text));
                at += text.len();
            }
        }
        for arrival in lab.arrivals() {
            let whole = turns.iter().any(|turn| turn.1.as_bytes() == arrival.message.bytes());
            let is_cut = arrival.message.notes().contains(Notes::CUT);
            let text = String::from_utf8_lossy(arrival.message.bytes()).into_owned();
            prop_assert!(whole != is_cut, "lost {}..{}: {:?} {}", from, to, arrival.message.notes(), text);
        }
    }
}

#[test]
fn tls_is_seen_as_what_hides_sip() {
    let mut lab = Lab::connected();
    // A handshake record with an empty message of type 1, then a fatal alert: handshake failure (RFC 8446, 6).
    lab.data(0, 101, &[22, 3, 1, 0, 4, 1, 0, 0, 0]);
    lab.data(1, 501, &[21, 3, 3, 0, 2, 2, 40]);
    let flows = lab.decoder.flows();
    assert_eq!((flows[0].protocol, flows[0].note.as_str()), (Protocol::Tls, "fatal alert: handshake failure"));
    assert_eq!(lab.decoder.counters().passed.get("tls"), Some(&2));
    assert!(lab.arrivals().is_empty());
}
