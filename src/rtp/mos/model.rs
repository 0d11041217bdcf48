//! The E-model: R of G.107, G.107.1 and G.107.2, and the MOS of it.

use super::codec::{Basis, Row};
use super::threshold::Band;
use crate::limits::MOS_PACKETS;
use crate::rtp::playout::{Loss, Window};
use crate::time::Elapsed;

/// Which model, and so which scale a score is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Narrowband, G.107: speech sampled at 8 kHz.
    Narrow,
    /// Wideband, G.107.1: 16 kHz.
    Wide,
    /// Fullband, G.107.2: 32 and 48 kHz.
    Full,
}

impl Scale {
    /// `G.107`, `G.107.1`, `G.107.2`.
    pub const fn model(self) -> &'static str {
        match self {
            Self::Narrow => "G.107",
            Self::Wide => "G.107.1",
            Self::Full => "G.107.2",
        }
    }

    /// `NB`, `WB`, `FB`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Narrow => "NB",
            Self::Wide => "WB",
            Self::Full => "FB",
        }
    }

    /// R without any impairment of codec, loss and delay.
    pub const fn best(self) -> f64 {
        match self {
            Self::Narrow => 93.2,
            Self::Wide => 129.0,
            Self::Full => 148.0,
        }
    }

    /// How often the narrowband scale of R fits into this one where MOS is read from it.
    const fn stretch(self) -> f64 {
        match self {
            Self::Narrow => 1.0,
            Self::Wide => 1.29,
            Self::Full => 1.48,
        }
    }

    /// What Ie,eff tends to under loss.
    const fn most_impairment(self) -> f64 {
        match self {
            Self::Narrow | Self::Wide => 95.0,
            Self::Full => 132.0,
        }
    }

    /// Ie,eff from Ie, Ppl in percent, BurstR and Bpl. Only G.107 takes bursts into account.
    fn effective(self, ie: f64, percent: f64, burst_ratio: f64, bpl: f64) -> f64 {
        let burst_ratio = if self == Self::Narrow { burst_ratio } else { 1.0 };
        ie + (self.most_impairment() - ie) * percent / (percent / burst_ratio + bpl)
    }
}

/// How delay takes from a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DelayModel {
    /// Idd of G.107 without echo: nothing up to 100 ms.
    #[default]
    Full,
    /// 0.024 d + 0.11 (d - 177.3)+, which contains the echo of default values.
    Shortcut,
}

impl DelayModel {
    /// How a pane names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "G.107 without echo",
            Self::Shortcut => "shortcut 0.024 d + 0.11 (d - 177.3)",
        }
    }
}

/// Id on the narrowband scale of R, from the delay in one direction, mouth to ear.
pub fn delay_impairment(delay: Elapsed, model: DelayModel) -> f64 {
    let ms = delay.millis().max(0.0);
    match model {
        DelayModel::Full if ms <= 100.0 => 0.0,
        DelayModel::Full => {
            let x = (ms / 100.0).log2();
            25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
        }
        DelayModel::Shortcut => 0.024 * ms + 0.11 * (ms - 177.3).max(0.0),
    }
}

/// The delay in one direction: half the round trip, the depth of the playout buffer, and one packet that must be full
/// before it is sent.
pub const fn one_way_delay(round_trip: Elapsed, depth: Elapsed, packet: Elapsed) -> Elapsed {
    let half = round_trip.nanos() / 2;
    Elapsed::from_nanos(half.saturating_add(depth.nanos()).saturating_add(packet.nanos()))
}

/// MOS of R on the narrowband scale (G.107, annex B), 1 to 4.5. It is not let below 1, where the polynomial dips.
pub fn mos_of_r(r: f64) -> f64 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

/// A score and what it was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// 1 to 4.5. Sort and compare it within one scale only.
    pub mos: f64,
    /// R on the model's own scale; may be negative.
    pub r: f64,
    /// The row of the codec table.
    pub row: Row,
    /// The worst basis of what was used.
    pub basis: Basis,
    /// Whether it lies outside the range for which the model was validated: BurstR above 2 with 2 % or more missing.
    pub outside_range: bool,
}

impl Score {
    /// `G.107, G.711 + PLC, Ie 0, Bpl 25.1, published`; a stand-in is named as one.
    pub fn model_text(&self) -> String {
        let row = &self.row;
        let codec = match row.stand_in_for {
            Some(codec) => format!("{} in place of {codec}", row.name),
            None => row.name.to_owned(),
        };
        let bpl = row.bpl.map_or_else(|| "–".to_owned(), |bpl| bpl.value.to_string());
        format!("{}, {codec}, Ie {}, Bpl {bpl}, {}", row.scale.model(), row.ie.value, self.basis.text())
    }

    /// What a pane adds to it, if anything.
    pub fn remark(&self) -> Option<&'static str> {
        self.outside_range.then_some("outside validated range")
    }

    /// What a cell shows: `4.3` published, `4.3'` secondary, `~4.3` assumed.
    pub fn cell(&self) -> String {
        match self.basis {
            Basis::Published => format!("{:.1}", self.mos),
            Basis::Secondary => format!("{:.1}'", self.mos),
            Basis::Assumed => format!("~{:.1}", self.mos),
            Basis::None => "–".to_owned(),
        }
    }

    /// How satisfied listeners are, by the MOS: the bands of the three scales meet there.
    pub fn band(&self) -> Band {
        Band::of_r(self.r / self.row.scale.stretch())
    }
}

impl Row {
    /// The listening quality, MOS-LQ: no delay. `None` when fewer than 25 packets were expected, or something is missing and
    /// it is not known how the codec bears that.
    pub fn listening(&self, loss: &Loss) -> Option<Score> {
        self.of_loss(loss, 0.0)
    }

    /// The conversational quality, MOS-CQ, with the delay in one direction ([`one_way_delay`]).
    pub fn conversational(&self, loss: &Loss, delay: Elapsed, model: DelayModel) -> Option<Score> {
        self.of_loss(loss, delay_impairment(delay, model))
    }

    /// The score of Ppl in percent, BurstR, and Id on the narrowband scale. `None` when loss is to be scored and the codec
    /// has no Bpl, or a figure is no number.
    pub fn score(&self, percent: f64, burst_ratio: f64, id: f64) -> Option<Score> {
        let scale = self.scale;
        let mut basis = self.ie.basis;
        let mut effective = self.ie.value;
        if percent > 0.0 {
            let bpl = self.bpl?;
            effective = scale.effective(self.ie.value, percent, burst_ratio, bpl.value);
            basis = basis.max(bpl.basis);
        }
        // On the fullband scale both the most impairment, 132, and the stretch of the delay's are known at second hand.
        if scale == Scale::Full && (percent > 0.0 || id > 0.0) {
            basis = basis.max(Basis::Secondary);
        }
        let id = if scale == Scale::Full { id * scale.stretch() } else { id };
        let r = scale.best() - id - effective;
        r.is_finite().then(|| Score {
            mos: mos_of_r(r / scale.stretch()),
            r,
            row: *self,
            basis,
            outside_range: burst_ratio > 2.0 && percent >= 2.0,
        })
    }

    fn of_loss(&self, loss: &Loss, id: f64) -> Option<Score> {
        if loss.expected < MOS_PACKETS {
            return None;
        }
        self.score(loss.percent()?, loss.burst_ratio(), id)
    }
}

/// The window with the lowest MOS, the first of equals, among those with 25 or more expected packets.
pub fn worst_window(row: &Row, windows: impl Iterator<Item = Window>) -> Option<(Window, Score)> {
    windows
        .filter_map(|window| Some((window, row.listening(&window.loss)?)))
        .reduce(|worst, next| if next.1.mos < worst.1.mos { next } else { worst })
}
