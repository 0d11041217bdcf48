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

/// One header line: where it starts and what it is, in four bytes, since a message has a dozen or more. It ends where the
/// next one starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderLine(u32);

impl HeaderLine {
    /// Stands in the place of a name: a line without a colon is no header, but the end of the one before it.
    const STRAY: u8 = u8::MAX;

    /// A header line of this name, or a stray one. A message is too short for `start` to need more than 24 bits.
    pub(super) fn new(start: usize, name: Option<HeaderName>) -> Self {
        let name = name.map_or(Self::STRAY, |name| name as u8);
        Self((start as u32) << 8 | u32::from(name))
    }

    /// Its first byte.
    pub(super) fn start(self) -> u32 {
        self.0 >> 8
    }

    /// Whether it is a header of this name.
    pub(super) fn is(self, name: HeaderName) -> bool {
        self.0 as u8 == name as u8
    }

    /// What it is; `None` for a stray line.
    pub(super) fn name(self) -> Option<HeaderName> {
        let name = self.0 as u8;
        (name != Self::STRAY).then(|| HeaderName::ALL.get(usize::from(name)).copied().unwrap_or(HeaderName::Other))
    }

    /// Name and value of this line, which ends at `end`, both trimmed.
    pub(super) fn parts(self, bytes: &[u8], end: u32) -> (&[u8], &[u8]) {
        let line = bytes.get(self.start() as usize..end as usize).unwrap_or_default();
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// Bytes it takes.
    pub(super) const BYTES: usize = 4;
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

/// Bytes that the heap and a shared pointer's two counters add to what is behind the pointer.
pub(crate) const SHARED_OVERHEAD: usize = 32;

/// A SIP message with offsets to its parts. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct SipMessage {
    /// What was received, and behind it the header lines and where the last of them ends: one allocation is leaner than two.
    pub(super) data: Arc<[u8]>,
    /// Bytes received.
    pub(super) len: u32,
    pub(super) start: StartLine,
    pub(super) body: Span,
    pub(super) notes: Notes,
}

impl SipMessage {
    /// All that was received, from the start line on: what stands behind the body is in it too.
    pub fn bytes(&self) -> &[u8] {
        self.data.get(..self.len as usize).unwrap_or_default()
    }

    /// Method and Request-URI, or status and reason.
    pub fn start(&self) -> &StartLine {
        &self.start
    }

    /// The first line as text, without its line end.
    pub fn start_line(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(first_line(self.bytes()))
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

    /// Adds what only whoever carried it can know.
    pub fn note(&mut self, notes: Notes) {
        self.notes.insert(notes);
    }

    /// Start line and headers, up to the empty line and without it.
    pub fn head(&self) -> &[u8] {
        self.slice(Span { start: 0, end: self.body.start }).trim_ascii_end()
    }

    /// What stands behind the body: octets that Content-Length does not cover. Empty in a proper message.
    pub fn rest(&self) -> &[u8] {
        self.slice(Span { start: self.body.end, end: self.len })
    }

    /// Bytes of memory this message holds, the index and the heap's own share included.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + SHARED_OVERHEAD + self.data.len()
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
        self.lines().filter(move |(line, _)| line.is(name)).map(|(line, end)| line.parts(self.bytes(), end).1)
    }

    /// All header lines in order: what they are, their name as written, and their value.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, Cow<'_, str>, &[u8])> {
        self.lines().filter_map(|(line, end)| {
            let (name, value) = line.parts(self.bytes(), end);
            Some((line.name()?, String::from_utf8_lossy(name), value))
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

    /// The header lines, each with its end.
    fn lines(&self) -> impl Iterator<Item = (HeaderLine, u32)> {
        let (lines, _) = self.data.get(self.len as usize..).unwrap_or_default().as_chunks::<{ HeaderLine::BYTES }>();
        lines.array_windows().map(|[line, next]| (HeaderLine::from_bytes(*line), HeaderLine::from_bytes(*next).start()))
    }

    fn slice(&self, span: Span) -> &[u8] {
        self.bytes().get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.slice(span))
    }
}

/// The first line, without its end.
pub(super) fn first_line(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
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
