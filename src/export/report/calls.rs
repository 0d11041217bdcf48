//! `--report calls`: one line per call, to be pasted into a ticket.

use std::io::{self, Write};

use crate::export::ending;
use crate::export::table::{Align, Head, Table};
use crate::store::snapshot::Snapshot;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::Call;

const HEADS: &[Head] = &[
    Head("Start (UTC)", Align::Left, 23),
    Head("Method", Align::Left, 12),
    Head("From", Align::Left, 24),
    Head("To", Align::Left, 24),
    Head("Source", Align::Left, 47),
    Head("Destination", Align::Left, 47),
    Head("Via", Align::Left, 4),
    Head("State", Align::Left, 16),
    Head("PDD ms", Align::Right, 12),
    Head("Setup ms", Align::Right, 12),
    Head("Talk s", Align::Right, 12),
    Head("Msgs", Align::Right, 10),
    Head("Retr", Align::Right, 10),
    Head("Codec", Align::Left, 16),
    Head("How it ended", Align::Left, 56),
    Head("Call-ID", Align::Left, 128),
];

pub(super) fn write(snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(HEADS);
    for call in snapshot.calls.iter() {
        table.row(cells(call, snapshot.now.unwrap_or(call.last)));
    }
    table.write(out, "")?;
    writeln!(out, "{} calls", snapshot.calls.len())
}

fn cells(call: &Call, now: Timestamp) -> [String; 16] {
    let millis = |elapsed: Option<Elapsed>| elapsed.map_or(String::new(), |e| format!("{:.3}", e.millis()));
    let codecs: Vec<&str> = call.codecs.iter().map(|codec| &**codec).collect();
    let id = if call.call_id.is_empty() { "(no Call-ID)" } else { &*call.call_id };
    [
        call.started.format_utc("%Y-%m-%d %H:%M:%S%.3f"),
        call.method.to_string(),
        call.from.user.to_string(),
        call.to.user.to_string(),
        call.src.to_string(),
        call.dst.to_string(),
        call.transport.name().to_owned(),
        ending::state(call),
        millis(call.timing.pdd),
        millis(call.timing.setup),
        call.talk(now).map_or(String::new(), |talk| format!("{:.1}", talk.seconds())),
        call.message_count.to_string(),
        if call.retransmissions == 0 { String::new() } else { call.retransmissions.to_string() },
        codecs.join(","),
        ending::why(call),
        id.to_owned(),
    ]
}
