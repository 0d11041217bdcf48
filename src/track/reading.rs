//! What the state machines look at in a message, read once.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::event::SipArrival;
use crate::packet::{Endpoint, FlowKey, Transport};
use crate::sip::header::via::is_unique_branch;
use crate::sip::{HeaderName, Method, SipMessage};
use crate::time::Timestamp;

/// A message as the state machines see it.
#[derive(Debug)]
pub struct Reading<'m> {
    /// When it was captured.
    pub at: Timestamp,
    /// Sender and receiver on this hop.
    pub flow: FlowKey,
    /// What carried it.
    pub transport: Transport,
    /// The message.
    pub message: &'m SipMessage,
    /// Status of a response.
    pub status: Option<u64>,
    /// Method of the request line; for a response that of its CSeq.
    pub method: Method,
    /// Method token of the CSeq, empty for none.
    pub cseq_method: Cow<'m, str>,
    /// Number of the CSeq as text, empty for none: it may be out of range.
    pub cseq_text: Cow<'m, str>,
    /// Number of the CSeq, if it fits.
    pub cseq: Option<u32>,
    /// From tag, empty for none.
    pub from_tag: Cow<'m, str>,
    /// To tag, empty for none.
    pub to_tag: Cow<'m, str>,
    /// Top Via branch, empty for none.
    pub branch: Cow<'m, str>,
    /// Whether that branch alone tells the transaction (RFC 3261, 17.2.3).
    pub unique: bool,
    /// Sent-by of the top Via, empty for none.
    pub sent_by: Cow<'m, str>,
}

impl<'m> Reading<'m> {
    /// Reads what is needed.
    pub fn new(arrival: &'m SipArrival) -> Self {
        let message = &arrival.message;
        let cseq = message.cseq();
        let cseq_method = cseq.map_or(Cow::Borrowed(""), |cseq| cseq.method());
        let method = message.method().cloned().unwrap_or_else(|| Method::new(&cseq_method));
        let via = message.top_via();
        let branch = via.and_then(|via| via.branch()).unwrap_or_default();
        Self {
            at: arrival.at,
            flow: arrival.flow,
            transport: arrival.transport,
            message,
            status: message.status(),
            method,
            cseq_text: cseq.map_or(Cow::Borrowed(""), |cseq| cseq.number_text()),
            cseq: cseq.and_then(|cseq| cseq.number()),
            cseq_method,
            from_tag: message.from_tag().unwrap_or_default(),
            to_tag: message.to_tag().unwrap_or_default(),
            unique: is_unique_branch(&branch),
            sent_by: via.map(|via| via.sent_by()).unwrap_or_default(),
            branch,
        }
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        self.status.is_none()
    }

    /// Who sent the request that it is or answers, on this hop.
    pub fn client(&self) -> Endpoint {
        if self.is_request() { self.flow.src } else { self.flow.dst }
    }

    /// Who received the request that it is or answers, on this hop.
    pub fn server(&self) -> Endpoint {
        if self.is_request() { self.flow.dst } else { self.flow.src }
    }

    /// What tells it from every other message of its call but its own repeats: addresses, transport, method or status,
    /// CSeq, top Via branch, To-tag, and the RSeq of a reliable provisional response (RFC 3262).
    pub fn fingerprint(&self, keys: &RandomState) -> u64 {
        let mut hash = keys.build_hasher();
        self.flow.hash(&mut hash);
        hash.write_u8(self.transport as u8);
        match self.status {
            Some(status) => status.hash(&mut hash),
            None => self.method.as_str().hash(&mut hash),
        }
        self.cseq_text.hash(&mut hash);
        self.cseq_method.hash(&mut hash);
        self.branch.hash(&mut hash);
        self.to_tag.hash(&mut hash);
        if matches!(self.status, Some(101..=199)) {
            self.message.header(HeaderName::RSeq).hash(&mut hash);
        }
        if !self.unique {
            self.from_tag.hash(&mut hash);
            self.sent_by.hash(&mut hash);
            self.message.request_uri().hash(&mut hash);
        }
        hash.finish()
    }
}
