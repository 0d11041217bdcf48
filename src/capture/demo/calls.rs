//! Calls through the phone system: each a scene of INVITE, what came of it, and the end.

use super::super::synth::{Agent, Dialog, Message, RtpFaults, agent};
use super::stage::{MS, Stage};
use crate::packet::Endpoint;

/// A retransmission follows after T1 (RFC 3261, section 17.1.1.2).
const T1: i64 = 500 * MS;

/// Who is called, by whom, and with what extras.
pub(super) struct Plan<'a> {
    pub(super) at: i64,
    pub(super) caller: &'a Agent,
    /// What the caller dialled.
    pub(super) dialled: &'a Agent,
    /// The phones that ring; the first is the one that answers.
    pub(super) phones: Vec<&'a Agent>,
    /// The first INVITE is lost behind the tap and sent again.
    pub(super) repeated: bool,
    /// The caller's number is vouched for by the network (RFC 3325).
    pub(super) asserted: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(at: i64, caller: &'a Agent, callee: &'a Agent) -> Self {
        Self { at, caller, dialled: callee, phones: vec![callee], repeated: false, asserted: false }
    }
}

/// One phone of a call and what it got.
struct Leg {
    phone: Agent,
    invite: Message,
    tag: String,
}

/// A call that rings.
pub(super) struct Ringing {
    caller: Agent,
    /// As the caller sent it.
    invite: Message,
    /// As the phone system keeps it.
    received: Message,
    legs: Vec<Leg>,
    media: Endpoint,
    /// When the last of the phones began to ring.
    pub(super) at: i64,
}

/// A call that was answered.
pub(super) struct Talking {
    caller: (Agent, Dialog),
    callee: (Agent, Dialog),
    /// When the answer was acknowledged.
    pub(super) at: i64,
    media: (Endpoint, Endpoint),
}

/// Who hangs up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Callee,
}

/// INVITE to the phone system and on to the phones, which ring.
pub(super) fn ring(stage: &mut Stage, plan: &Plan<'_>) -> Ringing {
    let (mut ringing, reached) = reach(stage, plan);
    let pbx = stage.pbx.clone();
    for n in 0..ringing.legs.len() {
        let at = stage.later(reached, 60, 180);
        let Some(leg) = ringing.legs.get(n) else { continue };
        let response = leg.phone.respond(&leg.invite, 180, "Ringing", &leg.tag);
        stage.send(at, leg.phone.at, pbx.at, &response);
        let back = stage.later(at, 1, 2);
        stage.send(back, pbx.at, ringing.caller.at, &pbx.back(&response));
        ringing.at = ringing.at.max(back);
    }
    ringing
}

/// INVITE, 100, and the INVITE at each phone with its 100; gives the time when the last phone has it.
fn reach(stage: &mut Stage, plan: &Plan<'_>) -> (Ringing, i64) {
    let pbx = stage.pbx.clone();
    let media = stage.media(plan.caller);
    let caller = plan.caller.clone();
    let mut invite = caller.invite(&plan.dialled.aor(), &plan.dialled.name(), media, &mut stage.rng);
    if plan.asserted {
        invite = invite.with("P-Asserted-Identity", caller.name()).with("Privacy", "none");
    }
    stage.send(plan.at, caller.at, pbx.at, &invite);
    let mut arrived = plan.at;
    if plan.repeated {
        arrived += T1;
        stage.send(arrived, caller.at, pbx.at, &invite);
    }
    let received = pbx.receive(&invite, caller.at);
    let trying = stage.later(arrived, 1, 3);
    stage.send(trying, pbx.at, caller.at, &received.reply(100, "Trying", None));
    let mut legs = Vec::new();
    let mut reached = trying;
    for phone in &plan.phones {
        let forwarded = pbx.forward(&received, Some(&phone.contact_uri()), &mut stage.rng);
        let at = stage.later(reached, 1, 3);
        stage.send(at, pbx.at, phone.at, &forwarded);
        let answered = stage.later(at, 4, 12);
        stage.send(answered, phone.at, pbx.at, &forwarded.reply(100, "Trying", None));
        reached = answered;
        legs.push(Leg { phone: (*phone).clone(), invite: forwarded, tag: stage.rng.hex(10) });
    }
    (Ringing { caller, invite, received, legs, media, at: reached }, reached)
}

/// The first phone answers; any other is told to stop ringing.
pub(super) fn answer(stage: &mut Stage, ringing: Ringing, at: i64) -> Option<Talking> {
    let pbx = stage.pbx.clone();
    let mut legs = ringing.legs.into_iter();
    let leg = legs.next()?;
    let caller = ringing.caller;
    let media = stage.media(&leg.phone);
    let ok = leg.phone.answer(&leg.invite, &leg.tag, media, &mut stage.rng);
    stage.send(at, leg.phone.at, pbx.at, &ok);
    let passed = stage.later(at, 1, 2);
    let back = pbx.back(&ok);
    stage.send(passed, pbx.at, caller.at, &back);
    for other in legs {
        let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
        stop_ringing(stage, &other, passed, reason);
    }
    let mut caller_side = Dialog::of_caller(&ringing.invite, &back);
    let ack = caller_side.request("ACK", &caller, &mut stage.rng);
    let acked = stage.later(passed, 6, 25);
    pass_on(stage, acked, &ack, caller.at, leg.phone.at);
    let callee_side = Dialog::of_callee(&leg.invite, &ok, 1);
    Some(Talking {
        caller: (caller, caller_side),
        callee: (leg.phone, callee_side),
        at: acked,
        media: (ringing.media, media),
    })
}

/// Both talk from the answer until one hangs up at `until`; `reason` is the BYE's.
pub(super) fn talk(
    stage: &mut Stage,
    mut talking: Talking,
    until: i64,
    side: Side,
    reason: Option<&str>,
    faults: RtpFaults,
) {
    stage.voice(talking.at, until, talking.media.0, talking.media.1, faults);
    let ((from, dialog), (to, _)) = match side {
        Side::Caller => (&mut talking.caller, &talking.callee),
        Side::Callee => (&mut talking.callee, &talking.caller),
    };
    let mut bye = dialog.request("BYE", from, &mut stage.rng);
    if let Some(reason) = reason {
        bye = bye.with("Reason", reason);
    }
    let at = stage.later(until, 60, 90);
    let (arrived, forwarded) = pass_on(stage, at, &bye, from.at, to.at);
    let answered = stage.later(arrived, 2, 9);
    let ok = forwarded.reply(200, "OK", None).with("User-Agent", to.software.clone());
    stage.send(answered, to.at, stage.pbx.at, &ok);
    let passed = stage.later(answered, 1, 2);
    let back = stage.pbx.back(&ok);
    stage.send(passed, stage.pbx.at, from.at, &back);
}

/// The phone refuses; the refusal goes back to the caller. Each hop has its own ACK.
pub(super) fn refuse(stage: &mut Stage, plan: &Plan<'_>, status: u16, reason: &'static str) {
    let (ringing, reached) = reach(stage, plan);
    let pbx = stage.pbx.clone();
    let Some(leg) = ringing.legs.first() else { return };
    let at = stage.later(reached, 20, 60);
    let refusal = leg.phone.respond(&leg.invite, status, reason, &leg.tag);
    stage.send(at, leg.phone.at, pbx.at, &refusal);
    let acked = stage.later(at, 1, 2);
    stage.send(acked, pbx.at, leg.phone.at, &agent::ack_failure(&leg.invite, &refusal));
    let back = stage.later(acked, 1, 2);
    end_at_caller(stage, &ringing, back, &pbx.back(&refusal));
}

/// The phone system itself refuses, before any phone is asked.
pub(super) fn reject(stage: &mut Stage, plan: &Plan<'_>, status: u16, reason: &'static str) {
    let plan = Plan { phones: Vec::new(), ..*plan };
    let (ringing, reached) = reach(stage, &plan);
    let tag = stage.rng.hex(10);
    let refusal = ringing.received.reply(status, reason, Some(&tag)).with("Server", "PBX/7.3");
    let at = stage.later(reached, 8, 30);
    end_at_caller(stage, &ringing, at, &refusal);
}

/// The caller gives up while it rings.
pub(super) fn give_up(stage: &mut Stage, ringing: &Ringing, at: i64) {
    let pbx = stage.pbx.clone();
    let caller = &ringing.caller;
    let cancel = agent::cancel(&ringing.invite).with("User-Agent", caller.software.clone());
    stage.send(at, caller.at, pbx.at, &cancel);
    let tag = stage.rng.hex(10);
    let accepted = stage.later(at, 1, 2);
    let kept = pbx.receive(&cancel, caller.at);
    stage.send(accepted, pbx.at, caller.at, &kept.reply(200, "OK", Some(&tag)));
    let mut last = None;
    for leg in &ringing.legs {
        last = Some(stop_ringing(stage, leg, accepted, "SIP;cause=487;text=\"Caller gave up\""));
    }
    if let Some((at, terminated)) = last {
        let at = stage.later(at, 1, 2);
        end_at_caller(stage, ringing, at, &pbx.back(&terminated));
    }
}

/// CANCEL at one phone, its 200, the INVITE's 487 and the ACK; gives the time of the ACK and the 487.
fn stop_ringing(stage: &mut Stage, leg: &Leg, at: i64, reason: &str) -> (i64, Message) {
    let pbx = stage.pbx.at;
    let cancel = agent::cancel(&leg.invite).with("Reason", reason);
    let at = stage.later(at, 1, 2);
    stage.send(at, pbx, leg.phone.at, &cancel);
    let at = stage.later(at, 3, 9);
    stage.send(at, leg.phone.at, pbx, &cancel.reply(200, "OK", Some(&leg.tag)));
    let terminated = leg.phone.respond(&leg.invite, 487, "Request Terminated", &leg.tag);
    let at = stage.later(at, 1, 3);
    stage.send(at, leg.phone.at, pbx, &terminated);
    let at = stage.later(at, 1, 2);
    stage.send(at, pbx, leg.phone.at, &agent::ack_failure(&leg.invite, &terminated));
    (at, terminated)
}

/// A final refusal at the caller, and its ACK.
fn end_at_caller(stage: &mut Stage, ringing: &Ringing, at: i64, refusal: &Message) {
    let pbx = stage.pbx.at;
    stage.send(at, pbx, ringing.caller.at, refusal);
    let ack = agent::ack_failure(&ringing.invite, refusal).with("User-Agent", ringing.caller.software.clone());
    let acked = stage.later(at, 3, 9);
    stage.send(acked, ringing.caller.at, pbx, &ack);
}

/// A request inside a dialog through the phone system; gives when it was sent on, and how it looked then.
fn pass_on(stage: &mut Stage, at: i64, request: &Message, from: Endpoint, to: Endpoint) -> (i64, Message) {
    let pbx = stage.pbx.clone();
    stage.send(at, from, pbx.at, request);
    let forwarded = pbx.forward(&pbx.receive(request, from), None, &mut stage.rng);
    let passed = stage.later(at, 1, 2);
    stage.send(passed, pbx.at, to, &forwarded);
    (passed, forwarded)
}
