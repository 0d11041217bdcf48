//! `From`, `To`, `Contact`, `Route`, `Record-Route`, `P-Asserted-Identity`, `Diversion` and their like: an address with
//! an optional display name and parameters (RFC 3261, 20.10 and 25.1 `name-addr`).

use std::borrow::Cow;

use crate::sip::message::unfold;
use crate::sip::params::{Params, Scan, quote_end, unquote, value_and_params};
use crate::sip::uri::Uri;

/// `"Alice" <sip:alice@example.com>;tag=1`, or without the brackets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: &'a [u8],
    uri: &'a [u8],
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one address. Missing brackets, spaces within them and open quotes are forgiven.
    pub fn parse(value: &'a [u8]) -> Self {
        let value = value.trim_ascii();
        let Some((display, rest)) = open_bracket(value).and_then(|at| value.split_at_checked(at)) else {
            // RFC 3261, 20: without brackets, parameters belong to the header.
            let (uri, params) = value_and_params(value);
            return Self { display: &[], uri, params };
        };
        let rest = rest.get(1..).unwrap_or_default();
        let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        let (uri, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let params = rest.get(1..).unwrap_or_default();
        Self { display: display.trim_ascii(), uri: uri.trim_ascii(), params: Params::new(params) }
    }

    /// The display name without quotes, empty for none.
    pub fn display(&self) -> Cow<'a, str> {
        unquote(self.display)
    }

    /// The parts of the URI.
    pub fn uri(&self) -> Uri<'a> {
        Uri::parse(self.uri)
    }

    /// The URI as it stands there, without brackets.
    pub fn uri_text(&self) -> Cow<'a, str> {
        unfold(self.uri)
    }

    /// The user part, decoded; the host where there is no user.
    pub fn user(&self) -> Cow<'a, str> {
        self.uri().name()
    }

    /// The header's parameters, behind the brackets.
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// The tag of a From or To.
    pub fn tag(&self) -> Option<Cow<'a, str>> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }
}

/// Where the URI's bracket opens: behind a quoted display name, else the first one at all.
fn open_bracket(value: &[u8]) -> Option<usize> {
    if value.first() == Some(&b'"')
        && let Some(end) = quote_end(value, 0)
    {
        return Scan::default().find(value.get(end..)?.get(1..)?, b'<').map(|at| end + 1 + at);
    }
    memchr::memchr(b'<', value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &str) -> (String, String, Option<String>) {
        let addr = NameAddr::parse(value.as_bytes());
        (addr.display().into_owned(), addr.uri_text().into_owned(), addr.tag().map(Cow::into_owned))
    }

    fn expect(display: &str, uri: &str, tag: Option<&str>) -> (String, String, Option<String>) {
        (display.to_owned(), uri.to_owned(), tag.map(str::to_owned))
    }

    #[test]
    fn all_spellings_of_an_address_are_read() {
        assert_eq!(parts("\"J \\\\\\\"\"\r\n <sip:j@x>\r\n ;\r\n tag = 98"), expect("J \\\"", "sip:j@x", Some("98")));
        assert_eq!(parts("sip:caller@example.net;tag=8814"), expect("", "sip:caller@example.net", Some("8814")));
        assert_eq!(parts("caller<sip:caller@x>;tag=323"), expect("caller", "sip:caller@x", Some("323")));
        assert_eq!(parts("Bell, Alexander <sip:a@x>;tag=43"), expect("Bell, Alexander", "sip:a@x", Some("43")));
        assert_eq!(parts("\"W, T\" < sip:t@x >"), expect("W, T", "sip:t@x", None));
        assert_eq!(parts("\"<no>\" <sip:t@x;lr>;tag="), expect("<no>", "sip:t@x;lr", None));
    }

    #[test]
    fn broken_addresses_still_show_something() {
        assert_eq!(parts("\"Mr. J. User <sip:j.user@x>"), expect("Mr. J. User", "sip:j.user@x", None));
        assert_eq!(parts("<sip:t@x"), expect("", "sip:t@x", None));
        assert_eq!(parts(""), expect("", "", None));
        assert_eq!(parts("*"), expect("", "*", None));
    }

    #[test]
    fn a_party_is_its_user_or_its_host() {
        assert_eq!(NameAddr::parse(b"sip:%75se%72@example.com").user(), "user");
        assert_eq!(NameAddr::parse(b"<sip:pbx.example.com>").user(), "pbx.example.com");
    }
}
