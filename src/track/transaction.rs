//! Transactions (RFC 3261, 17), as seen on one hop.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::limits::CALL_TRANSACTIONS;
use crate::packet::Endpoint;
use crate::sip::Method;
use crate::time::Timestamp;

use super::reading::Reading;

/// One transaction on one hop.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its number within the call, in order of appearance.
    pub serial: u32,
    /// The number of its top Via branch within the call, in order of appearance.
    pub branch: u32,
    /// Method of the request; of the responses' CSeq, if the request was not seen.
    pub method: Method,
    /// Who sent the request on this hop.
    pub client: Endpoint,
    /// Who got it.
    pub server: Endpoint,
    /// First transmission of the request.
    pub requested: Option<Timestamp>,
    /// Whether there was a final response.
    pub is_finished: bool,
    key: u64,
    branch_key: u64,
    /// Tells requests apart that have no unique branch.
    old_key: u64,
}

/// The newest transactions of a call.
#[derive(Debug, Default)]
pub struct Transactions {
    list: VecDeque<Transaction>,
    next_serial: u32,
    next_branch: u32,
}

impl Transactions {
    /// The transaction that this message belongs to; a new one if there is none yet.
    pub fn of(&mut self, reading: &Reading<'_>, keys: &RandomState) -> &mut Transaction {
        let position = self.find(reading, keys).unwrap_or_else(|| self.add(reading, keys));
        // `find` and `add` give positions of this list, which `add` has just filled.
        let last = self.list.len().saturating_sub(1);
        &mut self.list[position.min(last)]
    }

    /// The transaction with this serial number, while it is remembered.
    pub fn get(&self, serial: u32) -> Option<&Transaction> {
        self.list.iter().rev().find(|transaction| transaction.serial == serial)
    }

    /// Gives back room that is not used.
    pub fn shrink(&mut self) {
        self.list.shrink_to_fit();
    }

    fn find(&self, reading: &Reading<'_>, keys: &RandomState) -> Option<usize> {
        if reading.method == Method::Ack && reading.is_request() {
            // The ACK of a final response other than 2xx is part of the INVITE's transaction (17.1.1.3).
            let invite = self.find_key(reading, key(reading, Method::Invite.as_str(), keys), None);
            if invite.is_some() {
                return invite;
            }
        }
        let old_key =
            (!reading.unique && reading.is_request() && reading.method != Method::Ack).then(|| old_key(reading, keys));
        self.find_key(reading, key(reading, key_method(reading), keys), old_key)
    }

    fn find_key(&self, reading: &Reading<'_>, key: u64, old_key: Option<u64>) -> Option<usize> {
        let mut elsewhere = None;
        for (position, transaction) in self.list.iter().enumerate().rev() {
            let differs = old_key.is_some_and(|wanted| transaction.old_key != 0 && transaction.old_key != wanted);
            if transaction.key != key || differs {
                continue;
            }
            if transaction.client == reading.client() && transaction.server == reading.server() {
                return Some(position);
            }
            elsewhere = elsewhere.or(Some(position));
        }
        // A response may come from another address than the request went to; the same request on another way is another hop.
        elsewhere.filter(|_| !reading.is_request())
    }

    fn add(&mut self, reading: &Reading<'_>, keys: &RandomState) -> usize {
        if self.list.len() >= CALL_TRANSACTIONS {
            self.list.pop_front();
        }
        let sent_by = if reading.unique { "" } else { sent_by(reading) };
        let branch_key = keys.hash_one((&reading.branch, sent_by));
        let known = self.list.iter().rev().find(|transaction| transaction.branch_key == branch_key);
        let branch = known.map_or(self.next_branch, |transaction| transaction.branch);
        if branch == self.next_branch {
            self.next_branch = self.next_branch.saturating_add(1);
        }
        let old_key = if reading.unique || !reading.is_request() { 0 } else { old_key(reading, keys) };
        self.list.push_back(Transaction {
            serial: self.next_serial,
            branch,
            method: reading.method.clone(),
            client: reading.client(),
            server: reading.server(),
            requested: None,
            is_finished: false,
            key: key(reading, key_method(reading), keys),
            branch_key,
            old_key,
        });
        self.next_serial = self.next_serial.saturating_add(1);
        self.list.len() - 1
    }
}

/// A request is answered with its own CSeq, so that its method there is the one that its responses share with it, even when it differs from the
/// request line.
fn key_method<'a>(reading: &'a Reading<'_>) -> &'a str {
    if reading.cseq_method.is_empty() { reading.method.as_str() } else { &reading.cseq_method }
}

/// Branch, sent-by and method (17.1.3, 17.2.3); tags and CSeq too where the branch is not unique.
fn key(reading: &Reading<'_>, method: &str, keys: &RandomState) -> u64 {
    let mut hash = keys.build_hasher();
    reading.branch.hash(&mut hash);
    sent_by(reading).hash(&mut hash);
    method.hash(&mut hash);
    if !reading.unique {
        reading.from_tag.hash(&mut hash);
        reading.cseq_text.hash(&mut hash);
    }
    hash.finish()
}

/// Without the default port: some phones write it in the INVITE and leave it out in the CANCEL.
fn sent_by<'a>(reading: &'a Reading<'_>) -> &'a str {
    reading.sent_by.strip_suffix(":5060").unwrap_or(&reading.sent_by)
}

/// What RFC 2543 requests are told apart by besides: Request-URI and To tag. Never 0.
fn old_key(reading: &Reading<'_>, keys: &RandomState) -> u64 {
    keys.hash_one((reading.message.request_uri(), &reading.to_tag)) | 1
}
