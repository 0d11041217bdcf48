//! Method tokens.

use std::fmt;
use std::sync::Arc;

/// A request method. Case matters (RFC 3261, 7.1); any token is a method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the methods' names")]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Register,
    Options,
    Prack,
    Subscribe,
    Notify,
    Publish,
    Info,
    Refer,
    Message,
    Update,
    /// Any other token, behind a thin pointer: methods stand in every message and transaction.
    Other(Arc<String>),
}

/// A registered method and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodRow {
    /// The token.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub meaning: &'static str,
    /// Where it is defined.
    pub rfc: &'static str,
    /// What usually goes wrong with it.
    pub troubles: &'static [&'static str],
}

/// The registered methods.
pub const METHODS: [MethodRow; 14] = [
    MethodRow {
        name: "INVITE",
        meaning: "Starts a call, or changes one that stands (re-INVITE: hold, codec, session refresh).",
        rfc: "RFC 3261 13",
        troubles: &[
            "no answer at all: the request or its answer is filtered",
            "401 or 407 is normal once, then credentials follow",
        ],
    },
    MethodRow {
        name: "ACK",
        meaning: "Confirms the final response to an INVITE; it has no response itself.",
        rfc: "RFC 3261 13.2.2.4 and 17.1.1.3",
        troubles: &["a 200 that keeps coming has no ACK: it was sent to a wrong Contact or lost behind NAT"],
    },
    MethodRow {
        name: "BYE",
        meaning: "Ends an answered call.",
        rfc: "RFC 3261 15",
        troubles: &[
            "481 means that the other side had ended already",
            "calls that hang on were never told: the BYE did not arrive",
        ],
    },
    MethodRow {
        name: "CANCEL",
        meaning: "Takes back an INVITE that has no final response yet.",
        rfc: "RFC 3261 9",
        troubles: &["the INVITE must then end with 487", "a CANCEL that crosses the 200 needs a BYE after it"],
    },
    MethodRow {
        name: "REGISTER",
        meaning: "Tells the registrar where a user can be reached, and for how long.",
        rfc: "RFC 3261 10",
        troubles: &["401 once is normal, again and again means wrong credentials", "423: interval too short"],
    },
    MethodRow {
        name: "OPTIONS",
        meaning: "Asks what the other side can do; mostly used as a keep-alive ping.",
        rfc: "RFC 3261 11",
        troubles: &["any answer, an error too, shows that the other side is alive"],
    },
    MethodRow {
        name: "PRACK",
        meaning: "Confirms a provisional response that was sent reliably (100rel).",
        rfc: "RFC 3262",
        troubles: &["its RAck must repeat RSeq and CSeq of that response"],
    },
    MethodRow {
        name: "SUBSCRIBE",
        meaning: "Asks to be told about changes of a resource: busy lamps, voicemail, presence.",
        rfc: "RFC 6665",
        troubles: &["489: event package unknown", "481 on a refresh: the server forgot the subscription"],
    },
    MethodRow {
        name: "NOTIFY",
        meaning: "Tells a subscriber the state of what it watches.",
        rfc: "RFC 6665",
        troubles: &[
            "481: the phone forgot the subscription",
            "no answer: NAT binding or TCP connection to the phone is gone",
        ],
    },
    MethodRow {
        name: "PUBLISH",
        meaning: "Hands the state of a user or device to a server that notifies others.",
        rfc: "RFC 3903",
        troubles: &["412: the entity tag expired, publish afresh"],
    },
    MethodRow {
        name: "INFO",
        meaning: "Carries application data within a call, such as DTMF digits.",
        rfc: "RFC 6086",
        troubles: &["415 or 469: the receiver does not know the body or package"],
    },
    MethodRow {
        name: "REFER",
        meaning: "Asks the other side to call somebody: a transfer.",
        rfc: "RFC 3515",
        troubles: &["202 only means that it will try: the outcome comes in a NOTIFY with a sipfrag body"],
    },
    MethodRow {
        name: "MESSAGE",
        meaning: "Carries an instant message.",
        rfc: "RFC 3428",
        troubles: &["415: content type not supported"],
    },
    MethodRow {
        name: "UPDATE",
        meaning: "Changes a session without a new INVITE, also before the answer; refreshes session timers.",
        rfc: "RFC 3311",
        troubles: &["491: the other side was changing it at the same time"],
    },
];

impl Method {
    const KNOWN: [(&'static str, Self); 14] = [
        ("INVITE", Self::Invite),
        ("ACK", Self::Ack),
        ("BYE", Self::Bye),
        ("CANCEL", Self::Cancel),
        ("REGISTER", Self::Register),
        ("OPTIONS", Self::Options),
        ("PRACK", Self::Prack),
        ("SUBSCRIBE", Self::Subscribe),
        ("NOTIFY", Self::Notify),
        ("PUBLISH", Self::Publish),
        ("INFO", Self::Info),
        ("REFER", Self::Refer),
        ("MESSAGE", Self::Message),
        ("UPDATE", Self::Update),
    ];

    /// The method with this token.
    pub fn new(token: &str) -> Self {
        match Self::KNOWN.iter().find(|(name, _)| *name == token) {
            Some((_, method)) => method.clone(),
            None => Self::Other(Arc::new(token.to_owned())),
        }
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Info => "INFO",
            Self::Refer => "REFER",
            Self::Message => "MESSAGE",
            Self::Update => "UPDATE",
            Self::Other(token) => token,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_methods_are_one_to_one() {
        for (name, method) in &Method::KNOWN {
            assert_eq!((Method::new(name), method.as_str()), (method.clone(), *name));
            assert!(METHODS.iter().any(|row| row.name == *name), "{name} is explained");
        }
        assert_eq!(METHODS.len(), Method::KNOWN.len());
    }

    #[test]
    fn case_and_escapes_make_other_methods() {
        assert_eq!(Method::new("invite"), Method::Other(Arc::new("invite".into())));
        assert_eq!(Method::new("RE%47IST%45R").as_str(), "RE%47IST%45R");
        assert_eq!(format!("{:>5}", Method::Bye), "  BYE");
    }
}
