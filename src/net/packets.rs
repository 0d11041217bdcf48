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
