//! SIP messages as text, built header by header.

use std::borrow::Cow;
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    Request { method: Cow<'static, str>, uri: String },
    Response { status: u16, reason: Cow<'static, str> },
}

/// A request or response; header lines keep the order in which they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    start: Start,
    headers: Vec<(Cow<'static, str>, String)>,
    body: String,
}

impl Message {
    /// A request without any header.
    pub fn request(method: impl Into<Cow<'static, str>>, uri: impl Into<String>) -> Self {
        Self {
            start: Start::Request { method: method.into(), uri: uri.into() },
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// The response to a request: Via, From, To, Call-ID and CSeq are taken over (RFC 3261, section 8.2.6.2), and
    /// Record-Route where the response makes a dialog (section 12.1.1). A tag is added to To unless it has one.
    pub fn reply(&self, status: u16, reason: impl Into<Cow<'static, str>>, to_tag: Option<&str>) -> Self {
        let makes_dialog = (101..300).contains(&status);
        let mut response = Self {
            start: Start::Response { status, reason: reason.into() },
            headers: Vec::with_capacity(self.headers.len() + 4),
            body: String::new(),
        };
        for (name, value) in &self.headers {
            let value = match (name.as_ref(), to_tag) {
                ("Via" | "From" | "Call-ID" | "CSeq", _) | ("To", None) => value.clone(),
                ("To", Some(_)) if value.contains(";tag=") => value.clone(),
                ("To", Some(tag)) => format!("{value};tag={tag}"),
                ("Record-Route", _) if makes_dialog => value.clone(),
                _ => continue,
            };
            response.headers.push((name.clone(), value));
        }
        response
    }

    /// Adds a header line at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it a body.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<String>) -> Self {
        self.body = body.into();
        self.with("Content-Type", content_type)
    }

    /// Adds a header line in front of all others of that name, or at the very front if there is none.
    pub fn put_first(&mut self, name: &'static str, value: impl Into<String>) {
        let at = self.headers.iter().position(|(n, _)| n == name).unwrap_or(0);
        self.headers.insert(at, (name.into(), value.into()));
    }

    /// Replaces the first header line of that name, or adds it.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        match self.headers.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.headers.push((name.into(), value.into())),
        }
    }

    /// Takes the first header line of that name out.
    pub fn take_first(&mut self, name: &str) -> Option<String> {
        let at = self.headers.iter().position(|(n, _)| n == name)?;
        Some(self.headers.remove(at).1)
    }

    /// The first header line of that name; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All header lines of that name, in order.
    pub fn all<'m>(&'m self, name: &str) -> impl DoubleEndedIterator<Item = &'m str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The method of a request; for a response, that of its CSeq.
    pub fn method(&self) -> &str {
        match &self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => self.get("CSeq").split_once(' ').map_or("", |(_, method)| method),
        }
    }

    /// The Request-URI; empty for a response.
    pub fn uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    /// Changes the Request-URI of a request.
    pub fn set_uri(&mut self, to: impl Into<String>) {
        if let Start::Request { uri, .. } = &mut self.start {
            *uri = to.into();
        }
    }

    /// The status of a response, `None` for a request.
    pub const fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The text as it goes over the wire, with Content-Length as last header line.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(512 + self.body.len());
        // Writing to a String cannot fail.
        let _ = match &self.start {
            Start::Request { method, uri } => write!(text, "{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => write!(text, "SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n", self.body.len());
        text.push_str(&self.body);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_takes_over_what_it_must_and_nothing_else() {
        let invite = Message::request("INVITE", "sip:208@192.0.2.8")
            .with("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
            .with("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2")
            .with("Record-Route", "<sip:192.0.2.1;lr>")
            .with("From", "<sip:206@192.0.2.1>;tag=a")
            .with("To", "<sip:208@192.0.2.1>")
            .with("Call-ID", "x")
            .with("CSeq", "1 INVITE")
            .with("Subject", "lunch");
        let text = invite.reply(180, "Ringing", Some("b")).text();
        assert_eq!(
            text,
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2\r\nRecord-Route: <sip:192.0.2.1;lr>\r\n\
             From: <sip:206@192.0.2.1>;tag=a\r\nTo: <sip:208@192.0.2.1>;tag=b\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
             Content-Length: 0\r\n\r\n"
        );
        assert!(!invite.reply(100, "Trying", None).text().contains("Record-Route"));
        assert_eq!(invite.reply(486, "Busy Here", None).method(), "INVITE");
    }

    #[test]
    fn the_content_length_is_that_of_the_body() {
        let text = Message::request("MESSAGE", "sip:a@b").with_body("text/plain", "grüß").text();
        assert!(text.contains("Content-Length: 6\r\n\r\ngrüß"));
    }
}
