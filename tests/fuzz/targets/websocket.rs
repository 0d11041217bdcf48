//! One direction of a WebSocket connection: the first byte says how it is compressed and cut, then pieces and gaps. What is
//! said must not depend on where it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{SIP_MESSAGE_BYTES, WEBSOCKET_INFLATER_BYTES};
use sipwatch::net::websocket::{Deflate, Frames, Item, looks_like_frame, upgrade};
use sipwatch::sip::parse::looks_like_sip;

fn said(deflate: Option<Deflate>, bytes: &[u8], piece: usize, gap: Option<(usize, u8)>) -> Vec<String> {
    let mut out = Vec::new();
    let mut broken = 0;
    let mut keep = |item: Item<'_>| {
        assert_eq!(broken, 0, "nothing comes after the end");
        broken += usize::from(matches!(item, Item::Broken(_)));
        if let Item::Message { payload, start, end, .. } = item {
            assert!(payload.len() <= SIP_MESSAGE_BYTES && start <= end);
        }
        out.push(format!("{item:?}"));
    };
    let mut frames = Frames::new(deflate);
    let (before, behind) = bytes.split_at(gap.map_or(0, |(at, _)| at.min(bytes.len())));
    for (bytes, missing) in [(before, gap.map_or(0, |(_, missing)| missing)), (behind, 0)] {
        for piece in bytes.chunks(piece) {
            frames.push(piece, &mut keep);
            assert!(frames.memory() <= 2 * SIP_MESSAGE_BYTES + WEBSOCKET_INFLATER_BYTES + 1_024);
            let _ = frames.oldest_needed();
        }
        frames.gap(u64::from(missing), &mut keep);
    }
    if !frames.is_broken() {
        frames.finish(&mut keep);
    }
    out
}

fuzz_target!(|input: &[u8]| {
    let [how, at, missing, bytes @ ..] = input else { return };
    let deflate = match how % 3 {
        0 => None,
        kept => Some(Deflate { keeps_context: kept == 1 }),
    };
    let gap = (*missing > 0).then_some((usize::from(*at), *missing));
    let whole = said(deflate, bytes, usize::MAX, gap);
    assert_eq!(whole, said(deflate, bytes, 1 + usize::from(how / 3), gap));
    let _ = (upgrade(bytes), looks_like_frame(bytes, &looks_like_sip));
});
