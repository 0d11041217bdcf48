//! The cells that say how a call sounds.

use super::{AudioKey, CellContext};
use crate::rtp::mos::{Basis, Thresholds};
use crate::store::audio::Audio;
use crate::track::call::Call;
use crate::tui::format::quality;
use crate::tui::theme::Role;

/// Thousandths, so that figures sort as they are.
pub(super) fn audio_key(figure: Option<f64>) -> AudioKey {
    figure.map_or(AudioKey::None, |figure| AudioKey::Known((figure.max(0.0) * 1e3) as u64))
}

pub(super) fn mos_key(audio: &Audio) -> AudioKey {
    match audio.score {
        None => AudioKey::None,
        Some((score, _)) if score.basis > Basis::Secondary => AudioKey::Assumed((score.mos * 1e3) as u64),
        Some((score, _)) => AudioKey::Known((score.mos * 1e3) as u64),
    }
}

fn audio(call: &Call, cell: &CellContext<'_>) -> Audio {
    Audio::of(call, &cell.snapshot.streams, cell.now)
}

pub(super) fn mos(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    let audio = audio(call, cell);
    let Some((score, _)) = audio.score else {
        // There is sound, but no value was published for its codec.
        out.push_str(if audio.is_unscored { "–" } else { "" });
        return Role::Dim;
    };
    out.push_str(&score.cell());
    quality::role(Thresholds::default().mos(&score))
}

pub(super) fn jitter(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    let Some(ms) = audio(call, cell).jitter_p95 else { return Role::Text };
    out.push_str(&quality::ms(ms));
    quality::role(Some(Thresholds::default().jitter(ms)))
}

pub(super) fn loss(call: &Call, cell: &CellContext<'_>, out: &mut String) -> Role {
    let Some(percent) = audio(call, cell).lost_percent else { return Role::Text };
    out.push_str(&quality::percent(percent));
    quality::role(Some(Thresholds::default().loss(percent)))
}
