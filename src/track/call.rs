//! A call: everything of one Call-ID, of any method. RFC 3261 uses the word informally; this is the row of the Calls tab.

use std::sync::Arc;

use crate::event::{IcmpFact, TcpFact};
use crate::packet::{Endpoint, Transport};
use crate::sip::Method;
use crate::time::{Elapsed, Timestamp};

use super::message::MessageLog;

/// A call's identity within one run: its ordinal of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u64);

/// What a call is, by its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the methods' names")]
pub enum CallKind {
    Invite,
    Subscribe,
    Register,
    Options,
    Publish,
    Message,
    Refer,
    Other,
}

impl CallKind {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Subscribe => "subscribe",
            Self::Register => "register",
            Self::Options => "options",
            Self::Publish => "publish",
            Self::Message => "message",
            Self::Refer => "refer",
            Self::Other => "other",
        }
    }
}

/// Where a call stands. Which states a kind can have stands in `docs/states.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// INVITE seen, no 101–199 yet.
    Setup,
    /// 101–199 seen.
    Ringing,
    /// 2xx seen, no ACK yet.
    Answered,
    /// ACK of the 2xx seen.
    InCall,
    /// BYE seen after an answer.
    Completed,
    /// CANCEL, and no answer.
    Cancelled,
    /// A final status of 400 or more that is no challenge.
    Failed,
    /// A final 3xx.
    Redirected,
    /// 401 or 407, and no new attempt since.
    Challenged,
    /// No final response within 64·T1 of the last sign of life (RFC 3261, timers B and F), or within 3 minutes of ringing (timer C).
    Timeout,
    /// Another request, no final response yet.
    Pending,
    /// Another request, answered 2xx.
    Ok,
    /// REGISTER answered 2xx, with a binding left.
    Registered,
    /// REGISTER answered 2xx, the binding removed (Expires 0).
    Removed,
    /// SUBSCRIBE seen, not accepted yet.
    Requested,
    /// SUBSCRIBE accepted by a 2xx, no NOTIFY yet.
    Accepted,
    /// Subscription-State: pending.
    SubPending,
    /// Subscription-State: active.
    Active,
    /// Subscription-State: terminated, or refused after it was accepted.
    Terminated,
    /// The granted time ran out without a refresh.
    Expired,
    /// SUBSCRIBE refused.
    Rejected,
    /// NOTIFYs of a subscription whose SUBSCRIBE was not seen.
    Orphan,
}

impl CallState {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::InCall => "in_call",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Redirected => "redirected",
            Self::Challenged => "challenged",
            Self::Timeout => "timeout",
            Self::Pending | Self::SubPending => "pending",
            Self::Ok => "ok",
            Self::Registered => "registered",
            Self::Removed => "removed",
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::Active => "active",
            Self::Terminated => "terminated",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Orphan => "orphan",
        }
    }

    /// Whether more is expected of it: such a row is evicted last.
    pub const fn is_live(self) -> bool {
        matches!(
            self,
            Self::Setup
                | Self::Ringing
                | Self::Answered
                | Self::InCall
                | Self::Pending
                | Self::Registered
                | Self::Requested
                | Self::Accepted
                | Self::SubPending
                | Self::Active
                | Self::Orphan
        )
    }
}

/// Who a URI names, as the From, To or Request-URI says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// User part, decoded; the host part where there is no user.
    pub user: Arc<str>,
    /// The URI as it stands between `<` and `>`.
    pub uri: Arc<str>,
    /// Display name, empty for none.
    pub display: Arc<str>,
}

/// Who ended an answered call, or gave up an unanswered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The side that sent the INVITE.
    Caller,
    /// The side that received it.
    Callee,
    /// A proxy or server in between.
    Network,
}

impl EndedBy {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Network => "network",
        }
    }
}

/// The parts of setting up a call; each is `None` until its second event was seen. First hop, first transmissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// First INVITE to the INVITE that was not challenged; zero if none was.
    pub auth: Option<Elapsed>,
    /// Times it was challenged (401, 407).
    pub challenges: u32,
    /// Attempts after a 422 or a 3xx.
    pub retries: u32,
    /// Post-dial delay: that last INVITE to the first 101–199, 2xx or final response that is no challenge.
    pub pdd: Option<Elapsed>,
    /// The status that ended the post-dial delay.
    pub pdd_status: Option<u64>,
    /// First 180 or 183 to the 2xx or final failure.
    pub ring: Option<Elapsed>,
    /// That last INVITE to the first 2xx.
    pub setup: Option<Elapsed>,
    /// That 2xx to its ACK.
    pub ack: Option<Elapsed>,
    /// When the first 2xx to an INVITE came.
    pub answered: Option<Timestamp>,
    /// When the first BYE came.
    pub hung_up: Option<Timestamp>,
}

/// State of one dialog (RFC 3261, 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// Made by a 101–199.
    Early,
    /// Made by a 2xx.
    Confirmed,
    /// Ended by BYE, a failure, or a terminated subscription.
    Terminated,
}

impl DialogState {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Confirmed => "confirmed",
            Self::Terminated => "terminated",
        }
    }
}

/// One dialog of a call: Call-ID and both tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// Tag of the side that sent the request that made it.
    pub from_tag: Arc<str>,
    /// Tag of the other side.
    pub to_tag: Arc<str>,
    /// Where it stands.
    pub state: DialogState,
}

/// What a SUBSCRIBE row shows beyond a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionInfo {
    /// Event package, without parameters.
    pub event: Arc<str>,
    /// The `id` parameter of the Event header.
    pub event_id: Option<Arc<str>>,
    /// The user of the first SUBSCRIBE's Request-URI.
    pub resource: Arc<str>,
    /// Granted time in seconds: of the 2xx, or of the newest Subscription-State.
    pub granted_s: Option<u32>,
    /// When the granted time runs out.
    pub expires_at: Option<Timestamp>,
    /// Reason of the Subscription-State that ended it.
    pub reason: Option<Arc<str>>,
    /// NOTIFYs seen, retransmissions not counted.
    pub notifies: u32,
}

/// Identities and redirections that a call's headers tell, kept for columns and views.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identities {
    /// First P-Asserted-Identity.
    pub asserted: Option<Arc<str>>,
    /// First Diversion.
    pub diversion: Option<Arc<str>>,
    /// First History-Info line.
    pub history: Option<Arc<str>>,
    /// Replaces of the INVITE: the call it takes over.
    pub replaces: Option<Arc<str>>,
    /// User-Agent of the first request.
    pub user_agent: Option<Arc<str>>,
    /// Server or User-Agent of the first response.
    pub server: Option<Arc<str>>,
}

/// A TCP or ICMP fact that the ladder draws where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// SYN, FIN, RST.
    Tcp(TcpFact),
    /// An ICMP error quoting one of the call's flows.
    Icmp(IcmpFact),
}

impl Fact {
    /// When it was captured.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Tcp(fact) => fact.at,
            Self::Icmp(fact) => fact.at,
        }
    }
}

/// A row of the Calls tab, and all that its views show.
#[derive(Clone, Debug)]
pub struct Call {
    /// Identity.
    pub key: CallKey,
    /// Call-ID as received; empty for the row that gathers a sender's messages without one.
    pub call_id: Arc<str>,
    /// What it is.
    pub kind: CallKind,
    /// Method of the first request seen (of a response's CSeq, if no request was).
    pub method: Method,
    /// From.
    pub from: Party,
    /// To.
    pub to: Party,
    /// Sender of the first request.
    pub src: Endpoint,
    /// Receiver of the first request.
    pub dst: Endpoint,
    /// Transport of the first message.
    pub transport: Transport,
    /// Where it stands.
    pub state: CallState,
    /// Final or newest status that explains the state.
    pub status: Option<u64>,
    /// Reason phrase of that status.
    pub reason: Arc<str>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// Why, in the wire's words: Reason header, else Warning, else status and phrase.
    pub cause: Option<Arc<str>>,
    /// First message.
    pub started: Timestamp,
    /// Newest message.
    pub last: Timestamp,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// Delays.
    pub timing: Timing,
    /// Messages, retransmissions included, left-out ones too.
    pub message_count: u64,
    /// Retransmissions among them.
    pub retransmissions: u64,
    /// INVITE branches of a fork seen at one hop, at least 1.
    pub branches: u32,
    /// Times it was forwarded (181).
    pub forwarded: u32,
    /// Dialogs, in order of appearance.
    pub dialogs: Vec<Dialog>,
    /// Codec names of the newest answer, else of the newest offer.
    pub codecs: Arc<[Arc<str>]>,
    /// Its RTP streams.
    pub streams: Vec<super::stream::StreamKey>,
    /// For a subscription.
    pub subscription: Option<Box<SubscriptionInfo>>,
    /// Identities.
    pub identities: Arc<Identities>,
    /// Its messages.
    pub messages: Arc<MessageLog>,
    /// TCP and ICMP facts on its flows.
    pub facts: Arc<Vec<Fact>>,
}

impl Call {
    /// Time between the answer and the hang-up, or until `now` while it is up. Packet time.
    pub fn talk(&self, now: Timestamp) -> Option<Elapsed> {
        let answered = self.timing.answered?;
        let end = self.timing.hung_up.or(self.ended).unwrap_or(now);
        Some(end.since(answered))
    }
}
