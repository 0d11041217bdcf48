use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::capture::demo::DemoSource;
use crate::capture::file::FileSource;
use crate::capture::save::{Format, RecordOptions, Rotation, SourceNames};
use crate::capture::{BatchSink, SourceError};
use crate::packet::{LinkType, PacketId, PacketMeta};

/// Longer than anything here takes; a hang shows as a failure instead.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a [`Script`] does with the sink it is given; the flag is set by a stop.
type Act = fn(&mut dyn BatchSink, &AtomicBool) -> Result<(), SourceError>;

/// A source that does as it is told.
struct Script {
    status: Arc<SourceStatus>,
    stop: Arc<AtomicBool>,
    act: Act,
}

fn script(kind: SourceKind, act: Act) -> Box<dyn Source> {
    Box::new(Script { status: Arc::new(SourceStatus::new("script", kind, "")), stop: Arc::default(), act })
}

impl Source for Script {
    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.status)
    }

    fn stopper(&self) -> Stopper {
        let stop = Arc::clone(&self.stop);
        Arc::new(move || stop.store(true, Ordering::Relaxed))
    }

    fn run(self: Box<Self>, sink: &mut dyn BatchSink) -> Result<(), SourceError> {
        (self.act)(sink, &self.stop)
    }
}

fn demo() -> Box<dyn Source> {
    Box::new(DemoSource::new(Timestamp::from_parts(1_767_603_600, 0), false))
}

/// Gives packets until nobody takes them, and never looks at its stop flag.
fn endless(sink: &mut dyn BatchSink, _: &AtomicBool) -> Result<(), SourceError> {
    let mut batch = Batch::new();
    for number in 1.. {
        let meta = PacketMeta {
            id: PacketId::new(0, number),
            at: Timestamp::from_parts(1_767_603_600, 0),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: 60,
        };
        batch.push(meta, &[0; 60]);
        if batch.is_full() && sink.hand_on(&mut batch).is_break() {
            break;
        }
    }
    Ok(())
}

fn headless() -> EngineOptions {
    EngineOptions { end_with_sources: true, ..EngineOptions::default() }
}

fn start(sources: Vec<Box<dyn Source>>, options: EngineOptions, observer: Option<Box<dyn Observer>>) -> Handle {
    Engine::start(sources, options, Outputs { observer, ..Outputs::default() }).unwrap()
}

#[test]
fn a_source_that_fails_at_once_leaves_its_sentence() {
    let failing = script(SourceKind::Live, |_, _| Err(SourceError::Stopped("it was taken down".into())));
    let handle = start(vec![failing, demo()], headless(), None);
    assert!(handle.wait_for(PATIENCE));
    assert_eq!(handle.failure().as_deref(), Some("it was taken down"));
    // What the other source gave is there all the same.
    assert!(handle.wait().unwrap().calls.len() > 3);
}

#[test]
fn a_source_that_panics_is_a_failure_and_no_short_report() {
    let handle = start(vec![script(SourceKind::File, |_, _| panic!("on purpose"))], headless(), None);
    assert!(handle.wait_for(PATIENCE));
    assert!(handle.failure().is_some_and(|why| why.contains("script") && why.contains("report")));
}

#[test]
fn a_stop_ends_a_source_that_waits_for_room_in_the_queue() {
    for kind in [SourceKind::File, SourceKind::Live] {
        let handle = start(vec![script(kind, endless)], headless(), None);
        assert!(!handle.wait_for(Duration::from_millis(20)));
        handle.stop();
        assert!(handle.wait_for(PATIENCE), "{kind:?}");
    }
}

/// Gives nothing, and looks at its stop flag alone.
fn quiet(_: &mut dyn BatchSink, stop: &AtomicBool) -> Result<(), SourceError> {
    while !stop.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    Ok(())
}

#[test]
fn a_quiet_source_ends_when_nobody_reads_any_more() {
    let handle = start(vec![demo(), script(SourceKind::Live, quiet)], headless(), Some(Box::new(Gone)));
    assert!(handle.wait_for(PATIENCE));
    assert!(handle.wait().is_err());
}

#[test]
fn commands_are_obeyed_after_the_last_source_has_ended() {
    let handle = start(vec![demo()], EngineOptions { publish: true, ..EngineOptions::default() }, None);
    let until = |done: &dyn Fn(&Snapshot) -> bool| {
        (0..PATIENCE.as_millis()).any(|_| done(&handle.latest()) || handle.wait_for(Duration::from_millis(1)))
    };
    // A source may have ended while its last batches still wait.
    assert!(until(&|snapshot| {
        let worked_off = snapshot.capture.decode.packets;
        snapshot.capture.sources.iter().any(|source| source.ended && source.packets == worked_off)
    }));
    let before = handle.latest();
    assert!(before.calls.len() > 3);
    handle.send(Command::ForgetAll);
    assert!(until(&|snapshot| snapshot.calls.is_empty()));
    assert!(handle.latest().generation > before.generation);
    assert!(!handle.wait_for(Duration::ZERO), "it goes on for the screen");
    handle.stop();
    assert!(handle.wait_for(PATIENCE));
}

/// Breaks at its first message, as when the reader of a pipe has gone.
struct Gone;

impl Observer for Gone {
    fn changed(&mut self, changes: &[Change], _: &mut Store) -> ControlFlow<()> {
        if changes.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn lost(&mut self, _: Option<Timestamp>, _: Lost) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn idle(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn ended(&mut self, _: &mut Store) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn an_observer_that_gives_up_ends_the_engine_with_its_error() {
    let handle = start(vec![demo()], headless(), Some(Box::new(Gone)));
    assert!(handle.wait_for(PATIENCE));
    assert_eq!(handle.wait().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

/// Panics at its first message, as a bug in a rule would.
struct Broken;

impl Observer for Broken {
    fn changed(&mut self, _: &[Change], _: &mut Store) -> ControlFlow<()> {
        panic!("on purpose")
    }

    fn lost(&mut self, _: Option<Timestamp>, _: Lost) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn idle(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn ended(&mut self, _: &mut Store) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_engine_that_panics_is_no_success() {
    let handle = start(vec![demo()], headless(), Some(Box::new(Broken)));
    assert!(handle.wait_for(PATIENCE));
    assert!(handle.wait().is_err());
}

/// What the engine itself is at must stay: the file that it writes, and the one that it reads.
#[test]
fn neither_the_input_nor_the_recording_is_saved_over() {
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["in.pcap", "out.pcapng"].map(|name| folder.path().join(name));
    let mut bytes = Vec::new();
    crate::capture::demo::capture_to(&mut bytes, Timestamp::from_parts(1_767_603_600, 0)).unwrap();
    std::fs::write(&input, &bytes).unwrap();
    let paths = vec![input.display().to_string()];
    let source = FileSource::open(&paths).unwrap();
    let recorder = Recorder::open(RecordOptions {
        path: output.clone(),
        rotation: Rotation::default(),
        owner: None,
        names: SourceNames::default(),
    });
    let options = EngineOptions { publish: true, save_from: SaveFrom::Files(paths), ..EngineOptions::default() };
    let outputs = Outputs { recorder: Some(recorder.unwrap()), ..Outputs::default() };
    let handle = Engine::start(vec![Box::new(source)], options, outputs).unwrap();
    let said = [&input, &output].map(|path| {
        let (path, format) = (path.clone(), Format::Pcapng);
        let request = SaveRequest { path, format, calls: None, media: true, replace: true };
        handle.send(Command::Save(request, handle.latest()));
        handle.saved.recv_timeout(PATIENCE).unwrap()
    });
    let refused = |outcome: &SaveOutcome, why: &str| matches!(outcome, SaveOutcome::Failed(said) if said.contains(why));
    assert!(refused(&said[0], "in.pcap is being read") && refused(&said[1], "out.pcapng is being written"), "{said:?}");
    assert_eq!(std::fs::read(&input).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
