//! Statistics over all that was seen, as the Stats tab and `--report sip` show them.

pub mod collect;
pub mod delays;
pub mod peers;
pub mod rate;
pub mod wireshark;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::sip::Method;

/// A distribution of delays, in milliseconds. Percentiles never exceed the maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Delays {
    /// How many were measured; the others mean nothing when it is 0.
    pub count: u64,
    /// Smallest.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Largest.
    pub max: f64,
}

/// Requests of one method.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RequestStat {
    /// All of them, retransmissions included.
    pub count: u64,
    /// Retransmissions among them.
    pub retransmissions: u64,
    /// Request to first final response of the same branch.
    pub response: Delays,
}

/// Wireshark's `sip,stat` numbers, by its definitions (UDP only).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WiresharkStat {
    /// SIP messages.
    pub messages: u64,
    /// "Resent" messages.
    pub resent: u64,
    /// Average, smallest and largest setup time in whole ms; zeros when there was none.
    pub setup_ms: (u64, u64, u64),
}

/// One peer: an address that calls are sent to, or that is asked by OPTIONS.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerStat {
    /// Its address.
    pub address: IpAddr,
    /// INVITE attempts sent to it; challenged attempts count once.
    pub attempts: u64,
    /// Answered by a 2xx.
    pub answered: u64,
    /// Busy, not answered, cancelled, or declined by the user: the network did its part.
    pub user_side: u64,
    /// Seconds talked in ended calls.
    pub talk_s: f64,
    /// Calls up now.
    pub up: u64,
    /// OPTIONS round trip.
    pub options: Delays,
    /// Messages sent by it or to it.
    pub messages: u64,
}

/// Everything counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// SIP messages.
    pub messages: u64,
    /// Retransmissions among them.
    pub retransmissions: u64,
    /// Messages by transport, in the order of [`crate::packet::Transport::ALL`].
    pub transports: [u64; crate::packet::Transport::ALL.len()],
    /// Requests by method.
    pub requests: BTreeMap<Method, RequestStat>,
    /// Responses by status: count and retransmissions.
    pub responses: BTreeMap<u64, (u64, u64)>,
    /// Messages not counted by name, because there were too many names.
    pub unnamed: u64,
    /// Post-dial delay.
    pub pdd: Delays,
    /// Setup time.
    pub setup: Delays,
    /// Ring time.
    pub ring: Delays,
    /// Time spent on challenges.
    pub auth: Delays,
    /// REGISTER without challenge to its 2xx.
    pub registration: Delays,
    /// BYE to its 2xx.
    pub release: Delays,
    /// INVITE attempts, answered, and ended by the user's side (for ASR and NER), with talk time.
    pub attempts: u64,
    /// Answered attempts.
    pub answered: u64,
    /// Busy, not answered, cancelled or declined.
    pub user_side: u64,
    /// Seconds talked in ended calls.
    pub talk_s: f64,
    /// Answered calls that ended: what [`Stats::talk_s`] is shared by.
    pub talked: u64,
    /// Calls up now (answered or in call).
    pub calls_up: u64,
    /// Calls being set up now.
    pub calls_setup: u64,
    /// SIP messages in each of the last 60 whole seconds, newest last.
    pub message_rate: Vec<u32>,
    /// INVITE attempts begun in each of the last 60 whole seconds, newest last.
    pub call_rate: Vec<u32>,
    /// Packets in each of the last 60 whole seconds, newest last.
    pub packet_rate: Vec<u32>,
    /// RTP packets recognised.
    pub rtp_packets: u64,
    /// RTCP packets recognised.
    pub rtcp_packets: u64,
    /// Peers, busiest first.
    pub peers: Vec<PeerStat>,
    /// The same by Wireshark's definitions.
    pub wireshark: WiresharkStat,
}
