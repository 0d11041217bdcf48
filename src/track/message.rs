//! A SIP message as part of its call.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::event::PacketIds;
use crate::limits::{CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES};
use crate::net::Path;
use crate::packet::{Endpoint, FlowKey, Transport};
use crate::sip::SipMessage;
use crate::sip::message::SHARED_OVERHEAD;
use crate::time::Timestamp;

/// One message of a call.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its ordinal within the call, from 0, retransmissions included.
    pub ordinal: u32,
    /// When its last packet was captured.
    pub at: Timestamp,
    /// The packets that carried it.
    pub packets: PacketIds,
    /// Sender and receiver on this hop.
    pub flow: FlowKey,
    /// What carried it.
    pub transport: Transport,
    /// The capture agent that sent a copy of it in HEP, if it did not come by itself.
    pub relayed_by: Option<Endpoint>,
    /// What stood around its packet; `None` for nothing. Messages that came the same way share it.
    pub path: Option<Arc<Path>>,
    /// Ordinal of the message it repeats, if it is a retransmission (RFC 3261, 17).
    pub repeats: Option<u32>,
    /// Index of its transaction within the call, in order of appearance: the ladder's colour by transaction.
    pub transaction: u16,
    /// Index of its top Via branch within the call, in order of appearance.
    pub branch: u16,
    /// Index of its dialog in [`super::call::Call::dialogs`], once it has both tags.
    pub dialog: Option<u16>,
    /// Whether its body is or contains SDP.
    pub has_sdp: bool,
    /// The message itself.
    pub sip: SipMessage,
}

impl Message {
    /// Bytes of memory that keeping it costs: itself, its bytes and index, its place in the log, and the heap's own share.
    pub fn memory(&self) -> usize {
        let packets = if self.packets.spilled() { SHARED_OVERHEAD + size_of_val(self.packets.as_slice()) } else { 0 };
        let behind = self.sip.memory() - size_of::<SipMessage>();
        // Most paths are shared; one that is not must not go uncounted.
        let path = self.path.as_ref().map_or(0, |_| SHARED_OVERHEAD + size_of::<Path>());
        size_of::<Self>() + SHARED_OVERHEAD + size_of::<Arc<Self>>() + behind + packets + path
    }
}

/// The messages kept of a call: the first ones and the newest ones.
#[derive(Clone, Debug, Default)]
pub struct MessageLog {
    first: Vec<Arc<Message>>,
    last: VecDeque<Arc<Message>>,
    left_out: u64,
    bytes: usize,
}

impl MessageLog {
    /// Adds a message; in a very long call the oldest of the middle goes. Returns the bytes that this freed.
    pub fn push(&mut self, message: Arc<Message>) -> usize {
        self.bytes += message.memory();
        if self.first.len() < CALL_FIRST_MESSAGES {
            self.first.push(message);
            return 0;
        }
        self.last.push_back(message);
        if self.last.len() <= CALL_LAST_MESSAGES {
            return 0;
        }
        let freed = self.last.pop_front().map_or(0, |message| message.memory());
        self.left_out += 1;
        self.bytes -= freed;
        freed
    }

    /// The kept messages in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.first.iter().chain(&self.last)
    }

    /// The kept message at this position, from 0.
    pub fn get(&self, position: usize) -> Option<&Arc<Message>> {
        match position.checked_sub(self.first.len()) {
            None => self.first.get(position),
            Some(rest) => self.last.get(rest),
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// How many were left out between the first and the last.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Position after which messages were left out, if any were.
    pub fn gap(&self) -> Option<usize> {
        (self.left_out > 0).then_some(self.first.len())
    }

    /// Bytes of memory that the kept messages take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
