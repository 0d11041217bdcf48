//! Capture files: pcap and pcapng, plain or packed with gzip or zstd, from a path or standard input, several merged by
//! time.
//!
//! A file is read as far as it goes. Where it is cut or broken it ends with a warning, and what came before counts.

mod input;
mod legacy;
mod names;
mod order;
mod pcapng;
mod reader;
mod record;
mod window;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::order::Order;
use self::reader::{FileReader, Next};
use super::link::link_name;
use super::{BatchSink, FileFacts, Source, SourceError, SourceKind, SourceState, SourceStatus, Stopper};
use crate::limits::{FILE_BUFFER_BYTES, FILE_BUFFERS_BYTES, FILE_SMALLEST_BUFFER_BYTES};
use crate::packet::Batch;
use crate::time::Timestamp;

/// One or several capture files as one source.
///
/// Packets come in order of time, as far as a window of a file can be brought into it
/// ([`FILE_ORDER_PACKETS`](crate::limits::FILE_ORDER_PACKETS),
/// [`FILE_ORDER_SECONDS`](crate::limits::FILE_ORDER_SECONDS)); ties keep the order of the files, and that within each.
/// Their numbers are those of the file.
/// [`PacketId::source`](crate::packet::PacketId::source) is the file's index. A pipe is live: its packets are handed on
/// as soon as they are read, except behind zstd, which gives them by blocks; only what came together is sorted.
pub struct FileSource {
    readers: Vec<FileReader>,
    order: Order,
    names: Vec<String>,
    status: Arc<SourceStatus>,
    stop: Arc<AtomicBool>,
    /// Facts that were told of already.
    told: usize,
}

impl FileSource {
    /// Opens the files in the given order; `-` is standard input. Waits for the first bytes of a pipe.
    pub fn open(paths: &[String]) -> Result<Self, SourceError> {
        let names: Vec<String> = paths.iter().map(|path| short_name(path)).collect();
        let mut status = SourceStatus::new(joint_name(&names), SourceKind::File, "");
        status.inputs.clone_from(&names);
        status.stamps = paths.iter().map(|path| input::stamp(path)).collect();
        let status = Arc::new(status);
        let stop = Arc::new(AtomicBool::new(false));
        let buffer_bytes =
            (FILE_BUFFERS_BYTES / paths.len().max(1)).clamp(FILE_SMALLEST_BUFFER_BYTES, FILE_BUFFER_BYTES);
        let mut readers = Vec::with_capacity(paths.len());
        let mut total = Some(0_u64);
        for (index, path) in paths.iter().enumerate() {
            let source = u16::try_from(index).map_err(|_| SourceError::NoFile {
                path: path.clone(),
                why: format!("is one file too many, at most {} are merged", u16::MAX),
            })?;
            let (reader, size) = FileReader::open(path, source, buffer_bytes, &status, &stop)?;
            total = total.zip(size).map(|(total, size)| total.saturating_add(size));
            readers.push(reader);
        }
        status.total_bytes.store(total.unwrap_or(0), Ordering::Relaxed);
        let is_stream = readers.iter().any(|reader| reader.is_stream);
        let source = Self { readers, order: Order::new(!is_stream), names, status, stop, told: 0 };
        source.publish_facts();
        Ok(source)
    }

    /// The files' names, by [`PacketId::source`](crate::packet::PacketId::source).
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether some of it comes through a pipe, at the pace of whoever writes it.
    pub fn is_stream(&self) -> bool {
        self.readers.iter().any(|reader| reader.is_stream)
    }

    fn publish_facts(&self) {
        let mut facts = FileFacts { out_of_order: self.order.strays(), ..FileFacts::default() };
        for reader in &self.readers {
            reader.tell(&mut facts);
        }
        self.status.facts.store(Arc::new(facts));
        let mut names: Vec<String> = Vec::new();
        for link in self.readers.iter().flat_map(FileReader::links) {
            let name = link_name(link);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.status.link.store(Arc::new(names.join(", ")));
    }

    /// Gives all packets in order of time. `Break` when nobody wants more.
    fn merge(&mut self, sink: &mut dyn BatchSink) -> ControlFlow<()> {
        let mut batch = Batch::new();
        let mut waiting: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
        for index in 0..self.readers.len() {
            if let Some(at) = self.find_next(index, &mut batch, sink)? {
                waiting.push(Reverse((at, index)));
            }
        }
        self.publish_facts();
        while let Some(Reverse((_, index))) = waiting.pop() {
            let others = waiting.peek().map(|Reverse(first)| *first);
            loop {
                if let Some(reader) = self.readers.get_mut(index) {
                    reader.push_head(&mut batch);
                    if others.is_none() && !reader.reads_runs() {
                        reader.push_run(&mut batch);
                    }
                }
                if batch.is_full() {
                    self.hand_on(&mut batch, sink)?;
                }
                if others.is_none() {
                    self.read_runs(index, &mut batch, sink)?;
                }
                let Some(at) = self.find_next(index, &mut batch, sink)? else { break };
                if others.is_some_and(|first| first < (at, index)) {
                    waiting.push(Reverse((at, index)));
                    break;
                }
            }
        }
        self.hand_on(&mut batch, sink)?;
        self.give_due(true, sink)
    }

    /// Goes through a file that is the only one, or the last one left, as fast as it can.
    fn read_runs(&mut self, index: usize, batch: &mut Batch, sink: &mut dyn BatchSink) -> ControlFlow<()> {
        while let Some(reader) = self.readers.get_mut(index).filter(|reader| reader.reads_runs()) {
            // What is left in the reader's window comes first.
            reader.push_run(batch);
            let is_full = batch.is_full();
            self.hand_on(batch, sink)?;
            if is_full {
                continue;
            }
            let Some(reader) = self.readers.get_mut(index) else { break };
            if !reader.read_run(batch) {
                batch.clear();
                break;
            }
            self.hand_on(batch, sink)?;
        }
        ControlFlow::Continue(())
    }

    /// Moves a reader to its next packet and gives its time; `None` at the end of the file.
    fn find_next(
        &mut self,
        index: usize,
        batch: &mut Batch,
        sink: &mut dyn BatchSink,
    ) -> ControlFlow<(), Option<Timestamp>> {
        loop {
            let Some(reader) = self.readers.get_mut(index) else { return ControlFlow::Continue(None) };
            match reader.advance() {
                Next::Packet => return ControlFlow::Continue(Some(reader.head_at())),
                Next::Over => return ControlFlow::Continue(None),
                Next::Dry if reader.is_stream && !batch.is_empty() => self.hand_on(batch, sink)?,
                Next::Dry => {
                    if self.stop.load(Ordering::Relaxed) {
                        return ControlFlow::Break(());
                    }
                    reader.refill();
                }
            }
        }
    }

    fn hand_on(&mut self, batch: &mut Batch, sink: &mut dyn BatchSink) -> ControlFlow<()> {
        if batch.is_empty() {
            return ControlFlow::Continue(());
        }
        self.order.take(batch);
        self.give_due(false, sink)
    }

    /// Gives the sink what need not wait for packets that are still to be read.
    fn give_due(&mut self, over: bool, sink: &mut dyn BatchSink) -> ControlFlow<()> {
        // Interfaces are described right before their first packet.
        let told = self.readers.iter().map(FileReader::told).sum();
        if told != self.told {
            self.told = told;
            self.publish_facts();
        }
        while let Some(mut batch) = self.order.due(over) {
            self.status.packets.fetch_add(batch.len() as u64, Ordering::Relaxed);
            sink.hand_on(&mut batch)?;
            self.order.give_back(batch);
            if self.stop.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// What was wrong with the files, with their names where there are several.
    fn warnings(&self) -> Option<String> {
        let named = self.names.iter().zip(&self.readers).filter_map(|(name, reader)| {
            let warning = reader.warning()?;
            Some(if self.names.len() > 1 { format!("{name} is {warning}") } else { warning.to_owned() })
        });
        let all: Vec<String> = named.collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

impl Source for FileSource {
    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.status)
    }

    fn stopper(&self) -> Stopper {
        let stop = Arc::clone(&self.stop);
        Arc::new(move || stop.store(true, Ordering::Relaxed))
    }

    /// Never fails: what cannot be read ends the file with a warning.
    fn run(mut self: Box<Self>, sink: &mut dyn BatchSink) -> Result<(), SourceError> {
        let flow = self.merge(sink);
        // After a stop the bytes seem to end early, which says nothing about the file.
        let warning = if flow.is_break() || self.stop.load(Ordering::Relaxed) { None } else { self.warnings() };
        self.publish_facts();
        self.status.truncated.store(warning.is_some(), Ordering::Relaxed);
        self.status.state.store(Arc::new(SourceState::Ended { warning }));
        Ok(())
    }
}

fn short_name(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn joint_name(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => String::new(),
    }
}
