use super::*;
use crate::rtp::playout::{Loss, Window};
use crate::time::{Elapsed, Timestamp};

const TOLERANCE: f64 = 0.0001;

fn close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= TOLERANCE, "{what}: {got} is not {expected}");
}

fn codec(name: &'static str) -> Codec<'static> {
    Codec { name, ..Codec::default() }
}

fn at_rate(name: &'static str, bit_rate: u32) -> Codec<'static> {
    Codec { bit_rate: Some(bit_rate), ..codec(name) }
}

fn row_of(codec: &Codec<'_>) -> Row {
    row(codec, &Options::default()).unwrap()
}

fn bare() -> Options {
    Options { concealment: false, ..Options::default() }
}

type RAndMos = (f64, f64);

/// Ppl, BurstR, and R and MOS of G.711 without and with PLC, G.729A + VAD, G.723.1 6.3k, GSM-EFR.
const NARROW: &[(f64, f64, [RAndMos; 5])] = &[
    (0.0, 1.0, [(93.2, 4.4093), (93.2, 4.4093), (82.2, 4.1044), (78.2, 3.9542), (88.2, 4.2924)]),
    (0.0, 2.0, [(93.2, 4.4093), (93.2, 4.4093), (82.2, 4.1044), (78.2, 3.9542), (88.2, 4.2924)]),
    (0.5, 1.0, [(83.3042, 4.1425), (91.3445, 4.3705), (80.0462, 4.0257), (75.7904, 3.8555), (83.9143, 4.1630)]),
    (0.5, 2.0, [(82.7604, 4.1239), (91.3262, 4.3701), (80.0182, 4.0247), (75.7535, 3.8539), (83.8098, 4.1595)]),
    (1.0, 1.0, [(75.2755, 3.8337), (89.5602, 4.3281), (78.0000, 3.9462), (73.5216, 3.7575), (80.0182, 4.0247)]),
    (1.0, 2.0, [(73.4083, 3.7525), (89.4891, 4.3263), (77.8923, 3.9419), (73.3807, 3.7513), (79.6286, 4.0099)]),
    (2.0, 1.0, [(63.0413, 3.2560), (86.1889, 4.2348), (74.2000, 3.7873), (69.3602, 3.5669), (73.2000, 3.7433)]),
    (2.0, 2.0, [(57.3509, 2.9619), (85.9203, 4.2267), (73.8000, 3.7698), (68.8433, 3.5423), (71.8364, 3.6819)]),
    (3.0, 1.0, [(54.1589, 2.7940), (83.0577, 4.1341), (70.7455, 3.6318), (65.6346, 3.3862), (67.4308, 3.4743)]),
    (3.0, 2.0, [(44.0621, 2.2672), (82.4857, 4.1144), (69.9073, 3.5927), (64.5636, 3.3328), (64.7217, 3.3407)]),
    (5.0, 1.0, [(42.1247, 2.1693), (77.4193, 3.9228), (64.7000, 3.3396), (59.2427, 3.0607), (58.2000, 3.0063)]),
    (5.0, 2.0, [(23.3471, 1.3580), (75.9899, 3.8639), (62.6651, 3.2369), (56.6946, 2.9275), (52.2000, 2.6908)]),
    (10.0, 1.0, [(26.7664, 1.4808), (66.1345, 3.4109), (53.2345, 2.7453), (47.5487, 2.4468), (43.2000, 2.2234)]),
    (10.0, 2.0, [(-8.9505, 1.0000), (61.6385, 3.1845), (47.2000, 2.4287), (40.2853, 2.0780), (28.2000, 1.5363)]),
    (20.0, 1.0, [(15.0107, 1.1236), (51.0714, 2.6313), (39.1231, 2.0213), (33.8787, 1.7762), (28.2000, 1.5363)]),
    (20.0, 2.0, [(-39.6671, 1.0000), (39.0689, 2.0186), (24.2690, 1.3897), (16.8973, 1.1677), (-1.8000, 1.0000)]),
];

#[test]
fn narrowband_scores_are_those_of_the_specification() {
    let rows = [
        row(&codec("PCMU"), &bare()).unwrap(),
        row_of(&codec("PCMA")),
        row_of(&codec("G729")),
        row_of(&codec("G723")),
        row_of(&codec("GSM-EFR")),
    ];
    for (percent, burst_ratio, expected) in NARROW {
        for (row, (r, mos)) in rows.iter().zip(expected) {
            let score = row.score(*percent, *burst_ratio, 0.0).unwrap();
            let what = format!("{} at {percent} %, {burst_ratio}", row.name);
            close(score.r, *r, &what);
            close(score.mos, *mos, &what);
            assert_eq!(score.basis, Basis::Published);
        }
    }
}

#[test]
fn mos_of_r_never_goes_below_one() {
    let expected = [
        (0.0, 1.0),
        (3.2, 1.0),
        (10.0, 1.035),
        (50.0, 2.575),
        (60.0, 3.1),
        (70.0, 3.597),
        (80.0, 4.024),
        (90.0, 4.339),
        (93.2, 4.4093),
        (100.0, 4.5),
        (-40.0, 1.0),
        (148.0, 4.5),
    ];
    for (r, mos) in expected {
        close(mos_of_r(r), mos, &format!("R {r}"));
    }
    assert!((0..2_000).map(|step| mos_of_r(f64::from(step) / 10.0 - 50.0)).all(|mos| (1.0..=4.5).contains(&mos)));
}

#[test]
fn delay_impairs_as_the_full_formula_and_the_shortcut_say() {
    let expected = [
        (0.0, 0.0, 0.0),
        (50.0, 0.0, 1.2),
        (100.0, 0.0, 2.4),
        (150.0, 0.1635, 3.6),
        (177.3, 1.1721, 4.2552),
        (200.0, 3.0444, 7.297),
        (300.0, 14.7607, 20.697),
        (400.0, 24.0701, 34.097),
    ];
    for (ms, full, shortcut) in expected {
        let delay = Elapsed::from_nanos((ms * 1e6) as i64);
        close(delay_impairment(delay, DelayModel::Full), full, &format!("{ms} ms in full"));
        close(delay_impairment(delay, DelayModel::Shortcut), shortcut, &format!("{ms} ms, shortcut"));
    }
    assert_eq!(delay_impairment(Elapsed::from_millis(-5), DelayModel::Shortcut), 0.0);
    let delay = one_way_delay(Elapsed::from_millis(100), Elapsed::from_millis(45), Elapsed::from_millis(20));
    assert_eq!(delay.millis(), 115.0);
}

#[test]
fn wideband_scores_without_loss_are_those_of_the_specification() {
    let monotic = [
        (23_850, 4.420569),
        (23_050, 4.493988),
        (19_850, 4.478509),
        (18_250, 4.458553),
        (15_850, 4.434278),
        (14_250, 4.390107),
        (12_650, 4.337096),
        (8_850, 4.018126),
        (6_600, 3.512307),
    ];
    for (rate, mos) in monotic {
        let score = row_of(&at_rate("AMR-WB", rate)).score(0.0, 1.0, 0.0).unwrap();
        close(score.mos, mos, &format!("AMR-WB {rate}"));
        assert_eq!((score.basis, score.row.scale), (Basis::Published, Scale::Wide));
    }
    let headset = Options { listening: Listening::Diotic, ..Options::default() };
    let diotic =
        [(23_850, 4.3901), (23_050, 4.4206), (15_850, 4.2536), (12_650, 4.1820), (8_850, 3.5123), (6_600, 2.9220)];
    for (rate, mos) in diotic {
        let row = row(&at_rate("AMR-WB", rate), &headset).unwrap();
        close(row.score(0.0, 1.0, 0.0).unwrap().mos, mos, &format!("diotic {rate}"));
        assert_eq!(row.score(0.1, 1.0, 0.0), None, "no Bpl");
    }
    let g722 = row_of(&codec("G722")).score(0.0, 1.0, 0.0).unwrap();
    close(g722.mos, 4.3371, "G.722");
    assert_eq!(g722.basis, Basis::Secondary);
}

#[test]
fn fullband_scores_are_those_of_the_specification() {
    let expected = [
        (48_000, 137.8, 4.4075),
        (32_000, 139.3, 4.4264),
        (24_400, 140.8, 4.4436),
        (16_400, 137.2, 4.3995),
        (13_200, 130.9, 4.2991),
        (9_600, 125.3, 4.1873),
    ];
    let evs = |rate| row_of(&Codec { fmtp: Some("br=9.6-48; bw=swb"), ..at_rate("EVS", rate) });
    for (rate, r, mos) in expected {
        let score = evs(rate).score(0.0, 1.0, 0.0).unwrap();
        close(score.r, r, &format!("EVS {rate}"));
        close(score.mos, mos, &format!("EVS {rate}"));
        assert_eq!(score.basis, Basis::Published);
    }
    for (percent, r, mos) in [(1.0, 130.7355, 4.2961), (3.0, 114.8, 3.9288), (5.0, 102.7512, 3.57)] {
        let score = evs(24_400).score(percent, 1.0, 0.0).unwrap();
        close(score.r, r, &format!("{percent} %"));
        close(score.mos, mos, &format!("{percent} %"));
        assert_eq!(score.basis, Basis::Secondary, "the 132 of G.107.2 is known at second hand");
    }
    close(row_of(&codec("OPUS")).score(0.0, 1.0, 0.0).unwrap().mos, 4.4436, "Opus borrows");
}

/// The E-model again, written from the formulas and not from the code: best R, what is lost at most, and the stretch of the
/// three scales; Ie and Bpl as in the table of the specification.
fn by_hand(scale: Scale, ie: f64, bpl: f64, percent: f64, burst: f64, delay: Option<f64>) -> f64 {
    let (best, most, stretch, burst) = match scale {
        Scale::Narrow => (93.2, 95.0, 1.0, burst),
        Scale::Wide => (129.0, 95.0, 1.29, 1.0),
        Scale::Full => (148.0, 132.0, 1.48, 1.0),
    };
    let share = if percent == 0.0 { 0.0 } else { 1.0 / (1.0 / burst + bpl / percent) };
    let delay = match delay {
        Some(ta) if ta > 100.0 => {
            let x = (ta / 100.0).ln() / 2_f64.ln();
            let sixth = |y: f64| (1.0 + y * y * y * y * y * y).powf(1.0 / 6.0);
            25.0 * (sixth(x) - 3.0 * sixth(x / 3.0) + 2.0)
        }
        _ => 0.0,
    };
    let delay = if scale == Scale::Full { 1.48 * delay } else { delay };
    let r = (best - delay - (ie * (1.0 - share) + most * share)) / stretch;
    if r < 0.0 {
        return 1.0;
    }
    let r = r.min(100.0);
    let cubic = -7e-6 * r * r * r + 7e-6 * 160.0 * r * r + (0.035 - 7e-6 * 6_000.0) * r + 1.0;
    cubic.max(1.0)
}

#[test]
fn scores_over_codecs_loss_bursts_and_delay_are_those_of_the_model() {
    use Scale::{Full, Narrow, Wide};
    let codecs: [(Codec<'_>, Scale, f64, f64); 22] = [
        (codec("PCMU"), Narrow, 0.0, 25.1),
        (codec("pcma"), Narrow, 0.0, 25.1),
        (codec("G729"), Narrow, 11.0, 19.0),
        (Codec { fmtp: Some("annexb=no"), ..codec("G729") }, Narrow, 10.0, 19.0),
        (codec("G723"), Narrow, 15.0, 16.1),
        (at_rate("G723", 5_300), Narrow, 19.0, 16.1),
        (codec("GSM-EFR"), Narrow, 5.0, 10.0),
        (codec("GSM"), Narrow, 20.0, 10.0),
        (codec("GSM-HR-08"), Narrow, 23.0, 10.0),
        (codec("G726-40"), Narrow, 2.0, 4.3),
        (codec("G726-32"), Narrow, 7.0, 4.3),
        (codec("AAL2-G726-24"), Narrow, 25.0, 4.3),
        (codec("G726-16"), Narrow, 50.0, 4.3),
        (codec("G728"), Narrow, 7.0, 4.3),
        (at_rate("G728", 12_800), Narrow, 20.0, 4.3),
        (at_rate("AMR", 12_200), Narrow, 5.0, 10.0),
        (at_rate("AMR-WB", 12_650), Wide, 13.0, 4.3),
        (at_rate("AMR-WB", 6_600), Wide, 41.0, 4.3),
        (codec("G722"), Wide, 13.0, 4.3),
        (Codec { fmtp: Some("bitrate=24000"), clock: Some(16_000), ..codec("G7221") }, Wide, 19.0, 4.3),
        (at_rate("EVS", 9_600), Full, 22.7, 13.0),
        (codec("opus"), Full, 7.2, 11.4),
    ];
    let mut compared = 0;
    for (codec, scale, ie, bpl) in codecs {
        let row = row_of(&codec);
        assert_eq!(row.scale, scale, "{}", row.name);
        for (lost, discarded) in [(0, 0), (2, 2), (10, 0), (30, 20), (100, 50), (400, 0), (1_000, 0)] {
            for run in [1, 2, 5] {
                let missing: u64 = lost + discarded;
                let runs = missing.div_ceil(run);
                let loss = Loss { expected: 1_000, lost, discarded, runs };
                let p = missing as f64 / 1_000.0;
                let burst = if missing == 0 || missing == 1_000 {
                    1.0
                } else {
                    (missing as f64 / runs as f64 * (1.0 - p)).max(1.0)
                };
                let what = format!("{}, {missing} missing in {runs} runs", row.name);
                close(row.listening(&loss).unwrap().mos, by_hand(scale, ie, bpl, 100.0 * p, burst, None), &what);
                for ms in [60, 120, 180, 250, 400, 900] {
                    let heard = row.conversational(&loss, Elapsed::from_millis(ms), DelayModel::Full).unwrap().mos;
                    close(
                        heard,
                        by_hand(scale, ie, bpl, 100.0 * p, burst, Some(ms as f64)),
                        &format!("{what}, {ms} ms"),
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 22 * 7 * 3 * 6);
}

#[test]
fn there_is_no_dead_zone() {
    let score = row_of(&codec("PCMU")).listening(&Loss { expected: 500, lost: 4, discarded: 0, runs: 4 }).unwrap();
    close(score.r, 90.2656, "R");
    assert_eq!(score.cell(), "4.3");
    close((score.mos * 100.0).round() / 100.0, 4.35, "MOS");
    // A peer that takes a square root in the delay's second term says 1.22 here.
    let short =
        row_of(&codec("PCMU")).score(0.0, 1.0, delay_impairment(Elapsed::from_millis(250), DelayModel::Shortcut));
    assert_eq!(format!("{:.2}", short.unwrap().mos), "3.99");
}

#[test]
fn fewer_than_25_packets_have_no_score() {
    let row = row_of(&codec("PCMU"));
    assert_eq!(row.listening(&Loss { expected: 24, ..Loss::default() }), None);
    assert!(row.listening(&Loss { expected: 25, ..Loss::default() }).is_some());
    assert_eq!(row.score(f64::NAN, 1.0, f64::NAN), None);
}

#[test]
fn a_score_says_what_it_was_made_from() {
    let text = |codec: &Codec<'_>, percent| row_of(codec).score(percent, 1.0, 0.0).unwrap().model_text();
    assert_eq!(text(&codec("PCMU"), 0.0), "G.107, G.711 + PLC, Ie 0, Bpl 25.1, published");
    let no_annex_b = Codec { fmtp: Some("annexb=NO"), ..codec("G729") };
    assert_eq!(text(&no_annex_b, 0.0), "G.107, G.729, Ie 10, Bpl 19, published");
    assert_eq!(text(&no_annex_b, 1.0), "G.107, G.729, Ie 10, Bpl 19, assumed (no published value)");
    assert_eq!(text(&codec("GSM"), 0.0), "G.107, GSM-FR, Ie 20, Bpl 10, secondary");
    assert_eq!(
        text(&codec("opus"), 0.0),
        "G.107.2, EVS-SWB 24.4k in place of Opus, Ie 7.2, Bpl 11.4, assumed (no published value)"
    );
    assert_eq!(text(&codec("IS-641"), 0.0), "G.107, IS-641, Ie 10, Bpl –, published");
    let cell = |codec: &Codec<'_>| row_of(codec).score(0.0, 1.0, 0.0).unwrap().cell();
    assert_eq!([cell(&codec("PCMU")), cell(&codec("G722")), cell(&codec("opus"))], ["4.4", "4.3'", "~4.4"]);
}

#[test]
fn the_range_in_which_the_model_was_validated_is_told() {
    let remark = |percent, burst| row_of(&codec("PCMU")).score(percent, burst, 0.0).unwrap().remark();
    for (percent, burst) in [(10.0, 2.0), (1.9, 5.0), (0.0, 1.0)] {
        assert_eq!(remark(percent, burst), None, "{percent} %, {burst}");
    }
    assert_eq!(remark(2.0, 2.1), Some("outside validated range"));
}

#[test]
fn no_published_value_is_an_answer() {
    let none = [
        codec("iLBC"),
        codec("speex"),
        codec("AMR"),
        at_rate("AMR", 7_950),
        codec("AMR-WB"),
        at_rate("AMR-WB", 1),
        codec("EVS"),
        codec("H264"),
        codec("telephone-event"),
        codec("CN"),
        codec(""),
        codec("L16"),
        codec("G719"),
        Codec { clock: Some(32_000), fmtp: Some("bitrate=32000"), ..codec("G7221") },
        codec("G7221"),
        at_rate("G728", 9_600),
    ];
    for codec in none {
        assert_eq!(row(&codec, &Options::default()), None, "{codec:?}");
    }
    assert_eq!((Basis::None.name(), Basis::None.text()), ("none", "no published value"));
    let is_641 = row_of(&codec("is-641"));
    assert!(is_641.score(0.0, 1.0, 0.0).is_some() && is_641.score(0.1, 1.0, 0.0).is_none());
}

#[test]
fn the_user_may_set_a_row_for_any_codec() {
    let user = |ie, bpl| UserRow { codec: "ILBC".to_owned(), scale: Scale::Narrow, ie, bpl };
    let rows = vec![user(f64::NAN, 1.0), user(10.0, 25.0), user(0.0, 1.0)];
    let options = Options { rows, ..Options::default() };
    let score = row(&codec("iLBC"), &options).unwrap().score(2.0, 1.0, 0.0).unwrap();
    assert_eq!(score.model_text(), "G.107, set by the user, Ie 10, Bpl 25, assumed (no published value)");
    close(score.r, 93.2 - 10.0 - 85.0 * 2.0 / 27.0, "R");
    let odd = Options { rows: vec![user(1e9, 0.0)], ..Options::default() };
    let row = row(&codec("iLBC"), &odd).unwrap();
    assert_eq!((row.ie.value, row.bpl), (95.0, None));
}

#[test]
fn evs_of_unknown_bandwidth_and_g723_without_silence_are_assumed() {
    assert_eq!(row_of(&at_rate("EVS", 24_400)).ie.basis, Basis::Assumed);
    let plain = Codec { fmtp: Some("bitrate=6.3;annexa=no"), ..codec("G723") };
    assert_eq!(row_of(&plain).ie.basis, Basis::Assumed);
    assert_eq!(row_of(&Codec { fmtp: Some("bitrate=5.3"), ..codec("G723") }).name, "G.723.1 5.3k");
}

#[test]
fn the_worst_window_is_found_with_its_time() {
    let window = |second: i64, expected, lost, runs| Window {
        start: Timestamp::from_parts(second, 0),
        loss: Loss { expected, lost, discarded: 0, runs },
    };
    let windows = [window(0, 500, 5, 5), window(10, 500, 40, 10), window(20, 500, 40, 40), window(30, 24, 20, 1)];
    let (worst, score) = worst_window(&row_of(&codec("PCMU")), windows.into_iter()).unwrap();
    assert_eq!(worst.start, Timestamp::from_parts(10, 0), "bursts are worse; too few packets are no window");
    assert!(score.outside_range);
    assert_eq!(worst_window(&row_of(&codec("PCMU")), std::iter::empty()), None);
}

#[test]
fn levels_and_bands_change_where_they_should() {
    let limits = Thresholds::default();
    assert_eq!(
        [3.6, 3.59, 3.1, 3.09].map(|mos| limits.mos_value(mos)),
        [Level::Fine, Level::Warn, Level::Warn, Level::Error]
    );
    assert_eq!([0.99, 1.0, 5.0].map(|percent| limits.loss(percent)), [Level::Fine, Level::Warn, Level::Error]);
    assert_eq!([30.0, 30.1, 60.1].map(|ms| limits.jitter(ms)), [Level::Fine, Level::Warn, Level::Error]);
    let scored = |name, percent| row_of(&codec(name)).score(percent, 1.0, 0.0).unwrap();
    assert_eq!(limits.mos(&scored("PCMU", 20.0)), Some(Level::Error));
    assert_eq!(limits.mos(&scored("opus", 20.0)), None, "assumed scores are never coloured");
    let bands = [90.0, 80.0, 70.0, 60.0, 50.0, 49.9].map(Band::of_r);
    assert!(bands.is_sorted_by(|a, b| a > b));
    for (band, mos) in bands.iter().zip([4.34, 4.02, 3.60, 3.10, 2.58]) {
        assert!((mos_of_r(90.0 - 10.0 * f64::from(5 - *band as u8)) - mos).abs() < 0.006, "{band:?}");
    }
    assert_eq!(scored("PCMU", 0.0).band(), Band::VerySatisfied);
    assert_eq!(scored("G722", 0.0).band(), Band::Satisfied, "R 116 of 129 is 89.9");
    assert_eq!(Band::of_r(f64::NAN), Band::NotRecommended);
}
