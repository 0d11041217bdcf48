//! SDP as the ladder shows it: in short, or all of its lines.

use crate::sdp::Sdp;
use crate::sip::{SipMessage, multipart};
use crate::text::visible;
use crate::tui::widget::raw::shown;

/// Lines shown of one body: a longer one is read in the message.
const MOST_LINES: usize = 60;

/// All SDP lines, fit for the terminal.
pub(super) fn lines(message: &SipMessage) -> Vec<String> {
    let Some(body) = multipart::sdp_body(message) else { return Vec::new() };
    let lines = body.split(|byte| *byte == b'\n').map(|line| shown(line.strip_suffix(b"\r").unwrap_or(line)));
    lines.filter(|line| !line.is_empty()).take(MOST_LINES).collect()
}

/// One line a medium: `audio 10.1.1.123:4006 PCMU telephone-event sendrecv`.
pub(super) fn summary(message: &SipMessage) -> Vec<String> {
    let Some(body) = multipart::sdp_body(message) else { return Vec::new() };
    let sdp = Sdp::parse(body);
    let media = sdp.media.iter().take(MOST_LINES).map(|medium| {
        let host = medium.host().unwrap_or("?");
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let names: Vec<&str> = medium
            .formats()
            .map(|format| {
                let codec = format.parse().ok().and_then(|payload_type| medium.codec(payload_type));
                codec.map_or(format, |codec| codec.name)
            })
            .collect();
        let refused = if medium.port == 0 { " (refused)" } else { "" };
        let (kind, direction) = (medium.kind, medium.direction().name());
        let text = format!("{kind} {host}:{} {} {direction}{refused}", medium.port, names.join(" "));
        visible(&text).into_owned()
    });
    media.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::parse_datagram;

    #[test]
    fn media_are_told_in_one_line_each() {
        let text = "INVITE sip:a@b SIP/2.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
            Content-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4 10.1.1.1\r\na=sendonly\r\n\
            m=audio 4006 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video 0 RTP/AVP 96\r\n\
            c=IN IP6 2001:db8::1\r\na=inactive\r\n\r\n--x--\r\n";
        let message = parse_datagram(text.as_bytes(), true).unwrap();
        assert_eq!(
            summary(&message),
            ["audio 10.1.1.1:4006 PCMU PCMA telephone-event sendonly", "video [2001:db8::1]:0 96 inactive (refused)"]
        );
        assert_eq!(lines(&message).len(), 9);
    }
}
