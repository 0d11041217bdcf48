use proptest::prelude::*;

use super::*;

fn request(method: &str, call_id: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: text/plain\r\n" };
    format!(
        "{method} sip:208@10.1.1.68 SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.1.123;branch=z9hG4bK{call_id}\r\n\
         From: <sip:207@10.1.1.68>;tag=1\r\nTo: <sip:208@10.1.1.68>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What a framer gave: messages with their place, keep-alives, octets skipped.
#[derive(Debug, Default, PartialEq)]
struct All {
    messages: Vec<(String, bool, u64, u64)>,
    keep_alives: usize,
    skipped: u64,
}

impl All {
    fn add(&mut self, framed: Framed) {
        match framed {
            Framed::Message { message, start, end } => {
                assert_eq!(message.bytes().len() as u64, end - start);
                let text = String::from_utf8_lossy(message.bytes()).into_owned();
                self.messages.push((text, message.notes().contains(Notes::CUT), start, end));
            }
            Framed::KeepAlive => self.keep_alives += 1,
            Framed::Skipped { octets, .. } => self.skipped += octets,
        }
    }

    fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|(text, ..)| text.as_str()).collect()
    }
}

/// Octets, or a hole of so many.
enum Piece<'t> {
    Octets(&'t str),
    Hole(u64),
}

fn frame(mut framer: Framer, pieces: &[Piece<'_>]) -> All {
    let mut all = All::default();
    for piece in pieces {
        match piece {
            Piece::Octets(text) => framer.push(text.as_bytes(), &mut |framed| all.add(framed)),
            Piece::Hole(octets) => framer.missing(*octets, &mut |framed| all.add(framed)),
        }
    }
    framer.finish(&mut |framed| all.add(framed));
    all
}

fn frame_text(pieces: &[&str]) -> All {
    let pieces: Vec<_> = pieces.iter().map(|text| Piece::Octets(text)).collect();
    frame(Framer::default(), &pieces)
}

#[test]
fn several_messages_in_one_piece_come_out_with_their_places() {
    let (a, b) = (request("OPTIONS", "a", ""), request("MESSAGE", "b", "hello"));
    let all = frame_text(&[&format!("{a}{b}{a}")]);
    assert_eq!(all.texts(), [&a, &b, &a]);
    let (first, second) = (a.len() as u64, (a.len() + b.len()) as u64);
    assert_eq!((all.messages[1].2, all.messages[1].3), (first, second));
    assert_eq!((all.skipped, all.keep_alives), (0, 0));
}

#[test]
fn line_ends_between_messages_are_keep_alives_and_belong_to_none() {
    let a = request("OPTIONS", "a", "");
    let all = frame_text(&["\r\n\r\n", &a, "\r\n", &format!("\r\n\r\n{a}")]);
    assert_eq!((all.texts(), all.keep_alives, all.skipped), (vec![a.as_str(), &a], 3, 0));
}

#[test]
fn first_octets_alone_and_every_other_cut_change_nothing() {
    let text = format!("{}{}", request("INVITE", "a", "v=0\r\n"), request("BYE", "b", ""));
    let whole = frame_text(&[&text]);
    for cut in 1..text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(frame_text(&[head, tail]), whole, "cut at {cut}");
    }
}

#[test]
fn a_message_without_content_length_ends_at_the_next_start_line() {
    let bare = request("OPTIONS", "a", "").replace("Content-Length: 0\r\n", "");
    let with_body = request("MESSAGE", "b", "hello\r\n").replace("Content-Length: 7\r\n", "");
    let all = frame_text(&[&format!("{bare}{with_body}{bare}"), &with_body]);
    assert_eq!(all.texts(), [&bare, &with_body, &bare, &with_body]);
    assert_eq!(all.skipped, 0);
}

#[test]
fn a_body_without_length_may_come_in_any_pieces() {
    let open = request("MESSAGE", "a", "line of text\r\nSIP/2.0 is none\r\n").replace("Content-Length: 31\r\n", "");
    assert!(!open.contains("Content-Length"));
    let text = format!("{open}{}", request("OPTIONS", "b", ""));
    let whole = frame_text(&[&text]);
    assert_eq!((whole.texts()[0], whole.messages[0].1, whole.skipped), (open.as_str(), false, 0));
    for cut in 1..text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(frame_text(&[head, tail]), whole, "cut at {cut}");
    }
}

#[test]
fn a_body_without_length_ends_when_nothing_more_comes_and_is_cut_by_a_hole() {
    let open = request("MESSAGE", "a", "hello").replace("Content-Length: 5\r\n", "");
    let next = request("OPTIONS", "b", "");
    for notes in [Notes::LENGTH_MISSING, Notes::CUT] {
        let mut framer = Framer::default();
        let mut given = Vec::new();
        framer.push(open.as_bytes(), &mut |framed| given.push(framed));
        assert!(framer.is_open_ended() && given.is_empty());
        match notes {
            Notes::CUT => framer.missing(40, &mut |framed| given.push(framed)),
            _ => framer.come_to_rest(&mut |framed| given.push(framed)),
        }
        framer.push(next.as_bytes(), &mut |framed| given.push(framed));
        let messages: Vec<_> = given
            .iter()
            .filter_map(|framed| match framed {
                Framed::Message { message, .. } => Some(message),
                _ => None,
            })
            .collect();
        assert_eq!(
            messages.iter().map(|message| message.bytes()).collect::<Vec<_>>(),
            [open.as_bytes(), next.as_bytes()]
        );
        assert!(messages[0].notes().contains(notes));
        assert_eq!(messages[0].notes().contains(Notes::CUT), notes == Notes::CUT);
        assert!(!framer.is_open_ended() && framer.memory() == 0);
    }
}

#[test]
fn an_endless_body_without_length_is_cut_at_the_limit() {
    let open = request("MESSAGE", "a", "hello").replace("Content-Length: 5\r\n", "");
    let mut framer = Framer::default();
    let mut all = All::default();
    framer.push(open.as_bytes(), &mut |framed| all.add(framed));
    for _ in 0..1_000 {
        framer.push(&[b'x'; 1_000], &mut |framed| all.add(framed));
        assert!(framer.memory() <= SIP_MESSAGE_BYTES);
    }
    framer.finish(&mut |framed| all.add(framed));
    assert_eq!((all.messages.len(), all.messages[0].0.len(), all.messages[0].1), (1, SIP_MESSAGE_BYTES, true));
    assert_eq!(all.skipped, (open.len() + 1_000_000 - SIP_MESSAGE_BYTES) as u64);
}

/// What a hole hides may be the head of a message that quotes another.
#[test]
fn the_first_message_behind_a_hole_is_marked_unless_the_boundary_is_known() {
    let text = request("OPTIONS", "a", "");
    let notify = request("NOTIFY", "b", &format!("{}\r\n{}", "x".repeat(200), request("OPTIONS", "quoted", "")));
    for (cut, hole, marks) in [(0, 100, vec![true, false]), (notify.len() - 20, 5, vec![false, false, false])] {
        let mut framer = Framer::default();
        let mut given = Vec::new();
        let mut out = |framed| {
            if let Framed::Message { message, .. } = framed {
                given.push(message.notes().contains(Notes::BEHIND_HOLE));
            }
        };
        framer.push(&notify.as_bytes()[..cut], &mut out);
        framer.missing(hole, &mut out);
        framer.push(&notify.as_bytes()[cut + hole as usize..], &mut out);
        framer.push(text.repeat(if cut == 0 { 1 } else { 2 }).as_bytes(), &mut out);
        assert_eq!(given, marks, "a hole at {cut}");
    }
}

#[test]
fn what_is_passed_over_has_its_own_reason() {
    let reasons = |body: usize, hole: u64| {
        let text = request("NOTIFY", "a", &"x".repeat(body));
        let mut framer = Framer::default();
        let mut reasons = Vec::new();
        let mut out = |framed| {
            if let Framed::Skipped { octets: 1.., why } = framed {
                reasons.push(why);
            }
        };
        framer.push(&text.as_bytes()[..400], &mut out);
        if hole > 0 {
            framer.missing(hole, &mut out);
        }
        framer.push(&text.as_bytes()[400 + hole as usize..], &mut out);
        reasons
    };
    assert_eq!(reasons(1_000, 50), [CUT_BY_HOLE]);
    assert_eq!(reasons(SIP_MESSAGE_BYTES, 0), [TOO_LONG]);
}

#[test]
fn after_junk_the_next_whole_head_is_found_and_a_quoted_status_line_is_not() {
    let a = request("OPTIONS", "a", "");
    let junk = "left over\r\nSIP/2.0 200 OK\r\n\r\nmore\r\n";
    let all = frame_text(&[&a, junk, &a]);
    assert_eq!((all.texts(), all.skipped), (vec![a.as_str(), &a], junk.len() as u64));
}

#[test]
fn a_stream_in_the_middle_begins_at_the_first_start_line() {
    let a = request("OPTIONS", "a", "");
    let pieces = [Piece::Octets("rest of a body\r\nand more"), Piece::Octets("\r\n"), Piece::Octets(&a)];
    let all = frame(Framer::in_the_middle(), &pieces);
    assert_eq!((all.texts(), all.skipped), (vec![a.as_str()], 26));
}

#[test]
fn a_hole_costs_the_message_it_is_in_and_no_other() {
    let (a, b) = (request("MESSAGE", "a", "SIP/2.0 200 OK\r\nhello\r\n"), request("OPTIONS", "b", ""));
    let text = format!("{a}{b}");
    // Inside the body: the boundary is still known.
    let cut = a.len() - 8;
    let all = frame(Framer::default(), &[Piece::Octets(&a[..cut]), Piece::Hole(3), Piece::Octets(&text[cut + 3..])]);
    assert_eq!(all.texts(), [&a[..cut], &b]);
    assert_eq!(all.messages.iter().map(|message| message.1).collect::<Vec<_>>(), [true, false]);
    // Inside the head: looked for.
    let all = frame(Framer::default(), &[Piece::Octets(&a[..60]), Piece::Hole(3), Piece::Octets(&text[63..])]);
    assert_eq!(all.texts(), [&a[..60], &b]);
    // Over the end of one and the start of the next: that one is lost, the third is there.
    let all = frame(
        Framer::default(),
        &[Piece::Octets(&a[..cut]), Piece::Hole(20), Piece::Octets(&text[cut + 20..]), Piece::Octets(&a)],
    );
    assert_eq!(all.texts(), [&a[..cut], &a]);
}

#[test]
fn an_endless_message_is_cut_at_the_limit_and_passed_over() {
    let head = request("MESSAGE", "a", "").replace("Length: 0", "Length: 4294967296");
    let mut framer = Framer::default();
    let mut all = All::default();
    framer.push(head.as_bytes(), &mut |framed| all.add(framed));
    let mut left = 4_294_967_296_u64;
    let block = vec![b'x'; 1 << 20];
    while left > 0 {
        let count = left.min(block.len() as u64);
        framer.push(&block[..count as usize], &mut |framed| all.add(framed));
        left -= count;
        assert!(framer.memory() <= SIP_MESSAGE_BYTES, "{} bytes held", framer.memory());
    }
    let next = request("OPTIONS", "b", "");
    framer.push(next.as_bytes(), &mut |framed| all.add(framed));
    assert_eq!(all.messages.len(), 2);
    assert_eq!((all.messages[0].0.len(), all.messages[0].1), (SIP_MESSAGE_BYTES, true));
    assert_eq!((all.messages[1].0.as_str(), all.messages[1].1), (next.as_str(), false));
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let mut framer = Framer::default();
    let mut all = All::default();
    let line = "X-Endless: header line\r\n";
    framer.push(b"OPTIONS sip:a@b SIP/2.0\r\n", &mut |framed| all.add(framed));
    for _ in 0..SIP_HEAD_BYTES {
        framer.push(line.as_bytes(), &mut |framed| all.add(framed));
        assert!(framer.memory() <= SIP_HEAD_BYTES + line.len());
    }
    assert_eq!((all.messages.len(), all.messages[0].1), (1, true));
    let next = request("OPTIONS", "b", "");
    framer.push(next.as_bytes(), &mut |framed| all.add(framed));
    assert_eq!(all.texts().last(), Some(&next.as_str()));
}

/// A start line longer than any that is waited for, whole, with a sound head below it.
#[test]
fn a_start_line_above_the_limit_is_no_message_and_the_next_one_is_found() {
    let a = request("OPTIONS", "a", "");
    let long = request("OPTIONS", "b", "").replace("sip:208", &format!("sip:{}", "2".repeat(SIP_START_LINE_BYTES)));
    for before in ["", "junk\n"] {
        let all = frame_text(&[&format!("{a}{before}{long}{a}")]);
        assert_eq!((all.texts(), all.skipped), (vec![a.as_str(), &a], (before.len() + long.len()) as u64));
    }
}

/// Every line may begin a message, and none does: looking must not cost the square of their number. This would take minutes.
#[test]
fn lines_that_look_like_start_lines_are_looked_at_once() {
    let line = "A B SIP/2.0\n";
    assert_eq!(candidate(line.repeat(2).as_bytes(), 0), Candidate::No, "no further than to the next start line");
    assert_eq!(candidate(line.as_bytes(), 0), Candidate::Perhaps { from: line.len() });
    for lines in ["\n", ""].map(|end| format!("junk\n{}{end}", line.repeat(5_300)).repeat(40)) {
        let a = request("OPTIONS", "a", "");
        let mut framer = Framer::default();
        let mut all = All::default();
        for segment in format!("{a}{lines}{a}").as_bytes().chunks(1_400) {
            framer.push(segment, &mut |framed| all.add(framed));
        }
        assert_eq!((all.texts(), all.skipped), (vec![a.as_str(), &a], lines.len() as u64));
    }
}

proptest! {
    #[test]
    fn any_cut_of_any_messages_gives_the_same(
        bodies in prop::collection::vec("[a-z \r\n]{0,200}", 1..6),
        cuts in prop::collection::vec(1_usize..400, 0..20),
    ) {
        let texts: Vec<_> = bodies.iter().enumerate().map(|(n, body)| request("MESSAGE", &n.to_string(), body)).collect();
        let stream = texts.concat();
        let mut pieces = Vec::new();
        let mut rest = stream.as_str();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let all = frame_text(&pieces);
        prop_assert_eq!(all.texts(), texts.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(all.skipped, 0);
    }

    #[test]
    fn every_octet_is_accounted_for(
        pieces in prop::collection::vec(prop_oneof!["[A-Z]{1,6} sip:a@b SIP/2.0\r\n", "[a-z]: [a-z]{0,9}\r\n", "\r\n", "l: [0-9]{1,3}\r\n", "[\\x00-\\x7f]{0,40}"], 0..40),
        holes in prop::collection::vec(0_u64..50, 0..40),
    ) {
        let mut framer = Framer::default();
        let mut all = All::default();
        let mut blank = 0;
        for (n, piece) in pieces.iter().enumerate() {
            framer.push(piece.as_bytes(), &mut |framed| all.add(framed));
            blank += piece.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count() as u64;
            if let Some(hole) = holes.get(n).filter(|hole| **hole > 30) {
                framer.missing(*hole, &mut |framed| all.add(framed));
            }
            prop_assert!(framer.memory() <= SIP_MESSAGE_BYTES);
        }
        framer.finish(&mut |framed| all.add(framed));
        let octets: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let told = all.messages.iter().map(|message| message.3 - message.2).sum::<u64>() + all.skipped;
        // Only line ends between messages are in neither.
        prop_assert!(told <= octets && octets <= told + blank, "{} of {} told, {} blank", told, octets, blank);
        prop_assert!(all.messages.windows(2).all(|pair| pair[0].3 <= pair[1].2));
    }
}
