use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use proptest::prelude::*;

use super::icmp::Icmp;
use super::packets::*;
use super::transport::{Carried, carried};
use super::*;
use crate::counters::Layer;
use crate::limits::VLAN_TAGS;

const VOICE: u16 = link::ETHER_IPV4;
const V6: u16 = link::ETHER_IPV6;

fn frame_of(link: LinkType, data: &[u8]) -> Frame<'_> {
    match open(link, data) {
        Ok(Opened::Ip(frame)) => frame,
        other => panic!("no IP: {other:?}"),
    }
}

fn general(link: LinkType, data: &[u8]) -> Option<Segment<'_>> {
    let Ok(Opened::Ip(frame)) = open(link, data) else { return None };
    match carried(&frame) {
        Ok(Carried::Udp(segment)) if frame.fragment.is_none() => Some(segment),
        _ => None,
    }
}

fn why(link: LinkType, data: &[u8]) -> Malformed {
    match open(link, data).and_then(|opened| match opened {
        Opened::Ip(frame) => carried(&frame).map(|_| ()),
        Opened::Passed(_) => Ok(()),
    }) {
        Err(why) => why,
        Ok(()) => panic!("nothing wrong"),
    }
}

#[test]
fn every_link_type_leads_to_the_same_datagram() {
    let ip = ipv4(17, &udp(b"hello"));
    let loopback = |family: [u8; 4]| [family.as_slice(), &ip].concat();
    let packets = [
        (LinkType::ETHERNET, ethernet(VOICE, &ip)),
        (LinkType::ETHERNET, ethernet(0x8100, &vlan(7, VOICE, &ip))),
        (LinkType::ETHERNET, ethernet(0x88a8, &vlan(7, 0x8100, &vlan(8, VOICE, &ip)))),
        (LinkType::ETHERNET, ethernet(0x9100, &vlan(7, 0x9100, &vlan(8, 0x8100, &vlan(9, VOICE, &ip))))),
        (LinkType::ETHERNET, ethernet(30, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip.as_slice()].concat())),
        (LinkType::LINUX_SLL, cooked(VOICE, &ip)),
        (LinkType::LINUX_SLL, cooked(0x8100, &vlan(7, VOICE, &ip))),
        (LinkType::LINUX_SLL2, cooked_2(VOICE, 3, &ip)),
        (LinkType::NULL, loopback([2, 0, 0, 0])),
        (LinkType::NULL, loopback([0, 0, 0, 2])),
        (LinkType::LOOP, loopback([0, 0, 0, 2])),
        (LinkType::RAW, ip.clone()),
        (LinkType::DLT_RAW_BSD, ip.clone()),
        (LinkType::DLT_RAW_OPENBSD, ip.clone()),
        (LinkType::IPV4, ip.clone()),
    ];
    for (link, data) in &packets {
        let segment = general(*link, data).unwrap_or_else(|| panic!("{link:?}"));
        assert_eq!(segment.payload, b"hello", "{link:?}");
        assert_eq!(segment.flow.src.to_string(), "10.1.1.123:5060");
        assert_eq!(segment.flow.dst.to_string(), "10.1.1.68:5070");
        assert!(segment.complete);
    }
}

#[test]
fn every_ipv6_family_of_a_loopback_is_known() {
    let ip = ipv6(17, &udp(b"hello"));
    for family in [10u32, 23, 24, 28, 30] {
        for octets in [family.to_le_bytes(), family.to_be_bytes()] {
            let data = [octets.as_slice(), &ip].concat();
            assert_eq!(general(LinkType::NULL, &data).map(|s| s.payload), Some(b"hello".as_slice()), "{family}");
        }
    }
    assert_eq!(general(LinkType::IPV6, &ip).unwrap().flow.dst.to_string(), "[2001:db8::2]:5070");
    assert_eq!(open(LinkType::NULL, &[7, 0, 0, 0]), Ok(Opened::Passed("other loopback family")));
}

#[test]
fn the_path_remembers_tags_and_interface() {
    let ip = ipv4(17, &udp(b"x"));
    let data = ethernet(0x88a8, &vlan(0x6007, 0x8100, &vlan(8, VOICE, &ip)));
    assert_eq!(frame_of(LinkType::ETHERNET, &data).path.vlans().collect::<Vec<_>>(), [7, 8]);
    assert_eq!(frame_of(LinkType::LINUX_SLL2, &cooked_2(VOICE, 3, &ip)).path.interface, 3);
    let mut deep = vlan(1, VOICE, &ip);
    for _ in 0..VLAN_TAGS {
        deep = vlan(1, 0x8100, &deep);
    }
    assert_eq!(why(LinkType::ETHERNET, &ethernet(0x8100, &deep)), Malformed::new(Layer::Link, "too many VLAN tags"));
    assert_eq!(frame_of(LinkType::ETHERNET, &ethernet(0x8100, &deep[4..])).path.vlans().count(), VLAN_TAGS);
}

#[test]
fn what_is_no_ip_has_a_name() {
    let named = |link, data: &[u8]| match open(link, data) {
        Ok(Opened::Passed(what)) => what,
        other => panic!("{other:?}"),
    };
    let on_ethernet = |ether_type, payload: &[u8]| named(LinkType::ETHERNET, &ethernet(ether_type, payload));
    assert_eq!(on_ethernet(0x0806, &[0; 28]), "arp");
    assert_eq!(on_ethernet(0x88cc, &[0; 28]), "lldp");
    assert_eq!(on_ethernet(38, &[0x42, 0x42, 3, 0, 0]), "stp");
    assert_eq!(on_ethernet(38, &[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2]), "cdp");
    assert_eq!(on_ethernet(0xfefe, &[]), "other ethernet");
    assert_eq!(named(LinkType::LINUX_SLL, &cooked(4, &[0x42, 0x42, 3])), "stp");
    for (protocol, name) in [(2, "igmp"), (89, "ospf"), (50, "esp"), (253, "other ip protocol")] {
        let data = ipv4(protocol, &[0; 8]);
        assert_eq!(carried(&frame_of(LinkType::RAW, &data)), Ok(Carried::Passed(name)));
    }
    assert_eq!(why(LinkType(147), &[0; 60]), Malformed::new(Layer::Link, "link type not supported"));
}

#[test]
fn options_padding_and_missing_lengths_are_no_obstacle() {
    let mut options = ipv4(17, &udp(b"hello"));
    options[0] = 0x46;
    options[3] += 4;
    options.splice(20..20, [1, 1, 1, 0]);
    assert_eq!(general(LinkType::RAW, &options).unwrap().payload, b"hello");

    let mut padded = ethernet(VOICE, &ipv4(17, &udp(b"hello")));
    padded.resize(60, 0);
    assert_eq!(general(LinkType::ETHERNET, &padded).unwrap().payload, b"hello");

    let mut offloaded = ipv4(17, &udp(b"hello"));
    offloaded[2..4].copy_from_slice(&[0, 0]);
    assert_eq!(general(LinkType::RAW, &offloaded).unwrap().payload, b"hello");
    offloaded[24..26].copy_from_slice(&[0, 0]);
    assert_eq!(general(LinkType::RAW, &offloaded).unwrap().payload, b"hello");

    let mut offloaded = ipv6(17, &udp(b"hello"));
    offloaded[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(general(LinkType::RAW, &offloaded).unwrap().payload, b"hello");
}

#[test]
fn ipv6_extension_headers_are_walked() {
    let datagram = udp(b"hello");
    let authentication = [&[17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], [0; 12].as_slice(), &datagram].concat();
    let atomic = fragment6(51, 0, false, 9, &authentication);
    let destination = [&[44, 0, 1, 4, 0, 0, 0, 0], atomic.as_slice()].concat();
    let routing = [&[60, 1, 0, 0, 0, 0, 0, 0], [0; 8].as_slice(), &destination].concat();
    let hop_by_hop = [&[43, 0, 5, 2, 0, 0, 1, 0], routing.as_slice()].concat();
    let data = ipv6(0, &hop_by_hop);
    let frame = frame_of(LinkType::IPV6, &data);
    assert_eq!((frame.protocol, frame.fragment), (ip::UDP, None));
    assert_eq!(general(LinkType::IPV6, &data).unwrap().payload, b"hello");

    let data = ipv6(44, &fragment6(17, 1480, true, 0xdead_beef, &[1; 16]));
    let frame = frame_of(LinkType::IPV6, &data);
    assert_eq!(frame.fragment, Some(Fragment { id: 0xdead_beef, offset: 1480, more: true }));
    assert_eq!(frame.payload, [1; 16]);

    let endless: Vec<u8> = (0..40).flat_map(|_| [60, 0, 1, 4, 0, 0, 0, 0]).collect();
    assert_eq!(why(LinkType::RAW, &ipv6(60, &endless)).why, "too many extension headers");
    assert_eq!(why(LinkType::RAW, &ipv6(0, &[17, 200])).why, "cut inside an extension header");
}

#[test]
fn an_authentication_header_over_ipv4_is_walked() {
    let inside = [&[17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], [0; 12].as_slice(), &udp(b"hello")].concat();
    assert_eq!(general(LinkType::RAW, &ipv4(51, &inside)).unwrap().payload, b"hello");
}

#[test]
fn a_cut_packet_keeps_what_is_there() {
    let data = ethernet(VOICE, &ipv4(17, &udp(&[7; 100])));
    let segment = general(LinkType::ETHERNET, &data[..96]).unwrap();
    assert_eq!((segment.payload.len(), segment.wire_len, segment.complete), (54, 100, false));
    assert_eq!(hand::datagram(LinkType::ETHERNET, &data[..96]), None);
}

#[test]
fn broken_headers_are_told_apart() {
    let data = ethernet(VOICE, &ipv4(17, &udp(b"hello")));
    let cut_at = |len: usize| why(LinkType::ETHERNET, &data[..len]);
    assert_eq!(cut_at(13), Malformed::new(Layer::Link, "cut inside the Ethernet header"));
    assert_eq!(cut_at(14), Malformed::new(Layer::Ip, "cut before the IP header"));
    assert_eq!(cut_at(30), Malformed::new(Layer::Ip, "cut inside the IPv4 header"));
    assert_eq!(cut_at(40), Malformed::new(Layer::Transport, "cut inside the UDP header"));
    let changed = |at: usize, octet: u8| {
        let mut data = data.clone();
        data[at] = octet;
        why(LinkType::ETHERNET, &data).why
    };
    assert_eq!(changed(14, 0x44), "IPv4 header length smaller than the header");
    assert_eq!(changed(14, 0x50), "neither IPv4 nor IPv6");
    assert_eq!(changed(17, 19), "IPv4 total length smaller than its header");
    assert_eq!(changed(39, 7), "UDP length smaller than its header");
    assert_eq!(why(LinkType::RAW, &ipv4(6, &[0; 12])).why, "cut inside the TCP header");
    assert_eq!(why(LinkType::RAW, &ipv6(17, &[])[..39]).why, "cut inside the IPv6 header");
}

#[test]
fn a_udp_length_that_lies_is_believed_only_as_far_as_it_can_be() {
    let mut long = ipv4(17, &udp(b"hello"));
    long[25] = 200;
    let segment = general(LinkType::RAW, &long).unwrap();
    assert_eq!((segment.payload, segment.wire_len, segment.complete), (b"hello".as_slice(), 5, false));
    let mut short = ipv4(17, &udp(b"hello"));
    short[25] = 8 + 2;
    let segment = general(LinkType::RAW, &short).unwrap();
    assert_eq!((segment.payload, segment.wire_len, segment.complete), (b"he".as_slice(), 2, true));
}

#[test]
fn icmp_errors_quote_a_flow() {
    let quoted = ipv4(17, &udp(SIP));
    let error = |kind: u8, code: u8, quote: &[u8]| ipv4(1, &[&[kind, code, 0, 0, 0, 0, 0, 0], quote].concat());
    fn read(data: &[u8]) -> Result<Icmp<'_>, Malformed> {
        icmp::read(&frame_of(LinkType::RAW, data))
    }
    // RFC 792 asks for the header and eight octets only.
    let shortest = error(3, 3, &quoted[..28]);
    let Ok(Icmp::Error { what, quoted: flow, datagram: Some(datagram) }) = read(&shortest) else { panic!("no error") };
    assert_eq!((datagram.payload, datagram.wire_len, datagram.complete), (b"".as_slice(), SIP.len(), false));
    assert_eq!((what, flow.src.port, flow.dst.port), ("port unreachable", 5060, 5070));
    assert_eq!(flow.src.ip, IpAddr::V4(SRC));
    let what_of = |kind, code| match read(&error(kind, code, &quoted)) {
        Ok(Icmp::Error { what, .. }) | Ok(Icmp::Passed(what)) => what,
        Err(why) => why.why,
    };
    assert_eq!(what_of(3, 1), "host unreachable");
    assert_eq!(what_of(3, 4), "fragmentation needed");
    assert_eq!(what_of(3, 200), "destination unreachable");
    assert_eq!(what_of(11, 0), "time to live exceeded");
    assert_eq!(what_of(8, 0), "icmp echo");
    assert_eq!(read(&error(3, 3, &ipv4(1, &[8, 0, 0, 0]))), Ok(Icmp::Passed("icmp error without ports")));
    assert_eq!(read(&error(3, 3, &ipv4_piece(17, 1, 4, &[0; 8]))), Ok(Icmp::Passed("icmp error without ports")));
    assert_eq!(read(&error(3, 3, &[0x45])).unwrap_err().why, "ICMP error quotes no IP packet");
    assert_eq!(read(&ipv4(1, &[3, 3])).unwrap_err().why, "cut inside the ICMP header");
}

#[test]
fn icmpv6_errors_quote_a_flow() {
    let message = |kind: u8, code: u8| ipv6(58, &[&[kind, code, 0, 0, 0, 0, 0, 0], &ipv6(17, &udp(b"x"))[..]].concat());
    let read = |kind, code| match icmp::read(&frame_of(LinkType::RAW, &message(kind, code))) {
        Ok(Icmp::Error { what, quoted, .. }) => (what, quoted.src.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(read(1, 4), ("port unreachable", "[2001:db8::1]:5060".to_owned()));
    assert_eq!((read(2, 0).0, read(3, 0).0), ("packet too big", "hop limit exceeded"));
    let neighbour = message(135, 0);
    assert_eq!(icmp::read(&frame_of(LinkType::RAW, &neighbour)), Ok(Icmp::Passed("icmpv6 neighbour discovery")));
}

/// Both paths, and etherparse on its own, must say the same about an Ethernet packet. Returns whether it was common.
fn paths_agree(data: &[u8]) -> bool {
    let by_hand = hand_agrees(LinkType::ETHERNET, data);
    agrees_with_etherparse(data);
    if let (false, Some(segment)) = (by_hand, general(LinkType::ETHERNET, data)) {
        assert!(!should_be_common(data, &segment), "the hand path leaves out {data:02x?}");
    }
    by_hand
}

/// Whether the hand path took the packet; then it must say what the general path says.
fn hand_agrees(link: LinkType, data: &[u8]) -> bool {
    let by_hand = hand::datagram(link, data).map(|common| common.segment);
    if by_hand.is_some() {
        assert_eq!(by_hand, general(link, data), "hand path and general path: {data:02x?}");
    }
    by_hand.is_some()
}

/// Whether the hand path has no excuse to decline this datagram.
fn should_be_common(data: &[u8], segment: &Segment<'_>) -> bool {
    let frame = frame_of(LinkType::ETHERNET, data);
    let header_at = match data.get(12..14) {
        Some([8, 0]) => 14,
        Some([0x81, 0]) if data.get(16..18) == Some(&[8, 0]) => 18,
        _ => return false,
    };
    let behind_headers = data.len() - header_at - 20 - 8;
    data[header_at] == 0x45
        && data[header_at + 9] == ip::UDP
        && data[header_at + 2..header_at + 4] != [0, 0]
        && data[header_at + 24..header_at + 26] != [0, 0]
        && frame.fragment.is_none()
        && frame.payload.len() == frame.wire_len
        && segment.complete
        && segment.payload.len() <= behind_headers
}

/// Compares with etherparse's own slices, as far as those go: three tags, extension headers of its own list.
fn agrees_with_etherparse(data: &[u8]) {
    let Ok(theirs) = LaxSlicedPacket::from_ethernet(data) else {
        assert!(open(LinkType::ETHERNET, data).is_err());
        return;
    };
    let Ok(Opened::Ip(ours)) = open(LinkType::ETHERNET, data) else { return };
    if theirs.stop_err.is_some() || ours.path.vlans().count() > LaxSlicedPacket::LINK_EXTS_CAP {
        return;
    }
    let net = match &theirs.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            (IpAddr::V4(ip.header().source_addr()), IpAddr::V4(ip.header().destination_addr()), ip.payload().clone())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            (IpAddr::V6(ip.header().source_addr()), IpAddr::V6(ip.header().destination_addr()), ip.payload().clone())
        }
        // 802.2 is not etherparse's affair.
        _ => return,
    };
    assert_eq!((ours.src, ours.dst), (net.0, net.1), "{data:02x?}");
    assert_eq!(ours.fragment.is_some(), net.2.fragmented, "{data:02x?}");
    // Behind a fragment header etherparse reads on; we wait for the rest.
    if ours.fragment.is_some() {
        return;
    }
    assert_eq!((ours.protocol, ours.payload), (net.2.ip_number.0, net.2.payload), "{data:02x?}");
    if let (Some(TransportSlice::Udp(udp)), Some(segment)) = (&theirs.transport, general(LinkType::ETHERNET, data)) {
        assert_eq!(segment.payload, udp.payload(), "{data:02x?}");
        assert_eq!((segment.flow.src.port, segment.flow.dst.port), (udp.source_port(), udp.destination_port()));
    }
}

fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let payload = proptest::collection::vec(any::<u8>(), 0..64);
    let ip = (payload, prop_oneof![Just(17u8), Just(6), Just(1), any::<u8>()], any::<bool>(), 0u16..3).prop_map(
        |(payload, protocol, six, place)| {
            let inside = if protocol == 17 { udp(&payload) } else { payload };
            match (six, place) {
                (false, place) => {
                    (VOICE, ipv4_piece(protocol, 5, if place == 2 { 0x2000 } else { place << 14 }, &inside))
                }
                (true, 2) => (V6, ipv6(44, &fragment6(protocol, 0, false, 7, &inside))),
                (true, _) => (V6, ipv6(protocol, &inside)),
            }
        },
    );
    let tags = proptest::collection::vec(prop_oneof![Just(0x8100u16), Just(0x88a8), Just(0x9100)], 0..4);
    (ip, tags, 0usize..20).prop_map(|((mut ether_type, mut data), tags, padding)| {
        for tag in tags {
            data = vlan(tag & 0xff, ether_type, &data);
            ether_type = tag;
        }
        let mut data = ethernet(ether_type, &data);
        data.resize(data.len() + padding, 0);
        data
    })
}

const LINKS: [u32; 12] = [0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147, u32::MAX];

proptest! {
    #[test]
    fn both_paths_agree_on_whole_packets(data in any_packet()) {
        paths_agree(&data);
    }

    #[test]
    fn both_paths_agree_on_damaged_packets(
        data in any_packet(),
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<proptest::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut data = data;
        for (at, octet) in hits {
            let at = at.index(data.len());
            data[at] = octet;
        }
        if is_cut {
            data.truncate(cut.index(data.len()));
        }
        paths_agree(&data);
    }

    #[test]
    fn both_paths_agree_on_cooked_packets(
        data in any_packet(),
        at in any::<proptest::sample::Index>(),
        octet in any::<u8>(),
        hit in any::<bool>(),
    ) {
        let ether_type = u16::from_be_bytes([data[12], data[13]]);
        let packets = [
            (LinkType::LINUX_SLL, cooked(ether_type, &data[14..])),
            (LinkType::LINUX_SLL2, cooked_2(ether_type, 3, &data[14..])),
        ];
        for (link, mut data) in packets {
            if hit {
                let at = at.index(data.len());
                data[at] = octet;
            }
            hand_agrees(link, &data);
        }
    }

    #[test]
    fn any_bytes_on_any_link_are_survived(data in proptest::collection::vec(any::<u8>(), 0..200), six in any::<bool>()) {
        let mut data = data;
        for link in LINKS {
            for version in [0x45, 0x60] {
                if let Some(first) = data.first_mut() { *first = if six { version } else { *first } };
                if let Ok(Opened::Ip(frame)) = open(LinkType(link), &data) {
                    prop_assert!(frame.payload.len() <= frame.wire_len);
                    let _ = carried(&frame);
                    let _ = icmp::read(&frame);
                }
            }
        }
    }
}

#[test]
fn common_packets_are_common() {
    assert!(paths_agree(&ethernet(VOICE, &ipv4(17, &udp(&rtp(1))))));
    assert!(paths_agree(&ethernet(0x8100, &vlan(5, VOICE, &ipv4(17, &udp(&rtp(1)))))));
    assert!(paths_agree(&ethernet(VOICE, &ipv4_piece(17, 1, 0x4000, &udp(SIP)))));
    assert!(!paths_agree(&ethernet(VOICE, &ipv4_piece(17, 1, 0x2000, &udp(SIP)))));
    assert!(hand_agrees(LinkType::LINUX_SLL, &cooked(VOICE, &ipv4(17, &udp(SIP)))));
    assert!(hand_agrees(LinkType::LINUX_SLL2, &cooked_2(VOICE, 3, &ipv4(17, &udp(SIP)))));
    assert!(!hand_agrees(LinkType::LINUX_SLL, &cooked(V6, &ipv6(17, &udp(SIP)))));
    assert!(!paths_agree(&ethernet(V6, &ipv6(17, &udp(SIP)))));
}

#[test]
fn both_paths_agree_on_every_captured_packet() {
    let Some(corpus) = captured::corpus() else { return };
    let (mut packets, mut common) = (0u64, 0u64);
    for path in corpus {
        captured::each_packet(&path, |link, data| {
            packets += 1;
            let by_hand = if link == LinkType::ETHERNET { paths_agree(data) } else { hand_agrees(link, data) };
            common += u64::from(by_hand);
        });
    }
    println!("{packets} packets, {common} of them common");
    assert!(packets > 0 && common > 0, "an empty corpus");
}

#[test]
fn a_path_is_text_in_unicode_and_in_ascii() {
    let tunnel = |tunnel| Encapsulation::Tunnel { tunnel, src: packets::NEAR.into(), dst: packets::FAR.into() };
    let path = [Encapsulation::Vlan(20), tunnel(Tunnel::Vxlan(5000)), Encapsulation::Vlan(7)]
        .into_iter()
        .try_fold(Path::default(), Path::with)
        .unwrap();
    assert_eq!(path.to_string(), "VLAN 20 › VXLAN 5000 (192.0.2.1 → 192.0.2.2) › VLAN 7");
    assert_eq!(format!("{path:#}"), "VLAN 20 > VXLAN 5000 (192.0.2.1 -> 192.0.2.2) > VLAN 7");
    assert_eq!(Path::default().to_string(), "");
    assert_ne!(path, [Encapsulation::Vlan(20)].into_iter().try_fold(Path::default(), Path::with).unwrap());
}
