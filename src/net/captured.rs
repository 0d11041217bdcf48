//! Packets of the captures in the folder `SIPWATCH_CORPUS`, for tests that want real ones.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use crate::packet::LinkType;

/// All files of the corpus; what is no capture has no packets. `None`, and said so, when there is none.
pub(crate) fn corpus() -> Option<Vec<PathBuf>> {
    let Some(root) = std::env::var_os("SIPWATCH_CORPUS") else {
        let _ = writeln!(std::io::stderr(), "skipped 1: SIPWATCH_CORPUS is not set");
        return None;
    };
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the corpus is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Some(found)
}

/// Hands every packet of a pcap or pcapng file to `take`, up to the first thing that is no packet.
pub(crate) fn each_packet(path: &Path, mut take: impl FnMut(LinkType, &[u8])) {
    let file = File::open(path).expect("the capture opens");
    let Ok(mut reader) = create_reader(1 << 20, file) else { return };
    let mut links: Vec<u32> = Vec::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links = vec![header.network.0 as u32],
                    PcapBlockOwned::Legacy(packet) => take(LinkType(links[0] & 0xffff), packet.data),
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        links.push(interface.linktype.0 as u32);
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let data = &packet.data[..packet.caplen as usize];
                        take(LinkType(links[packet.if_id as usize]), data);
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}
