//! Feeds a scenario's lines to a store and compares its rows with what is expected.

use std::sync::Arc;

use sipwatch::event::{Decoded, Event, IcmpFact, PacketIds, RtpSample, SipArrival, TcpFact, TcpSign, Trace};
use sipwatch::packet::{FlowKey, PacketId, Transport};
use sipwatch::sip::parse::parse_datagram;
use sipwatch::store::snapshot::Snapshot;
use sipwatch::store::{Change, Store, StoreOptions};
use sipwatch::time::Timestamp;

use crate::message::{Line, endpoint};
use crate::print;

/// Time 0 of every scenario.
pub const START: Timestamp = Timestamp::from_parts(1_700_000_000, 0);

/// Runs the scenarios of a file; returns how many there were.
pub fn file(name: &str, text: &str, failures: &mut Vec<String>) -> usize {
    let mut scenarios = 0;
    let mut run: Option<Run> = None;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let mut extra = Vec::new();
        while let Some((_, below)) = lines.next_if(|(_, below)| below.starts_with(' ')) {
            extra.push(below.trim());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = format!("{name}:{}", number + 1);
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["==", ..] => {
                scenarios += 1;
                run = Some(Run::new(StoreOptions::default()));
            }
            ["limits", limits @ ..] => run = Some(Run::new(options(limits))),
            ["=", rest @ ..] => run.as_mut().expect("a scenario").expect(&place, rest, failures),
            [at, rest @ ..] => run.as_mut().expect("a scenario").feed(time(at), rest, extra),
        }
    }
    scenarios
}

fn options(limits: &[&str]) -> StoreOptions {
    let mut options = StoreOptions::default();
    for (name, value) in limits.iter().filter_map(|limit| limit.split_once('=')) {
        let value = value.parse().unwrap();
        match name {
            "calls" => options.calls = value,
            "bytes" => options.sip_bytes = value,
            "streams" => options.streams = value,
            _ => panic!("no such limit: {name}"),
        }
    }
    options
}

fn time(text: &str) -> Timestamp {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: i64 = format!("{fraction:0<9}").parse().unwrap();
    Timestamp::from_nanos(START.nanos() + seconds.parse::<i64>().unwrap() * 1_000_000_000 + nanos)
}

struct Run {
    store: Store,
    packet: u64,
    changes: Vec<Change>,
}

impl Run {
    fn new(options: StoreOptions) -> Self {
        Self { store: Store::new(options), packet: 0, changes: Vec::new() }
    }

    fn feed(&mut self, at: Timestamp, words: &[&str], extra: Vec<&str>) {
        if let ["tick"] = words {
            self.store.tick(at, &mut self.changes);
            return;
        }
        let [src, ">", dst, rest @ ..] = words else { panic!("not understood: {words:?}") };
        let flow = FlowKey { src: endpoint(src), dst: endpoint(dst) };
        let line = Line::parse(flow, rest, extra);
        self.packet += 1;
        let packet = PacketId::new(0, self.packet);
        let mut decoded = Decoded { now: Some(at), ..Decoded::default() };
        let fact = |kind| Event::TcpFlow(TcpFact { at, packet, flow, kind });
        match line.what {
            "RTP" => decoded.rtp = rtp(at, packet, &line),
            "SYN" => decoded.events.push(fact(TcpSign::Syn)),
            "RST" => decoded.events.push(fact(TcpSign::Abort)),
            "ICMP" => {
                let fact =
                    IcmpFact { at, packet, reporter: flow.dst.ip, quoted: flow, what: "port unreachable", quote: None };
                decoded.events.push(Event::Icmp(fact));
            }
            _ => {
                let transport = if line.flags.contains(&"tcp") { Transport::Tcp } else { Transport::Udp };
                let message = parse_datagram(&line.bytes(), true).expect("a SIP message");
                let packets = PacketIds::from_slice(&[packet]);
                decoded.events.push(Event::Sip(Box::new(SipArrival {
                    at,
                    packets,
                    flow,
                    transport,
                    relayed_by: None,
                    path: None,
                    message,
                })));
            }
        }
        self.store.apply(&mut decoded, &mut self.changes);
    }

    fn expect(&mut self, place: &str, words: &[&str], failures: &mut Vec<String>) {
        let snapshot = self.store.snapshot(Arc::default());
        let Some((subject, wanted)) = words.split_first() else { return };
        let Some(fields) = self.fields(&snapshot, subject) else {
            if wanted != ["absent"] {
                failures.push(format!("{place}: {subject} is not there"));
            }
            return;
        };
        for wanted in wanted {
            let Some((name, value)) = wanted.split_once('=') else { panic!("{place}: {wanted}?") };
            let found = fields.get(name).unwrap_or_else(|| panic!("{place}: no field {name}"));
            if found != value {
                failures.push(format!("{place}: {subject} {name} is {found}, should be {value}"));
            }
        }
    }

    fn fields(&self, snapshot: &Snapshot, subject: &str) -> Option<print::Fields> {
        if subject == "stats" {
            return Some(print::stats(&snapshot.stats));
        }
        if subject == "store" {
            let memory = self.store.memory();
            let evicted = memory.iter().find(|row| row.what == "calls").map_or(0, |row| row.evicted);
            let live = memory.iter().find(|row| row.what == "live calls").map_or(0, |row| row.evicted);
            let told = self.changes.iter().filter(|change| matches!(change, Change::Evicted(_))).count();
            return Some(print::Fields::from([
                ("calls", snapshot.calls.len().to_string()),
                ("streams", snapshot.streams.len().to_string()),
                ("evicted", evicted.to_string()),
                ("evicted_live", live.to_string()),
                ("told", told.to_string()),
            ]));
        }
        if let Some((src, rest)) = subject.split_once('>') {
            let (dst, ssrc) = rest.split_once('/').unwrap();
            let flow = FlowKey { src: endpoint(src), dst: endpoint(dst) };
            let ssrc: u32 = ssrc.parse().unwrap();
            let stream = snapshot.streams.iter().find(|stream| stream.flow == flow && stream.ssrc == ssrc)?;
            return Some(print::stream(stream, snapshot));
        }
        let call_id = if subject == "nameless" { "" } else { subject };
        let call = snapshot.calls.iter().find(|call| *call.call_id == *call_id)?;
        Some(print::call(call, snapshot))
    }
}

/// `RTP ssrc=1 seq=100 pt=0 n=5 step=1`: packets of 160 bytes, 20 ms apart.
fn rtp(at: Timestamp, packet: PacketId, line: &Line<'_>) -> Vec<RtpSample> {
    let number = |name, default: u32| line.options.get(name).map_or(default, |text| text.parse().unwrap());
    (0..number("n", 1))
        .map(|i| RtpSample {
            at: Timestamp::from_nanos(at.nanos() + i64::from(i) * 20_000_000),
            packet,
            trace: Trace::default(),
            flow: line.flow,
            ssrc: number("ssrc", 1),
            timestamp: i * 160,
            sequence: (number("seq", 0) + i * number("step", 1)) as u16,
            payload_type: number("pt", 0) as u8,
            marker: i == 0,
            payload_len: 160,
            head: None,
        })
        .collect()
}
