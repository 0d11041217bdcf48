//! Header field names: which of them the program knows, and their compact forms.

/// A header the program looks at; [`HeaderName::Other`] for all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the variants are the headers' names")]
pub enum HeaderName {
    Via,
    From,
    To,
    CallId,
    CSeq,
    Contact,
    ContentType,
    ContentLength,
    MaxForwards,
    Route,
    RecordRoute,
    Event,
    SubscriptionState,
    Expires,
    MinExpires,
    Reason,
    Warning,
    RetryAfter,
    UserAgent,
    Server,
    Allow,
    AllowEvents,
    Supported,
    Require,
    Accept,
    Authorization,
    ProxyAuthorization,
    WwwAuthenticate,
    ProxyAuthenticate,
    AuthenticationInfo,
    PAssertedIdentity,
    PPreferredIdentity,
    RemotePartyId,
    Diversion,
    HistoryInfo,
    Replaces,
    ReferTo,
    ReferredBy,
    RSeq,
    RAck,
    SessionExpires,
    SessionId,
    CallInfo,
    Other,
}

/// Name, compact form (RFC 3261 7.3.3 and the IANA list), and whether it may occur only once.
const NAMES: [(HeaderName, &str, Option<u8>, bool); 43] = [
    (HeaderName::Via, "Via", Some(b'v'), false),
    (HeaderName::From, "From", Some(b'f'), true),
    (HeaderName::To, "To", Some(b't'), true),
    (HeaderName::CallId, "Call-ID", Some(b'i'), true),
    (HeaderName::CSeq, "CSeq", None, true),
    (HeaderName::Contact, "Contact", Some(b'm'), false),
    (HeaderName::ContentType, "Content-Type", Some(b'c'), true),
    (HeaderName::ContentLength, "Content-Length", Some(b'l'), true),
    (HeaderName::MaxForwards, "Max-Forwards", None, true),
    (HeaderName::Route, "Route", None, false),
    (HeaderName::RecordRoute, "Record-Route", None, false),
    (HeaderName::Event, "Event", Some(b'o'), true),
    (HeaderName::SubscriptionState, "Subscription-State", None, true),
    (HeaderName::Expires, "Expires", None, true),
    (HeaderName::MinExpires, "Min-Expires", None, true),
    (HeaderName::Reason, "Reason", None, false),
    (HeaderName::Warning, "Warning", None, false),
    (HeaderName::RetryAfter, "Retry-After", None, true),
    (HeaderName::UserAgent, "User-Agent", None, true),
    (HeaderName::Server, "Server", None, true),
    (HeaderName::Allow, "Allow", None, false),
    (HeaderName::AllowEvents, "Allow-Events", Some(b'u'), false),
    (HeaderName::Supported, "Supported", Some(b'k'), false),
    (HeaderName::Require, "Require", None, false),
    (HeaderName::Accept, "Accept", None, false),
    (HeaderName::Authorization, "Authorization", None, false),
    (HeaderName::ProxyAuthorization, "Proxy-Authorization", None, false),
    (HeaderName::WwwAuthenticate, "WWW-Authenticate", None, false),
    (HeaderName::ProxyAuthenticate, "Proxy-Authenticate", None, false),
    (HeaderName::AuthenticationInfo, "Authentication-Info", None, true),
    (HeaderName::PAssertedIdentity, "P-Asserted-Identity", None, false),
    (HeaderName::PPreferredIdentity, "P-Preferred-Identity", None, false),
    (HeaderName::RemotePartyId, "Remote-Party-ID", None, false),
    (HeaderName::Diversion, "Diversion", None, false),
    (HeaderName::HistoryInfo, "History-Info", None, false),
    (HeaderName::Replaces, "Replaces", None, true),
    (HeaderName::ReferTo, "Refer-To", Some(b'r'), true),
    (HeaderName::ReferredBy, "Referred-By", Some(b'b'), true),
    (HeaderName::RSeq, "RSeq", None, true),
    (HeaderName::RAck, "RAck", None, true),
    (HeaderName::SessionExpires, "Session-Expires", Some(b'x'), true),
    (HeaderName::SessionId, "Session-ID", None, true),
    (HeaderName::CallInfo, "Call-Info", None, false),
];

impl HeaderName {
    /// The header with this name or compact form; case is ignored.
    pub fn find(name: &[u8]) -> Self {
        let mut rows = NAMES.iter();
        let found = match name {
            [letter] => rows.find(|row| row.2 == Some(letter.to_ascii_lowercase())),
            _ => rows.find(|row| row.1.len() == name.len() && row.1.as_bytes().eq_ignore_ascii_case(name)),
        };
        found.map_or(Self::Other, |row| row.0)
    }

    /// The full name; empty for [`HeaderName::Other`].
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Whether a second one contradicts the first.
    pub fn is_single(self) -> bool {
        NAMES.iter().any(|row| row.0 == self && row.3)
    }
}
