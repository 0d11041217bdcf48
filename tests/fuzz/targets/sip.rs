//! One datagram: parse it, and read everything that can be read of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::SIP_MESSAGE_BYTES;
use sipwatch::sdp::Sdp;
use sipwatch::sip::header::via::is_unique_branch;
use sipwatch::sip::message::unfold;
use sipwatch::sip::multipart::{body_parts, sdp_body};
use sipwatch::sip::parse::{looks_like_sip, parse_datagram};
use sipwatch::sip::uri::Uri;
use sipwatch::sip::{SipMessage, explain};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let message = parse_datagram(bytes, first % 2 == 0);
    assert_eq!(message.is_some(), looks_like_sip(bytes));
    let Some(message) = message else { return };
    assert!(message.bytes().len() <= bytes.len().min(SIP_MESSAGE_BYTES));
    assert!(message.head().len() + message.body().len() + message.rest().len() <= message.bytes().len());
    read_lines(&message);
    read_typed(&message);
    read_bodies(&message);
});

fn read_lines(message: &SipMessage) {
    let _ = (message.start_line(), message.request_uri(), message.reason(), message.call_id(), message.memory());
    assert!(message.notes().texts().count() <= 32);
    for (name, text, value) in message.headers() {
        let _ = (unfold(value), message.header_named(&text), explain::explain(&text));
        let _ = (message.header_text(name), message.seconds(name));
        assert!(!text.contains('\n'));
        for address in message.addresses(name).take(100) {
            let _ = (address.display(), address.uri_text(), address.user(), address.tag());
            read_uri(&address.uri());
        }
        for auth in message.auths(name).take(100) {
            let _ = (
                auth.scheme(),
                auth.realm(),
                auth.username(),
                auth.nonce(),
                auth.qop(),
                auth.algorithm(),
                auth.is_stale(),
            );
        }
    }
}

fn read_uri(uri: &Uri<'_>) {
    let _ = (uri.text(), uri.scheme(), uri.user(), uri.host(), uri.ip(), uri.port(), uri.name());
    assert!(uri.params().iter().all(|param| !param.name().contains('\n') || param.text().len() < usize::MAX));
    assert!(uri.headers().iter().count() <= uri.text().len());
}

fn read_typed(message: &SipMessage) {
    let _ = (message.from_tag(), message.to_tag(), message.top_sent_by(), message.event_package(), message.expires());
    if let Some(branch) = message.top_branch() {
        let _ = is_unique_branch(&branch);
    }
    if let Some(cseq) = message.cseq() {
        let _ = (cseq.method(), cseq.in_range());
        assert!(cseq.number().is_none_or(|number| number.to_string() == cseq.number_text()));
    }
    for via in message.vias() {
        let _ = (via.transport(), via.sent_by(), via.host(), via.ip(), via.port(), via.received(), via.rport());
        let _ = (via.branch(), via.params().iter().count());
    }
    for contact in message.contacts() {
        let _ = (contact.expires(), contact.addr.user());
    }
    if let Some(event) = message.event() {
        let _ = (event.id(), event.params().iter().count());
    }
    if let Some(state) = message.subscription_state() {
        let _ = (state.state(), state.is("active"), state.reason(), state.expires(), state.retry_after());
    }
    for reason in message.reasons() {
        let _ = (reason.protocol(), reason.cause(), reason.text());
    }
    for warning in message.warnings() {
        let _ = (warning.code(), warning.agent(), warning.text());
    }
}

fn read_bodies(message: &SipMessage) {
    let _ = message.content_type().map(|content| (content.essence(), content.boundary()));
    for part in body_parts(message).into_iter().flatten() {
        let _ = (part.content_type(), part.header("Content-ID"));
        assert!(part.body.len() <= message.body().len());
    }
    if let Some(sdp) = sdp_body(message) {
        let _ = Sdp::parse(sdp).media_endpoints();
    }
}
