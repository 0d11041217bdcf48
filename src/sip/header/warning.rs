//! `Warning`: more about a status (RFC 3261, 20.43).

use std::borrow::Cow;

use crate::sip::params::{items, number, unquote};

/// One warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning<'a> {
    code: &'a [u8],
    agent: &'a [u8],
    text: &'a [u8],
}

impl<'a> Warning<'a> {
    /// Reads one warning: code, agent, text. Missing parts are empty.
    pub fn parse(item: &'a [u8]) -> Self {
        let (code, rest) = word(item.trim_ascii());
        if rest.first() == Some(&b'"') {
            return Self { code, agent: &[], text: rest };
        }
        let (agent, text) = word(rest);
        Self { code, agent, text }
    }

    /// The code, three digits if it is a proper one.
    pub fn code(&self) -> Option<u64> {
        number(self.code)
    }

    /// Who warns: host, or a name.
    pub fn agent(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.agent)
    }

    /// The text without quotes.
    pub fn text(&self) -> Cow<'a, str> {
        unquote(self.text)
    }
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (word, rest.trim_ascii_start())
}

/// The warnings of one header value.
pub fn warnings(value: &[u8]) -> impl Iterator<Item = Warning<'_>> {
    items(value, b',').map(Warning::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_come_in_lists() {
        let found: Vec<_> =
            warnings(b"304 isi.edu:5060 \"Media type, not available\", 399 \"no agent\", 1812 x").collect();
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].code(), found[0].agent().as_ref()), (Some(304), "isi.edu:5060"));
        assert_eq!(found[0].text(), "Media type, not available");
        assert_eq!((found[1].agent().as_ref(), found[1].text().as_ref()), ("", "no agent"));
        assert_eq!((found[2].code(), found[2].text().as_ref()), (Some(1812), ""));
    }
}
