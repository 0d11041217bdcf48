//! Calls with sound that the test sends itself, packet by packet: what was left out, late or silent is known beforehand, and
//! tcpdump beside us says when each packet came.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::lab::{FAR_IP, Lab, NEAR, NEAR_IP, SIPWATCH, tshark, until};
use super::pty::Terminal;

const SIP: u16 = 5060;
/// RTP port of the far end, which calls.
const FAR_RTP: u16 = 40_000;
/// RTP port of the near end, which answers.
const NEAR_RTP: u16 = 42_000;
/// Sources of the two directions.
const FORWARD: u32 = 0x0F0F_0001;
const BACK: u32 = 0x0B0B_0002;
const CALL_ID: &str = "sound@far.example";

/// Time of sound in a packet.
const PACKET: Duration = Duration::from_millis(20);
/// Samples of 8 kHz in a packet; of PCMU, the octets too.
const SAMPLES: u16 = 160;
const RTP_HEADER: usize = 12;
/// Numbers and timestamps pass their end within a test.
const FIRST_NUMBER: u16 = 65_486;
const FIRST_TIMESTAMP: u32 = u32::MAX - 10_000;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The two ends of a call.
struct Ends {
    far: UdpSocket,
    near: UdpSocket,
    far_rtp: UdpSocket,
    near_rtp: UdpSocket,
}

impl Ends {
    fn of(lab: &Lab) -> Self {
        let ends = Self {
            far: lab.far_socket(SIP),
            near: lab.near_socket(SIP),
            far_rtp: lab.far_socket(FAR_RTP),
            near_rtp: lab.near_socket(NEAR_RTP),
        };
        for socket in [&ends.far, &ends.near] {
            socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        }
        ends
    }

    /// INVITE, 200, ACK, with the ports of the sound in SDP.
    fn call(&self) {
        let (offer, answer) = (sdp(FAR_IP, FAR_RTP), sdp(NEAR_IP, NEAR_RTP));
        self.request("INVITE", 1, "INVITE", &offer);
        self.answer("INVITE", 1, &answer);
        self.request("ACK", 1, "ACK", "");
    }

    /// BYE, 200.
    fn hang_up(&self) {
        self.request("BYE", 2, "BYE", "");
        self.answer("BYE", 2, "");
    }

    fn request(&self, method: &str, number: u32, branch: &str, body: &str) {
        let first = format!("{method} sip:4711@{NEAR_IP} SIP/2.0");
        pass(&self.far, &self.near, &message(&first, method, number, branch, body));
    }

    fn answer(&self, method: &str, number: u32, body: &str) {
        pass(&self.near, &self.far, &message("SIP/2.0 200 OK", method, number, method, body));
    }

    /// Sends every packet when it is due, while `goes_on`; late itself, it does not shift what follows.
    fn talk(&self, packets: &[Packet], goes_on: &AtomicBool, mut sent: impl FnMut(&Packet)) {
        let began = Instant::now();
        let to = |ip: &str, port| SocketAddr::new(ip.parse().expect("an address"), port);
        let (far, near) = (to(FAR_IP, FAR_RTP), to(NEAR_IP, NEAR_RTP));
        for packet in packets {
            thread::sleep((began + packet.due).saturating_duration_since(Instant::now()));
            if !goes_on.load(Ordering::Relaxed) {
                break;
            }
            let (socket, to) = if packet.ssrc == FORWARD { (&self.far_rtp, near) } else { (&self.near_rtp, far) };
            socket.send_to(&packet.bytes(), to).expect("the link takes it");
            sent(packet);
        }
    }
}

/// Sends a message and waits until it has come, so that messages keep their order on the link.
fn pass(from: &UdpSocket, to: &UdpSocket, text: &str) {
    from.send_to(text.as_bytes(), to.local_addr().expect("bound")).expect("the link takes it");
    let length = to.recv(&mut [0; 4_096]).expect("it comes");
    assert_eq!(length, text.len());
}

fn sdp(ip: &str, port: u16) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
}

fn message(first: &str, method: &str, number: u32, branch: &str, body: &str) -> String {
    let to_tag = if first.starts_with("INVITE") { "" } else { ";tag=near" };
    let (kind, contact) = match body {
        "" => ("", ""),
        _ => ("Content-Type: application/sdp\r\n", if to_tag.is_empty() { FAR_IP } else { NEAR_IP }),
    };
    let contact = if contact.is_empty() { String::new() } else { format!("Contact: <sip:{contact}:{SIP}>\r\n") };
    format!(
        "{first}\r\nVia: SIP/2.0/UDP {FAR_IP}:{SIP};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:4207@far.example>;tag=far\r\nTo: <sip:4711@near.example>{to_tag}\r\nCall-ID: {CALL_ID}\r\n\
         CSeq: {number} {method}\r\n{contact}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len(),
    )
}

/// A packet of sound to be sent.
struct Packet {
    /// From the beginning.
    due: Duration,
    ssrc: u32,
    /// Its place in its direction, from 0 on.
    place: u16,
}

impl Packet {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, 0];
        bytes.extend(FIRST_NUMBER.wrapping_add(self.place).to_be_bytes());
        bytes.extend(FIRST_TIMESTAMP.wrapping_add(u32::from(self.place) * u32::from(SAMPLES)).to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.resize(RTP_HEADER + usize::from(SAMPLES), 0xFF);
        bytes
    }
}

/// One direction, so many packets long, without those left out.
fn direction(ssrc: u32, packets: u16, late: impl Fn(u16) -> Duration, left_out: impl Fn(u16) -> bool) -> Vec<Packet> {
    let sent = (0..packets).filter(|&place| !left_out(place));
    sent.map(|place| Packet { due: PACKET * u32::from(place) + late(place), ssrc, place }).collect()
}

fn in_time(_: u16) -> Duration {
    Duration::ZERO
}

/// Directions together, in the order they are to be sent in.
fn schedule(directions: impl IntoIterator<Item = Vec<Packet>>) -> Vec<Packet> {
    let mut all: Vec<Packet> = directions.into_iter().flatten().collect();
    all.sort_by_key(|packet| packet.due);
    all
}

/// Mean and greatest jitter of a stream in ms, and its packets.
#[derive(Debug, Default)]
struct Jitter {
    packets: u64,
    before: Option<(f64, u32)>,
    value: f64,
    sum: f64,
    max: f64,
}

impl Jitter {
    /// RFC 3550, 6.4.1: J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16, packets in order of arrival.
    fn take(&mut self, at_ms: f64, timestamp: u32) {
        self.packets += 1;
        if let Some((at_before, timestamp_before)) = self.before.replace((at_ms, timestamp)) {
            let ticks = timestamp.wrapping_sub(timestamp_before).cast_signed();
            let difference = (at_ms - at_before) - f64::from(ticks) / 8.0;
            self.value += (difference.abs() - self.value) / 16.0;
            self.sum += self.value;
            self.max = self.max.max(self.value);
        }
    }

    fn mean(&self) -> f64 {
        self.sum / (self.packets - 1) as f64
    }
}

/// What tcpdump's file says of each source. Only its times and the octets are taken from tshark, nothing it makes of them.
fn measure(file: &Path) -> BTreeMap<u32, Jitter> {
    let mut streams: BTreeMap<u32, Jitter> = BTreeMap::new();
    let mut base = None;
    for row in tshark(file, &format!("udp.port == {FAR_RTP}"), &["frame.time_epoch", "udp.payload"]) {
        let [time, payload] = row.as_slice() else { panic!("fields missing: {row:?}") };
        let (seconds, fraction) = time.split_once('.').expect("seconds with a fraction");
        let seconds: i64 = seconds.parse().expect("a number");
        let fraction: f64 = format!("0.{fraction}").parse().expect("a number");
        // A double of seconds since the epoch would be too coarse.
        let at = (seconds - *base.get_or_insert(seconds)) as f64 + fraction;
        let word = |from: usize| u32::from_str_radix(&payload[from * 2..from * 2 + 8], 16).expect("octets");
        streams.entry(word(8)).or_default().take(at * 1_000.0, word(4));
    }
    streams
}

const SOUND: u16 = 300;
const LATE: Duration = Duration::from_millis(30);

#[test]
fn loss_and_jitter_are_those_of_what_was_sent() {
    let Some(lab) = Lab::open(&["tcpdump", "tshark"]) else { return };
    let file = lab.file("beside.pcap");
    let tcpdump = lab.tcpdump(&file);
    let sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(2);
    let late = |place: u16| if place % 10 == 7 { LATE } else { Duration::ZERO };
    let is_left_out = |place: u16| place % 50 == 25;
    let both = [direction(FORWARD, SOUND, late, is_left_out), direction(BACK, SOUND, late, |_| false)];
    let sent = both.each_ref().map(|packets| packets.len() as u64);
    let ends = Ends::of(&lab);
    ends.call();
    ends.talk(&schedule(both), &AtomicBool::new(true), |_| {});
    ends.hang_up();
    let whole = |streams: &BTreeMap<u32, Jitter>| {
        streams.values().map(|stream| stream.packets).sum::<u64>() == sent[0] + sent[1]
    };
    let measured = until("tcpdump wrote all packets", PATIENCE, || Some(measure(&file)).filter(whole));
    let path = lab.file("sipwatch.out");
    assert!(sipwatch.finish().success());
    assert!(tcpdump.finish().success());

    let report: Value = serde_json::from_slice(&std::fs::read(path).expect("the report")).expect("a JSON document");
    assert_eq!(report["capture"]["lost"], serde_json::json!({"kernel": 0, "interface": 0, "queue": 0}));
    let calls = report["calls"].as_array().expect("a list of calls");
    let [call] = calls.as_slice() else { panic!("{calls:#?}") };
    assert_eq!((&call["call_id"], &call["state"]), (&CALL_ID.into(), &"completed".into()));
    assert_eq!(call["streams"].as_array().map(Vec::len), Some(2), "{call:#}");
    let rows = report["streams"].as_array().expect("a list of streams");
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let (far, near) = ((FAR_IP, FAR_RTP), (NEAR_IP, NEAR_RTP));
    let lost = u64::from(SOUND) - sent[0];
    assert_eq!(lost, 6, "2 % of what was numbered");
    let [forward, back] = [(FORWARD, far, near, lost), (BACK, near, far, 0)].map(|(ssrc, from, to, lost)| {
        let ssrc_text = format!("0x{ssrc:08X}");
        let row = rows.iter().find(|row| row["ssrc"] == ssrc_text.as_str()).expect("a row of each source");
        assert_row(row, from, to, lost);
        assert_jitter(row, &measured[&ssrc]);
        row["mos"].as_f64().expect("a MOS")
    });
    assert!(forward < back && (1.0..=4.5).contains(&forward) && back <= 4.5, "MOS {forward} and {back}");
}

fn assert_row(row: &Value, (src, src_port): (&str, u16), (dst, dst_port): (&str, u16), lost: u64) {
    let expected = u64::from(SOUND);
    let want = serde_json::json!({
        "src": src, "src_port": src_port, "dst": dst, "dst_port": dst_port, "call_id": CALL_ID, "codec": "PCMU",
        "packets": expected - lost, "expected": expected, "lost": lost, "duplicates": 0, "out_of_order": SOUND / 10,
        "lost_pct": (lost * 100) as f64 / f64::from(SOUND),
    });
    for (field, value) in want.as_object().expect("an object") {
        assert_eq!(&row[field], value, "{field} of {row:#}");
    }
}

fn assert_jitter(row: &Value, measured: &Jitter) {
    for (field, want) in [("mean_jitter_ms", measured.mean()), ("max_jitter_ms", measured.max)] {
        let ours = row[field].as_f64().expect("a figure");
        println!("{} {field} {ours:.3}, by tcpdump's times {want:.3}", row["ssrc"]);
        // Less than a millisecond would say that the late packets were not late.
        assert!(want > 1.0 && (ours - want).abs() <= want * 0.01, "{field} {ours}, by tcpdump's times {want}");
    }
}

/// The loss that the screen shows of a direction, in %.
fn shown_loss(text: &str, from: u16, to: u16) -> Option<f64> {
    let (from, to) = (format!(":{from} "), format!(":{to} "));
    let row = text.lines().find(|line| line.find(&from).zip(line.find(&to)).is_some_and(|(from, to)| from < to))?;
    let (before, _) = row.split_once(" %")?;
    before.split_whitespace().last()?.parse().ok()
}

/// sipwatch in a terminal, with the stream table open.
fn streams_on_screen(lab: &Lab) -> Terminal {
    let mut terminal = Terminal::run(&lab.near(&[SIPWATCH, "-i", NEAR]));
    lab.wait_for_taps(1);
    terminal.see("the first picture", PATIENCE, |text| text.contains("Calls"));
    terminal.press("3");
    terminal
}

fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

#[test]
fn loss_is_on_the_screen_within_a_second() {
    /// Packets left out in a row, and the first that comes after them.
    const LEFT_OUT: u16 = 10;
    const AFTER: u16 = 110;
    let Some(lab) = Lab::open(&[]) else { return };
    let mut terminal = streams_on_screen(&lab);
    let ends = Ends::of(&lab);
    ends.call();
    let is_left_out = |place: u16| (AFTER - LEFT_OUT..AFTER).contains(&place);
    let packets =
        schedule([direction(FORWARD, SOUND, in_time, is_left_out), direction(BACK, SOUND, in_time, |_| false)]);
    let (goes_on, (sender, happened)) = (AtomicBool::new(true), std::sync::mpsc::channel());
    thread::scope(|scope| {
        let sound = scope.spawn(|| {
            let tell = |packet: &Packet| {
                if (packet.ssrc, packet.place) == (FORWARD, AFTER) {
                    sender.send(SystemTime::now()).expect("somebody waits");
                }
            };
            ends.talk(&packets, &goes_on, tell);
        });
        let forward = |text: &str| shown_loss(text, FAR_RTP, NEAR_RTP);
        let back = |text: &str| shown_loss(text, NEAR_RTP, FAR_RTP);
        let none = |text: &str| forward(text) == Some(0.0) && back(text) == Some(0.0);
        terminal.see("two streams without loss", Duration::from_secs(2), none);
        let then = happened.recv_timeout(PATIENCE).expect("the packet behind the hole");
        let seen = terminal.see("the loss", PATIENCE, |text| forward(text).is_some_and(|percent| percent > 0.0));
        assert!(!sound.is_finished(), "the call goes on");
        let (text, late) = (terminal.text(), since(then, seen));
        println!("from the packet behind the hole to the screen: {late:?}");
        assert!(late <= Duration::from_secs(1), "{late:?}");
        // Ten of all that were due until then; a second later there are 50 more of them.
        let percent = |due: u16| f64::from(LEFT_OUT) * 100.0 / f64::from(due);
        let shown = forward(&text).unwrap_or_default();
        assert!((percent(AFTER + 51) - 0.05..=percent(AFTER + 1) + 0.05).contains(&shown), "{text}");
        assert_eq!(back(&text), Some(0.0), "{text}");
        assert!(!text.contains("One way"), "{text}");
        goes_on.store(false, Ordering::Relaxed);
    });
    terminal.press("q");
    assert_eq!(terminal.exit_code(PATIENCE), Some(0), "{}", terminal.text());
}

#[test]
fn a_call_that_goes_one_way_says_so() {
    const AT_MOST: Duration = Duration::from_secs(8);
    let Some(lab) = Lab::open(&[]) else { return };
    let mut terminal = streams_on_screen(&lab);
    let ends = Ends::of(&lab);
    ends.call();
    let answered = SystemTime::now();
    let packets = schedule([direction(FORWARD, 450, in_time, |_| false)]);
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        let sound = scope.spawn(|| ends.talk(&packets, &goes_on, |_| {}));
        let forward = |text: &str| shown_loss(text, FAR_RTP, NEAR_RTP);
        terminal.see("the stream", Duration::from_secs(2), |text| forward(text) == Some(0.0));
        let says_so = format!("One way: nothing comes back from {NEAR_IP}");
        let seen = terminal.see("the sentence", AT_MOST, |text| text.contains(&says_so));
        let late = since(answered, seen);
        println!("from the answer to the sentence: {late:?}");
        assert!(late <= AT_MOST && !sound.is_finished(), "{late:?}");
        goes_on.store(false, Ordering::Relaxed);
    });
    terminal.press("q");
    assert_eq!(terminal.exit_code(PATIENCE), Some(0), "{}", terminal.text());
}
