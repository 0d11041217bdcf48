//! Who sends what: user agents, their dialogs, and a proxy that stays in the way (RFC 3261, sections 12, 13 and 16).

use super::message::Message;
use super::rng::Rng;
use crate::packet::{Endpoint, Transport};

/// What every phone here allows.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, SUBSCRIBE, REFER, MESSAGE, INFO, UPDATE";

/// A phone, or a server that speaks for itself.
#[derive(Clone, Debug)]
pub struct Agent {
    /// User part of its address of record.
    pub user: String,
    /// Name shown to people; may be empty.
    pub display: String,
    /// Domain of its address of record.
    pub domain: String,
    /// Where it sends from and listens.
    pub at: Endpoint,
    /// Its User-Agent.
    pub software: String,
    /// How it speaks SIP.
    pub transport: Transport,
}

impl Agent {
    /// Its address of record as a URI.
    pub fn aor(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }

    /// Its address of record as a name for From and To, without tag.
    pub fn name(&self) -> String {
        if self.display.is_empty() {
            format!("<{}>", self.aor())
        } else {
            format!("\"{}\" <{}>", self.display, self.aor())
        }
    }

    /// The URI at which it can be reached directly.
    pub fn contact_uri(&self) -> String {
        let uri = format!("sip:{}@{}", self.user, self.at);
        // UDP is what a URI means that names no transport (RFC 3263, section 4.1).
        if self.transport == Transport::Udp { uri } else { format!("{uri};transport={}", self.transport.name()) }
    }

    /// A Via for a request it sends.
    pub fn via(&self, rng: &mut Rng) -> String {
        let transport = self.transport.name().to_uppercase();
        format!("SIP/2.0/{transport} {};branch=z9hG4bK{};rport", self.at, rng.hex(12))
    }

    /// A Call-ID of its own.
    pub fn call_id(&self, rng: &mut Rng) -> String {
        format!("{}{}@{}", rng.hex(16), rng.hex(4), self.at.ip)
    }

    /// A request outside a dialog, with all headers but Contact and those of its method.
    pub fn request(&self, method: &'static str, uri: &str, to: &str, rng: &mut Rng) -> Message {
        Message::request(method, uri)
            .with("Via", self.via(rng))
            .with("Max-Forwards", "70")
            .with("From", format!("{};tag={}", self.name(), rng.hex(8)))
            .with("To", to)
            .with("Call-ID", self.call_id(rng))
            .with("CSeq", format!("{} {method}", rng.range(1, 30_000)))
            .with("User-Agent", self.software.clone())
    }

    /// An INVITE with an offer of PCMU and telephone events at `media`.
    pub fn invite(&self, uri: &str, to: &str, media: Endpoint, rng: &mut Rng) -> Message {
        self.request("INVITE", uri, to, rng)
            .with("Contact", format!("<{}>", self.contact_uri()))
            .with("Allow", ALLOW)
            .with("Supported", "replaces, timer")
            .with_body("application/sdp", sdp(&self.user, media, rng))
    }

    /// The 200 to an INVITE, with the answer at `media`.
    pub fn answer(&self, invite: &Message, tag: &str, media: Endpoint, rng: &mut Rng) -> Message {
        invite
            .reply(200, "OK", Some(tag))
            .with("Contact", format!("<{}>", self.contact_uri()))
            .with("Allow", ALLOW)
            .with("Supported", "replaces")
            .with("User-Agent", self.software.clone())
            .with_body("application/sdp", sdp(&self.user, media, rng))
    }

    /// Any other response that may make a dialog: with Contact and User-Agent.
    pub fn respond(&self, request: &Message, status: u16, reason: &'static str, tag: &str) -> Message {
        let response = request.reply(status, reason, Some(tag));
        let response = if (101..300).contains(&status) {
            response.with("Contact", format!("<{}>", self.contact_uri()))
        } else {
            response
        };
        response.with("User-Agent", self.software.clone())
    }
}

/// A session description with one stream of audio.
fn sdp(user: &str, media: Endpoint, rng: &mut Rng) -> String {
    let family = if media.ip.is_ipv4() { "IP4" } else { "IP6" };
    let id = rng.range(10_000, 99_999);
    format!(
        "v=0\r\no={user} {id} {id} IN {family} {ip}\r\ns=call\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
        ip = media.ip,
        port = media.port,
    )
}

/// One side of a dialog: all it needs to send requests in it (RFC 3261, section 12.2.1).
#[derive(Clone, Debug)]
pub struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
}

impl Dialog {
    /// The side that sent the request; `response` made the dialog.
    pub fn of_caller(request: &Message, response: &Message) -> Self {
        Self {
            call_id: response.get("Call-ID").to_owned(),
            local: response.get("From").to_owned(),
            remote: response.get("To").to_owned(),
            target: uri_of(response.get("Contact")).to_owned(),
            routes: response.all("Record-Route").rev().map(str::to_owned).collect(),
            cseq: cseq_number(request),
        }
    }

    /// The side that answered: `request` as it came there.
    pub fn of_callee(request: &Message, response: &Message, first_cseq: u32) -> Self {
        Self {
            call_id: response.get("Call-ID").to_owned(),
            local: response.get("To").to_owned(),
            remote: response.get("From").to_owned(),
            target: uri_of(request.get("Contact")).to_owned(),
            routes: response.all("Record-Route").map(str::to_owned).collect(),
            cseq: first_cseq,
        }
    }

    /// The dialog's Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The next request in the dialog. An ACK has the number of the INVITE, so it must follow it directly.
    pub fn request(&mut self, method: &'static str, agent: &Agent, rng: &mut Rng) -> Message {
        if method != "ACK" {
            self.cseq += 1;
        }
        let mut message =
            Message::request(method, self.target.clone()).with("Via", agent.via(rng)).with("Max-Forwards", "70");
        for route in &self.routes {
            message = message.with("Route", route.clone());
        }
        message
            .with("From", self.local.clone())
            .with("To", self.remote.clone())
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{} {method}", self.cseq))
            .with("User-Agent", agent.software.clone())
    }
}

/// The URI between the angle brackets.
fn uri_of(value: &str) -> &str {
    value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(uri, _)| uri)
}

fn cseq_number(message: &Message) -> u32 {
    message.get("CSeq").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// The ACK to a final response that is no 2xx: same branch, same hop (RFC 3261, section 17.1.1.3).
pub fn ack_failure(invite: &Message, response: &Message) -> Message {
    hop_request("ACK", invite, response.get("To"))
}

/// The CANCEL of an INVITE: same branch, same hop (RFC 3261, section 9.1).
pub fn cancel(invite: &Message) -> Message {
    hop_request("CANCEL", invite, invite.get("To"))
}

fn hop_request(method: &'static str, invite: &Message, to: &str) -> Message {
    let mut message = Message::request(method, invite.uri())
        .with("Via", invite.get("Via"))
        .with("Max-Forwards", invite.get("Max-Forwards"));
    for route in invite.all("Route") {
        message = message.with("Route", route);
    }
    message
        .with("From", invite.get("From"))
        .with("To", to)
        .with("Call-ID", invite.get("Call-ID"))
        .with("CSeq", format!("{} {method}", cseq_number(invite)))
}

/// A proxy that records its route.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it sends from and listens.
    pub at: Endpoint,
}

impl Proxy {
    /// The request as the proxy keeps it on reception: the top Via tells where it really came from (RFC 3581).
    #[must_use]
    pub fn receive(&self, request: &Message, from: Endpoint) -> Message {
        let mut kept = request.clone();
        let via = request.get("Via").replace(";rport", &format!(";rport={};received={}", from.port, from.ip));
        kept.set("Via", via);
        kept
    }

    /// What the proxy sends on. A request that may make a dialog is sent to `target` with a Record-Route; one inside a
    /// dialog has the proxy's own Route taken off and keeps its target.
    #[must_use]
    pub fn forward(&self, received: &Message, target: Option<&str>, rng: &mut Rng) -> Message {
        let mut sent = received.clone();
        if let Some(target) = target {
            sent.set_uri(target);
            if matches!(received.method(), "INVITE" | "SUBSCRIBE") {
                sent.put_first("Record-Route", self.route());
            }
        } else if received.get("Route") == self.route() {
            sent.take_first("Route");
        }
        sent.put_first("Via", format!("SIP/2.0/UDP {};branch=z9hG4bK{}", self.at, rng.hex(14)));
        let hops: u32 = received.get("Max-Forwards").parse().unwrap_or(70);
        sent.set("Max-Forwards", hops.saturating_sub(1).to_string());
        sent
    }

    /// The response on its way back: the proxy's own Via is taken off.
    #[must_use]
    pub fn back(&self, response: &Message) -> Message {
        let mut sent = response.clone();
        sent.take_first("Via");
        sent
    }

    fn route(&self) -> String {
        format!("<sip:{};lr>", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(user: &str, last: u8) -> Agent {
        Agent {
            user: user.into(),
            display: String::new(),
            domain: "example.com".into(),
            at: Endpoint::new([192, 0, 2, last].into(), 5060),
            software: "Test/1".into(),
            transport: Transport::Udp,
        }
    }

    #[test]
    fn a_bye_from_either_side_goes_through_the_recorded_proxy_to_the_other_contact() {
        let rng = &mut Rng::new(1);
        let (a, b) = (agent("206", 6), agent("208", 8));
        let proxy = Proxy { at: Endpoint::new([192, 0, 2, 1].into(), 5060) };
        let invite = a.invite(&b.aor(), &b.name(), Endpoint::new([192, 0, 2, 6].into(), 4_000), rng);
        let received = proxy.receive(&invite, a.at);
        let sent = proxy.forward(&received, Some(&b.contact_uri()), rng);
        assert_eq!(sent.uri(), "sip:208@192.0.2.8:5060");
        assert_eq!(sent.all("Via").count(), 2);
        assert!(sent.all("Via").nth(1).is_some_and(|via| via.ends_with(";rport=5060;received=192.0.2.6")));
        let ok = b.answer(&sent, "tag", Endpoint::new([192, 0, 2, 8].into(), 4_000), rng);
        let back = proxy.back(&ok);
        assert_eq!(back.all("Via").count(), 1);
        let ack = Dialog::of_caller(&invite, &back).request("ACK", &a, rng);
        assert_eq!((ack.uri(), ack.get("Route")), ("sip:208@192.0.2.8:5060", "<sip:192.0.2.1:5060;lr>"));
        assert_eq!(ack.get("CSeq").replace(" ACK", ""), invite.get("CSeq").replace(" INVITE", ""));
        let bye = Dialog::of_callee(&sent, &ok, 1).request("BYE", &b, rng);
        assert_eq!((bye.uri(), bye.get("Route")), ("sip:206@192.0.2.6:5060", "<sip:192.0.2.1:5060;lr>"));
        assert_eq!((bye.get("From"), bye.get("To")), (ok.get("To"), ok.get("From")));
        let onward = proxy.forward(&proxy.receive(&bye, b.at), None, rng);
        assert_eq!((onward.uri(), onward.get("Route")), (bye.uri(), ""));
    }

    #[test]
    fn cancel_and_the_ack_of_a_failure_share_the_branch_of_their_invite() {
        let rng = &mut Rng::new(1);
        let (a, b) = (agent("206", 6), agent("208", 8));
        let invite = a.invite(&b.aor(), &b.name(), a.at, rng);
        let busy = b.respond(&invite, 486, "Busy Here", "t");
        let ack = ack_failure(&invite, &busy);
        assert_eq!((ack.get("Via"), ack.get("To"), ack.uri()), (invite.get("Via"), busy.get("To"), invite.uri()));
        assert_eq!((cancel(&invite).get("Via"), cancel(&invite).get("To")), (invite.get("Via"), invite.get("To")));
    }
}
