//! One file saved on request. It is written beside its place and moved there when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::SourceNames;
use super::pcapng::{Pcapng, in_file};
use super::place::{Owner, SaveError, Spared, create_anew, without_links};
use crate::capture::link::link_name;
use crate::capture::synth::{PcapWriter, Precision};
use crate::limits::{SNAP_LEN, WRITE_BUFFER_BYTES};
use crate::packet::{LinkType, Packet};

/// What a saved file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// pcapng: any link types, names of interfaces.
    #[default]
    Pcapng,
    /// Classic pcap with nanoseconds: one link type.
    Pcap,
    /// SIP messages as text.
    Text,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pcapng, Self::Pcap, Self::Text];

    /// The name, which is also the ending of its files.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pcapng => "pcapng",
            Self::Pcap => "pcap",
            Self::Text => "txt",
        }
    }
}

/// Drafts begun by this process.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// What file to save.
#[derive(Clone, Debug)]
pub struct SaveOptions {
    /// Its place.
    pub path: PathBuf,
    /// What it is to be.
    pub format: Format,
    /// Names of the sources.
    pub names: SourceNames,
    /// Who it is to belong to, if not to the process.
    pub owner: Option<Owner>,
    /// Whether a file that is there may go.
    pub replace: bool,
    /// Files that may not go in any case.
    pub spared: Spared,
}

/// A file beside its place.
struct Draft {
    path: PathBuf,
    draft: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    is_kept: bool,
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.draft);
        }
    }
}

enum Body {
    Pcapng {
        blocks: Pcapng,
        buffer: Vec<u8>,
        draft: Draft,
    },
    /// The header names the link type, which comes with the first packet.
    PcapBegun {
        draft: Draft,
    },
    Pcap {
        writer: PcapWriter<Draft>,
        link: LinkType,
    },
    Text {
        draft: Draft,
    },
    Failed,
}

/// A capture, or a text, being saved. Dropped before [`CaptureFile::finish`] it leaves nothing behind.
pub struct CaptureFile {
    /// The place as the user named it.
    path: PathBuf,
    spared: Spared,
    body: Body,
}

impl CaptureFile {
    /// Begins a file.
    pub fn create(options: SaveOptions) -> Result<Self, SaveError> {
        let draft = draft(&options)?;
        let SaveOptions { path, format, names, spared, .. } = options;
        let body = match format {
            Format::Pcapng => {
                let (mut blocks, mut buffer) = (Pcapng::new(names), Vec::new());
                blocks.begin(&mut buffer);
                Body::Pcapng { blocks, buffer, draft }
            }
            Format::Pcap => Body::PcapBegun { draft },
            Format::Text => Body::Text { draft },
        };
        Ok(Self { path, spared, body })
    }

    /// Adds a packet.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), SaveError> {
        let link = in_file(packet.meta.link);
        if matches!(self.body, Body::PcapBegun { .. }) {
            self.begin_pcap(link)?;
        }
        let written = match &mut self.body {
            Body::Pcapng { blocks, buffer, draft } => {
                blocks.packet(packet, buffer);
                let written = draft.write_all(buffer);
                buffer.clear();
                written
            }
            Body::Pcap { link: first, .. } if *first != link => {
                let links = format!("{} and {}", link_name(*first), link_name(link));
                return Err(SaveError::Links { path: self.path.display().to_string(), links });
            }
            Body::Pcap { writer, .. } => writer.write_cut(packet.meta.at, packet.data, packet.meta.original_len),
            Body::PcapBegun { .. } | Body::Text { .. } | Body::Failed => Ok(()),
        };
        written.map_err(|error| SaveError::of(&self.path, &error))
    }

    /// Adds text.
    pub fn text(&mut self, text: &[u8]) -> Result<(), SaveError> {
        let Body::Text { draft } = &mut self.body else { return Ok(()) };
        draft.write_all(text).map_err(|error| SaveError::of(&self.path, &error))
    }

    fn begin_pcap(&mut self, link: LinkType) -> Result<(), SaveError> {
        if let Body::PcapBegun { draft } = std::mem::replace(&mut self.body, Body::Failed) {
            let writer = PcapWriter::new(draft, Precision::Nanos, link, SNAP_LEN as u32)
                .map_err(|error| SaveError::of(&self.path, &error))?;
            self.body = Body::Pcap { writer, link };
        }
        Ok(())
    }

    /// Puts the whole file in its place, and gives its size in bytes.
    pub fn finish(mut self) -> Result<u64, SaveError> {
        if matches!(self.body, Body::PcapBegun { .. }) {
            self.begin_pcap(LinkType::ETHERNET)?;
        }
        let done = match self.body {
            Body::Pcapng { buffer, mut draft, .. } => draft.write_all(&buffer).map(|()| draft),
            Body::Pcap { writer, .. } => writer.finish(),
            Body::Text { draft } | Body::PcapBegun { draft } => Ok(draft),
            Body::Failed => Err(io::ErrorKind::Other.into()),
        };
        let refused = |error: io::Error| SaveError::of(&self.path, &error);
        let mut draft = done.map_err(refused)?;
        draft.flush().map_err(refused)?;
        // -w may have turned to this place meanwhile.
        self.spared.refuse(&draft.path, &self.path)?;
        fs::rename(&draft.draft, &draft.path).map_err(refused)?;
        draft.is_kept = true;
        Ok(draft.bytes)
    }
}

fn draft(options: &SaveOptions) -> Result<Draft, SaveError> {
    let path = &options.path;
    let refused = |error: &io::Error| SaveError::of(path, error);
    // What a link points to is replaced, and not the link.
    let place = without_links(path);
    options.spared.refuse(&place, path)?;
    match fs::metadata(&place) {
        Ok(there) if !there.is_file() => {
            return Err(SaveError::File {
                path: path.display().to_string(),
                why: "there is something that is no ordinary file".to_owned(),
                next: "Choose another name",
            });
        }
        Ok(_) if !options.replace => return Err(SaveError::Exists { path: path.display().to_string() }),
        _ => {}
    }
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Two may be saved to one place at the same time.
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let beside = place.with_file_name(format!(".{name}.{}-{number}.part", std::process::id()));
    // Only an earlier process of the same number can have left one.
    let _ = fs::remove_file(&beside);
    let file = create_anew(&beside, options.owner).map_err(|error| refused(&error))?;
    let file = BufWriter::with_capacity(WRITE_BUFFER_BYTES, file);
    Ok(Draft { path: place, draft: beside, file, bytes: 0, is_kept: false })
}
