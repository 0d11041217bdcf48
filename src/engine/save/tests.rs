mod kept;

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::pick::Pick;
use super::saver::save;
use super::wanted::Wanted;
use super::*;
use crate::capture::demo::{self, DemoSource};
use crate::capture::file::FileSource;
use crate::capture::save::{Format, SourceNames, Spared};
use crate::capture::synth::{Path, PcapWriter, Precision, wire};
use crate::capture::{FileStamp, Source};
use crate::decode::DecodeOptions;
use crate::engine::recent::Chunks;
use crate::engine::{EngineOptions, Pipeline, analyze};
use crate::event::{Decoded, Event, PacketIds, SipArrival};
use crate::limits::{CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES, RECENT_STREAM_BYTES};
use crate::packet::{Batch, Endpoint, FlowKey, LinkType, Packet, PacketId, PacketMeta, Transport};
use crate::sdp::Sdp;
use crate::sip::multipart::sdp_body;
use crate::sip::parse::parse_datagram;
use crate::store::snapshot::Snapshot;
use crate::store::{Store, StoreOptions};
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, CallKind, CallState};

const START: Timestamp = Timestamp::from_parts(1_767_603_600, 0);

/// The demo as a file, and what is known of it.
struct Captured {
    folder: tempfile::TempDir,
    snapshot: Arc<Snapshot>,
    /// The same packets as a live capture keeps them.
    recent: Vec<Chunks>,
}

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
        let outcomes = [Packets::Files(vec![input(&file)]), Packets::Recent(self.recent.clone())].map(|packets| {
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
        self.outcome_seen(request, packets, Arc::default())
    }

    fn outcome_seen(&self, request: SaveRequest, packets: Packets, seen: Arc<Snapshot>) -> SaveOutcome {
        let (snapshot, names, spared) = (Arc::clone(&self.snapshot), SourceNames::default(), Spared::default());
        let job = Job { request, snapshot, seen, packets, names, owner: None, spared };
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

fn pick(request: &SaveRequest, snapshot: &Snapshot) -> Pick {
    Pick::of(request, &Wanted::of(request, snapshot, snapshot), true)
}

fn input(path: &str) -> Input {
    Input { path: path.to_owned(), stamp: FileStamp::at(std::path::Path::new(path)) }
}

fn read(path: &std::path::Path) -> Snapshot {
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
    assert_eq!(whole.rebuilt, 0);
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
fn messages_are_there_though_their_packets_are_gone() {
    let captured = captured();
    let call = captured.talked();
    let [_, streams, media] = captured.recent.as_slice() else { panic!() };
    for format in [Format::Pcapng, Format::Pcap] {
        let path = captured.folder.path().join(format.ending());
        let request = SaveRequest { path, format, calls: Some(vec![call.key]), media: true, replace: false };
        let saved = captured.done(request, Packets::Recent(vec![Vec::new(), streams.clone(), media.clone()]));
        assert_eq!((saved.rebuilt, saved.missing), (call.message_count, 0));
        let again = read(&saved.path);
        let found = again.calls.iter().next().unwrap();
        assert_eq!((&found.call_id, messages(found)), (&call.call_id, messages(&call)));
        assert_eq!((found.started, found.last, found.src), (call.started, call.last, call.src));
        assert_eq!(found.streams.len(), call.streams.len());
    }
}

/// A file of OPTIONS, all with one Call-ID, and more than are remembered.
#[test]
fn messages_that_are_not_remembered_are_found_by_their_call_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    let ends = [1, 2].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
    let hop = Path::new(ends[0], ends[1]);
    let mut writer =
        PcapWriter::new(fs::File::create(&path).unwrap(), Precision::Micros, LinkType::ETHERNET, 65_535).unwrap();
    let count = (CALL_FIRST_MESSAGES + CALL_LAST_MESSAGES + 500) as u32;
    for number in 0..count * 2 {
        let call_id = if number % 2 == 0 { "the one" } else { "another" };
        let text = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{number}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: {call_id}\r\nCSeq: {number} OPTIONS\r\n\r\n"
        );
        let mut frame = Vec::new();
        wire::udp(&hop, number as u16, text.as_bytes(), &mut frame);
        writer.write(START.after(Elapsed::from_millis(i64::from(number))), &frame).unwrap();
    }
    drop(writer.finish().unwrap());
    let source = path.display().to_string();
    let snapshot = Arc::new(read(&path));
    let call = snapshot.calls.iter().find(|call| &*call.call_id == "the one").unwrap();
    assert_eq!(call.messages.left_out(), 500);
    let captured = Captured { folder, snapshot: Arc::clone(&snapshot), recent: Vec::new() };
    let path = captured.folder.path().join("one.pcapng");
    let calls = Some(vec![call.key]);
    let request = SaveRequest { path, format: Format::Pcapng, calls, media: true, replace: false };
    let saved = captured.done(request, Packets::Files(vec![input(&source)]));
    assert_eq!((saved.count, saved.missing), (u64::from(count), 0));
    assert_eq!(read(&saved.path).calls.len(), 1);
}

/// STUN to a port that SDP announces, and to others.
#[test]
fn what_comes_where_media_is_expected_belongs_to_the_call() {
    let captured = captured();
    let call = captured.talked();
    let offer = call.messages.iter().find(|message| message.has_sdp).unwrap();
    let body = sdp_body(&offer.sip).unwrap();
    let medium = Sdp::parse(body).media_endpoints().remove(0);
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let takes = |media: bool, port: u16, at: Timestamp| {
        let calls = Some(vec![call.key]);
        let request = SaveRequest { path: "x".into(), format: Format::Pcapng, calls, media, replace: false };
        let mut frame = Vec::new();
        let from = Endpoint::new([192, 0, 2, 77].into(), 3_478);
        wire::udp(&Path::new(from, Endpoint::new(medium.ip, port)), 0, &stun, &mut frame);
        let id = PacketId::new(0, 1_000_000);
        let original_len = frame.len() as u32;
        let meta = PacketMeta { id, at, interface: 0, link: LinkType::ETHERNET, original_len };
        pick(&request, &captured.snapshot).takes(&Packet { meta, data: &frame })
    };
    assert!(takes(true, medium.port, call.started));
    assert!(!takes(false, medium.port, call.started), "not without media");
    assert!(!takes(true, medium.port + 4, call.started), "another port");
    assert!(!takes(true, medium.port, call.last.after(Elapsed::from_secs(60))), "another call by then");
}

/// A call of one message over TCP, in packet 3, ten seconds after the start.
fn one_over_tcp() -> Snapshot {
    let [src, dst] = [1, 2].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
    let text = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
        To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let mut store = Store::new(StoreOptions::default());
    let arrival = SipArrival {
        at: START.after(Elapsed::from_secs(10)),
        packets: PacketIds::from_slice(&[PacketId::new(0, 3)]),
        flow: FlowKey { src, dst },
        transport: Transport::Tcp,
        relayed_by: None,
        path: None,
        message: parse_datagram(text, true).unwrap(),
    };
    let mut decoded = Decoded { events: vec![Event::Sip(Box::new(arrival))], ..Decoded::default() };
    store.apply(&mut decoded, &mut Vec::new());
    store.snapshot(Arc::default())
}

/// Segments of one connection around a call, and what does not belong to it.
#[test]
fn a_call_over_tcp_comes_with_its_connection() {
    let ends = [1, 2, 3].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
    let [client, server, other] = ends;
    let at = |seconds: i64| START.after(Elapsed::from_secs(seconds));
    let snapshot = one_over_tcp();
    let key = snapshot.calls.iter().next().unwrap().key;
    let request =
        SaveRequest { path: "x".into(), format: Format::Pcapng, calls: Some(vec![key]), media: true, replace: false };
    let mut wanted = pick(&request, &snapshot);
    let mut takes = |number: u64, seconds: i64, src: Endpoint, dst: Endpoint| {
        let mut frame = Vec::new();
        let segment = wire::TcpSegment { seq: 1, ack: Some(1), ..wire::TcpSegment::default() };
        wire::tcp(&Path::new(src, dst), 0, segment, b"", &mut frame);
        let meta = PacketMeta {
            id: PacketId::new(0, number),
            at: at(seconds),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: frame.len() as u32,
        };
        wanted.takes(&Packet { meta, data: &frame })
    };
    assert!(takes(2, 9, client, server), "the segment before");
    assert!(takes(3, 10, client, server), "the message");
    assert!(takes(4, 11, server, client), "its acknowledgment");
    assert!(!takes(5, 11, other, server), "another connection");
    assert!(!takes(6, 60, client, server), "another minute");
    assert_eq!(wanted.missing(), 0);
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
    let request = |path: &std::path::Path| SaveRequest {
        path: path.to_owned(),
        format: Format::Pcapng,
        calls: None,
        media: true,
        replace: false,
    };
    let nowhere = captured.outcome(request(std::path::Path::new("/no/such/x.pcapng")), Packets::Recent(Vec::new()));
    assert!(matches!(&nowhere, SaveOutcome::Failed(why) if why.contains("/no/such/x.pcapng")), "{nowhere:?}");
    let gone = Packets::Files(vec![input("/no/such/file.pcap")]);
    let path = captured.folder.path().join("x.pcapng");
    let outcome = captured.outcome(request(&path), gone);
    assert!(matches!(&outcome, SaveOutcome::Failed(why) if why.contains("/no/such/file.pcap")), "{outcome:?}");
    assert_eq!(fs::read_dir(captured.folder.path()).unwrap().count(), 1);
}

/// A log that turned, or a capture that another program goes on writing: numbers of packets mean others there.
#[test]
fn a_file_that_changed_since_is_not_read_again() {
    let captured = captured();
    let demo = captured.folder.path().join("demo.pcap");
    let first = input(&demo.display().to_string());
    let path = captured.folder.path().join("x.pcapng");
    let calls = Some(vec![captured.talked().key]);
    let request = SaveRequest { path, format: Format::Pcapng, calls, media: true, replace: false };
    let outcome = |request: &SaveRequest| captured.outcome(request.clone(), Packets::Files(vec![first.clone()]));
    let whole = fs::read(&demo).unwrap();
    let changes: [&dyn Fn(); 2] = [
        // One more packet header, or the same octets in another file under the name.
        &|| fs::write(&demo, [&whole[..], &[0; 16]].concat()).unwrap(),
        &|| {
            fs::rename(&demo, captured.folder.path().join("demo.1")).unwrap();
            fs::write(&demo, &whole).unwrap();
        },
    ];
    for change in changes {
        change();
        let outcome = outcome(&request);
        assert!(matches!(&outcome, SaveOutcome::Failed(why) if why.contains("has changed since")), "{outcome:?}");
        assert!(!request.path.exists());
    }
    // Text takes nothing from the file.
    let text = SaveRequest { format: Format::Text, ..request };
    assert!(matches!(outcome(&text), SaveOutcome::Saved(_)));
}

/// The view is paused, and meanwhile a call leaves the tables: the user still sees it.
#[test]
fn a_call_that_only_the_paused_view_knows_is_saved_all_the_same() {
    let mut captured = captured();
    let call = captured.talked();
    let seen = std::mem::take(&mut captured.snapshot);
    let path = captured.folder.path().join("x.pcapng");
    let calls = Some(vec![call.key]);
    let request = SaveRequest { path, format: Format::Pcapng, calls, media: true, replace: true };
    let recent = || Packets::Recent(captured.recent.clone());
    let saved = captured.outcome_seen(request.clone(), recent(), Arc::clone(&seen));
    let rtp: u64 = call.streams.iter().map(|key| seen.stream(*key).unwrap().packets).sum();
    let is_whole = |saved: &Saved| saved.count > rtp && (saved.missing, saved.calls_gone) == (0, 0);
    assert!(matches!(&saved, SaveOutcome::Saved(saved) if is_whole(saved)), "{saved:?}");
    let before = fs::read(&request.path).unwrap();
    // Nobody knows it: nothing is overwritten, and one of two is said to be left out.
    let gone = captured.outcome(request.clone(), recent());
    assert!(matches!(&gone, SaveOutcome::Failed(why) if why.contains("no longer kept")), "{gone:?}");
    assert_eq!(fs::read(&request.path).unwrap(), before);
    let both = SaveRequest { calls: Some(vec![call.key, CallKey(u64::MAX)]), ..request };
    let saved = captured.outcome_seen(both, recent(), seen);
    assert!(matches!(&saved, SaveOutcome::Saved(saved) if saved.calls_gone == 1), "{saved:?}");
}
