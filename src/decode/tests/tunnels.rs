//! Packets inside packets.

use super::*;
use crate::limits::{ENCAPSULATIONS, VLAN_TAGS};

fn arrivals(out: &Decoded) -> Vec<&crate::event::SipArrival> {
    let sip = out.events.iter().filter_map(|event| match event {
        Event::Sip(arrival) => Some(&**arrival),
        _ => None,
    });
    sip.collect()
}

/// The only message of these packets, as `source, path`.
fn shown(link: u32, packets: &[Vec<u8>]) -> Option<(String, String)> {
    let out = decode_all(&mut Decoder::default(), LinkType(link), packets);
    let arrivals = arrivals(&out);
    assert!(arrivals.len() <= 1);
    let arrival = arrivals.first()?;
    assert_eq!(arrival.message.bytes(), SIP);
    Some((arrival.flow.src.to_string(), arrival.path.as_ref().map(ToString::to_string).unwrap_or_default()))
}

fn why(packet: Vec<u8>) -> Vec<&'static str> {
    let (decoder, out) = on_ethernet(&[packet]);
    assert!(out.events.is_empty());
    decoder.counters().malformed.keys().map(|malformed| malformed.why).collect()
}

#[test]
fn the_inner_addresses_are_the_flow_and_the_path_is_kept() {
    for (name, link, packet, path) in encapsulated(&udp(SIP)) {
        let Some((source, shown)) = shown(link, &[packet]) else { panic!("no SIP in {name}") };
        assert!(["10.1.1.123:5060", "[2001:db8::1]:5060"].contains(&source.as_str()), "{name}: {source}");
        assert_eq!(shown, path, "{name}");
    }
}

#[test]
fn rtp_in_a_tunnel_is_rtp() {
    for (name, link, packet, _) in encapsulated(&udp(&rtp(7))) {
        let out = decode_all(&mut Decoder::default(), LinkType(link), &[packet]);
        assert_eq!(out.rtp.iter().map(|sample| sample.sequence).collect::<Vec<_>>(), [7], "{name}");
    }
}

#[test]
fn a_tunnel_may_end_anywhere() {
    for (name, link, packet, _) in encapsulated(&udp(SIP)) {
        for length in 0..packet.len() {
            let mut batch = Batch::new();
            batch.push(meta(LinkType(link), 1, packet.len()), &packet[..length]);
            let (mut decoder, mut out) = (Decoder::default(), Decoded::default());
            decoder.decode(&batch, &mut out);
            decoder.finish(&mut out);
            let is_cut = |arrival: &&crate::event::SipArrival| arrival.message.notes().contains(Notes::CUT);
            assert!(arrivals(&out).iter().all(is_cut), "{name} at {length}");
        }
    }
}

#[test]
fn padding_behind_a_tunnel_is_no_part_of_the_message() {
    for (name, link, mut packet, path) in encapsulated(&udp(SIP)) {
        packet.extend([0; 9]);
        assert_eq!(shown(link, &[packet]).map(|(_, path)| path).as_deref(), Some(path), "{name}");
    }
}

#[test]
fn messages_of_one_path_share_it() {
    let packet = |call: &str| {
        let text = String::from_utf8_lossy(SIP).replace("Call-ID: 1", call);
        ethernet(0x8100, &vlan(20, 0x0800, &ipv4(17, &udp(text.as_bytes()))))
    };
    let (_, out) = on_ethernet(&[packet("Call-ID: 1"), packet("Call-ID: 2")]);
    let paths: Vec<_> = arrivals(&out).iter().map(|arrival| arrival.path.clone().unwrap()).collect();
    assert!(std::sync::Arc::ptr_eq(&paths[0], &paths[1]));
    let (_, out) = on_ethernet(&[in_udp(SIP)]);
    assert_eq!(arrivals(&out)[0].path, None);
}

#[test]
fn sip_and_rtp_on_the_port_of_a_tunnel_are_not_lost() {
    for port in [4789, 8472, 4790, 6081, 2152, 6635, 3544] {
        let (_, out) =
            on_ethernet(&[ethernet(0x0800, &outer_udp(port, SIP)), ethernet(0x0800, &outer_udp(port, &rtp(1)))]);
        let arrivals = arrivals(&out);
        assert_eq!((arrivals.len(), out.rtp.len()), (1, 1), "{port}");
        assert_eq!((arrivals[0].flow.src.ip, &arrivals[0].path), (NEAR.into(), &None), "{port}");
        let (decoder, _) = on_ethernet(&[ethernet(0x0800, &outer_udp(port, &[8, 0, 0, 0, 0, 0, 1, 0, 1, 2, 3]))]);
        assert_eq!(decoder.counters().passed, [("other udp", 1)].into(), "{port}");
    }
}

/// RFC 7348, 5: reserved bits are ignored on receipt; policies set the first one, and a group behind it.
#[test]
fn reserved_and_policy_bits_hide_no_tunnel() {
    let frame = ethernet(0x0800, &ipv4(17, &udp(SIP)));
    for (port, flags, next) in [(4789, 0x88, 0), (8472, 0xff, 0), (4789, 0x18, 0), (4790, 0x8e, 3), (4790, 0xcc, 3)] {
        let header = [flags, 0, 0, next, 0, 0, 9, 0];
        let packet = outer_udp(port, &[&header, frame.as_slice()].concat());
        for packet in [ethernet(0x0800, &packet), ethernet(0x8100, &vlan(1, 0x0800, &packet))] {
            let path = shown(1, &[packet]).unwrap_or_else(|| panic!("no SIP at {port} with {flags:#x}")).1;
            assert!(path.ends_with("VXLAN 9 (192.0.2.1 → 192.0.2.2)"), "{path}");
        }
    }
    for (port, flags) in [(4789, 0x80), (4790, 0x0d), (4790, 0x1c), (4790, 0x08)] {
        let packet = outer_udp(port, &[&[flags, 0, 0, 3, 0, 0, 9, 0], frame.as_slice()].concat());
        assert_eq!(shown(1, &[ethernet(0x0800, &packet)]), None, "{port} with {flags:#x}");
    }
    let mut mixed = rtp(1);
    mixed[0] = 0x88;
    let (_, out) = on_ethernet(&[ethernet(0x0800, &outer_udp(8472, &mixed))]);
    assert_eq!(out.rtp.len(), 1, "RTP with eight sources");
}

#[test]
fn what_a_tunnel_carries_beside_ip_has_a_name() {
    let arp = ethernet(0x0806, &[0; 28]);
    for (packet, name) in [
        (ethernet(0x0800, &outer_udp(4789, &vxlan(1, &arp))), "arp"),
        (ethernet(0x0800, &outer(47, &gre(0, 0x6558, &[], &arp))), "arp"),
        (ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0]), "pppoe discovery"),
        (ethernet(0x8864, &pppoe(7, &[0xc0, 0x21], &[1, 1, 0, 4])), "ppp control"),
        (ethernet(0x0800, &outer(47, &gre(0x4000, 0x0800, &[0, 0], &ipv4(17, &udp(SIP))))), "gre"),
        (ethernet(0x0800, &outer(47, &gre(0x2081, 0x880b, &[9, 3], &[]))), "pptp acknowledgment"),
        (ethernet(0x8847, &mpls(13, true, &[0x10, 0, 0, 0x21, 0, 0, 0, 0])), "mpls"),
    ] {
        let (decoder, out) = on_ethernet(&[packet]);
        assert!(out.events.is_empty());
        assert_eq!(decoder.counters().passed, [(name, 1)].into());
    }
}

type Wrap<'w> = &'w dyn Fn(&[u8]) -> Vec<u8>;

#[test]
fn nothing_nests_without_end() {
    let deep = "too many encapsulations";
    let wrapped = |wrap: Wrap<'_>, times: usize| {
        let mut packet = ipv4(17, &udp(SIP));
        for _ in 0..times {
            packet = wrap(&packet);
        }
        packet
    };
    let bombs: [Wrap<'_>; 5] = [
        &|inside| outer_udp(4789, &vxlan(1, &ethernet(0x0800, inside))),
        &|inside| outer(47, &gre(0, 0x0800, &[], inside)),
        &|inside| outer(4, inside),
        &|inside| outer_udp(2152, &gtp(0x30, 1, &[], inside)),
        &|inside| outer(137, &mpls(1, true, inside)),
    ];
    for (index, wrap) in bombs.iter().enumerate() {
        let layers = if index == 4 { 2 } else { 1 };
        let most = wrapped(wrap, ENCAPSULATIONS / layers);
        assert!(shown(101, std::slice::from_ref(&most)).is_some(), "{index}");
        for times in [ENCAPSULATIONS / layers + 1, 200] {
            assert_eq!(why(ethernet(0x0800, &wrapped(wrap, times))), [deep], "{index}");
        }
    }
    let labels: Vec<u8> = std::iter::repeat_n(mpls(1, false, &[]), 300).flatten().collect();
    assert_eq!(why(ethernet(0x8847, &labels)), [deep]);
    let frame = |tags: usize| {
        let tagged = (1..tags).fold(vlan(1, 0x0800, &ipv4(17, &udp(SIP))), |inside, _| vlan(1, 0x8100, &inside));
        ethernet(0x8100, &tagged)
    };
    let wire = ethernet(0x0800, &outer_udp(4789, &vxlan(1, &frame(VLAN_TAGS + 1))));
    assert_eq!(why(wire), ["too many VLAN tags"], "inside and outside together");
}

#[test]
fn fragments_inside_and_outside_a_tunnel_are_put_together() {
    let pieces = |payload: &[u8], protocol, id, at: usize| {
        let (first, last) = payload.split_at(at);
        [ipv4_piece(protocol, id, 0x2000, first), ipv4_piece(protocol, id, at as u16 / 8, last)]
    };
    let [a, b] = pieces(&udp(SIP), 17, 5, 160);
    let inside = [outer(4, &b), outer(47, &gre(0, 0x0800, &[], &a)), outer(4, &a)];
    assert_eq!(shown(101, &inside).map(|(_, path)| path).as_deref(), Some("IP in IP (192.0.2.1 → 192.0.2.2)"));
    let outside = pieces(&ipv4(17, &udp(SIP)), 4, 6, 80);
    assert_eq!(shown(101, &outside).map(|(_, path)| path).as_deref(), Some("IP in IP (10.1.1.123 → 10.1.1.68)"));
    let [c, d] = pieces(&a, 4, 7, 64);
    let out = decode_all(&mut Decoder::default(), LinkType::RAW, &[d, ipv4(4, &b), c]);
    assert_eq!(arrivals(&out)[0].packets.iter().map(|id| id.number()).collect::<Vec<_>>(), [2, 1, 3]);
}

proptest! {
    #[test]
    fn a_damaged_tunnel_is_survived(
        which in any::<proptest::sample::Index>(),
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let all = encapsulated(&udp(SIP));
        let (_, link, packet, _) = &all[which.index(all.len())];
        let mut packet = packet.clone();
        for (at, octet) in hits {
            let at = at.index(packet.len());
            packet[at] = octet;
        }
        let mut decoder = Decoder::default();
        let mut out = decode_all(&mut decoder, LinkType(*link), &[packet]);
        decoder.finish(&mut out);
    }
}
