//! `-w`: every packet into a pcapng file, whatever the disk does meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pcapng::Pcapng;
use super::place::{Owner, SaveError, create, create_anew, without_links};
use super::rotate::{Kept, Rotation, name};
use super::status::Target;
use super::{SourceNames, WriteStatus};
use crate::capture::FileId;
use crate::limits::WRITE_BUFFER_BYTES;
use crate::packet::Batch;
use crate::time::Timestamp;

/// Standard output as a path.
const STDOUT: &str = "-";

/// How a file is created.
type Create = fn(&Path, Option<Owner>) -> io::Result<File>;

/// What to write where.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// The file; `-` is standard output.
    pub path: PathBuf,
    /// When to begin a new one.
    pub rotation: Rotation,
    /// Who new files are to belong to, if not to the process.
    pub owner: Option<Owner>,
    /// Names of the sources.
    pub names: SourceNames,
}

/// An open file, and how much of it is whole blocks.
struct Output {
    file: File,
    /// The file as an ordinary one: then what was half written can be taken back.
    id: Option<FileId>,
    /// Set while what was half written is still in it.
    is_torn: bool,
    /// Bytes of whole blocks in it.
    good: u64,
    /// Interfaces described in those.
    interfaces: usize,
}

impl Output {
    /// Takes back what was half written. An open file may have become useless while its place is well: on a network, or on
    /// a stick that was pulled out.
    fn mend(&mut self, path: &Path) -> io::Result<()> {
        let good = self.good;
        let cut = |mut file: &File| file.set_len(good).and_then(|()| file.seek(SeekFrom::Start(good)));
        if let Err(error) = cut(&self.file) {
            if self.id.is_none() || self.id != FileId::at(path) {
                return Err(error);
            }
            let anew = OpenOptions::new().write(true).open(path)?;
            cut(&anew)?;
            self.file = anew;
        }
        self.is_torn = false;
        Ok(())
    }
}

/// Writes batches. What cannot be written is counted, and the next packets are tried again.
pub struct Recorder {
    options: RecordOptions,
    blocks: Pcapng,
    buffer: Vec<u8>,
    /// Packets in the buffer.
    buffered: u64,
    output: Option<Output>,
    began: Option<Timestamp>,
    number: u64,
    kept: Kept,
    /// A pipe that broke stays so.
    is_broken: bool,
    status: Arc<WriteStatus>,
    reopen: Arc<AtomicBool>,
}

impl Recorder {
    /// Creates the file, or with rotation looks whether its directory is there: the first file's name is known with the
    /// first packet only.
    pub fn open(options: RecordOptions) -> Result<Self, SaveError> {
        let blocks = Pcapng::new(options.names.clone());
        let mut recorder = Self {
            blocks,
            buffer: Vec::new(),
            buffered: 0,
            output: None,
            began: None,
            number: 0,
            kept: Kept::default(),
            is_broken: false,
            status: Arc::default(),
            reopen: Arc::default(),
            options,
        };
        if recorder.options.rotation.is_on() {
            let path = &recorder.options.path;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::metadata(folder).map_err(|error| SaveError::of(path, &error))?;
        } else {
            let path = recorder.options.path.clone();
            recorder.begin(&path, create).map_err(|error| SaveError::of(&path, &error))?;
        }
        Ok(recorder)
    }

    /// Its counters.
    pub fn status(&self) -> Arc<WriteStatus> {
        Arc::clone(&self.status)
    }

    /// Set it, and the file is opened anew: after somebody moved it away.
    pub fn reopen_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reopen)
    }

    /// Takes the packets of a batch. They are in the file after the next [`Recorder::flush`] at the latest.
    pub fn write(&mut self, batch: &Batch) {
        self.look_at_flag();
        let mut may_open = true;
        for packet in batch.iter() {
            self.rotate(packet.meta.at);
            if self.output.is_none() && may_open {
                may_open = self.next(packet.meta.at);
            }
            let Some(_) = self.output else {
                self.status.lost_disk.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            self.began.get_or_insert(packet.meta.at);
            self.blocks.packet(&packet, &mut self.buffer);
            self.buffered += 1;
            if self.buffer.len() >= WRITE_BUFFER_BYTES {
                self.flush();
            }
        }
    }

    /// Nothing waits to be written: what is buffered goes out.
    pub fn flush(&mut self) {
        self.look_at_flag();
        self.write_out();
    }

    fn look_at_flag(&mut self) {
        if self.reopen.swap(false, Ordering::Relaxed) {
            self.reopen();
        }
    }

    fn write_out(&mut self) {
        let Some(output) = self.output.as_mut().filter(|_| !self.buffer.is_empty()) else { return };
        let whole = if output.is_torn { output.mend(&self.options.path) } else { Ok(()) };
        match whole.and_then(|()| output.file.write_all(&self.buffer)) {
            Ok(()) => {
                output.good += self.buffer.len() as u64;
                output.interfaces = self.blocks.interfaces();
                self.status.packets.fetch_add(self.buffered, Ordering::Relaxed);
                self.status.bytes.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
                self.status.trouble.store(None);
                self.buffer.clear();
                self.buffered = 0;
            }
            Err(error) => self.refused(&error),
        }
    }

    /// The disk took the buffer not, or not whole. The file is cut to its last whole block, so that it stays readable.
    fn refused(&mut self, error: &io::Error) {
        self.status.lost_disk.fetch_add(self.buffered, Ordering::Relaxed);
        self.buffer.clear();
        self.buffered = 0;
        self.tell(error);
        let Some(mut output) = self.output.take() else { return };
        if output.id.is_none() {
            // Whoever reads a pipe has lost its place.
            self.is_broken = true;
            return;
        }
        output.is_torn = true;
        if output.mend(&self.options.path).is_err() && self.options.rotation.is_on() {
            // The next one begins elsewhere. Without turns this one is tried again.
            return;
        }
        match output.good {
            0 => self.blocks.begin(&mut self.buffer),
            _ => self.blocks.forget_from(output.interfaces),
        }
        self.output = Some(output);
    }

    fn tell(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe && self.options.path.as_os_str() == STDOUT {
            self.status.reader_gone.store(true, Ordering::Relaxed);
        }
        let file = self.status.file.load();
        let path = if file.is_empty() { self.options.path.display().to_string() } else { file.to_string() };
        let sentence = SaveError::of(Path::new(&path), error).to_string();
        if self.status.failure.load().is_none() {
            self.status.failure.store(Some(Arc::new(sentence.clone())));
        }
        self.status.trouble.store(Some(Arc::new(sentence)));
    }

    fn rotate(&mut self, at: Timestamp) {
        let rotation = self.options.rotation;
        let (Some(output), Some(began)) = (&self.output, self.began) else { return };
        if rotation.is_on() && rotation.is_due(began, output.good + self.buffer.len() as u64, at) {
            self.close();
        }
    }

    fn close(&mut self) {
        self.write_out();
        self.output = None;
        self.began = None;
        self.buffer.clear();
    }

    /// Begins the file for a packet of this time. False when that cannot be done now.
    fn next(&mut self, at: Timestamp) -> bool {
        if self.is_broken {
            return false;
        }
        let begun = match self.options.rotation.is_on() {
            true => self.turn(at),
            false => self.begin(&self.options.path.clone(), create),
        };
        if let Err(error) = &begun {
            self.tell(error);
        }
        begun.is_ok()
    }

    /// Begins the next file of those that take turns. What has its name already is another run's, or is being read:
    /// then the number goes on.
    fn turn(&mut self, at: Timestamp) -> io::Result<()> {
        loop {
            let path = name(&self.options.path, self.number + 1, at);
            let begun = self.begin(&path, create_anew);
            let is_taken = begun.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists);
            if begun.is_ok() || is_taken {
                self.number += 1;
            }
            if is_taken {
                continue;
            }
            begun?;
            self.kept.add(path, self.options.rotation.files);
            return Ok(());
        }
    }

    fn begin(&mut self, path: &Path, create: Create) -> io::Result<()> {
        let is_stdout = path.as_os_str() == STDOUT;
        let file = match is_stdout {
            true => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            false => create(path, self.options.owner)?,
        };
        let id = file.metadata().ok().as_ref().and_then(FileId::of);
        let (shown, place) = match is_stdout {
            true => ("standard output".to_owned(), PathBuf::new()),
            false => (path.display().to_string(), without_links(path)),
        };
        self.status.target.store(Some(Arc::new(Target { id, place })));
        self.output = Some(Output { file, id: id.filter(|_| !is_stdout), is_torn: false, good: 0, interfaces: 0 });
        self.began = None;
        self.buffer.clear();
        self.blocks.begin(&mut self.buffer);
        self.status.file.store(Arc::new(shown));
        self.status.files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The file's name stands for another file, or for none: begins that one. A file that is still in its place goes on.
    fn reopen(&mut self) {
        self.write_out();
        if self.options.rotation.is_on() {
            self.is_broken = false;
            self.close();
            return;
        }
        let path = self.options.path.clone();
        let is_there = |output: &Output| output.id.is_some() && output.id == FileId::at(&path);
        if path.as_os_str() == STDOUT || self.output.as_ref().is_some_and(is_there) {
            return;
        }
        // The old file stays in use if there can be no new one.
        let old = self.output.take();
        match self.begin(&path, create) {
            Ok(()) => self.is_broken = false,
            Err(error) => {
                self.output = old;
                self.tell(&error);
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.write_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Source;
    use crate::capture::file::FileSource;
    use crate::packet::{LinkType, PacketId, PacketMeta};

    fn one(number: u64) -> Batch {
        let mut batch = Batch::default();
        let at = Timestamp::from_parts(1_795_880_700, 0);
        let meta =
            PacketMeta { id: PacketId::new(0, number), at, interface: 0, link: LinkType::ETHERNET, original_len: 3 };
        batch.push(meta, b"abc");
        batch
    }

    fn packets(path: &Path) -> u64 {
        let source = FileSource::open(&[path.display().to_string()]).unwrap();
        let status = source.status();
        let mut sink = |batch: &mut Batch| {
            batch.clear();
            std::ops::ControlFlow::Continue(())
        };
        Box::new(source).run(&mut sink).unwrap();
        assert!(!status.truncated.load(Ordering::Relaxed));
        status.packets.load(Ordering::Relaxed)
    }

    /// A handle that takes nothing, and cannot even be cut, as one of a network file system that came back.
    fn disable(recorder: &mut Recorder, path: &Path) {
        recorder.output.as_mut().unwrap().file = File::open(path).unwrap();
    }

    #[test]
    fn a_file_whose_handle_became_useless_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        for rotation in [Rotation::default(), Rotation { seconds: Some(60), ..Rotation::default() }] {
            let path = folder.path().join(format!("{}.pcapng", rotation.is_on()));
            let options = RecordOptions { path: path.clone(), rotation, owner: None, names: SourceNames::default() };
            let mut recorder = Recorder::open(options).unwrap();
            let status = recorder.status();
            recorder.write(&one(1));
            recorder.flush();
            let first = PathBuf::from(status.file.load().as_str());
            disable(&mut recorder, &first);
            recorder.write(&one(2));
            recorder.flush();
            recorder.write(&one(3));
            recorder.flush();
            assert_eq!(status.lost_disk.load(Ordering::Relaxed), 1, "only what was refused");
            let last = PathBuf::from(status.file.load().as_str());
            let counts = if rotation.is_on() { [1, 1] } else { [2, 2] };
            assert_eq!([packets(&first), packets(&last)], counts);
        }
    }

    #[test]
    fn a_file_that_is_away_is_gone_on_with_once_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let [path, away] = ["x.pcapng", "away"].map(|name| folder.path().join(name));
        let (rotation, names) = (Rotation::default(), SourceNames::default());
        let mut recorder = Recorder::open(RecordOptions { path: path.clone(), rotation, owner: None, names }).unwrap();
        let status = recorder.status();
        recorder.write(&one(1));
        recorder.flush();
        disable(&mut recorder, &path);
        fs::rename(&path, &away).unwrap();
        for number in 2..4 {
            recorder.write(&one(number));
            recorder.flush();
        }
        fs::rename(&away, &path).unwrap();
        recorder.write(&one(4));
        drop(recorder);
        assert_eq!((status.lost_disk.load(Ordering::Relaxed), packets(&path)), (2, 2));
    }
}
