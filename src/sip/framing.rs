//! Messages out of a stream (RFC 3261, 18.3): any number in a piece, or one over any number of pieces.
//!
//! [`Framer`] eats the octets of one direction in order. A message ends where Content-Length says; without one, a body goes on
//! to the next start line, or until nothing comes for a while ([`Framer::come_to_rest`]). Between messages there may be line ends, which are keep-alives (RFC 5626, 4.4.1). After a hole, or after something that is no message, it looks for
//! the next start line that has the headers of a message below it. What it holds is bounded: a head by [`SIP_HEAD_BYTES`], a message by
//! [`SIP_MESSAGE_BYTES`]; the rest of a longer one is passed over by count.

use super::message::{SipMessage, first_line};
use super::parse::{
    InStream, is_start_line, may_become_start_line, parse_datagram, parse_in_stream, starts_with_known_word,
};
use crate::limits::{SIP_HEAD_BYTES, SIP_MESSAGE_BYTES, SIP_START_LINE_BYTES};
use crate::sip::{HeaderName, Notes};

/// What a stream holds. Positions count octets from the stream's beginning.
#[derive(Debug)]
pub enum Framed {
    /// A message.
    Message {
        /// The message; it is marked [`Notes::CUT`] when it is not whole.
        message: SipMessage,
        /// Position of its first octet.
        start: u64,
        /// Position behind its last octet at hand.
        end: u64,
    },
    /// Two line ends, which ask for an answer, or the one that answers.
    KeepAlive,
    /// Octets that belong to no message.
    Skipped {
        /// How many.
        octets: u64,
        /// Why.
        why: &'static str,
    },
}

const NO_MESSAGE: &str = "no message starts there";
const BEHIND_HOLE: &str = "behind octets that were not captured";
const TOO_LONG: &str = "rest of a message that is too long to keep";
const CUT_BY_HOLE: &str = "rest of a message of which octets were not captured";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A message may begin, or has begun and its head is not whole.
    #[default]
    Boundary,
    /// The head is whole; so many octets make the message.
    Body { whole: u64 },
    /// The head is whole; the body goes on to the next start line. Up to the line that begins at `from` there is none.
    OpenEnded { from: usize },
    /// So many octets of a message are not kept.
    Passing { left: u64, why: &'static str },
    /// It is not known where the next message begins.
    Lost { why: &'static str },
}

/// The messages of one direction.
#[derive(Debug, Default)]
pub struct Framer {
    /// From the first octet that is still needed.
    buffer: Vec<u8>,
    /// Position of the buffer's first octet, or of the next one to come.
    position: u64,
    /// Octets of the buffer in which no end of a head was found.
    scanned: usize,
    state: State,
    /// Octets passed over and not told yet.
    skipped: u64,
    found: u64,
    /// Whether the next octet need not begin a line, since the one before it is not known.
    inside_line: bool,
    /// Whether the message at hand was looked for behind a hole.
    is_behind_hole: bool,
}

/// Where a step leads.
enum Step {
    /// So many octets are done with; there may be more to do.
    Used(usize),
    /// More octets are needed.
    Wait,
}

impl Framer {
    /// For a stream that is picked up in the middle: looks for the first start line.
    pub fn in_the_middle() -> Self {
        Self { state: State::Lost { why: "before the first start line" }, inside_line: true, ..Self::default() }
    }

    /// Takes the next octets.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Framed)) {
        if self.buffer.is_empty() {
            let used = self.read(bytes, out);
            self.buffer.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.extend_from_slice(bytes);
            let used = self.read(&buffer, out);
            buffer.drain(..used.min(buffer.len()));
            self.buffer = buffer;
        }
        if self.buffer.is_empty() && self.buffer.capacity() > SIP_HEAD_BYTES {
            self.buffer = Vec::new();
        }
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64, out: &mut dyn FnMut(Framed)) {
        let held = self.buffer.len() as u64;
        let mut next = State::Lost { why: BEHIND_HOLE };
        match self.state {
            State::Body { whole } => {
                if held.saturating_add(octets) <= whole {
                    next = State::passing(whole - held - octets, CUT_BY_HOLE);
                }
                self.give_cut(out);
            }
            State::Passing { left, why } if octets <= left => next = State::passing(left - octets, why),
            State::Passing { .. } => {}
            State::Boundary | State::OpenEnded { .. } => self.give_cut(out),
            State::Lost { .. } => self.drop_buffer(),
        }
        self.tell_skipped(out);
        self.position += octets;
        self.inside_line = matches!(next, State::Lost { .. });
        self.state = next;
    }

    /// Nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(Framed)) {
        match self.state {
            State::Body { .. } | State::Boundary => self.give_cut(out),
            State::OpenEnded { .. } => self.come_to_rest(out),
            State::Passing { .. } | State::Lost { .. } => self.drop_buffer(),
        }
        self.tell_skipped(out);
        self.state = State::Boundary;
    }

    /// Whether a message waits of which nothing says where it ends.
    pub fn is_open_ended(&self) -> bool {
        matches!(self.state, State::OpenEnded { .. })
    }

    /// Nothing came for so long that such a message must have ended.
    pub fn come_to_rest(&mut self, out: &mut dyn FnMut(Framed)) {
        if !self.is_open_ended() {
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.give(&buffer, false, out);
        self.position += buffer.len() as u64;
        self.state = State::Boundary;
    }

    /// Position of the oldest octet that is still needed.
    pub fn needs_from(&self) -> u64 {
        self.position
    }

    /// Bytes of memory that wait for the rest of a message.
    pub fn memory(&self) -> usize {
        self.buffer.len()
    }

    /// Messages found so far.
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Works off what it can of `bytes`, which begin at the position, and says how many octets are done with.
    fn read(&mut self, bytes: &[u8], out: &mut dyn FnMut(Framed)) -> usize {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let step = match self.state {
                State::Boundary => self.boundary(rest, out),
                State::Body { whole } => self.body(rest, whole, out),
                State::OpenEnded { from } => self.open_ended(rest, from, out),
                State::Passing { left, why } => self.pass(rest, left, why, out),
                State::Lost { why } => self.search(rest, why, out),
            };
            match step {
                Step::Used(count) => {
                    used += count;
                    self.position += count as u64;
                }
                Step::Wait => break,
            }
        }
        used
    }

    fn boundary(&mut self, bytes: &[u8], out: &mut dyn FnMut(Framed)) -> Step {
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank > 0 {
            if blank >= 4 || blank == bytes.len() {
                out(Framed::KeepAlive);
            }
            return Step::Used(blank);
        }
        let is_start = match whole_start_line(bytes) {
            Some(line) => is_start_line(first_line(line)),
            None => bytes.len() < SIP_START_LINE_BYTES && may_become_start_line(bytes),
        };
        if !is_start {
            self.state = State::Lost { why: NO_MESSAGE };
            return Step::Used(0);
        }
        match self.head_end(bytes) {
            Some(head_len) => self.head(bytes, head_len, out),
            None if bytes.len() > SIP_HEAD_BYTES => {
                self.give(bytes, true, out);
                self.state = State::Lost { why: TOO_LONG };
                Step::Used(bytes.len())
            }
            None => Step::Wait,
        }
    }

    /// The end of the head, behind its empty line. Looks only at what it has not looked at before.
    fn head_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let found = head_end(bytes, self.scanned);
        // The empty line may begin in what is there already.
        self.scanned = if found.is_some() { 0 } else { bytes.len().saturating_sub(2) };
        found
    }

    fn head(&mut self, bytes: &[u8], head_len: usize, out: &mut dyn FnMut(Framed)) -> Step {
        match parse_in_stream(bytes, head_len) {
            Some(InStream::Message { message, len }) => {
                self.give_message(message, len, out);
                Step::Used(len)
            }
            Some(InStream::Longer { whole }) => {
                self.state = State::Body { whole };
                Step::Used(0)
            }
            Some(InStream::OpenEnded) => {
                self.state = State::OpenEnded { from: head_len };
                Step::Used(0)
            }
            None => {
                self.state = State::Lost { why: NO_MESSAGE };
                Step::Used(0)
            }
        }
    }

    fn body(&mut self, bytes: &[u8], whole: u64, out: &mut dyn FnMut(Framed)) -> Step {
        let kept = usize::try_from(whole).unwrap_or(usize::MAX).min(SIP_MESSAGE_BYTES);
        let Some(message) = bytes.get(..kept) else { return Step::Wait };
        let is_cut = (kept as u64) < whole;
        self.give(message, is_cut, out);
        self.state = State::passing(whole - kept as u64, TOO_LONG);
        Step::Used(kept)
    }

    fn open_ended(&mut self, bytes: &[u8], from: usize, out: &mut dyn FnMut(Framed)) -> Step {
        let mut at = from;
        while let Some(rest) = bytes.get(at..).filter(|_| at <= SIP_MESSAGE_BYTES)
            && let Some(end) = memchr::memchr(b'\n', rest)
        {
            if is_start_line(first_line(rest)) {
                self.give(bytes.get(..at).unwrap_or(bytes), false, out);
                self.state = State::Boundary;
                return Step::Used(at);
            }
            at += end + 1;
        }
        let Some(kept) = bytes.get(..SIP_MESSAGE_BYTES) else {
            self.state = State::OpenEnded { from: at };
            return Step::Wait;
        };
        self.give(kept, true, out);
        self.state = State::Lost { why: TOO_LONG };
        Step::Used(kept.len())
    }

    fn pass(&mut self, bytes: &[u8], left: u64, why: &'static str, out: &mut dyn FnMut(Framed)) -> Step {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.state = State::passing(left - count as u64, why);
        out(Framed::Skipped { octets: count as u64, why });
        Step::Used(count)
    }

    /// Looks for a start line, at the beginning of a line, that has a message's headers below it.
    fn search(&mut self, bytes: &[u8], why: &'static str, out: &mut dyn FnMut(Framed)) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let looked_at = if at == 0 { self.scanned } else { 0 };
            // A start line whose first octets are in a hole would be one with another method.
            let is_cut = at == 0 && self.inside_line && !starts_with_known_word(rest);
            let candidate = if is_cut { Candidate::No } else { candidate(rest, looked_at) };
            match candidate {
                Candidate::Message => {
                    self.scanned = 0;
                    self.skipped += at as u64;
                    self.is_behind_hole = why == BEHIND_HOLE;
                    out(Framed::Skipped { octets: std::mem::take(&mut self.skipped), why });
                    self.state = State::Boundary;
                    return Step::Used(at);
                }
                Candidate::Perhaps { from } if at == 0 => {
                    self.scanned = from;
                    return Step::Wait;
                }
                Candidate::Perhaps { .. } => break,
                Candidate::No => {}
            }
            match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    at += end + 1;
                    self.inside_line = false;
                }
                None => {
                    at = bytes.len();
                    self.inside_line = true;
                    break;
                }
            }
        }
        self.skipped += at as u64;
        self.scanned = 0;
        Step::Used(at)
    }

    /// Gives what is there of a message that will not become whole.
    fn give_cut(&mut self, out: &mut dyn FnMut(Framed)) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            return;
        }
        if buffer.contains(&b'\n') && is_start_line(first_line(&buffer)) {
            self.give(&buffer, true, out);
        } else {
            self.skipped += buffer.len() as u64;
        }
        self.position += buffer.len() as u64;
        self.scanned = 0;
    }

    fn drop_buffer(&mut self) {
        self.skipped += self.buffer.len() as u64;
        self.position += self.buffer.len() as u64;
        self.buffer.clear();
        self.scanned = 0;
    }

    fn tell_skipped(&mut self, out: &mut dyn FnMut(Framed)) {
        let octets = std::mem::take(&mut self.skipped);
        if octets > 0 {
            let why = if let State::Lost { why } = self.state { why } else { NO_MESSAGE };
            out(Framed::Skipped { octets, why });
        }
    }

    fn give(&mut self, bytes: &[u8], is_cut: bool, out: &mut dyn FnMut(Framed)) {
        match parse_datagram(bytes, !is_cut) {
            Some(mut message) => {
                if self.is_open_ended() && message.header(HeaderName::ContentLength).is_none() {
                    message.note(Notes::LENGTH_MISSING);
                }
                self.give_message(message, bytes.len(), out);
            }
            None => self.skipped += bytes.len() as u64,
        }
    }

    fn give_message(&mut self, mut message: SipMessage, len: usize, out: &mut dyn FnMut(Framed)) {
        if std::mem::take(&mut self.is_behind_hole) {
            message.note(Notes::BEHIND_HOLE);
        }
        self.found += 1;
        self.scanned = 0;
        out(Framed::Message { message, start: self.position, end: self.position + len as u64 });
    }
}

impl State {
    /// Passing over so many octets; none is a boundary.
    fn passing(left: u64, why: &'static str) -> Self {
        if left == 0 { Self::Boundary } else { Self::Passing { left, why } }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Candidate {
    Message,
    /// More octets will tell; those before the line that begins at `from` need not be looked at again.
    Perhaps {
        from: usize,
    },
    No,
}

/// Whether a message starts here. Up to the line that begins at `from`, its head was looked at before. Below its start line
/// another one comes only where the first was quoted, in a body right before the next message: so looking ends there, and
/// all candidates together cost no more than their octets.
fn candidate(bytes: &[u8], from: usize) -> Candidate {
    if !may_become_start_line(bytes) {
        return Candidate::No;
    }
    let Some(line) = whole_start_line(bytes) else {
        return if bytes.len() < SIP_START_LINE_BYTES { Candidate::Perhaps { from: 0 } } else { Candidate::No };
    };
    if !is_start_line(first_line(line)) {
        return Candidate::No;
    }
    let mut at = from.max(line.len() + 1);
    while let Some(rest) = bytes.get(at..).filter(|_| at <= SIP_HEAD_BYTES)
        && let Some(end) = memchr::memchr(b'\n', rest)
    {
        let line = first_line(rest);
        at += end + 1;
        if line.is_empty() {
            let head = parse_datagram(bytes.get(..at).unwrap_or(bytes), true);
            let is_whole = head.is_some_and(|head| !head.notes().contains(Notes::MANDATORY_MISSING));
            return if is_whole { Candidate::Message } else { Candidate::No };
        }
        if is_start_line(line) {
            return Candidate::No;
        }
    }
    if bytes.len() > SIP_HEAD_BYTES { Candidate::No } else { Candidate::Perhaps { from: at } }
}

/// The first line without its LF, if it is whole and no longer than a start line may be.
fn whole_start_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'\n', bytes.get(..SIP_START_LINE_BYTES).unwrap_or(bytes))?;
    bytes.get(..end)
}

/// The first octet behind an empty line, looking for one from `from` on.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes.get(from..)?).map(|at| from + at + 1).find_map(|next| match bytes.get(next..)? {
        [b'\r', b'\n', ..] => Some(next + 2),
        [b'\n', ..] => Some(next + 1),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
