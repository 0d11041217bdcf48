//! A call with its streams as a capture, and the truth about it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::rng::Rng;
use super::super::schedule::Schedule;
use super::super::wire::{self, Path};
use super::reports::{FAR, NEAR, Protection, REPORTED, Side, scramble, tag};
use super::{Arrival, CallPlan, Stream, StreamPlan, StreamTruth, scenes};
use crate::time::{Elapsed, Timestamp};

/// From the last packet of media to the BYE.
const HANG_UP: Elapsed = Elapsed::from_millis(400);

/// A STUN request comes so long before the packet that follows it.
const STUN_AHEAD: Elapsed = Elapsed::from_nanos(-1_000_000);

/// What every report block of a scene with RTCP says, and its round trips.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reported {
    /// Lost since the last report, in 1 of 256.
    pub fraction_lost: u8,
    /// Lost in all.
    pub cumulative_lost: u32,
    /// Highest sequence number.
    pub highest_sequence: u32,
    /// Jitter in clock units.
    pub jitter: u32,
    /// From the place of capture to the caller and back, to 0.02 ms.
    pub caller_part_ms: f64,
    /// From the place of capture to the callee and back, to 0.02 ms.
    pub callee_part_ms: f64,
    /// Whether only senders and times can be read.
    pub encrypted: bool,
}

/// What is in a scene.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SceneTruth {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Call-ID of its one call.
    pub call_id: String,
    /// Packets of all kinds.
    pub packets: u64,
    /// SIP messages.
    pub sip_messages: u64,
    /// RTCP datagrams by SSRC of their sender.
    pub rtcp_packets: BTreeMap<u32, u64>,
    /// STUN datagrams.
    pub stun_packets: u64,
    /// What RTCP says, where there is any.
    pub reported: Option<Reported>,
    /// The streams in the order in which they were planned: the caller's first.
    pub streams: Vec<StreamTruth>,
}

/// Packets of a scene in order of time.
pub struct Scene {
    schedule: Schedule,
    truth: SceneTruth,
    rng: Rng,
    ip_id: u16,
}

impl Scene {
    /// The scene of that name (one of [`super::names`]), its INVITE at `start`.
    pub fn named(name: &str, start: Timestamp, seed: u64) -> Option<Self> {
        let plan = scenes::plan(name, start, seed)?;
        Some(Self::of(name, super::describe(name).unwrap_or_default(), &plan))
    }

    /// A scene of one's own.
    pub fn of(name: &str, about: &str, plan: &CallPlan) -> Self {
        let mut scene = Self {
            schedule: Schedule::new(),
            truth: SceneTruth {
                name: name.to_owned(),
                about: about.to_owned(),
                call_id: String::new(),
                packets: 0,
                sip_messages: 0,
                rtcp_packets: BTreeMap::new(),
                stun_packets: 0,
                reported: None,
                streams: Vec::new(),
            },
            rng: Rng::new(plan.seed),
            ip_id: 0,
        };
        let mut end = plan.start;
        for stream in &plan.streams {
            end = end.max(scene.stream(plan, stream));
        }
        scene.reports(plan, end);
        let (call_id, messages) = plan.signal(end.after(HANG_UP), &mut scene.rng, &mut scene.schedule);
        (scene.truth.call_id, scene.truth.sip_messages) = (call_id, messages);
        scene
    }

    /// Puts the next packet into `out`, in place of what was there, and says when it is captured.
    pub fn next_packet(&mut self, out: &mut Vec<u8>) -> Option<Timestamp> {
        let at = self.schedule.next_packet(out)?;
        self.truth.packets += 1;
        Some(at)
    }

    /// What is in the scene; whole once [`Scene::next_packet`] gave `None`.
    pub const fn truth(&self) -> &SceneTruth {
        &self.truth
    }

    /// Sends a stream; gives the time of its last packet.
    fn stream(&mut self, plan: &CallPlan, stream: &StreamPlan) -> Timestamp {
        let made = Stream::make(stream);
        let is_encrypted = plan.reports.is_some_and(|reports| reports.protection == Protection::Srtcp);
        for (n, Arrival { at, packet }) in made.arrivals.iter().enumerate() {
            if plan.stun_every.is_some_and(|every| n % every == 0) {
                let request = self.stun_request();
                self.udp(at.after(STUN_AHEAD), &stream.path, &request);
                self.truth.stun_packets += 1;
            }
            let mut octets = stream.datagram(packet);
            if is_encrypted {
                scramble(&mut octets, 12, &mut self.rng);
                tag(&mut octets, &mut self.rng);
            }
            self.udp(*at, &stream.path, &octets);
        }
        self.truth.streams.push(made.truth);
        made.arrivals.last().map_or(stream.start, |last| last.at)
    }

    fn stun_request(&mut self) -> Vec<u8> {
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
        request.extend((0..12).map(|_| self.rng.next_u64() as u8));
        request
    }

    fn reports(&mut self, plan: &CallPlan, end: Timestamp) {
        let (Some(reports), Some(first)) = (plan.reports, plan.streams.first()) else { return };
        let back = plan.streams.iter().find(|stream| stream.path.src == first.path.dst);
        let back_path = first.path.reversed();
        // One that only listens needs an SSRC, too.
        let callee = back.map_or(0x5EED_0002, |stream| stream.ssrc);
        let sides = [
            Side { path: &first.path, ssrc: first.ssrc, sends: true, receives: back.map(|stream| stream.ssrc) },
            Side { path: &back_path, ssrc: callee, sends: back.is_some(), receives: Some(first.ssrc) },
        ];
        for report in reports.all(first.start, end, sides, &mut self.rng) {
            let sender = report.octets.get(4..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
            *self.truth.rtcp_packets.entry(u32::from_be_bytes(sender)).or_default() += 1;
            self.udp(report.at, &report.path, &report.octets);
        }
        self.truth.reported = Some(Reported {
            fraction_lost: REPORTED.fraction,
            cumulative_lost: REPORTED.lost,
            highest_sequence: REPORTED.highest,
            jitter: REPORTED.jitter,
            caller_part_ms: NEAR.millis(),
            callee_part_ms: FAR.millis(),
            encrypted: reports.protection == Protection::Srtcp,
        });
    }

    fn udp(&mut self, at: Timestamp, path: &Path, payload: &[u8]) {
        let mut frame = Vec::with_capacity(64 + payload.len());
        self.ip_id = self.ip_id.wrapping_add(1).max(1);
        wire::udp(path, self.ip_id, payload, &mut frame);
        self.schedule.frame(at, frame);
    }
}
