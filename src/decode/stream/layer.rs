//! What the octets of one direction are, and the state machine that reads them.

use crate::limits::{SIP_START_LINE_BYTES, STREAM_SEARCH_BYTES};
use crate::sip::framing::{Framed, Framer};
use crate::sip::parse::{looks_like_sip, may_become_start_line};

/// What a direction of a connection carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Nothing came yet that tells.
    #[default]
    Unknown,
    /// SIP.
    Sip,
    /// Something that is not looked into.
    Other,
}

impl Protocol {
    /// The name in the Capture tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "nothing yet",
            Self::Sip => "SIP",
            Self::Other => "other",
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
            Self::Undecided { .. } => Protocol::Unknown,
            Self::Sip(framer) if framer.found() == 0 => Protocol::Unknown,
            Self::Sip(_) => Protocol::Sip,
            Self::Other => Protocol::Other,
        }
    }

    /// Takes the next octets.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Framed)) {
        match self {
            Self::Undecided { held, picked_up } => {
                let held_before = !held.is_empty();
                if held_before {
                    held.extend_from_slice(bytes);
                }
                let all = if held_before { held.as_slice() } else { bytes };
                match decide(all, *picked_up) {
                    Some(mut decided) => {
                        decided.push(all, out);
                        *self = decided;
                    }
                    None if !held_before => held.extend_from_slice(bytes),
                    None => {}
                }
            }
            Self::Sip(framer) => {
                framer.push(bytes, out);
                if framer.found() == 0 && framer.needs_from() > STREAM_SEARCH_BYTES {
                    framer.finish(out);
                    *self = Self::Other;
                }
            }
            Self::Other => {}
        }
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64, out: &mut dyn FnMut(Framed)) {
        match self {
            Self::Undecided { picked_up, held } => {
                held.clear();
                *picked_up = true;
            }
            Self::Sip(framer) => framer.missing(octets, out),
            Self::Other => {}
        }
    }

    /// Nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(Framed)) {
        if let Self::Undecided { held, .. } = self
            && !held.is_empty()
        {
            let mut framer = Framer::default();
            framer.push(&std::mem::take(held), out);
            *self = Self::Sip(framer);
        }
        if let Self::Sip(framer) = self {
            framer.finish(out);
        }
    }

    /// Octets behind where this layer began from which on it still needs to know the packets.
    pub fn needs_from(&self) -> u64 {
        match self {
            Self::Undecided { .. } => 0,
            Self::Sip(framer) => framer.needs_from(),
            Self::Other => u64::MAX,
        }
    }

    /// Bytes of memory that wait for more.
    pub fn memory(&self) -> usize {
        match self {
            Self::Undecided { held, .. } => held.len(),
            Self::Sip(framer) => framer.memory(),
            Self::Other => 0,
        }
    }
}

/// What a stream that begins with these octets is; `None` while they do not tell.
fn decide(bytes: &[u8], picked_up: bool) -> Option<Layer> {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let text = bytes.get(blank..).unwrap_or_default();
    if text.is_empty() || looks_like_sip(text) {
        return Some(Layer::Sip(Framer::default()));
    }
    let has_line = text.contains(&b'\n');
    if may_become_start_line(text) && !has_line && text.len() < SIP_START_LINE_BYTES {
        return None;
    }
    // Something may stand before the first message, a line of the PROXY protocol for example.
    let is_text = text.iter().take(TOLD_BY).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if picked_up || (is_text && !is_http(text)) {
        return Some(Layer::Sip(Framer::in_the_middle()));
    }
    Some(Layer::Other)
}

/// Octets that tell text from anything else.
const TOLD_BY: usize = 64;

fn is_http(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.starts_with(b"HTTP/1.") || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}
