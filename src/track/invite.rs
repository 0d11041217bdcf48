//! An INVITE call from the first INVITE to the last BYE (RFC 3261, 13 to 15).
//!
//! The hop on which the first INVITE was seen is the caller's side: its messages alone make the state and the delays. The
//! same messages on other hops, which may be captured earlier, are left to the ladder.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::limits::CALL_BRANCHES;
use crate::packet::{Endpoint, FlowKey};
use crate::sip::Method;
use crate::time::Timestamp;

use super::branch::{self, Branch, Failure, Verdict};
use super::call::{Call, CallState, Dialog, DialogState, EndedBy, Timing};
use super::cause;
use super::dialog;
use super::reading::Reading;
use super::sample::{Sample, Samples};
use super::timer;
use super::transaction::Transaction;

/// Who sends the caller's INVITEs on the first hop.
#[derive(Debug)]
struct Caller {
    at: Endpoint,
    sent_by: Box<str>,
    tag: Box<str>,
}

/// What an INVITE call remembers between messages.
#[derive(Debug, Default)]
pub struct InviteMachine {
    caller: Option<Caller>,
    cseq: Option<u32>,
    first: Option<Timestamp>,
    newest: Option<Timestamp>,
    branches: SmallVec<[Branch; 1]>,
    /// INVITEs without To-tag by sender and CSeq number: more than one is a fork.
    forks: SmallVec<[(Endpoint, Option<u32>, u32); 1]>,
    ringing: Option<Timestamp>,
    answered_cseq: Option<u32>,
    answered: bool,
    /// In a dialog whose beginning was not captured.
    joined_late: bool,
    bye: Option<(EndedBy, FlowKey)>,
    /// Calls begun on this Call-ID: attempts, where all that a challenge or a redirection caused are one.
    pub attempts: u32,
}

impl InviteMachine {
    /// A message of the call that is no retransmission.
    pub fn apply(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction, samples: &mut Samples) {
        let method = if reading.is_request() { &reading.method } else { &transaction.method };
        match (reading.status, method) {
            (None, Method::Invite) => self.invite(call, reading, transaction),
            (None, Method::Cancel) => self.cancel(call, reading, transaction),
            (None, Method::Bye) => self.bye(call, reading),
            (None, Method::Ack) => self.ack(call, reading),
            (Some(status), Method::Invite) => self.response(call, reading, transaction, status, samples),
            (Some(status), Method::Bye) => self.bye_response(call, reading, transaction, status, samples),
            _ => {}
        }
    }

    /// A retransmission: the transaction is still alive.
    pub fn repeat(&mut self, reading: &Reading<'_>, transaction: &Transaction) {
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.serial == transaction.serial) {
            match reading.status {
                None if reading.method == Method::Invite => branch.sent = reading.at,
                Some(100..=199) => branch.heard = Some(reading.at),
                _ => {}
            }
        }
    }

    /// When the silence has lasted too long, unless something comes.
    pub fn deadline(&self, state: CallState) -> Option<Timestamp> {
        if !matches!(state, CallState::Setup | CallState::Ringing) {
            return None;
        }
        let open = self.branches.iter().filter(|branch| branch.is_open());
        open.map(|branch| match branch.heard {
            Some(heard) => heard.max(branch.sent).after(timer::RINGING),
            None => branch.sent.after(timer::TRANSACTION),
        })
        .max()
    }

    fn invite(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction) {
        if !reading.to_tag.is_empty() {
            self.join_late(call);
            return;
        }
        let known = self.branches.iter().any(|branch| branch.via == transaction.branch);
        if known || matches!(call.state, CallState::Answered | CallState::InCall) {
            return;
        }
        if self.caller.is_none() {
            self.caller = Some(Caller {
                at: reading.flow.src,
                sent_by: reading.sent_by.as_ref().into(),
                tag: reading.from_tag.as_ref().into(),
            });
        }
        let is_caller = self.is_caller(reading);
        if is_caller && (self.branches.is_empty() || self.cseq != reading.cseq || is_settled(call)) {
            self.begin_attempt(call, reading);
        }
        self.count_fork(call, reading);
        if is_caller && self.branches.len() < CALL_BRANCHES {
            self.branches.push(Branch::new(transaction, reading.at));
            self.settle(call, reading.at);
        }
    }

    /// An in-dialog request of a call whose beginning was not captured proves that it is up.
    fn join_late(&mut self, call: &mut Call) {
        if self.caller.is_none() && self.branches.is_empty() && !self.answered && self.bye.is_none() {
            self.joined_late = true;
            call.state = CallState::InCall;
        }
    }

    fn is_caller(&self, reading: &Reading<'_>) -> bool {
        let Some(caller) = &self.caller else { return false };
        caller.at == reading.flow.src || (!reading.sent_by.is_empty() && *caller.sent_by == *reading.sent_by)
    }

    fn count_fork(&mut self, call: &mut Call, reading: &Reading<'_>) {
        let sender = reading.flow.src;
        let has_room = self.forks.len() < CALL_BRANCHES;
        match self.forks.iter_mut().find(|fork| fork.0 == sender && fork.1 == reading.cseq) {
            Some(fork) => {
                fork.2 = fork.2.saturating_add(1);
                call.branches = call.branches.max(fork.2);
            }
            None if has_room => self.forks.push((sender, reading.cseq, 1)),
            None => {}
        }
    }

    /// A further attempt of the same call after a challenge, a 422 or a redirection; else a new call with an old Call-ID.
    fn begin_attempt(&mut self, call: &mut Call, reading: &Reading<'_>) {
        let goes_on = match call.state {
            CallState::Challenged | CallState::Setup | CallState::Ringing => self.first.is_some(),
            CallState::Redirected => true,
            CallState::Failed => call.status == Some(422),
            _ => false,
        };
        if goes_on {
            if matches!(call.state, CallState::Redirected | CallState::Failed) {
                call.timing.retries += 1;
            }
            call.timing.pdd = None;
            call.timing.pdd_status = None;
            call.timing.ring = None;
        } else {
            self.attempts += 1;
            call.timing = Timing::default();
            self.first = Some(reading.at);
        }
        self.newest = Some(reading.at);
        self.cseq = reading.cseq;
        self.branches.clear();
        self.forks.retain(|fork| fork.0 != reading.flow.src || fork.1 != reading.cseq);
        self.ringing = None;
        self.answered = false;
        self.answered_cseq = None;
        self.bye = None;
    }

    fn cancel(&mut self, call: &mut Call, reading: &Reading<'_>, transaction: &Transaction) {
        if self.caller.is_none() && self.branches.is_empty() {
            if call.state == CallState::Pending {
                call.state = CallState::Cancelled;
                call.ended = Some(reading.at);
            }
            return;
        }
        let mut found = false;
        for branch in &mut self.branches {
            if branch.via == transaction.branch && branch.failure.is_none() {
                branch.cancelled = true;
                found = true;
            }
        }
        if found && !self.answered {
            self.settle(call, reading.at);
            if call.state == CallState::Cancelled {
                call.ended_by = Some(EndedBy::Caller);
                call.cause = cause::reason_header(reading.message);
            }
        }
    }

    fn response(
        &mut self,
        call: &mut Call,
        reading: &Reading<'_>,
        transaction: &Transaction,
        status: u64,
        samples: &mut Samples,
    ) {
        if self.caller.is_none() && self.branches.is_empty() && !self.joined_late && self.bye.is_none() {
            self.adopt(reading, transaction);
        }
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.serial == transaction.serial) else { return };
        if branch.failure.is_some() || self.answered {
            return;
        }
        match status {
            ..=199 => {
                branch.heard = Some(reading.at);
                branch.ringing |= status > 100;
                call.forwarded += u32::from(status == 181);
            }
            200..=299 => {
                self.answer(call, reading, status, samples);
                return;
            }
            _ => branch.failure = Some(Box::new(Failure::new(reading.message, status))),
        }
        self.take_times(call, reading.at, status, samples);
        self.settle(call, reading.at);
        if status < 200
            && matches!(call.state, CallState::Setup | CallState::Ringing)
            && call.status.is_none_or(|shown| shown < status)
        {
            explain(call, reading, status);
        }
    }

    /// A response whose INVITE was not captured.
    fn adopt(&mut self, reading: &Reading<'_>, transaction: &Transaction) {
        self.cseq = reading.cseq;
        self.branches.push(Branch::new(transaction, reading.at));
    }

    /// Post-dial delay, ring time and the time spent on challenges, as far as a response that is no 2xx ends them.
    fn take_times(&mut self, call: &mut Call, at: Timestamp, status: u64, samples: &mut Samples) {
        if matches!(status, 401 | 407) {
            call.timing.challenges += 1;
            return;
        }
        if status <= 100 {
            return;
        }
        self.end_dialling(call, at, status, samples);
        if matches!(status, 180 | 183) {
            self.ringing.get_or_insert(at);
        }
        let over = self.branches.iter().all(|branch| branch.failure.is_some());
        if status >= 300 && over {
            self.end_ringing(call, at, samples);
        }
    }

    fn end_dialling(&self, call: &mut Call, at: Timestamp, status: u64, samples: &mut Samples) {
        let (Some(first), Some(newest), None) = (self.first, self.newest, call.timing.pdd) else { return };
        let (auth, pdd) = (newest.since(first), at.since(newest));
        call.timing.auth = Some(auth);
        call.timing.pdd = Some(pdd);
        call.timing.pdd_status = Some(status);
        // A 422 is always followed by another attempt, which has its own delay.
        if status != 422 {
            samples.push(Sample::Pdd(pdd));
            if call.timing.challenges > 0 {
                samples.push(Sample::Auth(auth));
            }
        }
    }

    fn end_ringing(&self, call: &mut Call, at: Timestamp, samples: &mut Samples) {
        if let (Some(ringing), None) = (self.ringing, call.timing.ring) {
            let ring = at.since(ringing);
            call.timing.ring = Some(ring);
            samples.push(Sample::Ring(ring));
        }
    }

    fn answer(&mut self, call: &mut Call, reading: &Reading<'_>, status: u64, samples: &mut Samples) {
        self.answered = true;
        self.answered_cseq = reading.cseq;
        self.end_dialling(call, reading.at, status, samples);
        self.end_ringing(call, reading.at, samples);
        if let Some(newest) = self.newest {
            let setup = reading.at.since(newest);
            call.timing.setup = Some(setup);
            samples.push(Sample::Setup(setup));
        }
        call.timing.answered = Some(reading.at);
        explain(call, reading, status);
        call.cause = None;
        if self.bye.is_none() {
            call.state = CallState::Answered;
            call.ended = None;
            call.ended_by = None;
        }
    }

    fn ack(&mut self, call: &mut Call, reading: &Reading<'_>) {
        let seen_nothing = self.caller.is_none() && self.branches.is_empty() && self.bye.is_none();
        if seen_nothing && call.state == CallState::Pending {
            // Most lone ACKs are those of a 2xx: the one of a failure follows it at once, and both are captured or none.
            self.joined_late = true;
            call.state = CallState::InCall;
            return;
        }
        if !self.answered || reading.cseq != self.answered_cseq || call.timing.ack.is_some() {
            return;
        }
        if let Some(answered) = call.timing.answered {
            call.timing.ack = Some(reading.at.since(answered));
        }
        if call.state == CallState::Answered {
            call.state = CallState::InCall;
        }
    }

    fn bye(&mut self, call: &mut Call, reading: &Reading<'_>) {
        let side = self.side(call, reading);
        if let Some((first, flow)) = self.bye {
            // A server in the middle that hangs up on both sides speaks to each in the name of the other.
            let (caller, callee) = (call.src.ip, call.dst.ip);
            let same_host = flow.src.ip == reading.flow.src.ip;
            let both_ways = side.is_some_and(|side| side != first) && flow.dst.ip != reading.flow.dst.ip;
            if same_host && both_ways && flow.src.ip != caller && self.forks.len() > 1 && callee == flow.src.ip {
                call.ended_by = Some(EndedBy::Network);
            }
            return;
        }
        if matches!(
            call.state,
            CallState::Failed | CallState::Cancelled | CallState::Redirected | CallState::Challenged
        ) {
            return;
        }
        let is_up = |dialog: &Dialog| dialog.state == DialogState::Confirmed && self.is_callers(dialog);
        if dialog::of(&call.dialogs, reading).is_some() && call.dialogs.iter().any(is_up) {
            // A fork that several phones answered: the others are still up (13.2.2.4).
            return;
        }
        self.bye = Some((side.unwrap_or(EndedBy::Network), reading.flow));
        call.ended_by = side;
        call.timing.hung_up = Some(reading.at);
        call.state = CallState::Completed;
        call.ended = Some(reading.at);
        call.cause = cause::reason_header(reading.message);
        dialog::end_early(&mut call.dialogs);
    }

    /// Whether it is a dialog of the caller's hop: a server in the middle may make tags of its own for the next one.
    fn is_callers(&self, dialog: &Dialog) -> bool {
        let tag = self.caller.as_ref().map_or("", |caller| &caller.tag);
        tag.is_empty() || *dialog.from_tag == *tag || *dialog.to_tag == *tag
    }

    /// Whose BYE it is: by its From tag, else by its sender's address. Unknown if the INVITE was not captured.
    fn side(&self, call: &Call, reading: &Reading<'_>) -> Option<EndedBy> {
        let caller = self.caller.as_ref()?;
        if !caller.tag.is_empty() && *caller.tag == *reading.from_tag {
            return Some(EndedBy::Caller);
        }
        if !caller.tag.is_empty() && *caller.tag == *reading.to_tag {
            return Some(EndedBy::Callee);
        }
        match reading.flow.src {
            src if src == call.src => Some(EndedBy::Caller),
            src if src == call.dst => Some(EndedBy::Callee),
            src if src.ip == call.src.ip && src.ip != call.dst.ip => Some(EndedBy::Caller),
            src if src.ip == call.dst.ip && src.ip != call.src.ip => Some(EndedBy::Callee),
            _ => None,
        }
    }

    fn bye_response(
        &mut self,
        call: &mut Call,
        reading: &Reading<'_>,
        transaction: &Transaction,
        status: u64,
        samples: &mut Samples,
    ) {
        if self.caller.is_none() && self.branches.is_empty() && self.bye.is_none() {
            self.bye = Some((EndedBy::Network, reading.flow));
            call.state = CallState::Completed;
            call.ended = Some(reading.at);
        }
        if call.status.is_none() {
            explain(call, reading, status);
        }
        if let (200..=299, Some(requested), false) = (status, transaction.requested, transaction.is_finished) {
            samples.push(Sample::Release(reading.at.since(requested)));
        }
    }

    /// The state that the branches of this attempt make together.
    fn settle(&mut self, call: &mut Call, at: Timestamp) {
        if self.answered {
            return;
        }
        let was = call.state;
        match branch::verdict(&self.branches) {
            Verdict::None => return,
            // A BYE ended the early dialog; the INVITE's 487 is still to come (15).
            Verdict::Open { .. } if self.bye.is_some() => return,
            Verdict::Open { ringing } => {
                call.state = if ringing { CallState::Ringing } else { CallState::Setup };
                call.ended = None;
                call.ended_by = None;
                call.cause = None;
                if call.status.is_some_and(|shown| shown >= 300) {
                    call.status = None;
                    call.reason = Arc::default();
                }
                return;
            }
            // A 2xx may still cross the CANCEL: until then no dialog has ended.
            Verdict::Cancelled => call.state = CallState::Cancelled,
            Verdict::Failed(failure) => {
                dialog::end_early(&mut call.dialogs);
                call.state = failure.state();
                call.status = Some(failure.status);
                call.reason = Arc::clone(&failure.phrase);
                if call.state == CallState::Challenged {
                    call.cause = None;
                } else if call.state != CallState::Cancelled || call.cause.is_none() {
                    call.cause.clone_from(&failure.cause);
                }
            }
        }
        if call.state != was || call.ended.is_none() {
            call.ended = Some(at);
        }
    }
}

/// Whether a further INVITE with the same CSeq cannot be one more branch: the attempt has come to an end.
fn is_settled(call: &Call) -> bool {
    match call.state {
        CallState::Challenged | CallState::Redirected | CallState::Completed => true,
        CallState::Failed => call.status == Some(422),
        _ => false,
    }
}

/// Shows this status as the one that explains the state.
fn explain(call: &mut Call, reading: &Reading<'_>, status: u64) {
    call.status = Some(status);
    let phrase = reading.message.reason().unwrap_or_default();
    if *call.reason != *phrase {
        call.reason = phrase.as_ref().into();
    }
}
