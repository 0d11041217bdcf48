//! One capture file: finds its packets one after the other.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::input::{self, Input, spoken};
use super::legacy::{self, Legacy};
use super::pcapng::{self, Pcapng};
use super::record::{Found, Step};
use super::window::Window;
use crate::capture::{FileFacts, SourceError, SourceStatus, system_words};
use crate::limits::FILE_READ_BYTES;
use crate::packet::{Batch, LinkType, PacketId, PacketMeta};
use crate::time::Timestamp;

/// Bytes by which a format is told.
const MAGIC_LEN: usize = 4;

/// Bytes shown of a file that is no capture.
const SHOWN_BYTES: usize = 8;

enum Format {
    Legacy(Legacy),
    Pcapng(Pcapng),
    /// The file ends inside its header.
    HeaderCut,
}

/// What a look for the next packet gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is one: [`FileReader::head_at`], [`FileReader::push_head`].
    Packet,
    /// More bytes are needed: [`FileReader::refill`].
    Dry,
    /// The file is over: [`FileReader::warning`].
    Over,
}

/// A capture file being read.
pub(super) struct FileReader {
    source: u16,
    bytes: Box<dyn Read + Send>,
    /// Whether the bytes come at the pace of whoever writes them.
    pub is_stream: bool,
    window: Window,
    format: Format,
    number: u64,
    head: Option<Found>,
    need: usize,
    is_over: bool,
    warning: Option<String>,
    /// What the last [`FileReader::read_run`] met, until [`FileReader::refill`] reports it.
    failure: Option<std::io::Error>,
}

impl FileReader {
    /// Opens the file that is number `source` of the capture, and recognises its format.
    pub(super) fn open(
        path: &str,
        source: u16,
        buffer_bytes: usize,
        status: &Arc<SourceStatus>,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Self, Option<u64>), SourceError> {
        let Input { mut bytes, is_stream, size } = input::open(path, status, stop)?;
        let mut window = Window::new(buffer_bytes);
        let no_file = |error: std::io::Error| SourceError::NoFile {
            path: spoken(path).to_owned(),
            why: format!("cannot be read: {}", system_words(&error)),
        };
        fill_to(&mut window, bytes.as_mut(), MAGIC_LEN).map_err(no_file)?;
        if window.unread().is_empty() {
            return Err(SourceError::EmptyFile { path: spoken(path).to_owned() });
        }
        let format = match window.unread().first_chunk::<MAGIC_LEN>() {
            Some(first) if *first == pcapng::SECTION_HEADER => Format::Pcapng(Pcapng::default()),
            Some(first) if legacy::is_magic(*first) => {
                // A header that cannot be read to its end is a cut file, whatever the reason.
                let _ = fill_to(&mut window, bytes.as_mut(), legacy::HEADER_LEN);
                match Legacy::new(window.unread()) {
                    Some(legacy) => {
                        window.consume(legacy::HEADER_LEN);
                        Format::Legacy(legacy)
                    }
                    None => Format::HeaderCut,
                }
            }
            _ => {
                // Only to show more of it.
                let _ = fill_to(&mut window, bytes.as_mut(), SHOWN_BYTES);
                return Err(not_a_capture(path, window.unread()));
            }
        };
        let reader = Self {
            source,
            bytes,
            is_stream,
            window,
            format,
            number: 0,
            head: None,
            need: 1,
            is_over: false,
            warning: None,
            failure: None,
        };
        Ok((reader, size))
    }

    /// Leaves the packet at hand and looks for the next.
    pub(super) fn advance(&mut self) -> Next {
        if let Some(head) = self.head.take() {
            self.window.consume(head.record_len);
        }
        while !self.is_over {
            let step = match &mut self.format {
                Format::Legacy(legacy) => legacy.step(self.window.unread()),
                Format::Pcapng(pcapng) => pcapng.step(self.window.unread()),
                Format::HeaderCut => {
                    self.end(Some("cut inside the file header".to_owned()));
                    break;
                }
            };
            match step {
                Step::Packet(found) => {
                    self.number += 1;
                    self.head = Some(found);
                    return Next::Packet;
                }
                Step::Pass(count) => self.window.consume(count),
                Step::Need(count) => {
                    self.need = count;
                    return Next::Dry;
                }
                Step::Broken(why) => {
                    let warning = format!("broken at packet {}: {why}", self.number + 1);
                    self.end(Some(warning));
                }
            }
        }
        Next::Over
    }

    /// Reads more bytes, waiting for them. At the end of the file the reader is over.
    pub(super) fn refill(&mut self) {
        let read = match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.window.refill(self.bytes.as_mut(), self.need),
        };
        match read {
            Ok(0) => {
                let inside_block = matches!(&self.format, Format::Pcapng(pcapng) if pcapng.inside_block());
                let is_clean = self.window.unread().is_empty() && !inside_block;
                let warning = (!is_clean).then(|| self.cut());
                self.end(warning);
            }
            Ok(_) => {}
            Err(error) => {
                let warning = format!("{}: {}", self.cut(), system_words(&error));
                self.end(Some(warning));
            }
        }
    }

    fn cut(&self) -> String {
        format!("cut in the middle of packet {}", self.number + 1)
    }

    fn end(&mut self, warning: Option<String>) {
        self.is_over = true;
        self.warning = warning;
    }

    /// When the packet at hand was captured.
    pub(super) fn head_at(&self) -> Timestamp {
        self.head.as_ref().map_or(Timestamp::default(), |head| head.at)
    }

    /// Copies the packet at hand into the batch.
    pub(super) fn push_head(&self, batch: &mut Batch) {
        let Some(head) = &self.head else { return };
        let meta = PacketMeta {
            id: PacketId::new(self.source, self.number),
            at: head.at,
            interface: head.interface,
            link: head.link,
            original_len: head.original_len,
        };
        batch.push(meta, self.window.unread().get(head.data.clone()).unwrap_or_default());
    }

    /// Leaves the packet at hand, and copies those behind it that lie whole in the window, until the batch is full. What
    /// is odd, and what is not there yet, is left to [`FileReader::advance`].
    pub(super) fn push_run(&mut self, batch: &mut Batch) {
        if let Some(head) = self.head.take() {
            self.window.consume(head.record_len);
        }
        let Format::Legacy(legacy) = &self.format else { return };
        let unread = self.window.unread();
        let mut rest = unread;
        while !batch.is_full()
            && let Some(record) = legacy.record(rest)
        {
            self.number += 1;
            let meta = legacy.meta(PacketId::new(self.source, self.number), &record);
            batch.push(meta, record.data);
            rest = record.rest;
        }
        let used = unread.len() - rest.len();
        self.window.consume(used);
    }

    /// Whether [`FileReader::read_run`] may be tried: not with bytes that come slowly.
    pub(super) fn reads_runs(&self) -> bool {
        matches!(self.format, Format::Legacy(_)) && !self.is_stream
    }

    /// Reads more of a file straight into an empty batch, without a copy in between. False when that gave no packet: then
    /// what is odd, cut or too long for it is left to [`FileReader::advance`].
    pub(super) fn read_run(&mut self, batch: &mut Batch) -> bool {
        let (Format::Legacy(legacy), None, None) = (&self.format, &self.head, &self.failure) else { return false };
        match batch.read(self.window.unread(), self.bytes.as_mut(), FILE_READ_BYTES) {
            Ok(_) => {}
            Err(error) => {
                self.failure = Some(error);
                return false;
            }
        }
        let mut at = 0;
        while let Some(record) = legacy.record(batch.unmarked(at)) {
            self.number += 1;
            let meta = legacy.meta(PacketId::new(self.source, self.number), &record);
            let start = at + legacy.record_header;
            at = start + record.data.len();
            batch.mark(meta, start..at);
        }
        self.window.replace(batch.unmarked(at));
        at > 0
    }

    /// What was wrong at the end.
    pub(super) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Adds what the file told besides its packets.
    pub(super) fn tell(&self, facts: &mut FileFacts) {
        if let Format::Pcapng(pcapng) = &self.format {
            pcapng.tell(self.source, facts);
        }
    }

    /// How much it has told so far; grows with it.
    pub(super) fn told(&self) -> usize {
        match &self.format {
            Format::Pcapng(pcapng) => pcapng.told(),
            Format::Legacy(_) | Format::HeaderCut => 0,
        }
    }

    /// The link types known so far.
    pub(super) fn links(&self) -> Vec<LinkType> {
        match &self.format {
            Format::Legacy(legacy) => vec![legacy.link],
            Format::Pcapng(pcapng) => pcapng.links().collect(),
            Format::HeaderCut => Vec::new(),
        }
    }
}

/// Reads until there are `count` unread bytes, or the source is at its end.
fn fill_to(window: &mut Window, source: &mut dyn Read, count: usize) -> std::io::Result<()> {
    while window.unread().len() < count && window.refill(source, count)? > 0 {}
    Ok(())
}

fn not_a_capture(path: &str, bytes: &[u8]) -> SourceError {
    let shown = bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}"));
    SourceError::NotACapture { path: spoken(path).to_owned(), starts: shown.collect::<Vec<_>>().join(" ") }
}
