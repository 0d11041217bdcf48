//! Packets for the link, made by the project's own generator.

use std::fs::File;
use std::path::Path;

use sipwatch::capture::synth::dialog_info::{self, DialogRow, DialogState};
use sipwatch::capture::synth::{
    Agent, Carrier, CarrierOptions, Dialog, Path as Hop, PcapWriter, Precision, Rng, Schedule, Truth,
};
use sipwatch::packet::{Endpoint, LinkType, Transport};
use sipwatch::time::{Elapsed, Timestamp};

/// Call-ID, and the time between the first and the last of four messages.
pub struct Subscription {
    pub call_id: String,
    pub resource: &'static str,
}

/// Writes SUBSCRIBE, 200, NOTIFY, 200, 8 ms apart.
pub fn subscription(file: &Path, seed: u64) -> Subscription {
    let rng = &mut Rng::new(seed);
    let agent = |user: &str, last: u8| Agent {
        user: user.into(),
        display: String::new(),
        domain: "pbx.example".into(),
        at: Endpoint::new([10, 77, 0, last].into(), 5060),
        software: "Test/1.0".into(),
        transport: Transport::Udp,
    };
    let resource = "4711";
    let (watcher, server) = (agent("4207", 2), agent(resource, 1));
    let (there, step) = (Hop::new(watcher.at, server.at), Elapsed::from_millis(8));
    let subscribe = watcher
        .request("SUBSCRIBE", &server.aor(), &server.name(), rng)
        .with("Contact", format!("<{}>", watcher.contact_uri()))
        .with("Event", "dialog")
        .with("Expires", "600");
    let accepted = server.respond(&subscribe, 200, "OK", "abc").with("Expires", "600");
    let aor = server.aor();
    let row = DialogRow { id: "1", call_id: None, initiator: false, local: &aor, remote: &aor };
    let notify = Dialog::of_callee(&subscribe, &accepted, 0)
        .request("NOTIFY", &server, rng)
        .with("Event", "dialog")
        .with("Subscription-State", "active;expires=600")
        .with_body(dialog_info::CONTENT_TYPE, dialog_info::document(0, &aor, DialogState::Idle, row));
    let mut schedule = Schedule::new();
    let mut at = Timestamp::from_parts(1_700_000_000, 0);
    let back = there.reversed();
    for (path, message) in
        [(&there, &subscribe), (&back, &accepted), (&back, &notify), (&there, &notify.reply(200, "OK", None))]
    {
        schedule.sip(at, path, message);
        at = at.after(step);
    }
    write(file, |frame| schedule.next_packet(frame));
    Subscription { call_id: subscribe.get("Call-ID").to_owned(), resource }
}

/// Writes the capture of 500 calls, RTP included: about 500,000 packets.
pub fn carrier(file: &Path) -> Truth {
    carrier_of(file, CarrierOptions::default())
}

/// Writes such a capture of another size.
pub fn carrier_of(file: &Path, options: CarrierOptions) -> Truth {
    let mut carrier = Carrier::new(options);
    write(file, |frame| carrier.next_packet(frame));
    carrier.truth()
}

fn write(file: &Path, mut next: impl FnMut(&mut Vec<u8>) -> Option<Timestamp>) {
    let file = File::create(file).expect("a file to write");
    let mut writer = PcapWriter::new(file, Precision::Micros, LinkType::ETHERNET, 262_144).expect("a header");
    let mut frame = Vec::new();
    while let Some(at) = next(&mut frame) {
        writer.write(at, &frame).expect("a packet");
    }
    writer.finish().expect("the rest");
}
