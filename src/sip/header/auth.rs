//! `Authorization`, `WWW-Authenticate` and their proxy forms (RFC 3261, 22; RFC 8760).

use std::borrow::Cow;

use crate::sip::params::Params;

/// A challenge or credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth<'a> {
    scheme: &'a [u8],
    params: Params<'a>,
}

impl<'a> Auth<'a> {
    /// Reads one header value; `None` when it is empty. A scheme that is not Digest keeps whatever parameters it has.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (scheme, params) = value.split_at_checked(end)?;
        (!scheme.is_empty()).then_some(Self { scheme, params: Params::separated(params, b',') })
    }

    /// `Digest` or another.
    pub fn scheme(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.scheme)
    }

    /// The protection domain.
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.params.get("realm")
    }

    /// Who asks to be let in.
    pub fn username(&self) -> Option<Cow<'a, str>> {
        self.params.get("username")
    }

    /// The server's nonce.
    pub fn nonce(&self) -> Option<Cow<'a, str>> {
        self.params.get("nonce")
    }

    /// Quality of protection, or the list of those offered.
    pub fn qop(&self) -> Option<Cow<'a, str>> {
        self.params.get("qop")
    }

    /// `MD5`, `SHA-256`, …
    pub fn algorithm(&self) -> Option<Cow<'a, str>> {
        self.params.get("algorithm")
    }

    /// Whether the server says that only the nonce was too old.
    pub fn is_stale(&self) -> bool {
        self.params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"))
    }

    /// All parameters: `uri`, `response`, `nc`, `cnonce`, `opaque` and others.
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read() {
        let auth = Auth::parse(
            b"Digest realm=\"biloxi, ms\",\r\n qop=\"auth,auth-int\" , nonce=\"dcd9=\", stale=TRUE, algorithm=MD5",
        )
        .unwrap();
        assert_eq!((auth.scheme().as_ref(), auth.realm().as_deref()), ("Digest", Some("biloxi, ms")));
        assert_eq!((auth.qop().as_deref(), auth.nonce().as_deref()), (Some("auth,auth-int"), Some("dcd9=")));
        assert_eq!((auth.is_stale(), auth.algorithm().as_deref(), auth.username()), (true, Some("MD5"), None));
    }

    #[test]
    fn an_unknown_scheme_is_kept() {
        let auth = Auth::parse(b"NoOneKnowsThisScheme opaque-data=here").unwrap();
        assert_eq!(
            (auth.scheme().as_ref(), auth.params().get("opaque-data").as_deref()),
            ("NoOneKnowsThisScheme", Some("here"))
        );
        assert_eq!(Auth::parse(b""), None);
    }
}
