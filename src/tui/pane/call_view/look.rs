//! The time column and the colours.

use ratatui::style::Style;

use crate::store::ladder::MessageRow;
use crate::time::{Elapsed, Timestamp};
use crate::tui::theme::{Role, Theme};

/// What the time column says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TimeMode {
    /// Time of day.
    #[default]
    Absolute,
    /// Since the row before, or since the marked row.
    Delta,
    /// Since the first row.
    Start,
}

impl TimeMode {
    pub const fn next(self) -> Self {
        match self {
            Self::Absolute => Self::Delta,
            Self::Delta => Self::Start,
            Self::Start => Self::Absolute,
        }
    }
}

/// What the time column counts from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub mode: TimeMode,
    pub utc: bool,
    /// Whether microseconds are shown, or milliseconds.
    pub micros: bool,
    /// The first row.
    pub start: Timestamp,
    /// The marked row.
    pub mark: Option<Timestamp>,
}

impl Clock {
    /// Cells of the column.
    pub const fn width(&self) -> u16 {
        if self.micros { 15 } else { 12 }
    }

    /// What stands above the column.
    pub const fn title(&self) -> &'static str {
        match (self.mode, self.mark, self.utc) {
            (TimeMode::Absolute, _, true) => "UTC",
            (TimeMode::Absolute, _, false) => "local",
            (TimeMode::Delta, None, _) => "+ before",
            (TimeMode::Delta, Some(_), _) => "+ mark",
            (TimeMode::Start, ..) => "+ start",
        }
    }

    /// The time of a row, the row before it being at `before`.
    pub fn text(&self, at: Timestamp, before: Option<Timestamp>) -> String {
        match self.mode {
            TimeMode::Absolute => time_of_day(at, self.utc, self.micros),
            TimeMode::Delta => match self.mark.or(before) {
                Some(from) => self.seconds(at.since(from)),
                None => time_of_day(at, self.utc, self.micros),
            },
            TimeMode::Start => self.seconds(at.since(self.start)),
        }
    }

    fn seconds(&self, elapsed: Elapsed) -> String {
        let decimals = if self.micros { 6 } else { 3 };
        format!("{:+.decimals$}", elapsed.seconds())
    }
}

/// `10:02:14.103` or `10:02:14.103250`.
pub(super) fn time_of_day(at: Timestamp, utc: bool, micros: bool) -> String {
    let format = if micros { "%H:%M:%S%.6f" } else { "%H:%M:%S%.3f" };
    if utc { at.format_utc(format) } else { at.format_local(format) }
}

/// What the colour of an arrow means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ColourMode {
    /// Request, or class of the response.
    #[default]
    Class,
    /// Top Via branch.
    Branch,
    /// CSeq number.
    CSeq,
    /// Call-ID.
    Call,
}

impl ColourMode {
    pub const fn next(self) -> Self {
        match self {
            Self::Class => Self::Branch,
            Self::Branch => Self::CSeq,
            Self::CSeq => Self::Call,
            Self::Call => Self::Class,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Class => "response class",
            Self::Branch => "branch",
            Self::CSeq => "CSeq",
            Self::Call => "Call-ID",
        }
    }

    /// The colour of a message's arrow.
    pub fn style(self, row: &MessageRow, theme: &Theme) -> Style {
        theme.style(match self {
            Self::Class => class(row.message.sip.status()),
            Self::Branch => Role::Series(row.message.branch),
            Self::CSeq => Role::Series(row.cseq),
            Self::Call => Role::Series(u16::try_from(row.call).unwrap_or(u16::MAX)),
        })
    }
}

const fn class(status: Option<u64>) -> Role {
    match status {
        None => Role::Request,
        Some(100..200) => Role::Progress,
        Some(200..300) => Role::Good,
        Some(300..=399 | 401 | 407) => Role::Warn,
        Some(_) => Role::Bad,
    }
}
