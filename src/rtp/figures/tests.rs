use std::collections::BTreeSet;

use super::*;
use crate::limits::{STREAM_BARS, STREAM_WINDOWS};

const PCMU: Carries = Carries::Media { clock: NonZeroU32::new(8_000).unwrap() };
const EVENT: Carries = Carries::TelephoneEvent { clock: NonZeroU32::new(8_000).unwrap() };
const NOISE: Carries = Carries::ComfortNoise { clock: NonZeroU32::new(8_000).unwrap() };

fn media(clock: u32) -> Carries {
    Carries::Media { clock: NonZeroU32::new(clock).unwrap() }
}

fn at_us(us: i64) -> Timestamp {
    Timestamp::from_parts(1_700_000_000, 0).after(Elapsed::from_nanos(us * 1_000))
}

fn at(ms: i64) -> Timestamp {
    at_us(ms * 1_000)
}

/// Packet `number` of a sender of 20 ms PCMU, on time.
fn voice(number: i64) -> Arrival {
    Arrival {
        at: at(number * 20),
        timestamp: (number * 160) as u32,
        sequence: number as u16,
        payload_len: 160,
        payload_type: 0,
        marker: false,
        carries: PCMU,
        head: None,
    }
}

fn of(arrivals: impl IntoIterator<Item = Arrival>) -> StreamFigures {
    let mut figures = StreamFigures::default();
    for arrival in arrivals {
        figures.arrive(&arrival);
    }
    figures
}

/// Packets, expected, lost, duplicates, out of order.
fn counts(figures: &StreamFigures) -> (u64, u64, u64, u32, u32) {
    let sequence = figures.sequence();
    (sequence.packets(), sequence.expected(), sequence.lost(), sequence.duplicates(), sequence.out_of_order())
}

fn three(spread: &spread::Spread) -> String {
    format!("{:.3}/{:.3}/{:.3}", spread.min().unwrap(), spread.mean().unwrap(), spread.max().unwrap())
}

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn a_stream_on_time_has_nothing_wrong() {
    let figures = of((0..500).map(voice));
    assert_eq!(counts(&figures), (500, 500, 0, 0, 0));
    assert_eq!(three(figures.jitter().taken()), "0.000/0.000/0.000");
    assert_eq!(three(figures.deltas().taken()), "20.000/20.000/20.000");
    assert_eq!(figures.drift().max_skew(), 0.0);
    assert_eq!(figures.payload_octets(), 80_000);
    assert_eq!(figures.duration(), Elapsed::from_millis(9_980));
    assert!(!figures.has_problem());
}

#[test]
fn swapped_pairs_are_late_and_not_lost() {
    let pairs = (0..200).map(|place: i64| Arrival { at: at(place * 20), ..voice(place ^ 1) });
    let figures = of(pairs);
    assert_eq!(counts(&figures), (200, 200, 0, 0, 100));
    assert_eq!(three(figures.jitter().taken()), "2.500/36.985/40.000");
    assert_eq!((figures.wireshark().lost, figures.wireshark().max_delta), (-2, 40.0));
    assert!(figures.has_problem());
}

#[test]
fn repeated_ends_of_events_are_no_error() {
    // 280 numbers, three events among them, whose last packets come three times, 0.5 ms apart.
    let mut arrivals = Vec::new();
    for number in 0..280 {
        let event = [50, 120, 200].into_iter().find(|start| (*start..start + 5).contains(&number));
        let Some(start) = event else {
            arrivals.push(voice(number));
            continue;
        };
        let is_last = number == start + 4;
        let ticks = ((number - start + 1) * 160) as u16;
        for copy in 0..if is_last { 3 } else { 1 } {
            let [d0, d1] = ticks.to_be_bytes();
            arrivals.push(Arrival {
                at: at_us(number * 20_000 + copy * 500),
                timestamp: start as u32 * 160,
                payload_type: 101,
                payload_len: 4,
                marker: number == start,
                carries: EVENT,
                head: Some([start as u8 / 50, u8::from(is_last) << 7, d0, d1]),
                ..voice(number)
            });
        }
    }
    let figures = of(arrivals);
    assert_eq!(counts(&figures), (286, 280, 0, 6, 0));
    assert_eq!((figures.event_packets(), figures.event_repeats()), (21, 6));
    assert_eq!(figures.dtmf().keys(), "124");
    assert!(figures.dtmf().events().iter().all(|event| event.duration() == Elapsed::from_millis(100)));
    assert_eq!(three(figures.deltas().taken()), "20.000/20.000/20.000");
    assert_eq!(three(figures.jitter().taken()), "0.000/0.000/0.000");
    assert!(!figures.has_problem());
    let theirs = figures.wireshark();
    assert_eq!((theirs.packets, theirs.lost, theirs.sequence_errors, theirs.problem), (286, -6, 6, true));
    assert_eq!(theirs.min_delta, 0.5);
    assert!(theirs.max_jitter > 5.0, "{}", theirs.max_jitter);
}

#[test]
fn numbers_and_timestamps_wrap() {
    let begin = |number: i64| Arrival {
        sequence: (number + 65_500) as u16,
        timestamp: ((1_i64 << 32) - 1_600 + number * 160) as u32,
        ..voice(number)
    };
    let mut figures = StreamFigures::default();
    let placed: Vec<_> = (0..100).filter(|number| *number != 36).map(|number| figures.arrive(&begin(number))).collect();
    assert_eq!(counts(&figures), (99, 100, 1, 0, 0));
    assert!(placed.windows(2).all(|pair| pair[1].sequence > pair[0].sequence && pair[1].timestamp > pair[0].timestamp));
    assert_eq!(placed[98].timestamp - placed[0].timestamp, 99 * 160);
    assert_eq!(placed.iter().filter(|placed| placed.place == Place::Ahead).count(), 1);
    assert!(placed.iter().all(|placed| placed.is_played && !placed.is_jump));
    assert_eq!(figures.jitter().taken().max(), Some(0.0));
    assert_eq!(figures.sequence().errors(), 1);
    assert_eq!(figures.wireshark().lost, 1);
}

#[test]
fn two_rounds_of_numbers_count_whole() {
    let figures = of((0..140_000).filter(|number| number % 1_000 != 7).map(voice));
    assert_eq!(counts(&figures), (139_860, 140_000, 140, 0, 0));
}

#[test]
fn a_restart_loses_nothing() {
    for begin in [40_000, 150, 65_000, 4_500] {
        let mut figures = of((1_000..1_300).map(voice));
        let anew = |number: i64| Arrival {
            sequence: (begin + number - 1_300) as u16,
            timestamp: (number * 160 + 5_000_000) as u32,
            ..voice(number)
        };
        let placed: Vec<_> = (1_300..1_600).map(|number| figures.arrive(&anew(number))).collect();
        assert_eq!(placed[1].place, Place::Restart, "to {begin}");
        assert!(placed[1].sequence > 65_536 + 1_299);
        assert_eq!(counts(&figures), (600, 600, 0, 0, 0), "to {begin}");
        assert_eq!(
            (figures.sequence().restarts(), figures.sequence().errors(), figures.sequence().strays()),
            (1, 1, 0)
        );
        assert_eq!(figures.jitter().jumps(), 0);
        assert_eq!(figures.jitter().taken().max(), Some(0.0));
        assert_eq!(three(figures.deltas().taken()), "20.000/20.000/20.000");
    }
}

#[test]
fn a_restart_into_numbers_just_seen_is_one() {
    let mut figures = of((1_000..1_300).map(voice));
    for number in 0..100 {
        figures.arrive(&Arrival { sequence: 1_100 + number as u16, ..voice(1_300 + number) });
    }
    assert_eq!(counts(&figures), (400, 400, 0, 0, 0));
    assert_eq!(figures.sequence().restarts(), 1);
}

#[test]
fn a_lone_jump_is_a_stray_or_a_late_packet() {
    let mut figures = of((1_000..1_300).filter(|number| *number != 1_050).map(voice));
    assert_eq!(figures.sequence().lost(), 1);
    let place =
        |figures: &mut StreamFigures, number: i64| figures.arrive(&Arrival { at: at(26_000), ..voice(number) }).place;
    assert_eq!(place(&mut figures, 1_050), Place::Late, "250 late");
    assert_eq!(figures.sequence().lost(), 0);
    assert_eq!(place(&mut figures, 1_300), Place::Next);
    assert_eq!(place(&mut figures, 9_000), Place::Stray);
    assert_eq!(place(&mut figures, 9_000), Place::Duplicate);
    assert_eq!(place(&mut figures, 1_301), Place::Next);
    assert_eq!(place(&mut figures, 100), Place::Stray, "not in memory");
    assert_eq!(place(&mut figures, 1_302), Place::Next);
    assert_eq!(place(&mut figures, 700), Place::Stray, "far below all others");
    assert_eq!(place(&mut figures, 1_303), Place::Next);
    assert_eq!(place(&mut figures, 1_020), Place::Duplicate);
    assert_eq!(counts(&figures), (309, 304, 0, 2, 1));
    assert_eq!(figures.sequence().strays(), 3);
}

#[test]
fn the_first_packet_may_be_early() {
    let order = [3, 1, 0, 2, 4, 5];
    let figures =
        of(order.into_iter().enumerate().map(|(place, number)| Arrival { at: at(place as i64 * 20), ..voice(number) }));
    assert_eq!(counts(&figures), (6, 6, 0, 0, 3));
}

#[test]
fn a_repetition_is_known_at_every_distance() {
    for distance in 0..=1_023 {
        let mut figures = of((0..1_100).map(voice));
        let placed = figures.arrive(&Arrival { at: at(22_000), ..voice(1_099 - distance) });
        assert_eq!(placed.place, Place::Duplicate, "{distance}");
        assert_eq!(counts(&figures), (1_101, 1_100, 0, 1, 0));
        assert!(!placed.is_played && !figures.has_problem());
    }
}

#[test]
fn loss_duplicates_and_disorder_are_exact() {
    let mut random = Random(1);
    for round in 0..50 {
        let (loss, twice, late) = (random.below(20), random.below(10), random.below(20));
        let start = random.below(65_536) as i64;
        let mut arrivals: Vec<(i64, i64)> = Vec::new();
        for number in 0..3_000 {
            if random.below(100) >= loss {
                let delay = if random.below(100) < late { random.below(1_500) as i64 } else { 0 };
                arrivals.push((number * 20 + delay, start + number));
                if random.below(100) < twice {
                    arrivals.push((number * 20 + delay + random.below(1_500) as i64, start + number));
                }
            }
        }
        arrivals.sort_unstable();
        let numbers: BTreeSet<_> = arrivals.iter().map(|(_, number)| *number).collect();
        let expected = (numbers.last().unwrap() - numbers.first().unwrap() + 1) as u64;
        let (mut highest, mut seen, mut out_of_order) = (i64::MIN, BTreeSet::new(), 0);
        for (_, number) in &arrivals {
            out_of_order += u32::from(seen.insert(*number) && *number < highest);
            highest = highest.max(*number);
        }
        let figures = of(arrivals.iter().map(|(ms, number)| Arrival { at: at(*ms), ..voice(*number) }));
        let (packets, unique) = (arrivals.len() as u64, numbers.len() as u64);
        let duplicates = (packets - unique) as u32;
        assert_eq!(counts(&figures), (packets, expected, expected - unique, duplicates, out_of_order), "{round}");
        let bars: u32 = figures
            .windows()
            .last_minute(figures.last(), figures.sequence())
            .iter()
            .map(|bar| u32::from(bar.packets))
            .sum();
        assert!(u64::from(bars) <= packets);
        let running = figures.windows().running(figures.sequence());
        let windows = figures.windows().closed().iter().chain([&running]);
        let (expected_in, lost_in) =
            windows.fold((0, 0), |sums, window| (sums.0 + window.expected, sums.1 + window.lost));
        assert_eq!((u64::from(expected_in), u64::from(lost_in)), (expected, expected - unique), "{round}");
    }
}

#[test]
fn jitter_is_that_of_the_rfc() {
    // Every other packet is 8 ms late: |D| is 8 each time, and J comes closer to it by a sixteenth.
    let figures = of((0..200).map(|number| Arrival { at: at(number * 20 + number % 2 * 8), ..voice(number) }));
    let mut jitter = 0.0;
    let mut all = Vec::new();
    for _ in 1..200 {
        jitter += (8.0 - jitter) / 16.0;
        all.push(jitter);
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let taken = figures.jitter().taken();
    assert!((taken.max().unwrap() - jitter).abs() < 1e-9 && (taken.mean().unwrap() - mean).abs() < 1e-9);
    assert_eq!(taken.min(), Some(0.5));
    assert!((figures.jitter().now_in_ticks().unwrap() - jitter * 8.0).abs() < 1e-9);
    let exact = all[98];
    let percentiles = figures.jitter_percentiles().unwrap();
    assert!((percentiles.p50 - exact).abs() / exact < 0.06 && percentiles.p99 <= taken.max().unwrap());
}

#[test]
fn odd_clocks_are_exact_in_ours_and_not_in_wiresharks() {
    for clock in [44_100, 11_025, 22_050] {
        // 20 ms are a whole number of ticks in none but the first, 40 ms in all.
        let figures = of((0..600).map(|number| Arrival {
            timestamp: (number * i64::from(clock) * 40 / 1_000) as u32,
            at: at(number * 40),
            carries: media(clock),
            ..voice(number)
        }));
        assert!(figures.jitter().taken().max().unwrap() < 1e-9, "{clock}");
        assert!(figures.drift().max_skew().abs() < 1e-6);
        assert!(figures.wireshark().max_skew > 20.0);
    }
}

#[test]
fn without_a_clock_there_is_no_jitter() {
    let figures = of((0..100).map(|number| Arrival { carries: Carries::Unknown, payload_type: 97, ..voice(number) }));
    assert_eq!((figures.jitter().now(), figures.jitter_percentiles()), (None, None));
    assert_eq!(three(figures.deltas().taken()), "20.000/20.000/20.000");
    assert_eq!(figures.wireshark().min_jitter, -1.0);
    assert_eq!(figures.sequence().lost(), 0);
}

#[test]
fn a_timestamp_jump_is_counted_and_shakes_nothing() {
    let mut figures = of((0..100).map(voice));
    let jumped = |number: i64| Arrival { timestamp: (number * 160 + 80_000_000) as u32, ..voice(number) };
    let placed: Vec<_> = (100..200).map(|number| figures.arrive(&jumped(number))).collect();
    assert!(placed[0].is_jump && placed[1..].iter().all(|placed| !placed.is_jump));
    assert_eq!((figures.jitter().jumps(), figures.jitter().taken().max()), (1, Some(0.0)));
    assert_eq!(figures.drift().max_skew(), 0.0);
    assert!(figures.has_problem());
    assert!(figures.wireshark().max_jitter > 1_000.0);
}

#[test]
fn half_a_circle_away_wireshark_takes_only_what_wrapped_for_in_order() {
    let half = 1_u32 << 31;
    for (first, is_problem) in [(1_000, true), (half + 1_000, false)] {
        let figures =
            of([Arrival { timestamp: first, ..voice(0) }, Arrival { timestamp: first.wrapping_add(half), ..voice(1) }]);
        assert_eq!(figures.wireshark().problem, is_problem, "{first}");
    }
}

#[test]
fn another_clock_begins_anew() {
    let mut figures = of((0..100).map(voice));
    let opus = |number: i64| Arrival {
        timestamp: (number * 960) as u32,
        payload_type: 96,
        carries: media(48_000),
        ..voice(number)
    };
    let placed: Vec<_> = (100..200).map(|number| figures.arrive(&opus(number))).collect();
    assert!(placed[0].is_jump && !placed[1].is_jump);
    assert_eq!((figures.jitter().jumps(), figures.jitter().taken().max()), (0, Some(0.0)));
    assert!(!figures.has_problem());
}

#[test]
fn silence_is_no_jitter_and_no_loss() {
    // Talk, a description of the noise, five seconds of nothing, and a marked packet, 6 ms off; the one after is on time.
    let mut arrivals: Vec<_> = (0..50).map(voice).collect();
    arrivals.push(Arrival { carries: NOISE, payload_type: 13, payload_len: 1, ..voice(50) });
    let behind = |number: i64, late: i64| Arrival {
        sequence: number as u16,
        at: at((number + 250) * 20 + late),
        ..voice(number + 250)
    };
    arrivals.push(Arrival { marker: true, ..behind(51, 6) });
    arrivals.extend((52..100).map(|number| behind(number, 0)));
    let figures = of(arrivals);
    assert_eq!(counts(&figures), (100, 100, 0, 0, 0));
    assert_eq!(
        (figures.deltas().longest_gap(), figures.deltas().pauses()),
        ((Elapsed::from_millis(5_026), at(1_000)), 1)
    );
    // The marked packet moved the filter to 6/16; the next one, 6 ms early, is the first that counts.
    assert!((figures.jitter().taken().max().unwrap() - (0.375 + (6.0 - 0.375) / 16.0)).abs() < 1e-9);
    assert_eq!(figures.jitter().taken().count(), 49 + 48);
    assert_eq!(three(figures.deltas().taken()), "14.000/19.938/20.000");
    assert!(!figures.has_problem());
}

#[test]
fn time_that_runs_backwards_is_no_negative_delta() {
    let figures = of([voice(0), voice(1), Arrival { at: at(15), ..voice(2) }, voice(3)]);
    assert_eq!((figures.deltas().backwards(), figures.deltas().taken().min()), (1, Some(0.0)));
    assert_eq!(figures.wireshark().min_delta, -5.0);
}

#[test]
fn the_senders_clock_is_measured() {
    for ppm in [-200.0, 35.0, 0.0] {
        // A fast clock sends its packets in less than 20 ms each.
        let sent = |number: i64| (number as f64 * 20e6 / (1.0 + ppm / 1e6)) as i64;
        let arrivals =
            (0..90_000).map(|number| Arrival { at: at(0).after(Elapsed::from_nanos(sent(number))), ..voice(number) });
        let figures = of(arrivals);
        assert!((figures.drift().ppm().unwrap() - ppm).abs() < 0.01, "{:?} for {ppm}", figures.drift().ppm());
        assert!((figures.frequency().unwrap() - 8_000.0 * (1.0 + ppm / 1e6)).abs() < 1e-3);
        let percent = figures.wireshark().drift_percent.unwrap();
        assert!((percent - ppm / 1e4).abs() < 1e-5, "{percent}");
        let skew = figures.drift().max_skew();
        assert!((skew - 1_799_980.0 * ppm / 1e6 / (1.0 + ppm / 1e6)).abs() < 0.001, "{skew}");
    }
    assert_eq!(of((0..1_400).map(voice)).drift().ppm(), None, "28 s");
}

#[test]
fn windows_hold_their_own_loss_and_jitter() {
    // A little more than 25 s; in the second window every tenth packet is missing and every other one 4 ms late.
    let is_bad = |number: i64| (500..1_000).contains(&number);
    let arrivals = (0..1_260).filter(|number| !(is_bad(*number) && number % 10 == 5));
    let mut figures = StreamFigures::default();
    for number in arrivals {
        let late = if is_bad(number) && number % 2 == 1 { 4 } else { 0 };
        figures.arrive(&Arrival { at: at(number * 20 + late), ..voice(number) });
    }
    let windows: Vec<_> = figures.judged_windows().collect();
    let shape: Vec<_> =
        windows.iter().map(|window| (window.begin().whole_seconds(), window.expected, window.lost)).collect();
    assert_eq!(shape, [(0, 500, 0), (10, 500, 50), (20, 260, 0)]);
    assert!(windows[0].jitter_max == 0.0 && windows[1].jitter_mean > 3.0 && windows[1].jitter_max < 4.0);
    assert!(of((0..625).map(voice)).judged_windows().count() == 1, "2.5 s of a second window say nothing");
}

#[test]
fn a_late_packet_mends_the_window_that_missed_it() {
    let order = (0..499).chain(500..510).chain([499]).chain(510..1_100);
    let figures =
        of(order.map(|number| Arrival { at: at(if number == 499 { 10_181 } else { number * 20 }), ..voice(number) }));
    let lost: Vec<_> = figures.windows().closed().iter().map(|window| (window.expected, window.lost)).collect();
    assert_eq!(lost, [(499, 0), (501, 0)]);
    assert_eq!(figures.sequence().lost(), 0);
}

#[test]
fn of_long_streams_the_worse_windows_stay() {
    // Two hours; one packet is lost in the 101st window.
    let figures = of((0..360_000).filter(|number| *number != 50_100).map(voice));
    let windows = figures.windows().closed();
    assert!(windows.len() <= STREAM_WINDOWS);
    assert_eq!(windows.iter().map(|window| window.stands_for).sum::<u32>(), 719);
    let bad: Vec<_> =
        windows.iter().filter(|window| window.lost > 0).map(|window| window.begin().whole_seconds()).collect();
    assert_eq!(bad, [1_000]);
    assert!(windows.is_sorted_by_key(|window| window.index));
}

#[test]
fn bars_show_the_last_minute() {
    // 100 s; packets of one second are lost, and 10 s of silence follow until now.
    let figures = of((0..5_000).filter(|number| !(4_000..4_050).contains(number)).map(voice));
    let bars = figures.windows().last_minute(at(109_999), figures.sequence());
    assert_eq!(bars.len(), STREAM_BARS);
    // The oldest is second 50. What was missing in second 80 shows where it was noticed.
    assert_eq!((bars[0].packets, bars[0].lost), (50, 0));
    assert_eq!((bars[30].packets, bars[30].expected), (0, 0));
    assert_eq!((bars[31].packets, bars[31].expected, bars[31].lost), (50, 100, 50));
    assert_eq!((bars[49].packets, bars[50].packets, bars[59].packets), (50, 0, 0));
    let now = figures.windows().last_minute(figures.last(), figures.sequence());
    assert_eq!((now[59].packets, now[40].lost), (50, 0));
    assert_eq!(
        of((0..10).map(voice)).windows().last_minute(at(200), of((0..10).map(voice)).sequence())[59].packets,
        10
    );
}

#[test]
fn absurd_packets_are_survived() {
    let mut random = Random(7);
    let mut figures = StreamFigures::default();
    for _ in 0..200_000 {
        let time = match random.below(8) {
            0 => Timestamp::from_nanos(i64::MAX),
            1 => Timestamp::from_nanos(i64::MIN),
            2 => at(random.below(1 << 31) as i64),
            _ => at(random.below(10_000) as i64),
        };
        let carries = [PCMU, EVENT, NOISE, Carries::Unknown, media(1), media(u32::MAX)][random.below(6) as usize];
        let near = random.below(4) > 0;
        figures.arrive(&Arrival {
            at: time,
            timestamp: (random.below(1 << 31) as u32).wrapping_mul(3),
            sequence: if near { random.below(50) } else { random.below(65_536) } as u16,
            payload_len: 4,
            payload_type: random.below(128) as u8,
            marker: random.below(2) == 0,
            carries,
            head: Some([random.below(256) as u8, random.below(256) as u8, random.below(256) as u8, 0]),
        });
        let sequence = figures.sequence();
        assert!(sequence.unique() <= sequence.expected() && sequence.unique() <= sequence.packets());
    }
    let _ = (figures.wireshark(), figures.frequency(), figures.judged_windows().count());
    let _ = figures.windows().last_minute(Timestamp::from_nanos(i64::MAX), figures.sequence());
    let _ = figures.windows().last_minute(Timestamp::from_nanos(i64::MIN), figures.sequence());
}

#[test]
fn a_stream_takes_half_of_its_share_of_memory() {
    assert!(size_of::<StreamFigures>() <= 5 * 1_024, "{}", size_of::<StreamFigures>());
    assert_eq!(of((0..1_000).map(voice)).memory(), 0, "nothing on the heap without events");
}
