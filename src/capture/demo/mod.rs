//! The built-in capture: a small phone system on a busy minute, made when it is asked for.
//!
//! It needs no file, no network and no rights. Played in real time it is the screen's demo; unpaced it is a file like
//! any other, and the same on every run for the same start time.

mod calls;
mod stage;
mod story;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use story::story;

use super::synth::{PcapWriter, Precision, Schedule};
use super::{BatchSink, Source, SourceError, SourceKind, SourceState, SourceStatus, Stopper};
use crate::limits::SNAP_LEN;
use crate::packet::{Batch, LinkType, PacketId, PacketMeta};
use crate::time::Timestamp;

/// How long the player sleeps at most before it looks whether it should stop.
const NAP: Duration = Duration::from_millis(10);

/// Plays the story.
pub struct DemoSource {
    start: Timestamp,
    paced: bool,
    status: Arc<SourceStatus>,
    stop: Arc<AtomicBool>,
}

impl DemoSource {
    /// The first packet has the time `start`. Paced, each packet comes when its time has passed since
    /// [`Source::run`] began, as from a live interface; else all come at once, as from a file.
    pub fn new(start: Timestamp, paced: bool) -> Self {
        let kind = if paced { SourceKind::Live } else { SourceKind::File };
        let status = SourceStatus::new("demo", kind, "");
        status.link.store(Arc::new("Ethernet".into()));
        Self { start, paced, status: Arc::new(status), stop: Arc::new(AtomicBool::new(false)) }
    }
}

impl Source for DemoSource {
    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.status)
    }

    fn stopper(&self) -> Stopper {
        let stop = Arc::clone(&self.stop);
        Arc::new(move || stop.store(true, Ordering::Relaxed))
    }

    fn run(self: Box<Self>, sink: &mut dyn BatchSink) -> Result<(), SourceError> {
        let mut player = Player { batch: Batch::new(), number: 0, story: story(self.start), demo: &self, sink };
        // A sink that wants no more ends the demo like its last packet does.
        let _ = if self.paced { player.play() } else { player.pour() };
        self.status.state.store(Arc::new(SourceState::Ended { warning: None }));
        Ok(())
    }
}

struct Player<'a> {
    batch: Batch,
    number: u64,
    story: Schedule,
    demo: &'a DemoSource,
    sink: &'a mut dyn BatchSink,
}

impl Player<'_> {
    fn pour(&mut self) -> ControlFlow<()> {
        let mut frame = Vec::new();
        while !self.stopped()
            && let Some(at) = self.story.next_packet(&mut frame)
        {
            self.push(at, &frame)?;
        }
        self.hand_on()
    }

    fn play(&mut self) -> ControlFlow<()> {
        #[expect(clippy::disallowed_methods, reason = "the demo is played against the wall clock")]
        let began = Instant::now();
        let mut frame = Vec::new();
        while !self.stopped()
            && let Some(at) = self.story.next_at()
        {
            let due = Duration::from_nanos(at.since(self.demo.start).nanos().max(0).unsigned_abs());
            let early = due.saturating_sub(began.elapsed());
            if early.is_zero() {
                self.story.next_packet(&mut frame);
                self.push(at, &frame)?;
            } else {
                self.hand_on()?;
                thread::sleep(early.min(NAP));
            }
        }
        self.hand_on()
    }

    fn push(&mut self, at: Timestamp, frame: &[u8]) -> ControlFlow<()> {
        self.number += 1;
        let meta = PacketMeta {
            id: PacketId::new(0, self.number),
            at,
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: frame.len() as u32,
        };
        self.batch.push(meta, frame);
        self.demo.status.packets.fetch_add(1, Ordering::Relaxed);
        if self.batch.is_full() { self.hand_on() } else { ControlFlow::Continue(()) }
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() { ControlFlow::Continue(()) } else { self.sink.hand_on(&mut self.batch) }
    }

    fn stopped(&self) -> bool {
        self.demo.stop.load(Ordering::Relaxed)
    }
}

/// Writes the whole story as a pcap file.
pub fn capture_to(out: &mut dyn Write, start: Timestamp) -> io::Result<()> {
    let mut writer = PcapWriter::new(out, Precision::Micros, LinkType::ETHERNET, SNAP_LEN.unsigned_abs())?;
    let mut story = story(start);
    let mut frame = Vec::new();
    while let Some(at) = story.next_packet(&mut frame) {
        writer.write(at, &frame)?;
    }
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests;
