//! Session descriptions (RFC 8866), read tolerantly: what media goes where, in which formats.

pub mod media;
pub mod offer_answer;
pub mod parse;
pub mod payload_type;

pub use media::{Candidate, Direction, Media, MediaEndpoint};
pub use parse::{Oddities, Sdp};

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::Sdp;
    use super::offer_answer::codecs;
    use crate::limits::{SDP_CODECS, SDP_ENDPOINTS, SDP_MEDIA};

    fn read_all(body: &[u8]) {
        let sdp = Sdp::parse(body);
        assert!(sdp.media.len() <= SDP_MEDIA);
        assert!(sdp.media_endpoints().len() <= SDP_ENDPOINTS);
        assert!(sdp.media_endpoints().iter().all(|endpoint| endpoint.port != 0 && !endpoint.ip.is_unspecified()));
        assert!(codecs(Some(&sdp), Some(&sdp)).len() <= SDP_CODECS);
        for medium in &sdp.media {
            let _ = (medium.ptime(), medium.rtcp(), medium.is_held(), medium.is_t38(), medium.candidates().count());
            assert!(medium.payload_types().all(|pt| pt < 128));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..400)) {
            read_all(&body);
        }

        #[test]
        fn anything_like_a_description_is_read(
            lines in prop::collection::vec(
                "(v=0|c=IN IP[46] [0-9a-f.:/]{0,20}|m=(audio|image) [0-9/]{1,7} (RTP/AVP|udptl) [0-9a-z ]{0,20}|\
                  a=(rtpmap|fmtp|rtcp|candidate|ptime|sendonly):?[0-9a-zA-Z ./-]{0,40})\r?\n?",
                0..20,
            )
        ) {
            read_all(lines.concat().as_bytes());
        }

        #[test]
        fn an_answer_equal_to_the_offer_takes_all_codecs(types in prop::collection::vec(0..20_u8, 1..8)) {
            let list: Vec<String> = types.iter().map(u8::to_string).collect();
            let text = format!("m=audio 4000 RTP/AVP {}\n", list.join(" "));
            let sdp = Sdp::parse(text.as_bytes());
            assert_eq!(codecs(Some(&sdp), Some(&sdp)), codecs(None, Some(&sdp)));
        }
    }
}
