//! How often each jitter and each time between packets was measured.

use super::{Scene, ms, section};
use crate::rtp::figures::Percentiles;
use crate::rtp::figures::histogram::{Bucket, gathered};
use crate::tui::format::counted;
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::lines::{self, Line};

/// Rows of a histogram, without the two that hold its shortest and longest.
const ROWS: usize = 8;
/// Cells of the longest bar.
const BAR: f64 = 14.0;
/// Where the second histogram stands.
const SECOND: u16 = 40;

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let quality = &scene.stream.quality;
    let jitter = one("Jitter, ms", &quality.jitter_histogram, quality.jitter_percentiles, scene.theme);
    let between = one("Inter-arrival, ms", &quality.delta_histogram, quality.delta_percentiles, scene.theme);
    let mut out = lines::beside(jitter, between, SECOND);
    if !out.is_empty() {
        out.push(Line::blank());
    }
    out
}

fn one(title: &str, buckets: &[Bucket], shares: Option<Percentiles>, theme: &Theme) -> Vec<Line> {
    let rows = gathered(buckets, ROWS);
    let Some(most) = rows.iter().map(|row| row.count).max() else { return Vec::new() };
    let total: u64 = rows.iter().map(|row| u64::from(row.count)).sum();
    let mut out = vec![section(title)];
    if let Some(shares) = shares {
        let [p50, p95, p99] = [shares.p50, shares.p95, shares.p99].map(|value| ms(Some(value)));
        out.push(Line::blank().at(1, 38, format!("p50 {p50}  p95 {p95}  p99 {p99}"), Role::Text));
    }
    for row in &rows {
        let range = match (row.from, row.to) {
            (0.0, to) => format!("< {}", edge(to)),
            (from, to) if to.is_infinite() || is_last(&rows, row) => format!("{} on", edge(from)),
            (from, to) => format!("{}–{}", edge(from), edge(to)),
        };
        let share = f64::from(row.count) * 100.0 / total.max(1) as f64;
        out.push(
            Line::blank()
                .right(1, 11, if theme.ascii { range.replace('–', "-") } else { range }, Role::Dim)
                .at(13, BAR as u16, bar(f64::from(row.count) / f64::from(most.max(1)), theme), Role::Good)
                .right(27, 5, counted(row.count.into()), Role::Text)
                .right(33, 5, if row.count == 0 { String::new() } else { format!("{share:.1}") }, Role::Dim),
        );
    }
    out
}

/// The last row has no end that says anything, if it gathers what is longer.
fn is_last(rows: &[Bucket], row: &Bucket) -> bool {
    rows.len() > ROWS && rows.last() == Some(row)
}

fn edge(ms: f64) -> String {
    match ms {
        ms if ms < 0.095 => format!("{ms:.3}"),
        ms if ms < 0.995 => format!("{ms:.2}"),
        ms if ms < 9.95 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

/// A bar in eighths of cells; what is there at all has a cell.
fn bar(share: f64, theme: &Theme) -> String {
    let eighths = (share * BAR * 8.0).round() as usize;
    if theme.ascii {
        return "#".repeat(eighths.div_ceil(8));
    }
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let part = PARTS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{part}", "█".repeat(eighths / 8))
}
