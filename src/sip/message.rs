//! One SIP message: one copy of its bytes, and an index into them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{HeaderName, Method, Notes};

/// A range of a message's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Marks a line without a colon: no header, but the end of the one before it.
pub(super) const NO_COLON: u16 = u16::MAX;

/// One header line: where it starts, where its colon is (from there), and what it is. Its value ends where the next
/// line starts. Eight bytes, since a message has a dozen or more.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderLine {
    pub start: u32,
    pub colon: u16,
    pub name: HeaderName,
}

impl HeaderLine {
    fn is_header(self) -> bool {
        self.colon != NO_COLON
    }

    /// The trimmed value of this line, which ends at `end`.
    pub(super) fn value(self, bytes: &[u8], end: u32) -> &[u8] {
        let start = self.start as usize + usize::from(self.colon) + 1;
        bytes.get(start..end as usize).unwrap_or_default().trim_ascii()
    }
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// `INVITE sip:208@example.com SIP/2.0`
    Request {
        /// The method token.
        method: Method,
        /// The Request-URI, as it stands there.
        uri: Span,
    },
    /// `SIP/2.0 180 Ringing`
    Response {
        /// The status code; it may be out of range (see [`Notes::STATUS_RANGE`]), but never wraps.
        status: u64,
        /// The reason phrase.
        reason: Span,
    },
}

/// A SIP message with offsets to its parts. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct SipMessage {
    pub(super) bytes: Arc<[u8]>,
    pub(super) start: StartLine,
    pub(super) start_line: Span,
    pub(super) headers: Arc<[HeaderLine]>,
    pub(super) headers_end: u32,
    pub(super) body: Span,
    pub(super) notes: Notes,
}

impl SipMessage {
    /// All that was received, from the start line on: what stands behind the body is in it too.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Method and Request-URI, or status and reason.
    pub fn start(&self) -> &StartLine {
        &self.start
    }

    /// The first line as text, without its line end.
    pub fn start_line(&self) -> Cow<'_, str> {
        self.text(self.start_line)
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u64> {
        match self.start {
            StartLine::Response { status, .. } => Some(status),
            StartLine::Request { .. } => None,
        }
    }

    /// The Request-URI of a request, without angle brackets if somebody put any.
    pub fn request_uri(&self) -> Option<Cow<'_, str>> {
        match self.start {
            StartLine::Request { uri, .. } => Some(self.text(uri)),
            StartLine::Response { .. } => None,
        }
    }

    /// The reason phrase of a response.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        match self.start {
            StartLine::Response { reason, .. } => Some(self.text(reason)),
            StartLine::Request { .. } => None,
        }
    }

    /// What was odd about it.
    pub fn notes(&self) -> Notes {
        self.notes
    }

    /// Start line and headers, up to the empty line and without it.
    pub fn head(&self) -> &[u8] {
        self.slice(Span { start: 0, end: self.body.start }).trim_ascii_end()
    }

    /// What stands behind the body: octets that Content-Length does not cover. Empty in a proper message.
    pub fn rest(&self) -> &[u8] {
        self.slice(Span { start: self.body.end, end: self.bytes.len() as u32 })
    }

    /// Bytes of memory this message holds, the index included.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + size_of_val::<[HeaderLine]>(&self.headers)
    }

    /// The body, as long as Content-Length and the datagram allow.
    pub fn body(&self) -> &[u8] {
        self.slice(self.body)
    }

    /// The value of the first header of this name, without white space around it; folded lines are still folded.
    pub fn header(&self, name: HeaderName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Like [`SipMessage::header`], as unfolded text.
    pub fn header_text(&self, name: HeaderName) -> Option<Cow<'_, str>> {
        self.header(name).map(unfold)
    }

    /// The values of all headers of this name, in order.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .enumerate()
            .filter(move |(_, line)| line.name == name && line.is_header())
            .map(|(i, _)| self.value(i))
    }

    /// All header lines in order: what they are, their name as written, and their value.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, Cow<'_, str>, &[u8])> {
        self.headers.iter().enumerate().filter(|(_, line)| line.is_header()).map(|(i, line)| {
            let name = Span { start: line.start, end: line.start + u32::from(line.colon) };
            (line.name, String::from_utf8_lossy(self.slice(name).trim_ascii()), self.value(i))
        })
    }

    /// The value of the first header with this name, known or not; case is ignored.
    pub fn header_named(&self, wanted: &str) -> Option<&[u8]> {
        let known = HeaderName::find(wanted.as_bytes());
        if known != HeaderName::Other {
            return self.header(known);
        }
        self.headers().find(|(_, name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, _, value)| value)
    }

    /// The Call-ID, exactly as received.
    pub fn call_id(&self) -> Option<Cow<'_, str>> {
        self.header(HeaderName::CallId).filter(|id| !id.is_empty()).map(String::from_utf8_lossy)
    }

    fn value(&self, line: usize) -> &[u8] {
        let Some(header) = self.headers.get(line) else { return &[] };
        let end = self.headers.get(line + 1).map_or(self.headers_end, |next| next.start);
        header.value(&self.bytes, end)
    }

    fn slice(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.slice(span))
    }
}

/// A value as text, line folds replaced by one space (RFC 3261, 7.3.1); bytes that are no UTF-8 become U+FFFD.
pub fn unfold(value: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value);
    if !text.contains(['\r', '\n']) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(line.trim_matches(['\r', ' ', '\t']));
    }
    Cow::Owned(out)
}
