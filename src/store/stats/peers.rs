//! What each peer did: the addresses that calls are sent to, or that are asked by OPTIONS.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::limits::STAT_PEERS;
use crate::time::Elapsed;

use super::PeerStat;
use super::delays::Distribution;

/// The counters of one peer.
#[derive(Debug)]
pub struct Peer {
    /// INVITE attempts sent to it.
    pub attempts: u64,
    /// Answered ones.
    pub answered: u64,
    /// Those that the user's side ended.
    pub user_side: u64,
    /// Time talked in ended calls.
    pub talk: Elapsed,
    /// Calls up now.
    pub up: u64,
    /// Messages sent by it or to it.
    pub messages: u64,
    options: Distribution,
}

/// Peers by address; those beyond the limit are not counted one by one.
#[derive(Debug, Default)]
pub struct Peers {
    by_address: HashMap<IpAddr, Peer>,
}

impl Peers {
    /// The peer at this address, made if there is room.
    pub fn at(&mut self, address: IpAddr) -> Option<&mut Peer> {
        if self.by_address.len() >= STAT_PEERS && !self.by_address.contains_key(&address) {
            return None;
        }
        Some(self.by_address.entry(address).or_insert_with(|| Peer {
            attempts: 0,
            answered: 0,
            user_side: 0,
            talk: Elapsed::ZERO,
            up: 0,
            messages: 0,
            options: Distribution::new(1),
        }))
    }

    /// The peer at this address, if it is one.
    pub fn known(&mut self, address: IpAddr) -> Option<&mut Peer> {
        self.by_address.get_mut(&address)
    }

    /// An answered OPTIONS.
    pub fn options(&mut self, address: IpAddr, delay: Elapsed) {
        if let Some(peer) = self.at(address) {
            peer.options.record(delay);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// All of them, busiest first; the address decides between equals.
    pub fn stats(&mut self) -> Vec<PeerStat> {
        let mut stats: Vec<PeerStat> = self
            .by_address
            .iter_mut()
            .map(|(address, peer)| PeerStat {
                address: *address,
                attempts: peer.attempts,
                answered: peer.answered,
                user_side: peer.user_side,
                talk_s: peer.talk.seconds(),
                up: peer.up,
                options: peer.options.delays(),
                messages: peer.messages,
            })
            .collect();
        stats.sort_unstable_by(|a, b| b.messages.cmp(&a.messages).then(a.address.cmp(&b.address)));
        stats
    }
}
