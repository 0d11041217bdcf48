//! The figures of a stream, and the keys that were pressed in it.

use super::{Scene, ms, section};
use crate::rtp::mos::Thresholds;
use crate::tui::format::counted;
use crate::tui::theme::Role;
use crate::tui::verdict;
use crate::tui::widget::lines::{self, Line};

/// Cells of a name before its figures.
const NAME: u16 = 13;

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let (quality, thresholds) = (&scene.stream.quality, Thresholds::default());
    let lost = quality.lost_percent();
    let lost_role = lost.map_or(Role::Text, |percent| verdict::role(thresholds.loss(percent)));
    // The count that was taken together with the other figures: the row's own may be newer.
    let counts = Line::blank()
        .at(1, NAME, "Packets", Role::Dim)
        .at(14, 9, counted(quality.wireshark.packets), Role::Text)
        .at(24, 15, format!("expected {}", counted(quality.expected)), Role::Text)
        .at(40, 22, format!("lost {}, {}", counted(quality.lost), verdict::percent(lost)), lost_role)
        .at(62, 16, format!("repeated {}", counted(quality.duplicates)), Role::Text);
    let head = ["now", "mean", "max", "p50", "p95", "p99"];
    let mut out = vec![counts];
    out.push(row("in ms", head.map(|text| (text.to_owned(), Role::Dim))));
    let jitter = |value: Option<f64>| {
        let role = value.map_or(Role::Text, |value| verdict::role(thresholds.jitter(value)));
        (ms(value), role)
    };
    let (spread, shares) = (quality.jitter, quality.jitter_percentiles);
    out.push(row(
        "Jitter",
        [
            jitter(quality.jitter_now),
            jitter(spread.map(|spread| spread.mean)),
            jitter(spread.map(|spread| spread.max)),
            jitter(shares.map(|shares| shares.p50)),
            jitter(shares.map(|shares| shares.p95)),
            jitter(shares.map(|shares| shares.p99)),
        ],
    ));
    let (spread, shares) = (quality.delta, quality.delta_percentiles);
    let plain = |value: Option<f64>| (ms(value), Role::Text);
    out.push(row(
        "Inter-arrival",
        [
            plain(None),
            plain(spread.map(|spread| spread.mean)),
            plain(spread.map(|spread| spread.max)),
            plain(shares.map(|shares| shares.p50)),
            plain(shares.map(|shares| shares.p95)),
            plain(shares.map(|shares| shares.p99)),
        ],
    ));
    out.push(clock(scene));
    out.push(oddities(scene));
    out
}

fn row(name: &str, values: [(String, Role); 6]) -> Line {
    let line = Line::blank().at(1, NAME, name, Role::Dim);
    let places = (0..6).map(|at| 14 + at * 10);
    places.zip(values).fold(line, |line, (x, (text, role))| line.right(x, 9, text, role))
}

fn clock(scene: &Scene<'_>) -> Line {
    let quality = &scene.stream.quality;
    let gap = quality.longest_gap.map_or_else(String::new, |(gap, began)| {
        let length = match gap.millis() {
            ms if ms < 1_000.0 => format!("{ms:.1} ms"),
            ms => format!("{:.2} s", ms / 1_000.0),
        };
        format!("{length} at {}", scene.zone.format(began, "%H:%M:%S"))
    });
    let ppm = quality
        .clock_ppm
        .map_or_else(|| "unknown".to_owned(), |ppm| format!("{:+.1} ppm", if ppm.abs() < 0.05 { 0.0 } else { ppm }));
    let skew = quality.max_skew.map_or_else(String::new, |skew| match skew.abs() {
        ms if ms < 1_000.0 => format!("skew {skew:+.1} ms"),
        _ => format!("skew {:+.2} s", skew / 1_000.0),
    });
    Line::blank()
        .at(1, NAME, "Longest gap", Role::Dim)
        .at(15, 25, gap, Role::Text)
        .at(40, 11, "Clock error", Role::Dim)
        .at(52, 11, ppm, Role::Text)
        .at(64, 14, skew, Role::Text)
}

/// What is not as it should be, of which none is no news.
fn oddities(scene: &Scene<'_>) -> Line {
    let quality = &scene.stream.quality;
    let counts = [
        ("out of order", quality.out_of_order),
        ("sequence errors", quality.sequence_errors),
        ("restarts", quality.restarts.into()),
        ("timestamp jumps", quality.timestamp_jumps.into()),
        ("pauses", quality.pauses.into()),
        ("event repeats", quality.event_repeats.into()),
    ];
    let seen: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {}", counted(*count)))
        .collect();
    let text = match seen.is_empty() {
        true => "no reordering, restart, timestamp jump, pause or event repeat".to_owned(),
        false => seen.join(", "),
    };
    Line::blank().at(1, NAME, "Sequence", Role::Dim).at(15, u16::MAX, text, Role::Text)
}

/// Keys with the times at which they were pressed.
pub(super) fn digits(scene: &Scene<'_>, width: u16) -> Vec<Line> {
    let quality = &scene.stream.quality;
    if quality.events.is_empty() {
        return Vec::new();
    }
    let shown: Vec<String> = quality
        .events
        .iter()
        .map(|event| {
            let key = event.key().map_or_else(|| format!("event {}", event.code), |key| key.to_string());
            let at = scene.zone.format(event.at, "%H:%M:%S%.3f");
            let end = if event.has_ended { "" } else { "(no end)" };
            format!("{key}\u{1f}{at}\u{1f}{:.0}ms{end}", event.duration().millis())
        })
        .collect();
    let mut out = vec![section(&format!("DTMF {}", quality.digits))];
    let room = usize::from(width.saturating_sub(3));
    // A key, its time and its length stay together.
    let words = lines::words("", &shown.join("  "), room);
    out.extend(words.into_iter().map(|line| Line::blank().at(1, u16::MAX, line.replace('\u{1f}', " "), Role::Text)));
    out.push(Line::blank());
    out
}
