//! One medium of a session description: its `m=` line and what stands under it.

use std::net::IpAddr;

use super::parse::attributes;
use super::payload_type::static_payload_type;
use crate::limits::SDP_PORT_PAIRS;

/// Which way media flows, seen from who wrote the description (RFC 8866, 6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; also what no attribute means.
    #[default]
    SendRecv,
    /// Only away from the writer: the usual hold.
    SendOnly,
    /// Only towards the writer: the usual answer to a hold.
    RecvOnly,
    /// None.
    Inactive,
}

impl Direction {
    const ALL: [Self; 4] = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];

    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    pub(super) fn find(attribute: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.name().eq_ignore_ascii_case(attribute.trim()))
    }
}

/// An address that a description announces for media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediaEndpoint {
    /// Where.
    pub ip: IpAddr,
    /// Port, never 0.
    pub port: u16,
    /// Whether RTCP alone is expected there.
    pub is_rtcp: bool,
}

/// A codec as `a=rtpmap` names it (RFC 8866, 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec<'a> {
    /// `PCMU`, `opus`, `telephone-event`.
    pub name: &'a str,
    /// Ticks of the RTP timestamp per second.
    pub clock: u32,
    /// Audio channels, 1 unless said.
    pub channels: u8,
}

/// An ICE candidate (RFC 8839, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// 1 RTP, 2 RTCP.
    pub component: u32,
    /// `UDP`, `TCP`.
    pub transport: &'a str,
    /// Address, or a name ending in `.local`.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub kind: &'a str,
}

impl<'a> Candidate<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (_foundation, component, transport) = (words.next()?, words.next()?, words.next()?);
        let (_priority, host, port) = (words.next()?, words.next()?, words.next()?);
        let kind = if words.next() == Some("typ") { words.next().unwrap_or("") } else { "" };
        Some(Self { component: component.parse().ok()?, transport, host, port: port.parse().ok()?, kind })
    }
}

/// One medium.
#[derive(Clone, Debug)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, `application`, …
    pub kind: &'a str,
    /// Port; 0 means refused or switched off.
    pub port: u16,
    /// Number of port pairs, mostly 1.
    pub port_count: u16,
    /// `RTP/AVP`, `RTP/SAVPF`, `udptl`, …
    pub proto: &'a str,
    formats: &'a str,
    section: &'a [u8],
    host: Option<&'a str>,
    direction: Option<Direction>,
}

impl<'a> Media<'a> {
    /// Reads an `m=` line; `section` is what stands under it.
    pub(super) fn parse(line: &'a str, section: &'a [u8]) -> Option<Self> {
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let (port, rest) = rest.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let (proto, formats) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (port, count) = port.split_once('/').unwrap_or((port, "1"));
        let port_count = count.parse().unwrap_or(1).max(1);
        Some(Self { kind, port: port.parse().ok()?, port_count, proto, formats, section, host: None, direction: None })
    }

    pub(super) fn add_connection(&mut self, value: &'a str) {
        self.host = self.host.or(connection_address(value));
    }

    pub(super) fn add_direction(&mut self, attribute: &str) {
        self.direction = Direction::find(attribute).or(self.direction);
    }

    pub(super) fn inherit(&mut self, host: Option<&'a str>, direction: Option<Direction>) {
        self.host = self.host.or(host);
        self.direction = self.direction.or(direction);
    }

    pub(super) fn has_connection(&self) -> bool {
        self.host.is_some()
    }

    /// The formats of the `m=` line in order of preference: payload types for RTP.
    pub fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.formats.split_ascii_whitespace()
    }

    /// The payload types among the formats.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats().filter_map(|format| format.parse().ok()).filter(|pt| *pt < 128)
    }

    /// The address of the `c=` line, here or of the session; `None` when it is a name.
    pub fn connection(&self) -> Option<IpAddr> {
        self.host?.parse().ok()
    }

    /// The host of the `c=` line as written.
    pub fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// Which way media flows.
    pub fn direction(&self) -> Direction {
        self.direction.unwrap_or_default()
    }

    /// Whether the writer holds the other side, the old way too (`c=0.0.0.0`).
    pub fn is_held(&self) -> bool {
        matches!(self.direction(), Direction::SendOnly | Direction::Inactive)
            || self.connection().is_some_and(|ip| ip.is_unspecified())
    }

    /// The first attribute of this name: the value behind the colon; empty when it has none.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes(name).next()
    }

    /// The values of all attributes of this name.
    pub fn attributes(&self, name: &str) -> impl Iterator<Item = &'a str> {
        attributes(self.section).filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The codec of a payload type: by `a=rtpmap`, else by the static table.
    pub fn codec(&self, payload_type: u8) -> Option<Codec<'a>> {
        self.rtpmap(payload_type).or_else(|| {
            let (name, clock) = static_payload_type(payload_type)?;
            Some(Codec { name, clock, channels: 1 })
        })
    }

    /// What `a=rtpmap` says of a payload type.
    pub fn rtpmap(&self, payload_type: u8) -> Option<Codec<'a>> {
        let encoding = self.of_payload_type("rtpmap", payload_type)?;
        let mut parts = encoding.split('/');
        let name = parts.next().map(str::trim).filter(|name| !name.is_empty())?;
        let clock = parts.next().and_then(|clock| clock.trim().parse().ok()).unwrap_or(0);
        let channels = parts.next().and_then(|channels| channels.trim().parse().ok()).unwrap_or(1);
        Some(Codec { name, clock, channels })
    }

    /// The format parameters of a payload type.
    pub fn fmtp(&self, payload_type: u8) -> Option<&'a str> {
        self.of_payload_type("fmtp", payload_type)
    }

    fn of_payload_type(&self, attribute: &str, payload_type: u8) -> Option<&'a str> {
        self.attributes(attribute).find_map(|value| {
            let (format, rest) = value.split_once(char::is_whitespace)?;
            (format.parse() == Ok(payload_type)).then(|| rest.trim())
        })
    }

    /// Milliseconds of media in a packet.
    pub fn ptime(&self) -> Option<u32> {
        self.attribute("ptime")?.parse::<f64>().ok().filter(|ms| (0.0..=10_000.0).contains(ms)).map(|ms| ms as u32)
    }

    /// Port and address of `a=rtcp` (RFC 3605); the medium's own address when it names none.
    pub fn rtcp(&self) -> Option<(u16, Option<IpAddr>)> {
        let mut words = self.attribute("rtcp")?.split_ascii_whitespace();
        let port = words.next()?.parse().ok()?;
        Some((port, words.nth(2).and_then(|host| host.parse().ok()).or_else(|| self.connection())))
    }

    /// Whether RTCP may share the RTP port (RFC 5761).
    pub fn has_rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// The ICE candidates.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'a>> {
        self.attributes("candidate").filter_map(Candidate::parse)
    }

    /// Whether keys for SRTP are here (RFC 4568), or a DTLS fingerprint.
    pub fn has_crypto(&self) -> bool {
        self.attribute("crypto").is_some() || self.attribute("fingerprint").is_some()
    }

    /// Whether it is carried by RTP.
    pub fn is_rtp(&self) -> bool {
        self.proto.split('/').any(|part| part.eq_ignore_ascii_case("RTP"))
    }

    /// Whether it is T.38 fax (ITU-T T.38, annex D).
    pub fn is_t38(&self) -> bool {
        self.formats().any(|format| format.eq_ignore_ascii_case("t38"))
            || (self.kind.eq_ignore_ascii_case("image") && self.proto.to_ascii_lowercase().contains("udptl"))
    }

    /// Where its RTP and RTCP are expected. RTCP is on the next port unless said otherwise (RFC 3550, 11).
    pub(super) fn endpoints(&self) -> Vec<MediaEndpoint> {
        let mut found = Vec::new();
        if self.port == 0 || !self.is_rtp() {
            return found;
        }
        let mut add = |ip: Option<IpAddr>, port: u16, is_rtcp: bool| {
            if let Some(ip) = ip.filter(|ip| !ip.is_unspecified())
                && port != 0
            {
                found.push(MediaEndpoint { ip, port, is_rtcp });
            }
        };
        let ip = self.connection();
        for pair in 0..self.port_count.min(SDP_PORT_PAIRS) {
            let Some(rtp) = self.port.checked_add(pair * 2) else { break };
            add(ip, rtp, false);
            match self.rtcp() {
                Some((port, ip)) if pair == 0 => {
                    if port != rtp || ip != self.connection() {
                        add(ip, port, true);
                    }
                }
                _ if self.has_rtcp_mux() => {}
                _ => add(ip, rtp.checked_add(1).unwrap_or(0), true),
            }
        }
        let is_mux = self.has_rtcp_mux();
        for candidate in self.candidates().filter(|candidate| candidate.transport.eq_ignore_ascii_case("udp")) {
            let is_rtcp = candidate.component == 2;
            if candidate.component == 1 || (is_rtcp && !is_mux) {
                add(candidate.host.parse().ok(), candidate.port, is_rtcp);
            }
        }
        found
    }
}

/// The address of a `c=` line, without the time to live and count of a multicast one.
pub(super) fn connection_address(value: &str) -> Option<&str> {
    let host = value.split_ascii_whitespace().nth(2)?;
    Some(host.split_once('/').map_or(host, |(host, _)| host))
}

#[cfg(test)]
mod tests {
    use super::super::Sdp;
    use super::*;

    fn endpoints(text: &str) -> Vec<(String, bool)> {
        let text = format!("v=0\r\nc=IN IP4 192.0.2.1\r\n{text}");
        let sdp = Sdp::parse(text.as_bytes());
        sdp.media_endpoints().iter().map(|e| (format!("{}:{}", e.ip, e.port), e.is_rtcp)).collect()
    }

    fn expect(list: &[(&str, bool)]) -> Vec<(String, bool)> {
        list.iter().map(|(at, is_rtcp)| ((*at).to_owned(), *is_rtcp)).collect()
    }

    #[test]
    fn codecs_come_from_rtpmap_or_the_static_table() {
        let sdp = Sdp::parse(
            b"m=audio 4000/2 RTP/AVP 0 96 101 77 x\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\n\
              a=rtpmap:101 telephone-event/8000\na=ptime:20\na=rtcp-mux\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n",
        );
        let audio = &sdp.media[0];
        assert_eq!((audio.kind, audio.port, audio.port_count, audio.proto), ("audio", 4_000, 2, "RTP/AVP"));
        assert_eq!(audio.payload_types().collect::<Vec<_>>(), [0, 96, 101, 77]);
        assert_eq!(audio.codec(96), Some(Codec { name: "opus", clock: 48_000, channels: 2 }));
        assert_eq!(audio.codec(0).map(|codec| (codec.name, codec.clock)), Some(("PCMU", 8_000)));
        assert_eq!((audio.codec(77), audio.fmtp(96), audio.ptime()), (None, Some("useinbandfec=1"), Some(20)));
        assert!(audio.has_rtcp_mux() && audio.has_crypto() && !audio.is_t38() && !audio.is_held());
    }

    #[test]
    fn rtcp_is_on_the_next_port_unless_said_otherwise() {
        let plain = expect(&[("192.0.2.1:4000", false), ("192.0.2.1:4001", true)]);
        assert_eq!(endpoints("m=audio 4000 RTP/AVP 0\r\n"), plain);
        let mux = endpoints("m=audio 4000 RTP/AVP 0\r\na=rtcp:4000\r\na=rtcp-mux\r\n");
        assert_eq!(mux, expect(&[("192.0.2.1:4000", false)]));
        let own = endpoints("m=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 192.0.2.9\r\n");
        assert_eq!(own, expect(&[("192.0.2.1:4000", false), ("192.0.2.9:53020", true)]));
        let last = endpoints("m=audio 65535 RTP/AVP 0\r\n");
        assert_eq!(last, expect(&[("192.0.2.1:65535", false)]));
    }

    #[test]
    fn media_that_nobody_sends_have_no_endpoint() {
        assert_eq!(endpoints("m=audio 0 RTP/AVP 0\r\n"), expect(&[]));
        assert_eq!(endpoints("m=image 4000 udptl t38\r\n"), expect(&[]));
        assert_eq!(endpoints("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"), expect(&[]));
        assert_eq!(endpoints("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 host.example.com\r\n"), expect(&[]));
    }

    #[test]
    fn candidates_are_endpoints_too() {
        let found = endpoints(
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 UDP 2130706431 192.0.2.77 50000 typ host\r\n\
             a=candidate:1 2 UDP 2130706430 192.0.2.77 50001 typ host\r\n\
             a=candidate:2 1 TCP 1 192.0.2.77 9 typ host tcptype active\r\na=candidate:broken\r\n",
        );
        assert_eq!(found[2..], expect(&[("192.0.2.77:50000", false), ("192.0.2.77:50001", true)]));
    }

    #[test]
    fn hold_is_seen_in_both_ways_of_saying_it() {
        let held = |line: &str| Sdp::parse(format!("m=audio 4000 RTP/AVP 0\n{line}\n").as_bytes()).media[0].is_held();
        assert!(held("a=sendonly") && held("a=inactive") && held("c=IN IP4 0.0.0.0"));
        assert!(!held("a=recvonly") && !held("c=IN IP4 192.0.2.1/127"));
        assert!(Sdp::parse(b"m=image 4000 udptl t38").media[0].is_t38());
    }
}
