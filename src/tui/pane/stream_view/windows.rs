//! Ten seconds a line, the worst marked.

use super::{Scene, section};
use crate::rtp::mos::Thresholds;
use crate::time::Timestamp;
use crate::tui::format::counted;
use crate::tui::theme::{Glyph, Role};
use crate::tui::verdict;
use crate::tui::widget::lines::Line;

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let (stream, quality, thresholds) = (scene.stream, &scene.stream.quality, Thresholds::default());
    if quality.windows.is_empty() {
        return Vec::new();
    }
    let merged = quality.windows.iter().any(|window| window.stands_for > 1);
    let title = if merged { "By 10 s, the worse of neighbours" } else { "By 10 s" };
    let mut out = vec![
        section(title)
            .right(34, 8, "expected", Role::Header)
            .right(43, 7, "lost", Role::Header)
            .right(51, 7, "jitter", Role::Header)
            .right(59, 5, "max", Role::Header)
            .right(65, 7, "missing", Role::Header)
            .right(73, 4, "MOS", Role::Header),
    ];
    let row = quality.score.map(|score| score.row);
    let worst = worst(scene);
    for window in quality.windows.iter() {
        let at = stream.first.after(window.begin());
        let lost = (window.expected > 0).then(|| f64::from(window.lost) * 100.0 / f64::from(window.expected));
        let role_of = |percent: Option<f64>| percent.map_or(Role::Text, |share| verdict::role(thresholds.loss(share)));
        let jitter_role = verdict::role(thresholds.jitter(window.jitter_max.into()));
        let mut line = Line::blank()
            .at(3, 18, scene.zone.format(at, "%H:%M:%S"), Role::Text)
            .right(34, 8, counted(window.expected.into()), Role::Text)
            .right(43, 7, verdict::percent(lost), role_of(lost))
            .right(51, 7, format!("{:.1}", window.jitter_mean), Role::Text)
            .right(59, 5, format!("{:.1}", window.jitter_max), jitter_role);
        if let Some(heard) = quality.heard.iter().find(|heard| heard.start == at) {
            let percent = heard.loss.percent();
            line = line.right(65, 7, verdict::percent(percent), role_of(percent));
            if let Some(score) = row.and_then(|row| row.listening(&heard.loss)) {
                line = line.right(73, 4, score.cell(), verdict::role(verdict::score_level(&score)));
            }
        }
        if worst == Some(at) {
            let mark =
                Line::blank().at(1, 1, scene.theme.glyph(Glyph::Warning), Role::Warn).at(13, 8, "worst", Role::Warn);
            line.pieces.extend(mark.pieces);
        }
        out.push(line);
    }
    out.push(Line::blank());
    out
}

/// When the worst ten seconds began: by score, else by loss and then jitter. `None` where nothing is wrong in any.
fn worst(scene: &Scene<'_>) -> Option<Timestamp> {
    let (stream, quality) = (scene.stream, &scene.stream.quality);
    if let Some((window, _)) = quality.worst.filter(|(window, _)| window.loss.missing() > 0) {
        return Some(window.start);
    }
    let share = |lost: u32, expected: u32| f64::from(lost) / f64::from(expected.max(1));
    let is_bad = |jitter: f32| Thresholds::default().jitter(f64::from(jitter)) > crate::rtp::mos::Level::Fine;
    let rank =
        |window: &&crate::rtp::figures::windows::Window| (share(window.lost, window.expected), window.jitter_max);
    let worst =
        quality.windows.iter().max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal))?;
    (worst.lost > 0 || is_bad(worst.jitter_max)).then(|| stream.first.after(worst.begin()))
}
