//! `Event`: what a subscription is about (RFC 6665, 8.2.1).

use std::borrow::Cow;

use crate::sip::params::{Params, value_and_params};

/// An event package with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHeader<'a> {
    package: &'a [u8],
    params: Params<'a>,
}

impl<'a> EventHeader<'a> {
    /// Reads an Event; `None` when it is empty.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (package, params) = value_and_params(value);
        (!package.is_empty()).then_some(Self { package, params })
    }

    /// The package with its templates: `dialog`, `presence.winfo`.
    pub fn package(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.package)
    }

    /// The id that tells two subscriptions of one dialog apart.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        self.params.get("id")
    }

    /// All parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_and_id_are_apart() {
        let event = EventHeader::parse(b"presence.winfo;id=17 ; x").unwrap();
        assert_eq!((event.package().as_ref(), event.id().as_deref()), ("presence.winfo", Some("17")));
        assert!(event.params().has("x"));
        assert_eq!(EventHeader::parse(b"dialog").unwrap().id(), None);
        assert_eq!(EventHeader::parse(b""), None);
    }
}
