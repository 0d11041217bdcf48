//! Bodies within a body (RFC 2046, 5.1; RFC 5621), and where the SDP is.

use memchr::memmem;

use super::header::content_type::ContentType;
use super::message::SipMessage;
use crate::limits::MULTIPART_DEPTH;

/// One part of a multipart body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyPart<'a> {
    head: &'a [u8],
    /// What the part holds, as it stands there.
    pub body: &'a [u8],
}

impl<'a> BodyPart<'a> {
    /// The value of the part's header with this name; case is ignored.
    pub fn header(&self, wanted: &str) -> Option<&'a [u8]> {
        let mut at = 0;
        while let Some(rest) = self.head.get(at..).filter(|rest| !rest.is_empty()) {
            let end = value_end(rest);
            at += end;
            let Some((name, value)) =
                rest.get(..end).and_then(|line| line.split_at_checked(memchr::memchr(b':', line)?))
            else {
                continue;
            };
            if name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()) {
                return value.get(1..).map(<[u8]>::trim_ascii);
            }
        }
        None
    }

    /// The type of the part.
    pub fn content_type(&self) -> Option<ContentType<'a>> {
        self.header("Content-Type").or_else(|| self.header("c")).and_then(ContentType::parse)
    }
}

/// Length of the first header line, its folds included.
fn value_end(head: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', head)
        .map(|at| at + 1)
        .find(|next| !matches!(head.get(*next), Some(b' ' | b'\t')))
        .unwrap_or(head.len())
}

/// The parts of a multipart body between its boundaries. A body without its closing boundary still has its last part.
#[derive(Clone, Debug)]
pub struct BodyParts<'a> {
    rest: &'a [u8],
    delimiter: Vec<u8>,
}

impl<'a> BodyParts<'a> {
    /// Takes the parts of `body` apart.
    pub fn new(body: &'a [u8], boundary: &str) -> Self {
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let mut parts = Self { rest: body, delimiter };
        parts.rest = parts.next_boundary().map(|(_, after)| after).unwrap_or_default();
        parts
    }

    /// The next boundary line: what is before it, and what is behind it (nothing behind the closing one).
    fn next_boundary(&self) -> Option<(&'a [u8], &'a [u8])> {
        memmem::find_iter(self.rest, &self.delimiter).find_map(|at| {
            let (before, after) = self.rest.split_at_checked(at)?;
            let after = after.get(self.delimiter.len()..)?;
            let starts_a_line = before.is_empty() || before.ends_with(b"\n");
            if after.starts_with(b"--") {
                return starts_a_line.then_some((before, &[] as &[u8]));
            }
            let end = memchr::memchr(b'\n', after).unwrap_or(after.len());
            let (padding, after) = after.split_at_checked(end)?;
            let is_boundary = starts_a_line && padding.trim_ascii().is_empty();
            is_boundary.then_some((before, after.get(1..).unwrap_or_default()))
        })
    }
}

impl<'a> Iterator for BodyParts<'a> {
    type Item = BodyPart<'a>;

    fn next(&mut self) -> Option<BodyPart<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (part, rest) = self.next_boundary().unwrap_or((self.rest, &[]));
        self.rest = rest;
        // The line end before a boundary belongs to the boundary.
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(split_part(part.strip_suffix(b"\r").unwrap_or(part)))
    }
}

fn split_part(part: &[u8]) -> BodyPart<'_> {
    if let Some(body) = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")) {
        return BodyPart { head: &[], body };
    }
    let crlf = memmem::find(part, b"\r\n\r\n").map(|at| (at + 2, at + 4));
    let lf = memmem::find(part, b"\n\n").map(|at| (at + 1, at + 2));
    let (head_end, body_start) = match (crlf, lf) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (crlf, lf) => crlf.or(lf).unwrap_or((part.len(), part.len())),
    };
    BodyPart { head: part.get(..head_end).unwrap_or_default(), body: part.get(body_start..).unwrap_or_default() }
}

/// The parts of a message's body, if it is a multipart one.
pub fn body_parts(message: &SipMessage) -> Option<BodyParts<'_>> {
    let content = message.content_type().filter(|content| content.is("multipart", ""))?;
    Some(BodyParts::new(message.body(), &content.boundary()?))
}

/// The session description in a message: its body, or a part of it. A body of no said type that starts like one counts.
pub fn sdp_body(message: &SipMessage) -> Option<&[u8]> {
    let body = message.body();
    if body.is_empty() {
        return None;
    }
    match message.content_type() {
        None => body.starts_with(b"v=0").then_some(body),
        Some(content) => find_sdp(body, content, MULTIPART_DEPTH),
    }
}

fn find_sdp<'a>(body: &'a [u8], content: ContentType<'_>, depth: usize) -> Option<&'a [u8]> {
    if content.is("application", "sdp") {
        return Some(body);
    }
    if depth == 0 || !content.is("multipart", "") {
        return None;
    }
    let boundary = content.boundary()?;
    BodyParts::new(body, &boundary).find_map(|part| find_sdp(part.body, part.content_type()?, depth - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::parse_datagram;

    fn message(content_type: &str, body: &str) -> SipMessage {
        let text = format!("INVITE sip:a@b SIP/2.0\r\n{content_type}\r\n{body}");
        parse_datagram(text.as_bytes(), true).unwrap()
    }

    #[test]
    fn parts_are_cut_at_boundary_lines_only() {
        let body =
            b"preamble\r\n--b1 \r\nContent-Type: text/plain;\r\n charset=x\r\nContent-ID: <1>\r\n\r\nsee --b1 here\r\n\
                     --b1x is no boundary\r\n--b1\r\n\r\nsecond\n\r\n--b1--\r\nepilogue";
        let parts: Vec<_> = BodyParts::new(body, "b1").collect();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].body, b"see --b1 here\r\n--b1x is no boundary");
        assert_eq!(parts[0].content_type().unwrap().params().get("charset").as_deref(), Some("x"));
        assert_eq!(parts[0].header("content-id"), Some(&b"<1>"[..]));
        assert_eq!((parts[1].body, parts[1].content_type()), (&b"second\n"[..], None));
    }

    #[test]
    fn a_missing_closing_boundary_keeps_the_last_part() {
        let parts: Vec<_> = BodyParts::new(b"--b\nA: 1\n\nx\n--b\nA: 2\n\ny", "b").map(|part| part.body).collect();
        assert_eq!(parts, [b"x", b"y"]);
        assert_eq!(BodyParts::new(b"no boundary at all", "b").count(), 0);
    }

    #[test]
    fn sdp_is_found_in_any_wrapping() {
        assert_eq!(sdp_body(&message("c: Application/SDP\r\n", "v=0\r\n")), Some(&b"v=0\r\n"[..]));
        assert_eq!(sdp_body(&message("", "v=0\r\n")), Some(&b"v=0\r\n"[..]));
        assert_eq!(sdp_body(&message("Content-Type: text/plain\r\n", "v=0\r\n")), None);
        let inner = "--i\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=in\r\n--i--";
        let outer = format!(
            "--o\r\nContent-Type: text/plain\r\n\r\nhi\r\n--o\r\nContent-Type: multipart/related; boundary=i\r\n\r\n{inner}\r\n--o--"
        );
        let message = message("Content-Type: multipart/mixed; boundary=\"o\"\r\n", &outer);
        assert_eq!(sdp_body(&message), Some(&b"v=0\r\ns=in"[..]));
        assert_eq!(body_parts(&message).map(Iterator::count), Some(2));
    }
}
