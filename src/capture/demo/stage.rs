//! The cast of the demo, and how they send.

use std::net::Ipv4Addr;

use super::super::synth::rtp::INTERVAL;
use super::super::synth::{Agent, Message, Path, Proxy, Rng, RtpFaults, RtpSender, Schedule};
use crate::packet::{Endpoint, Transport};
use crate::time::{Elapsed, Timestamp};

/// The phone system's domain.
pub(super) const DOMAIN: &str = "pbx.example";

/// Microseconds in a millisecond: times on stage are microseconds since the story's start.
pub(super) const MS: i64 = 1_000;

/// Every this many seconds each side of a call reports what it hears.
const REPORT_SECONDS: i64 = 5;

/// Everything that the scenes share.
pub(super) struct Stage {
    pub(super) schedule: Schedule,
    pub(super) rng: Rng,
    pub(super) pbx: Proxy,
    start: Timestamp,
    next_port: u16,
}

impl Stage {
    pub(super) fn new(start: Timestamp) -> Self {
        let pbx = Proxy { at: endpoint(Ipv4Addr::new(192, 0, 2, 1), 5060) };
        Self { schedule: Schedule::new(), rng: Rng::new(0x51B), pbx, start, next_port: 16_384 }
    }

    /// Sends a message at `us` after the start.
    pub(super) fn send(&mut self, us: i64, from: Endpoint, to: Endpoint, message: &Message) {
        let path = Path::new(from, to).with_traffic_class(0x60);
        self.schedule.sip(self.at(us), &path, message);
    }

    /// `us` and a delay of `low` to `high` ms, to the microsecond.
    pub(super) fn later(&mut self, us: i64, low: i64, high: i64) -> i64 {
        us + self.rng.range(low * MS, high * MS)
    }

    /// A free RTP port on a phone.
    pub(super) fn media(&mut self, agent: &Agent) -> Endpoint {
        self.next_port = self.next_port.wrapping_add(2);
        Endpoint::new(agent.at.ip, self.next_port)
    }

    /// Voice both ways between two media ports, and a report from each side every five seconds.
    pub(super) fn voice(&mut self, from_us: i64, to_us: i64, a: Endpoint, b: Endpoint, faults: RtpFaults) {
        let packets = ((to_us - from_us) * MS / INTERVAL.nanos()).max(0) as u32;
        let path = Path::new(a, b).with_traffic_class(0xB8);
        let [there_at, back_at] = [self.later(from_us, 5, 30), self.later(from_us, 5, 30)];
        let [there_rng, back_rng] = [self.rng.fork(), self.rng.fork()];
        let there = RtpSender::new(path.clone(), self.at(there_at), packets, faults, there_rng);
        let back = RtpSender::new(path.reversed(), self.at(back_at), packets, faults, back_rng);
        let mut due = from_us + REPORT_SECONDS * 1_000 * MS;
        while due < to_us {
            for (sender, heard) in [(&there, &back), (&back, &there)] {
                let us = self.later(due, -400, 400);
                let at = self.at(us);
                let report = sender.report(at, Some(heard.block(at)));
                self.schedule.udp(at, &sender.rtcp_path(), &report);
            }
            due += REPORT_SECONDS * 1_000 * MS;
        }
        self.schedule.stream(there);
        self.schedule.stream(back);
    }

    const fn at(&self, us: i64) -> Timestamp {
        self.start.after(Elapsed::from_nanos(us * 1_000))
    }
}

/// A desk phone of the system; its address ends with its number less 100.
pub(super) fn phone(number: u8, display: &str) -> Agent {
    let software = if number.is_multiple_of(2) { "Deskphone 540/4.1.2" } else { "Softphone/2.9.0" };
    Agent {
        user: number.to_string(),
        display: display.into(),
        domain: DOMAIN.into(),
        at: endpoint(Ipv4Addr::new(192, 0, 2, number - 100), 5060),
        software: software.into(),
        transport: Transport::Udp,
    }
}

/// The carrier's gateway, calling for a number outside.
pub(super) fn trunk(number: &str) -> Agent {
    Agent {
        user: number.into(),
        display: String::new(),
        domain: "carrier.example".into(),
        at: endpoint(Ipv4Addr::new(198, 51, 100, 10), 5060),
        software: "Gateway/11.2".into(),
        transport: Transport::Udp,
    }
}

/// The phone system where it speaks for itself, as `user`.
pub(super) fn system(user: &str) -> Agent {
    Agent {
        user: user.into(),
        display: String::new(),
        domain: DOMAIN.into(),
        at: endpoint(Ipv4Addr::new(192, 0, 2, 1), 5060),
        software: "PBX/7.3".into(),
        transport: Transport::Udp,
    }
}

/// An office network: a little jitter, and `loss_per_mille` of the packets gone.
pub(super) const fn network(loss_per_mille: u32, jitter_ms: i64) -> RtpFaults {
    RtpFaults { loss_per_mille, jitter: Elapsed::from_millis(jitter_ms), reorder_per_mille: 1, duplicate_per_mille: 0 }
}

fn endpoint(address: Ipv4Addr, port: u16) -> Endpoint {
    Endpoint::new(address.into(), port)
}
