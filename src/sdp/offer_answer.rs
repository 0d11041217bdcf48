//! What offer and answer agree on (RFC 3264).

use super::media::{Codec, Media};
use super::parse::Sdp;
use crate::limits::SDP_CODECS;

/// Encodings that ride along with a codec and are none themselves.
const HELPERS: [&str; 7] = ["telephone-event", "CN", "red", "ulpfec", "flexfec-03", "rtx", "tone"];

/// The codecs that the two sides may use, by name, in the answer's order of preference; each once.
///
/// With both descriptions: the answer's, as far as the offer has them. With one alone: all that it lists (an offer alone
/// is no agreement yet). Media refused with port 0 are left out, as are telephone events, comfort noise and repair data;
/// T.38 is called `T38`.
pub fn codecs(offer: Option<&Sdp<'_>>, answer: Option<&Sdp<'_>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let Some(last) = answer.or(offer) else { return found };
    for (at, medium) in last.media.iter().enumerate().filter(|(_, medium)| medium.port != 0) {
        let offered = if answer.is_some() { offer.and_then(|offer| offer.media.get(at)) } else { None };
        for name in medium_codecs(medium, offered) {
            let is_new = !found.iter().any(|known| known.eq_ignore_ascii_case(&name));
            if is_new && found.len() < SDP_CODECS {
                found.push(name);
            }
        }
    }
    found
}

/// The codecs of one medium that the other side's medium has too; all if there is no other side.
fn medium_codecs(medium: &Media<'_>, offered: Option<&Media<'_>>) -> Vec<String> {
    if medium.is_t38() {
        return vec!["T38".to_owned()];
    }
    if !medium.is_rtp() {
        return Vec::new();
    }
    let known: Vec<Codec<'_>> = offered.map(|offered| rtp_codecs(offered).collect()).unwrap_or_default();
    let is_offered = |codec: &Codec<'_>| {
        offered.is_none()
            || known.iter().any(|other| other.name.eq_ignore_ascii_case(codec.name) && other.clock == codec.clock)
    };
    rtp_codecs(medium).filter(is_offered).map(|codec| codec.name.to_owned()).collect()
}

fn rtp_codecs<'a>(medium: &Media<'a>) -> impl Iterator<Item = Codec<'a>> {
    let is_codec = |codec: &Codec<'_>| !HELPERS.iter().any(|name| name.eq_ignore_ascii_case(codec.name));
    medium.payload_types().take(SDP_CODECS).filter_map(|pt| medium.codec(pt)).filter(is_codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &[u8] = b"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 96 0 8 101\na=rtpmap:96 opus/48000/2\n\
        a=rtpmap:101 telephone-event/8000\nm=video 4002 RTP/AVP 31\n";

    #[test]
    fn the_answer_decides_among_what_was_offered() {
        let offer = Sdp::parse(OFFER);
        let answer = Sdp::parse(
            b"v=0\nc=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 8 18 111 101\na=rtpmap:111 OPUS/48000/2\n\
              a=rtpmap:101 telephone-event/8000\nm=video 0 RTP/AVP 31\n",
        );
        assert_eq!(codecs(Some(&offer), Some(&answer)), ["PCMA", "OPUS"]);
        assert_eq!(codecs(None, Some(&answer)), ["PCMA", "G729", "OPUS"]);
        assert_eq!(codecs(Some(&offer), None), ["opus", "PCMU", "PCMA", "H261"]);
        assert!(codecs(None, None).is_empty());
    }

    #[test]
    fn fax_is_a_codec_of_its_own() {
        let offer = Sdp::parse(b"m=audio 0 RTP/AVP 0\nm=image 4000 udptl t38\n");
        assert_eq!(codecs(Some(&offer), Some(&offer)), ["T38"]);
    }

    #[test]
    fn a_huge_list_of_formats_stays_bounded() {
        let many: String = (0..20_000).map(|n| format!(" {}", n % 128)).collect();
        let text = format!("m=audio 4000 RTP/AVP{many}\n{}", "a=rtpmap:96 x/1\n".repeat(2_000));
        let sdp = Sdp::parse(text.as_bytes());
        assert!(codecs(Some(&sdp), Some(&sdp)).len() <= SDP_CODECS);
    }
}
