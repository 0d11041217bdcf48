//! Whole calls whose streams are known exactly, through the whole program but its screen: every figure is what was made.
#![expect(clippy::unwrap_used, reason = "a scene that cannot be written has failed")]

use std::collections::BTreeMap;

use sipwatch::capture::file::FileSource;
use sipwatch::capture::synth::quality::{Scene, SceneTruth, Spread, StreamTruth, names};
use sipwatch::capture::synth::{PcapWriter, Precision};
use sipwatch::engine::{EngineOptions, analyze};
use sipwatch::export::json::streams::StreamRow;
use sipwatch::export::json::{Report, report};
use sipwatch::packet::LinkType;
use sipwatch::time::Timestamp;
use sipwatch::track::stream::Range;

const START: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// Reads a scene like any capture.
fn read(name: &str) -> (SceneTruth, sipwatch::store::snapshot::Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.pcap");
    let mut scene = Scene::named(name, START, 1).unwrap();
    let out = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut writer = PcapWriter::new(out, Precision::Nanos, LinkType::ETHERNET, 262_144).unwrap();
    let mut packet = Vec::new();
    while let Some(at) = scene.next_packet(&mut packet) {
        writer.write(at, &packet).unwrap();
    }
    writer.finish().unwrap().into_inner().unwrap();
    let source = FileSource::open(&[path.to_str().unwrap().to_owned()]).unwrap();
    (scene.truth().clone(), analyze(Box::new(source), &EngineOptions::default()).unwrap())
}

fn is_near(ours: Option<Range>, truth: Option<Spread>) -> bool {
    match (ours, truth) {
        (None, None) => true,
        (Some(ours), Some(truth)) => [(ours.min, truth.min), (ours.mean, truth.mean), (ours.max, truth.max)]
            .iter()
            .all(|(ours, truth)| (ours - truth).abs() < 0.000_6),
        _ => false,
    }
}

#[test]
fn every_figure_of_a_made_stream_is_exact() {
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut streams = 0;
    for name in names() {
        let (truth, snapshot) = read(name);
        let mut say = |what: String| wrong.entry(name.to_owned()).or_default().push(what);
        if snapshot.streams.len() != truth.streams.len() {
            say(format!("{} streams of {}", snapshot.streams.len(), truth.streams.len()));
        }
        for expected in &truth.streams {
            let is_it = |stream: &&std::sync::Arc<sipwatch::track::stream::Stream>| {
                stream.ssrc == expected.ssrc && stream.flow.src.to_string() == expected.src
            };
            let Some(stream) = snapshot.streams.iter().find(is_it) else {
                say(format!("no stream {:08X}", expected.ssrc));
                continue;
            };
            streams += 1;
            let ours = &stream.quality;
            let counts = [
                ("packets", stream.packets, expected.packets),
                ("expected", ours.expected, expected.expected),
                ("lost", ours.lost, expected.lost),
                ("duplicates", ours.duplicates, expected.duplicates),
                ("event repeats", ours.event_repeats.into(), expected.event_repeats),
                ("out of order", ours.out_of_order, expected.out_of_order),
                ("restarts", ours.restarts.into(), expected.restarts),
                ("sequence errors", ours.sequence_errors, expected.sequence_errors),
                ("timestamp jumps", ours.timestamp_jumps.into(), expected.timestamp_jumps),
                ("pauses", ours.pauses.into(), expected.pauses),
            ];
            for (what, ours, truth) in counts {
                if ours != truth {
                    say(format!("{:08X} {what} {ours}, not {truth}", expected.ssrc));
                }
            }
            if *ours.digits != expected.digits {
                say(format!("digits {:?}, not {:?}", ours.digits, expected.digits));
            }
            if ours.has_problem != expected.has_problem {
                say(format!("problem {}", ours.has_problem));
            }
            if !is_near(ours.delta, expected.delta_ms) {
                say(format!("delta {:?}, not {:?}", ours.delta, expected.delta_ms));
            }
            if !is_near(ours.jitter, expected.jitter_ms) {
                say(format!("jitter {:?}, not {:?}", ours.jitter, expected.jitter_ms));
            }
            if let Some(ppm) = ours.clock_ppm
                && (ppm - f64::from(expected.drift_ppm)).abs() > 5.0
                && expected.drift_ppm != 0
            {
                say(format!("clock {ppm} ppm, not {}", expected.drift_ppm));
            }
        }
    }
    assert!(streams > 50, "{streams}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn row<'r>(report: &'r Report, stream: &StreamTruth) -> &'r StreamRow {
    let ssrc = format!("0x{:08X}", stream.ssrc);
    report.streams.iter().find(|row| row.ssrc == ssrc && format!("{}:{}", row.src, row.src_port) == stream.src).unwrap()
}

#[test]
fn what_rtcp_says_stands_beside_its_stream() {
    let mut told = 0;
    for name in names() {
        let (truth, snapshot) = read(name);
        let Some(reported) = &truth.reported else { continue };
        let report = report(&snapshot);
        let with =
            truth.streams.iter().map(|stream| row(&report, stream)).filter(|row| row.reported.lost_pct.is_some());
        let rows: Vec<_> = with.collect();
        if reported.encrypted {
            assert!(rows.is_empty(), "{name}");
            continue;
        }
        told += 1;
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            let percent = f64::from(reported.fraction_lost) * 100.0 / 256.0;
            assert!((row.reported.lost_pct.unwrap() - percent).abs() < 0.01, "{name}");
            assert!((row.reported.jitter_ms.unwrap() - f64::from(reported.jitter) / 8.0).abs() < 0.001, "{name}");
            let (near, far) = (reported.caller_part_ms, reported.callee_part_ms);
            if truth.streams.len() < 2 {
                assert!(row.reported.rtt_ms.is_none(), "{name}: one end alone gives no round trip");
                continue;
            }
            let whole = near + far;
            assert!((row.reported.rtt_ms.unwrap_or(-1.0) - whole).abs() < 0.1, "{name}: {:?}, {whole}", row.reported);
        }
    }
    assert!(told >= 2, "{told}");
}
