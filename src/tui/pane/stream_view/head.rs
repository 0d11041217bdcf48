//! What a stream is, what is wrong with it, and what its score rests on.

use std::fmt::Write;

use super::Scene;
use crate::tui::format;
use crate::tui::table::standing::state_text;
use crate::tui::theme::{Glyph, Role};
use crate::tui::verdict::{self, Life};
use crate::tui::widget::lines::{self, Line};

/// Lines that the verdict may take.
const VERDICT_LINES: usize = 3;

/// From this width on there is room for the time of the first packet.
const ROOMY: u16 = 100;

pub(super) fn lines(scene: &Scene<'_>, width: u16) -> Vec<Line> {
    let mut out = vec![name(scene, width)];
    let (text, role) = verdict::sentence(scene.stream, scene.snapshot, scene.zone);
    let words = lines::words("", &text, usize::from(width.saturating_sub(2)));
    out.extend(words.into_iter().take(VERDICT_LINES).map(|line| Line::blank().at(1, width, line, role)));
    out.extend(score(scene, width));
    out.push(call(scene, width));
    out
}

/// Who sends to whom, and since when.
fn name(scene: &Scene<'_>, width: u16) -> Line {
    let (stream, theme) = (scene.stream, scene.theme);
    let arrow = if theme.ascii { ">" } else { "→" };
    let mut what = format!("{} {arrow} {}  0x{:08X}  ", stream.flow.src, stream.flow.dst, stream.ssrc);
    match stream.codec.as_deref() {
        Some(codec) => what.push_str(codec),
        None => {
            let _ = write!(what, "PT {}", stream.payload_type);
        }
    }
    if let Some(time) = stream.quality.packet_time {
        let _ = write!(what, " {:.0} ms", time.millis());
    }
    let life = Life::of(stream, scene.snapshot);
    let (glyph, role) = life.glyph();
    let mut when = if width < ROOMY { String::new() } else { scene.zone.format(stream.first, "%H:%M:%S ") };
    when.push_str(match life {
        Life::Runs => "runs ",
        Life::Silent => "silent ",
        Life::Over => "over ",
    });
    format::duration(&mut when, verdict::length(stream));
    let cells = when.chars().count() as u16 + 2;
    let x = width.saturating_sub(cells + 1);
    Line::blank().at(1, x.saturating_sub(2), what, Role::Title).at(x, 1, theme.glyph(glyph), role).at(
        x + 2,
        cells,
        when,
        Role::Text,
    )
}

/// The score with model, row and basis; or why there is none.
fn score(scene: &Scene<'_>, width: u16) -> Vec<Line> {
    let quality = &scene.stream.quality;
    let (cell, role, text) = match &quality.score {
        None => ("–".to_owned(), Role::Dim, no_score(scene)),
        Some(score) => {
            let mut text = format!("{}; R {:.1}", score.model_text(), score.r);
            if let Some((window, worst)) = quality.worst.as_ref().filter(|(window, _)| window.loss.missing() > 0) {
                let at = scene.zone.format(window.start, "%H:%M:%S");
                let _ = write!(text, ", worst 10 s {} at {at}", worst.cell());
            }
            if let Some(remark) = score.remark() {
                let _ = write!(text, "; {remark}");
            }
            (score.cell(), verdict::role(verdict::score_level(score)), text)
        }
    };
    let words = lines::words("", &text, usize::from(width.saturating_sub(12))).into_iter();
    let mut out: Vec<Line> = words.map(|line| Line::blank().at(11, u16::MAX, line, Role::Text)).collect();
    if let Some(first) = out.first_mut() {
        first.pieces.extend(Line::blank().at(1, 3, "MOS", Role::Dim).at(5, 5, cell, role).pieces);
    }
    out
}

fn no_score(scene: &Scene<'_>) -> String {
    let (stream, quality) = (scene.stream, &scene.stream.quality);
    match stream.codec.as_deref() {
        None => "the codec is not known: no SDP names this payload type".to_owned(),
        Some(codec) if quality.playout.is_none() => format!("{codec} is no sound, or its clock is not known"),
        Some(_) if quality.expected < crate::limits::MOS_PACKETS => "too few packets to judge".to_owned(),
        Some(codec) => format!("no published value for {codec}; loss and jitter are as measured"),
    }
}

/// The call, and the stream in the other direction.
fn call(scene: &Scene<'_>, width: u16) -> Line {
    let (stream, snapshot) = (scene.stream, scene.snapshot);
    let Some(call) = stream.call.and_then(|key| snapshot.call(key)) else {
        return Line::blank().at(1, u16::MAX, "No call: found by its packets alone, no SDP names its ends", Role::Dim);
    };
    let arrow = if scene.theme.ascii { ">" } else { "→" };
    let mut text = format!("{} {arrow} {}: ", call.from.user, call.to.user);
    state_text(call, snapshot.now.unwrap_or(call.last), &mut text);
    let middle = (width / 2).max(20);
    let (way_back, role) = match snapshot.answering(stream) {
        None if verdict::is_one_way(stream, snapshot) => ("nothing comes back".to_owned(), Role::Bad),
        None => ("nothing comes back".to_owned(), Role::Dim),
        Some(back) => {
            let quality = &back.quality;
            let mut text = format!("back: lost {}", verdict::percent(quality.lost_percent()));
            if let Some(jitter) = quality.jitter_percentiles {
                let _ = write!(text, ", p95 {:.1} ms", jitter.p95);
            }
            if let Some(score) = &quality.score {
                let _ = write!(text, ", MOS {}", score.cell());
            }
            (text, Role::Text)
        }
    };
    Line::blank()
        .at(1, 4, "Call", Role::Dim)
        .at(6, middle - 7, text, Role::Text)
        .at(middle, 1, scene.theme.glyph(Glyph::Both), Role::Dim)
        .at(middle + 2, u16::MAX, way_back, role)
}
