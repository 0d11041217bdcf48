//! Finds the start line and the header lines of one message.

use super::message::{HeaderLine, SipMessage, Span, StartLine};
use super::{HeaderName, Method, Notes};
use crate::limits::{SIP_HEADER_LINES, SIP_MESSAGE_BYTES};

/// Whether these bytes may start a SIP message: a start line with the SIP version in it. Cheap enough for every datagram.
pub fn looks_like_sip(bytes: &[u8]) -> bool {
    let bytes = skip_leading_crlf(bytes);
    match bytes.first() {
        Some(first) if is_token(*first) => split_start_line(first_line(bytes)).is_some(),
        _ => false,
    }
}

/// Reads the one message of a datagram. `complete` is false when the capture cut the datagram.
///
/// `None` when there is no start line: then it is not SIP at all.
pub fn parse_datagram(bytes: &[u8], complete: bool) -> Option<SipMessage> {
    let bytes = skip_leading_crlf(bytes);
    if !bytes.first().copied().is_some_and(is_token) {
        return None;
    }
    let mut notes = Notes::default();
    let kept = bytes.get(..SIP_MESSAGE_BYTES).unwrap_or(bytes);
    if !complete || kept.len() < bytes.len() {
        notes.insert(Notes::CUT);
    }
    let head = read_head(kept, &mut notes)?;
    let body = body_span(kept, &head, &mut notes);
    Some(finish(kept, head, body, notes))
}

struct Head {
    start: StartLine,
    start_line: Span,
    headers: Vec<HeaderLine>,
    headers_end: u32,
    body_start: u32,
}

fn read_head(bytes: &[u8], notes: &mut Notes) -> Option<Head> {
    let line = first_line(bytes);
    let start = read_start_line(bytes, line, notes)?;
    let mut headers: Vec<HeaderLine> = Vec::with_capacity(24);
    let mut at = line.len() + line_end_len(bytes, line.len());
    if bytes.get(line.len()) == Some(&b'\n') {
        notes.insert(Notes::BARE_LF);
    }
    let mut found_end = false;
    let mut headers_end = at;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let line = first_line(rest);
        let next = at + line.len() + line_end_len(rest, line.len());
        if line.is_empty() {
            found_end = true;
            at = next;
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t')) && !headers.is_empty();
        if !folded {
            add_header(at, line, &mut headers, notes);
        }
        headers_end = next;
        at = next;
    }
    if !found_end {
        notes.insert(Notes::NO_EMPTY_LINE);
    }
    Some(Head {
        start,
        start_line: Span { start: 0, end: line.len() as u32 },
        headers,
        headers_end: headers_end as u32,
        body_start: at as u32,
    })
}

fn add_header(at: usize, line: &[u8], headers: &mut Vec<HeaderLine>, notes: &mut Notes) {
    let colon = memchr::memchr(b':', line).and_then(|colon| u16::try_from(colon).ok());
    let Some(colon) = colon.filter(|colon| *colon > 0) else {
        notes.insert(Notes::STRAY_LINE);
        return;
    };
    if headers.len() >= SIP_HEADER_LINES {
        notes.insert(Notes::TOO_MANY_HEADERS);
        return;
    }
    let name = HeaderName::find(line.get(..usize::from(colon)).unwrap_or_default().trim_ascii());
    headers.push(HeaderLine { start: at as u32, colon, name });
}

fn body_span(bytes: &[u8], head: &Head, notes: &mut Notes) -> Span {
    let all = Span { start: head.body_start, end: bytes.len() as u32 };
    let _ = notes;
    all
}

fn finish(bytes: &[u8], head: Head, body: Span, notes: Notes) -> SipMessage {
    SipMessage {
        bytes: bytes.into(),
        start: head.start,
        start_line: head.start_line,
        headers: head.headers.into(),
        headers_end: head.headers_end,
        body,
        notes,
    }
}

fn read_start_line(bytes: &[u8], line: &[u8], notes: &mut Notes) -> Option<StartLine> {
    let (first, middle, last) = split_start_line(line)?;
    let span = |part: &[u8]| {
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        Span { start: start as u32, end: (start + part.len()) as u32 }
    };
    if first.starts_with(b"SIP/") {
        let digits = std::str::from_utf8(middle).ok()?;
        let status = digits.parse::<u64>().unwrap_or(u64::MAX);
        if !(100..700).contains(&status) {
            notes.insert(Notes::STATUS_RANGE);
        }
        return Some(StartLine::Response { status, reason: span(last) });
    }
    if last != b"SIP/2.0" {
        notes.insert(Notes::VERSION);
    }
    let method = Method::new(std::str::from_utf8(first).ok()?);
    Some(StartLine::Request { method, uri: span(middle) })
}

/// Request: method, URI, version. Response: version, status, reason. `None` when the line is neither.
fn split_start_line(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let line = line.trim_ascii_end();
    let space = memchr::memchr(b' ', line)?;
    let (first, rest) = line.split_at(space);
    let rest = rest.trim_ascii_start();
    if first.starts_with(b"SIP/") {
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (status, reason) = rest.split_at(end);
        let is_number = !status.is_empty() && status.iter().all(u8::is_ascii_digit);
        return is_number.then_some((first, status, reason.trim_ascii()));
    }
    let (uri, version) = rest.split_at(memchr::memrchr(b' ', rest)?);
    let version = version.trim_ascii();
    let is_request = version.starts_with(b"SIP/") && first.iter().copied().all(is_token);
    is_request.then_some((first, uri.trim_ascii(), version))
}

fn skip_leading_crlf(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn line_end_len(bytes: &[u8], line: usize) -> usize {
    match bytes.get(line..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n', ..]) => 1,
        Some([b'\r']) => 1,
        _ => 0,
    }
}

/// RFC 3261, 25.1: `token`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}
