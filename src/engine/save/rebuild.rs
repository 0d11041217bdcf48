//! Packets made again from messages. A message is remembered much longer than the packet that carried it, and a call
//! without its INVITE is of little use.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::capture::save::{Format, REBUILT_INTERFACE};
use crate::capture::synth::{Path, wire};
use crate::engine::recent::Chunks;
use crate::packet::{Batch, LinkType, PacketId, PacketMeta, Transport};
use crate::track::call::Call;
use crate::track::message::Message;

/// Octets of an Ethernet header.
const ETHERNET: usize = 14;

/// Packets made again.
#[derive(Debug, Default)]
pub(super) struct Rebuilt {
    /// The packets, in order of time, each with the number of the last one that it stands for.
    pub packets: Chunks,
    /// How many.
    pub count: u64,
    /// The packets that they stand for: what is still there of them, as a fragment, is not wanted any more.
    pub replaced: HashSet<PacketId>,
}

/// Makes packets of those messages of the wanted calls that came by UDP and are not all among the packets kept. What came
/// in a stream cannot be put back into it.
pub(super) fn rebuild(format: Format, calls: &[Arc<Call>], kept: &[Chunks]) -> Rebuilt {
    let mut out = Rebuilt::default();
    let mut ids: HashSet<PacketId> = HashSet::new();
    let mut links: HashMap<u16, LinkType> = HashMap::new();
    for packet in kept.iter().flatten().flat_map(|chunk| chunk.iter()) {
        ids.insert(packet.meta.id);
        links.insert(packet.meta.id.source(), packet.meta.link);
    }
    let messages = calls.iter().flat_map(|call| call.messages.iter());
    let is_gone = |message: &&Arc<Message>| {
        message.transport == Transport::Udp && !message.packets.iter().all(|id| ids.contains(id))
    };
    let mut gone: Vec<&Arc<Message>> = messages.filter(is_gone).collect();
    gone.sort_by_key(|message| (message.at, message.packets.last().copied()));
    let (mut batch, mut frame) = (Batch::new(), Vec::new());
    for message in gone {
        let Some(id) = message.packets.last() else { continue };
        let known = links.get(&id.source()).copied().unwrap_or(LinkType::ETHERNET);
        frame.clear();
        wire::udp(&Path::new(message.flow.src, message.flow.dst), 0, message.sip.bytes(), &mut frame);
        let link = match relink(known, &mut frame) {
            true => known,
            // Only pcapng may hold another link type than that of the packets around.
            false if format == Format::Pcap => continue,
            false => LinkType::ETHERNET,
        };
        let original_len = frame.len() as u32;
        batch.push(PacketMeta { id: *id, at: message.at, interface: REBUILT_INTERFACE, link, original_len }, &frame);
        out.replaced.extend(message.packets.iter().copied());
        out.count += 1;
        if batch.is_full() {
            out.packets.push(Arc::new(std::mem::take(&mut batch)));
        }
    }
    out.packets.push(Arc::new(batch));
    out
}

/// Gives an Ethernet frame the header of another link type. False where that is not known here.
fn relink(link: LinkType, frame: &mut Vec<u8>) -> bool {
    let kind: Vec<u8> = frame.get(ETHERNET - 2..ETHERNET).unwrap_or_default().to_vec();
    let header: Vec<u8> = match link {
        LinkType::ETHERNET => return true,
        LinkType::RAW | LinkType::DLT_RAW_BSD | LinkType::DLT_RAW_OPENBSD => Vec::new(),
        // To us, from an Ethernet card with an address of six octets.
        LinkType::LINUX_SLL => [&[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], kind.as_slice()].concat(),
        LinkType::LINUX_SLL2 => [kind.as_slice(), &[0, 0, 0, 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
        _ => return false,
    };
    frame.splice(..ETHERNET.min(frame.len()), header);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Opened, open};
    use crate::packet::Endpoint;

    #[test]
    fn a_packet_is_the_same_on_every_link() {
        let ends = [1, 2].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
        let six =
            [1, 2].map(|last| Endpoint::new(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into(), 5060));
        for [src, dst] in [ends, six] {
            let mut ethernet = Vec::new();
            wire::udp(&Path::new(src, dst), 0, b"OPTIONS", &mut ethernet);
            for link in [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL, LinkType::LINUX_SLL2] {
                let mut frame = ethernet.clone();
                assert!(relink(link, &mut frame));
                let Ok(Opened::Ip(opened)) = open(link, &frame) else { panic!("{link:?}") };
                assert_eq!((opened.src, opened.dst), (src.ip, dst.ip));
                assert_eq!(opened.payload, &ethernet[ethernet.len() - 15..]);
            }
            assert!(!relink(LinkType::NULL, &mut ethernet));
        }
    }
}
