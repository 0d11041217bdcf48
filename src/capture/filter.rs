//! The capture filter: BPF words, widened so that it does not cut messages apart.
//!
//! A filter for ports sees only the first fragment of a large message, since the later ones have no ports; and one
//! written for plain Ethernet sees no VLAN-tagged packet. So both are let through in addition to what was asked for.

/// Later fragments of IPv4, and all fragments of IPv6 (protocol 44).
const FRAGMENTS: &str = "(ip[6:2] & 0x1fff != 0) or (ip6 proto 44)";

/// Keywords that move the offsets of everything behind them.
const SHIFTING: [&str; 4] = ["vlan", "mpls", "pppoes", "geneve"];

/// Ways to widen a filter, the widest first, for link types that do not know them all.
pub(super) fn widened(filter: &str) -> Vec<String> {
    let filter = filter.trim();
    if filter.is_empty() {
        return Vec::new();
    }
    if shifts(filter) {
        // Before and after the shift: fragments on plain links, and behind the tags that the filter names.
        return vec![format!("{FRAGMENTS} or ({filter}) or {FRAGMENTS}"), filter.to_owned()];
    }
    let plain = format!("({filter}) or {FRAGMENTS}");
    // `vlan` moves the offsets for the rest of the expression, so the tagged part must stand last.
    vec![format!("{plain} or (vlan and ({plain}))"), plain, filter.to_owned()]
}

fn shifts(filter: &str) -> bool {
    filter.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SHIFTING.contains(&word))
}

#[cfg(test)]
mod tests {
    use pcap::{BpfProgram, Capture, Linktype};

    use super::*;

    fn compiled(link: i32, filter: &str) -> BpfProgram {
        Capture::dead(Linktype(link)).unwrap().compile(filter, true).unwrap()
    }

    fn ipv4(fragment: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 1]);
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(payload);
        packet
    }

    fn udp(port: u16) -> Vec<u8> {
        [&port.to_be_bytes()[..], &port.to_be_bytes(), &[0, 12, 0, 0], b"body"].concat()
    }

    fn ipv6_fragment() -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 16, 44, 64];
        packet.extend([0xfe; 32]);
        packet.extend([17, 0, 0, 9, 0, 0, 0, 1]);
        packet.extend(b"a piece!");
        packet
    }

    fn ethernet(tags: &[u16], ether_type: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        for tag in tags {
            frame.extend([tag.to_be_bytes(), [0, 5]].concat());
        }
        frame.extend(ether_type.to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn ports_fragments_and_tagged_packets_pass_and_nothing_else() {
        let program = compiled(1, &widened("udp port 5060")[0]);
        let wanted = [
            (0x0800, ipv4(0, 17, &udp(5060))),
            (0x0800, ipv4(0x2000, 17, &udp(5060))),
            (0x0800, ipv4(0x20b9, 17, b"later piece")),
            (0x86dd, ipv6_fragment()),
        ];
        let unwanted = [
            (0x0800, ipv4(0, 17, &udp(53))),
            (0x0800, ipv4(0x2000, 17, &udp(53))),
            (0x0800, ipv4(0, 6, &[0; 20])),
            (0x0806, vec![0xff; 28]),
        ];
        for tags in [&[][..], &[0x8100], &[0x88a8]] {
            for (ether_type, packet) in &wanted {
                assert!(program.filter(&ethernet(tags, *ether_type, packet)), "{tags:x?} {packet:x?}");
            }
            for (ether_type, packet) in &unwanted {
                assert!(!program.filter(&ethernet(tags, *ether_type, packet)), "{tags:x?} {packet:x?}");
            }
        }
    }

    #[test]
    fn a_filter_for_one_vlan_keeps_its_meaning() {
        let widened = widened("vlan 5 and udp port 5060");
        let program = compiled(1, &widened[0]);
        assert!(program.filter(&ethernet(&[0x8100], 0x0800, &ipv4(0, 17, &udp(5060)))));
        assert!(program.filter(&ethernet(&[0x8100], 0x0800, &ipv4(0x20b9, 17, b"later piece"))));
        assert!(!program.filter(&ethernet(&[], 0x0800, &ipv4(0, 17, &udp(5060)))));
        assert!(!program.filter(&ethernet(&[0x8100], 0x0800, &ipv4(0, 17, &udp(53)))));
    }

    #[test]
    fn some_widening_compiles_on_every_link_type() {
        for link in [0, 1, 12, 108, 113, 276] {
            let capture = Capture::dead(Linktype(link)).unwrap();
            let forms = widened("host 10.0.0.1 or udp portrange 5060-5070");
            let compiles = forms.iter().position(|form| capture.compile(form, true).is_ok());
            assert!(compiles.is_some_and(|form| form < 2), "link type {link}: {compiles:?}");
        }
    }

    #[test]
    fn no_filter_stays_none() {
        assert!(widened("").is_empty() && widened("  ").is_empty());
    }
}
