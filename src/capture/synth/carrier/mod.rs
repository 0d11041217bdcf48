//! Captures as a carrier's tap sees them: many calls with own endpoints, and phones that watch others.
//!
//! Calls are made when their time comes and forgotten when their last packet is out, so memory depends on how many
//! are up at once and not on how long the capture is.

mod call;
mod line;
mod watch;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;

use self::line::Line;
use super::message::Message;
use super::rng::Rng;
use super::rtp::RtpFaults;
use super::schedule::Schedule;
use super::tcp::Side;
use crate::packet::{Endpoint, Transport};
use crate::time::{Elapsed, Timestamp};

/// What kind of capture to make.
#[derive(Clone, Debug)]
pub struct CarrierOptions {
    /// Calls.
    pub calls: u32,
    /// The number of the first call, from which its hosts follow: captures with numbers of their own share none.
    pub first_call: u32,
    /// What carries the signalling: UDP, or TCP with one connection for each call and each watcher.
    pub transport: Transport,
    /// Watched lamps: one SUBSCRIBE each, and NOTIFYs over the whole capture.
    pub subscriptions: u32,
    /// NOTIFYs of each subscription.
    pub notifies: u32,
    /// How long each answered call talks.
    pub talk: Elapsed,
    /// Calls start evenly spread over this time.
    pub spread: Elapsed,
    /// Whether calls carry RTP: two streams of PCMU, one each way.
    pub rtp: bool,
    /// What happens to the RTP.
    pub faults: RtpFaults,
    /// Calls whose INVITE is sent again after 500 ms because the first is lost behind the tap, in 1 of 1,000. None over
    /// TCP, where SIP sends nothing again (RFC 3261, section 17.1.1.2).
    pub retransmit_per_mille: u32,
    /// Calls that are not answered (busy, unknown, given up), in 1 of 1,000.
    pub unanswered_per_mille: u32,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Default for CarrierOptions {
    /// 500 calls of 10 s and 100 subscriptions: about 500,000 packets of 218 bytes, 6,100 of them SIP.
    fn default() -> Self {
        Self {
            calls: 500,
            first_call: 0,
            transport: Transport::Udp,
            subscriptions: 100,
            notifies: 12,
            talk: Elapsed::from_secs(10),
            spread: Elapsed::from_secs(5),
            rtp: true,
            faults: RtpFaults {
                loss_per_mille: 10,
                jitter: Elapsed::from_millis(4),
                reorder_per_mille: 1,
                duplicate_per_mille: 0,
            },
            retransmit_per_mille: 0,
            unanswered_per_mille: 0,
            start: Timestamp::from_parts(1_700_000_000, 0),
            seed: 1,
        }
    }
}

/// What is in a capture, exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Packets.
    pub packets: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Calls.
    pub calls: u64,
    /// Calls that were answered, and ended by BYE.
    pub answered: u64,
    /// Calls that the caller gave up.
    pub cancelled: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Subscriptions, each one Call-ID.
    pub subscriptions: u64,
    /// SIP messages, retransmissions included.
    pub sip_messages: u64,
    /// Requests by method.
    pub requests: BTreeMap<String, u64>,
    /// Responses by status.
    pub responses: BTreeMap<u16, u64>,
    /// SIP messages sent again.
    pub retransmissions: u64,
    /// TCP connections.
    pub tcp_connections: u64,
    /// TCP segments, acknowledgments included.
    pub tcp_segments: u64,
    /// RTP streams.
    pub rtp_streams: u64,
    /// RTP packets in the capture.
    pub rtp_packets: u64,
    /// RTP packets that never arrived.
    pub rtp_lost: u64,
    /// RTP packets that came after a later one.
    pub rtp_reordered: u64,
    /// RTP packets that came twice.
    pub rtp_duplicates: u64,
}

/// Gives the packets of one capture, in order of time.
pub struct Carrier {
    options: CarrierOptions,
    schedule: Schedule,
    rng: Rng,
    truth: Truth,
    /// Calls made so far.
    made: u32,
}

impl Carrier {
    /// Nothing is made before it is asked for.
    pub fn new(options: CarrierOptions) -> Self {
        let rng = Rng::new(options.seed);
        let mut carrier = Self { options, schedule: Schedule::new(), rng, truth: Truth::default(), made: 0 };
        for n in 0..carrier.options.subscriptions {
            watch::subscribe(&mut carrier, n);
        }
        carrier
    }

    /// Puts the next packet into `out`, in place of what was there, and says when it was captured.
    pub fn next_packet(&mut self, out: &mut Vec<u8>) -> Option<Timestamp> {
        while self.made < self.options.calls {
            let start = self.call_start(self.made);
            if self.schedule.next_at().is_some_and(|at| at < start) {
                break;
            }
            call::place(self, self.options.first_call.wrapping_add(self.made), start);
            self.made += 1;
        }
        let at = self.schedule.next_packet(out)?;
        self.truth.packets += 1;
        self.truth.bytes += out.len() as u64;
        Some(at)
    }

    /// What was in the capture; whole once [`Carrier::next_packet`] gave `None`.
    pub fn truth(&self) -> Truth {
        let rtp = self.schedule.rtp();
        Truth {
            rtp_packets: rtp.packets,
            rtp_lost: rtp.lost,
            rtp_reordered: rtp.reordered,
            rtp_duplicates: rtp.duplicates,
            ..self.truth.clone()
        }
    }

    fn call_start(&self, number: u32) -> Timestamp {
        let step = self.options.spread.nanos() / i64::from(self.options.calls.max(1));
        self.options.start.after(Elapsed::from_nanos(step.saturating_mul(i64::from(number))))
    }

    /// Sends a message and counts it. `Client` is the side that began.
    fn send(&mut self, at: Timestamp, line: &mut Line, from: Side, message: &Message) {
        self.truth.sip_messages += 1;
        match message.status() {
            Some(status) => *self.truth.responses.entry(status).or_default() += 1,
            None => *self.truth.requests.entry(message.method().to_owned()).or_default() += 1,
        }
        line.send(self, at, from, message);
    }
}

/// Hosts in a block.
const HOSTS: u32 = 64_770;

/// A host's address: `block` is the first byte after 10; [`HOSTS`] in each block are apart, later ones repeat.
const fn host(block: u8, number: u32) -> Ipv4Addr {
    let number = number % HOSTS;
    Ipv4Addr::new(10, block, (number / 254) as u8, (number % 254) as u8 + 1)
}

fn endpoint(address: Ipv4Addr, port: u16) -> Endpoint {
    Endpoint::new(address.into(), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(options: CarrierOptions) -> (Truth, u64, Timestamp) {
        let mut carrier = Carrier::new(options);
        let mut frame = Vec::new();
        let mut last = Timestamp::from_nanos(0);
        let mut sip = 0;
        while let Some(at) = carrier.next_packet(&mut frame) {
            assert!(at >= last, "packets must come in order of time");
            last = at;
            sip += u64::from(frame.windows(7).any(|w| w == b"SIP/2.0"));
        }
        (carrier.truth(), sip, last)
    }

    #[test]
    fn the_truth_is_what_the_packets_hold() {
        let options = CarrierOptions {
            calls: 40,
            subscriptions: 4,
            talk: Elapsed::from_secs(1),
            retransmit_per_mille: 100,
            unanswered_per_mille: 300,
            ..CarrierOptions::default()
        };
        let (truth, sip, _) = run(options.clone());
        assert_eq!(truth.calls, 40);
        assert_eq!(truth.answered + truth.cancelled + truth.failed, 40);
        assert!(truth.failed > 0 && truth.cancelled > 0 && truth.retransmissions > 0);
        assert_eq!(truth.sip_messages, truth.requests.values().sum::<u64>() + truth.responses.values().sum::<u64>());
        assert_eq!(truth.packets, truth.sip_messages + truth.rtp_packets);
        // Every message here fits one packet, and each names SIP/2.0.
        assert_eq!(truth.sip_messages, sip);
        assert_eq!(truth.rtp_streams, 2 * truth.answered);
        assert_eq!(truth.rtp_packets + truth.rtp_lost, truth.rtp_streams * 50);
        assert_eq!(
            run(options),
            run(CarrierOptions {
                calls: 40,
                subscriptions: 4,
                talk: Elapsed::from_secs(1),
                retransmit_per_mille: 100,
                unanswered_per_mille: 300,
                ..CarrierOptions::default()
            })
        );
    }

    #[test]
    fn the_default_has_6100_messages_and_a_packet_of_218_bytes() {
        // A fifth of the default: the same mix, and quicker.
        let options = CarrierOptions { calls: 100, subscriptions: 20, ..CarrierOptions::default() };
        let (truth, _, _) = run(options);
        assert_eq!(truth.sip_messages, 6_100 / 5);
        assert_eq!(truth.rtp_streams, 200);
        assert!((98_500..100_500).contains(&truth.rtp_packets), "{}", truth.rtp_packets);
        let mean = truth.bytes as f64 / truth.packets as f64;
        assert!((217.0..220.0).contains(&mean), "{mean}");
    }

    #[test]
    fn the_same_calls_go_over_tcp_with_their_messages_whole() {
        let options = CarrierOptions {
            calls: 30,
            subscriptions: 3,
            talk: Elapsed::from_secs(1),
            unanswered_per_mille: 300,
            retransmit_per_mille: 100,
            ..CarrierOptions::default()
        };
        let (udp, _, _) = run(options.clone());
        let options = CarrierOptions { transport: Transport::Tcp, ..options };
        let (tcp, sip, _) = run(options.clone());
        assert!(udp.retransmissions > 0 && tcp.retransmissions == 0);
        assert_eq!(tcp.sip_messages, udp.sip_messages - udp.retransmissions);
        assert_eq!((tcp.answered, tcp.failed, &tcp.responses), (udp.answered, udp.failed, &udp.responses));
        assert_eq!(tcp.tcp_connections, 33);
        assert_eq!(tcp.packets, tcp.tcp_segments + tcp.rtp_packets);
        // Every message here fits one segment.
        assert_eq!(tcp.sip_messages, sip);

        let mut carrier = Carrier::new(options);
        let (mut frame, mut vias) = (Vec::new(), 0);
        while carrier.next_packet(&mut frame).is_some() {
            let text = String::from_utf8_lossy(&frame);
            assert!(!text.contains("SIP/2.0/UDP"));
            vias += u64::from(text.contains("Via: SIP/2.0/TCP"));
            assert!(!text.contains("Contact:") || text.contains(";transport=tcp>"));
        }
        assert_eq!(vias, tcp.sip_messages);
    }
}
