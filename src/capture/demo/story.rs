//! What happens in the demo, and when.

use super::super::synth::dialog_info::{self, DialogRow, DialogState};
use super::super::synth::{Agent, Dialog, Schedule};
use super::calls::{Plan, Side, answer, give_up, refuse, reject, ring, talk};
use super::stage::{MS, Stage, network, phone, system, trunk};
use crate::time::Timestamp;

const SECOND: i64 = 1_000 * MS;

/// The rhythm of everyday calls: one starts about every three seconds until here.
const LAST_EVERYDAY_CALL: i64 = 72 * SECOND;

/// A change of the lamp that 207 has for 208.
struct Lamp {
    at: i64,
    state: DialogState,
    initiator: bool,
    remote: String,
    dialog: usize,
}

/// All packets of the story, about 80 seconds of them.
pub fn story(start: Timestamp) -> Schedule {
    let mut stage = Stage::new(start);
    let mut lamps = Vec::new();
    first_call(&mut stage, &mut lamps);
    from_outside(&mut stage);
    refusals(&mut stage);
    hunt_group(&mut stage);
    second_try(&mut stage);
    given_up(&mut stage, &mut lamps);
    call_back(&mut stage, &mut lamps);
    everyday(&mut stage);
    watch(&mut stage, lamps);
    for (number, at) in [(210, 2_600), (211, 31_400)] {
        register(&mut stage, &phone(number, ""), at * MS);
    }
    for round in 0..5 {
        pings(&mut stage, 4 * SECOND + round * 15 * SECOND);
    }
    message(&mut stage, 16 * SECOND);
    stage.schedule
}

/// 206 calls 208, and they talk over a network that loses a little.
fn first_call(stage: &mut Stage, lamps: &mut Vec<Lamp>) {
    let (caller, callee) = (phone(206, "Reception"), phone(208, "Workshop"));
    let ringing = ring(stage, &Plan::new(200 * MS, &caller, &callee));
    lamps.push(lamp(ringing.at, DialogState::Ringing, false, &caller, 1));
    let answered = ringing.at + 3_450 * MS;
    if let Some(talking) = answer(stage, ringing, answered) {
        lamps.push(lamp(talking.at, DialogState::Confirmed, false, &caller, 1));
        let until = talking.at + 20 * SECOND;
        lamps.push(lamp(until + 100 * MS, DialogState::Terminated, false, &caller, 1));
        talk(stage, talking, until, Side::Caller, None, network(7, 12));
    }
}

/// A call from outside for 209; the network vouches for the caller's number.
fn from_outside(stage: &mut Stage) {
    let (caller, callee) = (trunk("+12025550123"), phone(209, "Sales"));
    let ringing = ring(stage, &Plan { asserted: true, ..Plan::new(700 * MS, &caller, &callee) });
    let answered = ringing.at + 2_120 * MS;
    if let Some(talking) = answer(stage, ringing, answered) {
        let until = talking.at + 33 * SECOND;
        let reason = "Q.850;cause=16;text=\"Normal call clearing\"";
        talk(stage, talking, until, Side::Callee, Some(reason), network(4, 6));
    }
}

/// Busy, unknown, forbidden.
fn refusals(stage: &mut Stage) {
    let (watcher, busy, unknown) = (phone(207, "Dispatch"), phone(208, "Workshop"), phone(199, ""));
    refuse(stage, &Plan::new(7 * SECOND, &watcher, &busy), 486, "Busy Here");
    reject(stage, &Plan::new(9_500 * MS, &watcher, &unknown), 404, "Not Found");
    let outside = Agent { user: "+19005550199".into(), ..system("") };
    reject(stage, &Plan::new(18_300 * MS, &phone(212, "Lobby"), &outside), 403, "Forbidden");
}

/// A call for a group rings two phones; one answers, the other is told to stop.
fn hunt_group(stage: &mut Stage) {
    let caller = trunk("+12025550148");
    let group = system("300");
    let (first, second) = (phone(210, "Support 1"), phone(211, "Support 2"));
    let plan = Plan { dialled: &group, phones: vec![&first, &second], ..Plan::new(11 * SECOND, &caller, &first) };
    let ringing = ring(stage, &plan);
    let answered = ringing.at + 4_200 * MS;
    if let Some(talking) = answer(stage, ringing, answered) {
        let until = talking.at + 12 * SECOND;
        talk(stage, talking, until, Side::Caller, None, network(2, 5));
    }
}

/// The first INVITE is lost on the way and sent again.
fn second_try(stage: &mut Stage) {
    let (caller, callee) = (phone(212, "Lobby"), phone(213, "Kitchen"));
    let ringing = ring(stage, &Plan { repeated: true, ..Plan::new(20_500 * MS, &caller, &callee) });
    let answered = ringing.at + 1_900 * MS;
    if let Some(talking) = answer(stage, ringing, answered) {
        let until = talking.at + 9 * SECOND;
        talk(stage, talking, until, Side::Caller, None, network(9, 16));
    }
}

/// 207 lets 208 ring and gives up.
fn given_up(stage: &mut Stage, lamps: &mut Vec<Lamp>) {
    let (caller, callee) = (phone(207, "Dispatch"), phone(208, "Workshop"));
    let ringing = ring(stage, &Plan::new(28 * SECOND, &caller, &callee));
    lamps.push(lamp(ringing.at, DialogState::Ringing, false, &caller, 2));
    let over = ringing.at + 5_600 * MS;
    lamps.push(lamp(over + 30 * MS, DialogState::Terminated, false, &caller, 2));
    give_up(stage, &ringing, over);
}

/// 208 calls 206 back.
fn call_back(stage: &mut Stage, lamps: &mut Vec<Lamp>) {
    let (caller, callee) = (phone(208, "Workshop"), phone(206, "Reception"));
    let plan = Plan::new(38 * SECOND, &caller, &callee);
    lamps.push(lamp(plan.at + 30 * MS, DialogState::Calling, true, &callee, 3));
    let ringing = ring(stage, &plan);
    let answered = ringing.at + 2_800 * MS;
    if let Some(talking) = answer(stage, ringing, answered) {
        lamps.push(lamp(talking.at, DialogState::Confirmed, true, &callee, 3));
        let until = talking.at + 26 * SECOND;
        lamps.push(lamp(until + 100 * MS, DialogState::Terminated, true, &callee, 3));
        talk(stage, talking, until, Side::Callee, None, network(8, 10));
    }
}

/// Short calls between ten pairs of phones, so that there is always something going on.
fn everyday(stage: &mut Stage) {
    let mut at = 1_300 * MS;
    for pair in (0..10u8).cycle() {
        if at > LAST_EVERYDAY_CALL {
            break;
        }
        let (caller, callee) = (phone(220 + 2 * pair, ""), phone(221 + 2 * pair, ""));
        let ringing = ring(stage, &Plan::new(at, &caller, &callee));
        let answered = stage.later(ringing.at, 700, 2_500);
        if let Some(talking) = answer(stage, ringing, answered) {
            let until = stage.later(talking.at, 4_000, 8_000);
            let side = if stage.rng.chance(500) { Side::Caller } else { Side::Callee };
            talk(stage, talking, until, side, None, network(3, 6));
        }
        at = stage.later(at, 2_200, 3_800);
    }
}

fn lamp(at: i64, state: DialogState, initiator: bool, remote: &Agent, dialog: usize) -> Lamp {
    Lamp { at, state, initiator, remote: remote.aor(), dialog }
}

/// 207 watches 208: one NOTIFY at once, and one for every change of the lamp.
fn watch(stage: &mut Stage, mut lamps: Vec<Lamp>) {
    let (watcher, resource) = (phone(207, "Dispatch"), system("208"));
    let subscribe = watcher
        .request("SUBSCRIBE", &resource.aor(), &resource.name(), &mut stage.rng)
        .with("Contact", format!("<{}>", watcher.contact_uri()))
        .with("Event", "dialog")
        .with("Accept", dialog_info::CONTENT_TYPE)
        .with("Expires", "3600");
    stage.send(20 * MS, watcher.at, resource.at, &subscribe);
    let tag = stage.rng.hex(10);
    let received = stage.pbx.receive(&subscribe, watcher.at);
    let accepted = resource.respond(&received, 200, "OK", &tag).with("Expires", "3600");
    stage.send(23 * MS, resource.at, watcher.at, &accepted);

    let mut dialog = Dialog::of_callee(&subscribe, &accepted, 0);
    lamps.push(lamp(24 * MS, DialogState::Idle, false, &watcher, 0));
    lamps.sort_by_key(|change| change.at);
    for (version, change) in (0u32..).zip(&lamps) {
        let id = format!("d{}", change.dialog);
        let local = resource.aor();
        let row =
            DialogRow { id: &id, call_id: None, initiator: change.initiator, local: &local, remote: &change.remote };
        let left = 3_600 - change.at / SECOND;
        let notify = dialog
            .request("NOTIFY", &resource, &mut stage.rng)
            .with("Contact", format!("<{}>", resource.contact_uri()))
            .with("Event", "dialog")
            .with("Subscription-State", format!("active;expires={left}"))
            .with_body(dialog_info::CONTENT_TYPE, dialog_info::document(version, &local, change.state, row));
        let sent = stage.later(change.at, 2, 8);
        stage.send(sent, resource.at, watcher.at, &notify);
        let answered = stage.later(sent, 2, 12);
        let ok = notify.reply(200, "OK", None).with("User-Agent", watcher.software.clone());
        stage.send(answered, watcher.at, resource.at, &ok);
    }
}

/// A registration: challenged, then accepted.
fn register(stage: &mut Stage, phone: &Agent, at: i64) {
    let pbx = stage.pbx.clone();
    let (registrar, tag, nonce) = (format!("sip:{}", phone.domain), stage.rng.hex(10), stage.rng.hex(16));
    let contact = format!("<{}>", phone.contact_uri());
    let first = phone
        .request("REGISTER", &registrar, &phone.name(), &mut stage.rng)
        .with("Contact", contact.clone())
        .with("Expires", "3600")
        .with("Allow-Events", "dialog, message-summary");
    stage.send(at, phone.at, pbx.at, &first);
    let challenge = format!("Digest realm=\"{}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"", phone.domain);
    let refused = pbx.receive(&first, phone.at).reply(401, "Unauthorized", Some(&tag));
    let at = stage.later(at, 2, 5);
    stage.send(at, pbx.at, phone.at, &refused.with("WWW-Authenticate", challenge));

    let mut second = first.clone();
    second.set("Via", phone.via(&mut stage.rng));
    let number: u32 = first.get("CSeq").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1);
    second.set("CSeq", format!("{} REGISTER", number + 1));
    let credentials = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{nonce}\", uri=\"{registrar}\", \
         response=\"{}{}\", algorithm=MD5, cnonce=\"{}\", qop=auth, nc=00000001",
        phone.user,
        phone.domain,
        stage.rng.hex(16),
        stage.rng.hex(16),
        stage.rng.hex(8),
    );
    let second = second.with("Authorization", credentials);
    let at = stage.later(at, 8, 25);
    stage.send(at, phone.at, pbx.at, &second);
    let accepted = pbx
        .receive(&second, phone.at)
        .reply(200, "OK", Some(&tag))
        .with("Contact", format!("{contact};expires=3600"))
        .with("Server", "PBX/7.3");
    let at = stage.later(at, 3, 8);
    stage.send(at, pbx.at, phone.at, &accepted);
}

/// The phone system asks its phones and its carrier whether they are there.
fn pings(stage: &mut Stage, mut at: i64) {
    let system = system("ping");
    let peers = [phone(206, ""), phone(207, ""), phone(208, ""), phone(209, ""), trunk("gateway")];
    for peer in peers {
        let options = system
            .request("OPTIONS", &peer.contact_uri(), &format!("<{}>", peer.contact_uri()), &mut stage.rng)
            .with("Contact", format!("<{}>", system.contact_uri()))
            .with("Accept", "application/sdp");
        stage.send(at, system.at, peer.at, &options);
        let tag = stage.rng.hex(8);
        let ok = peer.respond(&options, 200, "OK", &tag).with("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS");
        let answered = stage.later(at, 3, 18);
        stage.send(answered, peer.at, system.at, &ok);
        at = stage.later(at, 80, 200);
    }
}

/// A text message from 206 to 207.
fn message(stage: &mut Stage, at: i64) {
    let pbx = stage.pbx.clone();
    let (from, to) = (phone(206, "Reception"), phone(207, "Dispatch"));
    let message = from
        .request("MESSAGE", &to.aor(), &to.name(), &mut stage.rng)
        .with_body("text/plain", "The delivery is at the front door.");
    stage.send(at, from.at, pbx.at, &message);
    let forwarded = pbx.forward(&pbx.receive(&message, from.at), Some(&to.contact_uri()), &mut stage.rng);
    let at = stage.later(at, 1, 3);
    stage.send(at, pbx.at, to.at, &forwarded);
    let tag = stage.rng.hex(8);
    let ok = forwarded.reply(200, "OK", Some(&tag)).with("User-Agent", to.software.clone());
    let at = stage.later(at, 6, 15);
    stage.send(at, to.at, pbx.at, &ok);
    let at = stage.later(at, 1, 2);
    stage.send(at, pbx.at, from.at, &pbx.back(&ok));
}
