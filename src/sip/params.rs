//! What most header values are made of: lists, `;name=value` parameters and quoted strings (RFC 3261, 25.1).
//!
//! All of it reads raw bytes, where a line fold counts as white space, and forgives: a quote or bracket that never
//! closes is an ordinary character, empty items are left out.

use std::borrow::Cow;

use super::message::unfold;

/// The items of a value, split at one separator outside quoted strings and `<…>`. Items are trimmed and not empty.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
    scan: Scan,
}

/// Splits `value` at `separator`; see [`Items`].
pub fn items(value: &[u8], separator: u8) -> Items<'_> {
    Items { rest: Some(value), separator, scan: Scan::default() }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest?;
            let item = match self.scan.find(rest, self.separator) {
                Some(at) => {
                    self.rest = rest.get(at + 1..);
                    rest.get(..at).unwrap_or_default()
                }
                None => {
                    self.rest = None;
                    rest
                }
            };
            let item = item.trim_ascii();
            if !item.is_empty() {
                return Some(item);
            }
        }
    }
}

/// Looks for a byte outside quotes and brackets. It stops believing in either once one was seen that never closes:
/// that is lenient, and it keeps the search linear.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    quotes_off: bool,
    brackets_off: bool,
}

impl Scan {
    /// Position of the first `wanted` outside quoted strings and `<…>`.
    pub(super) fn find(&mut self, bytes: &[u8], wanted: u8) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte == wanted {
                return Some(at);
            }
            let end = match byte {
                b'"' if !self.quotes_off => {
                    let end = quote_end(bytes, at);
                    self.quotes_off = end.is_none();
                    end
                }
                b'<' if !self.brackets_off => {
                    let end = bytes.get(at..).and_then(|rest| memchr::memchr(b'>', rest)).map(|end| at + end);
                    self.brackets_off = end.is_none();
                    end
                }
                _ => None,
            };
            at = end.unwrap_or(at) + 1;
        }
        None
    }
}

/// Position of the quote that closes the one at `open`.
pub(super) fn quote_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The text of a quoted string without its quotes and backslashes; other text as it is. Line folds become one space.
pub fn unquote(value: &[u8]) -> Cow<'_, str> {
    let value = value.trim_ascii();
    let Some(inner) = value.strip_prefix(b"\"") else { return unfold(value) };
    let text = unfold(inner.strip_suffix(b"\"").unwrap_or(inner));
    if !text.contains('\\') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        escaped = character == '\\' && !escaped;
        if !escaped {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name as written.
    pub name: &'a [u8],
    /// What stands behind the equals sign, quotes included.
    pub value: Option<&'a [u8]>,
}

impl<'a> Param<'a> {
    /// Reads `name=value` or `name`.
    pub fn new(item: &'a [u8]) -> Self {
        match memchr::memchr(b'=', item).and_then(|at| item.split_at_checked(at)) {
            Some((name, value)) => {
                Self { name: name.trim_ascii(), value: Some(value.get(1..).unwrap_or_default().trim_ascii()) }
            }
            None => Self { name: item.trim_ascii(), value: None },
        }
    }

    /// The name as text.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }

    /// The value without quotes; empty when there is none.
    pub fn text(&self) -> Cow<'a, str> {
        self.value.map(unquote).unwrap_or_default()
    }
}

/// Parameters behind a value: `;tag=1;lr`. Empty ones are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params<'a> {
    bytes: &'a [u8],
    separator: u8,
}

impl Default for Params<'_> {
    fn default() -> Self {
        Self { bytes: &[], separator: b';' }
    }
}

impl<'a> Params<'a> {
    /// Reads what stands behind a value, from its first semicolon on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, separator: b';' }
    }

    /// Reads parameters with another separator: `,` in credentials, `&` in URI headers.
    pub fn separated(bytes: &'a [u8], separator: u8) -> Self {
        Self { bytes, separator }
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        items(self.bytes, self.separator).map(Param::new)
    }

    /// The first of this name (case is ignored), unquoted; empty when it has no value.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.find(name).map(|param| param.text())
    }

    /// The first of this name, as it stands there.
    pub fn find(self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether one of this name is there.
    pub fn has(self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

/// A value and its parameters, split at the first semicolon outside quotes and brackets; the value is trimmed.
pub fn value_and_params(bytes: &[u8]) -> (&[u8], Params<'_>) {
    match Scan::default().find(bytes, b';').and_then(|at| bytes.split_at_checked(at)) {
        Some((value, params)) => (value.trim_ascii(), Params::new(params)),
        None => (bytes.trim_ascii(), Params::default()),
    }
}

/// A whole number. Too large ones become the largest; `None` when there is another character than a digit.
pub fn number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

/// Seconds, saturating at 2^32 − 1 (RFC 3261, 20.19).
pub fn seconds(text: &[u8]) -> Option<u32> {
    number(text).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(value: &str, separator: u8) -> Vec<String> {
        items(value.as_bytes(), separator).map(|item| String::from_utf8_lossy(item).into_owned()).collect()
    }

    #[test]
    fn separators_in_quotes_and_brackets_do_not_split() {
        assert_eq!(split(r#""a, \", b" <sip:x,y>;p, c ,, "#, b','), [r#""a, \", b" <sip:x,y>;p"#, "c"]);
        assert_eq!(split("\"open, b", b','), ["\"open", "b"]);
        assert_eq!(split("<open, b", b','), ["<open", "b"]);
        assert_eq!(split(";;,;,,", b','), [";;", ";"]);
    }

    #[test]
    fn many_open_quotes_stay_cheap() {
        let hostile = "\"\\".repeat(60_000);
        assert_eq!(items(hostile.as_bytes(), b',').count(), 1);
        let hostile = "<".repeat(120_000);
        assert_eq!(items(hostile.as_bytes(), b',').count(), 1);
    }

    #[test]
    fn parameters_have_names_and_values() {
        let (value, params) = value_and_params(b"dialog ;; ID = 7 ;\r\n q=\"a;\\\"b\" ; lr");
        assert_eq!(value, b"dialog");
        assert_eq!(params.get("id").as_deref(), Some("7"));
        assert_eq!(params.get("q").as_deref(), Some("a;\"b"));
        assert_eq!((params.get("lr").as_deref(), params.has("x")), (Some(""), false));
        assert_eq!(params.iter().count(), 3);
    }

    #[test]
    fn quoted_pairs_are_undone_once() {
        assert_eq!(unquote(br#""a \\ \"b\"""#), r#"a \ "b""#);
        assert_eq!(unquote(b"\"open"), "open");
        assert_eq!(unquote(b"a\r\n  b"), "a b");
    }

    #[test]
    fn numbers_saturate_and_never_wrap() {
        assert_eq!((number(b"0068"), number(b"-1"), number(b"")), (Some(68), None, None));
        assert_eq!(number(b"36893488147419103232"), Some(u64::MAX));
        assert_eq!(seconds(b"4294967297"), Some(u32::MAX));
    }
}
