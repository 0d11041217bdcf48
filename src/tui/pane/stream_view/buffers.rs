//! What a listener has behind each of three playout buffers.

use super::{Scene, section};
use crate::rtp::mos::Thresholds;
use crate::rtp::playout::{BufferKind, Figures};
use crate::tui::theme::Role;
use crate::tui::verdict;
use crate::tui::widget::lines::Line;

/// Where the first buffer stands, and how far each is from the next.
const COLUMNS: (u16, u16) = (28, 16);

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let Some(figures) = &scene.stream.quality.playout else { return Vec::new() };
    let row = scene.stream.quality.score.map(|score| score.row);
    let thresholds = Thresholds::default();
    let line = |name: &str, cell: &dyn Fn(&Figures) -> (String, Role)| {
        let line = Line::blank().at(1, 25, name, Role::Dim);
        let places = (COLUMNS.0..).step_by(usize::from(COLUMNS.1));
        places.zip(figures).fold(line, |line, (x, figures)| {
            let (text, role) = cell(figures);
            line.right(x, COLUMNS.1 - 2, text, role)
        })
    };
    let percent = |part: u64, figures: &Figures| {
        let share = (figures.loss.expected > 0).then(|| part as f64 * 100.0 / figures.loss.expected as f64);
        let role = share.map_or(Role::Text, |share| verdict::role(thresholds.loss(share)));
        let text = if part == 0 { "0".to_owned() } else { format!("{part}, {}", verdict::percent(share)) };
        (text, role)
    };
    let names = BufferKind::ALL.map(BufferKind::name);
    let head = (COLUMNS.0..).step_by(usize::from(COLUMNS.1)).zip(names);
    let mut out = vec![
        head.fold(section("Listener's buffer"), |line, (x, name)| line.right(x, COLUMNS.1 - 2, name, Role::Header)),
    ];
    out.push(line("lost", &|figures| percent(figures.loss.lost, figures)));
    out.push(line("discarded, too late", &|figures| percent(figures.loss.discarded, figures)));
    out.push(line("missing, burst ratio", &|figures| {
        let share = figures.loss.percent();
        let role = share.map_or(Role::Text, |share| verdict::role(thresholds.loss(share)));
        (format!("{}, {:.1}", verdict::percent(share), figures.loss.burst_ratio()), role)
    }));
    out.push(line("longest runs", &|figures| (runs(figures), Role::Text)));
    out.push(line("depth", &|figures| (format!("{:.0} ms", figures.depth.millis()), Role::Text)));
    out.push(line("MOS", &|figures| match row.and_then(|row| row.listening(&figures.loss)) {
        Some(score) => (score.cell(), verdict::role(verdict::score_level(&score))),
        None => ("–".to_owned(), Role::Dim),
    }));
    out.push(Line::blank());
    out
}

/// `12×1 3×2`: how often one packet was missing, and how often the most in a row.
fn runs(figures: &Figures) -> String {
    let count = figures.run_lengths.len();
    let Some(longest) = figures.run_lengths.iter().rposition(|runs| *runs > 0) else { return "none".to_owned() };
    let runs = figures.run_lengths.get(longest).copied().unwrap_or(0);
    let length = if longest + 1 == count { format!("{count}+") } else { (longest + 1).to_string() };
    format!("{runs} × {length}")
}
