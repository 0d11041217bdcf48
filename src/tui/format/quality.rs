//! Figures of quality in few cells, and their colours.

use crate::rtp::mos::Level;
use crate::tui::theme::Role;

/// How a figure of this level looks. Nothing is coloured that says nothing, or that rests on no published value.
pub const fn role(level: Option<Level>) -> Role {
    match level {
        None | Some(Level::Fine) => Role::Text,
        Some(Level::Warn) => Role::Warn,
        Some(Level::Error) => Role::Bad,
    }
}

/// `2.6`, `123`, `12s`: milliseconds in at most five cells.
pub fn ms(ms: f64) -> String {
    match ms {
        ms if ms < 99.95 => format!("{ms:.1}"),
        ms if ms < 9_999.5 => format!("{ms:.0}"),
        ms => format!("{:.0}s", ms / 1e3),
    }
}

/// `0.0%`, `<0.1%`, `12.5%`, `100%`: in at most five cells. What is not nothing does not look like it.
pub fn percent(percent: f64) -> String {
    match percent {
        percent if percent > 0.0 && percent < 0.05 => "<0.1%".to_owned(),
        percent if percent < 99.95 => format!("{percent:.1}%"),
        percent => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_five_cells() {
        assert_eq!([ms(0.0), ms(2.64), ms(99.96), ms(1_234.5), ms(12_345.0)], ["0.0", "2.6", "100", "1234", "12s"]);
        assert_eq!([0.0, 0.01, 0.05, 12.46, 99.96].map(percent), ["0.0%", "<0.1%", "0.1%", "12.5%", "100%"]);
    }
}
