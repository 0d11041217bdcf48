//! Connections with the same addresses and ports, told apart by what stands around their packets.

use super::*;

impl Lab {
    fn on(&mut self, vlan: u16) -> &mut Self {
        self.vlan = Some(vlan);
        self
    }

    fn vlans(&self) -> Vec<String> {
        let path = |arrival: &&SipArrival| arrival.path.as_ref().map(|path| path.to_string()).unwrap_or_default();
        self.arrivals().iter().map(path).collect()
    }
}

/// The same addresses, ports and even hosts' habits on two VLANs: each is a connection of its own.
#[test]
fn two_networks_with_the_same_addresses_do_not_meet() {
    let mut lab = Lab::new();
    let networks = [(10, [1_000_u32, 2_000]), (20, [0x9000_0000, 0x7000_0000])];
    for (vlan, first) in networks {
        lab.on(vlan).handshake_from(first);
    }
    let texts = ["a", "b", "c", "d"].map(|id| message("INVITE", id, &body(10)));
    let len = texts[0].len() as u32;
    for (round, pair) in texts.chunks(2).enumerate() {
        for piece in [0..200, 200..len as usize] {
            for ((vlan, first), text) in networks.iter().zip(pair) {
                let place = round as u32 * len + piece.start as u32;
                let ack = Some(first[1]);
                lab.on(*vlan).send(
                    0,
                    Sent { seq: first[0] + place, ack, ..Sent::default() },
                    &text.as_bytes()[piece.clone()],
                );
                let ack = Some(first[0] + place + piece.len() as u32);
                lab.on(*vlan).send(1, Sent { seq: first[1], ack, ..Sent::default() }, b"");
            }
        }
    }
    assert_eq!(
        (lab.texts(), lab.vlans()),
        (texts.to_vec(), ["VLAN 10", "VLAN 20", "VLAN 10", "VLAN 20"].map(String::from).to_vec())
    );
    let signs: Vec<_> = lab.facts().iter().map(|(_, sign)| *sign).collect();
    assert_eq!(signs, [TcpSign::Syn, TcpSign::SynAck, TcpSign::Syn, TcpSign::SynAck]);
    assert_eq!((lab.decoder.stream_usage().0, lab.decoder.counters().streams.again), (2, 0));
}

/// A mirror port tags one direction, or shows the same packet before and behind a router.
#[test]
fn one_connection_on_several_ways_stays_one() {
    let mut lab = Lab::new();
    let text = message("INVITE", "a", &body(10));
    let first = [1_000, 2_000];
    lab.on(10).send(0, Sent { seq: 999, syn: true, ..Sent::default() }, b"");
    lab.on(20).send(1, Sent { seq: 1_999, ack: Some(1_000), syn: true, ..Sent::default() }, b"");
    for (vlan, piece) in [(10, 0..200), (30, 0..200), (10, 200..text.len()), (30, 200..text.len())] {
        let segment = Sent { seq: first[0] + piece.start as u32, ack: Some(first[1]), ..Sent::default() };
        lab.wait(20);
        lab.on(vlan).send(0, segment, &text.as_bytes()[piece]);
    }
    lab.on(20).send(1, Sent { seq: 2_000, ack: Some(1_000 + text.len() as u32), ..Sent::default() }, b"");
    assert_eq!(lab.texts(), [text]);
    assert_eq!((lab.decoder.stream_usage().0, lab.decoder.counters().streams.again), (1, 2));
}

#[test]
fn networks_with_the_same_addresses_are_bounded() {
    let mut lab = Lab::new();
    for n in 1..100_u32 {
        lab.on(n as u16).send(0, Sent { seq: n * 40_000_000, syn: true, ..Sent::default() }, b"");
        lab.data(0, n * 40_000_000 + 1, message("OPTIONS", &n.to_string(), "").as_bytes());
    }
    lab.finish();
    assert_eq!((lab.decoder.stream_usage().0, lab.arrivals().len()), (usize::from(TCP_NETWORKS), 99));
}
