//! Files as other tools leave them: out of order, of mixed link types and lengths, with blocks that hold no packet.

use std::net::IpAddr;
use std::process::Command;

use super::*;

fn numbers(read: &Read) -> Vec<u64> {
    read.packets.iter().map(|(meta, _)| meta.id.number()).collect()
}

/// A pcap with one packet for each time, in ms; each holds its number.
fn pcap_of(millis: &[u32]) -> Vec<u8> {
    let mut file = Pcap::new(Order::Little, MICROS, 1);
    for (number, at) in (1_u32..).zip(millis) {
        file = file.packet(
            1_000 + at / 1_000,
            at % 1_000 * 1_000,
            60,
            &[[0; 56].as_slice(), &number.to_be_bytes()].concat(),
        );
    }
    file.bytes
}

/// The same in pcapng, on one interface.
fn pcapng_of(millis: &[u32]) -> Vec<u8> {
    let mut file = Pcapng::new(Order::Little).interface(1, 0, None);
    for (number, at) in (1_u32..).zip(millis) {
        let ticks = 1_000_000_000 + u64::from(*at) * 1_000;
        file = file.enhanced(0, ticks, 60, &[[0; 56].as_slice(), &number.to_be_bytes()].concat());
    }
    file.bytes
}

/// Ten seconds at 1,000 packets/s; every seventh packet comes up to 0.99 s late, behind at most 990 others.
fn mixed_up() -> Vec<u32> {
    let late = |n: u32| if n.is_multiple_of(7) { n.wrapping_mul(2_654_435_761) % 990 } else { 0 };
    (0..10_000_u32).map(|n| (n + 1_500).saturating_sub(late(n))).collect()
}

#[test]
fn a_file_out_of_order_is_read_in_order_and_keeps_its_numbers() {
    let millis = mixed_up();
    let mut expected: Vec<(u32, u64)> = millis.iter().copied().zip(1..).collect();
    expected.sort();
    let numbered: Vec<u64> = expected.iter().map(|(_, number)| *number).collect();
    for bytes in [pcap_of(&millis), pcapng_of(&millis), gzip(&pcap_of(&millis)), zstd(&pcapng_of(&millis))] {
        let read = read_bytes(&bytes).unwrap();
        assert!(read.nanos().is_sorted());
        assert_eq!(numbers(&read), numbered);
        let kept = |(meta, data): &(PacketMeta, Vec<u8>)| data.ends_with(&(meta.id.number() as u32).to_be_bytes());
        assert!(read.packets.iter().all(kept));
        assert_eq!((read.facts.out_of_order, read.counted, read.truncated, read.warning), (0, 10_000, false, None));
    }
}

#[test]
fn the_last_packets_of_a_file_are_put_in_order_too() {
    for (millis, expected) in [(&[5, 3, 4][..], &[2, 3, 1][..]), (&[7, 7, 6], &[3, 1, 2]), (&[9], &[1])] {
        assert_eq!(numbers(&read_bytes(&pcap_of(millis)).unwrap()), expected);
    }
}

#[test]
fn what_is_out_of_order_by_more_than_the_window_is_told_and_not_lost() {
    let mut millis: Vec<u32> = (0..4_000).map(|n| 10_000 + n).collect();
    millis[2_000] = 1;
    millis[3_999] = 10_100;
    let read = read_bytes(&pcap_of(&millis)).unwrap();
    assert_eq!((read.packets.len(), read.facts.out_of_order, read.truncated), (4_000, 2, false));
    let said = read.facts.disorder().unwrap();
    assert_eq!(said, "packets out of order by more than 2 s or 1024 packets in 2 places");
    assert_eq!(read_bytes(&pcap_of(&[1, 2])).unwrap().facts.disorder(), None);
}

#[test]
fn blocks_without_packets_are_read_past_and_what_they_tell_is_kept() {
    for order in [Order::Little, Order::Big] {
        let option = |code: u16, value: &[u8]| {
            let mut bytes = [order.u16(code), order.u16(value.len() as u16)].concat();
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let interface = |name: &str| {
            [&order.u16(1)[..], &[0; 2], &order.u32(0), &option(2, name.as_bytes()), &option(0, b"")].concat()
        };
        let names = [
            option(1, b"\xC0\x00\x02\x01pbx.example\0"),
            option(2, &[&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8][..], b"phone\0second\0"].concat()),
            option(3, b"\x02\0\0\0\0\x01mac\0"),
            option(1, b"\xC0\x00\x02\x01other\0"),
            option(0, b""),
        ]
        .concat();
        let keys = |kind: u32| [&order.u32(kind)[..], &order.u32(5), b"KEYS\n"].concat();
        let file = Pcapng::new(order)
            .block(10, &keys(0x544c_534b))
            .block(1, &interface("eth0"))
            .enhanced(0, 1, 3, b"one")
            .block(4, &names)
            .block(5, &[0; 12])
            .block(9, b"__REALTIME_TIMESTAMP=1\n")
            .block(0x0bad, &[0, 0, 0x7e, 0xd9, 1, 2, 3, 4])
            .block(0x4000_0bad, &[0, 0, 0x7e, 0xd9])
            .block(10, &keys(0x5747_4b4c))
            .section(order)
            .block(1, &interface("wlan0"))
            .enhanced(0, 2, 3, b"two");
        for bytes in [file.bytes.clone(), gzip(&file.bytes)] {
            let read = read_bytes(&bytes).unwrap();
            assert_eq!(read.data(), [&b"one"[..], b"two"], "{order:?}");
            assert_eq!((read.warning, read.truncated), (None, false));
            let facts = read.facts;
            assert_eq!((facts.key_blocks, facts.has_tls_keys), (2, true));
            let interfaces: Vec<_> = facts.interfaces.iter().map(|(key, name)| (*key, name.as_str())).collect();
            assert_eq!(interfaces, [((0, 0), "eth0"), ((0, 1), "wlan0")]);
            let hosts: Vec<_> = facts.hosts.iter().map(|(ip, name)| (*ip, name.as_str())).collect();
            let [v4, v6] = ["192.0.2.1", "2001:db8::8"].map(|ip| ip.parse::<IpAddr>().unwrap());
            assert_eq!(hosts, [(v4, "pbx.example"), (v6, "phone")]);
        }
    }
}

#[test]
fn names_beyond_the_limits_are_left_out() {
    let order = Order::Big;
    let mut file = Pcapng::new(order).interface(1, 0, None);
    let record = |n: u32, name: &[u8]| {
        let value = [&n.to_be_bytes()[..], name, b"\0"].concat();
        let mut bytes = [&order.u16(1)[..], &order.u16(value.len() as u16), &value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    for block in 0..5_u32 {
        let records: Vec<u8> = (0..1_000).flat_map(|n| record(block * 1_000 + n, b"host")).collect();
        file = file.block(4, &records);
    }
    let file =
        file.block(4, &record(1, &[b'x'; 60_000]).repeat(10)).block(4, b"\0\x01\xff\xff").enhanced(0, 1, 1, b"a");
    let read = read_bytes(&file.bytes).unwrap();
    assert_eq!((read.packets.len(), read.warning, read.facts.hosts.len()), (1, None, 4_096));
    let long = Pcapng::new(order).interface(1, 0, None).block(4, &record(1, &[b'x'; 60_000]));
    let hosts = read_bytes(&long.bytes).unwrap().facts.hosts;
    assert_eq!(hosts.values().map(String::len).collect::<Vec<_>>(), [255]);
}

/// Runs one of Wireshark's tools in a folder; false, with a word on it, where it is not installed.
fn tool(folder: &Path, name: &str, arguments: &[&str]) -> bool {
    match Command::new(name).args(arguments).current_dir(folder).output() {
        Ok(output) => {
            assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(_) => {
            println!("{name} is not installed: nothing was read from it");
            false
        }
    }
}

fn read_in(folder: &Path, name: &str) -> Read {
    read_paths(&[folder.join(name).to_str().unwrap().to_owned()]).unwrap()
}

#[test]
fn files_that_mergecap_and_editcap_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let millis: Vec<u32> = (0..2_000).map(|n| n * 10).collect();
    write(folder, "a.pcap", &pcap_of(&millis));
    let mut cooked = Pcap::new(Order::Big, NANOS, 113);
    for second in 0..20 {
        cooked = cooked.packet(1_000 + second, 5_000_001, 900, &[7; 100]);
    }
    write(folder, "b.pcap", &cooked.bytes);
    write(folder, "keys", b"CLIENT_RANDOM 00 11\n");

    if tool(folder, "mergecap", &["-w", "merged.pcapng", "a.pcap", "b.pcap"]) {
        let read = read_in(folder, "merged.pcapng");
        assert_eq!((read.packets.len(), read.link.as_str()), (2_020, "Ethernet, Linux cooked"));
        assert!(read.nanos().is_sorted() && read.nanos().contains(&1_000_005_000_001));
        assert!(read.packets.iter().all(|(meta, data)| (meta.link == LinkType::ETHERNET) == (data.len() == 60)));
        // One file behind the other, with time back to its start.
        assert!(tool(folder, "mergecap", &["-a", "-w", "appended.pcap", "-F", "pcap", "a.pcap", "a.pcap"]));
        let read = read_in(folder, "appended.pcap");
        assert_eq!((read.packets.len(), read.facts.out_of_order), (4_000, 1));
        assert!(numbers(&read).is_sorted());
    }
    if tool(folder, "editcap", &["-F", "nsecpcap", "-s", "40", "a.pcap", "short.pcap"]) {
        let read = read_in(folder, "short.pcap");
        assert!(read.packets.iter().all(|(meta, data)| (meta.original_len, data.len()) == (60, 40)));
        assert!(tool(folder, "editcap", &["-F", "pcapng", "--inject-secrets", "tls,keys", "a.pcap", "keyed.pcapng"]));
        let read = read_in(folder, "keyed.pcapng");
        assert_eq!((read.packets.len(), read.facts.key_blocks, read.facts.has_tls_keys), (2_000, 1, true));
    }
}

#[test]
fn a_file_out_of_order_is_read_as_reordercap_writes_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    write(folder, "mixed.pcap", &pcap_of(&mixed_up()));
    if tool(folder, "reordercap", &["mixed.pcap", "ordered.pcap"]) {
        let (ours, theirs) = (read_in(folder, "mixed.pcap"), read_in(folder, "ordered.pcap"));
        assert!(ours.nanos() == theirs.nanos() && ours.data() == theirs.data());
    }
}
