use proptest::prelude::*;

use super::*;

fn pushed(watch: &mut Watch, bytes: &[u8]) -> Vec<TlsItem> {
    let mut items = Vec::new();
    watch.push(bytes, &mut |item| items.push(item));
    items
}

fn seen(bytes: &[u8]) -> Vec<TlsItem> {
    pushed(&mut Watch::new(), bytes)
}

fn missing(watch: &mut Watch, count: u64) -> Vec<TlsItem> {
    let mut items = Vec::new();
    watch.gap(count, &mut |item| items.push(item));
    items
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], (payload.len() as u16).to_be_bytes().as_slice(), payload].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

fn long(block: &[u8]) -> Vec<u8> {
    [(block.len() as u16).to_be_bytes().as_slice(), block].concat()
}

fn extension(kind: u16, value: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), long(value)].concat()
}

/// RFC 8446, 4.1.2: version, random, session, cipher suites, compression, extensions.
fn client_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0xa5; 32]);
    body.push(32);
    body.extend([0x5a; 32]);
    body.extend(long(&[0x13, 1, 0x13, 2, 0xc0, 0x2f]));
    body.extend([1, 0]);
    body.extend(long(&extensions.concat()));
    message(1, &body)
}

fn server_hello(cipher: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x77; 32]);
    body.push(0);
    body.extend(cipher.to_be_bytes());
    body.push(0);
    if !extensions.is_empty() {
        body.extend(long(&extensions.concat()));
    }
    message(2, &body)
}

fn sni(name: &str) -> Vec<u8> {
    extension(0, &long(&[&[0], long(name.as_bytes()).as_slice()].concat()))
}

/// Key share and the like first, as browsers do.
fn typical() -> Vec<u8> {
    let alpn = extension(16, &long(b"\x05sip/2\x08http/1.1"));
    client_hello(&[extension(0x0a0a, b""), sni("sip.example.com"), extension(51, &[9; 1_200]), alpn])
}

fn asked() -> TlsItem {
    let alpn = vec!["sip/2".to_owned(), "http/1.1".to_owned()];
    TlsItem::ClientHello(ClientHello { sni: Some("sip.example.com".to_owned()), alpn })
}

fn plain(fatal: bool, what: &'static str, description: u8) -> TlsItem {
    TlsItem::Alert(Alert { what, fatal: Some(fatal), description: Some(description) })
}

const ENCRYPTED: TlsItem = TlsItem::Alert(Alert { what: "encrypted alert", fatal: None, description: None });

/// A connection of TLS 1.2 as its server writes it: hello, certificate and done in one record, and so on.
fn server_1_2() -> Vec<u8> {
    let flight = [server_hello(0xc02f, &[]), message(11, &[1; 900]), message(14, &[])].concat();
    [
        record(22, &flight[..500]),
        record(22, &flight[500..]),
        record(20, &[1]),
        record(22, &[0xee; 40]),
        record(23, &[2; 300]),
        record(23, &[2; 30]),
        record(21, &[3; 26]),
    ]
    .concat()
}

#[test]
fn a_client_hello_tells_name_and_protocols() {
    assert_eq!(seen(&record(22, &typical())), [asked()]);
    let hello = typical();
    let pieces = [record(22, &hello[..2]), record(22, &hello[2..700]), record(22, &hello[700..])].concat();
    assert_eq!(seen(&pieces), [asked()], "over three records");
    assert_eq!(seen(&record(22, &client_hello(&[]))), [TlsItem::ClientHello(ClientHello::default())]);
}

#[test]
fn a_server_hello_tells_version_and_cipher() {
    let agreed = |version, cipher| TlsItem::ServerHello(ServerHello { version, cipher });
    let tls_1_3 = record(22, &server_hello(0x1301, &[extension(51, &[0; 36]), extension(43, &[3, 4])]));
    assert_eq!(seen(&tls_1_3), [agreed(0x0304, 0x1301)]);
    let said = seen(&server_1_2());
    assert_eq!(said, [agreed(0x0303, 0xc02f), TlsItem::ApplicationData, ENCRYPTED]);
    assert_eq!((version_name(0x0304), version_name(0x0303)), ("TLS 1.3", "TLS 1.2"));
}

#[test]
fn alerts_are_named_unless_they_are_encrypted() {
    assert_eq!(seen(&record(21, &[2, 40])), [plain(true, "handshake failure", 40)]);
    assert_eq!(
        seen(&[record(21, &[1, 0]), record(21, &[2, 48]), record(21, &[2, 200])].concat()),
        [plain(false, "close notify", 0), plain(true, "unknown CA", 48), plain(true, "unknown alert", 200)]
    );
    assert_eq!(seen(&[record(20, &[1]), record(21, &[0x17; 18])].concat()), [ENCRYPTED]);
}

#[test]
fn the_second_hello_after_a_retry_is_read() {
    let client =
        [record(22, &client_hello(&[])), record(20, &[1]), record(22, &typical()), record(22, &[1, 9, 9, 9, 9])];
    assert_eq!(seen(&client.concat()), [TlsItem::ClientHello(ClientHello::default()), asked()]);
}

#[test]
fn a_gap_inside_a_record_costs_no_more_than_that_record() {
    let bytes = [record(22, &typical()), record(21, &[2, 42])].concat();
    let mut watch = Watch::new();
    assert_eq!(pushed(&mut watch, &bytes[..200]), []);
    let name = ClientHello { sni: Some("sip.example.com".to_owned()), alpn: Vec::new() };
    assert_eq!(missing(&mut watch, 300), [TlsItem::ClientHello(name)], "what came before it is told");
    assert_eq!(pushed(&mut watch, &bytes[500..]), [plain(true, "bad certificate", 42)]);
}

#[test]
fn behind_a_longer_gap_the_next_record_goes_on() {
    let mut watch = Watch::new();
    pushed(&mut watch, &record(23, &[1; 100])[..50]);
    assert_eq!(missing(&mut watch, 500), []);
    assert_eq!(pushed(&mut watch, &[9; 60]), []);
    assert_eq!(pushed(&mut watch, &record(21, &[2, 80])), [plain(true, "internal error", 80)]);
    // Encrypted, though it starts like a hello.
    pushed(&mut watch, &record(22, &[&[1, 0, 0, 200], [7; 80].as_slice()].concat())[..80]);
    assert_eq!(missing(&mut watch, 3), []);
}

#[test]
fn a_hello_without_end_is_kept_in_part() {
    let mut huge = typical();
    huge[1..4].copy_from_slice(&[0xff, 0xff, 0xff]);
    let mut watch = Watch::new();
    pushed(&mut watch, &record(22, &huge));
    for _ in 0..100 {
        assert_eq!(pushed(&mut watch, &record(22, &[0; 10_000])), []);
        assert!(watch.memory() <= 2 * TLS_HELLO_BYTES + 512);
    }
}

#[test]
fn records_are_told_from_text_and_frames() {
    assert!(looks_like_tls(&record(22, &typical())) && looks_like_tls(&record(22, &typical())[..5]));
    assert!(looks_like_tls(&server_1_2()));
    assert!(looks_like_tls(&record(23, &[0; 1_400])[..600]));
    for other in [
        b"INVITE sip:a@b SIP/2.0\r\n".as_slice(),
        b"SIP/2.0 200 OK\r\n",
        b"\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        &[22, 3, 1, 0],
        &[22, 3, 5, 0, 100],
        &[22, 2, 0, 0, 100],
        &[22, 3, 1, 0xff, 0],
        &[24, 3, 3, 0, 100],
        &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0],
        &[20, 3, 3, 0, 2, 0, 0],
        &[20, 3, 3, 0, 1, 1, b'I', b'N', b'V', b'I', b'T', b'E'],
        &[],
    ] {
        assert!(!looks_like_tls(other), "{other:?}");
    }
}

#[test]
fn what_is_no_record_is_broken_once() {
    let said = seen(&[record(23, &[1]), b"INVITE sip:a@b SIP/2.0\r\n\r\n".repeat(2)].concat());
    assert_eq!(said, [TlsItem::ApplicationData, TlsItem::Broken("no TLS record")]);
}

proptest! {
    #[test]
    fn any_cut_shows_the_same(
        hit in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        cuts in proptest::collection::vec(1..300_usize, 1..40),
        client in any::<bool>(),
    ) {
        let mut bytes = server_1_2();
        if client {
            bytes = [record(22, &typical()), record(20, &[1]), record(22, &[4; 40]), record(21, &[1, 0])].concat();
        }
        if let Some((at, octet)) = hit {
            let at = at.index(bytes.len());
            bytes[at] = octet;
        }
        let mut watch = Watch::new();
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for size in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, next) = rest.split_at((*size).min(rest.len()));
            pieces.extend(pushed(&mut watch, piece));
            rest = next;
        }
        prop_assert_eq!(pieces, seen(&bytes));
    }

    #[test]
    fn any_bytes_and_gaps_are_survived(
        pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 20..25_u8, 0..80_u64), 0..30),
    ) {
        let mut watch = Watch::new();
        for (bytes, kind, count) in pieces {
            pushed(&mut watch, &record(kind, &bytes));
            missing(&mut watch, count);
            pushed(&mut watch, &bytes);
            prop_assert!(watch.memory() <= 2 * TLS_HELLO_BYTES + 512);
            looks_like_tls(&bytes);
            ClientHello::read(&bytes);
            ServerHello::read(&bytes);
        }
    }
}
