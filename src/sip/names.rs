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
    /// All headers the program looks at, in order.
    pub const ALL: [Self; NAMES.len()] = {
        let mut all = [Self::Other; NAMES.len()];
        let mut row = 0;
        while row < NAMES.len() {
            all[row] = NAMES[row].0;
            row += 1;
        }
        all
    };

    /// The header with this name or compact form; case is ignored.
    pub fn find(name: &[u8]) -> Self {
        let row = match name {
            [letter] => NAMES.iter().find(|row| row.2 == Some(letter.to_ascii_lowercase())),
            _ => rows_of_length(name.len()).find(|row| row.1.as_bytes().eq_ignore_ascii_case(name)),
        };
        row.map_or(Self::Other, |row| row.0)
    }

    /// The full name; empty for [`HeaderName::Other`].
    pub fn as_str(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |row| row.1)
    }

    /// The compact form.
    pub fn compact(self) -> Option<char> {
        NAMES.get(self as usize).and_then(|row| row.2).map(char::from)
    }

    /// Whether a second one contradicts the first.
    pub fn is_single(self) -> bool {
        NAMES.get(self as usize).is_some_and(|row| row.3)
    }

    /// Its bit in a set of header names.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u64
    }
}

const LONGEST: usize = 20;

/// Indices into [`NAMES`], by length of the name: a lookup compares four names at most, not all.
const BY_LENGTH: ([u8; NAMES.len()], [u8; LONGEST + 2]) = {
    let mut order = [0; NAMES.len()];
    let mut starts = [0; LONGEST + 2];
    let mut filled = 0;
    let mut length = 0;
    while length <= LONGEST {
        starts[length] = filled as u8;
        let mut row = 0;
        while row < NAMES.len() {
            if NAMES[row].1.len() == length {
                order[filled] = row as u8;
                filled += 1;
            }
            row += 1;
        }
        length += 1;
    }
    starts[LONGEST + 1] = filled as u8;
    assert!(filled == NAMES.len(), "a name is longer than LONGEST");
    (order, starts)
};

fn rows_of_length(length: usize) -> impl Iterator<Item = &'static (HeaderName, &'static str, Option<u8>, bool)> {
    let (order, starts) = &BY_LENGTH;
    let bounds = starts.get(length).copied().zip(starts.get(length + 1).copied());
    let rows = bounds.and_then(|(start, end)| order.get(usize::from(start)..usize::from(end))).unwrap_or_default();
    rows.iter().filter_map(|row| NAMES.get(usize::from(*row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (at, (name, text, compact, single)) in NAMES.iter().enumerate() {
            assert_eq!(*name as usize, at, "{text} stands at its own place");
            assert_eq!(HeaderName::find(text.to_uppercase().as_bytes()), *name);
            assert_eq!((name.as_str(), name.is_single()), (*text, *single));
            if let Some(letter) = compact {
                assert_eq!(HeaderName::find(&[letter.to_ascii_uppercase()]), *name);
            }
        }
    }

    #[test]
    fn other_names_are_other() {
        for name in ["", "Z", "Fro", "From ", "C%6Fntact", "X-Very-Long-Header-Name-Indeed"] {
            assert_eq!(HeaderName::find(name.as_bytes()), HeaderName::Other, "{name}");
        }
        assert_eq!(HeaderName::Other.as_str(), "");
    }
}
