//! Ethernet, VLAN, IPv4, IPv6, UDP and TCP headers with right lengths and checksums.

use std::net::IpAddr;

use crate::packet::Endpoint;

const UDP: u8 = 17;
const TCP: u8 = 6;
const IPV6_FRAGMENT: u8 = 44;

/// One direction between two hosts, with all that stands in front of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Sender.
    pub src: Endpoint,
    /// Receiver; of the same address family as the sender.
    pub dst: Endpoint,
    /// Sender's hardware address.
    pub src_mac: [u8; 6],
    /// Receiver's hardware address.
    pub dst_mac: [u8; 6],
    /// VLAN ids, outermost first; of several, the outer ones are service tags (802.1ad).
    pub vlans: Vec<u16>,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Traffic class byte: 0xB8 is expedited forwarding, as phones mark voice.
    pub traffic_class: u8,
}

impl Path {
    /// A path without VLAN; hardware addresses are made from the IP addresses.
    pub fn new(src: Endpoint, dst: Endpoint) -> Self {
        Self {
            src,
            dst,
            src_mac: mac_of(src.ip),
            dst_mac: mac_of(dst.ip),
            vlans: Vec::new(),
            ttl: 64,
            traffic_class: 0,
        }
    }

    /// The way back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self {
            src: self.dst,
            dst: self.src,
            src_mac: self.dst_mac,
            dst_mac: self.src_mac,
            vlans: self.vlans.clone(),
            ..*self
        }
    }

    /// The same path inside a VLAN.
    #[must_use]
    pub fn with_vlan(mut self, id: u16) -> Self {
        self.vlans.push(id);
        self
    }

    /// The same path with a traffic class.
    #[must_use]
    pub const fn with_traffic_class(mut self, class: u8) -> Self {
        self.traffic_class = class;
        self
    }
}

/// A locally administered address: 02, then the last five bytes of the IP address.
fn mac_of(ip: IpAddr) -> [u8; 6] {
    let mut mac = [0x02, 0, 0, 0, 0, 0];
    let tail = match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [0, a, b, c, d]
        }
        IpAddr::V6(v6) => {
            let [.., a, b, c, d, e] = v6.octets();
            [a, b, c, d, e]
        }
    };
    mac[1..].copy_from_slice(&tail);
    mac
}

/// Appends one UDP datagram as a frame. The payload must fit a datagram (65,507 bytes); what exceeds it is cut off.
pub fn udp(path: &Path, ip_id: u16, payload: &[u8], out: &mut Vec<u8>) {
    let payload = payload.get(..65_507).unwrap_or(payload);
    let length = 8 + payload.len();
    ethernet(path, out);
    ip(path, &Ip { protocol: UDP, id: ip_id, payload_len: length, fragment: None }, out);
    let start = out.len();
    udp_header(path, payload.len(), out);
    out.extend_from_slice(payload);
    fill_checksum(path, UDP, start, 6, out);
}

/// One UDP datagram as IP fragments that fit `mtu` bytes of IP each, in order; a single plain frame when it fits.
pub fn udp_fragments(path: &Path, ip_id: u16, payload: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    let ip_header = if path.src.ip.is_ipv4() { 20 } else { 40 };
    if ip_header + 8 + payload.len() <= mtu {
        let mut frame = Vec::new();
        udp(path, ip_id, payload, &mut frame);
        return vec![frame];
    }
    let mut datagram = Vec::with_capacity(8 + payload.len());
    udp_header(path, payload.len(), &mut datagram);
    datagram.extend_from_slice(payload);
    fill_checksum(path, UDP, 0, 6, &mut datagram);
    let fragment_header = if path.src.ip.is_ipv4() { 0 } else { 8 };
    // Offsets count in units of eight bytes, so every piece but the last is a multiple of eight.
    let room = (mtu.saturating_sub(ip_header + fragment_header) / 8 * 8).max(8);
    let pieces = datagram.chunks(room);
    let last = pieces.len().saturating_sub(1);
    pieces
        .enumerate()
        .map(|(n, piece)| {
            let mut frame = Vec::new();
            ethernet(path, &mut frame);
            let fragment = Some(Fragment { offset: n * room, more: n != last });
            ip(path, &Ip { protocol: UDP, id: ip_id, payload_len: piece.len(), fragment }, &mut frame);
            frame.extend_from_slice(piece);
            frame
        })
        .collect()
}

/// What a TCP segment says besides its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSegment {
    /// Sequence number of the first byte.
    pub seq: u32,
    /// Acknowledgement number; sent with the ACK flag when not `None`.
    pub ack: Option<u32>,
    /// Opens the connection.
    pub syn: bool,
    /// Closes this direction.
    pub fin: bool,
    /// Breaks the connection.
    pub rst: bool,
    /// Bytes that its sender takes from the other side.
    pub window: u16,
}

impl Default for TcpSegment {
    /// Sequence number 0, no flag, and a window of 65,535 bytes.
    fn default() -> Self {
        Self { seq: 0, ack: None, syn: false, fin: false, rst: false, window: 0xFFFF }
    }
}

/// Appends one TCP segment as a frame.
pub fn tcp(path: &Path, ip_id: u16, segment: TcpSegment, payload: &[u8], out: &mut Vec<u8>) {
    ethernet(path, out);
    ip(path, &Ip { protocol: TCP, id: ip_id, payload_len: 20 + payload.len(), fragment: None }, out);
    let start = out.len();
    out.extend_from_slice(&path.src.port.to_be_bytes());
    out.extend_from_slice(&path.dst.port.to_be_bytes());
    out.extend_from_slice(&segment.seq.to_be_bytes());
    out.extend_from_slice(&segment.ack.unwrap_or(0).to_be_bytes());
    let flags = u8::from(segment.fin)
        | u8::from(segment.syn) << 1
        | u8::from(segment.rst) << 2
        | u8::from(!payload.is_empty()) << 3
        | u8::from(segment.ack.is_some()) << 4;
    out.extend_from_slice(&[5 << 4, flags]);
    out.extend_from_slice(&segment.window.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 0]);
    out.extend_from_slice(payload);
    fill_checksum(path, TCP, start, 16, out);
}

fn ethernet(path: &Path, out: &mut Vec<u8>) {
    out.extend_from_slice(&path.dst_mac);
    out.extend_from_slice(&path.src_mac);
    for (n, vlan) in path.vlans.iter().enumerate() {
        let innermost = n + 1 == path.vlans.len();
        out.extend_from_slice(if innermost { &[0x81, 0x00] } else { &[0x88, 0xA8] });
        out.extend_from_slice(&(vlan & 0x0FFF).to_be_bytes());
    }
    out.extend_from_slice(if path.src.ip.is_ipv4() { &[0x08, 0x00] } else { &[0x86, 0xDD] });
}

struct Fragment {
    offset: usize,
    more: bool,
}

struct Ip {
    protocol: u8,
    id: u16,
    payload_len: usize,
    fragment: Option<Fragment>,
}

fn ip(path: &Path, ip: &Ip, out: &mut Vec<u8>) {
    if let (IpAddr::V4(src), IpAddr::V4(dst)) = (path.src.ip, path.dst.ip) {
        let start = out.len();
        out.extend_from_slice(&[0x45, path.traffic_class]);
        out.extend_from_slice(&((20 + ip.payload_len) as u16).to_be_bytes());
        out.extend_from_slice(&ip.id.to_be_bytes());
        let fragment = ip.fragment.as_ref().map_or(0, |f| u16::from(f.more) << 13 | (f.offset / 8) as u16);
        out.extend_from_slice(&fragment.to_be_bytes());
        out.extend_from_slice(&[path.ttl, ip.protocol, 0, 0]);
        out.extend_from_slice(&src.octets());
        out.extend_from_slice(&dst.octets());
        let sum = !fold(sum(&out[start..]));
        out[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
        return;
    }
    let extra = if ip.fragment.is_some() { 8 } else { 0 };
    let class = u32::from(path.traffic_class) << 20;
    out.extend_from_slice(&(6 << 28 | class).to_be_bytes());
    out.extend_from_slice(&((ip.payload_len + extra) as u16).to_be_bytes());
    out.extend_from_slice(&[if extra == 0 { ip.protocol } else { IPV6_FRAGMENT }, path.ttl]);
    out.extend_from_slice(&v6(path.src.ip));
    out.extend_from_slice(&v6(path.dst.ip));
    if let Some(fragment) = &ip.fragment {
        out.extend_from_slice(&[ip.protocol, 0]);
        out.extend_from_slice(&(fragment.offset as u16 | u16::from(fragment.more)).to_be_bytes());
        out.extend_from_slice(&u32::from(ip.id).to_be_bytes());
    }
}

fn v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn udp_header(path: &Path, payload_len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&path.src.port.to_be_bytes());
    out.extend_from_slice(&path.dst.port.to_be_bytes());
    out.extend_from_slice(&((8 + payload_len) as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
}

/// Computes the checksum of the transport header and payload that start at `start`, and writes it `at` bytes into them.
fn fill_checksum(path: &Path, protocol: u8, start: usize, at: usize, out: &mut [u8]) {
    let body = &out[start..];
    let mut total = sum(body) + u64::from(protocol) + body.len() as u64;
    total += match (path.src.ip, path.dst.ip) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (src, dst) => sum(&v6(src)) + sum(&v6(dst)),
    };
    // A UDP checksum of 0 means "none" and is sent as all ones (RFC 768).
    let value = match !fold(total) {
        0 if protocol == UDP => 0xFFFF,
        value => value,
    };
    out[start + at..start + at + 2].copy_from_slice(&value.to_be_bytes());
}

/// The sum of the 16-bit words, not folded.
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(2);
    let whole: u64 = words.by_ref().map(|w| u64::from(u16::from_be_bytes([w[0], w[1]]))).sum();
    whole + words.remainder().first().map_or(0, |&last| u64::from(last) << 8)
}

fn fold(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use etherparse::SlicedPacket;

    use super::*;

    fn path(src: &str, dst: &str) -> Path {
        Path::new(
            Endpoint::new(src.parse().expect("address"), 5060),
            Endpoint::new(dst.parse().expect("address"), 5062),
        )
    }

    fn check_udp(frame: &[u8], payload: &[u8]) {
        let sliced = SlicedPacket::from_ethernet(frame).expect("a frame");
        let Some(etherparse::TransportSlice::Udp(udp)) = &sliced.transport else { panic!("no UDP") };
        assert_eq!(udp.payload(), payload);
        let header = udp.to_header();
        let wanted = match sliced.net.as_ref().expect("an IP header") {
            etherparse::NetSlice::Ipv4(ip) => {
                let ip = ip.header().to_header();
                assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                header.calc_checksum_ipv4(&ip, payload)
            }
            etherparse::NetSlice::Ipv6(ip) => header.calc_checksum_ipv6(&ip.header().to_header(), payload),
            _ => panic!("not IP"),
        };
        assert_eq!(header.checksum, wanted.expect("short enough"));
    }

    #[test]
    fn udp_over_both_families_and_vlans_has_right_checksums() {
        for payload in [&b""[..], b"odd", b"INVITE sip:208@192.0.2.8 SIP/2.0\r\n"] {
            for path in [
                path("192.0.2.1", "192.0.2.8"),
                path("2001:db8::1", "2001:db8::8"),
                path("192.0.2.1", "192.0.2.8").with_vlan(20),
                path("192.0.2.1", "192.0.2.8").with_vlan(7).with_vlan(20),
            ] {
                let mut frame = Vec::new();
                udp(&path, 9, payload, &mut frame);
                check_udp(&frame, payload);
            }
        }
    }

    #[test]
    fn fragments_hold_the_datagram_and_fit_the_mtu() {
        let payload: Vec<u8> = (0..4_000u32).map(|n| n as u8).collect();
        for (path, ip_header) in [(path("192.0.2.1", "192.0.2.8"), 20), (path("2001:db8::1", "2001:db8::8"), 48)] {
            let frames = udp_fragments(&path, 77, &payload, 1_500);
            assert_eq!(frames.len(), 3);
            assert!(frames.iter().all(|f| f.len() <= 1_514));
            let datagram: Vec<u8> = frames.iter().flat_map(|f| f[14 + ip_header..].to_vec()).collect();
            assert_eq!(&datagram[8..], &payload[..]);
        }
        assert_eq!(udp_fragments(&path("192.0.2.1", "192.0.2.8"), 1, b"short", 1_500).len(), 1);
    }

    #[test]
    fn a_tcp_segment_has_a_right_checksum() {
        let mut frame = Vec::new();
        let segment = TcpSegment { seq: 5, ack: Some(9), ..TcpSegment::default() };
        tcp(&path("192.0.2.1", "192.0.2.8"), 3, segment, b"OPTIONS", &mut frame);
        let sliced = SlicedPacket::from_ethernet(&frame).expect("a frame");
        let Some(etherparse::TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("no TCP") };
        let Some(etherparse::NetSlice::Ipv4(ip)) = &sliced.net else { panic!("no IPv4") };
        let wanted = tcp.to_header().calc_checksum_ipv4(&ip.header().to_header(), b"OPTIONS").expect("short enough");
        assert_eq!(tcp.checksum(), wanted);
        assert!(tcp.ack() && tcp.psh() && !tcp.syn());
    }
}
