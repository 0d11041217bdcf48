//! Colours and glyphs by role, so that `NO_COLOR`, ASCII and the user's own colours are settled in one place.

use ratatui::style::{Color, Modifier, Style};

/// What something on the screen is; the theme says how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Plain text.
    Text,
    /// Less important text: hints, units, lines.
    Dim,
    /// Titles and the active tab.
    Title,
    /// Column headers.
    Header,
    /// The selected row.
    Selected,
    /// A marked row.
    Marked,
    /// What a search found.
    Match,
    /// Good: in call, registered, 2xx.
    Good,
    /// On its way: ringing, provisional.
    Progress,
    /// Wants attention: challenged, retransmitted.
    Warn,
    /// Bad: failed, reset, lost.
    Bad,
    /// A request on the ladder.
    Request,
    /// A live source.
    Live,
    /// A key in the hint bar.
    Key,
    /// A header name in a raw message.
    HeaderName,
    /// The start line of a raw message.
    StartLine,
    /// The body of a raw message.
    Body,
    /// One of the colours that tell branches, transactions or calls apart; any number, taken modulo.
    Series(u16),
}

/// A glyph and its ASCII stand-in; each is one cell wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the glyphs' names")]
pub enum Glyph {
    Up,
    Progress,
    Failed,
    Done,
    Challenged,
    Waiting,
    Subscribed,
    Marked,
    Live,
    File,
    Paused,
    Stopped,
    ArrowLeft,
    ArrowRight,
    Horizontal,
    Vertical,
    DoubleHorizontal,
    SortUp,
    SortDown,
    Warning,
    Ellipsis,
    Cross,
    Both,
    OneWay,
    Differs,
}

/// How roles and glyphs look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// No colours at all (`NO_COLOR`): attributes only.
    pub no_color: bool,
    /// ASCII instead of Unicode.
    pub ascii: bool,
}

const SERIES: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::LightBlue, Color::LightRed];

impl Theme {
    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        let (color, modifier) = match role {
            Role::Text => (None, Modifier::empty()),
            Role::Dim | Role::Body => (None, Modifier::DIM),
            Role::Title | Role::Key => (None, Modifier::BOLD),
            Role::Header => (None, Modifier::BOLD.union(Modifier::UNDERLINED)),
            Role::Selected => (None, Modifier::REVERSED),
            Role::Marked => (Some(Color::Yellow), Modifier::BOLD),
            Role::Match => (Some(Color::Yellow), Modifier::REVERSED),
            Role::Good | Role::Live => (Some(Color::Green), Modifier::empty()),
            Role::Progress => (Some(Color::Yellow), Modifier::empty()),
            Role::Warn => (Some(Color::Yellow), Modifier::BOLD),
            Role::Bad => (Some(Color::Red), Modifier::BOLD),
            Role::Request => (Some(Color::Cyan), Modifier::empty()),
            Role::HeaderName => (Some(Color::Cyan), Modifier::empty()),
            Role::StartLine => (None, Modifier::BOLD),
            Role::Series(n) => (SERIES.get(usize::from(n) % SERIES.len()).copied(), Modifier::empty()),
        };
        let style = Style::new().add_modifier(modifier);
        match color {
            Some(color) if !self.no_color => style.fg(color),
            _ => style,
        }
    }

    /// The glyph, one cell wide.
    pub const fn glyph(&self, glyph: Glyph) -> &'static str {
        let (unicode, ascii) = match glyph {
            Glyph::Up => ("●", "*"),
            Glyph::Progress => ("◐", "o"),
            Glyph::Failed | Glyph::Cross => ("✗", "x"),
            Glyph::Done => ("○", "-"),
            Glyph::Challenged => ("◇", "?"),
            Glyph::Waiting => ("◌", "."),
            Glyph::Subscribed => ("☐", "="),
            Glyph::Marked => ("✓", "+"),
            Glyph::Live => ("●", "*"),
            Glyph::File => ("▶", ">"),
            Glyph::Paused => ("‖", "|"),
            Glyph::Stopped => ("■", "#"),
            Glyph::ArrowLeft => ("◀", "<"),
            Glyph::ArrowRight => ("▶", ">"),
            Glyph::Horizontal => ("─", "-"),
            Glyph::Vertical => ("│", "|"),
            Glyph::DoubleHorizontal => ("═", "="),
            Glyph::SortUp => ("▴", "^"),
            Glyph::SortDown => ("▾", "v"),
            Glyph::Warning => ("▲", "!"),
            Glyph::Ellipsis => ("…", "~"),
            Glyph::Both => ("⇄", "="),
            Glyph::OneWay => ("→", ">"),
            Glyph::Differs => ("≠", "#"),
        };
        if self.ascii { ascii } else { unicode }
    }
}
