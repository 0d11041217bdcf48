//! Splits a session description into its session part and its media parts (RFC 8866, 5).

use std::net::IpAddr;

use super::media::{Direction, Media, MediaEndpoint, connection_address};
use crate::limits::{SDP_ENDPOINTS, SDP_MEDIA};

/// What was odd about a description that is read all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// It does not start with `v=0`.
    pub no_version: bool,
    /// Lines that are not `letter=value`, or no UTF-8.
    pub bad_lines: u32,
    /// `m=` lines without port or protocol.
    pub bad_media: u32,
    /// A medium has no `c=` line, nor has the session.
    pub no_connection: bool,
    /// More media lines than are read.
    pub too_many_media: bool,
}

/// One session description, borrowed from a message's body.
#[derive(Clone, Debug, Default)]
pub struct Sdp<'a> {
    /// The media in order.
    pub media: Vec<Media<'a>>,
    /// What was odd.
    pub oddities: Oddities,
    origin: &'a str,
    name: &'a str,
    session: &'a [u8],
}

impl<'a> Sdp<'a> {
    /// Reads a description. There is always a result; what is not there is empty.
    pub fn parse(body: &'a [u8]) -> Self {
        let mut sdp = Self::default();
        sdp.oddities.no_version = !body.starts_with(b"v=0");
        let mut connection = None;
        let mut direction = None;
        let mut session_end = body.len();
        for line in Lines::new(body) {
            let Some((letter, value)) = line.split() else {
                sdp.oddities.bad_lines += 1;
                continue;
            };
            if letter == b'm' {
                session_end = session_end.min(line.at);
                sdp.add_media(value, body.get(line.next..).unwrap_or_default());
                continue;
            }
            let medium = sdp.media.last_mut();
            match (letter, medium) {
                (b'c', None) => connection = connection.or(connection_address(value)),
                (b'c', Some(medium)) => medium.add_connection(value),
                (b'a', None) => direction = Direction::find(value).or(direction),
                (b'a', Some(medium)) => medium.add_direction(value),
                (b'o', None) => sdp.origin = value,
                (b's', None) => sdp.name = value,
                _ => {}
            }
        }
        sdp.session = body.get(..session_end).unwrap_or_default();
        for medium in &mut sdp.media {
            medium.inherit(connection, direction);
            sdp.oddities.no_connection |= !medium.has_connection();
        }
        sdp
    }

    fn add_media(&mut self, value: &'a str, section: &'a [u8]) {
        if self.media.len() >= SDP_MEDIA {
            self.oddities.too_many_media = true;
            return;
        }
        match Media::parse(value, media_section(section)) {
            Some(medium) => self.media.push(medium),
            None => self.oddities.bad_media += 1,
        }
    }

    /// The `o=` line: who made it, with session id and version.
    pub fn origin(&self) -> &'a str {
        self.origin
    }

    /// Session id and version of the `o=` line: the same pair means that nothing changed (RFC 3264, 8).
    pub fn version(&self) -> Option<(&'a str, &'a str)> {
        let mut words = self.origin.split_ascii_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    }

    /// The `s=` line.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// A session attribute: the value behind `a=name:`; empty when it has none.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        attributes(self.session).find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Where RTP and RTCP are expected: `m=` and `c=` lines, `a=rtcp` and ICE candidates. Rejected media (port 0) and
    /// unspecified addresses (`0.0.0.0`, the old way to hold) are left out.
    pub fn media_endpoints(&self) -> Vec<MediaEndpoint> {
        let mut found: Vec<MediaEndpoint> = Vec::new();
        for endpoint in self.media.iter().flat_map(Media::endpoints) {
            if found.len() >= SDP_ENDPOINTS {
                break;
            }
            if !found.contains(&endpoint) {
                found.push(endpoint);
            }
        }
        found
    }

    /// The address of the first medium, else of the session's `c=` line.
    pub fn connection(&self) -> Option<IpAddr> {
        self.media.iter().find_map(Media::connection).or_else(|| {
            Lines::new(self.session)
                .filter_map(|line| line.split())
                .find_map(|(letter, value)| if letter == b'c' { connection_address(value) } else { None })
                .and_then(|host| host.parse().ok())
        })
    }
}

/// The attributes of a part of a description: name and value.
pub(super) fn attributes(section: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    Lines::new(section).filter_map(|line| line.split()).filter(|(letter, _)| *letter == b'a').map(|(_, value)| {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        (name.trim(), value.trim())
    })
}

/// What belongs to a medium: everything up to the next `m=` line.
fn media_section(rest: &[u8]) -> &[u8] {
    let next = Lines::new(rest).find(|line| line.text.starts_with(b"m="));
    next.and_then(|line| rest.get(..line.at)).unwrap_or(rest)
}

/// Lines with their places; CRLF, LF and CR all end one.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

struct Line<'a> {
    text: &'a [u8],
    at: usize,
    next: usize,
}

impl<'a> Line<'a> {
    /// Letter and value; `None` when it has another form.
    fn split(&self) -> Option<(u8, &'a str)> {
        match self.text {
            [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() => {
                Some((*letter, std::str::from_utf8(value).ok()?.trim()))
            }
            _ => None,
        }
    }
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
            let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let at = self.at;
            self.at += end + 1;
            let text = rest.get(..end).unwrap_or_default();
            if !text.is_empty() {
                return Some(Line { text, at, next: self.at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_and_media_parts_are_apart() {
        let sdp = Sdp::parse(
            b"v=0\r\no=- 5 7 IN IP4 192.0.2.1\r\ns=call\r\nc=IN IP4 192.0.2.4\r\na=tool:x\r\na=sendonly\r\n\
              m=audio 49217 RTP/AVP 0 12\r\na=x:1\r\nm=video 3227 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\na=recvonly\r\n",
        );
        assert_eq!((sdp.version(), sdp.name(), sdp.attribute("TOOL")), (Some(("5", "7")), "call", Some("x")));
        assert_eq!(sdp.oddities, Oddities::default());
        let [audio, video] = &sdp.media[..] else { panic!("two media") };
        assert_eq!((audio.connection(), audio.direction()), ("192.0.2.4".parse().ok(), Direction::SendOnly));
        assert_eq!((video.connection(), video.direction()), ("2001:db8::1".parse().ok(), Direction::RecvOnly));
        assert_eq!((audio.attribute("x"), video.attribute("x"), sdp.attribute("x")), (Some("1"), None, None));
    }

    #[test]
    fn oddities_are_counted_and_forgiven() {
        let sdp = Sdp::parse(b"\nm=audio 4000 RTP/AVP 0\nnonsense\na=\xff\nm=audio\nm=audio x RTP/AVP 0\n");
        let expected =
            Oddities { no_version: true, bad_lines: 2, bad_media: 2, no_connection: true, too_many_media: false };
        assert_eq!((sdp.oddities, sdp.media.len()), (expected, 1));
        assert_eq!(Sdp::parse(b"").media.len(), 0);
    }

    #[test]
    fn the_number_of_media_is_bounded() {
        let text = "m=audio 4000 RTP/AVP 0\n".repeat(10_000);
        let sdp = Sdp::parse(text.as_bytes());
        assert_eq!((sdp.media.len(), sdp.oddities.too_many_media), (SDP_MEDIA, true));
    }

    #[test]
    fn endpoints_are_told_once_and_bounded() {
        let mut text = String::from("v=0\nc=IN IP4 192.0.2.1\n");
        for _ in 0..3 {
            text.push_str("m=audio 4000 RTP/AVP 0\n");
        }
        assert_eq!(Sdp::parse(text.as_bytes()).media_endpoints().len(), 2);
        for port in 0..200 {
            text.push_str(&format!("m=audio {} RTP/AVP 0\n", 5_000 + port * 2));
        }
        assert_eq!(Sdp::parse(text.as_bytes()).media_endpoints().len(), SDP_ENDPOINTS);
    }
}
