//! Calls with media, told message by message and packet by packet, and measured by the store itself.
#![expect(clippy::unwrap_used, reason = "a scene that cannot be told has failed its test")]

use sipwatch::event::{Decoded, Event, RtpSample, SipArrival, Trace};
use sipwatch::packet::{Endpoint, FlowKey, PacketId, Transport};
use sipwatch::sip::parse::parse_datagram;
use sipwatch::store::snapshot::{CaptureView, Snapshot};
use sipwatch::store::{Store, StoreOptions};
use sipwatch::time::Elapsed;

use crate::fixture::{at, source};

/// Where the proxy is.
const PROXY: &str = "10.1.1.68:5060";

pub fn endpoint(text: &str) -> Endpoint {
    let (ip, port) = text.rsplit_once(':').unwrap();
    Endpoint::new(ip.parse().unwrap(), port.parse().unwrap())
}

/// What a network does to packet number `n`: how many ms it comes late, or `None` if it is lost.
pub type Network<'a> = &'a dyn Fn(u64) -> Option<f64>;

/// Packets come as they were sent, give or take a few tenths of a ms.
pub fn good(n: u64) -> Option<f64> {
    Some((n * 7 % 11) as f64 / 10.0)
}

/// A capture being told.
pub struct Talk {
    store: Store,
    decoded: Decoded,
    packet: u64,
    until: f64,
}

impl Talk {
    pub fn new() -> Self {
        Self { store: Store::new(StoreOptions::default()), decoded: Decoded::default(), packet: 0, until: 0.0 }
    }

    fn say(&mut self, seconds: f64, (src, dst): (&str, &str), start: &str, call: &str, cseq: &str, media: &str) {
        self.packet += 1;
        self.until = self.until.max(seconds);
        let (from, to) = call.split_once('-').unwrap();
        let body = match media.rsplit_once(':') {
            None => String::new(),
            Some((ip, port)) => format!(
                "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
                 a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            ),
        };
        let tag = if start.starts_with("INVITE") { "" } else { ";tag=b" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.1.1.123;branch=z9hG4bK{call}\r\nFrom: <sip:{from}@h>;tag=a\r\n\
             To: <sip:{to}@h>{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.decoded.events.push(Event::Sip(Box::new(SipArrival {
            at: at(seconds),
            packets: [PacketId::new(0, self.packet)].into_iter().collect(),
            flow: FlowKey { src: endpoint(src), dst: endpoint(dst) },
            transport: Transport::Udp,
            relayed_by: None,
            path: None,
            message: parse_datagram(text.as_bytes(), true).unwrap(),
        })));
    }

    /// A call `from-to` that is answered after half a second; each side announces its address for media.
    pub fn call(&mut self, call: &str, started: f64, caller: &str, callee: &str) {
        let phone = "10.1.1.123:5060";
        self.say(started, (phone, PROXY), "INVITE sip:x@h SIP/2.0", call, "1 INVITE", caller);
        self.say(started + 0.5, (PROXY, phone), "SIP/2.0 200 OK", call, "1 INVITE", callee);
        self.say(started + 0.6, (phone, PROXY), "ACK sip:x@h SIP/2.0", call, "1 ACK", "");
    }

    /// The caller hangs up.
    pub fn hang_up(&mut self, call: &str, seconds: f64) {
        let phone = "10.1.1.123:5060";
        self.say(seconds, (phone, PROXY), "BYE sip:x@h SIP/2.0", call, "2 BYE", "");
        self.say(seconds + 0.1, (PROXY, phone), "SIP/2.0 200 OK", call, "2 BYE", "");
    }

    /// PCMU, 50 packets a second.
    pub fn rtp(&mut self, (src, dst): (&str, &str), ssrc: u32, (from, to): (f64, f64), network: Network<'_>) {
        let flow = FlowKey { src: endpoint(src), dst: endpoint(dst) };
        for n in 0..((to - from) * 50.0).round() as u64 {
            let Some(late) = network(n) else { continue };
            self.sample(flow, ssrc, n, from + late / 1e3, (0, [0xff; 4]));
        }
    }

    fn sample(&mut self, flow: FlowKey, ssrc: u32, n: u64, from: f64, (payload_type, head): (u8, [u8; 4])) {
        let seconds = from + n as f64 / 50.0;
        self.packet += 1;
        self.until = self.until.max(seconds);
        self.decoded.rtp.push(RtpSample {
            at: at(seconds),
            packet: PacketId::new(0, self.packet),
            trace: Trace::default(),
            flow,
            ssrc,
            timestamp: 1_000 + n as u32 * 160,
            sequence: 100 + n as u16,
            payload_type,
            marker: n == 0,
            payload_len: 160,
            head: Some(head),
        });
    }

    /// Keys pressed 100 ms each from packet number `first` of a stream on, in place of its sound.
    pub fn keys(&mut self, (src, dst): (&str, &str), ssrc: u32, from: f64, first: u64, keys: &[u8]) {
        let flow = FlowKey { src: endpoint(src), dst: endpoint(dst) };
        for (place, key) in keys.iter().enumerate() {
            for step in 0..5_u64 {
                let n = first + place as u64 * 5 + step;
                let [d0, d1] = ((step as u16 + 1) * 160).to_be_bytes();
                let end = if step == 4 { 0x80 } else { 0 };
                self.sample(flow, ssrc, n, from, (101, [*key, end | 10, d0, d1]));
                if let Some(sample) = self.decoded.rtp.last_mut() {
                    sample.timestamp -= step as u32 * 160;
                }
            }
        }
    }

    /// What is known at the end.
    pub fn snapshot(mut self) -> Snapshot {
        let mut changes = Vec::new();
        let mut rtp = std::mem::take(&mut self.decoded.rtp);
        rtp.sort_by_key(|sample| sample.at);
        let mut events = std::mem::take(&mut self.decoded.events);
        let time = |event: &Event| match event {
            Event::Sip(arrival) => arrival.at,
            _ => at(0.0),
        };
        events.sort_by_key(time);
        // Signalling goes first within a batch: batches of a second keep the order that matters.
        let end = at(self.until);
        let mut now = at(0.0);
        while now <= end {
            let next = now.after(Elapsed::from_secs(1));
            let mut batch = Decoded { now: Some(next.min(end)), ..Decoded::default() };
            let split = events.iter().position(|event| time(event) >= next).unwrap_or(events.len());
            batch.events.extend(events.drain(..split));
            let split = rtp.iter().position(|sample| sample.at >= next).unwrap_or(rtp.len());
            batch.rtp.extend(rtp.drain(..split));
            self.store.apply(&mut batch, &mut changes);
            now = next;
        }
        self.store.finish();
        let mut file = source("calls.pcap", false);
        file.ended = true;
        let capture =
            CaptureView { sources: vec![file], first: Some(at(0.0)), last: Some(end), ..CaptureView::default() };
        self.store.snapshot(capture.into())
    }
}

const A: &str = "10.1.1.123:4006";
const B: &str = "10.1.1.124:5004";
const C: &str = "10.1.1.130:16384";
const D: &str = "10.1.1.131:16386";
const E: &str = "10.1.1.140:7078";
const F: &str = "198.51.100.20:30000";
const G: &str = "203.0.113.9:40002";
const PRIVATE: &str = "192.168.1.7:4000";
const H: &str = "10.1.1.150:4100";

/// A healthy call with keys pressed, a lossy one, one that is heard one way only, one through a NAT, and a stream that no
/// call announced.
pub fn all() -> Snapshot {
    let mut talk = Talk::new();
    talk.call("206-208", 0.0, A, B);
    talk.rtp((A, B), 0x6AB2_1E82, (0.6, 40.0), &|n| if (500..515).contains(&n) { None } else { good(n) });
    talk.keys((A, B), 0x6AB2_1E82, 0.6, 500, &[1, 2, 11]);
    talk.rtp((B, A), 0x0000_0B0B, (0.6, 40.0), &good);
    talk.call("210-211", 2.0, C, D);
    // Runs of three, more of them in the second ten seconds, and packets that come 90 ms late.
    let lossy = |n: u64| match n {
        n if n % 100 < 3 || ((500..1_000).contains(&n) && n % 25 < 3) => None,
        n if n % 40 == 20 => Some(90.0),
        n => good(n),
    };
    talk.rtp((C, D), 0xC0DE_0001, (2.6, 40.0), &lossy);
    talk.rtp((D, C), 0xC0DE_0002, (2.6, 40.0), &good);
    talk.call("220-221", 3.0, E, F);
    talk.rtp((E, F), 0x0E0E_0E0E, (3.6, 40.0), &good);
    talk.call("230-231", 4.0, PRIVATE, H);
    talk.rtp((G, H), 0x6161_6161, (4.6, 40.0), &good);
    talk.rtp((H, G), 0x6262_6262, (4.6, 40.0), &good);
    talk.rtp(("10.9.9.1:20000", "10.9.9.2:20002"), 0x0099_0099, (5.0, 30.0), &good);
    talk.call("206-209", 30.0, "10.1.1.123:4008", "10.1.1.125:5006");
    talk.rtp(("10.1.1.123:4008", "10.1.1.125:5006"), 0x5555_0001, (30.6, 31.6), &good);
    talk.rtp(("10.1.1.125:5006", "10.1.1.123:4008"), 0x5555_0002, (30.6, 31.6), &good);
    talk.hang_up("206-209", 31.6);
    talk.snapshot()
}
