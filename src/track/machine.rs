//! Everything that a call remembers between messages and that no screen shows: its state machines.

use std::hash::RandomState;
use std::sync::{Arc, LazyLock};

use smallvec::SmallVec;

use crate::event::SipArrival;
use crate::packet::{Endpoint, FlowKey};
use crate::sdp::Sdp;
use crate::sip::header::from_to::NameAddr;
use crate::sip::{HeaderName, Method};
use crate::time::Timestamp;

use super::call::{Call, CallKey, CallKind, CallState, Fact, Identities, Party, Timing};
use super::dialog;
use super::invite::InviteMachine;
use super::negotiation::Negotiation;
use super::reading::Reading;
use super::request::RequestMachine;
use super::retransmission::Fingerprints;
use super::sample::{Sample, Samples};
use super::subscription::SubscriptionMachine;
use super::transaction::Transactions;

/// Most calls have no facts, and these are theirs.
static NO_FACTS: LazyLock<Arc<Vec<Fact>>> = LazyLock::new(Arc::default);

/// What a call begins with.
static NO_IDENTITIES: LazyLock<Arc<Identities>> = LazyLock::new(Arc::default);

/// The memory of one call.
#[derive(Debug, Default)]
pub struct CallMachine {
    seen: Fingerprints,
    transactions: Transactions,
    invite: InviteMachine,
    request: Option<Box<RequestMachine>>,
    subscription: Option<Box<SubscriptionMachine>>,
    has_request: bool,
    /// Signalling flows of the call, as far as they are remembered.
    pub flows: SmallVec<[FlowKey; 1]>,
    /// Media endpoints that its SDP announced.
    pub media: Vec<Endpoint>,
    negotiation: Negotiation,
}

/// What one message meant to its call.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Ordinal of the message that it repeats.
    pub repeats: Option<u32>,
    /// Number of its transaction.
    pub transaction: u16,
    /// Number of its branch.
    pub branch: u16,
    /// Its dialog.
    pub dialog: Option<u16>,
    /// Delays that it ended.
    pub samples: Samples,
}

impl CallMachine {
    /// Applies one message to the call.
    pub fn apply(&mut self, call: &mut Call, reading: &Reading<'_>, ordinal: u32, keys: &RandomState) -> Outcome {
        let mut outcome = Outcome { repeats: self.seen.seen(reading.fingerprint(keys), ordinal), ..Outcome::default() };
        let transaction = self.transactions.of(reading, keys);
        if reading.is_request() && transaction.requested.is_none() && reading.method == transaction.method {
            transaction.requested = Some(reading.at);
        }
        outcome.transaction = u16::try_from(transaction.serial).unwrap_or(u16::MAX);
        outcome.branch = u16::try_from(transaction.branch).unwrap_or(u16::MAX);
        // The machines look at the transaction as it was before this message.
        let before = transaction.clone();
        if let (Some(200..), false) = (reading.status, transaction.is_finished) {
            transaction.is_finished = true;
            if let Some(requested) = before.requested {
                outcome.samples.push(Sample::Response(before.method.clone(), reading.at.since(requested)));
            }
        }
        if outcome.repeats.is_some() {
            self.invite.repeat(reading, &before);
            if let Some(request) = &mut self.request {
                request.repeat(reading, &before);
            }
        } else {
            let method = if reading.is_request() { &reading.method } else { &before.method };
            self.note_kind(call, reading, method);
            dialog::apply(&mut call.dialogs, reading, method);
            if reading.is_request() && reading.method == Method::Invite && reading.message.body().is_empty() {
                self.negotiation.expect_offer();
            }
            self.run(call, reading, &before, &mut outcome.samples);
            note_identities(call, reading);
            end_with_state(call, reading.at);
        }
        outcome.dialog = dialog::of(&call.dialogs, reading).and_then(|at| u16::try_from(at).ok());
        outcome
    }

    /// When the row changes by itself, unless something comes.
    pub fn deadline(&self, call: &Call) -> Option<Timestamp> {
        match call.kind {
            CallKind::Invite => self.invite.deadline(call.state),
            CallKind::Subscribe => self.subscription.as_ref().and_then(|machine| machine.deadline()),
            _ => self.request.as_ref().and_then(|machine| machine.deadline()),
        }
    }

    /// Changes what a silence until `now` changes.
    pub fn expire(&mut self, call: &mut Call, now: Timestamp) {
        let Some(deadline) = self.deadline(call).filter(|deadline| *deadline <= now) else { return };
        match (call.kind, &mut self.subscription) {
            (CallKind::Subscribe, Some(machine)) => machine.expire(call, now),
            (CallKind::Invite, _) => {
                call.state = CallState::Timeout;
                call.ended = Some(deadline);
            }
            _ => self.request.get_or_insert_default().time_out(call, deadline),
        }
    }

    /// Whether the row's state is live by name only: a binding that ran out, a SUBSCRIBE that nobody answered.
    pub fn is_stale(&self, call: &Call, now: Timestamp) -> bool {
        match (call.state, &self.subscription) {
            (CallState::Registered, _) => self.lapses().is_some_and(|at| at <= now),
            (CallState::Requested, Some(machine)) => machine.stale_at().is_none_or(|at| at <= now),
            _ => false,
        }
    }

    /// When [`CallMachine::deadline`] or [`CallMachine::is_stale`] may say something new.
    pub fn wakes(&self, call: &Call) -> Option<Timestamp> {
        let stale = match (call.state, &self.subscription) {
            (CallState::Registered, _) => self.lapses(),
            (CallState::Requested, Some(machine)) => machine.stale_at(),
            _ => None,
        };
        match (self.deadline(call), stale) {
            (Some(deadline), Some(stale)) => Some(deadline.min(stale)),
            (deadline, stale) => deadline.or(stale),
        }
    }

    fn lapses(&self) -> Option<Timestamp> {
        self.request.as_ref().and_then(|machine| machine.lapses())
    }

    /// Gives back room that is not used, since the call seems to be over. What it knows it keeps: late messages come.
    pub fn shrink(&mut self) {
        self.transactions.shrink();
        self.seen.shrink();
        self.negotiation.forget_offer();
        self.media.shrink_to_fit();
    }

    /// Takes the SDP of a message; returns the codecs of the call if it changes them.
    pub fn negotiate(&mut self, reading: &Reading<'_>, sdp: &Sdp<'_>) -> Option<Vec<String>> {
        self.negotiation.apply(reading, sdp)
    }

    /// INVITE attempts so far (see [`InviteMachine::attempts`]).
    pub fn attempts(&self) -> u32 {
        self.invite.attempts
    }

    fn run(
        &mut self,
        call: &mut Call,
        reading: &Reading<'_>,
        transaction: &super::transaction::Transaction,
        samples: &mut Samples,
    ) {
        match call.kind {
            CallKind::Subscribe => {
                self.subscription.get_or_insert_default().apply(call, reading, transaction);
            }
            CallKind::Invite => self.invite.apply(call, reading, transaction, samples),
            CallKind::Other if matches!(transaction.method, Method::Bye | Method::Ack | Method::Cancel) => {
                self.invite.apply(call, reading, transaction, samples);
            }
            _ => self.request.get_or_insert_default().apply(call, reading, transaction, samples),
        }
    }

    /// A call is what its first request asks for, and an INVITE call once any INVITE is seen. `method` is that of the request, or
    /// of the request that a response answers.
    fn note_kind(&mut self, call: &mut Call, reading: &Reading<'_>, method: &Method) {
        if reading.is_request() && !self.has_request {
            self.has_request = true;
            if call.kind != CallKind::Invite {
                call.kind = kind_of(&reading.method);
                call.method = reading.method.clone();
            }
        }
        if *method == Method::Invite && call.kind != CallKind::Invite {
            call.kind = CallKind::Invite;
            call.method = Method::Invite;
            if call.state != CallState::Completed {
                call.state = CallState::Setup;
                call.status = None;
                call.ended = None;
            }
        }
    }
}

/// What is live has not ended, and what is not live has.
fn end_with_state(call: &mut Call, at: Timestamp) {
    if !call.state.is_live() {
        call.ended.get_or_insert(at);
    } else if call.ended.is_some() {
        call.ended = None;
        call.ended_by = None;
        call.cause = None;
    }
}

/// The kind of row that a request makes. A NOTIFY makes the row of a subscription whose SUBSCRIBE was not captured.
pub fn kind_of(method: &Method) -> CallKind {
    match method {
        Method::Invite => CallKind::Invite,
        Method::Subscribe | Method::Notify => CallKind::Subscribe,
        Method::Register => CallKind::Register,
        Method::Options => CallKind::Options,
        Method::Publish => CallKind::Publish,
        Method::Message => CallKind::Message,
        Method::Refer => CallKind::Refer,
        _ => CallKind::Other,
    }
}

/// The row that a message begins.
pub fn begin(key: CallKey, call_id: Arc<str>, arrival: &SipArrival, reading: &Reading<'_>) -> Call {
    let kind = kind_of(&reading.method);
    Call {
        key,
        call_id,
        kind,
        method: reading.method.clone(),
        from: party(arrival.message.from()),
        to: party(arrival.message.to()),
        src: reading.client(),
        dst: reading.server(),
        transport: reading.transport,
        state: match kind {
            CallKind::Invite => CallState::Setup,
            CallKind::Subscribe => CallState::Requested,
            _ => CallState::Pending,
        },
        status: None,
        reason: Arc::default(),
        ended_by: None,
        cause: None,
        started: reading.at,
        last: reading.at,
        ended: None,
        timing: Timing::default(),
        message_count: 0,
        retransmissions: 0,
        branches: 1,
        forwarded: 0,
        dialogs: Vec::new(),
        codecs: Arc::default(),
        streams: Vec::new(),
        subscription: None,
        identities: Arc::clone(&NO_IDENTITIES),
        messages: Arc::default(),
        facts: Arc::clone(&NO_FACTS),
    }
}

fn party(address: Option<NameAddr<'_>>) -> Party {
    let Some(address) = address else { return Party::default() };
    Party {
        user: address.user().as_ref().into(),
        uri: address.uri_text().as_ref().into(),
        display: address.display().as_ref().into(),
    }
}

/// Keeps the first value of each identity header. The INVITE of a later hop may be the first to carry one.
fn note_identities(call: &mut Call, reading: &Reading<'_>) {
    let message = reading.message;
    let text = |name| message.header_text(name).map(|value| Arc::from(value.as_ref()));
    if reading.is_request() {
        let is_first = call.message_count == 0;
        if !is_first && (reading.method != Method::Invite || !reading.to_tag.is_empty()) {
            return;
        }
        let known = &call.identities;
        let found = Identities {
            asserted: known.asserted.clone().or_else(|| text(HeaderName::PAssertedIdentity)),
            diversion: known.diversion.clone().or_else(|| text(HeaderName::Diversion)),
            history: known.history.clone().or_else(|| text(HeaderName::HistoryInfo)),
            replaces: known.replaces.clone().or_else(|| text(HeaderName::Replaces)),
            user_agent: known.user_agent.clone().or_else(|| text(HeaderName::UserAgent)),
            server: known.server.clone(),
        };
        if found != **known {
            call.identities = Arc::new(found);
        }
    } else if call.identities.server.is_none()
        && let Some(server) = text(HeaderName::Server).or_else(|| text(HeaderName::UserAgent))
    {
        Arc::make_mut(&mut call.identities).server = Some(server);
    }
}
