//! Captures that try to fill a decoder's memory, with two good calls in between that must come out whole.
//!
//! Packets are made one at a time, so memory does not depend on how many there are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::carrier::{Carrier, CarrierOptions, Truth};
use super::message::Message;
use super::rng::Rng;
use super::rtp::RtpFaults;
use super::tcp::{Connection, Segment, Side};
use super::wire::{self, Path};
use crate::packet::{Endpoint, Transport};
use crate::time::{Elapsed, Timestamp};

/// The host under attack.
const TARGET: [u8; 4] = [10, 96, 0, 1];

/// Attacking packets a second; a capture lasts longer than that only to have room for the good calls.
const RATE: i64 = 20_000;

/// A good call takes at most 6 s: it rings 0.4 s, waits 3 s and talks 2 s.
const CALL: Elapsed = Elapsed::from_secs(6);

/// One in so many half-open connections has a byte of data, alternately in the SYN and behind it.
const DATA_EVERY: u32 = 8;

/// The size of the body that is promised: more than 32 bits count.
const PROMISED_BYTES: u64 = 1 << 32;

/// What is sent too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// SYNs from distinct sources, nothing of which is ever answered; some bring one byte of data.
    HalfOpen,
    /// First and middle fragments of UDP datagrams that are never completed, from changing sources with changing ids.
    Fragments,
    /// One TCP connection with a SIP message whose body of 4 GiB never ends.
    Endless,
}

/// What the capture holds, exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AttackTruth {
    /// Packets of the attack.
    pub attack_packets: u64,
    /// The good call over UDP.
    pub udp: Truth,
    /// The good call over TCP.
    pub tcp: Truth,
}

/// Gives the packets of an attack and of two good calls, in order of time.
pub struct Attacker {
    attack: Attack,
    flows: u32,
    made: u32,
    start: Timestamp,
    step: Elapsed,
    rng: Rng,
    endless: Connection,
    /// The second packet of the flow at hand.
    second: Option<(Timestamp, Vec<u8>)>,
    packets: u64,
    good: [Good; 2],
}

/// A capture whose next packet is known.
struct Good {
    carrier: Carrier,
    next: Option<(Timestamp, Vec<u8>)>,
}

impl Good {
    fn new(options: CarrierOptions) -> Self {
        let mut good = Self { carrier: Carrier::new(options), next: None };
        good.advance();
        good
    }

    fn advance(&mut self) {
        let mut frame = Vec::new();
        self.next = self.carrier.next_packet(&mut frame).map(|at| (at, frame));
    }
}

impl Attacker {
    /// `flows` connections, datagrams, or segments of the endless message, of which 2,900,000 stay below its 4 GiB. The
    /// good calls come in the middle.
    pub fn new(attack: Attack, flows: u32, start: Timestamp, seed: u64) -> Self {
        let flows = if attack == Attack::Endless { flows.min(2_900_000) } else { flows };
        let span = (i64::from(flows) * 1_000_000_000 / RATE).max(2 * CALL.nanos());
        let begin = start.after(Elapsed::from_nanos((span - CALL.nanos()) / 2));
        let good = [Transport::Udp, Transport::Tcp].map(|transport| {
            let is_tcp = transport == Transport::Tcp;
            Good::new(CarrierOptions {
                calls: 1,
                first_call: u32::from(is_tcp),
                transport,
                subscriptions: 0,
                talk: Elapsed::from_secs(2),
                faults: RtpFaults::default(),
                start: begin,
                seed: seed ^ u64::from(is_tcp),
                ..CarrierOptions::default()
            })
        });
        let from = Endpoint::new(Ipv4Addr::new(10, 97, 0, 1).into(), 40_000);
        Self {
            attack,
            flows,
            made: 0,
            start,
            step: Elapsed::from_nanos(span / i64::from(flows.max(1))),
            rng: Rng::new(seed),
            endless: Connection::new(from, Endpoint::new(TARGET.into(), 5060), [u32::MAX - 100_000, 1]),
            second: None,
            packets: 0,
            good,
        }
    }

    /// Puts the next packet into `out`, in place of what was there, and says when it was captured.
    pub fn next_packet(&mut self, out: &mut Vec<u8>) -> Option<Timestamp> {
        let mine = match &self.second {
            Some((at, _)) => Some(*at),
            None => (self.made < self.flows).then(|| self.due()),
        };
        let earliest = self
            .good
            .iter_mut()
            .filter(|good| good.next.is_some())
            .min_by_key(|good| good.next.as_ref().map(|(at, _)| *at));
        if let Some(good) = earliest
            && let Some((at, frame)) = good.next.take_if(|(at, _)| mine.is_none_or(|mine| *at < mine))
        {
            *out = frame;
            good.advance();
            return Some(at);
        }
        let at = mine?;
        self.packets += 1;
        if let Some((_, frame)) = self.second.take() {
            *out = frame;
            return Some(at);
        }
        out.clear();
        match self.attack {
            Attack::HalfOpen => self.half_open(at, out),
            Attack::Fragments => self.fragment(out),
            Attack::Endless => self.endless(at, out),
        }
        self.made += 1;
        Some(at)
    }

    /// What was in the capture; whole once [`Attacker::next_packet`] gave `None`.
    pub fn truth(&self) -> AttackTruth {
        let [udp, tcp] = &self.good;
        AttackTruth { attack_packets: self.packets, udp: udp.carrier.truth(), tcp: tcp.carrier.truth() }
    }

    fn due(&self) -> Timestamp {
        self.start.after(Elapsed::from_nanos(self.step.nanos() * i64::from(self.made)))
    }

    /// The source of flow `made`: 4,194,304 addresses of 100.64.0.0/10 (RFC 6598), one after the other.
    fn source(&self) -> Endpoint {
        let address = Ipv4Addr::new(100, 64, 0, 0).to_bits() | (self.made & 0x003F_FFFF);
        Endpoint::new(Ipv4Addr::from_bits(address).into(), 1_024 + (self.made % 60_000) as u16)
    }

    fn half_open(&mut self, at: Timestamp, out: &mut Vec<u8>) {
        let first = [self.rng.next_u64() as u32, 0];
        let mut connection = Connection::new(self.source(), Endpoint::new(TARGET.into(), 5060), first);
        let open = connection.open(at);
        let Some(mut syn) = open.into_iter().next() else { return };
        if self.made.is_multiple_of(2 * DATA_EVERY) {
            syn.data.push(b'I');
        } else if self.made.is_multiple_of(DATA_EVERY) {
            let data = connection.emit(at.after(Elapsed::from_nanos(self.step.nanos() / 2)), Side::Client, b"I");
            self.second = Some((data.at, data.frame()));
        }
        *out = syn.frame();
    }

    /// The first piece of a datagram, or one from its middle.
    fn fragment(&mut self, out: &mut Vec<u8>) {
        let source = self.source();
        let target = Endpoint::new(TARGET.into(), 5060);
        let path = if self.made.is_multiple_of(5) {
            let v6 = |ip: IpAddr| match ip {
                IpAddr::V4(v4) => IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(v4.to_bits()))),
                IpAddr::V6(_) => ip,
            };
            Path::new(Endpoint::new(v6(source.ip), source.port), Endpoint::new(v6(target.ip), target.port))
        } else {
            Path::new(source, target)
        };
        let mut payload = b"INVITE sip:100@10.96.0.1 SIP/2.0\r\nSubject: ".to_vec();
        payload.resize(600, b'x');
        let pieces = wire::udp_fragments(&path, self.rng.next_u64() as u16, &payload, 300);
        // Of three pieces the last never comes.
        *out = pieces.into_iter().nth((self.made % 2) as usize).unwrap_or_default();
    }

    fn endless(&mut self, at: Timestamp, out: &mut Vec<u8>) {
        let segment: Segment = match self.made {
            0 => {
                let head = Message::request("MESSAGE", "sip:100@10.96.0.1")
                    .with("Via", "SIP/2.0/TCP 10.97.0.1:40000;branch=z9hG4bKendless")
                    .with("Max-Forwards", "70")
                    .with("From", "<sip:endless@10.97.0.1>;tag=1")
                    .with("To", "<sip:100@10.96.0.1>")
                    .with("Call-ID", "endless@10.97.0.1")
                    .with("CSeq", "1 MESSAGE")
                    .with("Content-Type", "text/plain")
                    .text()
                    .replace("Content-Length: 0", &format!("Content-Length: {PROMISED_BYTES}"));
                self.endless.emit(at, Side::Client, head.as_bytes())
            }
            n if n.is_multiple_of(3) => self.endless.emit(at, Side::Server, b""),
            _ => {
                let body = vec![b'x'; self.endless.mss()];
                self.endless.emit(at, Side::Client, &body)
            }
        };
        *out = segment.frame();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    use super::*;

    fn frames(attack: Attack, flows: u32) -> (Vec<Vec<u8>>, AttackTruth) {
        let mut attacker = Attacker::new(attack, flows, Timestamp::from_parts(1_000, 0), 5);
        let (mut frame, mut frames, mut last) = (Vec::new(), Vec::new(), Timestamp::default());
        while let Some(at) = attacker.next_packet(&mut frame) {
            assert!(at >= last, "packets must come in order of time");
            last = at;
            frames.push(frame.clone());
        }
        (frames, attacker.truth())
    }

    /// Frames of the attack and of the good calls, told apart by their addresses.
    fn is_attack(frame: &[u8]) -> bool {
        let Ok(sliced) = SlicedPacket::from_ethernet(frame) else { return true };
        match sliced.net {
            Some(NetSlice::Ipv4(ip)) => {
                [ip.header().source_addr(), ip.header().destination_addr()].contains(&Ipv4Addr::from(TARGET))
            }
            _ => true,
        }
    }

    #[test]
    fn every_attack_has_its_packets_and_two_good_calls_in_the_middle() {
        for (attack, packets) in [(Attack::HalfOpen, 4_250), (Attack::Fragments, 4_000), (Attack::Endless, 4_000)] {
            let (frames, truth) = frames(attack, 4_000);
            assert_eq!(truth.attack_packets, packets, "{attack:?}");
            assert_eq!(frames.iter().filter(|frame| is_attack(frame)).count() as u64, packets, "{attack:?}");
            assert_eq!(truth.attack_packets + truth.udp.packets + truth.tcp.packets, frames.len() as u64);
            for good in [&truth.udp, &truth.tcp] {
                assert_eq!((good.calls, good.answered, good.sip_messages, good.rtp_packets), (1, 1, 7, 200));
            }
            assert_eq!((truth.udp.tcp_connections, truth.tcp.tcp_connections), (0, 1));
            let good: Vec<usize> = (0..frames.len()).filter(|&at| !is_attack(&frames[at])).collect();
            assert!(good[0] > 500 && good[good.len() - 1] < frames.len() - 500, "{attack:?}");
        }
    }

    #[test]
    fn half_open_connections_have_distinct_sources_and_seldom_data() {
        let (frames, _) = frames(Attack::HalfOpen, 1_000);
        let mut sources = BTreeSet::new();
        let (mut syns, mut with_data) = (0, 0);
        for frame in frames.iter().filter(|frame| is_attack(frame)) {
            let sliced = SlicedPacket::from_ethernet(frame).expect("a frame");
            let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("no TCP") };
            let Some(NetSlice::Ipv4(ip)) = &sliced.net else { panic!("no IPv4") };
            syns += u32::from(tcp.syn());
            with_data += u32::from(!tcp.payload().is_empty());
            sources.insert(ip.header().source_addr());
        }
        assert_eq!((syns, sources.len(), with_data), (1_000, 1_000, 125));
    }

    #[test]
    fn no_datagram_is_ever_completed() {
        let (frames, _) = frames(Attack::Fragments, 1_000);
        let (mut first, mut middle) = (0, 0);
        for frame in frames.iter().filter(|frame| is_attack(frame)) {
            let (offset, more) = if frame[12..14] == [0x08, 0x00] {
                let word = u16::from_be_bytes([frame[20], frame[21]]);
                (word & 0x1FFF, word & 0x2000 != 0)
            } else {
                let word = u16::from_be_bytes([frame[56], frame[57]]);
                (word >> 3, word & 1 != 0)
            };
            assert!(more);
            if offset == 0 { first += 1 } else { middle += 1 }
        }
        assert_eq!((first, middle), (500, 500));
    }

    #[test]
    fn the_endless_message_promises_four_gigabytes() {
        let (frames, _) = frames(Attack::Endless, 600);
        let mut stream = Vec::new();
        for frame in frames.iter().filter(|frame| is_attack(frame)) {
            let sliced = SlicedPacket::from_ethernet(frame).expect("a frame");
            if let Some(TransportSlice::Tcp(tcp)) = &sliced.transport {
                stream.extend_from_slice(tcp.payload());
            }
        }
        let text = String::from_utf8(stream).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("Content-Length: 4294967296"));
        assert_eq!(body.len(), 400 * 1_460);
    }
}
