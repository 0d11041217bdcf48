//! Properties that hold for any bytes, and for any spelling of a proper message.

use proptest::prelude::*;

use super::message::unfold;
use super::multipart::{body_parts, sdp_body};
use super::parse::{looks_like_sip, parse_datagram};
use super::{HeaderName, SipMessage};
use crate::limits::SIP_MESSAGE_BYTES;

/// Reads all there is to read, and returns how much text came out.
fn read_all(message: &SipMessage) -> usize {
    let mut length = message.start_line().len() + message.head().len() + message.rest().len();
    length += message.request_uri().map_or(0, |text| text.len()) + message.reason().map_or(0, |text| text.len());
    for (name, text, value) in message.headers() {
        length += text.len() + unfold(value).len() + message.addresses(name).map(|a| a.user().len()).sum::<usize>();
        length += message.seconds(name).is_some() as usize;
        length += message.auths(name).filter_map(|auth| auth.realm()).map(|realm| realm.len()).sum::<usize>();
    }
    for party in [message.from(), message.to()].into_iter().flatten() {
        let uri = party.uri();
        length +=
            party.display().len() + uri.host().len() + uri.headers().iter().count() + party.params().iter().count();
        length += usize::from(uri.port().unwrap_or(0)) + uri.ip().is_some() as usize;
    }
    for via in message.vias() {
        length += via.host().len() + via.transport().len() + via.branch().map_or(0, |branch| branch.len());
        length += via.received().map_or(0, |text| text.len()) + via.rport().is_some() as usize;
    }
    length += message.cseq().map_or(0, |cseq| cseq.number_text().len() + cseq.method().len());
    length += message.contacts().filter_map(|contact| contact.expires()).count();
    length += message.event().map_or(0, |event| event.package().len() + event.id().map_or(0, |id| id.len()));
    length +=
        message.subscription_state().map_or(0, |state| state.state().len() + state.reason().map_or(0, |r| r.len()));
    length +=
        message.reasons().map(|reason| reason.protocol().len() + reason.text().map_or(0, |t| t.len())).sum::<usize>();
    length += message.warnings().map(|warning| warning.agent().len() + warning.text().len()).sum::<usize>();
    length += body_parts(message).map_or(0, |parts| parts.map(|part| part.body.len()).sum());
    length
        + sdp_body(message).map_or(0, <[u8]>::len)
        + message.content_type().map_or(0, |content| content.essence().len())
}

fn check_any(bytes: &[u8], complete: bool) {
    let message = parse_datagram(bytes, complete);
    assert_eq!(message.is_some(), looks_like_sip(bytes), "both doors agree");
    if let Some(message) = message {
        assert!(message.bytes().len() <= bytes.len().min(SIP_MESSAGE_BYTES));
        assert!(message.head().len() + message.body().len() + message.rest().len() <= message.bytes().len());
        assert!(message.memory() <= message.bytes().len() + 200 + 8 * bytes.len());
        read_all(&message);
    }
}

/// How a message is spelled; its meaning does not depend on it.
#[derive(Clone, Debug)]
struct Spelling {
    compact: bool,
    upper: bool,
    space_before_colon: bool,
    fold: bool,
    lf_only: bool,
    leading: usize,
    with_length: bool,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    (any::<[bool; 6]>(), 0..3_usize).prop_map(
        |([compact, upper, space_before_colon, fold, lf_only, with_length], leading)| Spelling {
            compact,
            upper,
            space_before_colon,
            fold,
            lf_only,
            leading,
            with_length,
        },
    )
}

#[derive(Clone, Debug)]
struct Model {
    method: String,
    uri: String,
    display: String,
    user: String,
    from_tag: String,
    call_id: String,
    cseq: u32,
    branches: Vec<String>,
    event: String,
    expires: u32,
    body: Vec<u8>,
}

fn model() -> impl Strategy<Value = Model> {
    let token = "[a-zA-Z0-9.!%*_+`'~-]{1,12}";
    (
        (
            token,
            "sip:[a-z0-9]{1,8}@[a-z]{1,8}\\.test(:[1-9][0-9]{0,3})?(;lr)?",
            "[a-zA-Z ,;<>\\\\\"é]{0,12}",
            "[a-z0-9;&=+$,?/]{1,10}",
        ),
        (token, "[!-~]{1,30}", 0..=0x7fff_ffff_u32, prop::collection::vec("z9hG4bK[a-zA-Z0-9]{1,20}", 1..5)),
        (token, any::<u32>(), prop::collection::vec(any::<u8>(), 0..200)),
    )
        .prop_map(|((method, uri, display, user), (from_tag, call_id, cseq, branches), (event, expires, body))| {
            Model { method, uri, display, user, from_tag, call_id, cseq, branches, event, expires, body }
        })
}

impl Model {
    fn quoted_display(&self) -> String {
        format!("\"{}\"", self.display.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn write(&self, how: &Spelling) -> Vec<u8> {
        let end = if how.lf_only { "\n" } else { "\r\n" };
        let gap = if how.fold { format!("{end} \t") } else { " ".to_owned() };
        let mut text = end.repeat(how.leading);
        text += &format!("{} {} SIP/2.0{end}", self.method, self.uri);
        let mut add = |name: HeaderName, value: String| {
            let long = if how.upper { name.as_str().to_uppercase() } else { name.as_str().to_owned() };
            let name = name.compact().filter(|_| how.compact).map_or(long, |letter| letter.to_string());
            let before = if how.space_before_colon { " \t" } else { "" };
            text += &format!("{name}{before}:{gap}{value}{end}");
        };
        let (now, later) = self.branches.split_at(self.branches.len() / 2);
        let via = |branch: &String| format!("SIP/2.0/UDP 192.0.2.7:5060 ;{gap}branch = {branch}");
        for branch in now {
            add(HeaderName::Via, via(branch));
        }
        add(HeaderName::Via, later.iter().map(via).collect::<Vec<_>>().join(&format!(" ,{gap}")));
        add(
            HeaderName::From,
            format!("{}{gap}<sip:{}@h.test;p=1>{gap};tag={}", self.quoted_display(), self.user, self.from_tag),
        );
        add(HeaderName::To, "<sip:to@h.test>".to_owned());
        add(HeaderName::CallId, self.call_id.clone());
        add(HeaderName::CSeq, format!("{:04}{gap}{}", self.cseq, self.method));
        add(HeaderName::Event, format!("{} ; id=5", self.event));
        add(HeaderName::Expires, self.expires.to_string());
        if how.with_length {
            add(HeaderName::ContentLength, self.body.len().to_string());
        }
        [text.as_bytes(), end.as_bytes(), &self.body].concat()
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), complete: bool) {
        check_any(&bytes, complete);
    }

    #[test]
    fn anything_behind_a_start_line_is_read(
        rest in "(([a-zA-Z-]{0,8}|Via|f|t|m|CSeq|i|l|Event|c|Warning)[ :]{0,2}[!-~ \t\u{0}\u{e9}]{0,30}\r?\n?){0,20}",
        complete: bool,
    ) {
        check_any(format!("INVITE sip:a SIP/2.0\r\n{rest}").as_bytes(), complete);
        check_any(format!("SIP/2.0 200 OK\n{rest}").as_bytes(), complete);
    }

    #[test]
    fn every_spelling_has_the_same_values(model in model(), how in spelling()) {
        let bytes = model.write(&how);
        assert!(looks_like_sip(&bytes));
        let message = parse_datagram(&bytes, true).unwrap();
        assert_eq!(message.method().map(|method| method.as_str()), Some(model.method.as_str()));
        assert_eq!(message.request_uri().as_deref(), Some(model.uri.as_str()));
        assert_eq!(message.call_id().as_deref(), Some(model.call_id.as_str()));
        assert_eq!(message.from_tag().as_deref(), Some(model.from_tag.as_str()));
        assert_eq!(message.to_tag(), None);
        let from = message.from().unwrap();
        assert_eq!(from.display().as_ref(), model.display.as_str());
        assert_eq!(from.user().as_ref(), model.user.as_str());
        assert_eq!(from.uri().params().get("p").as_deref(), Some("1"));
        let cseq = message.cseq().unwrap();
        assert_eq!((cseq.number(), cseq.method().into_owned()), (Some(model.cseq), model.method.clone()));
        let branches: Vec<_> = message.vias().filter_map(|via| via.branch()).map(|branch| branch.into_owned()).collect();
        assert_eq!(&branches, &model.branches);
        assert_eq!(message.top_sent_by().as_deref(), Some("192.0.2.7:5060"));
        assert_eq!(message.event_package().as_deref(), Some(model.event.as_str()));
        assert_eq!(message.event().unwrap().id().as_deref(), Some("5"));
        assert_eq!(message.expires(), Some(model.expires));
        assert_eq!(message.body(), &model.body[..]);
    }

    #[test]
    fn a_mutation_breaks_nothing(
        model in model(),
        how in spelling(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..12),
        complete: bool,
    ) {
        let mut bytes = model.write(&how);
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 if at < bytes.len() => { bytes.remove(at); }
                _ => {}
            }
        }
        check_any(&bytes, complete);
    }

    #[test]
    fn a_cut_message_shows_only_whole_values(model in model(), how in spelling(), at: prop::sample::Index) {
        let bytes = model.write(&how);
        let Some(message) = parse_datagram(&bytes[..at.index(bytes.len())], false) else { return Ok(()) };
        let call_id = message.call_id();
        assert!(call_id.is_none() || call_id.as_deref() == Some(model.call_id.as_str()));
    }
}
