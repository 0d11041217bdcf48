//! What was odd about a message that is shown all the same.

/// A set of oddities, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes(u32);

impl Notes {
    /// The message ends before its body is complete (snap length, lost fragment, cut stream).
    pub const CUT: Self = Self(1);
    /// Content-Length is larger than what is there.
    pub const LENGTH_TOO_LARGE: Self = Self(1 << 1);
    /// The datagram goes on after Content-Length octets of body; the rest is ignored.
    pub const LENGTH_TOO_SMALL: Self = Self(1 << 2);
    /// Content-Length is not a number.
    pub const LENGTH_INVALID: Self = Self(1 << 3);
    /// There is no Content-Length, which a stream needs; the body goes on to the next start line, or until nothing more comes.
    pub const LENGTH_MISSING: Self = Self(1 << 4);
    /// A header that may occur once occurs again with another value; the first is used.
    pub const REPEATED_HEADER: Self = Self(1 << 5);
    /// The method of the CSeq is not that of the request line.
    pub const METHOD_MISMATCH: Self = Self(1 << 6);
    /// Lines end in LF alone.
    pub const BARE_LF: Self = Self(1 << 7);
    /// The version is not SIP/2.0.
    pub const VERSION: Self = Self(1 << 8);
    /// The status code is not between 100 and 699.
    pub const STATUS_RANGE: Self = Self(1 << 9);
    /// A line that is no header (no colon).
    pub const STRAY_LINE: Self = Self(1 << 10);
    /// The header section never ends with an empty line.
    pub const NO_EMPTY_LINE: Self = Self(1 << 11);
    /// Call-ID, From, To, CSeq or Via is missing.
    pub const MANDATORY_MISSING: Self = Self(1 << 12);
    /// Spaces where the start line allows none, or several.
    pub const START_LINE_SPACES: Self = Self(1 << 13);
    /// More header lines than are indexed.
    pub const TOO_MANY_HEADERS: Self = Self(1 << 14);
    /// A number is out of its range.
    pub const NUMBER_RANGE: Self = Self(1 << 15);
    /// Content-Length stands there twice with different values; the datagram's end counts.
    pub const LENGTH_CONFLICT: Self = Self(1 << 16);
    /// The Request-URI stands in angle brackets.
    pub const URI_BRACKETS: Self = Self(1 << 17);
    /// An IP fragment of the message never came.
    pub const FRAGMENT_LOST: Self = Self(1 << 18);
    /// It is the first one found behind a hole in a stream: a message that another one quotes looks the same.
    pub const BEHIND_HOLE: Self = Self(1 << 19);

    const TEXTS: [(Self, &'static str); 20] = [
        (Self::CUT, "message is cut"),
        (Self::LENGTH_TOO_LARGE, "Content-Length larger than what is there"),
        (Self::LENGTH_TOO_SMALL, "octets after the end of the body"),
        (Self::LENGTH_INVALID, "Content-Length is not a number"),
        (Self::LENGTH_MISSING, "no Content-Length on a stream"),
        (Self::REPEATED_HEADER, "single header repeated, first one used"),
        (Self::METHOD_MISMATCH, "CSeq method differs from the request line"),
        (Self::BARE_LF, "lines end in LF alone"),
        (Self::VERSION, "version is not SIP/2.0"),
        (Self::STATUS_RANGE, "status code out of range"),
        (Self::STRAY_LINE, "line that is no header"),
        (Self::NO_EMPTY_LINE, "no empty line after the headers"),
        (Self::MANDATORY_MISSING, "mandatory header missing"),
        (Self::START_LINE_SPACES, "odd spaces in the start line"),
        (Self::TOO_MANY_HEADERS, "too many header lines"),
        (Self::NUMBER_RANGE, "number out of range"),
        (Self::LENGTH_CONFLICT, "two different Content-Lengths"),
        (Self::URI_BRACKETS, "Request-URI in angle brackets"),
        (Self::FRAGMENT_LOST, "a fragment was lost"),
        (Self::BEHIND_HOLE, "found behind octets that were not captured, perhaps quoted"),
    ];

    /// Adds what `other` holds.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Takes out what `other` holds.
    pub fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is nothing odd.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One sentence part for each oddity.
    pub fn texts(self) -> impl Iterator<Item = &'static str> {
        Self::TEXTS.iter().filter(move |(note, _)| self.contains(*note)).map(|(_, text)| *text)
    }
}
