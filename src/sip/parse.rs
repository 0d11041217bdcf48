//! Finds the start line and the header lines of one message.

use smallvec::SmallVec;

use super::header::cseq::CSeq;
use super::message::{HeaderLine, SipMessage, Span, StartLine, first_line};
use super::params::number;
use super::{HeaderName, Method, Notes};
use crate::limits::{SIP_HEADER_LINES, SIP_MESSAGE_BYTES, SIP_METHOD_BYTES};

/// Whether these bytes may start a SIP message: a start line with the SIP version in it. Cheap enough for every datagram.
pub fn looks_like_sip(bytes: &[u8]) -> bool {
    let bytes = skip_leading_crlf(bytes);
    starts_with_word(bytes) && StartParts::split(first_line(bytes)).is_some()
}

/// Reads the one message of a datagram (RFC 3261, 18.3). `complete` is false when the capture cut the datagram.
///
/// `None` when there is no start line: then it is not SIP at all.
pub fn parse_datagram(bytes: &[u8], complete: bool) -> Option<SipMessage> {
    let bytes = skip_leading_crlf(bytes);
    if !starts_with_word(bytes) {
        return None;
    }
    let mut notes = Notes::default();
    let kept = bytes.get(..SIP_MESSAGE_BYTES).unwrap_or(bytes);
    if !complete || kept.len() < bytes.len() {
        notes.insert(Notes::CUT);
    }
    let head = read_head(kept, &mut notes)?;
    check_head(&head, kept, &mut notes);
    let body = datagram_body(kept, &head, &mut notes);
    Some(finish(kept, head, body, notes))
}

/// Whether a line, without its end, is the first one of a message.
pub(super) fn is_start_line(line: &[u8]) -> bool {
    starts_with_word(line) && StartParts::split(line).is_some()
}

/// Whether these bytes may become a start line when more follow: a method or SIP version comes first, perhaps not whole.
pub fn may_become_start_line(bytes: &[u8]) -> bool {
    let word = bytes.iter().take(SIP_METHOD_BYTES + 1).take_while(|byte| is_token(**byte) || **byte == b'/').count();
    let is_whole = bytes.get(word).is_none_or(|byte| is_space(*byte));
    (1..=SIP_METHOD_BYTES).contains(&word) && is_whole
}

/// Whether a method that is registered, or the SIP version, comes first: what a hole cut off at the front is neither.
pub fn starts_with_known_word(bytes: &[u8]) -> bool {
    let word = bytes.split(|byte| is_space(*byte)).next().unwrap_or_default();
    let method = std::str::from_utf8(word).map(Method::new);
    is_sip_version(word) || method.is_ok_and(|method| !matches!(method, Method::Other(_)))
}

/// The first message of a stream's octets, once its head is there.
pub(super) enum InStream {
    /// It is whole.
    Message {
        /// The message.
        message: SipMessage,
        /// Octets that it takes.
        len: usize,
    },
    /// It takes so many octets, more than are there or than are kept.
    Longer {
        /// Octets of head and body.
        whole: u64,
    },
    /// There is a body, and nothing says where it ends.
    OpenEnded,
}

/// Reads a message of a stream, whose head takes the first `head_len` octets (RFC 3261, 18.3). `None` when it is none.
pub(super) fn parse_in_stream(bytes: &[u8], head_len: usize) -> Option<InStream> {
    let mut notes = Notes::default();
    let in_head = bytes.get(..head_len)?;
    let head = read_head(in_head, &mut notes)?;
    let Some(length) = stream_body(in_head, &head, &mut notes) else { return Some(InStream::OpenEnded) };
    let whole = length.saturating_add(head_len as u64);
    if whole > bytes.len().min(SIP_MESSAGE_BYTES) as u64 {
        return Some(InStream::Longer { whole });
    }
    let len = whole as usize;
    let message = bytes.get(..len)?;
    check_head(&head, message, &mut notes);
    let body = span(head.body_start as usize, len);
    Some(InStream::Message { message: finish(message, head, body, notes), len })
}

/// Octets of the body as Content-Length says, 0 where the headers let nobody expect one; `None` when nothing can be
/// believed.
fn stream_body(bytes: &[u8], head: &Head, notes: &mut Notes) -> Option<u64> {
    let mut lengths = head.all(bytes, HeaderName::ContentLength);
    let Some(first) = lengths.next() else {
        notes.insert(Notes::LENGTH_MISSING);
        return (!head.has(HeaderName::ContentType)).then_some(0);
    };
    let length = number(first);
    if lengths.any(|other| number(other) != length) {
        notes.insert(Notes::LENGTH_CONFLICT);
    }
    if length.is_none() {
        notes.insert(Notes::LENGTH_INVALID);
    }
    length
}

/// Start line and header lines of a message, as offsets into its bytes.
struct Head {
    start: StartLine,
    headers: SmallVec<[HeaderLine; 32]>,
    headers_end: u32,
    body_start: u32,
    seen: u64,
}

/// Reads up to the empty line, which ends the head. `None` when the first line is no start line.
fn read_head(bytes: &[u8], notes: &mut Notes) -> Option<Head> {
    let line = first_line(bytes);
    let start = read_start_line(bytes, line, notes)?;
    let mut at = line.len() + line_end_len(bytes, line.len());
    if bytes.get(line.len()) == Some(&b'\n') {
        notes.insert(Notes::BARE_LF);
    }
    let mut head = Head { start, headers: SmallVec::new(), headers_end: at as u32, body_start: 0, seen: 0 };
    let mut found_end = false;
    while at < bytes.len() && !found_end {
        let rest = bytes.get(at..).unwrap_or_default();
        let line = first_line(rest);
        let next = at + line.len() + line_end_len(rest, line.len());
        if next == bytes.len() && !rest.ends_with(b"\n") && notes.contains(Notes::CUT) {
            // Half a Call-ID is another Call-ID: a line without its end stays in the raw text only.
            at = next;
            break;
        }
        found_end = line.is_empty();
        if !found_end {
            head.add_line(at, line, notes);
            if !notes.contains(Notes::TOO_MANY_HEADERS) {
                head.headers_end = next as u32;
            }
        }
        at = next;
    }
    if !found_end && !notes.contains(Notes::CUT) {
        notes.insert(Notes::NO_EMPTY_LINE);
    }
    head.body_start = at as u32;
    Some(head)
}

impl Head {
    fn add_line(&mut self, at: usize, line: &[u8], notes: &mut Notes) {
        let is_fold = matches!(line.first(), Some(b' ' | b'\t')) && !self.headers.is_empty();
        if is_fold {
            return;
        }
        if self.headers.len() >= SIP_HEADER_LINES {
            notes.insert(Notes::TOO_MANY_HEADERS);
            return;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(0);
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        if name.is_empty() {
            notes.insert(Notes::STRAY_LINE);
            self.headers.push(HeaderLine::new(at, None));
            return;
        }
        let name = HeaderName::find(name);
        if self.seen & name.bit() != 0 && name.is_single() {
            notes.insert(Notes::REPEATED_HEADER);
        }
        self.seen |= name.bit();
        self.headers.push(HeaderLine::new(at, Some(name)));
    }

    fn has(&self, name: HeaderName) -> bool {
        self.seen & name.bit() != 0
    }

    /// The values of all headers of this name, trimmed.
    fn all<'a>(&'a self, bytes: &'a [u8], name: HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let values = self.headers.iter().enumerate().filter(move |(_, line)| line.is(name));
        values.map(move |(i, line)| {
            let end = self.headers.get(i + 1).map_or(self.headers_end, |next| next.start());
            line.parts(bytes, end).1
        })
    }
}

/// Notes what contradicts RFC 3261 in a head that is shown all the same.
fn check_head(head: &Head, bytes: &[u8], notes: &mut Notes) {
    const MANDATORY: [HeaderName; 5] =
        [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
    let head_is_cut = notes.contains(Notes::CUT) && head.body_start as usize >= bytes.len();
    if !head_is_cut && !MANDATORY.iter().all(|name| head.has(*name)) {
        notes.insert(Notes::MANDATORY_MISSING);
    }
    if notes.contains(Notes::REPEATED_HEADER) && !any_contradiction(head, bytes) {
        notes.remove(Notes::REPEATED_HEADER);
    }
    let cseq = head.all(bytes, HeaderName::CSeq).next().and_then(CSeq::parse);
    if let Some(cseq) = cseq {
        if !cseq.in_range() {
            notes.insert(Notes::NUMBER_RANGE);
        }
        if let StartLine::Request { method, .. } = &head.start
            && method.as_str() != cseq.method()
        {
            notes.insert(Notes::METHOD_MISMATCH);
        }
    }
    for (name, most) in NUMBERS {
        if head.has(name) && head.all(bytes, name).next().and_then(leading_number).is_some_and(|value| value > most) {
            notes.insert(Notes::NUMBER_RANGE);
        }
    }
}

/// Headers that are a number, and the largest one allowed.
const NUMBERS: [(HeaderName, u64); 6] = [
    (HeaderName::MaxForwards, 255),
    (HeaderName::Expires, u32::MAX as u64),
    (HeaderName::MinExpires, u32::MAX as u64),
    (HeaderName::RetryAfter, u32::MAX as u64),
    (HeaderName::SessionExpires, u32::MAX as u64),
    (HeaderName::RSeq, u32::MAX as u64),
];

fn leading_number(value: &[u8]) -> Option<u64> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    number(value.get(..end)?)
}

/// Whether a header that may stand once stands twice, with different values.
fn any_contradiction(head: &Head, bytes: &[u8]) -> bool {
    let mut checked = 0;
    let mut singles = head.headers.iter().filter_map(|line| line.name()).filter(|name| name.is_single());
    singles.any(|name| {
        if checked & name.bit() != 0 {
            return false;
        }
        checked |= name.bit();
        let mut values = head.all(bytes, name);
        let first = values.next();
        values.any(|value| Some(value) != first)
    })
}

/// The body by Content-Length; the rest of the datagram where there is none (RFC 3261, 18.3 allows that) or none that can
/// be believed.
fn datagram_body(bytes: &[u8], head: &Head, notes: &mut Notes) -> Span {
    let rest = span(head.body_start as usize, bytes.len());
    let there = u64::from(rest.end - rest.start);
    let mut lengths = head.all(bytes, HeaderName::ContentLength);
    let Some(first) = lengths.next() else { return rest };
    if lengths.any(|other| number(other) != number(first)) {
        notes.insert(Notes::LENGTH_CONFLICT);
        return rest;
    }
    match number(first) {
        None => notes.insert(Notes::LENGTH_INVALID),
        Some(length) if length < there => {
            notes.insert(Notes::LENGTH_TOO_SMALL);
            return span(head.body_start as usize, head.body_start as usize + length as usize);
        }
        Some(length) if length > there && !notes.contains(Notes::CUT) => notes.insert(Notes::LENGTH_TOO_LARGE),
        Some(_) => {}
    }
    rest
}

/// Typical messages are put together on the stack.
const PUT_TOGETHER_BYTES: usize = 1_536;

fn finish(bytes: &[u8], head: Head, body: Span, notes: Notes) -> SipMessage {
    let mut data: SmallVec<[u8; PUT_TOGETHER_BYTES]> = SmallVec::new();
    data.reserve_exact(bytes.len() + (head.headers.len() + 1) * HeaderLine::BYTES);
    data.extend_from_slice(bytes);
    let end = HeaderLine::new(head.headers_end as usize, None);
    for line in head.headers.iter().chain([&end]) {
        data.extend_from_slice(&line.to_bytes());
    }
    SipMessage { data: data.as_slice().into(), len: bytes.len() as u32, start: head.start, body, notes }
}

fn read_start_line(bytes: &[u8], line: &[u8], notes: &mut Notes) -> Option<StartLine> {
    let StartParts { first, middle, last, odd_spaces } = StartParts::split(line)?;
    if odd_spaces {
        notes.insert(Notes::START_LINE_SPACES);
    }
    let within = |part: &[u8]| {
        let start = (part.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
        span(start, start + part.len())
    };
    let version = if is_sip_version(first) { first } else { last };
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        notes.insert(Notes::VERSION);
    }
    if is_sip_version(first) {
        let status = number(middle)?;
        if !(100..700).contains(&status) {
            notes.insert(Notes::STATUS_RANGE);
        }
        return Some(StartLine::Response { status, reason: within(last) });
    }
    let bare = middle.strip_prefix(b"<").map(|uri| uri.strip_suffix(b">").unwrap_or(uri).trim_ascii());
    if bare.is_some() {
        notes.insert(Notes::URI_BRACKETS);
    }
    let method = Method::new(std::str::from_utf8(first).ok()?);
    Some(StartLine::Request { method, uri: within(bare.unwrap_or(middle)) })
}

/// A start line in three. Request: method, URI, version. Response: version, status, reason.
struct StartParts<'a> {
    first: &'a [u8],
    middle: &'a [u8],
    last: &'a [u8],
    odd_spaces: bool,
}

impl<'a> StartParts<'a> {
    /// `None` when the line is neither. Several spaces between the parts, and spaces in the URI, are forgiven: the
    /// method is the first word and the version the last one.
    fn split(line: &'a [u8]) -> Option<Self> {
        let space = line.iter().position(|byte| is_space(*byte))?;
        let (first, rest) = line.split_at_checked(space)?;
        let rest = rest.trim_ascii_start();
        if is_sip_version(first) {
            let end = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
            let (middle, last) = rest.split_at_checked(end)?;
            let odd_spaces = line.get(space + 1) == Some(&b' ') || line.get(space) == Some(&b'\t');
            let is_number = !middle.is_empty() && middle.iter().all(u8::is_ascii_digit);
            return is_number.then_some(Self { first, middle, last: last.trim_ascii(), odd_spaces });
        }
        let rest = rest.trim_ascii_end();
        let (uri, last) = rest.split_at_checked(rest.iter().rposition(|byte| is_space(*byte))?)?;
        let (middle, last) = (uri.trim_ascii_end(), last.trim_ascii_start());
        let odd_spaces =
            first.len() + middle.len() + last.len() + 2 != line.len() || middle.iter().any(|byte| is_space(*byte));
        let is_request = is_sip_version(last) && !middle.is_empty() && first.iter().copied().all(is_token);
        is_request.then_some(Self { first, middle, last, odd_spaces })
    }
}

/// `SIP/2.0`, or any other number; case is ignored (RFC 3261, 7.1).
fn is_sip_version(word: &[u8]) -> bool {
    match word.split_at_checked(4) {
        Some((name, [digit, rest @ ..])) => {
            name.eq_ignore_ascii_case(b"SIP/")
                && digit.is_ascii_digit()
                && rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        }
        _ => false,
    }
}

/// Whether a method or SIP version, and white space behind it, come first. Nearly all that is not SIP fails here.
fn starts_with_word(bytes: &[u8]) -> bool {
    let word = bytes.iter().take(SIP_METHOD_BYTES + 1).take_while(|byte| is_token(**byte) || **byte == b'/').count();
    (1..=SIP_METHOD_BYTES).contains(&word) && bytes.get(word).copied().is_some_and(is_space)
}

fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

fn skip_leading_crlf(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

fn line_end_len(bytes: &[u8], line: usize) -> usize {
    match bytes.get(line..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n', ..]) => 1,
        Some([b'\r']) => 1,
        _ => 0,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// RFC 3261, 25.1: `token`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

#[cfg(test)]
mod tests;
