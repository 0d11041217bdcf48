//! `calls`: every Call-ID once.

use serde::Serialize;

use crate::store::rows::Rows;
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::{Call, Dialog};
use crate::track::stream::Stream;

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct CallRow {
    /// As received.
    pub call_id: String,
    /// `invite`, `register`, …
    pub kind: &'static str,
    /// Method of the first request.
    pub method: String,
    /// User of the From URI; its host where there is no user.
    pub from: String,
    /// The From URI.
    pub from_uri: String,
    /// User of the To URI; its host where there is no user.
    pub to: String,
    /// The To URI.
    pub to_uri: String,
    /// Sender of the first request.
    pub src: String,
    /// Receiver of the first request.
    pub dst: String,
    /// `udp`, `tcp`, `ws`, `tls`.
    pub transport: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// The status that explains the state.
    pub status: Option<u64>,
    /// `caller`, `callee`, `network`.
    pub ended_by: Option<&'static str>,
    /// Why it ended, in the wire's words.
    pub cause: Option<String>,
    /// Time of the first message.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// Time spent on challenges.
    pub auth_ms: Option<f64>,
    /// Post-dial delay.
    pub pdd_ms: Option<f64>,
    /// First 180 or 183 to the answer or failure.
    pub ring_ms: Option<f64>,
    /// INVITE to the first 2xx.
    pub setup_ms: Option<f64>,
    /// That 2xx to its ACK.
    pub ack_ms: Option<f64>,
    /// Talk time in seconds; up to the newest packet while it is up.
    pub duration_s: Option<f64>,
    /// Messages, retransmissions included.
    pub messages: u64,
    /// Retransmissions among them.
    pub retransmissions: u64,
    /// INVITE branches seen at one hop.
    pub branches: u32,
    /// Its dialogs, in order of appearance.
    pub dialogs: Vec<DialogRow>,
    /// Codec names.
    pub codecs: Vec<String>,
    /// Its RTP streams by name.
    pub streams: Vec<String>,
    /// Ids of its findings; nothing looks for them yet.
    pub findings: [(); 0],
}

/// One dialog of a call.
#[derive(Clone, Debug, Serialize)]
pub struct DialogRow {
    /// Tag of the side that sent the request.
    pub from_tag: String,
    /// Tag of the other side.
    pub to_tag: String,
    /// `early`, `confirmed`, `terminated`.
    pub state: &'static str,
}

impl From<&Dialog> for DialogRow {
    fn from(dialog: &Dialog) -> Self {
        Self { from_tag: dialog.from_tag.to_string(), to_tag: dialog.to_tag.to_string(), state: dialog.state.name() }
    }
}

impl CallRow {
    /// The row of a call. `now` is the newest packet's time, to which a call that is up has talked.
    pub fn of(call: &Call, now: Timestamp, streams: &Rows<Stream>) -> Self {
        let timing = &call.timing;
        let names = call.streams.iter().filter_map(|key| streams.get(key.0)).map(|stream| stream.name());
        Self {
            call_id: call.call_id.to_string(),
            kind: call.kind.name(),
            method: call.method.to_string(),
            from: call.from.user.to_string(),
            from_uri: call.from.uri.to_string(),
            to: call.to.user.to_string(),
            to_uri: call.to.uri.to_string(),
            src: call.src.to_string(),
            dst: call.dst.to_string(),
            transport: call.transport.name(),
            state: call.state.name(),
            status: call.status,
            ended_by: call.ended_by.map(|by| by.name()),
            cause: call.cause.as_deref().map(str::to_owned),
            started: super::time(call.started),
            ended: call.ended.map(super::time),
            auth_ms: timing.auth.map(super::millis),
            pdd_ms: timing.pdd.map(super::millis),
            ring_ms: timing.ring.map(super::millis),
            setup_ms: timing.setup.map(super::millis),
            ack_ms: timing.ack.map(super::millis),
            duration_s: call.talk(now).map(super::seconds),
            messages: call.message_count,
            retransmissions: call.retransmissions,
            branches: call.branches,
            dialogs: call.dialogs.iter().map(DialogRow::from).collect(),
            codecs: call.codecs.iter().map(|codec| codec.to_string()).collect(),
            streams: names.collect(),
            findings: [],
        }
    }
}

/// The calls that have a Call-ID.
pub(super) fn rows(snapshot: &Snapshot) -> Vec<CallRow> {
    let with_id = snapshot.calls.iter().filter(|call| !call.call_id.is_empty());
    with_id.map(|call| CallRow::of(call, snapshot.now.unwrap_or(call.last), &snapshot.streams)).collect()
}
