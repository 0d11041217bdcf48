//! SIP over WebSocket (RFC 7118) with a real server: a browser phone registers and calls Kamailio.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::lab::{Lab, NEAR, NEAR_IP, Running, SIPWATCH, scenario, skip};

const PORT: u16 = 8080;

/// First octets of frames (RFC 6455, 5.2) that end their message.
const FIN: u8 = 0x80;
const TEXT: u8 = FIN | 1;
const PING: u8 = FIN | 9;
const PONG: u8 = FIN | 10;

/// Kamailio, which ends with all its processes.
struct Kamailio(Running);

impl Kamailio {
    /// Starts it where sipwatch captures.
    fn start(lab: &Lab) -> Self {
        let (config, run) = (scenario("kamailio.cfg"), lab.file("kamailio.run"));
        std::fs::create_dir(&run).expect("a directory for its sockets");
        let run = run.display().to_string();
        let words = ["kamailio", "-f", &config, "-Y", &run, "-DD", "-E", "-m", "32", "-M", "4"];
        let server = Self(lab.start("kamailio", &lab.near(&words)));
        lab.wait_for_listener(PORT);
        server
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Killed, it would leave its children behind.
        self.0.signal(Signal::SIGTERM);
        let _ = self.0.wait(Duration::from_secs(10));
    }
}

/// Debian has it in a package of its own, in a folder that is named after the processor.
fn has_module() -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut places = folders.chain([PathBuf::from("/usr/lib")]);
    places.any(|folder| folder.join("kamailio/modules/websocket.so").is_file())
}

#[test]
fn a_browser_phone_registers_and_calls() {
    let Some(lab) = Lab::open(&["kamailio"]) else { return };
    if !has_module() {
        skip::<()>("kamailio's websocket module is not installed");
        return;
    }
    let sipwatch = lab.start("sipwatch", &lab.near(&[SIPWATCH, "-i", NEAR, "--report", "json"]));
    lab.wait_for_taps(1);
    let server = Kamailio::start(&lab);
    let program = std::env::current_exe().expect("this program");
    let client = [&program.display().to_string(), "--exact", "websocket::phone", "--ignored", "--nocapture"];
    lab.run("phone", &lab.far(&client), Duration::from_secs(60));
    assert!(std::fs::read_to_string(lab.file("phone.out")).expect("its output").contains("1 passed"));
    drop(server);
    let path = lab.file("sipwatch.out");
    assert!(sipwatch.finish().success());
    let report = serde_json::from_slice(&std::fs::read(path).expect("the report")).expect("a JSON document");
    check(&report);
}

fn check(report: &Value) {
    let rows = report["calls"].as_array().expect("a list of calls");
    let told = |row: &Value| {
        let words = ["call_id", "kind", "state", "transport"].map(|key| row[key].as_str().unwrap_or("none"));
        format!("{} {}", words.join(" "), row["status"])
    };
    let mut told: Vec<_> = rows.iter().map(told).collect();
    told.sort();
    let wanted = [
        "busy invite failed ws 486",
        "call invite completed ws 200",
        "options options ok ws 200",
        "register register registered ws 200",
    ];
    assert_eq!(told, wanted);
    let sip = &report["sip"];
    assert_eq!(sip["requests"], json!({ "ACK": 2, "BYE": 1, "INVITE": 2, "OPTIONS": 1, "REGISTER": 1 }));
    assert_eq!(sip["responses"], json!({ "180": 1, "200": 4, "486": 1 }));
    assert_eq!((&sip["messages"], &sip["transports"]["ws"]), (&json!(13), &json!(13)));
    assert_eq!((&sip["retransmissions"], &report["capture"]["malformed"]["sip"]), (&json!(0), &json!(0)));
}

/// The phone, which runs in the far namespace.
#[test]
#[ignore = "the other half of a test"]
fn phone() {
    let mut socket = Socket::open();
    for method in ["REGISTER", "OPTIONS"] {
        socket.send(&request(method, &method.to_lowercase(), "echo", "", 1), &[]);
        socket.expect("200");
    }
    socket.send(&request("INVITE", "call", "echo", "", 1), &[60, 61, 200]);
    socket.expect("180");
    let answer = socket.expect("200");
    let tag = to_tag(&answer);
    socket.send(&request("ACK", "call", "echo", &tag, 1), &[]);
    socket.send(&request("BYE", "call", "echo", &tag, 2), &[100]);
    socket.expect("200");
    socket.send(&request("INVITE", "busy", "busy", "", 1), &[]);
    let answer = socket.expect("486");
    socket.send(&request("ACK", "busy", "busy", &to_tag(&answer), 1), &[]);
    // Answered after the ACK was read: it is on the wire.
    socket.frame(PING, b"");
    socket.until(PONG);
}

/// What the server added to the To of its answer.
fn to_tag(answer: &str) -> String {
    let to = answer.lines().find(|line| line.starts_with("To:")).expect("a To");
    to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).expect("a tag")
}

fn request(method: &str, call_id: &str, to: &str, to_tag: &str, cseq: u32) -> String {
    // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261, 17.1.1.3).
    let branch = if method == "ACK" && call_id == "busy" { "INVITE" } else { method };
    format!(
        "{method} sip:{to}@{NEAR_IP} SIP/2.0\r\nVia: SIP/2.0/WS phone.invalid;branch=z9hG4bK-{call_id}-{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:phone@{NEAR_IP}>;tag=f-{call_id}\r\nTo: <sip:{to}@{NEAR_IP}>{to_tag}\r\n\
         Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:phone@phone.invalid;transport=ws>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A WebSocket connection, as a client has it (RFC 6455).
struct Socket {
    stream: TcpStream,
    masks: u32,
}

impl Socket {
    /// Asks for the upgrade, first without saying who asks.
    fn open() -> Self {
        let stream = TcpStream::connect((NEAR_IP, PORT)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        let mut socket = Self { stream, masks: 0x1234_5678 };
        let mut head = format!(
            "GET / HTTP/1.1\r\nHost: {NEAR_IP}:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n"
        );
        let refusal = socket.http(&format!("{head}\r\n"));
        assert!(refusal.starts_with("HTTP/1.1 401 "), "{refusal}");
        socket.exactly("who is it?".len());
        write!(head, "Authorization: Basic cGhvbmU6cGhvbmU=\r\n\r\n").expect("a string takes it");
        let answer = socket.http(&head);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        socket
    }

    /// Sends a request of HTTP; gives the head of the answer.
    fn http(&mut self, request: &str) -> String {
        self.stream.write_all(request.as_bytes()).expect("the request goes out");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.exactly(1));
        }
        String::from_utf8(head).expect("text")
    }

    fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("the server says something");
        bytes
    }

    /// The next message of the server, which must have this status.
    fn expect(&mut self, status: &str) -> String {
        let answer = String::from_utf8(self.until(TEXT)).expect("text");
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{answer}");
        answer
    }

    /// Sends a message, in several frames where it is cut, with a ping between them.
    fn send(&mut self, message: &str, cuts: &[usize]) {
        let ends = cuts.iter().copied().chain([message.len()]);
        let mut from = 0;
        for end in ends {
            if from > 0 {
                self.frame(PING, b"still there?");
            }
            let opcode = if from == 0 { TEXT & !FIN } else { 0 };
            let fin = if end == message.len() { FIN } else { 0 };
            self.frame(fin | opcode, &message.as_bytes()[from..end]);
            from = end;
        }
    }

    fn frame(&mut self, first: u8, payload: &[u8]) {
        const MASKED: u8 = 0x80;
        self.masks = self.masks.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mask = self.masks.to_be_bytes();
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(MASKED | short as u8),
            longer => {
                frame.push(MASKED | 126);
                frame.extend((longer as u16).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).expect("the frame goes out");
    }

    /// The payload of the next frame of this kind.
    fn until(&mut self, wanted: u8) -> Vec<u8> {
        const CLOSE: u8 = FIN | 8;
        loop {
            let head = self.exactly(2);
            let length = match head[1] {
                126 => u16::from_be_bytes(self.exactly(2).try_into().expect("two octets")).into(),
                short => usize::from(short),
            };
            let payload = self.exactly(length);
            assert_ne!(head[0], CLOSE, "{}", String::from_utf8_lossy(&payload));
            if head[0] == wanted {
                return payload;
            }
        }
    }
}
