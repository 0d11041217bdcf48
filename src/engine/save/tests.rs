use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::saver::save;
use super::*;
use crate::capture::Source;
use crate::capture::demo::{self, DemoSource};
use crate::capture::file::FileSource;
use crate::capture::save::Format;
use crate::decode::DecodeOptions;
use crate::engine::{EngineOptions, Pipeline, analyze};
use crate::packet::Batch;
use crate::store::StoreOptions;
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKind, CallState};

const START: Timestamp = Timestamp::from_parts(1_767_603_600, 0);

/// The demo as a file, and what is known of it.
struct Captured {
    folder: tempfile::TempDir,
    snapshot: Arc<Snapshot>,
    /// The same packets as a live capture keeps them.
    recent: Vec<Chunks>,
}

use crate::engine::recent::Chunks;

fn captured() -> Captured {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    demo::capture_to(&mut bytes, START).unwrap();
    fs::write(folder.path().join("demo.pcap"), bytes).unwrap();
    let mut pipeline = Pipeline::new(DecodeOptions::default(), StoreOptions::default());
    pipeline.keep_recent();
    let mut sink = |batch: &mut Batch| {
        pipeline.step(batch);
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(DemoSource::new(START, false)).run(&mut sink).unwrap();
    let recent = pipeline.recent().unwrap().share();
    Captured { folder, snapshot: Arc::new(pipeline.snapshot(Arc::default())), recent }
}

impl Captured {
    /// Saves from the file and from what is kept: both must be the same packets.
    fn save(&self, calls: Option<Vec<CallKey>>, media: bool) -> (Saved, Snapshot) {
        let file = self.folder.path().join("demo.pcap").display().to_string();
        let outcomes = [Packets::Files(vec![file]), Packets::Recent(self.recent.clone())].map(|packets| {
            let name = if matches!(packets, Packets::Files(_)) { "again.pcapng" } else { "recent.pcapng" };
            let path = self.folder.path().join(name);
            let request = SaveRequest { path, format: Format::Pcapng, calls: calls.clone(), media, replace: true };
            self.done(request, packets)
        });
        let [again, recent] = outcomes;
        assert_eq!(fs::read(&again.path).unwrap().len(), fs::read(&recent.path).unwrap().len());
        assert_eq!((again.count, again.missing, again.bytes), (recent.count, recent.missing, recent.bytes));
        let snapshot = read(&recent.path);
        (again, snapshot)
    }

    fn outcome(&self, request: SaveRequest, packets: Packets) -> SaveOutcome {
        let snapshot = Arc::clone(&self.snapshot);
        let job = Job { request, snapshot, packets, names: ["demo".to_owned()].into(), owner: None };
        save(job, &AtomicBool::new(false))
    }

    fn done(&self, request: SaveRequest, packets: Packets) -> Saved {
        match self.outcome(request, packets) {
            SaveOutcome::Saved(saved) => saved,
            other => panic!("{other:?}"),
        }
    }

    /// A call with media on both ways.
    fn talked(&self) -> Arc<Call> {
        let calls = &self.snapshot.calls;
        let is_it = |call: &Arc<Call>| {
            call.kind == CallKind::Invite && call.state == CallState::Completed && call.streams.len() >= 2
        };
        Arc::clone(calls.iter().find(|call| is_it(call)).unwrap())
    }
}

fn read(path: &Path) -> Snapshot {
    let source = FileSource::open(&[path.display().to_string()]).unwrap();
    analyze(Box::new(source), &EngineOptions::default()).unwrap()
}

/// Bytes of all messages of a call.
fn messages(call: &Call) -> Vec<Vec<u8>> {
    call.messages.iter().map(|message| message.sip.bytes().to_vec()).collect()
}

#[test]
fn a_call_comes_with_its_messages_and_its_media() {
    let captured = captured();
    let call = captured.talked();
    let (saved, again) = captured.save(Some(vec![call.key]), true);
    assert_eq!(saved.missing, 0);
    assert_eq!(again.calls.len(), 1);
    let found = again.calls.iter().next().unwrap();
    assert_eq!((&found.call_id, messages(found)), (&call.call_id, messages(&call)));
    let media = |snapshot: &Snapshot| {
        let mut streams: Vec<_> = snapshot.streams.iter().map(|stream| (stream.name(), stream.packets)).collect();
        streams.sort();
        streams
    };
    let mut want = media(&captured.snapshot);
    let names: Vec<_> = call.streams.iter().map(|key| captured.snapshot.stream(*key).unwrap().name()).collect();
    want.retain(|(name, _)| names.contains(name));
    assert_eq!(media(&again), want);
    assert!(again.stats.rtcp_packets > 0, "RTCP belongs to it");
}

#[test]
fn without_media_it_is_the_messages_alone() {
    let captured = captured();
    let call = captured.talked();
    let (saved, again) = captured.save(Some(vec![call.key]), false);
    assert_eq!(saved.count, call.message_count);
    assert_eq!((again.streams.len(), again.stats.messages), (0, call.message_count));
}

#[test]
fn everything_is_every_packet() {
    let captured = captured();
    let (saved, again) = captured.save(None, true);
    let total: usize = captured.recent.iter().flatten().map(|chunk| chunk.len()).sum();
    assert_eq!((saved.count, saved.missing), (total as u64, 0));
    assert_eq!(again.stats.messages, captured.snapshot.stats.messages);
    assert_eq!(again.calls.len(), captured.snapshot.calls.len());
    let (less, again) = captured.save(None, false);
    assert_eq!((again.stats.rtp_packets, again.stats.rtcp_packets), (0, 0));
    assert_eq!(again.stats.messages, captured.snapshot.stats.messages);
    assert!(less.count < saved.count);
}

#[test]
fn what_is_no_longer_kept_is_counted() {
    let captured = captured();
    let call = captured.talked();
    let request = |name: &str| SaveRequest {
        path: captured.folder.path().join(name),
        format: Format::Pcapng,
        calls: Some(vec![call.key]),
        media: true,
        replace: false,
    };
    let whole = captured.done(request("whole"), Packets::Recent(captured.recent.clone()));
    let [signalling, streams, _] = captured.recent.as_slice() else { panic!() };
    let kept = vec![signalling.clone(), streams.clone()];
    let saved = captured.done(request("part"), Packets::Recent(kept));
    let rtp: u64 = call.streams.iter().map(|key| captured.snapshot.stream(*key).unwrap().packets).sum();
    assert_eq!((saved.count, saved.missing), (call.message_count, rtp));
    assert!(whole.count > rtp);
    // Nothing was asked for twice.
    let again = captured.outcome(request("part"), Packets::Recent(Vec::new()));
    assert_eq!(again, SaveOutcome::Exists(request("part")));
}

#[test]
fn text_is_the_messages_as_they_came() {
    let captured = captured();
    let call = captured.talked();
    let path = captured.folder.path().join("call.txt");
    let request = SaveRequest { path, format: Format::Text, calls: Some(vec![call.key]), media: true, replace: false };
    let saved = captured.done(request, Packets::Recent(Vec::new()));
    assert_eq!((saved.count, saved.is_text, saved.missing), (call.message_count, true, 0));
    let text = fs::read(saved.path).unwrap();
    let mut rest = text.as_slice();
    for message in call.messages.iter() {
        let head = format!("{} {} -> {} udp\r\n", message.at.rfc3339(), message.flow.src, message.flow.dst);
        rest = rest.strip_prefix(head.as_bytes()).unwrap();
        rest = rest.strip_prefix(message.sip.bytes()).unwrap().strip_prefix(b"\r\n\r\n").unwrap();
    }
    assert_eq!(rest, b"");
}

#[test]
fn what_cannot_be_saved_is_a_sentence_and_leaves_nothing() {
    let captured = captured();
    let request = |path: &Path| SaveRequest {
        path: path.to_owned(),
        format: Format::Pcapng,
        calls: None,
        media: true,
        replace: false,
    };
    let nowhere = captured.outcome(request(Path::new("/no/such/x.pcapng")), Packets::Recent(Vec::new()));
    assert!(matches!(&nowhere, SaveOutcome::Failed(why) if why.contains("/no/such/x.pcapng")), "{nowhere:?}");
    let gone = Packets::Files(vec!["/no/such/file.pcap".to_owned()]);
    let path = captured.folder.path().join("x.pcapng");
    let outcome = captured.outcome(request(&path), gone);
    assert!(matches!(&outcome, SaveOutcome::Failed(why) if why.contains("/no/such/file.pcap")), "{outcome:?}");
    assert_eq!(fs::read_dir(captured.folder.path()).unwrap().count(), 1);
}
