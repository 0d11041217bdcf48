//! `CSeq`: number and method (RFC 3261, 20.16).

use std::borrow::Cow;

/// The largest CSeq number is one below this (RFC 3261, 8.1.1.5).
pub const CSEQ_LIMIT: u32 = 1 << 31;

/// Number and method of a CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    number: &'a [u8],
    method: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Reads a CSeq; `None` when it is empty.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (number, method) = value.split_at_checked(end)?;
        (!number.is_empty()).then_some(Self { number: without_zeros(number), method: method.trim_ascii() })
    }

    /// The number as text, since it may be out of range; without leading zeros.
    pub fn number_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.number)
    }

    /// The number, if it fits.
    pub fn number(&self) -> Option<u32> {
        crate::sip::params::number(self.number).and_then(|n| u32::try_from(n).ok())
    }

    /// Whether the number is one that RFC 3261 allows: below 2^31.
    pub fn in_range(&self) -> bool {
        self.number().is_some_and(|n| n < CSEQ_LIMIT)
    }

    /// The method token, empty for none.
    pub fn method(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.method)
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    match number.get(zeros..) {
        Some(rest) if rest.first().is_some_and(u8::is_ascii_digit) => rest,
        _ if zeros == number.len() => number.get(..1).unwrap_or(number),
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value() {
        let read = |text: &'static str| CSeq::parse(text.as_bytes()).unwrap();
        let folded = read("0009\r\n  INVITE");
        assert_eq!(
            (folded.number_text().as_ref(), folded.number(), folded.method().as_ref()),
            ("9", Some(9), "INVITE")
        );
        let large = read("36893488147419103232 REGISTER");
        assert_eq!((large.number_text().as_ref(), large.number()), ("36893488147419103232", None));
        assert!(!large.in_range() && !read("2147483648 INVITE").in_range() && read("2147483647 INVITE").in_range());
        assert_eq!((read("0 ACK").number(), read("00").number(), read("x").number()), (Some(0), Some(0), None));
        assert_eq!(CSeq::parse(b"  "), None);
    }
}
