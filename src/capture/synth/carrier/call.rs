//! One call of a carrier capture: two hosts of its own that speak directly with each other.

use super::super::agent::{self, Agent, Dialog};
use super::super::rng::Rng;
use super::super::rtp::{INTERVAL, RtpSender};
use super::super::tcp::Side;
use super::super::wire::Path;
use super::{Carrier, Line, Message, endpoint, host};
use crate::packet::Transport;
use crate::time::{Elapsed, Timestamp};

const CALLER_BLOCK: u8 = 16;
const CALLEE_BLOCK: u8 = 32;

/// A retransmission follows after T1 (RFC 3261, section 17.1.1.2).
const T1: Elapsed = Elapsed::from_millis(500);

/// How the call goes on after its INVITE.
enum Outcome {
    Answered,
    Cancelled,
    Failed(u16, &'static str),
}

struct Call<'c> {
    carrier: &'c mut Carrier,
    rng: Rng,
    caller: Agent,
    callee: Agent,
    line: Line,
    invite: Message,
    tag: String,
}

/// Sends a whole call that starts at `at`.
pub(super) fn place(carrier: &mut Carrier, number: u32, at: Timestamp) {
    let mut rng = carrier.rng.fork();
    let transport = carrier.options.transport;
    let caller = phone(CALLER_BLOCK, number, "1", transport);
    let callee = phone(CALLEE_BLOCK, number, "2", transport);
    let media = endpoint(host(CALLER_BLOCK, number), media_port(number));
    let invite = caller.invite(&callee.contact_uri(), &callee.name(), media, &mut rng);
    let tag = rng.hex(8);
    let outcome = outcome(carrier, &mut rng);
    carrier.truth.calls += 1;
    let (line, at) = Line::open(carrier, Path::new(caller.at, callee.at), number, at);
    let mut call = Call { carrier, rng, caller, callee, line, invite, tag };
    let at = call.invite(at);
    let ringing = call.wait(at, 30, 400);
    let response = call.callee.respond(&call.invite, 180, "Ringing", &call.tag);
    match outcome {
        Outcome::Answered => {
            call.response(ringing, &response);
            call.answer(ringing, media, number);
        }
        Outcome::Cancelled => {
            call.response(ringing, &response);
            call.cancel(ringing);
        }
        Outcome::Failed(status, reason) => call.fail(ringing, status, reason),
    }
    call.line.close(call.carrier);
}

fn outcome(carrier: &mut Carrier, rng: &mut Rng) -> Outcome {
    if !rng.chance(carrier.options.unanswered_per_mille) {
        carrier.truth.answered += 1;
        return Outcome::Answered;
    }
    match rng.below(4) {
        0 => {
            carrier.truth.cancelled += 1;
            Outcome::Cancelled
        }
        n => {
            carrier.truth.failed += 1;
            match n {
                1 => Outcome::Failed(486, "Busy Here"),
                2 => Outcome::Failed(404, "Not Found"),
                _ => Outcome::Failed(503, "Service Unavailable"),
            }
        }
    }
}

fn phone(block: u8, number: u32, prefix: &str, transport: Transport) -> Agent {
    let at = endpoint(host(block, number), 5060);
    Agent {
        user: format!("{prefix}{number:06}"),
        display: String::new(),
        domain: "carrier.example".into(),
        at,
        software: "Softswitch/4.2".into(),
        transport,
    }
}

/// An even port: RTP's own, with RTCP's above it.
const fn media_port(number: u32) -> u16 {
    10_000 + (number % 20_000) as u16 * 2
}

impl Call<'_> {
    fn wait(&mut self, from: Timestamp, low_ms: i64, high_ms: i64) -> Timestamp {
        from.after(Elapsed::from_nanos(self.rng.range(low_ms * 1_000_000, high_ms * 1_000_000) / 1_000 * 1_000))
    }

    fn request(&mut self, at: Timestamp, message: &Message) {
        self.carrier.send(at, &mut self.line, Side::Client, message);
    }

    fn response(&mut self, at: Timestamp, message: &Message) {
        self.carrier.send(at, &mut self.line, Side::Server, message);
    }

    /// INVITE, perhaps twice, and 100; gives the time of the 100.
    fn invite(&mut self, at: Timestamp) -> Timestamp {
        let invite = self.invite.clone();
        self.request(at, &invite);
        let mut arrived = at;
        // Drawn over TCP as well, so that both transports carry the same calls.
        let again = self.rng.chance(self.carrier.options.retransmit_per_mille);
        if again && self.carrier.options.transport == Transport::Udp {
            arrived = at.after(T1);
            self.request(arrived, &invite);
            self.carrier.truth.retransmissions += 1;
        }
        let trying = self.wait(arrived, 1, 5);
        self.response(trying, &invite.reply(100, "Trying", None));
        trying
    }

    fn answer(&mut self, ringing: Timestamp, media: crate::packet::Endpoint, number: u32) {
        let answered = self.wait(ringing, 800, 3_000);
        let far = endpoint(host(CALLEE_BLOCK, number), media_port(number));
        let ok = self.callee.answer(&self.invite, &self.tag, far, &mut self.rng);
        self.response(answered, &ok);
        let acked = self.wait(answered, 2, 20);
        let mut dialog = Dialog::of_caller(&self.invite, &ok);
        let ack = dialog.request("ACK", &self.caller, &mut self.rng);
        self.request(acked, &ack);
        let talk = self.carrier.options.talk;
        if self.carrier.options.rtp {
            let path = Path::new(media, far).with_traffic_class(0xB8);
            for path in [path.reversed(), path] {
                let start = self.wait(acked, 1, 20);
                let packets = (talk.nanos() / INTERVAL.nanos()) as u32;
                let faults = self.carrier.options.faults;
                self.carrier.truth.rtp_streams += 1;
                self.carrier.schedule.stream(RtpSender::new(path, start, packets, faults, self.rng.fork()));
            }
        }
        let over = self.wait(acked.after(talk), 50, 90);
        let bye = dialog.request("BYE", &self.caller, &mut self.rng);
        self.request(over, &bye);
        let done = self.wait(over, 1, 10);
        self.response(done, &bye.reply(200, "OK", None));
    }

    fn fail(&mut self, at: Timestamp, status: u16, reason: &'static str) {
        let failure = self.callee.respond(&self.invite, status, reason, &self.tag);
        self.response(at, &failure);
        let acked = self.wait(at, 1, 5);
        let ack = agent::ack_failure(&self.invite, &failure);
        self.request(acked, &ack);
    }

    fn cancel(&mut self, ringing: Timestamp) {
        let given_up = self.wait(ringing, 1_000, 4_000);
        let cancel = agent::cancel(&self.invite).with("Reason", "SIP;cause=487;text=\"Caller hung up\"");
        self.request(given_up, &cancel);
        let at = self.wait(given_up, 1, 5);
        self.response(at, &cancel.reply(200, "OK", Some(&self.tag.clone())));
        let at = self.wait(at, 1, 5);
        self.fail(at, 487, "Request Terminated");
    }
}
