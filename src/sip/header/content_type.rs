//! `Content-Type` (RFC 3261, 20.15).

use std::borrow::Cow;

use crate::sip::params::{Params, value_and_params};

/// A media type with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    params: Params<'a>,
}

impl<'a> ContentType<'a> {
    /// Reads a Content-Type; `None` when it is empty. White space around the slash is forgiven.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (value, params) = value_and_params(value);
        let slash = memchr::memchr(b'/', value).unwrap_or(value.len());
        let (kind, subtype) = value.split_at_checked(slash)?;
        let subtype = subtype.get(1..).unwrap_or_default();
        (!value.is_empty()).then_some(Self { kind: kind.trim_ascii(), subtype: subtype.trim_ascii(), params })
    }

    /// `application/sdp`, in lower case.
    pub fn essence(&self) -> String {
        let lower = |part: &[u8]| String::from_utf8_lossy(part).to_ascii_lowercase();
        format!("{}/{}", lower(self.kind), lower(self.subtype))
    }

    /// Whether it is this type; case is ignored. An empty `subtype` means any.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && (subtype.is_empty() || self.subtype.eq_ignore_ascii_case(subtype.as_bytes()))
    }

    /// What separates the parts of a multipart body.
    pub fn boundary(&self) -> Option<Cow<'a, str>> {
        self.params.get("boundary").filter(|boundary| !boundary.is_empty())
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
    fn case_and_spaces_do_not_matter() {
        let content = ContentType::parse(b"Multipart / MIXED ; Boundary=\"a;b\"").unwrap();
        assert_eq!((content.essence().as_str(), content.boundary().as_deref()), ("multipart/mixed", Some("a;b")));
        assert!(content.is("multipart", "") && content.is("multipart", "mixed") && !content.is("application", "sdp"));
        assert_eq!(ContentType::parse(b"text").unwrap().essence(), "text/");
        assert_eq!(ContentType::parse(b" ;charset=x"), None);
    }
}
