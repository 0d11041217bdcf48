//! From which values on a figure is coloured, and what G.109 calls a score.

use super::codec::Basis;
use super::model::Score;

/// How satisfied users are (G.109), by R on the narrowband scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// R below 50, MOS below 2.58.
    NotRecommended,
    /// R 50, MOS 2.58.
    NearlyAllDissatisfied,
    /// R 60, MOS 3.10.
    ManyDissatisfied,
    /// R 70, MOS 3.60.
    SomeDissatisfied,
    /// R 80, MOS 4.02.
    Satisfied,
    /// R 90, MOS 4.34.
    VerySatisfied,
}

impl Band {
    /// The band of an R on the narrowband scale.
    pub fn of_r(r: f64) -> Self {
        match r {
            r if r >= 90.0 => Self::VerySatisfied,
            r if r >= 80.0 => Self::Satisfied,
            r if r >= 70.0 => Self::SomeDissatisfied,
            r if r >= 60.0 => Self::ManyDissatisfied,
            r if r >= 50.0 => Self::NearlyAllDissatisfied,
            _ => Self::NotRecommended,
        }
    }

    /// As a pane says it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::VerySatisfied => "very satisfied",
            Self::Satisfied => "satisfied",
            Self::SomeDissatisfied => "some dissatisfied",
            Self::ManyDissatisfied => "many dissatisfied",
            Self::NearlyAllDissatisfied => "nearly all dissatisfied",
            Self::NotRecommended => "not recommended",
        }
    }
}

/// What a figure's colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing to say.
    Fine,
    /// Worth a look.
    Warn,
    /// People complain.
    Error,
}

/// From which values on a figure is a warning or an error: the one place for all screens, findings and reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// A MOS below it warns. 3.6 is R 70 of G.109: below, many users are dissatisfied.
    pub mos_warn: f64,
    /// A MOS below it is an error. 3.1 is R 60 of G.109: below, nearly all users are dissatisfied.
    pub mos_error: f64,
    /// Percent lost or discarded from which on it warns. At 1 % a codec with ordinary concealment (G.729A) has lost 0.16 of
    /// its MOS, G.711 without any 0.58: the first that is heard.
    pub loss_warn_percent: f64,
    /// Percent lost or discarded from which on it is an error. At 5 % G.729A is at 3.3, G.711 without concealment at 2.2.
    pub loss_error_percent: f64,
    /// Jitter in ms above which it warns. RFC 3550's is a mean deviation: at 30 ms packets are regularly later than the 50
    /// ms that an ordinary fixed buffer bears.
    pub jitter_warn_ms: f64,
    /// Jitter in ms above which it is an error: at 60 ms most of such a buffer's packets are at risk, and adaptive ones
    /// add more delay than a conversation bears.
    pub jitter_error_ms: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            mos_warn: 3.6,
            mos_error: 3.1,
            loss_warn_percent: 1.0,
            loss_error_percent: 5.0,
            jitter_warn_ms: 30.0,
            jitter_error_ms: 60.0,
        }
    }
}

impl Thresholds {
    /// The level of a score; `None` when it rests on no published row, since such a score is never coloured.
    pub fn mos(&self, score: &Score) -> Option<Level> {
        (score.basis <= Basis::Secondary).then(|| self.mos_value(score.mos))
    }

    /// The level of a MOS that somebody else computed, as in RTCP.
    pub fn mos_value(&self, mos: f64) -> Level {
        level(mos < self.mos_warn, mos < self.mos_error)
    }

    /// The level of lost, discarded or both, in percent.
    pub fn loss(&self, percent: f64) -> Level {
        level(percent >= self.loss_warn_percent, percent >= self.loss_error_percent)
    }

    /// The level of the jitter of RFC 3550, in ms.
    pub fn jitter(&self, ms: f64) -> Level {
        level(ms > self.jitter_warn_ms, ms > self.jitter_error_ms)
    }
}

const fn level(warn: bool, error: bool) -> Level {
    match (warn, error) {
        (_, true) => Level::Error,
        (true, false) => Level::Warn,
        (false, false) => Level::Fine,
    }
}
