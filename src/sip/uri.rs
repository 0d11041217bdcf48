//! URIs as SIP uses them (RFC 3261, 19.1; `tel` by RFC 3966; any other scheme as opaque text).

use std::borrow::Cow;
use std::net::IpAddr;

use super::params::{Params, number};

/// The parts of a URI, as they stand there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uri<'a> {
    text: &'a [u8],
    scheme: &'a [u8],
    user: &'a [u8],
    host: &'a [u8],
    port: &'a [u8],
    params: Params<'a>,
    headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI. There is always a result; what is not there is empty.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let (scheme, rest) = split_scheme(text);
        if scheme.eq_ignore_ascii_case(b"tel") {
            let (user, params) = split_before(rest, |byte| byte == b';');
            return Self { text, scheme, user, params: Params::new(params), ..Self::default() };
        }
        let is_sip = ["sip", "sips", ""].iter().any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()));
        if !is_sip && memchr::memchr(b'@', rest).is_none() {
            return Self { text, scheme, host: rest, ..Self::default() };
        }
        let (userinfo, rest) = split_user(rest);
        let (hostport, rest) = split_before(rest, |byte| matches!(byte, b';' | b'?'));
        let (params, headers) = split_before(rest, |byte| byte == b'?');
        let (user, _password) = split_before(userinfo, |byte| byte == b':');
        let (host, port) = split_host_port(hostport);
        let headers = headers.strip_prefix(b"?").unwrap_or(headers);
        Self { text, scheme, user, host, port, params: Params::new(params), headers }
    }

    /// The whole URI.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.text)
    }

    /// The scheme as written, empty for none.
    pub fn scheme(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.scheme)
    }

    /// The user part without password, its `%` escapes undone once; the number of a `tel` URI. Empty for none.
    pub fn user(&self) -> Cow<'a, str> {
        unescape(self.user)
    }

    /// The user part as written.
    pub fn raw_user(&self) -> &'a [u8] {
        self.user
    }

    /// The host, brackets of an IPv6 address included; the opaque part of an unknown scheme.
    pub fn host(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.host)
    }

    /// The host when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(self.host)
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        port_number(self.port)
    }

    /// The URI's own parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// The headers behind `?`.
    pub fn headers(&self) -> Params<'a> {
        Params::separated(self.headers, b'&')
    }

    /// Who it names: the user part, decoded; the host where there is no user.
    pub fn name(&self) -> Cow<'a, str> {
        if self.user.is_empty() { self.host() } else { self.user() }
    }
}

/// The address in a host part, with or without brackets.
pub fn host_ip(host: &[u8]) -> Option<IpAddr> {
    let bare = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(host);
    std::str::from_utf8(bare).ok()?.parse().ok()
}

/// Splits `host:port`; white space around the colon is forgiven. The port is empty for none.
pub fn split_host_port(text: &[u8]) -> (&[u8], &[u8]) {
    let after_bracket = match text.first() {
        Some(b'[') => memchr::memchr(b']', text).unwrap_or(0),
        _ => 0,
    };
    let colon = text.get(after_bracket..).and_then(|rest| memchr::memchr(b':', rest));
    match colon.and_then(|at| text.split_at_checked(after_bracket + at)) {
        // More than one colon and no brackets: a bare IPv6 address.
        Some((_, port)) if memchr::memchr(b':', port.get(1..).unwrap_or_default()).is_some() => {
            (text.trim_ascii(), &[])
        }
        Some((host, port)) => (host.trim_ascii(), port.get(1..).unwrap_or_default().trim_ascii()),
        None => (text.trim_ascii(), &[]),
    }
}

/// A port, if it is one.
pub fn port_number(text: &[u8]) -> Option<u16> {
    number(text).and_then(|port| u16::try_from(port).ok())
}

/// Undoes `%` escapes once. Escapes that are none stay as they are.
pub fn unescape(text: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'%', text).is_none() {
        return String::from_utf8_lossy(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (*first, escaped_byte(tail)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (other, _) => out.push(other),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (high, low) = (digit(digits.first()?)?, digit(digits.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

fn split_before(text: &[u8], stop: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let at = text.iter().position(|byte| stop(*byte)).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, &[]))
}

/// Scheme and the rest. `example.com:5060` has none.
fn split_scheme(text: &[u8]) -> (&[u8], &[u8]) {
    let is_scheme_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let end = text.iter().position(|byte| !is_scheme_byte(byte)).unwrap_or(text.len());
    let Some((scheme, [b':', rest @ ..])) = text.split_at_checked(end) else { return (&[], text) };
    let is_port = !rest.is_empty() && rest.iter().take_while(|byte| !b";?".contains(byte)).all(u8::is_ascii_digit);
    if scheme.is_empty() || (is_port && scheme.contains(&b'.')) { (&[], text) } else { (scheme, rest) }
}

/// User part and the rest. A user may hold `;`, `?` and `:`; the first `@` ends it, unless the host would hold another.
fn split_user(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(first) = memchr::memchr(b'@', text) else { return (&[], text) };
    let host_end = text
        .get(first + 1..)
        .and_then(|rest| rest.iter().position(|byte| matches!(byte, b';' | b'?')))
        .map_or(text.len(), |at| first + 1 + at);
    let at = text.get(..host_end).and_then(|part| memchr::memrchr(b'@', part)).unwrap_or(first);
    (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_found() {
        let uri = Uri::parse(b"sips:alice:secret@[2001:db8::1]:5061;transport=tcp;lr?Subject=x&Priority=urgent");
        assert_eq!((uri.scheme().as_ref(), uri.user().as_ref()), ("sips", "alice"));
        assert_eq!((uri.host().as_ref(), uri.port()), ("[2001:db8::1]", Some(5061)));
        assert_eq!(uri.ip(), "2001:db8::1".parse().ok());
        assert_eq!(uri.params().get("transport").as_deref(), Some("tcp"));
        assert_eq!(uri.headers().get("priority").as_deref(), Some("urgent"));
    }

    #[test]
    fn the_user_may_hold_what_looks_like_parameters() {
        let uri = Uri::parse(b"sip:user;par=u%40example.net@example.com");
        assert_eq!((uri.user().as_ref(), uri.host().as_ref()), ("user;par=u@example.net", "example.com"));
        let uri = Uri::parse(b"sip:sips%3Auser%40example.com@example.net");
        assert_eq!((uri.user().as_ref(), uri.host().as_ref()), ("sips:user@example.com", "example.net"));
        let uri = Uri::parse(b"sip:alice@example.com;x=a@b");
        assert_eq!((uri.user().as_ref(), uri.host().as_ref()), ("alice", "example.com"));
        assert_eq!(Uri::parse(b"sip:a@b@c").user(), "a@b");
    }

    #[test]
    fn a_uri_without_user_is_named_by_its_host() {
        assert_eq!(Uri::parse(b"sip:registrar.example.com:5060").name(), "registrar.example.com");
        assert_eq!(Uri::parse(b"tel:+1-201-555-0123;phone-context=x").name(), "+1-201-555-0123");
        assert_eq!(Uri::parse(b"isbn:2983792873").name(), "2983792873");
        assert_eq!(Uri::parse(b"10.0.0.1:5060").port(), Some(5060));
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(unescape(b"v%61lue%25%34%31"), "value%41");
        assert_eq!(unescape(b"null-%00-null"), "null-\0-null");
        assert_eq!(unescape(b"100%"), "100%");
        assert_eq!(unescape(b"%4"), "%4");
        assert_eq!(unescape(b"%FF"), "\u{fffd}");
    }
}
