use proptest::prelude::*;

use super::*;
use crate::limits::PLAYOUT_RESTART;

const PACKET: i64 = 20 * MS;
const END: Timestamp = Timestamp::from_nanos(i64::MAX);

/// A stream of 20 ms packets, given in order of sequence and fed in order of arrival.
#[derive(Clone, Default)]
struct Stream {
    packets: Vec<Arrival>,
}

impl Stream {
    /// `count` packets without a flaw, from this sequence number and second on.
    fn steady(count: i64) -> Self {
        Self { packets: (0..count).map(|number| arrival(number, number * PACKET, 0)).collect() }
    }

    fn late(mut self, number: usize, ms: i64) -> Self {
        let packet = &mut self.packets[number];
        packet.at = packet.at.after(Elapsed::from_millis(ms));
        self
    }

    fn without(mut self, numbers: &[i64]) -> Self {
        self.packets.retain(|packet| !numbers.contains(&packet.sequence));
        self
    }

    fn play(&self) -> Playout {
        let mut sorted = self.packets.clone();
        sorted.sort_by_key(|packet| packet.at);
        let mut playout = Playout::new(BufferKind::Adaptive);
        sorted.iter().for_each(|packet| playout.packet(packet));
        playout
    }
}

fn arrival(sequence: i64, media: i64, delay: i64) -> Arrival {
    let media = Elapsed::from_nanos(media);
    let at = Timestamp::from_nanos(1_000_000_000_000 + media.nanos() + delay);
    Arrival { at, sequence, media, marker: false, is_audio: true }
}

/// Lost, discarded and resyncs of the three buffers.
fn flaws(playout: &Playout) -> [(u64, u64, u32); 3] {
    BufferKind::ALL.map(|kind| {
        let figures = playout.figures(kind, END);
        let loss = figures.loss;
        assert_eq!(loss.played() + loss.lost + loss.discarded, loss.expected);
        (loss.lost, loss.discarded, figures.resyncs)
    })
}

fn expected(playout: &Playout) -> [u64; 3] {
    BufferKind::ALL.map(|kind| playout.figures(kind, END).loss.expected)
}

#[test]
fn one_packet_60_ms_late_is_discarded_by_the_50_ms_buffer_only() {
    let playout = Stream::steady(200).late(100, 60).play();
    let [fixed_50, fixed_200, _] = flaws(&playout);
    assert_eq!((fixed_50, fixed_200), ((0, 1, 0), (0, 0, 0)));
    assert_eq!(expected(&playout), [200; 3]);
    assert_eq!(playout.figures(BufferKind::Fixed50, END).run_lengths, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn one_packet_210_ms_late_is_discarded_by_each_fixed_buffer() {
    let [fixed_50, fixed_200, _] = flaws(&Stream::steady(200).late(100, 210).play());
    assert_eq!((fixed_50, fixed_200), ((0, 1, 0), (0, 1, 0)));
}

#[test]
fn a_packet_is_late_only_after_its_time() {
    for (ms, discarded) in [(50, 0), (51, 1)] {
        assert_eq!(flaws(&Stream::steady(100).late(50, ms).play())[0].1, discarded);
    }
}

#[test]
fn after_a_lasting_step_the_50_ms_buffer_starts_anew_at_the_third_packet() {
    let mut stream = Stream::steady(400);
    for packet in &mut stream.packets[200..] {
        packet.at = packet.at.after(Elapsed::from_millis(150));
    }
    let [fixed_50, fixed_200, _] = flaws(&stream.play());
    assert_eq!((fixed_50, fixed_200), ((0, 2, 1), (0, 0, 0)));
}

#[test]
fn a_talkspurt_after_silence_loses_nothing() {
    let mut stream = Stream::steady(100);
    for number in 100..200 {
        stream.packets.push(arrival(number, number * PACKET + 5_000 * MS, 0));
    }
    stream.packets[100].marker = true;
    assert_eq!(flaws(&stream.play()), [(0, 0, 1); 3]);
    // Nor if the timestamps stood still meanwhile.
    for packet in &mut stream.packets[100..] {
        packet.media = Elapsed::from_nanos(packet.media.nanos() - 5_000 * MS);
    }
    assert_eq!(flaws(&stream.play()), [(0, 0, 1); 3]);
}

#[test]
fn silence_without_a_marker_loses_nothing_when_the_sequence_goes_on() {
    let mut stream = Stream::steady(100);
    for number in 100..200 {
        stream.packets.push(arrival(number, number * PACKET + 3_000 * MS, 0));
    }
    assert_eq!(flaws(&stream.play()), [(0, 0, 0); 3]);
}

#[test]
fn markers_on_every_packet_are_no_talkspurts() {
    let mut stream = Stream::steady(100).late(50, 60);
    stream.packets.iter_mut().for_each(|packet| packet.marker = true);
    assert_eq!(flaws(&stream.play())[0], (0, 1, 0));
}

#[test]
fn lost_packets_and_their_runs_are_counted() {
    let stream = Stream::steady(300).without(&[50, 100, 101, 102, 200, 201]);
    let playout = stream.play();
    assert_eq!(flaws(&playout), [(6, 0, 0); 3]);
    for kind in BufferKind::ALL {
        let figures = playout.figures(kind, END);
        assert_eq!((figures.loss.expected, figures.loss.runs), (300, 3));
        assert_eq!(figures.run_lengths, [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((figures.burst_gap.bursts, figures.burst_gap.burst_duration.millis()), (2, 50.0));
        assert!((figures.burst_gap.burst_density - 1.0).abs() < 1e-12);
        assert!((figures.burst_gap.gap_density - 1.0 / 295.0).abs() < 1e-12);
    }
}

#[test]
fn a_missing_packet_is_lost_only_when_its_time_has_come() {
    let stream = Stream::steady(60).without(&[55]);
    let playout = stream.play();
    let last = stream.packets.last().unwrap().at;
    // The last packet is 59; 55 is 80 ms older, and so due in the buffer of 50 ms alone.
    let lost = |kind| playout.figures(kind, last).loss;
    assert_eq!(lost(BufferKind::Fixed50), Loss { expected: 60, lost: 1, discarded: 0, runs: 1 });
    assert_eq!(lost(BufferKind::Fixed200), Loss { expected: 55, lost: 0, discarded: 0, runs: 0 });
    assert_eq!(playout.figures(BufferKind::Fixed200, END).loss.lost, 1);
}

#[test]
fn swapped_pairs_and_a_long_detour_are_played_if_in_time() {
    let mut stream = Stream::steady(200);
    for pair in stream.packets.chunks_mut(2) {
        let at = pair[0].at;
        pair[0].at = pair[1].at;
        pair[1].at = at;
    }
    let playout = stream.play();
    assert_eq!(flaws(&playout), [(0, 0, 0); 3]);
    assert_eq!(expected(&playout), [200; 3], "the first packet was overtaken");
    // Overtaken by 5 packets, by 90, and by 150.
    for (ms, fixed_200) in [(110, (0, 0, 0)), (1_810, (0, 1, 0)), (3_010, (0, 1, 0))] {
        assert_eq!(flaws(&Stream::steady(400).late(100, ms).play())[1], fixed_200, "{ms}");
    }
}

#[test]
fn duplicates_change_nothing() {
    let mut stream = Stream::steady(200).late(50, 60).without(&[70]);
    let before = flaws(&stream.play());
    let copies: Vec<Arrival> =
        stream.packets.iter().map(|p| Arrival { at: p.at.after(Elapsed::from_millis(90)), ..*p }).collect();
    stream.packets.extend(copies);
    let playout = stream.play();
    assert_eq!(flaws(&playout), before);
    assert_eq!(expected(&playout), [200; 3]);
}

#[test]
fn events_and_comfort_noise_are_received_and_not_played_late() {
    // One event of 20 packets whose timestamp stands still, its end three times, far behind its media time.
    let mut stream = Stream::steady(100);
    for packet in &mut stream.packets[40..60] {
        packet.is_audio = false;
        packet.media = Elapsed::from_nanos(40 * PACKET);
    }
    stream.packets[40].marker = true;
    let playout = stream.play();
    assert_eq!(flaws(&playout), [(0, 0, 0); 3]);
    assert_eq!(expected(&playout), [100; 3]);
    assert_eq!(flaws(&stream.without(&[45, 70]).play()), [(2, 0, 0); 3]);
    let mut only = Stream::steady(30);
    only.packets.iter_mut().for_each(|packet| packet.is_audio = false);
    assert_eq!(flaws(&only.without(&[7]).play()), [(1, 0, 0); 3]);
}

#[test]
fn a_restart_and_a_jump_lose_nothing() {
    let mut playout = Playout::new(BufferKind::Adaptive);
    for number in 0..100 {
        playout.packet(&arrival(number, number * PACKET, 0));
    }
    playout.timestamp_jump();
    for number in 100..200 {
        let packet = arrival(number, number * PACKET, 0);
        playout.packet(&Arrival { media: Elapsed::from_nanos(packet.media.nanos() + 77_000 * MS), ..packet });
    }
    playout.restart();
    for number in 200..300 {
        let packet = arrival(number, number * PACKET, 0);
        playout.packet(&Arrival { sequence: number - 40_000, media: Elapsed::from_nanos(number * PACKET), ..packet });
    }
    assert_eq!(flaws(&playout), [(0, 0, 2); 3]);
    assert_eq!(expected(&playout), [300; 3]);
    // A jump of 1,024 numbers is a restart that nobody told.
    playout.packet(&arrival(299 - 40_000 + 1_024, 300 * PACKET, 0));
    assert_eq!(flaws(&playout), [(0, 0, 3); 3]);
    playout.packet(&arrival(299 - 40_000 + 1_024 + 1_023, 301 * PACKET, 0));
    assert_eq!(flaws(&playout), [(1_022, 0, 3); 3]);
    assert_eq!(playout.figures(BufferKind::Adaptive, END).loss.runs, 1);
}

#[test]
fn the_adaptive_buffer_grows_with_jitter_and_shrinks_after_it() {
    let mut playout = Playout::new(BufferKind::Adaptive);
    let depth = |playout: &Playout| playout.figures(BufferKind::Adaptive, END).depth.millis();
    let mut number = 0;
    let mut feed = |playout: &mut Playout, count: i64, jitter: i64| {
        for _ in 0..count {
            // Every other packet is delayed; packets stay in order.
            playout.packet(&arrival(number, number * PACKET, number % 2 * jitter * MS));
            number += 1;
        }
    };
    feed(&mut playout, 500, 0);
    assert_eq!(depth(&playout), 40.0);
    feed(&mut playout, 500, 19);
    assert_eq!(depth(&playout), 59.0);
    feed(&mut playout, 1_500, 0);
    assert_eq!(depth(&playout), 40.0);
    assert_eq!(flaws(&playout), [(0, 0, 0); 3]);
}

#[test]
fn the_adaptive_buffer_moves_by_one_packet_in_its_time() {
    // From second 10 on, every other packet is 300 ms late: far beyond a depth of 40 ms, but no strike.
    let mut stream = Stream::steady(1_000);
    for packet in stream.packets[500..].iter_mut().step_by(2) {
        packet.at = packet.at.after(Elapsed::from_millis(300));
    }
    let mut sorted = stream.packets.clone();
    sorted.sort_by_key(|packet| packet.at);
    let mut playout = Playout::new(BufferKind::Adaptive);
    let (mut before, mut moved) = (None, None);
    for packet in sorted {
        playout.packet(&packet);
        let depth = playout.figures(BufferKind::Adaptive, packet.at).depth.nanos();
        if let Some(before) = before.replace(depth).filter(|before| *before < depth) {
            assert!(depth - before <= PACKET, "at {}", packet.at);
            let pause = moved.replace(packet.at).map_or(Elapsed::from_secs(1), |last| packet.at.since(last));
            assert!(pause.nanos() >= DEEPEN_EVERY);
        }
    }
    let figures = playout.figures(BufferKind::Adaptive, END);
    assert_eq!((figures.depth.millis(), figures.resyncs), (340.0, 0));
    // Noticed within 500 ms and two values at least 3 %, then 13 to 15 moves of 40 ms.
    assert!((10..=60).contains(&figures.loss.discarded), "{figures:?}");
}

#[test]
fn the_adaptive_buffer_follows_clocks_that_drift_apart() {
    for ppm in [-900, 900] {
        let mut playout = Playout::new(BufferKind::Adaptive);
        for number in 0..60_000 {
            playout.packet(&arrival(number, number * PACKET, number * PACKET / 1_000_000 * ppm));
        }
        let figures = playout.figures(BufferKind::Adaptive, END);
        assert_eq!((figures.loss.missing(), figures.resyncs), (0, 0), "20 minutes at {ppm} ppm");
        assert!((35.0..60.0).contains(&figures.depth.millis()), "{figures:?}");
    }
}

#[test]
fn depth_is_at_least_one_packet_and_at_most_half_a_second() {
    let mut playout = Playout::new(BufferKind::Adaptive);
    for number in 0..100 {
        playout.packet(&arrival(number, number * 3 * PACKET, 0));
    }
    assert_eq!(playout.figures(BufferKind::Adaptive, END).depth.millis(), 60.0);
    assert_eq!(playout.packet_time().millis(), 60.0);
    let mut playout = Playout::new(BufferKind::Adaptive);
    for number in 0..2_000 {
        playout.packet(&arrival(number, number * PACKET, number * 37 % 50 * 20 * MS));
    }
    assert!(playout.figures(BufferKind::Adaptive, END).depth.millis() <= 500.0);
}

#[test]
fn windows_hold_what_happened_in_them() {
    // 25 s: two lost in the second window, one in the third.
    let playout = Stream::steady(1_251).without(&[600, 601, 1_100]).play();
    let windows: Vec<Window> = playout.windows().collect();
    let start = |window: &Window| (window.start.nanos() - 1_000_000_000_000) / (1_000 * MS);
    assert_eq!(windows.iter().map(start).collect::<Vec<_>>(), [0, 10]);
    assert_eq!(windows[0].loss, Loss { expected: 500, lost: 0, discarded: 0, runs: 0 });
    assert_eq!(windows[1].loss, Loss { expected: 500, lost: 2, discarded: 0, runs: 1 });
    let last = playout.last_window(END).unwrap();
    assert_eq!((start(&last), last.loss), (20, Loss { expected: 251, lost: 1, discarded: 0, runs: 1 }));
    let short = Stream::steady(1_249).play();
    assert!(short.last_window(END).is_none(), "4.96 s");
    assert_eq!(short.running_window(END).map(|window| window.loss.expected), Some(249));
    assert!(Playout::new(BufferKind::Adaptive).running_window(END).is_none());
}

#[test]
fn the_windows_add_up_to_the_stream() {
    let mut stream = Stream::steady(20_000);
    let mut state = 3_u64;
    stream.packets.retain_mut(|packet| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        packet.at = packet.at.after(Elapsed::from_millis((state >> 33) as i64 % 120));
        !(state >> 40).is_multiple_of(20)
    });
    let playout = stream.play();
    let whole = playout.figures(BufferKind::Adaptive, END).loss;
    let windows: Vec<Loss> = playout.windows().chain(playout.running_window(END)).map(|window| window.loss).collect();
    assert_eq!(windows.len(), 41, "400 s, and what came late");
    let sum = |of: fn(&Loss) -> u64| windows.iter().map(of).sum::<u64>();
    assert_eq!((sum(|loss| loss.expected), sum(Loss::missing)), (whole.expected, whole.missing()));
    assert!(whole.lost > 900 && sum(|loss| loss.runs) >= whole.runs);
}

/// The definition of the fixed buffers, over the whole stream at once: `None` is a packet that was not sent on.
fn by_definition(delays: &[Option<i64>], depth: i64) -> (Loss, [u32; RUN_LENGTHS]) {
    let mut loss = Loss { expected: delays.len() as u64, ..Loss::default() };
    let (mut lengths, mut run) = ([0; RUN_LENGTHS], 0);
    for delay in delays.iter().chain([&Some(0)]) {
        match delay {
            Some(late) if *late <= depth => {
                if run > 0 {
                    lengths[run.min(RUN_LENGTHS) - 1] += 1;
                    loss.runs += 1;
                }
                run = 0;
            }
            miss => {
                run += 1;
                loss.lost += u64::from(miss.is_none());
                loss.discarded += u64::from(miss.is_some());
            }
        }
    }
    (loss, lengths)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Loss, delay and so reordering, with copies: both fixed buffers do what their definition says.
    #[test]
    fn fixed_buffers_do_what_they_are_defined_to_do(
        middle in prop::collection::vec(prop_oneof![
            6 => Just(Some(0)), 2 => (0..49_i64).prop_map(Some), 1 => (0..199_i64).prop_map(Some), 2 => Just(None),
        ], 1..300),
        copies in prop::collection::vec(any::<bool>(), 300),
    ) {
        // The ends are whole, so that both count the same packets; two good ones between keep strikes away.
        let mut delays = vec![Some(0), Some(0)];
        for delay in middle {
            delays.extend([delay, Some(0)]);
        }
        let mut stream = Stream::default();
        for (number, delay) in delays.iter().enumerate() {
            let Some(delay) = delay else { continue };
            let packet = arrival(number as i64, number as i64 * PACKET, delay * MS);
            stream.packets.push(packet);
            if copies[number % copies.len()] {
                stream.packets.push(Arrival { at: packet.at.after(Elapsed::from_millis(30)), ..packet });
            }
        }
        let playout = stream.play();
        for (kind, depth) in [(BufferKind::Fixed50, 50), (BufferKind::Fixed200, 200)] {
            let figures = playout.figures(kind, END);
            if figures.resyncs == 0 {
                prop_assert_eq!((figures.loss, figures.run_lengths), by_definition(&delays, depth));
            }
        }
    }

    /// Whatever comes, each expected packet is played, lost or discarded, and no count runs away.
    #[test]
    fn every_expected_packet_has_one_fate(
        packets in prop::collection::vec((
            prop_oneof![4 => -2_i64..4, 1 => -300_i64..300, 1 => -5_000_i64..5_000, 1 => any::<i64>()],
            prop_oneof![4 => Just(20_000_000_i64), 1 => -2_000_000_000_i64..2_000_000_000, 1 => any::<i64>()],
            prop_oneof![4 => Just(20_000_000_i64), 1 => -2_000_000_000_i64..2_000_000_000, 1 => any::<i64>()],
            any::<(bool, bool)>(), 0..40_u8,
        ), 0..200),
    ) {
        let mut playout = Playout::new(BufferKind::Adaptive);
        let (mut sequence, mut at, mut media) = (0_i64, 0_i64, 0_i64);
        let mut most = 0_u64;
        for (step, later, ahead, (marker, is_audio), call) in packets {
            sequence = sequence.wrapping_add(step);
            at = at.wrapping_add(later);
            media = media.wrapping_add(ahead);
            match call {
                0 => playout.restart(),
                1 => playout.timestamp_jump(),
                _ => {}
            }
            playout.packet(&Arrival {
                at: Timestamp::from_nanos(at), sequence, media: Elapsed::from_nanos(media), marker, is_audio,
            });
            most += PLAYOUT_RESTART as u64;
            for (kind, now) in BufferKind::ALL.into_iter().zip([at, 0, i64::MAX]) {
                let now = Timestamp::from_nanos(now);
                let figures = playout.figures(kind, now);
                let Loss { expected, lost, discarded, runs } = figures.loss;
                prop_assert!(lost + discarded <= expected && expected <= most, "{figures:?}");
                prop_assert_eq!(figures.loss.played() + lost + discarded, expected);
                prop_assert!(runs <= lost + discarded);
                prop_assert_eq!(u64::from(figures.run_lengths.iter().sum::<u32>()), runs);
                prop_assert!(figures.loss.burst_ratio() >= 1.0);
                let bursts = figures.burst_gap;
                prop_assert!((0.0..=1.0).contains(&bursts.burst_density) && (0.0..=1.0).contains(&bursts.gap_density));
                prop_assert!(figures.depth.nanos() >= 0);
                if let Some(window) = playout.running_window(now) {
                    prop_assert!(window.loss.missing() <= window.loss.expected, "{window:?}");
                }
            }
        }
    }
}

#[test]
fn a_stream_takes_three_kilobytes() {
    assert!(size_of::<Playout>() <= 3 * 1024, "{}", size_of::<Playout>());
}
