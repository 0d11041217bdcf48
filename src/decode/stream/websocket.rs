//! SIP in WebSocket (RFC 7118): the upgrade of an HTTP connection, then one message after the other.

use super::layer::{Found, Layer};
use crate::limits::HTTP_HEAD_BYTES;
use crate::net::websocket::{DeflateParameters, Frames, Handshake, Item, upgrade};
use crate::packet::Transport;
use crate::sip::parse::parse_datagram;

/// The head of an HTTP message.
#[derive(Debug, Default)]
pub(super) struct Http {
    head: Vec<u8>,
    /// Position of its first octet.
    base: u64,
}

impl Http {
    /// Position from which on it still needs to know the packets.
    pub fn needs_from(&self) -> u64 {
        self.base
    }

    /// Takes the next octets; gives the next layer once the head is whole.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Found)) -> Option<Layer> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let from = before.saturating_sub(EMPTY_LINE.len());
        let Some(end) = memchr::memmem::find(self.head.get(from..)?, EMPTY_LINE) else {
            return (self.head.len() > HTTP_HEAD_BYTES).then_some(Layer::Other);
        };
        let (head, behind) = self.head.split_at_checked(from + end + EMPTY_LINE.len())?;
        let Some(handshake) = upgrade(head) else { return Some(Layer::Other) };
        if !handshake.is_request {
            out(Found::Upgraded(handshake.deflate));
        }
        let mut socket = WebSocket::upgraded(&handshake, self.base + head.len() as u64);
        if !behind.is_empty() {
            socket.push(behind, out);
        }
        Some(Layer::WebSocket(Box::new(socket)))
    }

    /// Bytes of memory that wait for the rest of the head.
    pub fn memory(&self) -> usize {
        self.head.len()
    }
}

const EMPTY_LINE: &[u8] = b"\r\n\r\n";

/// One direction of a WebSocket connection.
#[derive(Debug)]
pub(super) struct WebSocket {
    /// Made for the first frame: until then the server may say how messages are compressed.
    frames: Option<Frames>,
    agreed: Option<DeflateParameters>,
    is_client: bool,
    /// Position of the first frame.
    base: u64,
    says_sip: bool,
    found: u64,
}

impl WebSocket {
    /// Behind the handshake, which takes `base` octets.
    fn upgraded(handshake: &Handshake, base: u64) -> Self {
        let names_sip = |names: &String| names.split(',').any(|name| name.trim().eq_ignore_ascii_case("sip"));
        Self {
            frames: None,
            agreed: handshake.deflate.filter(|_| !handshake.is_request),
            is_client: handshake.is_request,
            base,
            says_sip: handshake.subprotocol.as_ref().is_some_and(names_sip),
            found: 0,
        }
    }

    /// In the middle of a connection, at the start of a frame.
    pub fn picked_up() -> Self {
        Self { frames: None, agreed: None, is_client: false, base: 0, says_sip: true, found: 0 }
    }

    /// The server says how messages may be compressed.
    pub fn agree(&mut self, deflate: Option<DeflateParameters>) {
        self.agreed = deflate;
    }

    /// Whether SIP was agreed on, or was seen.
    pub fn carries_sip(&self) -> bool {
        self.says_sip || self.found > 0
    }

    /// Whether it is not known where the next frame begins.
    pub fn is_lost(&self) -> bool {
        self.frames.as_ref().is_some_and(Frames::is_broken)
    }

    /// The next request, if these octets begin one instead of the first frame: the server did not take the upgrade, and wants
    /// to know first who asks (RFC 6455, 4.1). No frame begins with a G.
    pub fn asked_again(&self, bytes: &[u8]) -> Option<Http> {
        let asks = self.is_client && self.frames.is_none() && bytes.starts_with(b"G");
        asks.then(|| Http { head: Vec::new(), base: self.base })
    }

    /// Takes the next octets.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Found)) {
        let (agreed, is_client) = (self.agreed, self.is_client);
        let deflate = agreed.map(|agreed| if is_client { agreed.of_client() } else { agreed.of_server() });
        let frames = self.frames.get_or_insert_with(|| Frames::new(deflate));
        let (base, found) = (self.base, &mut self.found);
        frames.push(bytes, &mut |item| give(item, base, found, out));
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64, out: &mut dyn FnMut(Found)) {
        let frames = self.frames.get_or_insert_with(|| Frames::new(None));
        let (base, found) = (self.base, &mut self.found);
        frames.gap(octets, &mut |item| give(item, base, found, out));
    }

    /// Nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(Found)) {
        let (base, found) = (self.base, &mut self.found);
        if let Some(frames) = &mut self.frames {
            frames.finish(&mut |item| give(item, base, found, out));
        }
    }

    /// Position from which on it still needs to know the packets.
    pub fn needs_from(&self) -> u64 {
        self.base + self.frames.as_ref().map_or(0, Frames::oldest_needed)
    }

    /// Bytes of memory that wait for more.
    pub fn memory(&self) -> usize {
        self.frames.as_ref().map_or(0, Frames::memory)
    }
}

fn give(item: Item<'_>, base: u64, found: &mut u64, out: &mut dyn FnMut(Found)) {
    match item {
        Item::Message { payload, start, end, complete, .. } => {
            let is_blank = payload.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            match parse_datagram(payload, complete) {
                Some(message) => {
                    *found += 1;
                    let (start, end) = (base + start, base + end);
                    out(Found::Message { message, transport: Transport::Ws, start, end });
                }
                None if is_blank && complete => out(Found::KeepAlive),
                None => out(Found::Skipped { octets: end - start, why: "WebSocket message that is no SIP" }),
            }
        }
        Item::Ping => out(Found::KeepAlive),
        Item::Pong | Item::Close { .. } => {}
        Item::Broken(why) => out(Found::Skipped { octets: 0, why }),
    }
}
