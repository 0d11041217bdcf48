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

/// One header line: where it starts, where its colon is, and what it is. Its value ends where the next line starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderLine {
    pub start: u32,
    pub colon: u16,
    pub name: HeaderName,
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
    /// The message as received, from its first byte to the end of its body.
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

    /// The Request-URI of a request.
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
        self.headers.iter().enumerate().filter(move |(_, line)| line.name == name).map(|(i, _)| self.value(i))
    }

    /// All header lines in order: what they are, their name as written, and their value.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, Cow<'_, str>, &[u8])> {
        self.headers.iter().enumerate().map(|(i, line)| {
            let name = Span { start: line.start, end: line.start + u32::from(line.colon) };
            (line.name, Cow::Owned(self.text(name).trim().to_owned()), self.value(i))
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
        let Some(&HeaderLine { start, colon, .. }) = self.headers.get(line) else { return &[] };
        let end = self.headers.get(line + 1).map_or(self.headers_end, |next| next.start);
        self.slice(Span { start: start + u32::from(colon) + 1, end }).trim_ascii()
    }

    fn slice(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.slice(span))
    }
}

/// A header value as text, line folds replaced by one space (RFC 3261, 7.3.1).
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
