//! Messages as text: when, from where to where, and then the message as it came.

use std::sync::Arc;

use crate::capture::save::{CaptureFile, SaveError};
use crate::track::call::Call;
use crate::track::message::Message;

/// Writes the messages of these calls in order of time. Gives how many, and how many are no longer kept.
pub(super) fn write(file: &mut CaptureFile, calls: &[Arc<Call>]) -> Result<(u64, u64), SaveError> {
    let mut messages: Vec<&Message> = calls.iter().flat_map(|call| call.messages.iter()).map(AsRef::as_ref).collect();
    messages.sort_by_key(|message| (message.at, message.packets.last().copied()));
    for message in &messages {
        let (flow, transport) = (message.flow, message.transport.name());
        let line = format!("{} {} -> {} {transport}\r\n", message.at.rfc3339(), flow.src, flow.dst);
        file.text(line.as_bytes())?;
        // What is in a file is read by programs as well: nothing is made visible here.
        file.text(message.sip.bytes())?;
        file.text(b"\r\n\r\n")?;
    }
    Ok((messages.len() as u64, calls.iter().map(|call| call.messages.left_out()).sum()))
}
