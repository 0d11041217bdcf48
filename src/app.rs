//! From arguments to an exit code: reads like a table of contents.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::Parser;

use crate::capture::demo::DemoSource;
use crate::capture::file::FileSource;
use crate::capture::live::{LiveOptions, LiveSource};
use crate::capture::privileges::{Invoker, drop_privileges};
use crate::capture::save::{Owner, RecordOptions, Recorder, Rotation, SaveError, SourceNames};
use crate::capture::{FileId, Source, SourceError, device};
use crate::cli::Cli;
use crate::decode::DecodeOptions;
use crate::engine::{Engine, EngineOptions, Handle, Outputs, SaveFrom};
use crate::export::json::PacketNames;
use crate::export::ladder::LadderText;
use crate::export::lines::Lines;
use crate::export::{self, scope};
use crate::signals::{self, Signals};
use crate::store::filter::Filter;
use crate::store::snapshot::Snapshot;
use crate::text::visible;
use crate::time::Timestamp;
use crate::track::call::CallKey;
use crate::{sip, tui};

const CANNOT: u8 = 1;
const USAGE: u8 = 2;

/// How the recorder names standard output.
const STDOUT: &str = "standard output";

/// 2026-01-05 09:00 UTC: when the demo happens if nobody watches it.
const DEMO_START_S: i64 = 1_767_603_600;

/// How often a run without terminal looks for signals.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match carry_out(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::from(exit_status(&error))
        }
    }
}

/// One sentence on standard error. It may quote a file's name or a word of the command line, and those may hold anything.
fn tell(sentence: &str) {
    // With standard error closed there is nobody to tell; the exit status still says it.
    let _ = writeln!(io::stderr(), "sipwatch: {}", visible(sentence));
}

fn carry_out(cli: &Cli) -> anyhow::Result<()> {
    if let Some(word) = &cli.explain {
        return explain(word);
    }
    let filter = parse_filter(cli)?;
    let screen = has_screen(cli)?;
    let sources = open_sources(cli, screen)?;
    let invoker = Invoker {
        sudo_uid: std::env::var("SUDO_UID").ok(),
        sudo_gid: std::env::var("SUDO_GID").ok(),
        user: cli.user.clone(),
        keep: cli.no_drop,
    };
    drop_privileges(&invoker)?;
    let recorder = recorder(cli, &sources, &invoker)?;
    if screen {
        return self::screen(cli, sources, recorder, invoker.file_owner());
    }
    let signals = Signals::register().context("cannot listen for signals")?;
    if cli.json {
        return json_lines(cli, sources, filter, recorder, &signals);
    }
    let handle = start(cli, sources, Outputs { recorder, ..Outputs::default() })?;
    let snapshot = wait_for_end(handle, &signals)?;
    if cli.has_screen() {
        tell_written(&snapshot.snapshot);
    } else {
        print_at_end(cli, &filter, &snapshot.snapshot)?;
    }
    // The process ends: giving its rows back one by one would only cost time.
    std::mem::forget(std::sync::Arc::clone(&snapshot.snapshot));
    snapshot.outcome()
}

/// Whether there is to be a screen. With `-w` and no terminal there is none, and what remains to be done is writing.
fn has_screen(cli: &Cli) -> anyhow::Result<bool> {
    let is_terminal = io::stdout().is_terminal();
    let to_stdout = cli.write.as_deref().is_some_and(|path| path.as_os_str() == "-");
    if to_stdout && (is_terminal || !cli.has_screen()) {
        return Err(StdoutTaken.into());
    }
    if cli.has_screen() && !is_terminal && cli.write.is_none() {
        bail!("standard output is no terminal. Use --report json, --json or --ladder CALL-ID, or run it in a terminal");
    }
    Ok(cli.has_screen() && is_terminal)
}

/// What `-w` asks for, with its file created. Reading and writing the same file would destroy it.
fn recorder(cli: &Cli, sources: &[Box<dyn Source>], invoker: &Invoker) -> anyhow::Result<Option<Recorder>> {
    let Some(path) = &cli.write else { return Ok(None) };
    let target = FileId::at(path);
    let mut inputs = sources.iter().flat_map(|source| source.status().stamps.clone()).flatten();
    if target.is_some_and(|target| inputs.any(|input| input.id == target)) {
        return Err(SaveError::Input { path: path.display().to_string() }.into());
    }
    let recorder = Recorder::open(RecordOptions {
        path: path.clone(),
        rotation: Rotation {
            bytes: cli.rotate_size.map(|mib| mib * 1024 * 1024),
            seconds: cli.rotate_seconds,
            files: cli.rotate_files.and_then(|files| usize::try_from(files).ok()),
        },
        owner: invoker.file_owner(),
        names: SourceNames::of(sources.iter().map(|source| source.status())),
    })?;
    signals::note_reopen(recorder.reopen_flag()).context("cannot listen for signals")?;
    Ok(Some(recorder))
}

/// What a run that only writes has to say.
fn tell_written(snapshot: &Snapshot) {
    let Some(written) = snapshot.capture.written.as_ref().filter(|written| written.file != STDOUT) else { return };
    let files = if written.files > 1 { format!("{} files, the last one ", written.files) } else { String::new() };
    let holds_keys = snapshot.capture.sources.iter().any(|source| source.facts.key_blocks > 0);
    let keys = if holds_keys { ", without the keys that the capture holds" } else { "" };
    // Whatever its name says.
    let format = if written.file.ends_with(".pcapng") { "" } else { " as pcapng" };
    let (packets, bytes) = (written.packets, written.bytes);
    tell(&format!("{packets} packets ({bytes} bytes) written to {files}{}{format}{keys}", written.file));
}

fn explain(word: &str) -> anyhow::Result<()> {
    let Some(explanation) = sip::explain::explain(word) else {
        bail!("\"{word}\" is no method, status code or header known here. Try INVITE, 481 or Subscription-State");
    };
    writeln!(io::stdout(), "{explanation}")?;
    Ok(())
}

/// A filter that was not understood is wrong usage.
#[derive(Debug, thiserror::Error)]
#[error("--filter \"{text}\": {error}")]
struct FilterUsage {
    text: String,
    error: crate::store::filter::FilterError,
}

fn parse_filter(cli: &Cli) -> Result<Filter, FilterUsage> {
    let text = cli.filter.as_deref().unwrap_or_default();
    Filter::parse(text).map_err(|error| FilterUsage { text: text.to_owned(), error })
}

fn open_sources(cli: &Cli, screen: bool) -> anyhow::Result<Vec<Box<dyn Source>>> {
    if !cli.bpf.is_empty() && (cli.demo || !cli.files.is_empty()) {
        return Err(BpfOnFile.into());
    }
    if cli.demo {
        return Ok(vec![demo(screen || cli.json)]);
    }
    if !cli.files.is_empty() {
        return Ok(vec![Box::new(FileSource::open(&cli.files)?)]);
    }
    let default = [device::default_device()];
    let devices: &[String] = if cli.interfaces.is_empty() { &default } else { &cli.interfaces };
    let mut sources: Vec<Box<dyn Source>> = Vec::with_capacity(devices.len());
    for (index, device) in devices.iter().enumerate() {
        let options = LiveOptions {
            filter: cli.bpf(),
            buffer_mib: cli.buffer,
            index: u16::try_from(index).context("too many interfaces; use -i any")?,
            promiscuous: true,
        };
        sources.push(Box::new(LiveSource::open(device, &options)?));
    }
    Ok(sources)
}

#[derive(Debug, thiserror::Error)]
#[error("-w - needs standard output for itself, as a pipe or a file. Leave out --report, --json and --ladder")]
struct StdoutTaken;

#[derive(Debug, thiserror::Error)]
#[error("BPF words filter a live capture. For a file use --filter, or tcpdump -r FILE -w OTHER with these words")]
struct BpfOnFile;

/// The demo: in real time for the screen, else at once and with the same times on every run.
fn demo(paced: bool) -> Box<dyn Source> {
    let start = if paced { wall_clock() } else { Timestamp::from_parts(DEMO_START_S, 0) };
    Box::new(DemoSource::new(start, paced))
}

#[expect(clippy::disallowed_methods, reason = "the demo plays as if its packets came now")]
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

fn start(cli: &Cli, sources: Vec<Box<dyn Source>>, outputs: Outputs) -> anyhow::Result<Handle> {
    Engine::start(sources, engine_options(cli, false), outputs).context("cannot start a thread")
}

/// Files are read again when something of them is to be saved; what comes only once is kept for a while.
fn save_from(cli: &Cli) -> SaveFrom {
    let is_file = |path: &String| std::fs::metadata(path).is_ok_and(|file| file.is_file());
    match !cli.files.is_empty() && cli.files.iter().all(is_file) {
        true => SaveFrom::Files(cli.files.clone()),
        false => SaveFrom::Recent,
    }
}

fn engine_options(cli: &Cli, screen: bool) -> EngineOptions {
    EngineOptions {
        decode: DecodeOptions { dedup: !cli.no_dedup, ..DecodeOptions::default() },
        publish: screen,
        end_with_sources: !screen,
        live_queue: cli.queue_batches,
        ..EngineOptions::default()
    }
}

/// What is known at the end of a run without terminal, and how it went.
struct Ended {
    snapshot: std::sync::Arc<Snapshot>,
    failure: Option<String>,
    unwritten: Option<String>,
}

impl Ended {
    fn outcome(self) -> anyhow::Result<()> {
        let errors: Vec<String> = [self.failure, self.unwritten].into_iter().flatten().collect();
        if errors.is_empty() { Ok(()) } else { bail!(errors.join(". ")) }
    }
}

fn wait_for_end(handle: Handle, signals: &Signals) -> anyhow::Result<Ended> {
    while !handle.wait_for(SIGNAL_CHECK) {
        if signals.asked_to_end() || handle.reader_is_gone() {
            handle.stop_sources();
        }
    }
    for warning in handle.warnings() {
        tell(&format!("warning: {warning}"));
    }
    let (failure, unwritten) = (handle.failure(), handle.unwritten());
    Ok(Ended { snapshot: handle.wait()?, failure, unwritten })
}

fn print_at_end(cli: &Cli, filter: &Filter, snapshot: &Snapshot) -> anyhow::Result<()> {
    let wanted = cli.ladder.as_deref().or(cli.call_id.as_deref());
    let keys = chosen(snapshot, wanted, filter);
    let mut out = BufWriter::new(io::stdout().lock());
    match &cli.ladder {
        Some(call_id) => {
            if keys.is_empty() {
                bail!("no call with a Call-ID like \"{call_id}\". --report calls lists what there is");
            }
            let text = LadderText { ascii: cli.ascii || !is_utf8_locale(), ..LadderText::default() };
            export::ladder::write(snapshot, &keys, text, &mut out)?;
        }
        None => {
            let kind = cli.report.as_deref().unwrap_or_default();
            let report = export::report::find(kind).context("no such report")?;
            let restricted = (wanted.is_some() || !filter.is_empty()).then(|| scope::restrict(snapshot, &keys));
            (report.write)(restricted.as_ref().unwrap_or(snapshot), &mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// The calls that `--call-id` or `--ladder`, and `--filter`, leave over.
fn chosen(snapshot: &Snapshot, call_id: Option<&str>, filter: &Filter) -> Vec<CallKey> {
    let all = || snapshot.calls.iter().map(|call| call.key).collect();
    let mut keys: Vec<CallKey> = call_id.map_or_else(all, |text| scope::find(snapshot, text));
    keys.retain(|key| snapshot.call(*key).is_some_and(|call| filter.matches(call, &snapshot.streams, snapshot.now)));
    keys
}

fn json_lines(
    cli: &Cli,
    sources: Vec<Box<dyn Source>>,
    filter: Filter,
    recorder: Option<Recorder>,
    signals: &Signals,
) -> anyhow::Result<()> {
    let inputs = sources.iter().flat_map(|source| source.status().inputs.clone()).collect();
    let lines = Lines::new(io::stdout(), PacketNames::named(inputs), cli.call_id.clone(), filter);
    let handle = start(cli, sources, Outputs { observer: Some(Box::new(lines)), recorder })?;
    wait_for_end(handle, signals)?.outcome()
}

fn screen(
    cli: &Cli,
    sources: Vec<Box<dyn Source>>,
    recorder: Option<Recorder>,
    owner: Option<Owner>,
) -> anyhow::Result<()> {
    let options = EngineOptions { save_from: save_from(cli), owner, ..engine_options(cli, true) };
    let outputs = Outputs { recorder, ..Outputs::default() };
    let handle = Engine::start(sources, options, outputs).context("cannot start a thread")?;
    let options = tui::UiOptions {
        tab: cli.tab.as_deref().and_then(tui::Tab::find).unwrap_or_default(),
        open_call: cli.call_id.clone(),
        filter: cli.filter.clone(),
        ascii: cli.ascii || !is_utf8_locale(),
        no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        mouse: !cli.no_mouse,
        follow: cli.files.is_empty(),
        ..tui::UiOptions::default()
    };
    tui::run(options, &handle)?;
    signals::end_at_once().context("cannot listen for signals")?;
    handle.stop();
    handle.wait_for(Duration::MAX);
    while let Some(outcome) = handle.saved() {
        tell(&tui::outcome(&outcome));
    }
    Ended { failure: handle.failure(), unwritten: handle.unwritten(), snapshot: handle.latest() }.outcome()
}

fn is_utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(closed)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|e| e.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}

fn exit_status(error: &anyhow::Error) -> u8 {
    let usage = error.is::<FilterUsage>()
        || error.is::<BpfOnFile>()
        || error.is::<StdoutTaken>()
        || matches!(error.downcast_ref::<SourceError>(), Some(SourceError::Filter { .. }));
    if usage { USAGE } else { CANNOT }
}
