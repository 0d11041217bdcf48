use super::*;
use crate::event::Trace;
use crate::packet::PacketId;

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
