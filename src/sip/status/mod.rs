//! Status codes: what they mean, why they come, and what to look at next (RFC 3261, 21, and the IANA list).

mod client_error;
mod others;

pub use client_error::CLIENT_ERRORS;
pub use others::{PROVISIONAL, SERVER_AND_GLOBAL, SUCCESS_AND_REDIRECTION};

/// One registered status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: u16,
    /// The standard phrase.
    pub phrase: &'static str,
    /// What it says, in a sentence.
    pub meaning: &'static str,
    /// Where it is defined.
    pub rfc: &'static str,
    /// Why it usually comes; empty for the rare ones.
    pub causes: &'static [&'static str],
    /// What to look at next; empty for the rare ones.
    pub next: &'static str,
}

/// All registered codes in order.
pub fn all() -> impl Iterator<Item = &'static Status> {
    [PROVISIONAL, SUCCESS_AND_REDIRECTION, CLIENT_ERRORS, SERVER_AND_GLOBAL].into_iter().flatten()
}

/// The row of a code.
pub fn find(code: u64) -> Option<&'static Status> {
    all().find(|status| u64::from(status.code) == code)
}

/// The standard phrase; empty for a code that is not registered.
pub fn phrase(code: u64) -> &'static str {
    find(code).map_or("", |status| status.phrase)
}

/// What the class of a code means, for codes that are not registered: they count as x00 (RFC 3261, 8.1.3.2).
pub fn class_meaning(code: u64) -> Option<&'static str> {
    Some(match code / 100 {
        1 => "Provisional: the request is being worked on, a final response follows. Unregistered; treated as 183.",
        2 => "Success. Unregistered; treated as 200.",
        3 => "Redirection: the request should be sent elsewhere. Unregistered; treated as 300.",
        4 => "Failure at this server, for this request as it is. Unregistered; treated as 400.",
        5 => "Failure of the server, though the request may be fine. Unregistered; treated as 500.",
        6 => "Failure everywhere: no other server would do better. Unregistered; treated as 600.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_complete() {
        let codes: Vec<u16> = all().map(|status| status.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        assert_eq!(codes.len(), 75);
        for status in all() {
            assert!((100..700).contains(&status.code));
            assert!(status.meaning.ends_with('.') && status.rfc.starts_with("RFC "), "{status:?}");
            assert_eq!(
                status.causes.is_empty(),
                status.next.is_empty(),
                "{} has causes and a next step, or neither",
                status.code
            );
        }
        assert!(all().filter(|status| !status.causes.is_empty()).count() >= 40);
    }

    #[test]
    fn unknown_codes_have_no_phrase() {
        assert_eq!((phrase(486), phrase(499), phrase(4_294_967_301)), ("Busy Here", "", ""));
        assert!(class_meaning(499).is_some() && class_meaning(4_294_967_301).is_none() && class_meaning(99).is_none());
    }
}
