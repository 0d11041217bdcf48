//! What is saved of a capture of which only the newest packets are kept.

use super::*;
use crate::capture::synth::tcp::{Connection, Segment, Side};

/// An INVITE in two fragments and a response to it: what they say, and the frames.
fn fragmented_call() -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let ends = [1, 2].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
    let hop = Path::new(ends[0], ends[1]);
    let headers = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: x\r\n\
        CSeq: 1 INVITE\r\n";
    let body = "a=candidate:1 1 UDP 1 10.0.0.1 40000 typ host\r\n".repeat(40);
    let length = body.len();
    let invite = format!("INVITE sip:b@b SIP/2.0\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes();
    let trying = format!("SIP/2.0 100 Trying\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes();
    let mut frames = wire::udp_fragments(&hop, 7, &invite, 1_500);
    assert_eq!(frames.len(), 2);
    let mut frame = Vec::new();
    wire::udp(&hop.reversed(), 8, &trying, &mut frame);
    frames.push(frame);
    (invite, trying, frames)
}

/// The numbered frames, 100 ms apart, as packets.
fn packet_at(frames: &[Vec<u8>], index: usize) -> (PacketMeta, &[u8]) {
    let data = frames[index].as_slice();
    let meta = PacketMeta {
        id: PacketId::new(0, index as u64 + 1),
        at: START.after(Elapsed::from_millis(index as i64 * 100)),
        interface: 0,
        link: LinkType::ETHERNET,
        original_len: data.len() as u32,
    };
    (meta, data)
}

fn chunk(frames: &[Vec<u8>], indices: &[usize]) -> Chunks {
    let mut batch = Batch::new();
    for index in indices {
        let (meta, data) = packet_at(frames, *index);
        batch.push(meta, data);
    }
    vec![Arc::new(batch)]
}

/// What is known after these frames, each of which came alone, and what is kept of them.
fn pipeline_of(frames: &[Vec<u8>]) -> (Arc<Snapshot>, Vec<Chunks>) {
    let mut pipeline = Pipeline::new(DecodeOptions::default(), StoreOptions::default());
    pipeline.keep_recent();
    for index in 0..frames.len() {
        pipeline.step(&chunk(frames, &[index])[0]);
    }
    let recent = pipeline.recent().unwrap().share();
    (Arc::new(pipeline.snapshot(Arc::default())), recent)
}

/// A call of which only the second fragment of the INVITE is still kept: once whole, once each way round.
#[test]
fn a_fragmented_message_is_whole_though_one_half_of_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (invite, trying, frames) = fragmented_call();
    for kept in [&[1, 2][..], &[0, 2], &[2], &[]] {
        let (snapshot, _) = pipeline_of(&frames);
        let call = Arc::clone(snapshot.calls.iter().next().unwrap());
        let recent = vec![chunk(&frames, kept)];
        let captured = Captured { folder: tempfile::tempdir().unwrap(), snapshot, recent: Vec::new() };
        let path = folder.path().join("one.pcapng");
        let calls = Some(vec![call.key]);
        let request = SaveRequest { path, format: Format::Pcapng, calls, media: true, replace: true };
        let saved = captured.done(request, Packets::Recent(recent));
        let rebuilt = if kept.contains(&2) { 1 } else { 2 };
        assert_eq!((saved.count, saved.rebuilt, saved.missing), (2, rebuilt, 0), "{kept:?}");
        let again = read(&saved.path);
        let found = again.calls.iter().next().unwrap();
        assert_eq!(messages(found), [invite.clone(), trying.clone()], "{kept:?}");
        assert_eq!(found.started, call.started);
    }
}

#[test]
fn everything_has_the_messages_whose_packets_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (invite, trying, frames) = fragmented_call();
    let (snapshot, _) = pipeline_of(&frames);
    let captured = Captured { folder, snapshot, recent: Vec::new() };
    for (kept, rebuilt) in [(&[0, 1, 2][..], 0), (&[1, 2], 1), (&[], 2)] {
        let path = captured.folder.path().join("all.pcapng");
        let request = SaveRequest { path, format: Format::Pcapng, calls: None, media: true, replace: true };
        let saved = captured.done(request, Packets::Recent(vec![chunk(&frames, kept)]));
        assert_eq!((saved.rebuilt, saved.missing), (rebuilt, 0), "{kept:?}");
        let again = read(&saved.path);
        assert_eq!(messages(again.calls.iter().next().unwrap()), [invite.clone(), trying.clone()], "{kept:?}");
    }
}

#[test]
fn what_everything_lacks_is_counted() {
    let captured = captured();
    let [signalling, streams, media] = captured.recent.as_slice() else { panic!() };
    let rtp: u64 = captured.snapshot.streams.iter().map(|stream| stream.packets).sum();
    let saved = |kept: &[&Chunks], with_media: bool| {
        let path = captured.folder.path().join("all.pcapng");
        let request = SaveRequest { path, format: Format::Pcapng, calls: None, media: with_media, replace: true };
        captured.done(request, Packets::Recent(kept.iter().map(|chunks| (*chunks).clone()).collect()))
    };
    assert_eq!(saved(&[signalling, streams, media], true).missing, 0);
    assert_eq!(saved(&[signalling, streams], true).missing, rtp);
    assert_eq!(saved(&[signalling, streams], false).missing, 0);
    // What came in a stream cannot be made again.
    let snapshot = Arc::new(one_over_tcp());
    let captured = Captured { folder: tempfile::tempdir().unwrap(), snapshot, recent: Vec::new() };
    let path = captured.folder.path().join("all.pcapng");
    let request = SaveRequest { path, format: Format::Pcapng, calls: None, media: true, replace: false };
    let saved = captured.done(request, Packets::Recent(Vec::new()));
    assert_eq!((saved.count, saved.rebuilt, saved.missing), (0, 0, 1));
}

/// A name server's answer starts like RTP where its number does; a stream's packets are media all the same.
#[test]
fn what_only_looks_like_media_is_no_media() {
    let (.., mut frames) = fragmented_call();
    let resolver = Path::new(Endpoint::new([10, 0, 0, 1].into(), 40_001), Endpoint::new([10, 0, 0, 9].into(), 53));
    let query = [&[0x80, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1][..], b"a", &[0, 0, 1, 0, 1]].concat();
    let mut frame = Vec::new();
    wire::udp(&resolver, 9, &query, &mut frame);
    frames.push(frame);
    let (snapshot, recent) = pipeline_of(&frames);
    let captured = Captured { folder: tempfile::tempdir().unwrap(), snapshot, recent: Vec::new() };
    let path = captured.folder.path().join("all.pcapng");
    let request = SaveRequest { path, format: Format::Pcapng, calls: None, media: false, replace: false };
    assert_eq!(captured.done(request, Packets::Recent(recent)).count, 4);
}

/// More of another TCP connection than is kept of such, beginning at packet `number`.
fn noise(pipeline: &mut Pipeline, number: u64) {
    let [src, dst] = [3, 4].map(|last| Endpoint::new([10, 0, 0, last].into(), 3_306));
    let data = [0xaa; 1_400];
    let (mut batch, mut frame) = (Batch::new(), Vec::new());
    for at in 0..(RECENT_STREAM_BYTES / data.len() + 1_000) as u64 {
        frame.clear();
        let segment = wire::TcpSegment { seq: at as u32 * 1_400, ack: Some(1), ..wire::TcpSegment::default() };
        wire::tcp(&Path::new(src, dst), 0, segment, &data, &mut frame);
        let (meta, _) = packet_at(std::slice::from_ref(&frame), 0);
        batch.push(
            PacketMeta { id: PacketId::new(0, number + at), at: START.after(Elapsed::from_secs(5)), ..meta },
            &frame,
        );
        if batch.is_full() {
            pipeline.step(&batch);
            batch.clear();
        }
    }
    pipeline.step(&batch);
}

/// Saves the only call of these frames, each of which came alone; after the frames before `quiet`, and after all, much
/// else came. Gives the file, and the messages before and in it.
fn saved_behind_noise(frames: &[Vec<u8>], quiet: usize) -> (Saved, Vec<u8>, [Vec<Vec<u8>>; 2]) {
    let mut pipeline = Pipeline::new(DecodeOptions::default(), StoreOptions::default());
    pipeline.keep_recent();
    for index in 0..frames.len() {
        if index == quiet {
            noise(&mut pipeline, 100_000);
        }
        pipeline.step(&chunk(frames, &[index])[0]);
    }
    noise(&mut pipeline, 200_000);
    let recent = pipeline.recent().unwrap().share();
    let snapshot = Arc::new(pipeline.snapshot(Arc::default()));
    let call = Arc::clone(snapshot.calls.iter().next().unwrap());
    let captured = Captured { folder: tempfile::tempdir().unwrap(), snapshot, recent: Vec::new() };
    let path = captured.folder.path().join("one.pcapng");
    let calls = Some(vec![call.key]);
    let request = SaveRequest { path, format: Format::Pcapng, calls, media: true, replace: false };
    let saved = captured.done(request, Packets::Recent(recent));
    let again = read(&saved.path);
    let found = again.calls.iter().next().map(|call| messages(call)).unwrap_or_default();
    let file = fs::read(&saved.path).unwrap();
    (saved, file, [messages(&call), found])
}

fn sent(segments: &[Segment]) -> impl Iterator<Item = Vec<u8>> {
    segments.iter().map(Segment::frame)
}

#[test]
fn pieces_of_a_message_are_kept_with_the_signalling() {
    let (invite, trying, fragments) = fragmented_call();
    let (saved, _, [before, after]) = saved_behind_noise(&fragments, usize::MAX);
    assert_eq!((saved.count, saved.rebuilt, saved.missing), (3, 0, 0));
    assert_eq!((&before, &after), (&vec![invite.clone(), trying.clone()], &before));
    let [client, server] = [1, 2].map(|last| Endpoint::new([10, 0, 0, last].into(), 5060));
    let mut connection = Connection::new(client, server, [100, 500]);
    let opening = connection.open(START);
    let request = connection.send(START, Side::Client, &invite, &[700]);
    let response = connection.send(START, Side::Server, &trying, &[]);
    let frames: Vec<Vec<u8>> = sent(&opening).chain(sent(&request)).chain(sent(&response)).collect();
    let (saved, _, [before, after]) = saved_behind_noise(&frames, usize::MAX);
    assert_eq!((saved.missing, &before), (0, &vec![invite, trying]));
    assert_eq!(before, after);
}

#[test]
fn the_handshake_of_a_websocket_connection_is_kept_with_it() {
    let (.., text, _) = fragmented_call();
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    // A text frame from the server, which does not mask (RFC 6455, 5.2).
    let frame = [&[0x81, 126][..], &(text.len() as u16).to_be_bytes(), &text].concat();
    let [client, server] = [(1, 40_000), (2, 80)].map(|(last, port)| Endpoint::new([10, 0, 0, last].into(), port));
    let mut connection = Connection::new(client, server, [100, 500]);
    let opening = connection.open(START);
    let upgrade = [(Side::Client, request), (Side::Server, answer)]
        .map(|(side, text)| connection.send(START, side, text.as_bytes(), &[]));
    let message = connection.send(START, Side::Server, &frame, &[]);
    let mut frames: Vec<Vec<u8>> = sent(&opening).chain(upgrade.iter().flat_map(|segments| sent(segments))).collect();
    let quiet = frames.len();
    frames.extend(sent(&message));
    let (saved, file, [before, after]) = saved_behind_noise(&frames, quiet);
    assert_eq!((&before, &after), (&vec![text], &before));
    for part in ["GET / HTTP/1.1", "101 Switching Protocols"] {
        assert!(file.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
    }
    assert_eq!(saved.count as usize, frames.len());
}
