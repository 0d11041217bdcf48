use super::*;

const INVITE: &str = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    f: \"A\" <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: one@192.0.2.1\r\nCSeq: 7 INVITE\r\n";

fn parse(text: &str) -> SipMessage {
    parse_datagram(text.as_bytes(), true).unwrap()
}

fn notes(text: &str) -> Vec<&'static str> {
    parse(text).notes().texts().collect()
}

fn with(headers: &str, body: &str) -> String {
    format!("{INVITE}{headers}\r\n{body}")
}

#[test]
fn a_proper_message_has_no_notes() {
    let message = parse(&with("Content-Length: 4\r\n", "v=0\n"));
    assert!(message.notes().is_empty(), "{:?}", message.notes().texts().collect::<Vec<_>>());
    assert_eq!(
        (message.method(), message.request_uri().as_deref()),
        (Some(&Method::Invite), Some("sip:bob@example.com"))
    );
    assert_eq!((message.call_id().as_deref(), message.body()), (Some("one@192.0.2.1"), &b"v=0\n"[..]));
    assert_eq!((message.from_tag().as_deref(), message.to_tag()), (Some("1"), None));
    assert_eq!(message.start_line(), "INVITE sip:bob@example.com SIP/2.0");
    assert!(message.memory() <= message.bytes().len() + 400, "{}", message.memory());
}

#[test]
fn content_length_decides_within_the_datagram() {
    let body = |length: &str, body: &str| {
        let message = parse(&with(length, body));
        (String::from_utf8_lossy(message.body()).into_owned(), message.notes())
    };
    assert_eq!(body("l: 2\r\n", "abcd"), ("ab".into(), Notes::LENGTH_TOO_SMALL));
    assert_eq!(body("Content-Length: 9999\r\n", "abcd"), ("abcd".into(), Notes::LENGTH_TOO_LARGE));
    assert_eq!(body("Content-Length: -999\r\n", "abcd"), ("abcd".into(), Notes::LENGTH_INVALID));
    assert_eq!(body("Content-Length: 4294967298\r\n", "abcd"), ("abcd".into(), Notes::LENGTH_TOO_LARGE));
    assert_eq!(body("Content-Length: 99999999999999999999999\r\n", "abcd"), ("abcd".into(), Notes::LENGTH_TOO_LARGE));
    assert_eq!(body("", "abcd"), ("abcd".into(), Notes::default()));
    assert_eq!(body("", ""), (String::new(), Notes::default()));
    assert_eq!(body("l: 04\r\nContent-Length: 4\r\n", "abcd").0, "abcd");
    let mut both = Notes::LENGTH_CONFLICT;
    both.insert(Notes::REPEATED_HEADER);
    assert_eq!(body("l: 2\r\nContent-Length: 3\r\n", "abcd"), ("abcd".into(), both));
}

#[test]
fn what_is_behind_the_body_is_kept_but_not_body() {
    let message = parse(&with("Content-Length: 2\r\n", "abINVITE sip:x SIP/2.0\r\n"));
    assert_eq!((message.body(), message.rest()), (&b"ab"[..], &b"INVITE sip:x SIP/2.0\r\n"[..]));
    assert!(message.bytes().ends_with(message.rest()));
    assert!(message.head().ends_with(b"Content-Length: 2"));
}

#[test]
fn a_cut_message_is_not_blamed() {
    let text = with("Content-Length: 400\r\n", "abcd");
    for end in 35..text.len() {
        let message = parse_datagram(&text.as_bytes()[..end], false).unwrap();
        assert_eq!(message.notes(), Notes::CUT, "cut at {end}");
    }
}

#[test]
fn repeated_headers_count_only_when_they_differ() {
    let message = parse(&with("i: two\r\nMax-Forwards: 70\r\nMax-Forwards: 70\r\n", ""));
    assert_eq!((message.notes(), message.call_id().as_deref()), (Notes::REPEATED_HEADER, Some("one@192.0.2.1")));
    assert_eq!(parse(&with("Max-Forwards: 70\r\nMax-Forwards: 70\r\n", "")).notes(), Notes::default());
    assert_eq!(parse(&with("Via: SIP/2.0/UDP 192.0.2.9\r\n", "")).notes(), Notes::default());
}

#[test]
fn oddities_are_told() {
    assert_eq!(notes(&with("", "").replace("7 INVITE", "7 BYE")), ["CSeq method differs from the request line"]);
    assert_eq!(notes(&with("", "").replace("CSeq: 7", "CSeq: 2147483648")), ["number out of range"]);
    assert_eq!(notes(&with("Max-Forwards: 300\r\n", "")), ["number out of range"]);
    assert_eq!(notes(&with("Retry-After: 99999999999999999999 (x)\r\n", "")), ["number out of range"]);
    assert_eq!(notes(&with("", "").replace("Call-ID", "Call-Di")), ["mandatory header missing"]);
    assert_eq!(notes(&with("", "").replace("\r\n", "\n")), ["lines end in LF alone"]);
    assert_eq!(notes(INVITE), ["no empty line after the headers"]);
    assert_eq!(notes(&with("", "").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")), ["version is not SIP/2.0"]);
    assert_eq!(notes(&with("no colon here\r\n", "")), ["line that is no header"]);
}

#[test]
fn a_stray_line_does_not_join_the_header_before_it() {
    let message = parse(&with("Subject: a\r\nstray\r\n: no name\r\n continued\r\nServer: s\r\n", ""));
    assert_eq!(message.header_named("subject"), Some(&b"a"[..]));
    assert_eq!(message.header(HeaderName::Server), Some(&b"s"[..]));
    assert_eq!((message.headers().count(), message.all(HeaderName::Other).count()), (7, 1));
}

#[test]
fn header_lines_beyond_the_cap_are_left_in_the_raw_text() {
    let many = "X: 1\r\n".repeat(SIP_HEADER_LINES);
    let message = parse(&with(&many, "body"));
    assert!(message.notes().contains(Notes::TOO_MANY_HEADERS));
    assert_eq!(message.headers().count(), SIP_HEADER_LINES);
    assert_eq!(message.headers().last().map(|(_, _, value)| value), Some(&b"1"[..]));
    assert_eq!(message.body(), b"body");
}

#[test]
fn start_lines_with_odd_spaces_are_read() {
    let request = |line: &str| {
        let message = parse(&format!("{line}\r\n\r\n"));
        let odd = message.notes().contains(Notes::START_LINE_SPACES);
        (message.request_uri().map(|uri| uri.into_owned()).unwrap(), odd)
    };
    assert_eq!(request("INVITE sip:a@b SIP/2.0"), ("sip:a@b".into(), false));
    assert_eq!(request("INVITE  sip:a@b  SIP/2.0"), ("sip:a@b".into(), true));
    assert_eq!(request("INVITE sip:a@b; lr SIP/2.0"), ("sip:a@b; lr".into(), true));
    assert_eq!(request("INVITE sip:a@b SIP/2.0  "), ("sip:a@b".into(), true));
    assert_eq!(request("INVITE <sip:a@b> SIP/2.0"), ("sip:a@b".into(), false));
    assert!(parse("INVITE <sip:a@b> SIP/2.0\r\n\r\n").notes().contains(Notes::URI_BRACKETS));
}

#[test]
fn a_status_never_wraps() {
    let status = |line: &str| {
        let message = parse(&format!("{line}\r\n\r\n"));
        (message.status().unwrap(), message.reason().unwrap().into_owned())
    };
    assert_eq!(status("SIP/2.0 180 Ringing  now"), (180, "Ringing  now".into()));
    assert_eq!(status("SIP/2.0 100 "), (100, String::new()));
    assert_eq!(status("SIP/2.0 100"), (100, String::new()));
    assert_eq!(status("SIP/2.0 4294967301 x"), (4_294_967_301, "x".into()));
    assert_eq!(status("SIP/2.0 99999999999999999999999 x").0, u64::MAX);
    assert!(parse("SIP/2.0 4294967301 x\r\n\r\n").notes().contains(Notes::STATUS_RANGE));
}

#[test]
fn only_sip_looks_like_sip() {
    for sip in ["\r\n\r\nREGISTER sip:b SIP/2.0\r\n", "sip/2.0 200 OK\r\n", "a b SIP/9", "X-y! tel:1 SIP/2.0\nVia"] {
        assert!(looks_like_sip(sip.as_bytes()), "{sip:?}");
        assert!(parse_datagram(sip.as_bytes(), true).is_some(), "{sip:?}");
    }
    let long = format!("{} sip:a SIP/2.0\r\n", "A".repeat(SIP_METHOD_BYTES + 1));
    let others = [
        "",
        "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: SIP/2.0\r\n",
        "HTTP/1.1 200 OK\r\n",
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\n",
        "DESCRIBE rtsp://a/b RTSP/1.0\r\n",
        "INVITE SIP/2.0\r\n",
        "SIP/2.0 OK\r\n",
        "SIP/ 200 OK\r\n",
        "\0\u{1}\0\u{8}!\u{12}",
        "M-SEARCH * HTTP/1.1\r\n",
        "SIPfrag x y",
        "hello world and some text without an end",
        long.as_str(),
    ];
    for other in others {
        assert!(!looks_like_sip(other.as_bytes()), "{other:?}");
        assert!(parse_datagram(other.as_bytes(), true).is_none(), "{other:?}");
    }
}

#[test]
fn folded_lines_and_spaces_before_the_colon_belong_to_their_header() {
    let message = parse(
        "OPTIONS sip:a SIP/2.0\r\nTO :\r\n sip:b@c ;   tag    = 19n\r\nX:\r\n a\r\n\tb\r\nCSeq  : 0009\r\n  OPTIONS\r\n\r\n",
    );
    assert_eq!(message.to_tag().as_deref(), Some("19n"));
    assert_eq!(
        message.cseq().map(|cseq| (cseq.number_text().into_owned(), cseq.method().into_owned())),
        Some(("9".into(), "OPTIONS".into()))
    );
    let (_, name, value) = message.headers().nth(1).unwrap();
    assert_eq!((name.as_ref(), crate::sip::message::unfold(value).as_ref()), ("X", "a b"));
}
