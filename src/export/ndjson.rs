//! `--json`: one object per line, as things happen. Field names are those of `--report json`.

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::counters::Lost;
use crate::sip::HeaderName;
use crate::store::rows::Rows;
use crate::time::Timestamp;
use crate::track::call::Call;
use crate::track::message::Message;
use crate::track::stream::Stream;

use super::json::capture::LostReport;
use super::json::escape::to_line;
use super::json::{CallRow, PacketName, PacketNames, StreamRow};

#[derive(Serialize)]
struct Line<T> {
    r#type: &'static str,
    at: String,
    #[serde(flatten)]
    row: T,
}

#[derive(Serialize)]
struct MessageRow<'a> {
    packets: Vec<PacketName>,
    src: String,
    dst: String,
    transport: &'static str,
    call_id: Option<&'a str>,
    cseq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    retransmission: bool,
    bytes: usize,
}

/// The line of a message: a request has `method`, a response `status` and `reason`. `cseq` is text as received.
pub fn message_line(call: &Call, message: &Message, packets: &PacketNames) -> String {
    let sip = &message.sip;
    let row = MessageRow {
        packets: message.packets.iter().map(|id| packets.name(*id)).collect(),
        src: message.flow.src.to_string(),
        dst: message.flow.dst.to_string(),
        transport: message.transport.name(),
        call_id: Some(&*call.call_id).filter(|id| !id.is_empty()),
        cseq: sip.header_text(HeaderName::CSeq).map(|text| text.into_owned()),
        method: sip.method().map(|method| method.as_str()),
        status: sip.status(),
        reason: sip.reason().map(|text| text.into_owned()),
        retransmission: message.repeats.is_some(),
        bytes: sip.bytes().len(),
    };
    line("message", message.at, row)
}

/// The line of a call that changed. `None` for the row that gathers messages without a Call-ID: it is no call.
pub fn call_line(call: &Call, streams: &Rows<Stream>) -> Option<String> {
    let at = call.ended.map_or(call.last, |ended| ended.max(call.last));
    (!call.call_id.is_empty()).then(|| line("call", at, CallRow::of(call, at, streams)))
}

/// The line of a stream.
pub fn stream_line(stream: &Stream, calls: &Rows<Call>) -> String {
    line("stream", stream.last, StreamRow::of(stream, calls))
}

/// The line of a loss counter that moved; the counters are totals.
pub fn lost_line(at: Timestamp, lost: Lost) -> String {
    line("lost", at, LostReport::from(lost))
}

/// One line without its line end. Control characters are escaped, so a line is a line whatever a packet held.
fn line<T: Serialize>(r#type: &'static str, at: Timestamp, row: T) -> String {
    to_line(&Line { r#type, at: at.rfc3339(), row })
}
