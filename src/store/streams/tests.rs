use super::*;
use crate::event::{RtcpSeen, Trace};
use crate::limits::CALL_STREAMS;
use crate::packet::PacketId;
use crate::rtp::rtcp::{ReportBlock, Summary};

fn end(last: u8, port: u16) -> Endpoint {
    Endpoint::new(std::net::IpAddr::from([10, 1, 1, last]), port)
}

/// Packet `n` of a stream, 20 ms apart.
fn sample(flow: FlowKey, ssrc: u32, n: u16) -> RtpSample {
    RtpSample {
        at: Timestamp::default().after(Elapsed::from_millis(i64::from(n) * 20)),
        packet: PacketId::new(0, u64::from(n)),
        trace: Trace::default(),
        flow,
        ssrc,
        timestamp: u32::from(n) * 160,
        sequence: n,
        payload_type: 0,
        marker: false,
        payload_len: 160,
        head: None,
    }
}

struct Scene {
    streams: Streams,
    media: MediaMap,
}

impl Scene {
    fn new(limit: usize) -> Self {
        Self { streams: Streams::new(limit), media: MediaMap::default() }
    }

    fn send(&mut self, flow: FlowKey, ssrc: u32, packets: std::ops::Range<u16>) {
        let samples: Vec<RtpSample> = packets.map(|n| sample(flow, ssrc, n)).collect();
        self.streams.apply(&samples, &self.media, &mut Vec::new(), &mut Vec::new());
    }

    /// The streams in order of appearance, as of so many seconds.
    fn rows(&mut self, seconds: i64) -> Vec<Arc<Stream>> {
        let now = Timestamp::default().after(Elapsed::from_secs(seconds));
        self.streams.refresh(&mut self.media, now, true).iter().cloned().collect()
    }
}

#[test]
fn streams_between_the_same_ports_know_each_other() {
    let there = FlowKey { src: end(1, 4_000), dst: end(2, 5_000) };
    let mut scene = Scene::new(100);
    scene.send(there, 1, 0..10);
    assert_eq!(scene.rows(1)[0].quality.reverse, None);
    scene.send(there.reversed(), 2, 0..10);
    let reverse: Vec<_> = scene.rows(1).iter().map(|row| row.quality.reverse).collect();
    assert_eq!(reverse, [Some(StreamKey(1)), Some(StreamKey(0))]);
    // The other side begins anew with another SSRC.
    scene.send(there.reversed(), 3, 20..30);
    let reverse: Vec<_> = scene.rows(1).iter().map(|row| row.quality.reverse).collect();
    assert_eq!(reverse, [Some(StreamKey(2)), Some(StreamKey(0)), Some(StreamKey(0))]);
}

#[test]
fn a_flow_is_forgotten_with_its_newest_stream() {
    let flow = |n: u16| FlowKey { src: end(1, 4_000 + n), dst: end(2, 5_000) };
    let mut scene = Scene::new(2);
    for n in 0..5 {
        scene.send(flow(n), 1, 2_000 * n..2_000 * n + 10);
    }
    assert_eq!((scene.rows(200).len(), scene.streams.flows.len()), (2, 2));
    scene.streams.clear();
    assert!(scene.streams.flows.is_empty());
}

#[test]
fn the_last_minute_is_that_of_the_stream_however_late_it_is_asked_for() {
    let mut scene = Scene::new(100);
    scene.send(FlowKey { src: end(1, 4_000), dst: end(2, 5_000) }, 1, 0..500);
    let rows = scene.rows(600);
    let packets: Vec<u16> = rows[0].quality.bars.iter().map(|bar| bar.packets).collect();
    assert_eq!(packets, [vec![0; 50], vec![50; 10]].concat());
}

#[test]
fn an_end_that_sdp_names_stays_named() {
    let text = b"v=0\r\nc=IN IP4 10.1.1.2\r\nm=audio 5000 RTP/AVP 0\r\n";
    let flow = FlowKey { src: end(1, 4_000), dst: end(2, 5_000) };
    let mut scene = Scene::new(100);
    let mut known = Vec::new();
    scene.media.announce(CallKey(7), &crate::sdp::Sdp::parse(text), &mut known);
    scene.send(flow, 1, 0..10);
    assert_eq!(scene.rows(1)[0].quality.announced, Announced { src: false, dst: true });
    scene.media.forget(CallKey(7), &known);
    scene.send(flow, 1, 60..70);
    let row = Arc::clone(&scene.rows(2)[0]);
    assert_eq!((row.quality.announced, row.call), (Announced { src: false, dst: true }, Some(CallKey(7))));
}

/// A receiver report about `source` that came on `flow`.
fn report(flow: FlowKey, source: u32, fraction_lost: u8) -> RtcpSeen {
    let block = ReportBlock { reporter: 9, source, fraction_lost, ..ReportBlock::default() };
    let report = Summary { sender: 9, blocks: [block].into_iter().collect(), ..Summary::default() };
    RtcpSeen { at: Timestamp::default(), packet: PacketId::new(0, 1), flow, report }
}

fn percents(scene: &mut Scene) -> Vec<Option<f64>> {
    let of = |row: &Arc<Stream>| row.quality.reported.as_ref().and_then(|reported| reported.receiver);
    scene.rows(1).iter().map(|row| of(row).map(|says| says.lost_percent)).collect()
}

#[test]
fn rtcp_belongs_to_the_stream_between_its_own_ports() {
    let calls = [(4_000, 5_000), (4_002, 5_002)];
    let flows = calls.map(|(from, to)| FlowKey { src: end(1, from), dst: end(2, to) });
    let mut scene = Scene::new(100);
    for flow in flows {
        scene.send(flow, 7, 0..10);
    }
    let back = FlowKey { src: end(2, 5_003), dst: end(1, 4_003) };
    scene.streams.rtcp(&report(back, 7, 64));
    assert_eq!(percents(&mut scene), [None, Some(25.0)], "on the next port");
    scene.streams.rtcp(&report(flows[0].reversed(), 7, 128));
    assert_eq!(percents(&mut scene), [Some(50.0), Some(25.0)], "on the same ports");
    let elsewhere = FlowKey { src: end(2, 6_001), dst: end(1, 6_001) };
    scene.streams.rtcp(&report(elsewhere, 7, 255));
    assert_eq!(percents(&mut scene), [Some(50.0), Some(25.0)], "either might be meant");
    let alone = FlowKey { src: end(3, 4_000), dst: end(4, 5_000) };
    scene.send(alone, 8, 0..10);
    scene.streams.rtcp(&report(FlowKey { src: end(4, 9_001), dst: end(3, 9_001) }, 8, 32));
    assert_eq!(percents(&mut scene)[2], Some(12.5), "behind a NAT only one can be meant");
}

#[test]
fn of_many_streams_with_one_ssrc_the_newest_are_found() {
    let mut scene = Scene::new(1_000);
    let flow = |n: u16| FlowKey { src: end(1, 10_000 + 2 * n), dst: end(2, 20_000 + 2 * n) };
    let count = CALL_STREAMS as u16 + 5;
    for n in 0..count {
        scene.send(flow(n), 7, 0..4);
    }
    scene.streams.rtcp(&report(flow(count - 1).reversed(), 7, 64));
    assert_eq!(percents(&mut scene).last(), Some(&Some(25.0)));
    assert!(scene.streams.by_ssrc.values().all(|slots| slots.len() <= CALL_STREAMS));
}

#[test]
fn packets_that_wait_are_neither_lost_nor_given_to_another_stream() {
    let mut scene = Scene::new(2);
    let flow = |last: u8| FlowKey { src: end(last, 4_000), dst: end(200, 5_000) };
    for last in 1..=20 {
        // Each new stream puts one out, whose packets still wait, and gets its slot.
        scene.send(flow(last), u32::from(last), 0..50);
    }
    assert_eq!(scene.streams.packets, 20 * 50 - 46, "those of the last one wait");
    let rows = scene.rows(1);
    assert_eq!(rows.iter().map(|row| row.packets).collect::<Vec<_>>(), [50, 50]);
    assert_eq!(scene.streams.packets, 20 * 50);
}
