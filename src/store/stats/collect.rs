//! Counts while messages come, so that nothing has to be searched when the statistics are shown.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::limits::STAT_NAMES;
use crate::packet::Transport;
use crate::sip::Method;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, CallKind, CallState};
use crate::track::reading::Reading;
use crate::track::sample::Sample;

use super::delays::Distribution;
use super::peers::Peers;
use super::rate::Rate;
use super::wireshark::Wireshark;
use super::{RequestStat, Stats};

/// How an INVITE attempt has come out, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Result {
    /// Nothing yet, or a failure of the network or the called server.
    #[default]
    Open,
    /// A 2xx.
    Answered,
    /// Busy, not answered, cancelled, declined.
    UserSide,
}

/// What of a call is in the counters now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    attempts: u32,
    result: Result,
    up: bool,
    setup: bool,
    talk: Option<Elapsed>,
}

#[derive(Debug)]
struct Requests {
    count: u64,
    retransmissions: u64,
    response: Distribution,
}

/// The running statistics.
#[derive(Debug)]
pub struct Collector {
    messages: u64,
    retransmissions: u64,
    transports: [u64; Transport::ALL.len()],
    requests: BTreeMap<Method, Requests>,
    responses: BTreeMap<u64, (u64, u64)>,
    unnamed: u64,
    pdd: Distribution,
    setup: Distribution,
    ring: Distribution,
    auth: Distribution,
    registration: Distribution,
    release: Distribution,
    attempts: u64,
    answered: u64,
    user_side: u64,
    talk: Elapsed,
    talked: u64,
    up: u64,
    in_setup: u64,
    message_rate: Rate,
    call_rate: Rate,
    packet_rate: Rate,
    /// RTP packets recognised.
    pub rtp_packets: u64,
    /// RTCP packets recognised.
    pub rtcp_packets: u64,
    peers: Peers,
    wireshark: Wireshark,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            messages: 0,
            retransmissions: 0,
            transports: [0; Transport::ALL.len()],
            requests: BTreeMap::new(),
            responses: BTreeMap::new(),
            unnamed: 0,
            pdd: Distribution::new(3),
            setup: Distribution::new(3),
            ring: Distribution::new(3),
            auth: Distribution::new(3),
            registration: Distribution::new(3),
            release: Distribution::new(3),
            attempts: 0,
            answered: 0,
            user_side: 0,
            talk: Elapsed::ZERO,
            talked: 0,
            up: 0,
            in_setup: 0,
            message_rate: Rate::default(),
            call_rate: Rate::default(),
            packet_rate: Rate::default(),
            rtp_packets: 0,
            rtcp_packets: 0,
            peers: Peers::default(),
            wireshark: Wireshark::default(),
        }
    }
}

impl Collector {
    /// Counts a message as such.
    pub fn message(&mut self, reading: &Reading<'_>, is_repeat: bool) {
        self.messages += 1;
        self.retransmissions += u64::from(is_repeat);
        let place = Transport::ALL.iter().position(|transport| *transport == reading.transport);
        if let Some(count) = place.and_then(|place| self.transports.get_mut(place)) {
            *count += 1;
        }
        match reading.status {
            None => self.request(&reading.method, is_repeat),
            Some(status) => self.response(status, is_repeat),
        }
        self.message_rate.count(reading.at, 1);
        self.wireshark.apply(reading);
        for ip in [reading.flow.src.ip, reading.flow.dst.ip] {
            if let Some(peer) = self.peers.known(ip) {
                peer.messages += 1;
            }
        }
    }

    fn request(&mut self, method: &Method, is_repeat: bool) {
        if !self.requests.contains_key(method) {
            if self.requests.len() >= STAT_NAMES {
                self.unnamed += 1;
                return;
            }
            let new = Requests { count: 0, retransmissions: 0, response: Distribution::new(2) };
            self.requests.insert(method.clone(), new);
        }
        if let Some(requests) = self.requests.get_mut(method) {
            requests.count += 1;
            requests.retransmissions += u64::from(is_repeat);
        }
    }

    fn response(&mut self, status: u64, is_repeat: bool) {
        if self.responses.len() >= STAT_NAMES && !self.responses.contains_key(&status) {
            self.unnamed += 1;
            return;
        }
        let counts = self.responses.entry(status).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_repeat);
    }

    /// Counts a delay. `server` is who answered.
    pub fn sample(&mut self, sample: &Sample, server: IpAddr) {
        match sample {
            Sample::Pdd(delay) => self.pdd.record(*delay),
            Sample::Setup(delay) => self.setup.record(*delay),
            Sample::Ring(delay) => self.ring.record(*delay),
            Sample::Auth(delay) => self.auth.record(*delay),
            Sample::Registration(delay) => self.registration.record(*delay),
            Sample::Release(delay) => self.release.record(*delay),
            Sample::Response(method, delay) => {
                if let Some(requests) = self.requests.get_mut(method) {
                    requests.response.record(*delay);
                }
                if *method == Method::Options {
                    self.peers.options(server, *delay);
                }
            }
        }
    }

    /// Brings the counters up to what a call is now. `attempts` are the INVITE attempts it has made.
    pub fn call(&mut self, call: &Call, attempts: u32, counted: &mut Counted, now: Timestamp) {
        let is_invite = call.kind == CallKind::Invite;
        let is = Counted {
            attempts,
            result: result(call),
            up: is_invite && matches!(call.state, CallState::Answered | CallState::InCall),
            setup: is_invite && matches!(call.state, CallState::Setup | CallState::Ringing),
            talk: if call.state == CallState::Completed { call.talk(now) } else { None },
        };
        if is == *counted {
            return;
        }
        let was = std::mem::replace(counted, is);
        if is.attempts > was.attempts {
            let new = u64::from(is.attempts - was.attempts);
            self.attempts += new;
            self.call_rate.count(now, u32::try_from(new).unwrap_or(u32::MAX));
            if let Some(peer) = self.peers.at(call.dst.ip) {
                peer.attempts += new;
                peer.messages += u64::from(peer.messages == 0);
            }
        }
        // What an earlier attempt with the same Call-ID came to stays counted.
        let was_result = if is.attempts > was.attempts { Result::Open } else { was.result };
        let was_talk = if is.attempts > was.attempts { None } else { was.talk };
        let is_talk = is.talk;
        step(&mut self.up, was.up, is.up);
        step(&mut self.in_setup, was.setup, is.setup);
        self.talk = add(self.talk, is_talk, was_talk);
        step(&mut self.talked, was_talk.is_some(), is_talk.is_some());
        if is.attempts == 0 {
            return;
        }
        step(&mut self.answered, was_result == Result::Answered, is.result == Result::Answered);
        step(&mut self.user_side, was_result == Result::UserSide, is.result == Result::UserSide);
        if let Some(peer) = self.peers.known(call.dst.ip) {
            step(&mut peer.up, was.up, is.up);
            step(&mut peer.answered, was_result == Result::Answered, is.result == Result::Answered);
            step(&mut peer.user_side, was_result == Result::UserSide, is.result == Result::UserSide);
            peer.talk = add(peer.talk, is_talk, was_talk);
        }
    }

    /// A call leaves the table: it is no longer up or in setup. What it came to stays counted.
    pub fn forget(&mut self, call: &Call, counted: &Counted) {
        step(&mut self.up, counted.up, false);
        step(&mut self.in_setup, counted.setup, false);
        if counted.attempts > 0
            && let Some(peer) = self.peers.known(call.dst.ip)
        {
            step(&mut peer.up, counted.up, false);
        }
    }

    /// Counts packets of any kind.
    pub fn packets(&mut self, at: Timestamp, packets: u64) {
        self.packet_rate.count(at, u32::try_from(packets).unwrap_or(u32::MAX));
    }

    /// Peers that are counted one by one.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Everything, as of `now`.
    pub fn stats(&mut self, now: Option<Timestamp>) -> Stats {
        if let Some(now) = now {
            for rate in [&mut self.message_rate, &mut self.call_rate, &mut self.packet_rate] {
                rate.advance(now);
            }
        }
        let requests = self.requests.iter_mut().map(|(method, requests)| {
            let Requests { count, retransmissions, response } = requests;
            let stat = RequestStat { count: *count, retransmissions: *retransmissions, response: response.delays() };
            (method.clone(), stat)
        });
        Stats {
            messages: self.messages,
            retransmissions: self.retransmissions,
            transports: self.transports,
            requests: requests.collect(),
            responses: self.responses.clone(),
            unnamed: self.unnamed,
            pdd: self.pdd.delays(),
            setup: self.setup.delays(),
            ring: self.ring.delays(),
            auth: self.auth.delays(),
            registration: self.registration.delays(),
            release: self.release.delays(),
            attempts: self.attempts,
            answered: self.answered,
            user_side: self.user_side,
            talk_s: self.talk.seconds(),
            talked: self.talked,
            calls_up: self.up,
            calls_setup: self.in_setup,
            message_rate: self.message_rate.seconds(),
            call_rate: self.call_rate.seconds(),
            packet_rate: self.packet_rate.seconds(),
            rtp_packets: self.rtp_packets,
            rtcp_packets: self.rtcp_packets,
            peers: self.peers.stats(),
            wireshark: self.wireshark.stat(),
        }
    }
}

/// What counts for the network effectiveness ratio as the user's side (ITU-T E.425): busy, no answer, declined, cancelled.
fn result(call: &Call) -> Result {
    if call.timing.answered.is_some() {
        return Result::Answered;
    }
    match (call.state, call.status) {
        (CallState::Cancelled, _) => Result::UserSide,
        (CallState::Failed, Some(480 | 486 | 600 | 603)) => Result::UserSide,
        (CallState::Failed, Some(408)) | (CallState::Timeout, _) if call.timing.pdd_status.is_some_and(|s| s < 200) => {
            Result::UserSide
        }
        _ => Result::Open,
    }
}

fn step(counter: &mut u64, was: bool, is: bool) {
    match (was, is) {
        (false, true) => *counter += 1,
        (true, false) => *counter = counter.saturating_sub(1),
        _ => {}
    }
}

fn add(sum: Elapsed, plus: Option<Elapsed>, minus: Option<Elapsed>) -> Elapsed {
    let nanos = |elapsed: Option<Elapsed>| elapsed.map_or(0, Elapsed::nanos);
    Elapsed::from_nanos(sum.nanos().saturating_add(nanos(plus)).saturating_sub(nanos(minus)))
}
