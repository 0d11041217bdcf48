//! The branches of one attempt to call: several where the caller's side forks, and what they come to together.

use std::sync::Arc;

use crate::sip::SipMessage;
use crate::time::Timestamp;

use super::call::CallState;
use super::cause;
use super::transaction::Transaction;

/// One INVITE transaction of the caller's side.
#[derive(Debug)]
pub struct Branch {
    /// Its transaction.
    pub serial: u32,
    /// Its Via branch.
    pub via: u32,
    /// Newest transmission of the INVITE.
    pub sent: Timestamp,
    /// Newest provisional response.
    pub heard: Option<Timestamp>,
    /// Whether a 101–199 came.
    pub ringing: bool,
    /// Whether a CANCEL went after it.
    pub cancelled: bool,
    /// How it failed, once it did.
    pub failure: Option<Box<Failure>>,
}

/// A final response that is no 2xx.
#[derive(Debug)]
pub struct Failure {
    /// Status.
    pub status: u64,
    /// Reason phrase.
    pub phrase: Arc<str>,
    /// Why, as the response says.
    pub cause: Option<Arc<str>>,
}

/// What the branches come to together.
#[derive(Debug)]
pub enum Verdict<'b> {
    /// There are none.
    None,
    /// One at least is open.
    Open {
        /// An open one rings.
        ringing: bool,
    },
    /// None is open; one was cancelled, and its final response is still to come.
    Cancelled,
    /// All have failed, with this to show for it.
    Failed(&'b Failure),
}

impl Branch {
    /// A branch whose INVITE was first seen at `sent`.
    pub fn new(transaction: &Transaction, sent: Timestamp) -> Self {
        Self {
            serial: transaction.serial,
            via: transaction.branch,
            sent,
            heard: None,
            ringing: false,
            cancelled: false,
            failure: None,
        }
    }

    /// Whether more is expected of it.
    pub fn is_open(&self) -> bool {
        self.failure.is_none() && !self.cancelled
    }
}

impl Failure {
    /// Of a final response.
    pub fn new(message: &SipMessage, status: u64) -> Self {
        let phrase = message.reason().unwrap_or_default().as_ref().into();
        Self { status, phrase, cause: cause::of_failure(message) }
    }

    /// What it makes of a call. Only a 487 tells that a CANCEL had an effect; with any other status it came too late, or was
    /// not heard (RFC 3261, 9.2).
    pub fn state(&self) -> CallState {
        match self.status {
            401 | 407 => CallState::Challenged,
            300..=399 => CallState::Redirected,
            487 => CallState::Cancelled,
            _ => CallState::Failed,
        }
    }
}

/// What these branches, none of which was answered, come to.
pub fn verdict(branches: &[Branch]) -> Verdict<'_> {
    if branches.is_empty() {
        return Verdict::None;
    }
    if branches.iter().any(Branch::is_open) {
        return Verdict::Open { ringing: branches.iter().any(|branch| branch.is_open() && branch.ringing) };
    }
    let failures = || branches.iter().filter_map(|branch| branch.failure.as_deref());
    if let Some(cancelled) = failures().find(|failure| failure.status == 487) {
        return Verdict::Failed(cancelled);
    }
    if branches.iter().any(|branch| branch.failure.is_none()) {
        return Verdict::Cancelled;
    }
    // What a forking proxy would pass on (RFC 3261, 16.7): a 6xx, else the lowest.
    match failures().min_by_key(|failure| (failure.status < 600, failure.status)) {
        Some(failure) => Verdict::Failed(failure),
        None => Verdict::None,
    }
}
