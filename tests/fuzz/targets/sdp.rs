//! A session description, or an offer and an answer with a NUL between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{SDP_CODECS, SDP_ENDPOINTS, SDP_MEDIA};
use sipwatch::sdp::offer_answer::codecs;
use sipwatch::sdp::{Media, Sdp};

fuzz_target!(|input: &[u8]| {
    let mut halves = input.splitn(2, |byte| *byte == 0);
    let offer = halves.next().map(Sdp::parse);
    let answer = halves.next().map(Sdp::parse);
    for sdp in [&offer, &answer].into_iter().flatten() {
        read(sdp);
    }
    let agreed = codecs(offer.as_ref(), answer.as_ref());
    assert!(agreed.len() <= SDP_CODECS);
    if let (Some(offer), Some(_)) = (&offer, &answer) {
        assert!(codecs(Some(offer), Some(offer)).len() <= SDP_CODECS);
    }
});

fn read(sdp: &Sdp<'_>) {
    let _ = (sdp.origin(), sdp.version(), sdp.name(), sdp.connection(), sdp.attribute("group"));
    assert!(sdp.media.len() <= SDP_MEDIA);
    let endpoints = sdp.media_endpoints();
    assert!(endpoints.len() <= SDP_ENDPOINTS);
    assert!(endpoints.iter().all(|endpoint| endpoint.port != 0 && !endpoint.ip.is_unspecified()));
    sdp.media.iter().for_each(read_medium);
}

fn read_medium(medium: &Media<'_>) {
    let _ = (medium.kind, medium.host(), medium.connection(), medium.direction(), medium.is_held(), medium.is_t38());
    let _ = (medium.ptime(), medium.rtcp(), medium.has_rtcp_mux(), medium.has_crypto(), medium.is_rtp());
    for payload_type in medium.payload_types().take(SDP_CODECS) {
        let _ = (medium.codec(payload_type), medium.fmtp(payload_type));
    }
    for candidate in medium.candidates() {
        let _ = (candidate.component, candidate.host, candidate.kind);
    }
}
