//! The state of a SUBSCRIBE row (RFC 6665): what each subscription of the Call-ID has come to.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::limits::CALL_SUBSCRIPTIONS;
use crate::packet::Endpoint;
use crate::sip::Method;
use crate::time::{Elapsed, Timestamp};

use super::call::{Call, CallState, SubscriptionInfo};
use super::cause;
use super::reading::Reading;
use super::timer;
use super::transaction::Transaction;

/// One subscription: event package, id, and the notifier's tag.
#[derive(Debug)]
struct Usage {
    event: Arc<str>,
    id: Option<Arc<str>>,
    notifier: Box<str>,
    state: CallState,
    status: Option<u64>,
    phrase: Arc<str>,
    cause: Option<Arc<str>>,
    /// The newest SUBSCRIBE, while it has no final response.
    subscribe: Option<u32>,
    /// That one goes without a To-tag: it makes the subscription.
    first: bool,
    /// That one asks for zero seconds.
    ending: bool,
    subscribed: Option<Timestamp>,
    requested_s: Option<u32>,
    accepted: bool,
    granted_s: Option<u32>,
    ends: Option<Timestamp>,
    reason: Option<Arc<str>>,
    notifies: u32,
    last_notify: Option<u32>,
    /// NOTIFYs without a final response.
    unanswered: SmallVec<[u32; 4]>,
    ended: Option<Timestamp>,
}

/// What such a row remembers between messages.
#[derive(Debug, Default)]
pub struct SubscriptionMachine {
    usages: SmallVec<[Usage; 1]>,
    watcher: Option<(Endpoint, Box<str>)>,
    resource: Option<Arc<str>>,
}

impl SubscriptionMachine {
    /// A message of the row that is no retransmission.
    pub fn apply(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction) {
        match (reading.status, &transaction.method) {
            (None, Method::Subscribe) => self.subscribe(reading, transaction),
            (None, Method::Notify) => self.notify(reading, transaction),
            (Some(status @ 200..), Method::Subscribe) => self.answered(reading, transaction, status),
            (Some(status @ 200..), Method::Notify) => self.notify_answered(reading, transaction, status),
            _ => return,
        }
        self.show(call);
    }

    /// When the next thing happens by itself.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.usages.iter().filter_map(Usage::deadline).min()
    }

    /// When nothing more is expected of a row that is only asked for: 64·T1 after the newest SUBSCRIBE.
    pub fn stale_at(&self) -> Option<Timestamp> {
        self.usages.iter().filter_map(|usage| usage.subscribed).max().map(|at| at.after(timer::TRANSACTION))
    }

    /// Ends what has run out by `now`.
    pub fn expire(&mut self, call: &mut Call, now: Timestamp) {
        for usage in &mut self.usages {
            if let Some(deadline) = usage.deadline().filter(|deadline| *deadline <= now) {
                usage.state = if usage.ending { CallState::Terminated } else { CallState::Expired };
                usage.ended = Some(deadline);
            }
        }
        self.show(call);
    }

    fn subscribe(&mut self, reading: &Reading<'_>, transaction: &Transaction) {
        let watcher = self.watcher.get_or_insert_with(|| (reading.flow.src, Box::from(reading.sent_by.as_ref())));
        if watcher.0 != reading.flow.src && *watcher.1 != *reading.sent_by {
            return;
        }
        if self.resource.is_none() {
            self.resource = reading.message.request_uri().map(|uri| user_of(&uri));
        }
        let Some(usage) = self.usage(reading, &reading.to_tag) else { return };
        let in_dialog = !reading.to_tag.is_empty() || (usage.accepted && !usage.is_over());
        usage.subscribe = Some(transaction.serial);
        usage.first = !in_dialog;
        usage.subscribed = Some(reading.at);
        usage.requested_s = reading.message.expires();
        usage.ending = in_dialog && usage.requested_s == Some(0);
        if !in_dialog {
            usage.restart();
            if usage.state != CallState::Orphan || usage.notifies == 0 {
                usage.state = CallState::Requested;
            }
        }
    }

    fn answered(&mut self, reading: &Reading<'_>, transaction: &Transaction, status: u64) {
        let serial = transaction.serial;
        let Some(usage) = self.usages.iter_mut().find(|usage| usage.subscribe == Some(serial)) else {
            if self.usages.is_empty() {
                self.answered_unseen(reading, status);
            }
            return;
        };
        usage.subscribe = None;
        match status {
            200..=299 => usage.accept(reading, status),
            401 | 407 | 423 => usage.explain(reading, status),
            _ if usage.first => {
                usage.explain(reading, status);
                usage.end(if usage.accepted { CallState::Terminated } else { CallState::Rejected }, reading);
            }
            _ if ends_usage(status) => {
                usage.explain(reading, status);
                usage.end(CallState::Terminated, reading);
            }
            // Any other failure leaves the subscription as it was (RFC 6665, 4.1.2.2).
            _ => usage.ending = false,
        }
    }

    /// The capture began between the SUBSCRIBE and its answer.
    fn answered_unseen(&mut self, reading: &Reading<'_>, status: u64) {
        let Some(usage) = self.usage(reading, &reading.to_tag) else { return };
        usage.state = CallState::Requested;
        match status {
            200..=299 => usage.accept(reading, status),
            401 | 407 | 423 => usage.explain(reading, status),
            _ => {
                usage.explain(reading, status);
                usage.end(CallState::Rejected, reading);
            }
        }
    }

    fn notify(&mut self, reading: &Reading<'_>, transaction: &Transaction) {
        let subscribed = self.watcher.is_some();
        if self.resource.is_none() {
            self.resource = reading.message.from().map(|from| from.user().as_ref().into());
        }
        let Some(usage) = self.usage(reading, &reading.from_tag) else { return };
        if usage.notifier.is_empty() {
            usage.notifier = reading.from_tag.as_ref().into();
        }
        // A proxy's copy of it on the next hop is the same NOTIFY.
        if usage.notifies > 0 && usage.last_notify == reading.cseq {
            return;
        }
        usage.notifies = usage.notifies.saturating_add(1);
        usage.last_notify = reading.cseq;
        if usage.unanswered.len() >= 4 {
            usage.unanswered.remove(0);
        }
        usage.unanswered.push(transaction.serial);
        let state = reading.message.subscription_state();
        if state.is_some_and(|state| state.is("terminated")) {
            usage.reason = state.and_then(|state| state.reason()).map(|reason| reason.as_ref().into());
            usage.cause.clone_from(&usage.reason);
            usage.end(CallState::Terminated, reading);
            return;
        }
        if usage.is_over() {
            return;
        }
        usage.state = match state {
            _ if !subscribed && !usage.accepted => CallState::Orphan,
            Some(state) if state.is("pending") => CallState::SubPending,
            _ => CallState::Active,
        };
        if let Some(left) = state.and_then(|state| state.expires()) {
            usage.grant(left, reading.at);
        }
    }

    fn notify_answered(&mut self, reading: &Reading<'_>, transaction: &Transaction, status: u64) {
        let serial = transaction.serial;
        let Some(usage) = self.usages.iter_mut().find(|usage| usage.unanswered.contains(&serial)) else { return };
        usage.unanswered.retain(|waiting| *waiting != serial);
        if status < 300 {
            usage.accepted |= usage.state == CallState::Orphan;
        } else if ends_usage(status) && !usage.is_over() {
            usage.explain(reading, status);
            usage.end(if usage.accepted { CallState::Terminated } else { CallState::Rejected }, reading);
        }
    }

    /// The subscription with this Event and notifier's tag; a new one if there is none.
    fn usage(&mut self, reading: &Reading<'_>, notifier: &str) -> Option<&mut Usage> {
        let event = reading.message.event();
        let package = event.map(|event| event.package()).unwrap_or_default();
        let id = event.and_then(|event| event.id());
        // The answer to a SUBSCRIBE has no Event.
        let any_event = event.is_none();
        let known = self.usages.iter().position(|usage| {
            let same_event = any_event || (*usage.event == *package && usage.id.as_deref() == id.as_deref());
            same_event && (notifier.is_empty() || usage.notifier.is_empty() || *usage.notifier == *notifier)
        });
        if known.is_none() {
            if self.usages.len() >= CALL_SUBSCRIPTIONS {
                return None;
            }
            self.usages.push(Usage::new(package.as_ref().into(), id.map(|id| id.as_ref().into()), notifier));
        }
        match known {
            Some(at) => self.usages.get_mut(at),
            None => self.usages.last_mut(),
        }
    }

    /// Writes the liveliest subscription into the row.
    fn show(&self, call: &mut Call) {
        let Some(usage) = self.usages.iter().max_by_key(|usage| (rank(usage.state), usage.notifies)) else { return };
        call.state = usage.state;
        call.status = usage.status;
        call.reason = Arc::clone(&usage.phrase);
        call.cause.clone_from(&usage.cause);
        call.ended = usage.ended;
        call.subscription = Some(Box::new(SubscriptionInfo {
            event: Arc::clone(&usage.event),
            event_id: usage.id.clone(),
            resource: self.resource.clone().unwrap_or_default(),
            granted_s: usage.granted_s,
            expires_at: usage.ends,
            reason: usage.reason.clone(),
            notifies: self.usages.iter().map(|usage| usage.notifies).sum(),
        }));
    }
}

impl Usage {
    fn new(event: Arc<str>, id: Option<Arc<str>>, notifier: &str) -> Self {
        Self {
            event,
            id,
            notifier: notifier.into(),
            state: CallState::Orphan,
            status: None,
            phrase: Arc::default(),
            cause: None,
            subscribe: None,
            first: false,
            ending: false,
            subscribed: None,
            requested_s: None,
            accepted: false,
            granted_s: None,
            ends: None,
            reason: None,
            notifies: 0,
            last_notify: None,
            unanswered: SmallVec::new(),
            ended: None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, CallState::Terminated | CallState::Rejected | CallState::Expired)
    }

    /// A new SUBSCRIBE without To-tag: whatever came before is forgotten, but for NOTIFYs that were faster.
    fn restart(&mut self) {
        if self.state != CallState::Orphan {
            self.notifier = Box::default();
            self.accepted = false;
        }
        self.ended = None;
        self.reason = None;
        self.cause = None;
        self.status = None;
        self.phrase = Arc::default();
    }

    fn accept(&mut self, reading: &Reading<'_>, status: u64) {
        self.accepted = true;
        if self.state == CallState::Expired {
            self.state = CallState::Active;
            self.ended = None;
        }
        if self.is_over() {
            return;
        }
        self.explain(reading, status);
        if self.state == CallState::Requested {
            self.state = CallState::Accepted;
        } else if self.state == CallState::Orphan {
            self.state = CallState::Active;
        }
        if self.ending {
            return;
        }
        if let Some(granted) = reading.message.expires().or(self.requested_s) {
            self.granted_s = Some(granted);
            self.ends = Some(reading.at.after(Elapsed::from_secs(i64::from(granted))));
        }
    }

    /// A Subscription-State may shorten the granted time; it must not lengthen it.
    fn grant(&mut self, left: u32, at: Timestamp) {
        let ends = at.after(Elapsed::from_secs(i64::from(left)));
        if self.ends.is_none_or(|known| ends < known) {
            self.ends = Some(ends);
        }
        if self.granted_s.is_none_or(|granted| left < granted) {
            self.granted_s = Some(left);
        }
    }

    fn end(&mut self, state: CallState, reading: &Reading<'_>) {
        if !self.is_over() {
            self.state = state;
            self.ended = Some(reading.at);
        }
    }

    fn explain(&mut self, reading: &Reading<'_>, status: u64) {
        self.status = Some(status);
        self.phrase = reading.message.reason().unwrap_or_default().as_ref().into();
        if status >= 300 && !matches!(status, 401 | 407 | 423) {
            self.cause = cause::of_failure(reading.message);
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            CallState::Accepted | CallState::SubPending | CallState::Active if self.ending => {
                self.subscribed.map(|at| at.after(timer::TRANSACTION))
            }
            CallState::Accepted | CallState::SubPending | CallState::Active => {
                self.ends.map(|ends| ends.after(timer::GRACE))
            }
            _ => None,
        }
    }
}

/// Final statuses that end a subscription, as answers to a refresh or to a NOTIFY (RFC 6665, 4.1.2.2, 4.2.2; RFC 5057, 5.1).
const fn ends_usage(status: u64) -> bool {
    matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

/// Which of several subscriptions a row shows.
const fn rank(state: CallState) -> u8 {
    match state {
        CallState::Active => 8,
        CallState::SubPending => 7,
        CallState::Accepted => 6,
        CallState::Requested => 5,
        CallState::Orphan => 4,
        CallState::Terminated => 3,
        CallState::Expired => 2,
        _ => 1,
    }
}

fn user_of(uri: &str) -> Arc<str> {
    crate::sip::uri::Uri::parse(uri.as_bytes()).name().as_ref().into()
}
