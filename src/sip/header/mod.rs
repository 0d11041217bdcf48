//! Typed views of single headers, one file each. They borrow from the message and are read on demand.

pub mod auth;
pub mod contact;
pub mod content_type;
pub mod cseq;
pub mod event;
pub mod from_to;
pub mod reason;
pub mod subscription_state;
pub mod via;
pub mod warning;

use std::borrow::Cow;

use super::params::{seconds, value_and_params};
use super::{HeaderName, SipMessage};
use auth::Auth;
use contact::Contact;
use content_type::ContentType;
use cseq::CSeq;
use event::EventHeader;
use from_to::NameAddr;
use reason::Reason;
use subscription_state::SubscriptionState;
use via::Via;
use warning::Warning;

impl SipMessage {
    /// The From.
    pub fn from(&self) -> Option<NameAddr<'_>> {
        self.header(HeaderName::From).map(NameAddr::parse)
    }

    /// The To.
    pub fn to(&self) -> Option<NameAddr<'_>> {
        self.header(HeaderName::To).map(NameAddr::parse)
    }

    /// The From tag; `None` when it is missing or empty.
    pub fn from_tag(&self) -> Option<Cow<'_, str>> {
        self.from()?.tag()
    }

    /// The To tag; `None` when it is missing or empty.
    pub fn to_tag(&self) -> Option<Cow<'_, str>> {
        self.to()?.tag()
    }

    /// Number and method of the CSeq.
    pub fn cseq(&self) -> Option<CSeq<'_>> {
        self.header(HeaderName::CSeq).and_then(CSeq::parse)
    }

    /// The newest hop.
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.vias().next()
    }

    /// All hops, the newest first.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.all(HeaderName::Via).flat_map(via::vias)
    }

    /// The branch of the newest hop; `None` when it is missing or empty.
    pub fn top_branch(&self) -> Option<Cow<'_, str>> {
        self.top_via()?.branch()
    }

    /// The sender of the newest hop, with its port if there is one.
    pub fn top_sent_by(&self) -> Option<Cow<'_, str>> {
        self.top_via().map(|via| via.sent_by())
    }

    /// The contacts.
    pub fn contacts(&self) -> impl Iterator<Item = Contact<'_>> {
        self.all(HeaderName::Contact).flat_map(contact::contacts)
    }

    /// The addresses of a header that lists them: Route, Record-Route, P-Asserted-Identity, Diversion, History-Info, …
    pub fn addresses(&self, name: HeaderName) -> impl Iterator<Item = NameAddr<'_>> {
        self.all(name).flat_map(contact::name_addrs)
    }

    /// The event with its id.
    pub fn event(&self) -> Option<EventHeader<'_>> {
        self.header(HeaderName::Event).and_then(EventHeader::parse)
    }

    /// The event package.
    pub fn event_package(&self) -> Option<Cow<'_, str>> {
        self.event().map(|event| event.package())
    }

    /// The state of the subscription that a NOTIFY belongs to.
    pub fn subscription_state(&self) -> Option<SubscriptionState<'_>> {
        self.header(HeaderName::SubscriptionState).and_then(SubscriptionState::parse)
    }

    /// The Expires header in seconds, saturating; `None` when it is missing or no number.
    pub fn expires(&self) -> Option<u32> {
        self.seconds(HeaderName::Expires)
    }

    /// The number of seconds that a header such as Min-Expires or Retry-After starts with, saturating.
    pub fn seconds(&self, name: HeaderName) -> Option<u32> {
        let (value, _) = value_and_params(self.header(name)?);
        let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        seconds(value.get(..end)?)
    }

    /// The reasons.
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'_>> {
        self.all(HeaderName::Reason).flat_map(reason::reasons)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = Warning<'_>> {
        self.all(HeaderName::Warning).flat_map(warning::warnings)
    }

    /// The challenges or credentials in headers of this name.
    pub fn auths(&self, name: HeaderName) -> impl Iterator<Item = Auth<'_>> {
        self.all(name).filter_map(Auth::parse)
    }

    /// The type of the body.
    pub fn content_type(&self) -> Option<ContentType<'_>> {
        self.header(HeaderName::ContentType).and_then(ContentType::parse)
    }
}
