//! The opening handshake (RFC 6455, 4): an HTTP request and its 101.

use super::deflate::Deflate;
use crate::limits::WEBSOCKET_SUBPROTOCOL_BYTES;

/// One side of an opening handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Whether it is the client's request; else the server's answer, which is the one that decides.
    pub is_request: bool,
    /// The value of Sec-WebSocket-Protocol: what a client offers (a list), or what the server took ("sip").
    pub subprotocol: Option<String>,
    /// The first permessage-deflate that is offered, or the one that was taken.
    pub deflate: Option<DeflateParameters>,
}

/// Parameters of permessage-deflate (RFC 7692, 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateParameters {
    /// The server starts each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window.
    pub client_no_context_takeover: bool,
    /// The server's window as a power of two, 8 to 15.
    pub server_max_window_bits: Option<u8>,
    /// The client's window as a power of two, 8 to 15; also `None` when it is named without a value.
    pub client_max_window_bits: Option<u8>,
}

impl DeflateParameters {
    /// How the client compresses.
    pub const fn of_client(&self) -> Deflate {
        Deflate { keeps_context: !self.client_no_context_takeover }
    }

    /// How the server compresses.
    pub const fn of_server(&self) -> Deflate {
        Deflate { keeps_context: !self.server_no_context_takeover }
    }
}

/// Reads the head of an HTTP/1.1 message, empty line included. `None` when it upgrades nothing to WebSocket.
pub fn upgrade(head: &[u8]) -> Option<Handshake> {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let is_request = is_request(lines.next()?)?;
    let mut handshake = Handshake { is_request, subprotocol: None, deflate: None };
    let mut upgrades = false;
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"Upgrade") {
            upgrades |= words(value, b',').any(|word| word.eq_ignore_ascii_case(b"websocket"));
        } else if name.eq_ignore_ascii_case(b"Sec-WebSocket-Protocol") && handshake.subprotocol.is_none() {
            let kept = value.get(..WEBSOCKET_SUBPROTOCOL_BYTES).unwrap_or(value);
            handshake.subprotocol = Some(String::from_utf8_lossy(kept).into_owned());
        } else if name.eq_ignore_ascii_case(b"Sec-WebSocket-Extensions") && handshake.deflate.is_none() {
            handshake.deflate = words(value, b',').find_map(deflate);
        }
    }
    upgrades.then_some(handshake)
}

/// Whether the head of a handshake may begin here, of which the first line need not be whole.
pub fn may_upgrade(bytes: &[u8]) -> bool {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => is_request(bytes.get(..end).unwrap_or_default().trim_ascii_end()).is_some(),
        None => bytes.starts_with(b"GET ") || is_request(bytes) == Some(false),
    }
}

/// `GET /path HTTP/1.1` is a request, `HTTP/1.1 101 …` its answer, and anything else no handshake.
fn is_request(start: &[u8]) -> Option<bool> {
    if start.starts_with(b"GET ") && start.ends_with(b" HTTP/1.1") {
        return Some(true);
    }
    let rest = start.strip_prefix(b"HTTP/1.1 101")?;
    matches!(rest.first(), None | Some(b' ')).then_some(false)
}

fn deflate(extension: &[u8]) -> Option<DeflateParameters> {
    let mut parts = words(extension, b';');
    if !parts.next()?.eq_ignore_ascii_case(b"permessage-deflate") {
        return None;
    }
    let mut out = DeflateParameters::default();
    for part in parts {
        let (name, value) = match memchr::memchr(b'=', part) {
            Some(at) => (part.get(..at).unwrap_or_default(), part.get(at + 1..).unwrap_or_default()),
            None => (part, [].as_slice()),
        };
        match name.trim_ascii_end() {
            b"server_no_context_takeover" => out.server_no_context_takeover = true,
            b"client_no_context_takeover" => out.client_no_context_takeover = true,
            b"server_max_window_bits" => out.server_max_window_bits = window_bits(value),
            b"client_max_window_bits" => out.client_max_window_bits = window_bits(value),
            _ => {}
        }
    }
    Some(out)
}

/// 8 to 15, perhaps in quotes.
fn window_bits(value: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(value).ok()?.trim().trim_matches('"');
    digits.parse().ok().filter(|bits| (8..=15).contains(bits))
}

fn words(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    list.split(move |byte| *byte == separator).map(<[u8]>::trim_ascii)
}
