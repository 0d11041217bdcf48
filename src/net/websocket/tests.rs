use std::io::Write;

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::*;
use crate::limits::{SIP_MESSAGE_BYTES, WEBSOCKET_INFLATER_BYTES};

/// What was said, with the payload copied.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Message(Kind, Vec<u8>, u64, u64, bool),
    Ping,
    Pong,
    Close(Option<u16>),
    Broken(&'static str),
}

fn keep(said: &mut Vec<Said>) -> impl FnMut(Item<'_>) {
    |item| {
        said.push(match item {
            Item::Message { kind, payload, start, end, complete } => {
                Said::Message(kind, payload.to_vec(), start, end, complete)
            }
            Item::Ping => Said::Ping,
            Item::Pong => Said::Pong,
            Item::Close { code } => Said::Close(code),
            Item::Broken(why) => Said::Broken(why),
        });
    }
}

fn pushed(frames: &mut Frames, bytes: &[u8]) -> Vec<Said> {
    let mut said = Vec::new();
    frames.push(bytes, &mut keep(&mut said));
    said
}

fn missing(frames: &mut Frames, count: u64) -> Vec<Said> {
    let mut said = Vec::new();
    frames.gap(count, &mut keep(&mut said));
    said
}

fn text(payload: &[u8], start: u64, end: u64) -> Said {
    Said::Message(Kind::Text, payload.to_vec(), start, end, true)
}

fn plain(bytes: &[u8]) -> Vec<Said> {
    pushed(&mut Frames::new(None), bytes)
}

const KEEPS: Option<Deflate> = Some(Deflate { keeps_context: true });
const FORGETS: Option<Deflate> = Some(Deflate { keeps_context: false });

/// A frame with the shortest length; `first` is FIN, RSV and opcode.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(bit | length as u8),
        length @ 126..=0xffff => {
            out.push(bit | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(bit | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    let key = mask.unwrap_or_default();
    if mask.is_some() {
        out.extend(key);
    }
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

/// What RFC 7692, 7.2.1 says to do, on one compressor for all messages.
fn compressed(compressor: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 1_024);
    let mut rest = payload;
    loop {
        let before = compressor.total_in();
        out.reserve(1_024);
        compressor.compress_vec(rest, &mut out, FlushCompress::Sync).unwrap();
        rest = &rest[(compressor.total_in() - before) as usize..];
        if rest.is_empty() && out.len() < out.capacity() {
            break;
        }
    }
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

#[test]
fn the_examples_of_rfc_6455() {
    assert_eq!(plain(&[0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f]), [text(b"Hello", 0, 7)]);
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(plain(&masked), [text(b"Hello", 0, 11)]);
    assert_eq!(plain(&[0x01, 3, 0x48, 0x65, 0x6c, 0x80, 2, 0x6c, 0x6f]), [text(b"Hello", 0, 9)]);
    assert_eq!(plain(&[0x89, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f]), [Said::Ping]);
    assert_eq!(plain(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]), [Said::Pong]);
    for (head, length) in [(vec![0x82, 0x7e, 1, 0], 256), (vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], 65_536)] {
        let payload = vec![7; length];
        let bytes = [head.as_slice(), &payload].concat();
        let end = bytes.len() as u64;
        assert_eq!(plain(&bytes), [Said::Message(Kind::Binary, payload, 0, end, true)]);
    }
}

#[test]
fn the_examples_of_rfc_7692() {
    let hello = |bytes: &[u8]| pushed(&mut Frames::new(FORGETS), bytes);
    assert_eq!(hello(&[0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0]), [text(b"Hello", 0, 9)]);
    let pieces = [0x41, 3, 0xf2, 0x48, 0xcd, 0x80, 4, 0xc9, 0xc9, 7, 0];
    assert_eq!(hello(&pieces), [text(b"Hello", 0, 11)], "in two frames");
    let stored = [0xc1, 0x0b, 0, 5, 0, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0];
    assert_eq!(hello(&stored), [text(b"Hello", 0, 13)], "a block without compression");
    let last = [0xc1, 8, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0];
    assert_eq!(hello(&last), [text(b"Hello", 0, 10)], "a block with BFINAL");
    let two = [0xc1, 0x0d, 0xf2, 0x48, 5, 0, 0, 0, 0xff, 0xff, 0xca, 0xc9, 0xc9, 7, 0];
    assert_eq!(hello(&two), [text(b"Hello", 0, 15)], "two blocks");
}

#[test]
fn a_message_may_refer_to_the_one_before_it() {
    let bytes = [0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0xc1, 5, 0xf2, 0, 0x11, 0, 0];
    assert_eq!(pushed(&mut Frames::new(KEEPS), &bytes), [text(b"Hello", 0, 9), text(b"Hello", 9, 16)]);
}

#[test]
fn control_frames_may_stand_between_the_pieces_of_a_message() {
    let bytes = [
        frame(0x01, Some([1, 2, 3, 4]), b"OPTIONS sip:a@"),
        frame(0x89, Some([5, 6, 7, 8]), b"?"),
        frame(0x00, Some([9, 9, 9, 9]), b"b"),
        frame(0x8a, None, b""),
        frame(0x80, Some([0, 1, 0, 1]), b" SIP/2.0\r\n\r\n"),
        frame(0x88, Some([1, 0, 0, 1]), &[0x03, 0xe8, b'o', b'k']),
        frame(0x88, None, b""),
    ]
    .concat();
    let whole = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n";
    let expected = [Said::Ping, Said::Pong, text(whole, 0, 54), Said::Close(Some(1_000)), Said::Close(None)];
    assert_eq!(plain(&bytes), expected);
}

#[test]
fn the_oldest_byte_that_is_needed_is_the_start_of_what_is_unfinished() {
    let mut frames = Frames::new(None);
    let bytes = [frame(0x81, None, b"abc"), frame(0x01, None, b"d"), frame(0x89, None, b"x"), frame(0x80, None, b"")];
    assert_eq!(frames.oldest_needed(), 0);
    let mut told = Vec::new();
    for byte in bytes.concat() {
        pushed(&mut frames, &[byte]);
        told.push(frames.oldest_needed());
    }
    assert_eq!(told, [0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5, 5, 13]);
}

#[test]
fn a_gap_inside_a_payload_cuts_the_message_only() {
    let mut frames = Frames::new(None);
    let bytes = frame(0x81, Some([1, 2, 3, 4]), b"0123456789");
    pushed(&mut frames, &bytes[..9]);
    assert_eq!(missing(&mut frames, 3), []);
    assert_eq!(pushed(&mut frames, &bytes[12..]), [Said::Message(Kind::Text, b"012".to_vec(), 0, 16, false)]);
    assert_eq!(pushed(&mut frames, &frame(0x81, None, b"next")), [text(b"next", 16, 22)]);
    pushed(&mut frames, &frame(0x81, None, b"ends in a gap")[..6]);
    assert_eq!(missing(&mut frames, 9), [Said::Message(Kind::Text, b"ends".to_vec(), 22, 37, false)]);
    pushed(&mut frames, &frame(0x89, None, b"ping")[..3]);
    assert_eq!(missing(&mut frames, 3), [Said::Ping]);
}

#[test]
fn a_gap_that_may_hide_a_header_is_the_end() {
    for (seen, count) in [(0, 1), (1, 1), (4, 9)] {
        let mut frames = Frames::new(None);
        pushed(&mut frames, &frame(0x81, None, b"01234567")[..seen]);
        let said = missing(&mut frames, count);
        assert!(matches!(said.last(), Some(Said::Broken(_))), "{said:?}");
        assert_eq!(said.len(), if seen > 2 { 2 } else { 1 });
        assert!(frames.is_broken());
        assert_eq!(pushed(&mut frames, &frame(0x81, None, b"more")), []);
        assert_eq!(frames.oldest_needed(), seen as u64 + count + 6);
    }
}

#[test]
fn a_gap_in_a_compressed_message_takes_the_context_with_it() {
    let first = frame(0xc1, None, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0]);
    for (deflate, is_lost) in [(KEEPS, true), (FORGETS, false)] {
        let mut frames = Frames::new(deflate);
        pushed(&mut frames, &first[..4]);
        assert!(matches!(missing(&mut frames, 5).as_slice(), [Said::Message(_, _, 0, 9, false)]));
        assert_eq!(pushed(&mut frames, &frame(0x81, None, b"plain")), [text(b"plain", 9, 16)]);
        let said = pushed(&mut frames, &first);
        assert_eq!(matches!(said.as_slice(), [Said::Broken(_)]), is_lost, "{said:?}");
        assert_eq!(said == [text(b"Hello", 16, 25)], !is_lost);
    }
}

#[test]
fn what_is_no_frame_is_broken_once() {
    let broken: [&[u8]; 8] = [
        &[0x83, 0],
        &[0x8b, 0],
        &[0xa1, 0],
        &[0xc1, 0],
        &[0x09, 0],
        &[0x89, 126, 0, 200],
        &[0x80, 0],
        &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ];
    for bytes in broken {
        let said = plain(&[bytes, b"more", bytes].concat());
        assert!(matches!(said.as_slice(), [Said::Broken(_)]), "{bytes:x?}: {said:?}");
    }
    let inside = plain(&[frame(0x01, None, b"ab"), frame(0x81, None, b"cd")].concat());
    assert!(
        matches!(inside.as_slice(), [Said::Message(_, payload, 0, 4, false), Said::Broken(_)] if payload == b"ab"),
        "{inside:?}"
    );
    for first in [0xc0, 0xc9] {
        let said = pushed(&mut Frames::new(KEEPS), &[frame(0x41, None, b""), frame(first, None, b"")].concat());
        assert!(matches!(said.last(), Some(Said::Broken(_))), "only the first frame says that it is compressed");
    }
}

#[test]
fn a_long_message_is_cut_and_the_next_one_read() {
    let long = vec![b'x'; SIP_MESSAGE_BYTES + 5];
    let mut frames = Frames::new(None);
    let said = pushed(&mut frames, &[frame(0x82, None, &long), frame(0x81, None, b"next")].concat());
    let [Said::Message(_, payload, 0, _, false), next] = said.as_slice() else { panic!("{}", said.len()) };
    assert_eq!(payload.len(), SIP_MESSAGE_BYTES);
    assert!(matches!(next, Said::Message(_, payload, _, _, true) if payload == b"next"));
    assert!(frames.memory() < 1_024);
}

#[test]
fn a_bomb_is_cut_and_costs_no_memory() {
    let mut compressor = Compress::new(Compression::best(), false);
    let bomb = frame(0xc2, None, &compressed(&mut compressor, &vec![b'x'; 20 << 20]));
    let next = frame(0xc1, None, &compressed(&mut compressor, b"next"));
    for deflate in [KEEPS, FORGETS] {
        let mut frames = Frames::new(deflate);
        let mut most = 0;
        let mut said = Vec::new();
        for piece in bomb.chunks(700) {
            said.extend(pushed(&mut frames, piece));
            most = most.max(frames.memory());
        }
        assert!(
            matches!(said.as_slice(), [Said::Message(_, payload, _, _, false)] if payload.len() == SIP_MESSAGE_BYTES)
        );
        assert!(most <= 2 * SIP_MESSAGE_BYTES + WEBSOCKET_INFLATER_BYTES + 1_024, "{most}");
        if deflate == KEEPS {
            assert!(matches!(pushed(&mut frames, &next).as_slice(), [Said::Broken(_)]));
        }
    }
}

#[test]
fn a_large_compressed_message_keeps_the_context_of_the_next() {
    let mut compressor = Compress::new(Compression::default(), false);
    let large: Vec<u8> = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x1f).collect();
    let tail = large[large.len() - 2_000..].to_vec();
    let bytes = [&large, &tail].map(|payload| frame(0xc2, Some([8, 7, 6, 5]), &compressed(&mut compressor, payload)));
    assert!(bytes[1].len() < 1_000, "it refers to the first one");
    let said = pushed(&mut Frames::new(KEEPS), &bytes.concat());
    let [Said::Message(_, first, _, _, false), Said::Message(_, second, _, _, true)] = said.as_slice() else {
        panic!("{}", said.len())
    };
    assert_eq!((first.as_slice(), second), (&large[..SIP_MESSAGE_BYTES], &tail));
}

#[test]
fn the_handshake_of_rfc_7118_is_read() {
    let request = b"GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://www.example.com\r\n\
        Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let expected = Handshake { is_request: true, subprotocol: Some("sip".to_owned()), deflate: None };
    assert_eq!(upgrade(request), Some(expected.clone()));
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    assert_eq!(upgrade(response), Some(Handshake { is_request: false, ..expected }));
}

#[test]
fn permessage_deflate_is_read_with_its_parameters() {
    let deflate = |lines: &str| {
        upgrade(format!("HTTP/1.1 101 X\r\nupgrade: h2c, WebSocket\r\n{lines}\r\n\r\n").as_bytes()).unwrap().deflate
    };
    assert_eq!(deflate("Sec-WebSocket-Extensions: foo; bar=1"), None);
    let taken = deflate("SEC-WEBSOCKET-EXTENSIONS: foo, permessage-deflate; server_no_context_takeover").unwrap();
    assert_eq!((taken.of_server().keeps_context, taken.of_client().keeps_context), (false, true));
    let bits = "permessage-deflate; client_max_window_bits; server_max_window_bits=\"10\"; client_no_context_takeover";
    let offered = DeflateParameters {
        client_no_context_takeover: true,
        server_max_window_bits: Some(10),
        ..DeflateParameters::default()
    };
    assert_eq!(deflate(&format!("Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions:{bits}, y")), Some(offered));
}

#[test]
fn other_http_is_no_handshake() {
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.0\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 1010\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nUpgrade: websocket\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\nUpgrade: websocket\r\n\r\n",
        "",
    ] {
        assert_eq!(upgrade(head.as_bytes()), None, "{head}");
    }
}

#[test]
fn the_start_of_a_handshake_is_known_by_its_first_line() {
    for start in ["GET /?a HTTP/1.1\r\nHost", "GET /?a", "HTTP/1.1 101 X\r\n", "HTTP/1.1 101 Switching"] {
        assert!(may_upgrade(start.as_bytes()), "{start}");
    }
    for start in ["", "GE", "GET / HTTP/1.0\r\n", "POST / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1", "\n"] {
        assert!(!may_upgrade(start.as_bytes()), "{start}");
    }
}

fn starts_options(payload: &[u8]) -> bool {
    payload.starts_with(b"OPTIONS sip:")
}

#[test]
fn a_frame_with_sip_is_found_in_the_middle_of_a_stream() {
    let found = |bytes: &[u8]| looks_like_frame(bytes, &starts_options);
    let sip = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n";
    let long = [sip.as_slice(), &[b'x'; 70_000]].concat();
    for payload in [sip.as_slice(), &long[..200], &long] {
        for mask in [None, Some([9, 8, 7, 6])] {
            for first in [0x81, 0x82, 0x01] {
                let bytes = frame(first, mask, payload);
                assert!(found(&bytes) && found(&bytes[..29]));
                assert!(found(&[frame(0x89, mask, b""), frame(0x8a, None, b"ab"), bytes].concat()));
            }
        }
    }
    assert!(!found(&frame(0x81, None, b"INVITE sip:a@b SIP/2.0\r\n")));
    assert!(!found(&frame(0x80, None, sip)), "a later piece");
    assert!(!found(&frame(0xc1, None, sip)), "compressed");
    assert!(!found(&[&[0x81, 126, 0, 27], sip.as_slice()].concat()), "not the shortest length");
    assert!(!found(&frame(0x89, None, b"ping")));
    assert!(!found(sip) && !found(b"") && !found(&[0x81]) && !found(&[0x81, 0x9b, 1, 2, 3, 4]));
}

proptest! {
    #[test]
    fn any_cut_says_the_same(
        messages in proptest::collection::vec((0..4_u8, any::<bool>(), proptest::collection::vec(97..105_u8, 0..400)), 1..8),
        mask in proptest::option::of(any::<[u8; 4]>()),
        junk in proptest::collection::vec(any::<u8>(), 0..12),
        hit in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        cuts in proptest::collection::vec(1..50_usize, 1..40),
        keeps_context in any::<bool>(),
    ) {
        let mut compressor = Compress::new(Compression::default(), false);
        let mut bytes = Vec::new();
        let mut written = Vec::new();
        for (how, in_pieces, payload) in &messages {
            let (bit, body) = match how {
                0 => (0x40, compressed(&mut compressor, payload)),
                1 => { bytes.write_all(&frame(0x8a, mask, b"pong")).unwrap(); (0, payload.clone()) }
                _ => (0, payload.clone()),
            };
            let (a, b) = body.split_at(body.len() / 3);
            if *in_pieces {
                bytes.extend([frame(0x01 | bit, mask, a), frame(0x89, mask, b"!"), frame(0x80, mask, b)].concat());
            } else {
                bytes.extend(frame(0x81 | bit, mask, &body));
            }
            if !keeps_context { compressor.reset(); }
            written.push(payload.clone());
        }
        let sound = bytes.len();
        bytes.extend(junk);
        if let Some((at, octet)) = hit {
            let at = at.index(bytes.len());
            bytes[at] ^= octet;
        }
        let deflate = Some(Deflate { keeps_context });
        let mut whole = Frames::new(deflate);
        let mut said = pushed(&mut whole, &bytes);
        whole.finish(&mut keep(&mut said));
        let mut cut = Frames::new(deflate);
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for size in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, next) = rest.split_at((*size).min(rest.len()));
            pieces.extend(pushed(&mut cut, piece));
            rest = next;
        }
        cut.finish(&mut keep(&mut pieces));
        prop_assert_eq!(&said, &pieces);
        if hit.is_none() {
            let read: Vec<_> = said.iter().filter_map(|said| match said {
                Said::Message(_, payload, _, end, true) if *end <= sound as u64 => Some(payload.clone()),
                _ => None,
            }).collect();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn any_bytes_and_gaps_are_survived(
        pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0..80_u64), 0..30),
        deflate in proptest::option::of(any::<bool>()),
    ) {
        let mut frames = Frames::new(deflate.map(|keeps_context| Deflate { keeps_context }));
        let mut broken = 0;
        for (bytes, count) in pieces {
            let said = [pushed(&mut frames, &bytes), missing(&mut frames, count)].concat();
            prop_assert!(broken == 0 || said.is_empty());
            broken += said.iter().filter(|said| matches!(said, Said::Broken(_))).count();
            prop_assert!(frames.memory() <= 2 * SIP_MESSAGE_BYTES + WEBSOCKET_INFLATER_BYTES + 1_024);
            looks_like_frame(&bytes, &starts_options);
            upgrade(&bytes);
        }
        prop_assert!(broken <= 1);
    }
}
