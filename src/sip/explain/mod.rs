//! Explains a word that stands in a message: a method, a status code, a header or its compact form.

mod headers;

pub use headers::{HEADERS, HeaderRow};

use std::fmt;

use super::method::METHODS;
use super::status::{self, Status};

/// What kind of word was explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainedKind {
    /// A request method.
    Method,
    /// A status code.
    Status,
    /// A header field.
    Header,
}

/// What a word means. Shown line by line: [`fmt::Display`] is the form for the terminal and `--explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Method, status or header.
    pub kind: ExplainedKind,
    /// The word with its phrase or compact form: `486 Busy Here`, `Call-ID (i)`.
    pub title: String,
    /// What it says, in a sentence.
    pub meaning: &'static str,
    /// Where it is defined.
    pub rfc: &'static str,
    /// Why it usually comes, or what usually goes wrong with it.
    pub causes: &'static [&'static str],
    /// What to look at next; empty for nothing in particular.
    pub next: &'static str,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(f, "  {}", self.meaning)?;
        for cause in self.causes {
            writeln!(f, "  - {cause}")?;
        }
        if !self.next.is_empty() {
            writeln!(f, "  Next: {}", self.next)?;
        }
        write!(f, "  {}", self.rfc)
    }
}

/// Explains a status code (`486`), a method (`INVITE`), a header (`Call-ID`) or its compact form (`i`). Case is ignored;
/// a colon behind a header and a phrase behind a status are forgiven. `None` for a word that nobody registered.
///
/// Where a word is both (`Replaces` is a header only, `REFER` a method only), methods come first.
pub fn explain(word: &str) -> Option<Explanation> {
    let word = word.trim().trim_end_matches(':').trim_end();
    let first = word.split_ascii_whitespace().next()?;
    if let Ok(code) = first.parse::<u64>() {
        return explain_status(code);
    }
    let method = METHODS.iter().find(|row| row.name.eq_ignore_ascii_case(word)).map(|row| Explanation {
        kind: ExplainedKind::Method,
        title: row.name.to_owned(),
        meaning: row.meaning,
        rfc: row.rfc,
        causes: row.troubles,
        next: "",
    });
    method.or_else(|| explain_header(word))
}

/// Explains a status code; one that is not registered by its class.
pub fn explain_status(code: u64) -> Option<Explanation> {
    if let Some(&Status { phrase, meaning, rfc, causes, next, .. }) = status::find(code) {
        let title = format!("{code} {phrase}");
        return Some(Explanation { kind: ExplainedKind::Status, title, meaning, rfc, causes, next });
    }
    Some(Explanation {
        kind: ExplainedKind::Status,
        title: code.to_string(),
        meaning: status::class_meaning(code)?,
        rfc: "RFC 3261 8.1.3.2",
        causes: &[],
        next: "",
    })
}

fn explain_header(word: &str) -> Option<Explanation> {
    let mut letters = word.chars();
    let letter = letters.next().filter(|_| letters.next().is_none()).map(|letter| letter.to_ascii_lowercase());
    let is_named =
        |row: &&HeaderRow| row.name.eq_ignore_ascii_case(word) || (letter.is_some() && row.compact == letter);
    let row = HEADERS.iter().find(is_named)?;
    let title = match row.compact {
        Some(letter) => format!("{} ({letter})", row.name),
        None => row.name.to_owned(),
    };
    let (meaning, rfc, causes) = (row.meaning, row.rfc, row.troubles);
    Some(Explanation { kind: ExplainedKind::Header, title, meaning, rfc, causes, next: "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::HeaderName;

    #[test]
    fn every_kind_of_word_is_explained() {
        let title = |word: &str| explain(word).map(|explanation| explanation.title);
        assert_eq!(title("486").as_deref(), Some("486 Busy Here"));
        assert_eq!(title("486 Busy Here").as_deref(), Some("486 Busy Here"));
        assert_eq!(title("invite").as_deref(), Some("INVITE"));
        assert_eq!(title("call-id:").as_deref(), Some("Call-ID (i)"));
        assert_eq!(title("I").as_deref(), Some("Call-ID (i)"));
        assert_eq!(title("s").as_deref(), Some("Subject (s)"));
        assert_eq!(title("499").as_deref(), Some("499"));
        assert!(["", "nonsense", "99", "4294967301", "z", ":"].iter().all(|word| explain(word).is_none()));
    }

    #[test]
    fn every_header_the_program_reads_is_explained() {
        for name in HeaderName::ALL {
            let row = HEADERS.iter().find(|row| row.name == name.as_str());
            assert_eq!(row.map(|row| row.compact), Some(name.compact()), "{name:?}");
        }
    }

    #[test]
    fn headers_and_letters_stand_once() {
        for (at, row) in HEADERS.iter().enumerate() {
            assert!(row.meaning.ends_with('.') && row.rfc.starts_with("RFC "), "{row:?}");
            let clash = |other: &&HeaderRow| {
                other.name.eq_ignore_ascii_case(row.name) || (row.compact.is_some() && other.compact == row.compact)
            };
            assert!(!HEADERS[at + 1..].iter().any(|other| clash(&other)), "{}", row.name);
        }
    }

    #[test]
    fn an_explanation_reads_as_lines() {
        let text = explain("487").unwrap().to_string();
        assert!(text.starts_with("487 Request Terminated\n  ") && text.ends_with("\n  RFC 3261 21.4.25"), "{text}");
        assert!(text.contains("\n  Next: "));
    }
}
