//! RTP streams, as far as they are recognised: who sends what to whom, how many packets, and for which call.

use std::sync::Arc;

use crate::packet::FlowKey;
use crate::time::Timestamp;

use super::call::CallKey;

/// A stream's identity within one run: its ordinal of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub u64);

/// One RTP stream: source, destination and SSRC.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Identity.
    pub key: StreamKey,
    /// Sender and receiver.
    pub flow: FlowKey,
    /// Synchronisation source.
    pub ssrc: u32,
    /// The payload type of most of its packets.
    pub payload_type: u8,
    /// Its codec, when SDP or the static table names it.
    pub codec: Option<Arc<str>>,
    /// Packets seen.
    pub packets: u64,
    /// Payload bytes seen.
    pub payload_bytes: u64,
    /// First packet.
    pub first: Timestamp,
    /// Newest packet.
    pub last: Timestamp,
    /// The call whose SDP announced one of its ends.
    pub call: Option<CallKey>,
}

impl Stream {
    /// `10.1.1.123:4006>10.1.1.124:5004/0x6AB21E82`, as reports name it.
    pub fn name(&self) -> String {
        format!("{}>{}/0x{:08X}", self.flow.src, self.flow.dst, self.ssrc)
    }
}
