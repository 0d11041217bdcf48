//! The scenes by name: an ordinary call of 30 s with two streams of PCMU, and one thing that is different.
//!
//! What is different is on the caller's stream, unless it says otherwise.

use super::super::agent::Agent;
use super::super::wire::Path;
use super::StreamPlan;
use super::call::MEDIA_MS;
use super::{CallPlan, Codec, Filler, Jitter, Loss, Party, Pause, Press, Protection, Repeats, ReportPlace, Reports};
use crate::packet::{Endpoint, Transport};
use crate::time::{Elapsed, Timestamp};

/// Packets of a stream: 30 s of 20 ms.
const TICKS: u32 = 1_500;

const CALLER_SSRC: u32 = 0x0A0A_0A0A;
const CALLEE_SSRC: u32 = 0x0B0B_0B0B;

type Change = fn(&mut CallPlan);

struct Row(&'static str, &'static str, Change);

const SCENES: &[Row] = &[
    Row("clean", "nothing is different", |_| {}),
    Row("loss-1", "1 % lost at random", |plan| lose(plan, Loss::Random { count: 15, seed: 1 })),
    Row("loss-5", "5 % lost at random", |plan| lose(plan, Loss::Random { count: 75, seed: 5 })),
    Row("loss-burst", "5 % lost in runs of 5", |plan| lose(plan, Loss::Runs { count: 15, length: 5, seed: 9 })),
    Row("loss-single", "one packet lost", |plan| lose(plan, Loss::At(vec![700]))),
    Row("loss-periodic", "every 20th lost", |plan| lose(plan, Loss::Every { period: 20, run: 1 })),
    Row("loss-runs", "3 of every 100 lost, together", |plan| lose(plan, Loss::Every { period: 100, run: 3 })),
    Row("reorder-1", "every tenth behind the next", |plan| {
        caller(plan).network.reorder = (10..TICKS - 10).step_by(10).map(|n| (n, 1)).collect();
    }),
    Row("reorder-5", "two packets come 5 later", |plan| caller(plan).network.reorder = vec![(100, 5), (900, 5)]),
    Row("reorder-90", "a packet comes 90 later: 1.8 s", |plan| caller(plan).network.reorder = vec![(300, 90)]),
    Row("late-200", "a packet comes 200 later: 4 s", |plan| caller(plan).network.reorder = vec![(300, 200)]),
    Row("swapped", "adjacent packets swapped all through", |plan| {
        let step = Elapsed::from_millis(20);
        (caller(plan).ticks, caller(plan).first_marker) = (200, false);
        let swap = |n: u32| (n, if n.is_multiple_of(2) { step } else { Elapsed::from_nanos(-step.nanos()) });
        caller(plan).network.late = (0..200).map(swap).collect();
    }),
    Row("duplicates", "copies behind 0 to 49 later packets", |plan| {
        caller(plan).network.duplicate = (0..50).map(|n| (100 + 20 * n, n)).collect();
    }),
    Row("sequence-wrap", "sequence numbers wrap", |plan| caller(plan).first_sequence = 65_000),
    Row("timestamp-wrap", "timestamps wrap", |plan| caller(plan).first_timestamp = u32::MAX - 80_000),
    Row("wrap-with-faults", "both wrap amid loss, copies and swaps", wrap_with_faults),
    Row("restart", "sequence numbers and timestamps begin anew", |plan| caller(plan).restart = Some(750)),
    Row("ssrc-change", "a second stream follows the first on the same ports", |plan| {
        caller(plan).ticks = 750;
        let mut second = caller(plan).clone();
        second.start = second.start.after(Elapsed::from_secs(15));
        (second.ssrc, second.first_sequence, second.first_timestamp) = (0x0C0C_0C0C, 40_000, 3_000_000_000);
        plan.streams.push(second);
    }),
    Row("ssrc-alternating", "two streams on the same ports at the same time", |plan| {
        let mut second = caller(plan).clone();
        second.start = second.start.after(Elapsed::from_millis(10));
        (second.ssrc, second.first_sequence, second.first_timestamp) = (0x0C0C_0C0C, 40_000, 3_000_000_000);
        plan.streams.push(second);
    }),
    Row("dtmf-same", "three digits in 280 packets, end packets sent three times with the same number", |plan| {
        caller(plan).ticks = 280;
        press(plan, "12#", 8, Repeats::Same(2));
    }),
    Row("dtmf-next", "digits, end packets sent three times with numbers of their own", |plan| {
        press(plan, "0123456789*#ABCD", 8, Repeats::Next(2));
    }),
    Row("dtmf-loss", "digits whose first, middle or last packets are lost", dtmf_loss),
    Row("comfort-noise", "pauses with comfort noise", |plan| talk(plan, Filler::Noise(10), true)),
    Row("talkspurts", "pauses in which nothing is sent, markers behind them", |plan| talk(plan, Filler::Nothing, true)),
    Row("silence", "pauses in which nothing is sent, no markers", |plan| talk(plan, Filler::Nothing, false)),
    Row("markers", "markers without silence", |plan| caller(plan).markers = vec![100, 101, 500]),
    Row("opus-dtx", "Opus that sends a frame each 400 ms in pauses", |plan| {
        plan.streams.iter_mut().for_each(|stream| stream.codec = Codec::OPUS);
        talk(plan, Filler::Frame(20), false);
    }),
    Row("video", "three packets a frame with one timestamp, 25 frames a second", |plan| {
        for stream in &mut plan.streams {
            (stream.codec, stream.packets_per_tick, stream.ticks) = (Codec::H264, 3, 750);
            stream.packet_time = Elapsed::from_millis(40);
        }
    }),
    Row("timestamp-jump", "timestamps rise by 5 s at once", |plan| caller(plan).jump = Some((750, 40_000))),
    Row("timestamp-back", "timestamps fall by 3 s at once", |plan| caller(plan).jump = Some((750, -24_000))),
    Row("drift-fast", "a clock that is 100 ppm fast", |plan| drift(plan, 100)),
    Row("drift-slow", "a clock that is 250 ppm slow", |plan| drift(plan, -250)),
    Row("jitter-known", "every second packet 8 ms late: jitter 8 ms", |plan| {
        caller(plan).network.jitter = Jitter::Alternating(Elapsed::from_millis(8));
    }),
    Row("jitter-random", "each packet up to 15 ms late", |plan| {
        caller(plan).network.jitter = Jitter::Random { up_to: Elapsed::from_millis(15), seed: 3 };
    }),
    Row("late-60", "a packet 60 ms late", |plan| late(plan, 60)),
    Row("late-210", "a packet 210 ms late", |plan| late(plan, 210)),
    Row("transit-step", "all later packets 150 ms late", |plan| {
        caller(plan).network.jitter = Jitter::Step { from: 700, by: Elapsed::from_millis(150) };
    }),
    Row("ptime-30", "30 ms in a packet", |plan| packet_time(plan, 30)),
    Row("ptime-60", "60 ms in a packet", |plan| packet_time(plan, 60)),
    Row("g729", "G.729", |plan| codec(plan, Codec::G729)),
    Row("g722", "G.722, whose clock is 8 kHz", |plan| codec(plan, Codec::G722)),
    Row("l16-44100", "a clock that is no multiple of 1 kHz", |plan| {
        packet_time(plan, 10);
        codec(plan, Codec::L16);
    }),
    Row("codec-same-clock", "PCMU, then PCMA", |plan| caller(plan).change = Some((600, Codec::PCMA))),
    Row("codec-other-clock", "PCMU, then Speex at 16 kHz", |plan| caller(plan).change = Some((600, Codec::SPEEX16))),
    Row("ipv6", "everything over IPv6", ipv6),
    Row("stun", "STUN requests between the packets of both streams", |plan| plan.stun_every = Some(25)),
    Row("rtcp", "RTCP on the next port", |plan| report(plan, ReportPlace::NextPort, Protection::None, false)),
    Row("rtcp-mux", "RTCP on the ports of RTP", |plan| report(plan, ReportPlace::Muxed, Protection::None, false)),
    Row("rtcp-xr", "RTCP with VoIP metrics", |plan| report(plan, ReportPlace::NextPort, Protection::None, true)),
    Row("srtp", "SRTP and SRTCP", |plan| report(plan, ReportPlace::Muxed, Protection::Srtcp, false)),
    Row("rtcp-one-way", "only the caller sends, the callee reports", |plan| {
        plan.streams.truncate(1);
        report(plan, ReportPlace::NextPort, Protection::None, false);
    }),
    Row("vq-report", "a phone that publishes its voice quality", |plan| plan.publishes = true),
    Row("nat", "a caller whose addresses are not what it says", nat),
    Row("one-way", "no media from the callee", |plan| plan.streams.truncate(1)),
    Row("before-sdp", "media before any session description", |plan| {
        plan.late_offer = true;
        let early = plan.at(150);
        plan.streams.iter_mut().for_each(|stream| stream.start = early);
    }),
];

/// The names of all scenes.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCENES.iter().map(|row| row.0)
}

/// What a scene shows.
pub fn describe(name: &str) -> Option<&'static str> {
    SCENES.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// The plan of a scene.
pub(super) fn plan(name: &str, start: Timestamp, seed: u64) -> Option<CallPlan> {
    let row = SCENES.iter().find(|row| row.0 == name)?;
    let mut plan = ordinary(start, seed);
    (row.2)(&mut plan);
    Some(plan)
}

fn ordinary(start: Timestamp, seed: u64) -> CallPlan {
    let (caller, callee) = (party("206", 6, 40_000), party("208", 8, 50_000));
    let path = Path::new(caller.announced, callee.announced).with_traffic_class(0xB8);
    let media = start.after(Elapsed::from_millis(MEDIA_MS));
    let there = StreamPlan::new(path.clone(), media, TICKS, CALLER_SSRC);
    // Not at the same moments as the caller's.
    let back = StreamPlan {
        first_sequence: 7_000,
        ..StreamPlan::new(path.reversed(), media.after(Elapsed::from_millis(7)), TICKS, CALLEE_SSRC)
    };
    CallPlan {
        start,
        seed,
        caller,
        callee,
        streams: vec![there, back],
        reports: None,
        stun_every: None,
        late_offer: false,
        publishes: false,
    }
}

fn party(user: &str, last: u8, port: u16) -> Party {
    let ip = [192, 0, 2, last].into();
    let at = Endpoint::new(ip, 5060);
    let agent = Agent {
        user: user.into(),
        display: String::new(),
        domain: "example.com".into(),
        at,
        software: "Phone/1".into(),
        transport: Transport::Udp,
    };
    Party { agent, wire: at, announced: Endpoint::new(ip, port) }
}

/// The caller's stream: the first of [`ordinary`].
fn caller(plan: &mut CallPlan) -> &mut StreamPlan {
    &mut plan.streams[0]
}

fn lose(plan: &mut CallPlan, loss: Loss) {
    caller(plan).network.loss = loss;
}

fn wrap_with_faults(plan: &mut CallPlan) {
    let stream = caller(plan);
    (stream.first_sequence, stream.first_timestamp) = (u16::MAX - 700, u32::MAX - 160 * 700);
    stream.network.loss = Loss::At(vec![699, 700, 703, 800]);
    stream.network.reorder = vec![(701, 3), (750, 1)];
    stream.network.duplicate = vec![(698, 5), (702, 0), (705, 1)];
}

/// Presses the digits one after the other, 600 ms apart.
fn press(plan: &mut CallPlan, digits: &str, ticks: u32, repeats: Repeats) {
    let presses = (2..).zip(digits.chars()).map(|(n, digit)| Press { tick: 30 * n, ticks, digit, repeats });
    caller(plan).presses = presses.collect();
}

fn dtmf_loss(plan: &mut CallPlan) {
    press(plan, "1234", 6, Repeats::Next(2));
    // Eight packets a digit in place of six ticks: the first two of 1, two amid 2, and two of the three ends of 3.
    lose(plan, Loss::At(vec![60, 61, 94, 95, 130, 131]));
}

/// Talk of 3 s and pauses of 2 s, comfort noise or not.
fn talk(plan: &mut CallPlan, filler: Filler, marker: bool) {
    let pauses = (0..5).map(|n| Pause { tick: 150 + 250 * n, ticks: 100, filler, marker });
    caller(plan).pauses = pauses.collect();
}

/// A drift is known after 1,000 packets and 30 s; a minute leaves no doubt.
fn drift(plan: &mut CallPlan, ppm: i32) {
    plan.streams.iter_mut().for_each(|stream| stream.ticks = 2 * TICKS);
    caller(plan).drift_ppm = ppm;
}

fn late(plan: &mut CallPlan, millis: i64) {
    caller(plan).network.late = vec![(700, Elapsed::from_millis(millis))];
}

fn packet_time(plan: &mut CallPlan, millis: u32) {
    for stream in &mut plan.streams {
        stream.packet_time = Elapsed::from_millis(millis.into());
        stream.ticks = TICKS * 20 / millis;
    }
}

fn codec(plan: &mut CallPlan, codec: Codec) {
    plan.streams.iter_mut().for_each(|stream| stream.codec = codec);
}

fn report(plan: &mut CallPlan, place: ReportPlace, protection: Protection, extended: bool) {
    plan.reports = Some(Reports { place, protection, extended });
}

fn ipv6(plan: &mut CallPlan) {
    let move_to = |party: &mut Party, last: u16| {
        let ip = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into();
        (party.agent.at.ip, party.wire.ip, party.announced.ip) = (ip, ip, ip);
    };
    move_to(&mut plan.caller, 6);
    move_to(&mut plan.callee, 8);
    let path = Path::new(plan.caller.announced, plan.callee.announced);
    for (stream, path) in plan.streams.iter_mut().zip([path.clone(), path.reversed()]) {
        stream.path = path;
    }
}

/// The caller says 10.0.0.5 in SIP and SDP, and everything comes from 198.51.100.7.
fn nat(plan: &mut CallPlan) {
    let (inside, outside) = ([10, 0, 0, 5].into(), [198, 51, 100, 7].into());
    plan.caller.agent.at = Endpoint::new(inside, 5060);
    plan.caller.wire = Endpoint::new(outside, 61_234);
    plan.caller.announced = Endpoint::new(inside, 40_000);
    let path = Path::new(Endpoint::new(outside, 31_002), plan.callee.announced);
    for (stream, path) in plan.streams.iter_mut().zip([path.clone(), path.reversed()]) {
        stream.path = path;
    }
}
