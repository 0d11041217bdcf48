//! What the octets of one direction are, and the state machine that reads them.

use std::borrow::Cow;

use super::tls::Tls;
use super::websocket::{Http, WebSocket};
use crate::limits::{SIP_START_LINE_BYTES, STREAM_SEARCH_BYTES, STREAM_TEXT_BYTES};
use crate::net::tls::looks_like_tls;
use crate::net::websocket::{DeflateParameters, looks_like_frame};
use crate::packet::Transport;
use crate::sip::SipMessage;
use crate::sip::framing::{Framed, Framer};
use crate::sip::parse::{looks_like_sip, may_become_start_line, starts_with_known_word};

/// What a direction of a connection carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Nothing came yet that tells.
    #[default]
    Unknown,
    /// SIP.
    Sip,
    /// SIP in WebSocket (RFC 7118).
    WebSocket,
    /// TLS: SIP may be inside, unseen.
    Tls,
    /// Something that is not looked into.
    Other,
}

impl Protocol {
    /// The name in the Capture tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "nothing yet",
            Self::Sip => "SIP",
            Self::WebSocket => "WebSocket",
            Self::Tls => "TLS",
            Self::Other => "other",
        }
    }

    /// Whether SIP is in it, or may be without being seen.
    pub const fn may_be_sip(self) -> bool {
        matches!(self, Self::Sip | Self::WebSocket | Self::Tls)
    }
}

/// What the layers give. Positions count octets from where they began.
#[derive(Debug)]
pub(super) enum Found {
    /// A SIP message.
    Message {
        /// The message.
        message: SipMessage,
        /// What carried it.
        transport: Transport,
        /// Position of its first octet.
        start: u64,
        /// Position behind its last one.
        end: u64,
    },
    /// A keep-alive between messages.
    KeepAlive,
    /// Octets that belong to no message.
    Skipped {
        /// How many.
        octets: u64,
        /// Why.
        why: &'static str,
    },
    /// The server took the upgrade to WebSocket, and how messages may be compressed.
    Upgraded(Option<DeflateParameters>),
}

impl From<Framed> for Found {
    fn from(framed: Framed) -> Self {
        match framed {
            Framed::Message { message, start, end } => Self::Message { message, transport: Transport::Tcp, start, end },
            Framed::KeepAlive => Self::KeepAlive,
            Framed::Skipped { octets, why } => Self::Skipped { octets, why },
        }
    }
}

/// The layers above TCP in one direction.
#[derive(Debug)]
pub(super) enum Layer {
    /// The first octets, until they tell what the stream is. `picked_up` when octets came before them.
    Undecided { held: Vec<u8>, picked_up: bool },
    /// SIP, or what may become SIP.
    Sip(Framer),
    /// HTTP that may ask for, or grant, an upgrade.
    Http(Http),
    /// WebSocket.
    WebSocket(Box<WebSocket>),
    /// TLS.
    Tls(Box<Tls>),
    /// Not looked into.
    Other,
}

impl Layer {
    /// For a stream of which nothing is known.
    pub fn new(picked_up: bool) -> Self {
        Self::Undecided { held: Vec::new(), picked_up }
    }

    /// What it has turned out to be.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Undecided { .. } | Self::Http(_) => Protocol::Unknown,
            Self::Sip(framer) if framer.found() == 0 => Protocol::Unknown,
            Self::Sip(_) => Protocol::Sip,
            Self::WebSocket(socket) if socket.carries_sip() => Protocol::WebSocket,
            Self::Tls(_) => Protocol::Tls,
            Self::WebSocket(_) => Protocol::Unknown,
            Self::Other => Protocol::Other,
        }
    }

    /// Takes the next octets.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Found)) {
        let next = match self {
            Self::Undecided { held, picked_up } => {
                let all = joined(std::mem::take(held), bytes);
                match decide(&all, *picked_up) {
                    Some(mut next) => {
                        next.push(&all, out);
                        Some(next)
                    }
                    None => Some(Self::Undecided { held: all.into_owned(), picked_up: *picked_up }),
                }
            }
            Self::Sip(framer) => {
                framer.push(bytes, &mut |framed| out(framed.into()));
                let is_given_up = framer.found() == 0 && framer.needs_from() > STREAM_SEARCH_BYTES;
                is_given_up.then_some(Self::Other)
            }
            Self::Http(http) => http.push(bytes, out),
            Self::WebSocket(socket) => match socket.asked_again(bytes) {
                Some(mut http) => Some(http.push(bytes, out).unwrap_or(Self::Http(http))),
                None => {
                    socket.push(bytes, out);
                    None
                }
            },
            Self::Tls(tls) => {
                tls.push(bytes);
                None
            }
            Self::Other => None,
        };
        if let Some(next) = next {
            *self = next;
        }
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64, out: &mut dyn FnMut(Found)) {
        match self {
            Self::Undecided { held, .. } => {
                let octets = held.len() as u64;
                if octets > 0 {
                    out(Found::Skipped { octets, why: START_LOST });
                }
                *self = Self::new(true);
            }
            Self::Http(_) => *self = Self::new(true),
            Self::Sip(framer) => framer.missing(octets, &mut |framed| out(framed.into())),
            Self::WebSocket(socket) => socket.missing(octets, out),
            Self::Tls(tls) => tls.missing(octets),
            Self::Other => {}
        }
    }

    /// Nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(Found)) {
        match self {
            Self::Undecided { held, .. } => {
                // The start of a message, as far as it goes.
                let mut framer = Framer::default();
                framer.push(&std::mem::take(held), &mut |framed| out(framed.into()));
                framer.finish(&mut |framed| out(framed.into()));
            }
            Self::Sip(framer) => framer.finish(&mut |framed| out(framed.into())),
            Self::WebSocket(socket) => socket.finish(out),
            Self::Http(_) | Self::Tls(_) | Self::Other => {}
        }
    }

    /// Whether the first octets of what may be a message are all that came.
    pub fn holds_start(&self) -> bool {
        matches!(self, Self::Undecided { held, .. } if may_become_start_line(held))
    }

    /// Whether a message waits of which nothing says where it ends.
    pub fn is_open_ended(&self) -> bool {
        matches!(self, Self::Sip(framer) if framer.is_open_ended())
    }

    /// Nothing came for so long that such a message must have ended.
    pub fn come_to_rest(&mut self, out: &mut dyn FnMut(Found)) {
        if let Self::Sip(framer) = self {
            framer.come_to_rest(&mut |framed| out(framed.into()));
        }
    }

    /// Whether it must begin anew with the next octets: it stands at a place that it cannot know.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::WebSocket(socket) if socket.is_lost())
    }

    /// The server says how messages may be compressed.
    pub fn agree(&mut self, deflate: Option<DeflateParameters>) {
        if let Self::WebSocket(socket) = self {
            socket.agree(deflate);
        }
    }

    /// What the handshake of TLS told.
    pub fn tls(&self) -> Option<&Tls> {
        if let Self::Tls(tls) = self { Some(tls) } else { None }
    }

    /// Position from which on it still needs to know the packets.
    pub fn needs_from(&self) -> u64 {
        match self {
            Self::Undecided { .. } => 0,
            Self::Http(http) => http.needs_from(),
            Self::Sip(framer) => framer.needs_from(),
            Self::WebSocket(socket) => socket.needs_from(),
            Self::Tls(_) | Self::Other => u64::MAX,
        }
    }

    /// Bytes of memory that wait for more.
    pub fn memory(&self) -> usize {
        match self {
            Self::Undecided { held, .. } => held.len(),
            Self::Sip(framer) => framer.memory(),
            Self::Http(http) => http.memory(),
            Self::WebSocket(socket) => socket.memory(),
            Self::Tls(tls) => tls.memory(),
            Self::Other => 0,
        }
    }
}

fn joined(mut held: Vec<u8>, bytes: &[u8]) -> Cow<'_, [u8]> {
    if held.is_empty() {
        return Cow::Borrowed(bytes);
    }
    held.extend_from_slice(bytes);
    Cow::Owned(held)
}

const START_LOST: &str = "first octets before others that were not captured";

/// Octets of a TLS record's header, and the types of records.
const TLS_HEADER: usize = 5;
const TLS_TYPES: std::ops::RangeInclusive<u8> = 20..=23;

/// What a stream that begins with these octets is; `None` while they do not tell.
fn decide(bytes: &[u8], picked_up: bool) -> Option<Layer> {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let text = bytes.get(blank..).unwrap_or_default();
    let is_cut = picked_up && blank == 0 && !starts_with_known_word(text);
    if text.is_empty() || (looks_like_sip(text) && !is_cut) {
        return Some(Layer::Sip(Framer::default()));
    }
    let may_be_tls = text.first().is_some_and(|first| TLS_TYPES.contains(first));
    if may_be_tls && text.len() < TLS_HEADER {
        return None;
    }
    if looks_like_tls(text) {
        return Some(Layer::Tls(Box::default()));
    }
    if looks_like_frame(text, &looks_like_sip) {
        return Some(Layer::WebSocket(Box::new(WebSocket::picked_up())));
    }
    let has_line = text.contains(&b'\n');
    if may_become_start_line(text) && !has_line && text.len() < SIP_START_LINE_BYTES {
        return None;
    }
    if is_http(text) {
        return Some(Layer::Http(Http::default()));
    }
    // Something may stand before the first message, a line of the PROXY protocol for example.
    let is_text = text.iter().take(STREAM_TEXT_BYTES).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if picked_up || is_text {
        return Some(Layer::Sip(Framer::in_the_middle()));
    }
    Some(Layer::Other)
}

fn is_http(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.starts_with(b"HTTP/1.") || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}
