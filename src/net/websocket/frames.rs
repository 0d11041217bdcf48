//! Frames (RFC 6455, 5) and the messages that they carry.

use super::deflate::{Deflate, Inflater};
use crate::limits::SIP_MESSAGE_BYTES;

/// What a message says it is (RFC 7118, 5: SIP may come as either).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Octets.
    Binary,
}

/// What one direction of a WebSocket connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'p> {
    /// A message, of one frame or of several.
    Message {
        /// Text or binary.
        kind: Kind,
        /// Its bytes, unmasked and unpacked; the first ones when it is not complete.
        payload: &'p [u8],
        /// Where its first frame begins: bytes of this direction before it.
        start: u64,
        /// Where its last frame ends.
        end: u64,
        /// Whether all of it is here: false when bytes were missing, or more than [`SIP_MESSAGE_BYTES`].
        complete: bool,
    },
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// The sender will send no more.
    Close {
        /// The status code (RFC 6455, 7.4), if it gives one.
        code: Option<u16>,
    },
    /// These are no frames any more: why. Nothing comes after it.
    Broken(&'static str),
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The longest header: two octets, a length of eight, a mask of four.
const HEADER: usize = 14;

/// The longest payload of a control frame (RFC 6455, 5.5).
const CONTROL_PAYLOAD: u64 = 125;

/// Bytes unmasked in one go.
const STEP: usize = 1_024;

/// Reads the frames of one direction.
#[derive(Debug)]
pub struct Frames {
    /// Bytes taken, missing ones included.
    position: u64,
    header: [u8; HEADER],
    header_len: usize,
    frame: Option<Frame>,
    /// Where the header or frame at hand begins.
    frame_start: u64,
    message: Option<Message>,
    /// The first two octets of a close frame.
    close: [u8; 2],
    inflater: Option<Inflater>,
    is_broken: bool,
}

/// A frame whose payload is being read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    fin: bool,
    compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    length: u64,
    done: u64,
}

/// A message being put together.
#[derive(Debug)]
struct Message {
    kind: Kind,
    compressed: bool,
    start: u64,
    bytes: Vec<u8>,
    is_cut: bool,
    /// Set when what follows is not looked at.
    passes_over: bool,
}

impl Frames {
    /// Starts at a frame's first byte. `deflate` is how this direction compresses, if it may. A direction that keeps its
    /// context and was not seen from its beginning must start with `None`: what its messages refer to is not known.
    pub fn new(deflate: Option<Deflate>) -> Self {
        Self {
            position: 0,
            header: [0; HEADER],
            header_len: 0,
            frame: None,
            frame_start: 0,
            message: None,
            close: [0; 2],
            inflater: deflate.map(Inflater::new),
            is_broken: false,
        }
    }

    /// Takes the next bytes, any number of them, and says what they complete.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(Item<'_>)) {
        while !bytes.is_empty() && !self.is_broken {
            let step = match self.frame {
                None => self.read_header(bytes),
                Some(frame) => Ok(self.read_payload(frame, bytes)),
            };
            match step {
                Ok(used) => bytes = bytes.get(used..).unwrap_or_default(),
                Err(why) => self.give_up(why, self.frame_start, out),
            }
            self.end_of_frame(out);
        }
        if self.is_broken {
            self.position += bytes.len() as u64;
        }
    }

    /// Bytes are missing. Inside a payload they only cut the message; elsewhere nobody knows where the next frame begins.
    pub fn gap(&mut self, missing: u64, out: &mut dyn FnMut(Item<'_>)) {
        let before = if self.header_len > 0 { self.frame_start } else { self.position };
        self.position += missing;
        if missing == 0 || self.is_broken {
            return;
        }
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.length - frame.done >= missing) else {
            return self.give_up("bytes are missing around a WebSocket frame header", before, out);
        };
        frame.done += missing;
        if !is_control(frame.opcode) {
            self.pass_over();
        }
        self.end_of_frame(out);
    }

    /// No more bytes will come: an unfinished message is given as far as it goes.
    pub fn finish(&mut self, out: &mut dyn FnMut(Item<'_>)) {
        self.stop(self.position, out);
    }

    /// The position of the oldest byte that an unfinished message or frame needs; with nothing unfinished, that of the next.
    pub fn oldest_needed(&self) -> u64 {
        let frame = if self.frame.is_some() || self.header_len > 0 { self.frame_start } else { self.position };
        self.message.as_ref().map_or(frame, |message| message.start)
    }

    /// Whether it has said [`Item::Broken`], or is finished.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |message| message.bytes.capacity());
        size_of::<Self>() + message + self.inflater.as_ref().map_or(0, Inflater::memory)
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        if self.header_len == 0 {
            self.frame_start = self.position;
        }
        let mut used = 0;
        for byte in bytes {
            if let Some(place) = self.header.get_mut(self.header_len) {
                *place = *byte;
            }
            self.header_len += 1;
            used += 1;
            if self.header_len == header_len(&self.header, self.header_len) {
                self.header_len = 0;
                let frame = Frame::read(&self.header);
                self.begin(frame)?;
                break;
            }
        }
        self.position += used as u64;
        Ok(used)
    }

    /// A frame begins: checks that it may, here.
    fn begin(&mut self, frame: Frame) -> Result<(), &'static str> {
        frame.check(self.header)?;
        let kind = match frame.opcode {
            TEXT => Kind::Text,
            BINARY => Kind::Binary,
            CONTINUATION if self.message.is_none() => return Err("WebSocket continuation of nothing"),
            _ if frame.compressed => return Err(UNKNOWN),
            _ => {
                self.close = [0; 2];
                self.frame = Some(frame);
                return Ok(());
            }
        };
        if self.message.is_some() {
            return Err("WebSocket message inside another");
        }
        if frame.compressed {
            let inflater = self.inflater.as_mut().ok_or("WebSocket extension that was not agreed on")?;
            if !inflater.begin() {
                return Err("compressed WebSocket message that refers to one not seen");
            }
        }
        self.frame = Some(frame);
        self.message = Some(Message {
            kind,
            compressed: frame.compressed,
            start: self.frame_start,
            bytes: Vec::new(),
            is_cut: false,
            passes_over: false,
        });
        Ok(())
    }

    fn read_payload(&mut self, mut frame: Frame, bytes: &[u8]) -> usize {
        let left = usize::try_from(frame.length - frame.done).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        let mut room = [0; STEP];
        for piece in bytes.chunks(STEP) {
            if frame.opcode == CLOSE {
                self.take_close(&frame, piece, &mut room);
            } else if !is_control(frame.opcode) && !self.passes_over() {
                self.take(frame.unmask(piece, &mut room));
            }
            frame.done += piece.len() as u64;
        }
        self.frame = Some(frame);
        self.position += bytes.len() as u64;
        bytes.len()
    }

    fn take_close(&mut self, frame: &Frame, piece: &[u8], room: &mut [u8]) {
        let at = usize::try_from(frame.done).unwrap_or(usize::MAX);
        for (place, byte) in self.close.iter_mut().skip(at).zip(frame.unmask(piece, room)) {
            *place = *byte;
        }
    }

    /// Takes unmasked payload of the message at hand.
    fn take(&mut self, plain: &[u8]) {
        let Some(message) = &mut self.message else { return };
        match self.inflater.as_mut().filter(|_| message.compressed) {
            None => message.add(plain),
            Some(inflater) => {
                if !inflater.push(plain, &mut |plain| message.add(plain)) {
                    message.distrust();
                    self.pass_over();
                }
            }
        }
    }

    /// When the frame at hand is at its end: says what it completes.
    fn end_of_frame(&mut self, out: &mut dyn FnMut(Item<'_>)) {
        let Some(frame) = self.frame.take_if(|frame| frame.done == frame.length) else { return };
        match frame.opcode {
            PING => out(Item::Ping),
            PONG => out(Item::Pong),
            CLOSE => out(Item::Close { code: Some(u16::from_be_bytes(self.close)).filter(|code| *code != 0) }),
            _ if frame.fin => {
                self.end_of_message();
                if let Some(message) = self.message.take() {
                    message.give(self.position, true, out);
                }
            }
            _ => {}
        }
    }

    fn end_of_message(&mut self) {
        let Some(message) = self.message.as_mut().filter(|message| message.compressed && !message.passes_over) else {
            return;
        };
        if self.inflater.as_mut().is_some_and(|inflater| !inflater.end(&mut |plain| message.add(plain))) {
            message.distrust();
            self.pass_over();
        }
    }

    fn passes_over(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.passes_over)
    }

    /// The rest of the message at hand is not kept, and not unpacked.
    fn pass_over(&mut self) {
        let Some(message) = self.message.as_mut().filter(|message| !message.passes_over) else { return };
        message.is_cut = true;
        message.passes_over = true;
        if let Some(inflater) = self.inflater.as_mut().filter(|_| message.compressed) {
            inflater.leave();
        }
    }

    /// Gives what there is of a message, and says nothing more.
    fn give_up(&mut self, why: &'static str, end: u64, out: &mut dyn FnMut(Item<'_>)) {
        self.stop(end, out);
        out(Item::Broken(why));
    }

    fn stop(&mut self, end: u64, out: &mut dyn FnMut(Item<'_>)) {
        self.is_broken = true;
        self.frame = None;
        self.inflater = None;
        self.header_len = 0;
        if let Some(message) = self.message.take() {
            message.give(end, false, out);
        }
    }
}

impl Message {
    /// What comes out of damaged DEFLATE before the damage shows depends on how it was cut: none of it is given. Of a message
    /// that is merely too long the first bytes are.
    fn distrust(&mut self) {
        if self.bytes.len() < SIP_MESSAGE_BYTES {
            self.bytes.clear();
        }
    }

    fn add(&mut self, plain: &[u8]) {
        let room = SIP_MESSAGE_BYTES.saturating_sub(self.bytes.len());
        self.is_cut |= plain.len() > room;
        self.bytes.extend_from_slice(plain.get(..room).unwrap_or(plain));
        // Without compression nothing depends on the rest.
        self.passes_over |= self.is_cut && !self.compressed;
    }

    fn give(&self, end: u64, is_ended: bool, out: &mut dyn FnMut(Item<'_>)) {
        let complete = is_ended && !self.is_cut;
        out(Item::Message { kind: self.kind, payload: &self.bytes, start: self.start, end, complete });
    }
}

impl Frame {
    /// Reads a header that is all there.
    fn read(header: &[u8; HEADER]) -> Self {
        let [first, second, rest @ ..] = *header;
        let [a, b, c, d, e, f, g, h, ..] = rest;
        let (length, behind) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([a, b])), 2),
            127 => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 8),
            short => (u64::from(short), 0),
        };
        let mask = rest.get(behind..).and_then(|rest| rest.first_chunk()).copied().filter(|_| second & 0x80 != 0);
        Self { fin: first & 0x80 != 0, compressed: first & 0x40 != 0, opcode: first & 0x0f, mask, length, done: 0 }
    }

    fn check(&self, [first, ..]: [u8; HEADER]) -> Result<(), &'static str> {
        if first & 0x30 != 0 || !is_known(self.opcode) {
            return Err(UNKNOWN);
        }
        if is_control(self.opcode) && (!self.fin || self.length > CONTROL_PAYLOAD) {
            return Err("WebSocket control frame that is long or in pieces");
        }
        // RFC 6455, 5.2: the most significant bit is 0.
        if self.length > i64::MAX as u64 { Err("WebSocket frame length out of range") } else { Ok(()) }
    }

    /// The payload at `done` without its mask (RFC 6455, 5.3). A piece is at most as long as `room`.
    fn unmask<'p>(&self, piece: &'p [u8], room: &'p mut [u8]) -> &'p [u8] {
        let Some(mask) = self.mask else { return piece };
        let key = mask.iter().cycle().skip((self.done % 4) as usize);
        for ((place, byte), key) in room.iter_mut().zip(piece).zip(key) {
            *place = byte ^ key;
        }
        room.get(..piece.len()).unwrap_or_default()
    }
}

const UNKNOWN: &str = "unknown WebSocket opcode or extension";

const fn is_known(opcode: u8) -> bool {
    matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG)
}

const fn is_control(opcode: u8) -> bool {
    opcode >= CLOSE
}

/// How long the header is that starts like this, as far as `known` octets tell.
fn header_len(header: &[u8; HEADER], known: usize) -> usize {
    let [_, second, ..] = *header;
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if known < 2 { 2 } else { 2 + length + if second & 0x80 != 0 { 4 } else { 0 } }
}

/// Whether a stream that was not seen from its beginning stands at a frame with SIP in it. Control frames in front of it are
/// gone through. `starts_sip` tells whether a payload starts with a SIP start line; it is given what of it is here.
///
/// Compressed frames, and later pieces of a message, are never taken for frames: nothing in them can be checked.
pub fn looks_like_frame(mut bytes: &[u8], starts_sip: &dyn Fn(&[u8]) -> bool) -> bool {
    loop {
        let mut header = [0; HEADER];
        for (place, byte) in header.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let length = header_len(&header, bytes.len());
        let Some(payload) = bytes.get(length..).filter(|payload| !payload.is_empty()) else { return false };
        let frame = Frame::read(&header);
        let is_shortest = match length - if frame.mask.is_some() { 4 } else { 0 } {
            4 => frame.length > CONTROL_PAYLOAD,
            10 => frame.length > u64::from(u16::MAX),
            _ => true,
        };
        if frame.check(header).is_err() || frame.compressed || !is_shortest {
            return false;
        }
        let here = usize::try_from(frame.length).unwrap_or(usize::MAX).min(payload.len());
        let (payload, behind) = payload.split_at_checked(here).unwrap_or((payload, &[]));
        match frame.opcode {
            TEXT | BINARY => {
                let mut room = [0; STEP];
                let piece = payload.get(..STEP).unwrap_or(payload);
                return starts_sip(frame.unmask(piece, &mut room));
            }
            CONTINUATION => return false,
            _ => bytes = behind,
        }
    }
}
