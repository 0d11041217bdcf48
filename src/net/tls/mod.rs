//! What TLS shows in the clear: hellos, alerts, and that there is encrypted data. Nothing is decrypted.

mod hello;
mod names;
#[cfg(test)]
mod tests;

pub use hello::{ClientHello, ServerHello};
pub use names::{alert_name, version_name};

use super::octets::u16_at;
use crate::limits::TLS_HELLO_BYTES;

/// What one direction of a TLS connection shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsItem {
    /// The client asks, and names the server that it wants.
    ClientHello(ClientHello),
    /// The server agrees; also when it wants another hello first.
    ServerHello(ServerHello),
    /// An alert.
    Alert(Alert),
    /// The first record of application data. In TLS 1.3 the rest of the handshake, and alerts, look the same.
    ApplicationData,
    /// These are no records any more: why. Nothing comes after it.
    Broken(&'static str),
}

/// An alert (RFC 8446, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// `handshake failure`; `encrypted alert` when it cannot be read.
    pub what: &'static str,
    /// Level: whether it says that it ends the connection. `None` when it cannot be read.
    pub fatal: Option<bool>,
    /// The description as a number; `None` when it cannot be read.
    pub description: Option<u8>,
}

impl Alert {
    /// Whether it cannot be read.
    pub const fn encrypted(&self) -> bool {
        self.description.is_none()
    }
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Octets of a record's header, and of a handshake message's.
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// Octets of an alert that is not encrypted.
const PLAIN_ALERT: usize = 2;

/// The longest record: 2^14 octets and what encryption may add (RFC 5246, 6.2.3).
const RECORD: usize = (1 << 14) + 2_048;

/// Whether a stream that was not seen from its beginning stands at a TLS record: every record header here is a plausible one.
/// Fewer than five octets are not enough to tell.
pub fn looks_like_tls(mut bytes: &[u8]) -> bool {
    let mut found = false;
    while let Some(header) = bytes.first_chunk::<RECORD_HEADER>() {
        let Some(record) = Record::read(header).filter(|record| record.kind != HEARTBEAT && record.is_plausible())
        else {
            return false;
        };
        found = true;
        bytes = bytes.get(RECORD_HEADER + record.left..).unwrap_or_default();
    }
    found
}

/// Reads the records of one direction.
#[derive(Debug, Default)]
pub struct Watch {
    header: Buffer<RECORD_HEADER>,
    record: Option<Record>,
    alert: Buffer<PLAIN_ALERT>,
    message: Message,
    /// Whether handshake messages cannot be followed from record to record: they are encrypted, or bytes were missing.
    /// A record that holds nothing but a whole hello is still believed (the second hello of RFC 8446, 4.1.4).
    is_unsure: bool,
    has_changed_cipher: bool,
    has_data: bool,
    /// Nobody knows where the next record begins.
    is_lost: bool,
    is_broken: bool,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    kind: u8,
    length: usize,
    left: usize,
}

impl Record {
    fn read(header: &[u8; RECORD_HEADER]) -> Option<Self> {
        let [kind, major, minor, length @ ..] = *header;
        let length = usize::from(u16::from_be_bytes(length));
        let is_record = matches!(kind, CHANGE_CIPHER_SPEC..=HEARTBEAT) && major == 3 && minor <= 4 && length <= RECORD;
        is_record.then_some(Self { kind, length, left: length })
    }

    /// Whether there is any such record.
    const fn is_plausible(&self) -> bool {
        match self.kind {
            CHANGE_CIPHER_SPEC => self.length == 1,
            ALERT => self.length >= PLAIN_ALERT,
            HANDSHAKE => self.length >= MESSAGE_HEADER,
            _ => self.length > 0,
        }
    }
}

/// The handshake message at hand.
#[derive(Debug, Default)]
struct Message {
    header: Buffer<MESSAGE_HEADER>,
    /// Octets of its body that have not come yet.
    left: usize,
    /// The body of a hello, at most [`TLS_HELLO_BYTES`].
    hello: Vec<u8>,
}

impl Watch {
    /// Starts at a record's first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, any number of them, and says what they show.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(TlsItem)) {
        if self.is_lost && looks_like_tls(bytes) {
            self.is_lost = false;
        }
        while !bytes.is_empty() && !self.is_broken && !self.is_lost {
            let Some(record) = self.record else {
                bytes = self.header.fill(bytes);
                self.begin_record(out);
                continue;
            };
            let (here, rest) = bytes.split_at_checked(record.left).unwrap_or((bytes, &[]));
            self.payload(record, here, out);
            self.record = Some(Record { left: record.left - here.len(), ..record }).filter(|record| record.left > 0);
            bytes = rest;
        }
    }

    /// Bytes are missing. Inside a record only a hello suffers; elsewhere the next piece that starts with a record goes on.
    pub fn gap(&mut self, missing: u64, out: &mut dyn FnMut(TlsItem)) {
        if missing == 0 || self.is_broken || self.is_lost {
            return;
        }
        self.end_of_hello(out);
        self.message = Message::default();
        self.is_unsure = true;
        self.header.clear();
        let left = self.record.and_then(|record| record.left.checked_sub(usize::try_from(missing).ok()?));
        self.record = self.record.zip(left).map(|(record, left)| Record { left, ..record });
        self.is_lost = self.record.is_none();
        self.record = self.record.filter(|record| record.left > 0);
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.message.hello.capacity()
    }

    fn begin_record(&mut self, out: &mut dyn FnMut(TlsItem)) {
        let Some(header) = self.header.take() else { return };
        let Some(record) = Record::read(&header) else {
            self.is_broken = true;
            self.message = Message::default();
            return out(TlsItem::Broken("no TLS record"));
        };
        match record.kind {
            CHANGE_CIPHER_SPEC => (self.is_unsure, self.has_changed_cipher) = (true, true),
            ALERT if record.length != PLAIN_ALERT || self.has_changed_cipher => {
                out(TlsItem::Alert(Alert { what: "encrypted alert", fatal: None, description: None }));
            }
            APPLICATION_DATA => {
                self.is_unsure = true;
                if !self.has_data {
                    out(TlsItem::ApplicationData);
                }
                self.has_data = true;
            }
            _ => {}
        }
        self.alert.clear();
        if self.is_unsure {
            self.message = Message::default();
        }
        self.record = Some(record).filter(|record| record.left > 0);
    }

    fn payload(&mut self, record: Record, here: &[u8], out: &mut dyn FnMut(TlsItem)) {
        match record.kind {
            HANDSHAKE => self.handshake(record, here, out),
            ALERT if record.length == PLAIN_ALERT && !self.has_changed_cipher => {
                self.alert.fill(here);
                if let Some([level, description]) = self.alert.take() {
                    let (fatal, what) = (Some(level == 2), alert_name(description));
                    out(TlsItem::Alert(Alert { what, fatal, description: Some(description) }));
                }
            }
            _ => {}
        }
    }

    fn handshake(&mut self, record: Record, mut here: &[u8], out: &mut dyn FnMut(TlsItem)) {
        while !here.is_empty() {
            if !self.message.header.is_full() {
                here = self.message.header.fill(here);
                let Some((kind, length)) = self.message.begun() else { return };
                let fills_the_record = length + MESSAGE_HEADER == record.length;
                if self.is_unsure && !(is_hello(kind) && fills_the_record) {
                    // Nothing in it means anything: passes over what is left of the record.
                    self.message.header.bytes = [0; MESSAGE_HEADER];
                    self.message.left = record.left;
                }
            }
            here = self.message.body(here);
            if self.message.left == 0 {
                self.end_of_hello(out);
                self.message = Message::default();
            }
        }
    }

    /// Says what the hello at hand holds, as far as it came.
    fn end_of_hello(&mut self, out: &mut dyn FnMut(TlsItem)) {
        let hello = std::mem::take(&mut self.message.hello);
        match self.message.header.bytes.first() {
            Some(&CLIENT_HELLO) => ClientHello::read(&hello).map(TlsItem::ClientHello).into_iter().for_each(out),
            Some(&SERVER_HELLO) => ServerHello::read(&hello).map(TlsItem::ServerHello).into_iter().for_each(out),
            _ => {}
        }
    }
}

const fn is_hello(kind: u8) -> bool {
    matches!(kind, CLIENT_HELLO | SERVER_HELLO)
}

impl Message {
    /// With a whole header: the type and the length of its body, which then starts.
    fn begun(&mut self) -> Option<(u8, usize)> {
        if !self.header.is_full() {
            return None;
        }
        let [kind, high, middle, low] = self.header.bytes;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        Some((kind, self.left))
    }

    /// Takes what belongs to the body, and returns the rest.
    fn body<'p>(&mut self, here: &'p [u8]) -> &'p [u8] {
        let (body, rest) = here.split_at_checked(self.left).unwrap_or((here, &[]));
        self.left -= body.len();
        if self.header.bytes.first().is_some_and(|kind| is_hello(*kind)) {
            let room = TLS_HELLO_BYTES.saturating_sub(self.hello.len());
            self.hello.extend_from_slice(body.get(..room).unwrap_or(body));
        }
        rest
    }
}

/// Octets of a fixed number that may come in pieces.
#[derive(Clone, Copy, Debug)]
struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Buffer<N> {
    /// Takes what it lacks, and returns the rest.
    fn fill<'p>(&mut self, bytes: &'p [u8]) -> &'p [u8] {
        let count = bytes.len().min(N - self.len);
        for (place, byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *place = *byte;
        }
        self.len += count;
        bytes.get(count..).unwrap_or_default()
    }

    const fn is_full(&self) -> bool {
        self.len == N
    }

    /// The octets, once all are there; it is empty then.
    fn take(&mut self) -> Option<[u8; N]> {
        let bytes = self.is_full().then_some(self.bytes)?;
        self.clear();
        Some(bytes)
    }

    const fn clear(&mut self) {
        self.len = 0;
    }
}

/// A number of two octets, as a length.
fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    u16_at(bytes, at).map(usize::from)
}
