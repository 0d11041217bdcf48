//! One direction of a TLS connection: the first byte says how it is cut. What is shown must not depend on that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{TLS_ALPN_NAMES, TLS_HELLO_BYTES, TLS_NAME_BYTES};
use sipwatch::net::tls::{TlsItem, Watch, looks_like_tls};
use sipwatch::sip::parse::looks_like_sip;

fn shown(bytes: &[u8], piece: usize) -> Vec<TlsItem> {
    let mut out = Vec::new();
    let mut watch = Watch::new();
    for piece in bytes.chunks(piece) {
        watch.push(piece, &mut |item| out.push(item));
        assert!(watch.memory() <= 2 * TLS_HELLO_BYTES + 512);
    }
    out
}

fuzz_target!(|input: &[u8]| {
    let [how, at, missing, bytes @ ..] = input else { return };
    let whole = shown(bytes, usize::MAX);
    assert_eq!(whole, shown(bytes, 1 + usize::from(*how)));
    for item in whole {
        if let TlsItem::ClientHello(hello) = item {
            // What is no UTF-8 becomes three bytes for one.
            assert!(hello.sni.is_none_or(|name| name.len() <= 3 * TLS_NAME_BYTES));
            assert!(hello.alpn.len() <= TLS_ALPN_NAMES);
        }
    }
    assert!(!(looks_like_tls(bytes) && looks_like_sip(bytes)));
    let mut watch = Watch::new();
    let (before, behind) = bytes.split_at(usize::from(*at).min(bytes.len()));
    watch.push(before, &mut |_| {});
    watch.gap(u64::from(*missing), &mut |_| {});
    watch.push(behind, &mut |_| {});
});
