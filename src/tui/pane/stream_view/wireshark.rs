//! The same stream by Wireshark's definitions, beside ours.

use super::{Scene, section};
use crate::tui::theme::{Glyph, Role};
use crate::tui::widget::lines::Line;

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let quality = &scene.stream.quality;
    let theirs = &quality.wireshark;
    let (delta, jitter) = (quality.delta, quality.jitter);
    let count = |ours: u64, theirs: i64| (ours.to_string(), theirs.to_string());
    let ms = |ours: Option<f64>, theirs: f64| {
        (ours.map(|ms| format!("{ms:.3}")).unwrap_or_default(), format!("{theirs:.3}"))
    };
    let mark = |is_bad: bool| if is_bad { "X" } else { "no" }.to_owned();
    let rows = [
        ("packets", count(theirs.packets, theirs.packets as i64)),
        ("lost", count(quality.lost, theirs.lost)),
        ("sequence errors", count(quality.sequence_errors, theirs.sequence_errors.into())),
        ("delta mean, ms", ms(delta.map(|delta| delta.mean), theirs.mean_delta)),
        ("delta max, ms", ms(delta.map(|delta| delta.max), theirs.max_delta)),
        ("jitter mean, ms", ms(jitter.map(|jitter| jitter.mean), theirs.mean_jitter)),
        ("jitter max, ms", ms(jitter.map(|jitter| jitter.max), theirs.max_jitter)),
        ("max skew, ms", ms(quality.max_skew, theirs.max_skew)),
        ("problem", (mark(quality.has_problem), mark(theirs.problem))),
    ];
    let mut out = vec![section("Beside Wireshark").right(28, 14, "sipwatch", Role::Header).right(
        44,
        14,
        "Wireshark",
        Role::Header,
    )];
    for (name, (ours, theirs)) in rows {
        let differs = !ours.is_empty() && ours != theirs;
        let line =
            Line::blank().at(1, 25, name, Role::Dim).right(28, 14, ours, Role::Text).right(44, 14, theirs, Role::Text);
        out.push(if differs { line.at(60, 1, scene.theme.glyph(Glyph::Differs), Role::Dim) } else { line });
    }
    out.push(Line::blank());
    out
}
