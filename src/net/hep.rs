//! HEP, in which capture agents send copies of SIP to a collector: version 3 in chunks, 1 and 2 with a fixed header.
//!
//! There is no standard. Version 3 is described by its makers (hep.sipcapture.org), 1 and 2 by their headers in C.

use std::borrow::Cow;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flate2::read::{GzDecoder, ZlibDecoder};

use super::octets::{u16_at, u32_at};
use crate::counters::{Layer, Malformed};
use crate::limits::SIP_MESSAGE_BYTES;
use crate::packet::{Endpoint, FlowKey};
use crate::time::Timestamp;

/// What an agent sent: a payload, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hep<'p> {
    /// 1, 2 or 3.
    pub version: u8,
    /// Addresses and ports of the copied packet.
    pub flow: FlowKey,
    /// What carried it (IANA protocol number; some agents write 22 for TLS).
    pub protocol: u8,
    /// What the payload is. Versions 1 and 2 do not say.
    pub kind: Option<u8>,
    /// Number of the agent.
    pub agent: Option<u32>,
    /// When the agent saw it, by its own clock.
    pub seen: Option<Timestamp>,
    /// The copied payload, unpacked.
    pub payload: Cow<'p, [u8]>,
    /// Whether nothing is missing at its end.
    pub complete: bool,
}

/// Kind of payload: SIP.
pub const SIP: u8 = 1;

const MAGIC: &[u8] = b"HEP3";

/// Octets in front of the first chunk, and of a chunk's header.
const HEADER: usize = 6;

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Transport, why)
}

/// Whether a datagram is HEP version 3.
#[inline]
pub fn is_version_3(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads a datagram that [`is_version_3`].
pub fn version_3(bytes: &[u8]) -> Result<Hep<'_>, Malformed> {
    const CUT: Malformed = malformed("cut inside the HEP header");
    let total = usize::from(u16_at(bytes, MAGIC.len()).ok_or(CUT)?);
    let mut rest = bytes.get(HEADER..).ok_or(CUT)?;
    rest = rest.get(..total.saturating_sub(HEADER)).unwrap_or(rest);
    let mut found = Chunks::default();
    while !rest.is_empty() {
        let (vendor, kind) = u16_at(rest, 0).zip(u16_at(rest, 2)).ok_or(CUT)?;
        let length = usize::from(u16_at(rest, 4).ok_or(CUT)?);
        if length < HEADER {
            return Err(malformed("HEP chunk length smaller than its header"));
        }
        let value = rest.get(HEADER..length).or(rest.get(HEADER..)).unwrap_or_default();
        if vendor == 0 {
            found.add(kind, value, rest.len() >= length);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    if found.payload.is_none() && bytes.len() < total {
        return Err(malformed("cut before the HEP payload"));
    }
    found.finish()
}

/// The chunks that are understood.
#[derive(Debug, Default)]
struct Chunks<'p> {
    protocol: u8,
    addresses: [Option<IpAddr>; 2],
    ports: [Option<u16>; 2],
    seconds: Option<u32>,
    micros: u32,
    kind: Option<u8>,
    agent: Option<u32>,
    payload: Option<(&'p [u8], bool)>,
    is_packed: bool,
}

impl<'p> Chunks<'p> {
    fn add(&mut self, kind: u16, value: &'p [u8], complete: bool) {
        let [src, dst] = &mut self.addresses;
        let [src_port, dst_port] = &mut self.ports;
        match kind {
            2 => self.protocol = value.first().copied().unwrap_or_default(),
            3 => *src = ipv4(value).or(*src),
            4 => *dst = ipv4(value).or(*dst),
            5 => *src = ipv6(value).or(*src),
            6 => *dst = ipv6(value).or(*dst),
            7 => *src_port = u16_at(value, 0),
            8 => *dst_port = u16_at(value, 0),
            9 => self.seconds = u32_at(value, 0),
            10 => self.micros = u32_at(value, 0).unwrap_or_default(),
            11 => self.kind = value.first().copied(),
            12 => self.agent = u32_at(value, 0),
            15 | 16 => (self.payload, self.is_packed) = (Some((value, complete)), kind == 16),
            _ => {}
        }
    }

    fn finish(self) -> Result<Hep<'p>, Malformed> {
        const NO_FLOW: Malformed = malformed("HEP without addresses or ports");
        let ([Some(src), Some(dst)], [Some(src_port), Some(dst_port)]) = (self.addresses, self.ports) else {
            return Err(NO_FLOW);
        };
        let (payload, mut complete) = self.payload.unwrap_or((&[], true));
        let mut payload = Cow::Borrowed(payload);
        if self.is_packed {
            let unpacked = unpack(&payload).ok_or(malformed("HEP payload that cannot be unpacked"))?;
            complete &= unpacked.len() <= SIP_MESSAGE_BYTES;
            payload = Cow::Owned(unpacked);
        }
        Ok(Hep {
            version: 3,
            flow: FlowKey { src: Endpoint::new(src, src_port), dst: Endpoint::new(dst, dst_port) },
            protocol: self.protocol,
            kind: self.kind,
            agent: self.agent,
            seen: self.seconds.map(|seconds| time(seconds, self.micros)),
            payload,
            complete,
        })
    }
}

/// zlib, or gzip by its magic number; one octet more than [`SIP_MESSAGE_BYTES`] at most. What comes before damage counts.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let most = SIP_MESSAGE_BYTES as u64 + 1;
    let result = match packed {
        [0x1f, 0x8b, ..] => GzDecoder::new(packed).take(most).read_to_end(&mut out),
        _ => ZlibDecoder::new(packed).take(most).read_to_end(&mut out),
    };
    (result.is_ok() || !out.is_empty()).then_some(out)
}

/// Octets of the header of versions 1 and 2 before the addresses, and of the time behind them in version 2, padding included.
const FIXED: usize = 8;
const TIME: usize = 12;

/// Reads a datagram of version 1 or 2. `None` when its header cannot be that of HEP; as little is fixed in it, HEP is
/// believed only if the payload then is SIP.
pub fn version_1_or_2(bytes: &[u8]) -> Option<Hep<'_>> {
    let [version @ 1..=2, length, family, protocol, ..] = *bytes.first_chunk::<FIXED>()? else { return None };
    // AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 or 30 on the BSDs.
    let addresses = match family {
        2 => 8,
        10 | 24 | 28 | 30 => 32,
        _ => return None,
    };
    let behind = FIXED + addresses;
    let time_len = if version == 2 { TIME } else { 0 };
    // Some agents count the time in, some do not.
    if usize::from(length) != behind && usize::from(length) != behind + time_len {
        return None;
    }
    let (from, to) = bytes.get(FIXED..behind)?.split_at_checked(addresses / 2)?;
    let (src, dst) = if family == 2 { (ipv4(from)?, ipv4(to)?) } else { (ipv6(from)?, ipv6(to)?) };
    let little = |at: usize| bytes.get(behind + at..)?.first_chunk().map(|octets| u32::from_le_bytes(*octets));
    let (seen, agent) = match version {
        // Written as they lie in the agent's memory, nearly always little-endian.
        2 => (Some(time(little(0)?, little(4)?)), Some(little(8)? & 0xffff)),
        _ => (None, None),
    };
    Some(Hep {
        version,
        flow: FlowKey { src: Endpoint::new(src, u16_at(bytes, 4)?), dst: Endpoint::new(dst, u16_at(bytes, 6)?) },
        protocol,
        kind: None,
        agent,
        seen,
        payload: Cow::Borrowed(bytes.get(behind + time_len..)?),
        complete: true,
    })
}

fn ipv4(octets: &[u8]) -> Option<IpAddr> {
    octets.first_chunk().map(|octets: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*octets)))
}

fn ipv6(octets: &[u8]) -> Option<IpAddr> {
    octets.first_chunk().map(|octets: &[u8; 16]| IpAddr::V6(Ipv6Addr::from(*octets)))
}

fn time(seconds: u32, micros: u32) -> Timestamp {
    Timestamp::from_nanos(i64::from(seconds) * 1_000_000_000 + i64::from(micros) * 1_000)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::net::packets::{SIP as OPTIONS, hep_chunk, hep3};

    #[test]
    fn version_3_tells_where_a_message_was_seen() {
        let bytes = hep3(&[]);
        assert!(is_version_3(&bytes));
        let hep = version_3(&bytes).unwrap();
        assert_eq!(
            (hep.flow.src.to_string(), hep.flow.dst.to_string()),
            ("192.0.2.1:5060".to_owned(), "192.0.2.2:5080".to_owned())
        );
        assert_eq!((hep.version, hep.protocol, hep.kind, hep.agent), (3, 17, Some(SIP), Some(2001)));
        assert_eq!(hep.seen, Some(Timestamp::from_parts(1_700_000_000, 250_000_000)));
        assert_eq!((&*hep.payload, hep.complete), (OPTIONS, true));
    }

    #[test]
    fn ipv6_addresses_and_chunks_of_vendors() {
        let address = |last: u8| [[0x20, 1, 0x0d, 0xb8].as_slice(), &[0; 11], &[last]].concat();
        let more = [
            hep_chunk(5, &address(1)),
            hep_chunk(6, &address(2)),
            hep_chunk(17, b"correlation"),
            [&[0, 3, 0, 7, 0, 8], [1, 2].as_slice()].concat(),
        ];
        let bytes = hep3(&more);
        assert_eq!(version_3(&bytes).unwrap().flow.src.to_string(), "[2001:db8::1]:5060");
    }

    #[test]
    fn a_packed_payload_is_unpacked_within_bounds() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(OPTIONS).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(OPTIONS).unwrap();
        for packed in [zlib.finish().unwrap(), gzip.finish().unwrap()] {
            let bytes = hep3(&[hep_chunk(16, &packed)]);
            assert_eq!(&*version_3(&bytes).unwrap().payload, OPTIONS);
        }
        let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![b'x'; 8 << 20]).unwrap();
        let bytes = hep3(&[hep_chunk(16, &bomb.finish().unwrap())]);
        let hep = version_3(&bytes).unwrap();
        assert_eq!((hep.payload.len(), hep.complete), (SIP_MESSAGE_BYTES + 1, false));
        let why = version_3(&hep3(&[hep_chunk(16, b"no zlib")])).unwrap_err().why;
        assert_eq!(why, "HEP payload that cannot be unpacked");
    }

    #[test]
    fn damage_has_a_reason() {
        let whole = hep3(&[]);
        let cut = version_3(&whole[..whole.len() - 10]).unwrap();
        assert_eq!((cut.payload.len(), cut.complete), (OPTIONS.len() - 10, false));
        assert_eq!(version_3(&whole[..8]).unwrap_err().why, "cut inside the HEP header");
        assert_eq!(version_3(&whole[..30]).unwrap_err().why, "cut before the HEP payload");
        assert_eq!(version_3(b"HEP3\0\x06").unwrap_err().why, "HEP without addresses or ports");
        let mut short = whole;
        short[11] = 5;
        assert_eq!(version_3(&short).unwrap_err().why, "HEP chunk length smaller than its header");
    }

    #[test]
    fn versions_1_and_2_have_a_fixed_header() {
        let one = [&[1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xd8, 192, 0, 2, 1, 192, 0, 2, 2], OPTIONS].concat();
        let hep = version_1_or_2(&one).unwrap();
        assert_eq!((hep.version, hep.flow.src.to_string()), (1, "192.0.2.1:5060".to_owned()));
        assert_eq!((&*hep.payload, hep.seen), (OPTIONS, None));
        let time = [0x00, 0xf1, 0x53, 0x65, 0x90, 0xd0, 3, 0, 0xd1, 7, 0, 0];
        let two = [&[2, 16], &one[2..16], &time, OPTIONS].concat();
        let hep = version_1_or_2(&two).unwrap();
        assert_eq!((hep.agent, hep.seen), (Some(2001), Some(Timestamp::from_parts(1_700_000_000, 250_000_000))));
        assert_eq!((hep.flow.dst.to_string(), &*hep.payload), ("192.0.2.2:5080".to_owned(), OPTIONS));
        let six = [&[2, 52, 10, 6, 0x13, 0xc4, 0x13, 0xd8], [0; 32].as_slice(), &time, OPTIONS].concat();
        assert_eq!(&*version_1_or_2(&six).unwrap().payload, OPTIONS);
        assert_eq!(version_1_or_2(&[&[1, 17], &one[2..]].concat()), None);
        assert_eq!(version_1_or_2(&[&[1, 16, 3], &one[3..]].concat()), None);
        assert_eq!(version_1_or_2(&[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0]), None, "STUN");
        assert_eq!(version_1_or_2(OPTIONS), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(hep) = version_3(&[MAGIC, &bytes].concat()) {
                prop_assert!(hep.payload.len() <= SIP_MESSAGE_BYTES + 1);
            }
            version_1_or_2(&bytes);
            version_1_or_2(&[&[2, 16, 2, 17], bytes.as_slice()].concat());
        }
    }
}
