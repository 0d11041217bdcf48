//! Method tokens.

use std::fmt;

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
    /// Any other token.
    Other(Box<str>),
}

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
            None => Self::Other(token.into()),
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
