//! Builds packets for tests, layer by layer from the inside out.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(crate) const SRC: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 123);
pub(crate) const DST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 68);
pub(crate) const SRC6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
pub(crate) const DST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// A UDP datagram from 5060 to 5070.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x13, 0xc4, 0x13, 0xce];
    out.extend((payload.len() as u16 + 8).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// A TCP segment from 5060 to 5070 with these control bits.
pub(crate) fn tcp(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x13, 0xc4, 0x13, 0xce, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, flags, 1, 0, 0, 0, 0, 0];
    out.extend(payload);
    out
}

/// IPv4 without options.
pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_piece(protocol, 0x1234, 0, payload)
}

/// IPv4 with an identification and a fragment field (offset in units of eight, flags on top).
pub(crate) fn ipv4_piece(protocol: u8, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((payload.len() as u16 + 20).to_be_bytes());
    out.extend(id.to_be_bytes());
    out.extend(place.to_be_bytes());
    out.extend([64, protocol, 0, 0]);
    out.extend(SRC.octets());
    out.extend(DST.octets());
    out.extend(payload);
    out
}

/// IPv6.
pub(crate) fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x60, 0, 0, 0];
    out.extend((payload.len() as u16).to_be_bytes());
    out.extend([next_header, 64]);
    out.extend(SRC6.octets());
    out.extend(DST6.octets());
    out.extend(payload);
    out
}

/// An IPv6 fragment header (offset in octets) and what it carries.
pub(crate) fn fragment6(next_header: u8, offset: u16, more: bool, id: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![next_header, 0];
    out.extend((offset | u16::from(more)).to_be_bytes());
    out.extend(id.to_be_bytes());
    out.extend(payload);
    out
}

/// Ethernet.
pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    out.extend(ether_type.to_be_bytes());
    out.extend(payload);
    out
}

/// A VLAN tag (without the type before it) and what is inside.
pub(crate) fn vlan(tag: u16, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = tag.to_be_bytes().to_vec();
    out.extend(ether_type.to_be_bytes());
    out.extend(payload);
    out
}

/// Linux cooked capture, Ethernet hardware.
pub(crate) fn cooked(protocol: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    out.extend(protocol.to_be_bytes());
    out.extend(payload);
    out
}

/// Linux cooked capture, version 2.
pub(crate) fn cooked_2(protocol: u16, interface: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = protocol.to_be_bytes().to_vec();
    out.extend([0, 0]);
    out.extend(interface.to_be_bytes());
    out.extend([0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
    out.extend(payload);
    out
}

/// RTP with 160 octets of PCMU.
pub(crate) fn rtp(sequence: u16) -> Vec<u8> {
    let mut out = vec![0x80, 0];
    out.extend(sequence.to_be_bytes());
    out.extend((u32::from(sequence) * 160).to_be_bytes());
    out.extend(0x6ab2_1e82_u32.to_be_bytes());
    out.resize(172, 0xd5);
    out
}

/// A small request that lacks nothing.
pub(crate) const SIP: &[u8] = b"OPTIONS sip:208@10.1.1.68 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 10.1.1.123;branch=z9hG4bK1\r\n\
    From: <sip:207@10.1.1.68>;tag=1\r\nTo: <sip:208@10.1.1.68>\r\n\
    Call-ID: 1@10.1.1.123\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// A chunk of HEP version 3.
pub(crate) fn hep_chunk(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16 + 6;
    [&[0, 0], kind.to_be_bytes().as_slice(), &length.to_be_bytes(), value].concat()
}

/// HEP version 3 with [`SIP`] in it, from agent 2001, and with more chunks at its end, which replace what came before.
pub(crate) fn hep3(more: &[Vec<u8>]) -> Vec<u8> {
    let chunks = [
        hep_chunk(1, &[2]),
        hep_chunk(2, &[17]),
        hep_chunk(3, &[192, 0, 2, 1]),
        hep_chunk(4, &[192, 0, 2, 2]),
        hep_chunk(7, &5060_u16.to_be_bytes()),
        hep_chunk(8, &5080_u16.to_be_bytes()),
        hep_chunk(9, &1_700_000_000_u32.to_be_bytes()),
        hep_chunk(10, &250_000_u32.to_be_bytes()),
        hep_chunk(11, &[1]),
        hep_chunk(12, &2001_u32.to_be_bytes()),
        hep_chunk(15, SIP),
    ];
    let chunks = [chunks.concat(), more.concat()].concat();
    [b"HEP3", (chunks.len() as u16 + 6).to_be_bytes().as_slice(), &chunks].concat()
}

/// An SCTP packet from 5060 to 5070 with these chunks.
pub(crate) fn sctp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0x13, 0xc4, 0x13, 0xce, 0, 0, 0, 7, 0, 0, 0, 0];
    out.extend(chunks.concat());
    out
}

/// A chunk of SCTP, padded.
pub(crate) fn sctp_chunk(kind: u8, flags: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, flags];
    out.extend((value.len() as u16 + 4).to_be_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// An SCTP DATA chunk with this sequence number; flags 3 for a whole message.
pub(crate) fn sctp_data(flags: u8, tsn: u32, payload: &[u8]) -> Vec<u8> {
    sctp_chunk(0, flags, &[tsn.to_be_bytes().as_slice(), &[0; 8], payload].concat())
}

/// Outer addresses of tunnels.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// IPv4 between the ends of a tunnel.
pub(crate) fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = ipv4(protocol, payload);
    out[12..16].copy_from_slice(&NEAR.octets());
    out[16..20].copy_from_slice(&FAR.octets());
    out
}

/// A UDP datagram between the ends of a tunnel.
pub(crate) fn outer_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp(payload);
    datagram[2..4].copy_from_slice(&port.to_be_bytes());
    outer(17, &datagram)
}

/// An MPLS label and what is behind it.
pub(crate) fn mpls(label: u32, is_last: bool, payload: &[u8]) -> Vec<u8> {
    [&(label << 12 | u32::from(is_last) << 8 | 64).to_be_bytes(), payload].concat()
}

/// A PPPoE session packet with this PPP protocol field.
pub(crate) fn pppoe(session: u16, protocol: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11, 0];
    out.extend(session.to_be_bytes());
    out.extend(((protocol.len() + payload.len()) as u16).to_be_bytes());
    out.extend(protocol);
    out.extend(payload);
    out
}

/// GRE with these flags, the words that they announce, and a payload of this kind.
pub(crate) fn gre(flags: u16, kind: u16, words: &[u32], payload: &[u8]) -> Vec<u8> {
    let mut out = flags.to_be_bytes().to_vec();
    out.extend(kind.to_be_bytes());
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    out.extend(payload);
    out
}

/// The first word of an ERSPAN header: version, VLAN 100, session.
fn erspan(version: u16, session: u16) -> Vec<u8> {
    [(version << 12 | 100).to_be_bytes(), (0x1800 | session).to_be_bytes()].concat()
}

pub(crate) fn erspan_2(session: u16, frame: &[u8]) -> Vec<u8> {
    [&erspan(1, session), [0, 0, 0, 9].as_slice(), frame].concat()
}

/// `last` is its last half word: what the frame is, and whether a subheader follows.
pub(crate) fn erspan_3(session: u16, last: u16, subheader: &[u8], frame: &[u8]) -> Vec<u8> {
    [&erspan(2, session), [0, 0, 0, 9, 0, 0].as_slice(), &last.to_be_bytes(), subheader, frame].concat()
}

/// A network identifier, and the reserved octet behind it.
fn network(id: u32) -> [u8; 4] {
    (id << 8).to_be_bytes()
}

pub(crate) fn vxlan(id: u32, frame: &[u8]) -> Vec<u8> {
    [&[8, 0, 0, 0], network(id).as_slice(), frame].concat()
}

/// GENEVE with options, whose length is in words.
pub(crate) fn geneve(id: u32, kind: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[options.len() as u8 / 4, 0], kind.to_be_bytes().as_slice(), &network(id), options, payload].concat()
}

/// GTP-U with these flags and the octets that they announce.
pub(crate) fn gtp(flags: u8, endpoint: u32, more: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = (more.len() + payload.len()) as u16;
    [&[flags, 255], length.to_be_bytes().as_slice(), &endpoint.to_be_bytes(), more, payload].concat()
}

/// A packet: its name, its link type, its bytes, and the path that it should show.
type Named = (&'static str, u32, Vec<u8>, &'static str);

/// What is inside.
struct Inner {
    v4: Vec<u8>,
    v6: Vec<u8>,
    frame: Vec<u8>,
    tagged: Vec<u8>,
}

/// Every encapsulation around the same datagram.
pub(crate) fn encapsulated(datagram: &[u8]) -> Vec<Named> {
    let v4 = ipv4(17, datagram);
    let v6 = ipv6(17, datagram);
    let frame = ethernet(0x0800, &v4);
    let tagged = ethernet(0x8100, &vlan(7, 0x0800, &v4));
    let inner = Inner { v4, v6, frame, tagged };
    [behind_links(&inner), in_ip(&inner), in_gre(&inner), in_udp(&inner), in_several(&inner)].concat()
}

/// Link type and packet.
type OnLink = (u32, Vec<u8>);

/// On Ethernet.
fn on(ether_type: u16, payload: Vec<u8>) -> OnLink {
    (1, ethernet(ether_type, &payload))
}

/// Between the ends of a tunnel over IP.
fn over(protocol: u8, payload: Vec<u8>) -> OnLink {
    on(0x0800, outer(protocol, &payload))
}

/// Between the ends of a tunnel over UDP.
fn to(port: u16, payload: Vec<u8>) -> OnLink {
    on(0x0800, outer_udp(port, &payload))
}

fn named<const N: usize>(all: [(&'static str, OnLink, &'static str); N]) -> Vec<Named> {
    all.into_iter().map(|(name, (link, packet), path)| (name, link, packet, path)).collect()
}

fn behind_links(inner: &Inner) -> Vec<Named> {
    named([
        ("vlan", on(0x8100, vlan(20, 0x0800, &inner.v4)), "VLAN 20"),
        ("qinq", on(0x88a8, vlan(20, 0x8100, &vlan(7, 0x86dd, &inner.v6))), "VLAN 20 › VLAN 7"),
        ("pppoe", on(0x8864, pppoe(7, &[0, 0x21], &inner.v4)), "PPPoE 7"),
        ("pppoe6", on(0x8864, pppoe(7, &[0, 0x57], &inner.v6)), "PPPoE 7"),
        ("pppoe-compressed", on(0x8864, pppoe(7, &[0x21], &inner.v4)), "PPPoE 7"),
        ("pppoe-vlan", on(0x8100, vlan(20, 0x8864, &pppoe(7, &[0, 0x21], &inner.v4))), "VLAN 20 › PPPoE 7"),
        ("pppoe-link", (51, pppoe(7, &[0, 0x21], &inner.v4)), "PPPoE 7"),
        ("ppp", (9, [&[0xff, 3, 0, 0x21], inner.v4.as_slice()].concat()), ""),
        ("ppp-bare", (9, [&[0, 0x21], inner.v4.as_slice()].concat()), ""),
        ("ppp-hdlc", (50, [&[0xff, 3, 0, 0x57], inner.v6.as_slice()].concat()), ""),
        ("c-hdlc", (104, [&[0x0f, 0, 8, 0], inner.v4.as_slice()].concat()), ""),
        ("mpls", on(0x8847, mpls(100, false, &mpls(16, true, &inner.v4))), "MPLS 100 › MPLS 16"),
        ("mpls6", on(0x8848, mpls(2, true, &inner.v6)), "MPLS 2"),
        ("mpls-ethernet", on(0x8847, mpls(16, true, &inner.frame)), "MPLS 16"),
        (
            "mpls-control-word",
            on(0x8847, mpls(16, true, &[&[0; 4], inner.tagged.as_slice()].concat())),
            "MPLS 16 › VLAN 7",
        ),
    ])
}

fn in_ip(inner: &Inner) -> Vec<Named> {
    named([
        ("ip-in-ip", over(4, inner.v4.clone()), "IP in IP (192.0.2.1 → 192.0.2.2)"),
        ("6in4", over(41, inner.v6.clone()), "IP in IP (192.0.2.1 → 192.0.2.2)"),
        ("4in6", on(0x86dd, ipv6(4, &inner.v4)), "IP in IP (2001:db8::1 → 2001:db8::2)"),
        ("mpls-in-ip", over(137, mpls(16, true, &inner.v4)), "IP in IP (192.0.2.1 → 192.0.2.2) › MPLS 16"),
    ])
}

fn in_gre(inner: &Inner) -> Vec<Named> {
    named([
        ("gre", over(47, gre(0, 0x0800, &[], &inner.v4)), "GRE (192.0.2.1 → 192.0.2.2)"),
        ("gre6", over(47, gre(0x2000, 0x86dd, &[5], &inner.v6)), "GRE key 5 (192.0.2.1 → 192.0.2.2)"),
        ("gre-all", over(47, gre(0xb000, 0x0800, &[0, 5, 1], &inner.v4)), "GRE key 5 (192.0.2.1 → 192.0.2.2)"),
        ("gre-ethernet", over(47, gre(0, 0x6558, &[], &inner.tagged)), "GRE (192.0.2.1 → 192.0.2.2) › VLAN 7"),
        (
            "gre-mpls",
            over(47, gre(0, 0x8847, &[], &mpls(16, true, &inner.v4))),
            "GRE (192.0.2.1 → 192.0.2.2) › MPLS 16",
        ),
        (
            "pptp",
            over(
                47,
                gre(
                    0x3081,
                    0x880b,
                    &[(inner.v4.len() as u32 + 4) << 16 | 9, 1, 2],
                    &[&[0xff, 3, 0, 0x21], inner.v4.as_slice()].concat(),
                ),
            ),
            "PPTP 9 (192.0.2.1 → 192.0.2.2)",
        ),
        ("erspan-1", over(47, gre(0, 0x88be, &[], &inner.frame)), "ERSPAN (192.0.2.1 → 192.0.2.2)"),
        (
            "erspan-2",
            over(47, gre(0x1000, 0x88be, &[1], &erspan_2(3, &inner.tagged))),
            "ERSPAN 3 (192.0.2.1 → 192.0.2.2) › VLAN 7",
        ),
        (
            "erspan-3",
            over(47, gre(0x1000, 0x22eb, &[1], &erspan_3(3, 0, &[], &inner.frame))),
            "ERSPAN 3 (192.0.2.1 → 192.0.2.2)",
        ),
        (
            "erspan-3-subheader",
            over(47, gre(0x1000, 0x22eb, &[1], &erspan_3(3, 1, &[0x0c, 0, 0, 0, 0, 0, 0, 0], &inner.frame))),
            "ERSPAN 3 (192.0.2.1 → 192.0.2.2)",
        ),
        (
            "erspan-3-ip",
            over(47, gre(0x1000, 0x22eb, &[1], &erspan_3(3, 2 << 10, &[], &inner.v4))),
            "ERSPAN 3 (192.0.2.1 → 192.0.2.2)",
        ),
    ])
}

fn in_udp(inner: &Inner) -> Vec<Named> {
    let session_container = [0, 7, 0, 0x85, 1, 0x10, 9, 0].as_slice();
    named([
        ("vxlan", to(4789, vxlan(5000, &inner.tagged)), "VXLAN 5000 (192.0.2.1 → 192.0.2.2) › VLAN 7"),
        ("vxlan-old", to(8472, vxlan(5000, &inner.frame)), "VXLAN 5000 (192.0.2.1 → 192.0.2.2)"),
        (
            "vxlan-gpe",
            to(4790, [&[0x0c, 0, 0, 1], network(5000).as_slice(), &inner.v4].concat()),
            "VXLAN 5000 (192.0.2.1 → 192.0.2.2)",
        ),
        ("geneve", to(6081, geneve(5000, 0x6558, &[], &inner.frame)), "GENEVE 5000 (192.0.2.1 → 192.0.2.2)"),
        (
            "geneve-options",
            to(6081, geneve(5000, 0x6558, &[1, 2, 3, 1, 0, 0, 0, 0], &inner.frame)),
            "GENEVE 5000 (192.0.2.1 → 192.0.2.2)",
        ),
        ("geneve-ip", to(6081, geneve(5000, 0x0800, &[], &inner.v4)), "GENEVE 5000 (192.0.2.1 → 192.0.2.2)"),
        ("gtp", to(2152, gtp(0x30, 0x1234, &[], &inner.v4)), "GTP-U 0x00001234 (192.0.2.1 → 192.0.2.2)"),
        (
            "gtp-sequence",
            to(2152, gtp(0x32, 0x1234, &[0, 7, 0, 0], &inner.v6)),
            "GTP-U 0x00001234 (192.0.2.1 → 192.0.2.2)",
        ),
        (
            "gtp-extension",
            to(2152, gtp(0x36, 0x1234, session_container, &inner.v4)),
            "GTP-U 0x00001234 (192.0.2.1 → 192.0.2.2)",
        ),
        ("mpls-in-udp", to(6635, mpls(16, true, &inner.v4)), "UDP (192.0.2.1 → 192.0.2.2) › MPLS 16"),
        ("teredo", to(3544, inner.v6.clone()), "Teredo (192.0.2.1 → 192.0.2.2)"),
        (
            "teredo-origin",
            to(3544, [&[0, 0, 1, 2, 3, 4, 5, 6], inner.v6.as_slice()].concat()),
            "Teredo (192.0.2.1 → 192.0.2.2)",
        ),
        (
            "teredo-authentication",
            to(3544, [&[0, 1, 0, 0], [9; 9].as_slice(), &inner.v6].concat()),
            "Teredo (192.0.2.1 → 192.0.2.2)",
        ),
    ])
}

fn in_several(inner: &Inner) -> Vec<Named> {
    named([
        (
            "vlan-vxlan-vlan",
            on(0x8100, vlan(20, 0x0800, &outer_udp(4789, &vxlan(5000, &inner.tagged)))),
            "VLAN 20 › VXLAN 5000 (192.0.2.1 → 192.0.2.2) › VLAN 7",
        ),
        (
            "cooked-gre",
            (113, cooked(0x0800, &outer(47, &gre(0, 0x0800, &[], &inner.v4)))),
            "GRE (192.0.2.1 → 192.0.2.2)",
        ),
    ])
}
