//! REGISTER, OPTIONS, MESSAGE and all other requests outside calls and subscriptions: the newest one makes the state.

use crate::packet::Endpoint;
use crate::sip::Method;
use crate::time::{Elapsed, Timestamp};

use super::call::{Call, CallKind, CallState};
use super::cause;
use super::reading::Reading;
use super::sample::{Sample, Samples};
use super::timer;
use super::transaction::Transaction;

/// What such a row remembers between messages.
#[derive(Debug, Default)]
pub struct RequestMachine {
    sender: Option<(Endpoint, Box<str>)>,
    current: Option<u32>,
    /// Newest transmission of a request that has no final response yet.
    waiting: Option<Timestamp>,
    /// A REGISTER that takes its bindings back.
    removes: bool,
    /// A REGISTER that only asks for the bindings.
    asks: bool,
    /// When the newest binding runs out.
    binding_ends: Option<Timestamp>,
}

impl RequestMachine {
    /// A message of the row that is no retransmission.
    pub fn apply(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction, samples: &mut Samples) {
        match reading.status {
            None => self.request(call, reading, transaction),
            Some(status) => self.response(call, reading, transaction, status, samples),
        }
    }

    /// A retransmission: the transaction is still alive.
    pub fn repeat(&mut self, reading: &Reading<'_>, transaction: &Transaction) {
        if reading.is_request() && self.current == Some(transaction.serial) && self.waiting.is_some() {
            self.waiting = Some(reading.at);
        }
    }

    /// When the newest request counts as unanswered.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.waiting.map(|sent| sent.after(timer::TRANSACTION))
    }

    /// When nothing more is expected of a registration: its time has run out.
    pub fn lapses(&self) -> Option<Timestamp> {
        self.binding_ends.map(|ends| ends.after(timer::GRACE))
    }

    /// The newest request was not answered in time.
    pub fn time_out(&mut self, call: &mut Call, at: Timestamp) {
        self.waiting = None;
        call.state = CallState::Timeout;
        call.ended = Some(at);
    }

    fn request(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction) {
        if reading.method != call.method || !self.is_sender(reading) {
            return;
        }
        self.current = Some(transaction.serial);
        self.waiting = Some(reading.at);
        if reading.method == Method::Register {
            let mut contacts = reading.message.contacts().peekable();
            self.asks = contacts.peek().is_none();
            let default = reading.message.expires();
            self.removes = !self.asks && contacts.all(|contact| contact.expires().or(default) == Some(0));
        }
        if call.state != CallState::Registered {
            call.state = CallState::Pending;
            call.status = None;
            call.reason = std::sync::Arc::default();
        }
        call.cause = None;
        call.ended = None;
    }

    fn is_sender(&mut self, reading: &Reading<'_>) -> bool {
        let (at, sent_by) = self.sender.get_or_insert_with(|| (reading.flow.src, Box::from(reading.sent_by.as_ref())));
        *at == reading.flow.src || (!reading.sent_by.is_empty() && **sent_by == *reading.sent_by)
    }

    fn response(
        &mut self,
        call: &mut Call,
        reading: &Reading<'_>,
        transaction: &Transaction,
        status: u64,
        samples: &mut Samples,
    ) {
        if self.current.is_none() && self.sender.is_none() && transaction.method == call.method {
            self.current = Some(transaction.serial);
        }
        if self.current != Some(transaction.serial) || transaction.is_finished || status < 200 {
            return;
        }
        self.waiting = None;
        call.status = Some(status);
        call.reason = reading.message.reason().unwrap_or_default().as_ref().into();
        call.state = match status {
            200..=299 if call.kind == CallKind::Register => self.registered(reading),
            200..=299 => CallState::Ok,
            401 | 407 => CallState::Challenged,
            _ => CallState::Failed,
        };
        call.ended = (call.state != CallState::Registered).then_some(reading.at);
        call.cause = if call.state == CallState::Failed { cause::of_failure(reading.message) } else { None };
        if let (CallKind::Register, 200..=299, Some(requested)) = (call.kind, status, transaction.requested) {
            samples.push(Sample::Registration(reading.at.since(requested)));
        }
    }

    /// The 2xx lists the bindings that are left (RFC 3261, 10.3).
    fn registered(&mut self, reading: &Reading<'_>) -> CallState {
        let default = reading.message.expires();
        let longest = reading.message.contacts().map(|contact| contact.expires().or(default).unwrap_or(3_600)).max();
        if self.removes || (self.asks && longest.is_none()) {
            self.binding_ends = None;
            return CallState::Removed;
        }
        let seconds = longest.or(default).unwrap_or(3_600);
        self.binding_ends = Some(reading.at.after(Elapsed::from_secs(i64::from(seconds))));
        CallState::Registered
    }
}
