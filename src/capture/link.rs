//! Link types by name.

use crate::packet::LinkType;

/// The name of a link type for the screen, its number where it has none here.
pub fn link_name(link: LinkType) -> String {
    let name = match link {
        LinkType::ETHERNET => "Ethernet",
        LinkType::NULL => "BSD loopback",
        LinkType::LOOP => "OpenBSD loopback",
        LinkType::RAW | LinkType::DLT_RAW_BSD | LinkType::DLT_RAW_OPENBSD => "raw IP",
        LinkType::IPV4 => "raw IPv4",
        LinkType::IPV6 => "raw IPv6",
        LinkType::LINUX_SLL => "Linux cooked",
        LinkType::LINUX_SLL2 => "Linux cooked v2",
        LinkType(number) => return format!("link type {number}"),
    };
    name.to_owned()
}
