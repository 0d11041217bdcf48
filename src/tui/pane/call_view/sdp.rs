//! SDP as the ladder shows it: in short, or all of its lines.

use crate::tui::widget::raw::shown;

/// Lines shown of one body: a longer one is read in the message.
const MOST_LINES: usize = 60;

/// The SDP lines of a body, also of a multipart one: from each `v=` on, as long as lines look like SDP.
fn sdp_lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut inside = false;
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(move |line| {
        let typed = matches!(line, [kind, b'=', ..] if kind.is_ascii_lowercase());
        inside = typed && (inside || line.starts_with(b"v="));
        inside
    })
}

/// All SDP lines, fit for the terminal.
pub(super) fn lines(body: &[u8]) -> Vec<String> {
    sdp_lines(body).take(MOST_LINES).map(shown).collect()
}

struct Medium {
    kind: String,
    port: String,
    formats: Vec<String>,
    address: String,
    direction: Option<&'static str>,
    names: Vec<(String, String)>,
}

/// One line a medium: `audio 10.1.1.123:4006 PCMU telephone-event sendrecv`.
pub(super) fn summary(body: &[u8]) -> Vec<String> {
    let mut media: Vec<Medium> = Vec::new();
    let (mut address, mut direction) = (String::new(), "sendrecv");
    for line in sdp_lines(body) {
        let text = shown(line);
        let (kind, value) = text.split_once('=').unwrap_or_default();
        match (kind, media.last_mut()) {
            ("m", _) => {
                let mut words = value.split_whitespace().map(str::to_owned);
                let (kind, port) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                let formats = words.skip(1).collect();
                media.push(Medium { kind, port, formats, address: String::new(), direction: None, names: Vec::new() });
            }
            ("c", medium) => {
                let found = value.split_whitespace().nth(2).unwrap_or_default().to_owned();
                *medium.map_or(&mut address, |medium| &mut medium.address) = found;
            }
            ("a", medium) => {
                let found = ["sendrecv", "sendonly", "recvonly", "inactive"].into_iter().find(|word| *word == value);
                match (found, medium) {
                    (Some(found), Some(medium)) => medium.direction = Some(found),
                    (Some(found), None) => direction = found,
                    (None, Some(medium)) => medium.names.extend(rtpmap(value)),
                    (None, None) => {}
                }
            }
            _ => {}
        }
    }
    media.iter().map(|medium| medium.text(&address, direction)).collect()
}

fn rtpmap(value: &str) -> Option<(String, String)> {
    let (number, rest) = value.strip_prefix("rtpmap:")?.split_once(' ')?;
    let name = rest.trim().split('/').next()?;
    Some((number.to_owned(), name.to_owned()))
}

impl Medium {
    fn text(&self, address: &str, direction: &str) -> String {
        let address = if self.address.is_empty() { address } else { &self.address };
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let names: Vec<&str> = self.formats.iter().map(|format| self.name(format)).collect();
        let direction = self.direction.unwrap_or(direction);
        let rejected = if self.port == "0" { " (refused)" } else { "" };
        format!("{} {address}:{} {} {direction}{rejected}", self.kind, self.port, names.join(" "))
    }

    fn name<'a>(&'a self, format: &'a str) -> &'a str {
        let mapped = self.names.iter().find(|(number, _)| number == format);
        match (mapped, format) {
            (Some((_, name)), _) => name,
            (None, "0") => "PCMU",
            (None, "3") => "GSM",
            (None, "4") => "G723",
            (None, "8") => "PCMA",
            (None, "9") => "G722",
            (None, "18") => "G729",
            (None, other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_told_in_one_line_each() {
        let body = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4 10.1.1.1\r\na=sendonly\r\n\
            m=audio 4006 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video 0 RTP/AVP 96\r\n\
            c=IN IP6 2001:db8::1\r\na=inactive\r\n\r\n--x--\r\n";
        assert_eq!(
            summary(body),
            ["audio 10.1.1.1:4006 PCMU PCMA telephone-event sendonly", "video [2001:db8::1]:0 96 inactive (refused)"]
        );
        assert_eq!(lines(body).len(), 9);
        assert_eq!(lines(b"text=5\r\nm=audio"), Vec::<String>::new());
    }
}
