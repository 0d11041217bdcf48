//! `Reason`: why a request was sent (RFC 3326).

use std::borrow::Cow;

use crate::sip::params::{Params, items, number, value_and_params};

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    protocol: &'a [u8],
    params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// Reads one reason; `None` when it is empty.
    pub fn parse(item: &'a [u8]) -> Option<Self> {
        let (protocol, params) = value_and_params(item);
        (!protocol.is_empty()).then_some(Self { protocol, params })
    }

    /// `SIP`, `Q.850` or another.
    pub fn protocol(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.protocol)
    }

    /// The cause: a SIP status or a Q.850 cause.
    pub fn cause(&self) -> Option<u64> {
        number(self.params.find("cause")?.value?)
    }

    /// The text, empty for none.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.params.get("text")
    }
}

/// The reasons of one header value.
pub fn reasons(value: &[u8]) -> impl Iterator<Item = Reason<'_>> {
    items(value, b',').filter_map(Reason::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_in_lists() {
        let found: Vec<_> = reasons(b"SIP ;cause=200 ;text=\"Call completed, elsewhere\", Q.850;cause=16").collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].protocol().as_ref(), found[0].cause()), ("SIP", Some(200)));
        assert_eq!(found[0].text().as_deref(), Some("Call completed, elsewhere"));
        assert_eq!((found[1].protocol().as_ref(), found[1].cause(), found[1].text()), ("Q.850", Some(16), None));
    }
}
