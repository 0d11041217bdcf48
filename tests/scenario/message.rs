//! One line of a scenario as a SIP message, with all that the line does not say filled in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use sipwatch::packet::{Endpoint, FlowKey};

/// A host letter is an address: `a` is 10.0.0.1; the port is 5060 unless given.
pub fn endpoint(text: &str) -> Endpoint {
    let (host, port) = text.split_once(':').unwrap_or((text, "5060"));
    let letter = host.bytes().next().unwrap();
    assert!(host.len() == 1 && letter.is_ascii_lowercase(), "no host letter: {text}");
    let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, letter - b'a' + 1));
    Endpoint::new(ip, port.parse().unwrap())
}

/// The words behind `src > dst`, and the indented lines below.
pub struct Line<'t> {
    pub flow: FlowKey,
    pub what: &'t str,
    pub options: BTreeMap<&'t str, &'t str>,
    pub flags: Vec<&'t str>,
    pub extra: Vec<&'t str>,
}

impl<'t> Line<'t> {
    pub fn parse(flow: FlowKey, words: &[&'t str], extra: Vec<&'t str>) -> Self {
        let (what, rest) = words.split_first().expect("a method or status");
        let options = rest.iter().filter_map(|word| word.split_once('=')).collect();
        let flags = rest.iter().filter(|word| !word.contains('=')).copied().collect();
        Self { flow, what, options, flags, extra }
    }

    fn option(&self, name: &str, default: &'t str) -> &'t str {
        self.options.get(name).copied().unwrap_or(default)
    }

    /// The message's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let (status, method) = match self.what.split_once('/') {
            Some((status, method)) => (Some(status), method),
            None => (None, self.what),
        };
        let client = if status.is_some() { self.flow.dst } else { self.flow.src };
        let (cseq, to) = (self.option("cseq", "1"), self.option("to", "bob"));
        let uri = format!("sip:{}@example.com", self.option("uri", to));
        let start = match status {
            Some(status) => format!("SIP/2.0 {status} {}", sipwatch::sip::status::phrase(status.parse().unwrap())),
            None => format!("{method} {uri} SIP/2.0"),
        };
        let mut text = format!("{start}\r\n{}\r\n", self.via(client, method, cseq));
        let from_tag = self.option("ft", "f");
        let tag = |tag: &str| if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        text += &format!("From: <sip:{}@example.com>{}\r\n", self.option("from", "alice"), tag(from_tag));
        text += &format!("To: <sip:{to}@example.com>{}\r\n", tag(self.option("tt", "")));
        if !self.flags.contains(&"nameless") {
            text += &format!("Call-ID: {}\r\n", self.option("call", "c1"));
        }
        text += &format!("CSeq: {cseq} {}\r\n", self.option("cm", method));
        let mut body = String::new();
        for line in &self.extra {
            match line.strip_prefix("sdp ") {
                Some(sdp) => body = description(sdp),
                None => text += &format!("{line}\r\n"),
            }
        }
        if !body.is_empty() {
            text += "Content-Type: application/sdp\r\n";
        }
        format!("{text}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn via(&self, client: Endpoint, method: &str, cseq: &str) -> String {
        let sent_by = self.option("by", "");
        let sent_by = if sent_by.is_empty() { client.to_string() } else { sent_by.to_owned() };
        // A CANCEL has the branch of the INVITE; `of=INVITE` says the same of the ACK of a failure.
        let method = self.option("of", if method == "CANCEL" { "INVITE" } else { method });
        let branch = match self.options.get("branch") {
            Some(&"") => String::new(),
            Some(branch) => format!(";branch={branch}"),
            None => format!(";branch=z9hG4bK-{}-{cseq}-{method}", client.ip),
        };
        format!("Via: SIP/2.0/UDP {sent_by}{branch}")
    }
}

/// `a:4000 0 8 101=telephone-event/8000`: one audio medium.
fn description(words: &str) -> String {
    let mut words = words.split_whitespace();
    let media = endpoint(words.next().unwrap());
    let formats: Vec<_> = words.map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
    let numbers: Vec<_> = formats.iter().map(|(number, _)| *number).collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP {2}\r\n",
        media.ip,
        media.port,
        numbers.join(" ")
    );
    for (number, name) in formats.iter().filter(|(_, name)| !name.is_empty()) {
        text += &format!("a=rtpmap:{number} {name}\r\n");
    }
    text
}
