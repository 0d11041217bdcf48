//! Link headers: Ethernet with any stack of VLAN tags, Linux cooked captures, BSD loopback, PPP, raw IP.

use super::octets::{u16_at, u32_at};
use super::tunnel::{mpls, ppp};
use super::{Encapsulation, Opened, Path, ip};
use crate::counters::{Layer, Malformed};
use crate::packet::LinkType;

/// IPv4.
pub(super) const ETHER_IPV4: u16 = 0x0800;
/// IPv6.
pub(super) const ETHER_IPV6: u16 = 0x86dd;
/// 802.1Q customer tag.
pub(super) const ETHER_VLAN: u16 = 0x8100;
/// A label stack, to one receiver and to several (RFC 3032, RFC 5332).
pub(super) const ETHER_MPLS: [u16; 2] = [0x8847, 0x8848];
/// A PPPoE session (RFC 2516).
const ETHER_PPPOE_SESSION: u16 = 0x8864;
/// 802.1ad service tag.
const ETHER_SERVICE_VLAN: u16 = 0x88a8;
/// The service tag of switches older than 802.1ad.
const ETHER_OLD_QINQ: u16 = 0x9100;
/// Below this the field is a length, and 802.2 follows.
const ETHER_SMALLEST_TYPE: u16 = 0x0600;
/// Linux's own number for "802.2 follows", in cooked captures.
const COOKED_LLC: u16 = 0x0004;
/// Linux's own number for 802.3 frames without 802.2.
const COOKED_NOVELL: u16 = 0x0001;

/// Address families of IPv6: Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
const IPV6_FAMILIES: [u32; 5] = [10, 23, 24, 28, 30];
const IPV4_FAMILY: u32 = 2;

/// What is behind a link header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inside<'p> {
    /// An IP packet, perhaps with padding behind it.
    Ip {
        /// From the IP header on.
        payload: &'p [u8],
        /// How it came.
        path: Path,
    },
    /// Something else: what it is.
    Other(&'static str),
}

impl<'p> Inside<'p> {
    /// Goes on to the IP header.
    pub fn opened(self) -> Result<Opened<'p>, Malformed> {
        match self {
            Self::Ip { payload, path } => ip::frame(payload, path).map(Opened::Ip),
            Self::Other(what) => Ok(Opened::Passed(what)),
        }
    }
}

const fn cut(why: &'static str) -> Malformed {
    Malformed::new(Layer::Link, why)
}

/// Takes the link header off.
pub fn open(link: LinkType, data: &[u8]) -> Result<Inside<'_>, Malformed> {
    match link {
        LinkType::ETHERNET => ethernet(data, Path::default()),
        LinkType::LINUX_SLL => cooked(data),
        LinkType::LINUX_SLL2 => cooked_2(data),
        LinkType::NULL | LinkType::LOOP => loopback(data),
        LinkType::RAW | LinkType::DLT_RAW_BSD | LinkType::DLT_RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok(Inside::Ip { payload: data, path: Path::default() })
        }
        LinkType::PPP | LinkType::PPP_HDLC => ppp::framed(data, Path::default()),
        LinkType::PPP_ETHER => ppp::session(data, Path::default()),
        LinkType::C_HDLC => ppp::cisco(data, Path::default()),
        _ => Err(Malformed::new(Layer::Link, "link type not supported")),
    }
}

/// An Ethernet frame that came this way.
pub(super) fn ethernet(data: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    let ether_type = u16_at(data, 12).ok_or(cut("cut inside the Ethernet header"))?;
    ether_payload(ether_type, data.get(14..).unwrap_or_default(), path)
}

/// Whether this looks like an Ethernet frame, where nothing else tells: its type is a known one, and IP is IP.
pub(super) fn looks_like_ethernet(data: &[u8]) -> bool {
    let version = data.get(14).map(|first| first >> 4);
    match u16_at(data, 12) {
        Some(ETHER_IPV4) => version == Some(4),
        Some(ETHER_IPV6) => version == Some(6),
        Some(ETHER_VLAN | ETHER_SERVICE_VLAN | ETHER_OLD_QINQ) => true,
        Some(other) => ether_name(other) != OTHER_ETHERNET,
        None => false,
    }
}

fn cooked(data: &[u8]) -> Result<Inside<'_>, Malformed> {
    let protocol = u16_at(data, 14).ok_or(cut("cut inside the cooked header"))?;
    let hardware = u16_at(data, 2).unwrap_or_default();
    cooked_payload(hardware, protocol, data.get(16..).unwrap_or_default(), Path::default())
}

fn cooked_2(data: &[u8]) -> Result<Inside<'_>, Malformed> {
    let payload = data.get(20..).ok_or(cut("cut inside the cooked header"))?;
    let protocol = u16_at(data, 0).unwrap_or_default();
    let interface = u32_at(data, 4).unwrap_or_default();
    let hardware = u16_at(data, 8).unwrap_or_default();
    cooked_payload(hardware, protocol, payload, Path::on(interface))
}

/// The hardware type decides what the protocol field means; only for some it is no Ethernet type.
fn cooked_payload(hardware: u16, protocol: u16, payload: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    const NETLINK: u16 = 824;
    const MONITOR: [u16; 3] = [801, 802, 803];
    match (hardware, protocol) {
        (NETLINK, _) => Ok(Inside::Other("netlink")),
        (hardware, _) if MONITOR.contains(&hardware) => Ok(Inside::Other("802.11 monitor")),
        (_, COOKED_LLC) => llc(payload, path),
        (_, COOKED_NOVELL) => Ok(Inside::Other("802.3 without 802.2")),
        (_, protocol) if protocol < ETHER_SMALLEST_TYPE => Ok(Inside::Other("other cooked protocol")),
        (_, protocol) => ether_payload(protocol, payload, path),
    }
}

/// The family is in the byte order of the machine that captured; a family is small, so the order shows.
fn loopback(data: &[u8]) -> Result<Inside<'_>, Malformed> {
    let family = u32_at(data, 0).ok_or(cut("cut inside the loopback header"))?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    if family == IPV4_FAMILY || IPV6_FAMILIES.contains(&family) {
        return Ok(Inside::Ip { payload: data.get(4..).unwrap_or_default(), path: Path::default() });
    }
    Ok(Inside::Other("other loopback family"))
}

/// Goes through VLAN tags to what the innermost Ethernet type names.
pub(super) fn ether_payload(mut ether_type: u16, mut payload: &[u8], mut path: Path) -> Result<Inside<'_>, Malformed> {
    while matches!(ether_type, ETHER_VLAN | ETHER_SERVICE_VLAN | ETHER_OLD_QINQ) {
        let (tag, inner) = u16_at(payload, 0).zip(u16_at(payload, 2)).ok_or(cut("cut inside a VLAN tag"))?;
        path = path.with(Encapsulation::Vlan(tag & 0x0fff))?;
        ether_type = inner;
        payload = payload.get(4..).unwrap_or_default();
    }
    match ether_type {
        ETHER_IPV4 | ETHER_IPV6 => Ok(Inside::Ip { payload, path }),
        label if ETHER_MPLS.contains(&label) => mpls::stack(payload, path),
        ETHER_PPPOE_SESSION => ppp::session(payload, path),
        length if length < ETHER_SMALLEST_TYPE => llc(payload, path),
        other => Ok(Inside::Other(ether_name(other))),
    }
}

/// 802.2: spanning tree and friends by their service access point, and Ethernet types behind SNAP.
fn llc(payload: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    match payload {
        [0xaa, 0xaa, 3, 0, 0, 0, rest @ ..] => {
            let ether_type = u16_at(rest, 0).ok_or(cut("cut inside the SNAP header"))?;
            // A length in the place of a type would lead back here.
            if ether_type < ETHER_SMALLEST_TYPE {
                return Ok(Inside::Other("other 802.2"));
            }
            match ether_type {
                ETHER_IPV4 | ETHER_IPV6 => Ok(Inside::Ip { payload: rest.get(2..).unwrap_or_default(), path }),
                other => Ok(Inside::Other(ether_name(other))),
            }
        }
        [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, ..] => Ok(Inside::Other("cdp")),
        [0x42, 0x42, ..] => Ok(Inside::Other("stp")),
        [0xfe, 0xfe, ..] => Ok(Inside::Other("is-is")),
        [0xe0, 0xe0, ..] | [0xff, 0xff, ..] => Ok(Inside::Other("ipx")),
        _ => Ok(Inside::Other("other 802.2")),
    }
}

/// What is counted under no name of its own.
const OTHER_ETHERNET: &str = "other ethernet";

fn ether_name(ether_type: u16) -> &'static str {
    match ether_type {
        0x0806 => "arp",
        0x8035 => "rarp",
        0x8137 => "ipx",
        0x8809 => "lacp",
        0x8847 | 0x8848 => "mpls",
        0x8863 => "pppoe discovery",
        ETHER_PPPOE_SESSION => "pppoe",
        0x888e => "eapol",
        0x8892 => "profinet",
        0x8899 => "realtek",
        0x88cc => "lldp",
        0x88e5 => "macsec",
        0x88f7 => "ptp",
        0x8902 => "cfm",
        0x9000 => "ethernet loopback",
        _ => OTHER_ETHERNET,
    }
}
