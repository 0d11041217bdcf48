//! Jitter, loss and score over time.

use super::Scene;
use crate::rtp::figures::windows::{self, Window};
use crate::rtp::mos::{Level, Row, Thresholds};
use crate::rtp::playout;
use crate::time::{Elapsed, Timestamp};
use crate::tui::theme::Role;
use crate::tui::verdict;
use crate::tui::widget::chart::{Chart, ceiling};
use crate::tui::widget::lines::Line;

/// The cells before a chart, and one behind it.
const LABEL: u16 = 10;

/// What the charts are drawn from: values at equal distances.
#[derive(Default)]
struct Series {
    jitter: Vec<Option<f64>>,
    loss: Vec<Option<f64>>,
    mos: Vec<Option<f64>>,
    begin: Timestamp,
    end: Timestamp,
}

pub(super) fn lines(scene: &Scene<'_>, width: u16, rows: u16) -> Vec<Line> {
    let series = if scene.minute { minute(scene) } else { whole(scene) };
    let thresholds = Thresholds::default();
    let most = |values: &[Option<f64>]| values.iter().flatten().copied().fold(0.0, f64::max);
    let jitter_top = ceiling(most(&series.jitter).max(10.0));
    // A listener misses more than is lost, but how much is known by windows only.
    let missing = if scene.minute { "lost" } else { "missing" };
    let loss_top = ceiling(most(&series.loss)).min(100.0);
    let jitter = Chart {
        title: "jitter",
        values: &series.jitter,
        range: (0.0, jitter_top),
        labels: ("0", &format!("{jitter_top:.0} ms")),
        level: &|ms| thresholds.jitter(ms),
        least_is_worst: false,
    };
    let loss = Chart {
        title: missing,
        values: &series.loss,
        range: (0.0, loss_top),
        labels: ("0", &format!("{loss_top:.0} %")),
        // What is missing at all is worth a look.
        level: &|percent| if percent > 0.0 { thresholds.loss(percent).max(Level::Warn) } else { Level::Fine },
        least_is_worst: false,
    };
    let mut out = jitter.lines(width, rows, scene.theme);
    match most(&series.loss) > 0.0 {
        true => out.extend(loss.lines(width, rows, scene.theme)),
        false => out.push(Line::blank().right(0, LABEL - 1, missing, Role::Title).at(LABEL, 7, "nothing", Role::Good)),
    }
    if series.mos.iter().any(Option::is_some) {
        let is_judged = scene.stream.quality.score.as_ref().and_then(|score| thresholds.mos(score)).is_some();
        let mos = Chart {
            title: "MOS",
            values: &series.mos,
            range: (1.0, 4.5),
            labels: ("1", "4.5"),
            level: &|mos| if is_judged { thresholds.mos_value(mos) } else { Level::Fine },
            least_is_worst: true,
        };
        out.extend(mos.lines(width, rows, scene.theme));
    }
    out.push(axis(scene, &series, width));
    out
}

/// Where the charts begin and end.
fn axis(scene: &Scene<'_>, series: &Series, width: u16) -> Line {
    let at = |time| scene.zone.format(time, "%H:%M:%S");
    let what = match scene.minute {
        true => "last minute, by seconds; MOS by 10 s",
        false => "whole stream, by 10 s",
    };
    let end = at(series.end);
    let cells = end.len() as u16;
    Line::blank()
        .at(LABEL, 9, at(series.begin), Role::Dim)
        .at(LABEL + 11, width.saturating_sub(LABEL + cells + 13), what, Role::Dim)
        .right(width.saturating_sub(cells + 1), cells, end, Role::Dim)
}

/// The row of the codec table by which this stream is scored.
fn row(scene: &Scene<'_>) -> Option<Row> {
    let quality = &scene.stream.quality;
    quality.score.or(quality.score_now).or_else(|| quality.worst.map(|(_, score)| score)).map(|score| score.row)
}

fn minute(scene: &Scene<'_>) -> Series {
    let (stream, quality) = (scene.stream, &scene.stream.quality);
    let seconds = quality.bars.len();
    let end = stream.last;
    let begin_of = |at: usize| end.after(Elapsed::from_secs(at as i64 + 1 - seconds as i64));
    // A young stream fills the charts with the seconds that it has.
    let began = quality.bars.iter().position(|bar| bar.packets > 0).unwrap_or(0);
    let bars = || quality.bars.iter().skip(began);
    let jitter = bars().map(|bar| (bar.packets > 0).then(|| f64::from(bar.jitter_max())));
    let loss = bars().map(|bar| percent(bar.lost.into(), bar.expected.into()));
    let heard = heard_by_tens(scene);
    let tens = |at: usize| begin_of(at).since(stream.first).whole_seconds().max(0) as usize / 10;
    Series {
        jitter: jitter.collect(),
        loss: loss.collect(),
        mos: (began..seconds).map(|at| heard.get(tens(at)).copied().flatten().and_then(|heard| heard.1)).collect(),
        begin: begin_of(began).max(stream.first),
        end,
    }
}

fn whole(scene: &Scene<'_>) -> Series {
    let (stream, quality) = (scene.stream, &scene.stream.quality);
    let heard = heard_by_tens(scene);
    let ends = quality.windows.iter().map(|window| window.index as usize + 1).max().unwrap_or(0).max(heard.len());
    let mut jitter = vec![None; ends];
    let mut loss = vec![None; ends];
    for window in quality.windows.iter() {
        let lost = percent(window.lost.into(), window.expected.into());
        for at in stands_for(window) {
            if let (Some(jitter), Some(loss)) = (jitter.get_mut(at), loss.get_mut(at)) {
                *jitter = Some(f64::from(window.jitter_max));
                *loss = lost;
            }
        }
    }
    // A listener misses what is lost and what comes too late.
    for (loss, heard) in loss.iter_mut().zip(&heard) {
        *loss = heard.map(|heard| heard.0).or(*loss);
    }
    let mos = heard.iter().map(|heard| heard.and_then(|heard| heard.1)).collect();
    Series { jitter, loss, mos, begin: stream.first, end: stream.last }
}

/// Tens of seconds that a window stands for; those of merged ones lie together.
fn stands_for(window: &Window) -> std::ops::Range<usize> {
    let (index, count) = (window.index as usize, window.stands_for.max(1) as usize);
    let begin = index / count * count;
    begin..begin + count
}

/// What was missing behind the adaptive buffer, in percent, and the score, by tens of seconds.
fn heard_by_tens(scene: &Scene<'_>) -> Vec<Option<(f64, Option<f64>)>> {
    let (stream, row) = (scene.stream, row(scene));
    let longest = stream.quality.windows.iter().map(|window| window.stands_for).max().unwrap_or(1).max(1) as usize;
    let mut out = Vec::new();
    for window in stream.quality.heard.iter() {
        let begin = tens(stream.first, window);
        let mos = row.and_then(|row| row.listening(&window.loss)).map(|score| score.mos);
        let value = window.loss.percent().map(|percent| (percent, mos));
        let begin = begin / longest * longest;
        out.resize(out.len().max(begin + longest), None);
        for slot in out.iter_mut().skip(begin).take(longest) {
            *slot = value;
        }
    }
    let whole = (verdict::length(stream).whole_seconds().max(0) as usize / 10) + 1;
    out.truncate(whole);
    out
}

/// The number of the ten seconds in which a window began.
fn tens(first: Timestamp, window: &playout::Window) -> usize {
    let since = window.start.since(first).nanos() / windows::WINDOW.nanos();
    usize::try_from(since).unwrap_or(0)
}

fn percent(lost: u64, expected: u64) -> Option<f64> {
    (expected > 0).then(|| lost as f64 * 100.0 / expected as f64)
}
