//! Calls from SIP text, drawn on a screen of letters.

use std::collections::HashMap;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::event::{TcpFact, TcpFactKind};
use crate::packet::{Endpoint, FlowKey, PacketId, Transport};
use crate::sip::Method;
use crate::sip::parse::parse_datagram;
use crate::time::Elapsed;
use crate::track::call::{Call, CallKind, CallState, EndedBy, Fact, Party, Timing};
use crate::track::message::{Message, MessageLog};
use crate::track::stream::{Stream, StreamKey};
use crate::tui::action::Effect;
use crate::tui::keys::call_view::BINDINGS;

/// 2016-05-18T10:02:14Z.
const START: Timestamp = Timestamp::from_parts(1_463_565_734, 103_250_000);

fn endpoint(text: &str) -> Endpoint {
    let text: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(text.ip(), text.port())
}

fn after(millis: i64) -> Timestamp {
    START.after(Elapsed::from_millis(millis))
}

/// A call put together message by message, as the tracker would.
struct Scene {
    call: Call,
    log: MessageLog,
    packet: u64,
    branches: HashMap<String, u16>,
    transactions: HashMap<String, u16>,
    seen: HashMap<(Vec<u8>, FlowKey), u32>,
}

impl Scene {
    fn new(key: u64, from: &str, to: &str) -> Self {
        let party = |user: &str| Party { user: user.into(), uri: format!("sip:{user}@h").into(), display: "".into() };
        let call = Call {
            key: CallKey(key),
            call_id: format!("call-{key}@example.com").into(),
            kind: CallKind::Invite,
            method: Method::Invite,
            from: party(from),
            to: party(to),
            src: endpoint("10.1.1.123:5060"),
            dst: endpoint("10.1.1.68:5060"),
            transport: Transport::Udp,
            state: CallState::InCall,
            status: None,
            reason: "".into(),
            ended_by: None,
            cause: None,
            started: START,
            last: START,
            ended: None,
            timing: Timing::default(),
            message_count: 0,
            retransmissions: 0,
            branches: 1,
            forwarded: 0,
            dialogs: Vec::new(),
            codecs: vec!["PCMU".into()].into(),
            streams: Vec::new(),
            subscription: None,
            identities: Arc::default(),
            messages: Arc::default(),
            facts: Arc::default(),
        };
        Self {
            call,
            log: MessageLog::default(),
            packet: key * 1000,
            branches: HashMap::new(),
            transactions: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// One message, `millis` after the start: `start` is its first line, `via` its branch.
    fn say(&mut self, millis: i64, flow: (&str, &str), start: &str, via: &str, cseq: &str, rest: &str) {
        let text = format!(
            "{start}\nVia: SIP/2.0/UDP {};branch=z9hG4bK{via}\nFrom: \"206\" <sip:206@h>;tag=a1\nTo: <sip:208@h>\n\
             Call-ID: {}\nCSeq: {cseq}\n{rest}",
            flow.0, self.call.call_id
        );
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let (head, body) = (head.replace('\n', "\r\n"), body.replace('\n', "\r\n"));
        let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.raw(millis, flow, text.as_bytes(), via, cseq);
    }

    fn raw(&mut self, millis: i64, flow: (&str, &str), bytes: &[u8], via: &str, cseq: &str) {
        let flow = FlowKey { src: endpoint(flow.0), dst: endpoint(flow.1) };
        let sip = parse_datagram(bytes, true).unwrap();
        self.packet += 1;
        let ordinal = u32::try_from(self.call.message_count).unwrap();
        let method = cseq.split(' ').next_back().unwrap_or_default().replace("ACK", "INVITE");
        let next = u16::try_from(self.transactions.len()).unwrap();
        let transaction = *self.transactions.entry(format!("{via} {method}")).or_insert(next);
        let next = u16::try_from(self.branches.len()).unwrap();
        let repeats = self.seen.get(&(bytes.to_vec(), flow)).copied();
        self.seen.entry((bytes.to_vec(), flow)).or_insert(ordinal);
        self.log.push(Arc::new(Message {
            ordinal,
            at: after(millis),
            packets: [PacketId::new(0, self.packet)].into_iter().collect(),
            flow,
            transport: Transport::Udp,
            repeats,
            transaction,
            branch: *self.branches.entry(via.to_owned()).or_insert(next),
            dialog: None,
            has_sdp: bytes.windows(4).any(|four| four == b"v=0\r"),
            sip,
        }));
        self.call.message_count += 1;
        self.call.last = after(millis);
    }

    fn fact(&mut self, millis: i64, flow: (&str, &str), kind: TcpFactKind) {
        self.packet += 1;
        let flow = FlowKey { src: endpoint(flow.0), dst: endpoint(flow.1) };
        let fact = TcpFact { at: after(millis), packet: PacketId::new(0, self.packet), flow, kind };
        Arc::make_mut(&mut self.call.facts).push(Fact::Tcp(fact));
    }

    fn call(&self) -> Call {
        Call { messages: Arc::new(self.log.clone()), ..self.call.clone() }
    }
}

const SDP: &str = "Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 10.1.1.123\ns=-\nc=IN IP4 10.1.1.123\nt=0 0\n\
    m=audio 4006 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=sendrecv\n";
const A: &str = "10.1.1.123:5060";
const P: &str = "10.1.1.68:5060";
const B: &str = "10.1.1.124:5060";
const INVITE: &str = "INVITE sip:208@victoria.pingtel.com SIP/2.0";

/// A call through a proxy, with a retransmission, RTP, and a BYE from the caller.
fn proxied() -> (Scene, Vec<Stream>) {
    let mut scene = Scene::new(0, "206", "208");
    scene.say(0, (A, P), INVITE, "1", "1 INVITE", SDP);
    scene.say(2, (P, A), "SIP/2.0 100 Trying", "1", "1 INVITE", "");
    scene.say(4, (P, B), INVITE, "2", "1 INVITE", SDP);
    scene.say(180, (B, P), "SIP/2.0 180 Ringing", "2", "1 INVITE", "");
    scene.say(181, (P, A), "SIP/2.0 180 Ringing", "1", "1 INVITE", "");
    scene.say(3_418, (B, P), "SIP/2.0 200 OK", "2", "1 INVITE", SDP);
    scene.say(3_420, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", SDP);
    scene.say(3_920, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", SDP);
    scene.say(3_931, (A, B), "ACK sip:208@10.1.1.124 SIP/2.0", "3", "1 ACK", "");
    scene.say(45_420, (A, B), "BYE sip:208@10.1.1.124 SIP/2.0", "4", "2 BYE", "");
    scene.say(45_433, (B, A), "SIP/2.0 200 OK", "4", "2 BYE", "");
    let stream = |key, src, dst, packets| Stream {
        key: StreamKey(key),
        flow: FlowKey { src: endpoint(src), dst: endpoint(dst) },
        ssrc: 0x6AB2_1E82,
        payload_type: 0,
        codec: Some("PCMU".into()),
        packets,
        payload_bytes: packets * 160,
        first: after(3_940),
        last: after(45_400),
        call: Some(CallKey(0)),
    };
    let streams = vec![
        stream(0, "10.1.1.123:4006", "10.1.1.124:5004", 2_130),
        stream(1, "10.1.1.124:5004", "10.1.1.123:4006", 2_128),
    ];
    scene.call.streams = vec![StreamKey(0), StreamKey(1)];
    scene.call.state = CallState::Completed;
    scene.call.ended_by = Some(EndedBy::Caller);
    scene.call.cause = Some("Q.850;cause=16 Normal call clearing".into());
    scene.call.timing = Timing { answered: Some(after(3_420)), hung_up: Some(after(45_420)), ..Timing::default() };
    scene.call.ended = Some(after(45_433));
    (scene, streams)
}

/// A call that is sent to three phones, the second of which answers.
fn forked() -> Scene {
    let mut scene = Scene::new(1, "206", "sales");
    let phones = ["10.1.1.124:5060", "10.1.1.125:5060", "10.1.1.126:5062"];
    scene.say(0, (A, P), "INVITE sip:sales@h SIP/2.0", "1", "1 INVITE", SDP);
    for (i, phone) in phones.iter().enumerate() {
        scene.say(3 + i as i64, (P, phone), "INVITE sip:sales@h SIP/2.0", &format!("f{i}"), "1 INVITE", SDP);
    }
    for (i, phone) in phones.iter().enumerate() {
        scene.say(90 + 10 * i as i64, (phone, P), "SIP/2.0 180 Ringing", &format!("f{i}"), "1 INVITE", "");
    }
    scene.say(2_000, (phones[1], P), "SIP/2.0 200 OK", "f1", "1 INVITE", SDP);
    scene.say(2_001, (P, A), "SIP/2.0 200 OK", "1", "1 INVITE", SDP);
    scene.say(2_003, (P, phones[0]), "CANCEL sip:sales@h SIP/2.0", "f0", "1 CANCEL", "");
    scene.say(2_010, (phones[0], P), "SIP/2.0 487 Request Terminated", "f0", "1 INVITE", "");
    scene.fact(2_500, ("10.1.1.126:5062", P), TcpFactKind::Rst);
    scene.call.branches = 3;
    scene
}

fn snapshot(calls: Vec<Call>, streams: Vec<Stream>) -> Snapshot {
    let mut snapshot = Snapshot { now: Some(after(60_000)), ..Snapshot::default() };
    for call in calls {
        // A call's key is its ordinal: the ordinals before it belong to calls that are gone.
        while snapshot.calls.next_ordinal() < call.key.0 {
            let gone = snapshot.calls.push(call.clone());
            snapshot.calls.remove(gone);
        }
        snapshot.calls.push(call);
    }
    for stream in streams {
        snapshot.streams.push(stream);
    }
    snapshot
}

/// A view on a terminal of letters.
struct Screen {
    view: CallView,
    snapshot: Snapshot,
    theme: Theme,
    terminal: Terminal<TestBackend>,
    effects: Vec<Effect>,
}

impl Screen {
    fn new(snapshot: Snapshot, keys: &[u64], size: (u16, u16)) -> Self {
        let mut view = CallView::open(keys.iter().copied().map(CallKey).collect());
        view.utc = true;
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut screen = Self { view, snapshot, theme: Theme::default(), terminal, effects: Vec::new() };
        screen.draw();
        screen
    }

    fn draw(&mut self) -> Hits {
        let mut hits = Hits::default();
        let Self { view, snapshot, theme, terminal, .. } = self;
        terminal.draw(|frame| view.draw(frame, frame.area(), snapshot, theme, &mut hits)).unwrap();
        hits
    }

    fn act(&mut self, action: &CallViewAction) {
        let size = self.terminal.backend().buffer().area;
        let effects = self.view.update(action, &self.snapshot, Size::new(size.width, size.height));
        self.effects.extend(effects);
        self.draw();
    }

    /// Keys as the user types them, by the table; text while a line is open.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            if self.view.wants_text() && key != "enter" && key != "esc" {
                for letter in key.chars() {
                    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                    self.view.text_key(key, &self.snapshot);
                }
            } else if self.view.wants_text() {
                let code = if key == "enter" { KeyCode::Enter } else { KeyCode::Esc };
                let effects = self.view.text_key(KeyEvent::new(code, KeyModifiers::NONE), &self.snapshot);
                self.effects.extend(effects);
            } else {
                let context = self.view.context();
                let bound = |binding: &&crate::tui::keys::Binding| {
                    binding.context == context && binding.keys.split(' ').any(|bound| bound == key)
                };
                let binding = BINDINGS.iter().find(bound).unwrap_or_else(|| panic!("{key} in {context:?}"));
                let Action::CallView(action) = &binding.action else { panic!("{key}") };
                self.act(action);
            }
            self.draw();
        }
        self
    }

    fn row(&self, y: u16) -> String {
        let buffer = self.terminal.backend().buffer();
        (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned()
    }

    fn page(&self) -> String {
        let height = self.terminal.backend().buffer().area.height;
        (0..height).map(|y| self.row(y) + "\n").collect()
    }

    /// The row that holds this text, and the cell where it begins.
    fn find(&self, text: &str) -> (u16, u16) {
        let height = self.terminal.backend().buffer().area.height;
        let found = (0..height).find_map(|y| {
            let row = self.row(y);
            row.find(text).map(|at| (u16::try_from(row[..at].chars().count()).unwrap(), y))
        });
        found.unwrap_or_else(|| panic!("{text} is not in\n{}", self.page()))
    }

    fn style(&self, text: &str) -> ratatui::style::Style {
        let at = self.find(text);
        self.terminal.backend().buffer()[at].style()
    }
}

fn proxied_screen(size: (u16, u16)) -> Screen {
    let (scene, streams) = proxied();
    Screen::new(snapshot(vec![scene.call()], streams), &[0], size)
}

fn forked_screen(size: (u16, u16)) -> Screen {
    Screen::new(snapshot(vec![forked().call()], Vec::new()), &[1], size)
}

fn merged_screen(size: (u16, u16)) -> Screen {
    let (scene, streams) = proxied();
    Screen::new(snapshot(vec![scene.call(), forked().call()], streams), &[0, 1], size)
}

/// A call that failed: the callee is busy.
fn busy() -> Scene {
    let mut scene = Scene::new(0, "206", "209");
    scene.say(0, (A, P), "INVITE sip:209@h SIP/2.0", "1", "1 INVITE", SDP);
    scene.say(60, (P, A), "SIP/2.0 486 Busy Here", "1", "1 INVITE", "Warning: 399 h \"line 1 in use\"\n");
    scene.say(62, (A, P), "ACK sip:209@h SIP/2.0", "1", "1 ACK", "");
    scene.call.state = CallState::Failed;
    (scene.call.status, scene.call.reason) = (Some(486), "Busy Here".into());
    scene
}

#[test]
fn pages_at_80_columns() {
    let mut screen = proxied_screen((80, 21));
    insta::assert_snapshot!("ladder_80", screen.page());
    screen.keys("d t j j j j");
    insta::assert_snapshot!("ladder_80_sdp_delta", screen.page());
    screen.keys("d home");
    insta::assert_snapshot!("ladder_80_sdp_whole", screen.page());
    screen.keys("d r");
    insta::assert_snapshot!("raw_80", screen.page());
    screen.keys("r space end k k space");
    insta::assert_snapshot!("diff_80", screen.page());
}

#[test]
fn pages_with_the_message_beside() {
    let mut screen = proxied_screen((120, 37));
    insta::assert_snapshot!("ladder_120", screen.page());
    screen.keys("j j j j j j");
    insta::assert_snapshot!("ladder_120_retransmitted", screen.page());
    let mut screen = proxied_screen((160, 42));
    screen.keys("j j space j j j j space");
    insta::assert_snapshot!("diff_160", screen.page());
    screen.keys("esc");
    insta::assert_snapshot!("ladder_160", screen.page());
}

#[test]
fn pages_of_small_screens_and_of_forks() {
    insta::assert_snapshot!("ladder_40", proxied_screen((40, 12)).page());
    let mut screen = forked_screen((80, 21));
    insta::assert_snapshot!("fork_80", screen.page());
    screen.keys("right right");
    insta::assert_snapshot!("fork_80_scrolled", screen.page());
    insta::assert_snapshot!("merged_120", merged_screen((120, 30)).page());
    let mut screen = merged_screen((80, 21));
    screen.theme.ascii = true;
    screen.draw();
    insta::assert_snapshot!("merged_80_ascii", screen.page());
    assert!(screen.page().is_ascii(), "{}", screen.page());
}

#[test]
fn the_start_line_and_the_hop_of_the_selected_message_are_readable_at_80x24() {
    let mut screen = proxied_screen((80, 21));
    assert!(screen.page().contains(INVITE));
    screen.keys("end k");
    assert!(screen.page().contains("#11  10:02:59.536250  10.1.1.124:5060 → 10.1.1.123:5060"), "{}", screen.page());
}

#[test]
fn colours_tell_classes_branches_and_calls() {
    let mut screen = Screen::new(snapshot(vec![busy().call()], Vec::new()), &[0], (80, 21));
    let colour = |screen: &Screen, text: &str| screen.style(text).fg;
    screen.keys("end");
    assert_eq!(colour(&screen, "INVITE (SDP)"), Some(Color::Cyan));
    assert_eq!(colour(&screen, "486 Busy Here │"), Some(Color::Red));
    let mut screen = forked_screen((120, 30));
    screen.keys("end b");
    assert_eq!(screen.effects, [Effect::Say("Colours by branch".to_owned())]);
    let (x, _) = screen.find("INVITE (SDP) ✓");
    let buffer = screen.terminal.backend().buffer();
    let branches: std::collections::HashSet<Color> = (3..6).map(|y| buffer[(x, y)].fg).collect();
    assert_eq!(branches.len(), 3, "the three branches have colours of their own");
    assert_eq!(colour(&screen, "✓"), Some(Color::Green));
    let merged = merged_screen((120, 30));
    assert_ne!(colour(&merged, "206 → 208"), colour(&merged, "206 → sales"));
}

#[test]
fn the_selected_row_is_reversed_and_retransmissions_are_marked() {
    let mut screen = proxied_screen((80, 21));
    assert!(screen.style("10:02:14.103").add_modifier.contains(Modifier::REVERSED));
    assert!(!screen.style("10:02:14.105").add_modifier.contains(Modifier::REVERSED));
    assert_eq!(screen.style("×2").fg, Some(Color::Yellow));
    screen.keys("R");
    let page = screen.page();
    assert!(page.contains("10:02:18.023 │◀───────── 200 OK (SDP) ×2 │"), "{page}");
    assert!(page.contains("10:02:17.523 │◀──────────── 200 OK (SDP) │"), "{page}");
}

#[test]
fn without_colours_nothing_is_coloured() {
    let mut screen = merged_screen((160, 42));
    screen.theme.no_color = true;
    screen.draw();
    let buffer = screen.terminal.backend().buffer();
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

#[test]
fn the_cursor_stays_on_its_message_while_rows_arrive_and_follows_at_the_end() {
    let (mut scene, streams) = proxied();
    let mut screen = Screen::new(snapshot(vec![scene.call()], streams.clone()), &[0], (80, 12));
    screen.keys("j j");
    let selected = screen.view.cursor;
    scene.say(50_000, (A, B), "OPTIONS sip:208@10.1.1.124 SIP/2.0", "9", "3 OPTIONS", "");
    scene.say(1, (A, P), "OPTIONS sip:early@h SIP/2.0", "8", "4 OPTIONS", "");
    screen.snapshot = snapshot(vec![scene.call()], streams.clone());
    screen.draw();
    assert_eq!(screen.view.cursor, selected);
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(2));
    screen.keys("end");
    let end = screen.view.cursor;
    scene.call.state = CallState::InCall;
    scene.say(60_000, (A, B), "MESSAGE sip:208@10.1.1.124 SIP/2.0", "7", "5 MESSAGE", "");
    screen.snapshot = snapshot(vec![scene.call()], streams);
    screen.draw();
    assert_ne!(screen.view.cursor, end);
    assert!(screen.page().contains("MESSAGE sip:208@10.1.1.124"), "{}", screen.page());
}

#[test]
fn the_model_is_made_anew_only_when_a_call_changed() {
    let mut screen = proxied_screen((80, 21));
    let version = screen.view.page.version;
    screen.keys("j j t b u pgdn");
    assert_eq!(screen.view.page.version, version);
    screen.snapshot.calls.get_mut(0).unwrap().message_count += 1;
    screen.draw();
    assert_eq!(screen.view.page.version, version + 1);
}

#[test]
fn search_finds_while_typing_goes_round_and_marks_what_it_found() {
    let mut screen = proxied_screen((120, 37));
    screen.keys("/ ringing");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(3));
    assert!(screen.page().contains("search: ringing"));
    screen.keys("enter n");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    screen.keys("n");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(3));
    screen.keys("N");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    let (x, y) = screen.find("SIP/2.0 180 Ringing");
    let buffer = screen.terminal.backend().buffer();
    assert!(buffer[(x + 12, y)].modifier.contains(Modifier::REVERSED), "the word is marked in the message");
    assert!(!buffer[(x, y)].modifier.contains(Modifier::REVERSED));
    screen.keys("/ nonsense enter");
    assert_eq!(screen.effects, [Effect::Say("No message contains \"nonsense\".".to_owned())]);
    screen.keys("/ bye esc");
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(4));
    assert!(!screen.view.wants_text());
}

#[test]
fn goes_to_packets_and_times() {
    let mut screen = proxied_screen((80, 21));
    let ordinal = |screen: &Screen| screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal);
    for (text, wanted) in [
        ("6", Some(5)),
        ("1:3", Some(2)),
        ("8", Some(6)),
        ("10:02:18.034", Some(8)),
        ("10:02:17", Some(5)),
        ("+0.18", Some(3)),
        ("#1", Some(0)),
    ] {
        screen.keys(&format!("g {text} enter"));
        assert_eq!(ordinal(&screen), wanted, "{text}");
    }
    screen.keys("g 999 enter g what enter");
    assert_eq!(screen.effects.len(), 2);
    assert_eq!(ordinal(&screen), Some(0));
}

#[test]
fn only_messages_with_sdp_and_back_keep_the_cursor_near() {
    let mut screen = proxied_screen((80, 21));
    screen.keys("j j j D");
    assert!(!screen.page().contains("Ringing"), "{}", screen.page());
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(5));
    screen.keys("D");
    assert!(screen.page().contains("Ringing"));
    assert_eq!(screen.view.page.message(screen.view.cursor_at).map(|message| message.ordinal), Some(5));
}

#[test]
fn keys_open_and_close_one_thing_after_the_other() {
    let mut screen = proxied_screen((80, 21));
    screen.keys("enter");
    assert_eq!(screen.view.context(), Context::Raw);
    assert_eq!(screen.row(1), INVITE);
    screen.keys("J");
    assert_eq!(screen.row(1), "SIP/2.0 100 Trying");
    screen.keys("esc");
    assert_eq!(screen.view.context(), Context::CallView);
    screen.keys("space j space");
    assert_eq!(screen.view.context(), Context::Diff);
    screen.keys("y q ctrl-w y esc");
    let [Effect::Copy(diff), Effect::Say(_), Effect::Copy(raw), Effect::Say(_), Effect::CloseCallView] =
        screen.effects.as_slice()
    else {
        panic!("{:?}", screen.effects)
    };
    assert!(diff.contains("+ SIP/2.0 180 Ringing\n") || diff.contains("+ INVITE"), "{diff}");
    assert!(raw.starts_with("INVITE sip:208@victoria") && raw.ends_with("a=sendrecv\r\n"), "{raw}");
}

#[test]
fn a_click_selects_the_row_and_the_wheel_moves_what_is_under_it() {
    let mut screen = proxied_screen((120, 16));
    let hits = screen.draw();
    let Some(Action::CallView(action)) = hits.find(20, 5).cloned() else { panic!("no row there") };
    screen.act(&action);
    assert_eq!(screen.view.cursor_at, 3);
    screen.act(&CallViewAction::Wheel { at: (20, 5), rows: -2 });
    assert_eq!(screen.view.cursor_at, 1);
    screen.keys("home");
    screen.act(&CallViewAction::Wheel { at: (100, 5), rows: 3 });
    assert_eq!((screen.view.cursor_at, screen.view.message.scroll), (0, 3));
    screen.keys(", .");
    assert_eq!(screen.view.message.scroll, 4);
}

#[test]
fn related_calls_are_added_and_taken_away() {
    let mut other = Scene::new(1, "206", "+4420");
    let tie = "X-CID: call-0@example.com\n";
    other.say(10, (P, "10.9.9.9:5060"), "INVITE sip:+4420@trunk SIP/2.0", "b", "1 INVITE", tie);
    let mut stranger = Scene::new(2, "1", "2");
    stranger.say(10, (P, "10.9.9.9:5060"), "INVITE sip:2@trunk SIP/2.0", "c", "1 INVITE", "");
    let calls = vec![busy().call(), other.call(), stranger.call()];
    let mut screen = Screen::new(snapshot(calls, Vec::new()), &[0], (120, 30));
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(0), CallKey(1)]);
    assert!(screen.page().contains("10.9.9.9"), "{}", screen.page());
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(0)]);
    let mut screen = Screen::new(screen.snapshot, &[1], (120, 30));
    screen.keys("x");
    assert_eq!(screen.view.keys(), [CallKey(1), CallKey(0)], "the tie works from both ends");
}

#[test]
fn what_a_status_means_is_explained_over_the_ladder() {
    let mut screen = Screen::new(snapshot(vec![busy().call()], Vec::new()), &[0], (80, 21));
    screen.keys("j e");
    assert!(screen.page().contains("│ 486 Busy Here"), "{}", screen.page());
    assert_eq!(screen.view.context(), Context::CallView);
    screen.keys("esc");
    assert!(!screen.page().contains('┌'));
}

#[test]
fn a_call_evicted_while_shown_stays_on_the_screen() {
    let mut screen = proxied_screen((80, 21));
    screen.snapshot.calls.remove(0);
    screen.draw();
    assert!(screen.page().contains(INVITE));
    let gone = Screen::new(Snapshot::default(), &[7], (80, 21));
    assert!(gone.page().contains("no longer kept"));
}

#[test]
fn no_control_byte_reaches_the_screen() {
    let mut scene = Scene::new(0, "206", "\u{1b}[31m");
    let evil = b"INVITE sip:\x1b]0;x\x07@b SIP/2.0\r\nVia: \x9b31m\r\nCall-ID: \x00\xff\r\nCSeq: 1 INVITE\r\n\
        Subject: \xe2\x80\xae\x08\x0b\x7f\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 \x1b[2J\r\n\
        m=audio\x1b 1 RTP/AVP 0\r\na=\x07\x00\xc2\x9b\r\n";
    scene.raw(0, (A, P), evil, "1", "1 INVITE");
    scene.raw(5, (P, A), b"SIP/2.0 200 \x1b[5m\r\nCall-ID: \x00\xff\r\nCSeq: 1 INVITE\r\n\r\n", "1", "1 INVITE");
    (scene.call.state, scene.call.status, scene.call.reason) = (CallState::Failed, Some(500), "\u{1b}[5m".into());
    scene.call.cause = Some("\u{7}\u{9b}".into());
    scene.call.call_id = "\u{0}\u{1b}".into();
    scene.call.codecs = vec!["\u{1b}X".into()].into();
    for size in [(80, 21), (160, 42)] {
        let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], size);
        for keys in ["d", "d", "r", "r", "space j space", "esc", "/ x enter", "end"] {
            screen.keys(keys);
            let buffer = screen.terminal.backend().buffer();
            let raw =
                buffer.content.iter().find(|cell| cell.symbol().chars().any(|ch| ch.is_control() || ch == '\u{202e}'));
            assert!(raw.is_none(), "{raw:?} after {keys}");
        }
    }
}

#[test]
fn a_call_of_ten_thousand_messages_draws_what_is_on_the_screen() {
    let mut scene = Scene::new(0, "206", "208");
    for i in 0..10_000 {
        let start = format!("NOTIFY sip:{i}@h SIP/2.0");
        scene.say(i * 10, (P, A), &start, &i.to_string(), &format!("{i} NOTIFY"), "");
    }
    let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], (80, 21));
    assert_eq!(screen.view.page.items.len(), 1_001, "first and newest ones and the gap");
    screen.keys("g 200 enter j");
    assert!(screen.page().contains("9000 messages left out"), "{}", screen.page());
    let hits = screen.draw();
    assert!((0..21).filter(|y| hits.find(40, *y).is_some()).count() <= 16);
    screen.keys("end");
    assert!(screen.page().contains("sip:9999@h"));
}

fn any_action() -> impl Strategy<Value = CallViewAction> {
    let bound: Vec<CallViewAction> = BINDINGS
        .iter()
        .filter_map(|binding| match &binding.action {
            Action::CallView(action) => Some(action.clone()),
            _ => None,
        })
        .collect();
    prop_oneof![
        8 => proptest::sample::select(bound),
        1 => (0_u16..200, 0_u16..60, -9..9).prop_map(|(x, y, rows)| CallViewAction::Wheel { at: (x, y), rows }),
        1 => any::<i32>().prop_map(CallViewAction::Move),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_action_at_any_size_panics(
        steps in proptest::collection::vec((any_action(), 0_u16..200, 0_u16..60, "[a-z0-9:+.#]{0,4}"), 1..40),
        merged in any::<bool>(),
    ) {
        let mut screen = if merged { merged_screen((80, 24)) } else { proxied_screen((1, 1)) };
        for (action, width, height, text) in steps {
            screen.terminal.backend_mut().resize(width, height);
            screen.act(&action);
            if screen.view.wants_text() {
                for letter in text.chars() {
                    screen.view.text_key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), &screen.snapshot);
                }
                let code = if width % 2 == 0 { KeyCode::Enter } else { KeyCode::Esc };
                screen.view.text_key(KeyEvent::new(code, KeyModifiers::NONE), &screen.snapshot);
            }
            screen.draw();
        }
    }
}
