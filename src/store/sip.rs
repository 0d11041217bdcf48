//! What happens to the store when a SIP message arrives.

use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::event::SipArrival;
use crate::limits::{CALL_FLOWS, SHARED_IDENTITIES};
use crate::packet::{Endpoint, FlowKey};
use crate::rtp::vq_report::VqReport;
use crate::sdp::Sdp;
use crate::sip::multipart::sdp_body;
use crate::sip::{HeaderName, Method, SipMessage};
use crate::track::call::{Call, CallKey, CallKind, CallState, EndedBy, Identities};
use crate::track::machine::{self, Outcome};
use crate::track::message::Message;
use crate::track::reading::Reading;

use crate::time::Timestamp;

use super::{CallEntry, Change, Store, add_fact, row_bytes};

/// What of a row makes a [`Change::Call`] when it differs.
type Shown = (CallState, CallKind, Option<u64>, Option<EndedBy>, u32, usize);

fn shown(call: &Call) -> Shown {
    (call.state, call.kind, call.status, call.ended_by, call.branches, call.dialogs.len())
}

impl Store {
    pub(super) fn sip(&mut self, arrival: SipArrival, changes: &mut Vec<Change>) {
        let at = arrival.at;
        self.now = self.now.max(Some(at));
        // What timed out before this message came must not depend on how packets were batched.
        self.ring(at, changes);
        let reading = Reading::new(&arrival);
        let (key, is_new) = self.call_of(&arrival, &reading);
        let (Some(call), Some(entry)) = (self.calls.get_mut(key.0), self.entries.get_mut(&key)) else { return };
        let before = shown(call);
        let ordinal = u32::try_from(call.message_count).unwrap_or(u32::MAX);
        let identities = Arc::as_ptr(&call.identities);
        let outcome = entry.machine.apply(call, &reading, ordinal, &self.keys);
        if identities != Arc::as_ptr(&call.identities) {
            share(&mut self.identities, &mut call.identities);
        }
        let is_repeat = outcome.repeats.is_some();
        call.message_count += 1;
        call.retransmissions += u64::from(is_repeat);
        call.last = call.last.max(at);
        let is_changed = is_new || before != shown(call);
        self.collector.message(&reading, is_repeat);
        for sample in &outcome.samples {
            self.collector.sample(sample, reading.server().ip);
        }
        let sdp = sdp_body(&arrival.message);
        let has_sdp = sdp.is_some();
        if let (Some(sdp), false) = (sdp, is_repeat) {
            self.describe(key, &reading, sdp, changes);
        }
        if !is_repeat && is_quality_report(&arrival.message) {
            self.quality_report(arrival.message.body(), at, arrival.flow.src);
        }
        self.join_flow(key, arrival.flow);
        drop(reading);
        self.keep(key, arrival, ordinal, &outcome, has_sdp);
        changes.push(Change::Message { call: key, ordinal });
        if is_changed {
            changes.push(Change::Call(key));
        }
        self.settle(key, at);
        self.make_room(changes);
    }

    /// The call of a message, by its Call-ID, or by its sender's address if it has none. Makes it if it is new.
    fn call_of(&mut self, arrival: &SipArrival, reading: &Reading<'_>) -> (CallKey, bool) {
        let call_id = arrival.message.call_id();
        let known = match &call_id {
            Some(call_id) => self.by_id.get(call_id.as_ref()),
            None => self.nameless.get(&arrival.flow.src.ip),
        };
        if let Some(key) = known {
            return (*key, false);
        }
        let key = CallKey(self.calls.next_ordinal());
        let call_id: Arc<str> = call_id.as_deref().unwrap_or_default().into();
        if call_id.is_empty() {
            self.nameless.insert(arrival.flow.src.ip, key);
        } else {
            self.by_id.insert(Arc::clone(&call_id), key);
        }
        let call = machine::begin(key, call_id, arrival, reading);
        self.bytes += row_bytes(&call);
        self.calls.push(call);
        self.entries.insert(key, Box::<CallEntry>::default());
        (key, true)
    }

    /// Reads the SDP of an offer or answer: codecs, and where media will be received.
    fn describe(&mut self, key: CallKey, reading: &Reading<'_>, body: &[u8], changes: &mut Vec<Change>) {
        let negotiates = matches!(reading.method, Method::Invite | Method::Ack | Method::Prack | Method::Update);
        let (Some(entry), Some(call)) = (self.entries.get_mut(&key), self.calls.get_mut(key.0)) else { return };
        if !negotiates || !matches!(call.kind, CallKind::Invite | CallKind::Other) {
            return;
        }
        let sdp = Sdp::parse(body);
        if let Some(codecs) = entry.machine.negotiate(reading, &sdp) {
            let same =
                codecs.len() == call.codecs.len() && codecs.iter().zip(call.codecs.iter()).all(|(a, b)| *a == **b);
            if !same {
                call.codecs = codecs.iter().map(|name| self.media.name(name)).collect();
                changes.push(Change::Call(key));
            }
        }
        let announced = self.media.announce(key, &sdp, &mut entry.machine.media);
        let mut streams = SmallVec::<[_; 2]>::new();
        for endpoint in announced {
            streams.extend(self.streams.bind(endpoint, key, &self.media, changes));
        }
        for stream in streams {
            self.add_stream(key, stream, changes);
        }
    }

    /// Notes what a phone says about the streams of a call, once it is over or now and then (RFC 6035).
    fn quality_report(&mut self, body: &[u8], at: Timestamp, by: Endpoint) {
        let Some(report) = VqReport::parse(body) else { return };
        let call = report.call_id.as_deref().and_then(|call_id| self.by_id.get(call_id)).copied();
        let streams = call.and_then(|call| self.calls.get(call.0)).map(|call| call.streams.clone());
        self.streams.phone_report(&report, at, by, &streams.unwrap_or_default());
    }

    /// Remembers the flow, and notes how its connection began.
    fn join_flow(&mut self, key: CallKey, flow: FlowKey) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let flows = &mut entry.machine.flows;
        let is_known = |known: &FlowKey| *known == flow || (known.src == flow.dst && known.dst == flow.src);
        if flows.len() >= CALL_FLOWS || flows.iter().any(is_known) {
            return;
        }
        flows.push(flow);
        let early = self.flows.join(flow, key);
        if let (false, Some(call)) = (early.is_empty(), self.calls.get_mut(key.0)) {
            for fact in early {
                add_fact(call, fact);
            }
        }
    }

    /// Adds the message to its call.
    fn keep(&mut self, key: CallKey, arrival: SipArrival, ordinal: u32, outcome: &Outcome, has_sdp: bool) {
        let Some(call) = self.calls.get_mut(key.0) else { return };
        let message = Message {
            ordinal,
            at: arrival.at,
            packets: arrival.packets,
            flow: arrival.flow,
            transport: arrival.transport,
            relayed_by: arrival.relayed_by,
            path: arrival.path,
            repeats: outcome.repeats,
            transaction: outcome.transaction,
            branch: outcome.branch,
            dialog: outcome.dialog,
            has_sdp,
            sip: arrival.message,
        };
        self.bytes += message.memory();
        let freed = Arc::make_mut(&mut call.messages).push(Arc::new(message));
        self.bytes = self.bytes.saturating_sub(freed);
    }
}

/// Replaces what names but the two programs by the copy that other calls have: a site has few kinds of them.
fn share(known: &mut HashSet<Arc<Identities>>, identities: &mut Arc<Identities>) {
    let Identities { asserted, diversion, history, replaces, .. } = &**identities;
    if [asserted, diversion, history, replaces].into_iter().any(Option::is_some) {
        return;
    }
    if let Some(shared) = known.get(identities) {
        *identities = Arc::clone(shared);
    } else if known.len() < SHARED_IDENTITIES {
        known.insert(Arc::clone(identities));
    }
}

/// Whether the body is a voice quality report, whatever the request that carries it.
fn is_quality_report(message: &SipMessage) -> bool {
    const TYPE: &[u8] = b"application/vq-rtcpxr";
    let content_type = message.header(HeaderName::ContentType).map(<[u8]>::trim_ascii);
    content_type.and_then(|value| value.get(..TYPE.len())).is_some_and(|start| start.eq_ignore_ascii_case(TYPE))
}
