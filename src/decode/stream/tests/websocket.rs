//! SIP in WebSocket.

use super::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: pbx.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// A frame of RFC 6455, 5.2; masked as a client must.
fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        short @ 0..126 => out.push(masked | short as u8),
        longer => {
            out.push(masked | 126);
            out.extend((longer as u16).to_be_bytes());
        }
    }
    let mask = mask.inspect(|mask| out.extend(mask)).unwrap_or_default();
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

#[test]
fn sip_in_websocket_is_found_behind_the_upgrade_in_any_segments() {
    let (register, ok) = (message("REGISTER", "a", ""), message("OPTIONS", "b", &body(10)));
    let mut from_client = REQUEST.as_bytes().to_vec();
    from_client.extend(frame(0x81, register.as_bytes(), Some([1, 2, 3, 4])));
    let mut from_server = ANSWER.as_bytes().to_vec();
    from_server.extend(frame(0x01, &ok.as_bytes()[..100], None));
    from_server.extend(frame(0x89, b"", None));
    from_server.extend(frame(0x80, &ok.as_bytes()[100..], None));
    for size in [1, 7, 100, 5_000] {
        let mut lab = Lab::connected();
        for (side, mut seq, octets) in [(0, 101_u32, &from_client), (1, 501, &from_server)] {
            for segment in octets.chunks(size) {
                lab.data(side, seq, segment);
                seq += segment.len() as u32;
            }
        }
        assert_eq!(lab.texts(), [register.as_str(), &ok], "segments of {size}");
        assert!(lab.arrivals().iter().all(|arrival| arrival.transport == Transport::Ws));
        assert_eq!(lab.decoder.flows()[0].protocol, Protocol::WebSocket);
        let last = lab.packets().last().cloned().unwrap();
        assert_eq!(last.last(), Some(&lab.number), "the completing packet stands last");
    }
}

#[test]
fn a_websocket_connection_is_picked_up_in_the_middle_and_behind_a_hole() {
    let mut lab = Lab::new();
    let texts = ["a", "b"].map(|id| message("OPTIONS", id, ""));
    let frames = texts.each_ref().map(|text| frame(0x82, text.as_bytes(), Some([9, 8, 7, 6])));
    lab.data(0, 9_000, &frames[0]);
    lab.wait(51);
    let behind = 9_000 + frames[0].len() as u32;
    lab.data(0, behind + 1_000, &frames[1]);
    lab.wait(30_001);
    assert_eq!(lab.texts(), texts);
}

const DEFLATE: &str =
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What a compressed frame carries (RFC 7692, 7.2.1), with an empty window.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut compressor = flate2::Compress::new(flate2::Compression::default(), false);
    let mut out = Vec::with_capacity(payload.len() + 64);
    compressor.compress_vec(payload, &mut out, flate2::FlushCompress::Sync).unwrap();
    out.truncate(out.len() - 4);
    out
}

#[test]
fn an_upgrade_is_found_behind_other_requests_of_its_connection() {
    let with_deflate = |head: &str| head.replace("\r\n\r\n", &format!("\r\n{DEFLATE}\r\n\r\n"));
    let (request, answer) = (with_deflate(REQUEST), with_deflate(ANSWER));
    let page = "GET /login HTTP/1.1\r\nHost: pbx.example.com\r\n\r\n";
    let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 2\r\n\r\nno";
    let (register, options) = (message("REGISTER", "a", ""), message("OPTIONS", "b", &body(10)));
    let from_client = frame(0xc1, &deflated(register.as_bytes()), Some([1, 2, 3, 4]));
    let from_server = frame(0xc1, &deflated(options.as_bytes()), None);
    for first in [request.as_str(), page] {
        for size in [12, 90, 5_000] {
            let mut lab = Lab::connected();
            let mut seqs = [101_u32, 501];
            let turns: [(usize, &[u8]); 6] = [
                (0, first.as_bytes()),
                (1, refusal.as_bytes()),
                (0, request.as_bytes()),
                (1, answer.as_bytes()),
                (0, &from_client),
                (1, &from_server),
            ];
            for (side, octets) in turns {
                for segment in octets.chunks(size) {
                    lab.data(side, seqs[side], segment);
                    seqs[side] += segment.len() as u32;
                }
            }
            assert_eq!(lab.texts(), [register.as_str(), &options], "segments of {size}");
            assert!(lab.arrivals().iter().all(|arrival| arrival.transport == Transport::Ws));
            let packets = lab.packets();
            assert!(packets[0].iter().chain(&packets[1]).all(|packet| *packet > 4), "{packets:?}");
        }
    }
}
