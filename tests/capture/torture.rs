//! The torture messages of RFC 4475: what a tolerant monitor must show of each, malformed or not.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sipwatch::sip::message::unfold;
use sipwatch::sip::multipart::{body_parts, sdp_body};
use sipwatch::sip::parse::{looks_like_sip, parse_datagram};
use sipwatch::sip::{HeaderName, Method, Notes, SipMessage};

fn folder() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("SIPWATCH_CORPUS") else {
        let _ = writeln!(std::io::stderr(), "49 torture messages skipped: SIPWATCH_CORPUS is not set");
        return None;
    };
    Some(Path::new(&corpus).join("torture"))
}

/// The message in this file; `None` when it cannot be read or is not shown.
fn message(folder: &Path, name: &str) -> Option<SipMessage> {
    let bytes = fs::read(folder.join(name).with_extension("dat")).ok()?;
    assert!(looks_like_sip(&bytes), "{name}");
    parse_datagram(&bytes, true)
}

/// The fields that the index asks for, as its texts.
fn shown(message: &SipMessage) -> BTreeMap<&'static str, Option<String>> {
    let cseq = message.cseq();
    let mut fields = BTreeMap::from([
        ("call_id", message.call_id().map(|id| id.into_owned())),
        ("cseq", cseq.map(|cseq| cseq.number_text().into_owned())),
        ("cseq_method", cseq.map(|cseq| cseq.method().into_owned())),
    ]);
    match (message.method(), message.status()) {
        (Some(method), _) => {
            fields.insert("kind", Some("request".into()));
            fields.insert("method", Some(method.to_string()));
        }
        (None, status) => {
            fields.insert("kind", Some("response".into()));
            fields.insert("status", status.map(|status| status.to_string()));
        }
    }
    fields
}

#[test]
fn every_message_shows_what_the_index_asks_for() {
    let Some(folder) = folder() else { return };
    let index: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let rows = index["messages"].as_array().unwrap();
    assert_eq!(rows.len(), 49);
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let wanted: BTreeMap<&str, Option<String>> = row["monitor_shows"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(field, value)| {
                let text = value.as_str().map(str::to_owned);
                (field.as_str(), text.or_else(|| value.as_u64().map(|number| number.to_string())))
            })
            .collect();
        assert_eq!(shown(&message(&folder, name).unwrap()), wanted, "{name}");
    }
}

fn texts(values: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    values.map(|text| text.as_ref().to_owned()).collect()
}

#[test]
fn addresses_are_read_as_the_index_says() {
    let Some(folder) = folder() else { return };
    let to_uri = |name: &str| message(&folder, name).unwrap().to().unwrap().uri_text().into_owned();
    assert_eq!(to_uri("badaspec"), "sip:t.watson@example.org");
    assert_eq!(to_uri("baddn"), "sip:t.watson@example.org");
    assert_eq!(to_uri("quotbal"), "sip:j.user@example.com");
    let uri = |name: &str| message(&folder, name).unwrap().request_uri().unwrap().into_owned();
    assert_eq!(uri("ltgtruri"), "sip:user@example.com");
    assert_eq!(uri("lwsruri"), "sip:user@example.com; lr");
    assert_eq!(uri("lwsstart"), "sip:user@example.com");
    let escaped = message(&folder, "esc01").unwrap();
    assert_eq!(escaped.to().unwrap().user(), "user");
    let contact = escaped.contacts().next().unwrap();
    assert_eq!(contact.addr.user(), "caller");
    let lwsdisp = message(&folder, "lwsdisp").unwrap();
    let from = lwsdisp.from().unwrap();
    assert_eq!((from.display().as_ref(), from.uri_text().as_ref()), ("caller", "sip:caller@example.com"));
    let null = message(&folder, "escnull").unwrap();
    let users = texts(null.contacts().map(|contact| contact.addr.user().into_owned()));
    assert_eq!(users.len(), 2);
    assert!(users[0] != users[1] && users.iter().all(|user| user.contains('\0')), "{users:?}");
    let controls = message(&folder, "intmeth").unwrap();
    assert_eq!(controls.to().unwrap().display(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
}

#[test]
fn white_space_everywhere_changes_no_value() {
    let Some(folder) = folder() else { return };
    let message = message(&folder, "wsinv").unwrap();
    assert!(message.notes().is_empty(), "{:?}", texts(message.notes().texts()));
    assert_eq!((message.from_tag().as_deref(), message.to_tag().as_deref()), (Some("98asjd8"), Some("1918181833n")));
    assert_eq!(message.from().unwrap().display(), "J Rosenberg \\\"");
    let hops = texts(message.vias().map(|via| format!("{} {}", via.transport(), via.sent_by())));
    assert_eq!(hops, ["UDP 192.0.2.2", "TCP spindle.example.com", "UDP 192.168.255.111"]);
    assert_eq!(message.top_branch().as_deref(), Some("390skdjuw"));
    let contact = message.contacts().next().unwrap();
    assert_eq!(contact.addr.display(), "Quoted string \"\"");
    assert_eq!(contact.addr.params().get("newparam").as_deref(), Some("newvalue"));
    assert_eq!(message.seconds(HeaderName::MaxForwards), Some(68));
    let folded = message.header_named("newfangledheader").map(unfold);
    assert_eq!(folded.as_deref(), Some("newfangled value continued newfangled value"));
    assert!(sdp_body(&message).is_some_and(|sdp| sdp.starts_with(b"v=0") && sdp.len() == 150));
}

#[test]
fn oddities_are_noted() {
    let Some(folder) = folder() else { return };
    let cases = [
        ("badvers", Notes::VERSION),
        ("bigcode", Notes::STATUS_RANGE),
        ("clerr", Notes::LENGTH_TOO_LARGE),
        ("dblreq", Notes::LENGTH_TOO_SMALL),
        ("insuf", Notes::MANDATORY_MISSING),
        ("ltgtruri", Notes::URI_BRACKETS),
        ("lwsruri", Notes::START_LINE_SPACES),
        ("lwsstart", Notes::START_LINE_SPACES),
        ("trws", Notes::START_LINE_SPACES),
        ("mcl01", Notes::LENGTH_CONFLICT),
        ("mismatch01", Notes::METHOD_MISMATCH),
        ("mismatch02", Notes::METHOD_MISMATCH),
        ("multi01", Notes::REPEATED_HEADER),
        ("ncl", Notes::LENGTH_INVALID),
        ("scalar02", Notes::NUMBER_RANGE),
        ("scalarlg", Notes::NUMBER_RANGE),
    ];
    for (name, note) in cases {
        assert!(
            message(&folder, name).unwrap().notes().contains(note),
            "{name}: {:?}",
            message(&folder, name).unwrap().notes()
        );
    }
    assert_eq!(message(&folder, "dblreq").unwrap().body(), b"");
    assert!(message(&folder, "mcl01").unwrap().body().ends_with(b"to be here.\r\n\r\n"));
    assert!(message(&folder, "clerr").unwrap().body().starts_with(b"v=0"));
}

#[test]
fn the_rest_is_read_as_the_index_says() {
    let Some(folder) = folder() else { return };
    assert_ne!(message(&folder, "esc02").unwrap().method(), Some(&Method::Register));
    assert_eq!(message(&folder, "esc02").unwrap().contacts().count(), 2);
    let parts = message(&folder, "mpart01").unwrap();
    assert_eq!(body_parts(&parts).map(Iterator::count), Some(2));
    assert_eq!(message(&folder, "longreq").unwrap().vias().count(), 34);
    let transports = message(&folder, "transports").unwrap();
    assert_eq!(texts(transports.vias().map(|via| via.transport())), ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert_eq!(message(&folder, "badinv01").unwrap().vias().count(), 1);
    assert_eq!(message(&folder, "noreason").unwrap().reason().as_deref(), Some(""));
    assert!(message(&folder, "unreason").unwrap().reason().unwrap().starts_with("= 2**3 * 5**2 "));
    let unknown = message(&folder, "regaut01").unwrap();
    let auth = unknown.auths(HeaderName::Authorization).next().unwrap();
    assert_eq!(auth.scheme(), "NoOneKnowsThisScheme");
}
