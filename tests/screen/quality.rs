//! What the pages say of calls that sound well, badly, on one side only, or from behind NAT. The calls are made packet by
//! packet and read as a file, so that every figure on the page follows from what was sent.
#![expect(clippy::unwrap_used, reason = "a test that cannot make its capture has failed")]

use ratatui::style::Color;
use sipwatch::capture::file::FileSource;
use sipwatch::capture::synth::{Agent, Dialog, Path, PcapWriter, Precision, Rng, RtpFaults, RtpSender, Schedule};
use sipwatch::engine::{EngineOptions, analyze};
use sipwatch::packet::{Endpoint, LinkType, Transport};
use sipwatch::store::snapshot::Snapshot;
use sipwatch::time::{Elapsed, Timestamp};

use crate::pages::{screen, text};

/// Packets sent in each direction: half a minute.
const PACKETS: u32 = 1_500;

/// The sizes that every page is looked at in.
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 45)];

fn endpoint(text: &str) -> Endpoint {
    let socket: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(socket.ip(), socket.port())
}

fn agent(user: &str, at: &str) -> Agent {
    Agent {
        user: user.into(),
        display: String::new(),
        domain: "example.com".into(),
        at: endpoint(at),
        software: "phone".into(),
        transport: Transport::Udp,
    }
}

/// How the media of a call goes: where the caller says it receives, where it is on the wire, and what happens to each
/// direction; `None` sends nothing.
struct Media {
    announced: &'static str,
    wire: &'static str,
    there: Option<RtpFaults>,
    back: Option<RtpFaults>,
}

const FINE: RtpFaults =
    RtpFaults { loss_per_mille: 0, jitter: Elapsed::from_millis(4), reorder_per_mille: 0, duplicate_per_mille: 0 };

const HEALTHY: Media =
    Media { announced: "10.1.1.123:4006", wire: "10.1.1.123:4006", there: Some(FINE), back: Some(FINE) };

/// A call from 206 to 208: asked, answered, and half a minute of media. Nobody hangs up.
fn schedule(media: &Media) -> Schedule {
    let start = Timestamp::from_parts(1_463_565_734, 0);
    let at = |millis: i64| start.after(Elapsed::from_millis(millis));
    let mut rng = Rng::new(7);
    let (caller, callee) = (agent("206", "10.1.1.123:5060"), agent("208", "10.1.1.124:5060"));
    let there = Path::new(caller.at, callee.at);
    let (announced, wire, answer) = (endpoint(media.announced), endpoint(media.wire), endpoint("10.1.1.124:5004"));
    let invite = caller.invite("sip:208@example.com", "<sip:208@example.com>", announced, &mut rng);
    let ok = callee.answer(&invite, "b1", answer, &mut rng);
    let mut schedule = Schedule::new();
    schedule.sip(at(0), &there, &invite);
    schedule.sip(at(180), &there.reversed(), &callee.respond(&invite, 180, "Ringing", "b1"));
    schedule.sip(at(3_420), &there.reversed(), &ok);
    schedule.sip(at(3_431), &there, &Dialog::of_caller(&invite, &ok).request("ACK", &caller, &mut rng));
    let sound = Path::new(wire, answer);
    let directions = [(sound.clone(), &media.there), (sound.reversed(), &media.back)];
    for (seed, (path, faults)) in directions.into_iter().enumerate() {
        if let Some(faults) = faults {
            schedule.stream(RtpSender::new(path, at(3_450), PACKETS, *faults, Rng::new(seed as u64 + 1)));
        }
    }
    schedule
}

fn snapshot(name: &str, media: &Media) -> Snapshot {
    let mut schedule = schedule(media);
    let mut writer = PcapWriter::new(Vec::new(), Precision::Micros, LinkType::ETHERNET, 65_535).unwrap();
    let mut frame = Vec::new();
    while let Some(at) = schedule.next_packet(&mut frame) {
        writer.write(at, &frame).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{name}.pcap"));
    std::fs::write(&path, writer.finish().unwrap()).unwrap();
    let source = FileSource::open(&[path.display().to_string()]).unwrap();
    analyze(Box::new(source), &EngineOptions::default()).unwrap()
}

/// The call table with the pane below it, and the call view, at both sizes: all of them hold these words and none of those.
fn pages(name: &str, media: &Media, words: &[&str], others: &[&str]) {
    let snapshot = snapshot(name, media);
    for (width, height) in SIZES {
        let keys = [("table", if height < 36 { "v" } else { "" }), ("view", "<enter>")];
        for (page, keys) in keys {
            let picture = text(&screen(snapshot.clone(), (width, height), keys).render(width, height));
            for word in words {
                assert!(picture.contains(word), "{word:?} is not in\n{picture}");
            }
            for word in others {
                assert!(!picture.contains(word), "{word:?} is in\n{picture}");
            }
            insta::assert_snapshot!(format!("quality_{name}_{page}_{width}"), picture);
        }
    }
}

#[test]
fn a_healthy_call_is_said_to_be_good() {
    pages("healthy", &HEALTHY, &["● good", "4.4", "0.0%", "very satisfied"], &["one-way", "no packets", "NAT"]);
}

#[test]
fn a_lossy_call_shows_loss_and_which_direction_has_it() {
    let faults = RtpFaults { loss_per_mille: 80, jitter: Elapsed::from_millis(15), ..FINE };
    let lossy = Media { back: Some(faults), ..HEALTHY };
    let snapshot = snapshot("lossy", &lossy);
    // Exactly what the generator left out of the way back.
    let lost: Vec<u64> = snapshot.streams.iter().map(|stream| stream.quality.lost).collect();
    let mut sender = RtpSender::new(
        Path::new(endpoint("10.1.1.124:5004"), endpoint("10.1.1.123:4006")),
        Timestamp::from_parts(0, 0),
        PACKETS,
        faults,
        Rng::new(2),
    );
    let mut frame = Vec::new();
    while sender.next_at().is_some() {
        sender.emit(&mut frame);
    }
    assert_eq!(lost.iter().max(), Some(&sender.count().lost));
    let percent = format!("{:.1}%", sender.count().lost as f64 * 100.0 / f64::from(PACKETS));
    pages("lossy", &lossy, &["✗ loss", &percent, "×"], &["● good", "one-way", "no packets", "NAT"]);
}

#[test]
fn figures_are_coloured_from_the_thresholds_on() {
    let faults = RtpFaults { loss_per_mille: 80, ..FINE };
    let snapshot = snapshot("lossy", &Media { back: Some(faults), ..HEALTHY });
    let buffer = screen(snapshot, (160, 45), "").render(160, 45);
    let row: Vec<&str> = (0..160).map(|x| buffer[(x, 4)].symbol()).collect();
    let colour = |text: &str| {
        let at = (0..160 - text.len()).find(|at| row[*at..at + text.len()].concat() == text);
        let at = at.unwrap_or_else(|| panic!("{text} is not in {}", row.concat()));
        buffer[(at as u16, 4)].style().fg
    };
    // Warn below 3.6, error from 5 % on; 1.6 ms of jitter is nothing.
    assert_eq!(colour("3.5"), Some(Color::Yellow));
    assert_eq!(colour("8.5%"), Some(Color::Red));
    assert_eq!(colour("206"), colour("1.6"));
}

#[test]
fn a_one_way_call_says_so_and_since_when() {
    let one_way = Media { back: None, ..HEALTHY };
    let words = ["✗ one-way audio", "no packets since 10:02:17, 0:30"];
    pages("one_way", &one_way, &words, &["● good", "NAT"]);
}

#[test]
fn a_call_from_behind_nat_shows_both_addresses() {
    let nat = Media { announced: "192.168.1.5:4006", wire: "203.0.113.7:31000", ..HEALTHY };
    let words = ["● good, NAT", "NAT: media comes from 203.0.113.7:31000, SDP says 192.168.1.5:4006"];
    pages("nat", &nat, &words, &["one-way", "no packets"]);
}

#[test]
fn the_worst_call_sorts_first_and_those_without_audio_last() {
    let faults = RtpFaults { loss_per_mille: 80, ..FINE };
    let mut snapshot = snapshot("lossy", &Media { back: Some(faults), ..HEALTHY });
    let lossy = snapshot.calls.iter().next().unwrap().key;
    for call in crate::fixture::snapshot().calls.iter() {
        let mut call = (**call).clone();
        call.key = sipwatch::track::call::CallKey(snapshot.calls.next_ordinal());
        snapshot.calls.push(call);
    }
    for column in ["mos", "loss", "jit95"] {
        let mut screen = screen(snapshot.clone(), (160, 45), "");
        let sort = sipwatch::tui::action::Action::SortBy(column);
        for turn in ["up", "down"] {
            screen.act(&sort);
            screen.press("");
            let shown = screen.state().calls.order.shown();
            assert_eq!(shown.first(), Some(&lossy), "{column} {turn}");
        }
    }
    let mut filtered = screen(snapshot, (160, 45), "/mos<4.2 and loss>5<enter>");
    filtered.press("");
    assert_eq!(filtered.state().calls.order.shown(), [lossy]);
}

#[test]
fn the_pane_comes_and_goes_with_its_key_and_leaves_the_rows_their_room() {
    let snapshot = snapshot("healthy", &HEALTHY);
    let page = |size: (u16, u16), keys: &str| text(&screen(snapshot.clone(), size, keys).render(size.0, size.1));
    assert!(!page((80, 24), "").contains("Quality") && page((80, 24), "v").contains("Quality"));
    assert!(page((160, 45), "").contains("Quality") && !page((160, 45), "v").contains("Quality"));
    assert!(!page((40, 12), "v").contains("Quality"), "there is no room");
    assert!(!page((80, 24), "<enter>v").contains("Quality"));
    assert!(!page((80, 24), "<enter>v<esc><enter>").contains("Quality"), "it stays away");
    let ascii = sipwatch::tui::theme::Theme { ascii: true, ..Default::default() };
    let options = sipwatch::tui::Options { utc: true, theme: ascii, ..Default::default() };
    let mut plain = sipwatch::tui::Screen::new(options);
    plain.offer(std::sync::Arc::new(snapshot));
    plain.render(80, 24);
    plain.press("<enter>");
    let plain = text(&plain.render(80, 24));
    let unknown = plain.lines().filter(|line| !line.contains("? help")).any(|line| line.contains('?'));
    assert!(plain.is_ascii() && plain.contains("* good") && !unknown, "{plain}");
}
