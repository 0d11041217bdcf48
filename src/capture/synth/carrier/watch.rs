//! One phone that watches another: SUBSCRIBE, 200, and a NOTIFY for every change of the lamp.

use super::super::agent::{Agent, Dialog};
use super::super::dialog_info::{self, DialogRow, DialogState};
use super::super::tcp::Side;
use super::super::wire::Path;
use super::{Carrier, Line, endpoint, host};
use crate::time::Elapsed;

const WATCHER_BLOCK: u8 = 48;
const SERVER_BLOCK: u8 = 64;

/// The lamp goes round: rings, busy, dark.
const ROUND: [DialogState; 3] = [DialogState::Ringing, DialogState::Confirmed, DialogState::Terminated];

/// Sends subscription `number` with all its NOTIFYs.
pub(super) fn subscribe(carrier: &mut Carrier, number: u32) {
    let mut rng = carrier.rng.fork();
    let transport = carrier.options.transport;
    let agent = |user: String, address, software: &str| Agent {
        user,
        display: String::new(),
        domain: "pbx.example".into(),
        at: endpoint(address, 5060),
        software: software.into(),
        transport,
    };
    let watcher = agent(format!("{}", 3_000 + number), host(WATCHER_BLOCK, number), "Deskphone/2.1");
    // A server for 250 phones each.
    let server = agent(format!("{}", 7_000 + number), host(SERVER_BLOCK, number / 250), "PBX/5.0");
    let step = Elapsed::from_nanos(
        (carrier.options.spread.nanos() + carrier.options.talk.nanos()) / (i64::from(carrier.options.notifies) + 1),
    );
    let mut at = carrier.options.start.after(Elapsed::from_nanos(rng.range(0, step.nanos()) / 1_000 * 1_000));

    let subscribe = watcher
        .request("SUBSCRIBE", &server.aor(), &server.name(), &mut rng)
        .with("Contact", format!("<{}>", watcher.contact_uri()))
        .with("Event", "dialog")
        .with("Accept", dialog_info::CONTENT_TYPE)
        .with("Expires", "3600");
    carrier.truth.subscriptions += 1;
    let (mut line, ready) = Line::open(carrier, Path::new(watcher.at, server.at), number, at);
    at = ready;
    carrier.send(at, &mut line, Side::Client, &subscribe);
    let tag = rng.hex(8);
    let accepted = server.respond(&subscribe, 200, "OK", &tag).with("Expires", "3600");
    carrier.send(at.after(Elapsed::from_millis(3)), &mut line, Side::Server, &accepted);

    let mut dialog = Dialog::of_callee(&subscribe, &accepted, 100);
    let other = format!("sip:{}@pbx.example", 8_000 + number);
    for version in 0..carrier.options.notifies {
        let state = match version.checked_sub(1) {
            None => DialogState::Idle,
            Some(n) => ROUND.get(n as usize % ROUND.len()).copied().unwrap_or(DialogState::Idle),
        };
        let id = format!("{}", 1 + version / 3);
        let row = DialogRow { id: &id, call_id: None, initiator: false, local: &server.aor(), remote: &other };
        let notify = dialog
            .request("NOTIFY", &server, &mut rng)
            .with("Contact", format!("<{}>", server.contact_uri()))
            .with("Event", "dialog")
            .with("Subscription-State", "active;expires=3600")
            .with_body(dialog_info::CONTENT_TYPE, dialog_info::document(version, &server.aor(), state, row));
        let sent = at.after(Elapsed::from_millis(5));
        carrier.send(sent, &mut line, Side::Server, &notify);
        let answered = sent.after(Elapsed::from_nanos(rng.range(1_000, 8_000) * 1_000));
        carrier.send(answered, &mut line, Side::Client, &notify.reply(200, "OK", None));
        at = at.after(step);
    }
    line.close(carrier);
}
