//! Opening a path or standard input, and unpacking gzip and zstd.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::capture::{FileStamp, SourceError, SourceStatus, system_words};
use crate::limits::FILE_BUFFER_BYTES;

/// How long a wait for a pipe's next bytes lasts before the stop flag is looked at, in ms.
const PIPE_WAIT_MS: u16 = 50;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An opened capture, unpacked.
pub(super) struct Input {
    /// Gives the capture's bytes. After a stop it ends early.
    pub bytes: Box<dyn Read + Send>,
    /// Whether the bytes come from a pipe, at the pace of whoever writes it.
    pub is_stream: bool,
    /// Size as stored, when known.
    pub size: Option<u64>,
}

/// The name of an input in errors.
pub(super) fn spoken(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

/// Opens a path, or standard input for `-`, and looks whether it is packed. Waits for the first bytes of a pipe.
pub(super) fn open(path: &str, status: &Arc<SourceStatus>, stop: &Arc<AtomicBool>) -> Result<Input, SourceError> {
    let no_file = |why: String| SourceError::NoFile { path: spoken(path).to_owned(), why };
    let file = open_file(path).map_err(|error| no_file(system_words(&error)))?;
    let kind = file.metadata().map_err(|error| no_file(system_words(&error)))?;
    if kind.is_dir() {
        return Err(no_file("is a directory, not a file".to_owned()));
    }
    if kind.file_type().is_block_device() {
        return Err(no_file("is a disk, not a file".to_owned()));
    }
    if file.is_terminal() {
        return Err(no_file("is a terminal, and a capture was expected (… | sipwatch -r -)".to_owned()));
    }
    let is_stream = !kind.is_file();
    let mut raw = Raw { file, is_stream, status: Arc::clone(status), stop: Arc::clone(stop) };
    let start = first_bytes(&mut raw).map_err(|error| no_file(system_words(&error)))?;
    if start.is_empty() {
        return Err(SourceError::EmptyFile { path: spoken(path).to_owned() });
    }
    let size = (!is_stream).then_some(kind.len());
    Ok(Input { bytes: unpacked(start, raw), is_stream, size })
}

/// Which file an input is and how it is now, if it is a file.
pub(super) fn stamp(path: &str) -> Option<FileStamp> {
    match path {
        "-" => FileStamp::of(&open_file(path).ok()?.metadata().ok()?),
        path => FileStamp::at(Path::new(path)),
    }
}

fn open_file(path: &str) -> io::Result<File> {
    if path == "-" {
        let stdin: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
        return Ok(File::from(stdin));
    }
    // Opening a pipe that nobody writes to must not hang where a stop cannot reach.
    OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)
}

fn first_bytes(raw: &mut Raw) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    raw.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

fn unpacked(start: Vec<u8>, raw: Raw) -> Box<dyn Read + Send> {
    let is_zstd = start.first_chunk::<4>().is_some_and(|first| *first == ZSTD || is_skippable(*first));
    let is_gzip = start.starts_with(&GZIP);
    let whole = Cursor::new(start).chain(raw);
    if is_gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(FILE_BUFFER_BYTES, whole)))
    } else if is_zstd {
        Box::new(Zstd::new(BufReader::with_capacity(FILE_BUFFER_BYTES, Box::new(whole))))
    } else {
        Box::new(whole)
    }
}

/// A zstd frame that carries no content (RFC 8878, section 3.1.2).
fn is_skippable(first: [u8; 4]) -> bool {
    u32::from_le_bytes(first) & 0xffff_fff0 == 0x184d_2a50
}

/// The stored bytes: counts them, and waits for a pipe so that a stop is noticed.
struct Raw {
    file: File,
    is_stream: bool,
    status: Arc<SourceStatus>,
    stop: Arc<AtomicBool>,
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            if self.is_stream {
                let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
                match poll(&mut fds, PollTimeout::from(PIPE_WAIT_MS)) {
                    Ok(0) | Err(Errno::EINTR) => continue,
                    Ok(_) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match self.file.read(buffer) {
                Ok(count) => {
                    self.status.read_bytes.fetch_add(count as u64, Ordering::Relaxed);
                    return Ok(count);
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A raw last block without content, and room for a checksum (RFC 8878, section 3.1.1.2).
const EMPTY_LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

type Packed = BufReader<Box<dyn Read + Send>>;

/// Unpacks zstd frames one after the other; the decoder itself knows but one.
struct Zstd {
    packed: Packed,
    decoder: FrameDecoder,
    inside: bool,
    failure: Option<io::Error>,
}

impl Zstd {
    fn new(packed: Packed) -> Self {
        Self { packed, decoder: FrameDecoder::new(), inside: false, failure: None }
    }

    /// Enters the next frame with content. `false` at the end.
    fn enter_frame(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.packed.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside {
                if let Some(failure) = self.failure.take() {
                    return Err(failure);
                }
                self.inside = self.enter_frame()?;
                if !self.inside {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                if let Err(failure) = self.decoder.decode_blocks(&mut self.packed, one) {
                    self.failure = Some(io::Error::other(failure));
                    // An empty last block makes it give out the window it holds back for later blocks.
                    self.decoder
                        .decode_blocks(EMPTY_LAST_BLOCK, BlockDecodingStrategy::All)
                        .map_err(io::Error::other)?;
                }
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.inside = false;
        }
    }
}
