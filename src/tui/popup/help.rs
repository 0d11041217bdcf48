//! Help: the keys of a context, computed from the key tables; the glyphs; the fields of a filter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::store::filter::FIELDS;
use crate::track::call::CallState;
use crate::tui::keys::{self, Binding, Context};
use crate::tui::state::State;
use crate::tui::table::standing::glyph_of;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::verdict::{Life, Trouble};
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::{spark, window};

/// Cells for the keys, before what they do.
const KEYS: u16 = 18;

/// Cells inside the window, if there is room.
const WIDTH: u16 = 74;

/// One glyph of each kind and what it means.
const GLYPHS: [(CallState, &str); 8] = [
    (CallState::InCall, "in call, answered, registered"),
    (CallState::Ringing, "ringing"),
    (CallState::Setup, "no answer to the request yet"),
    (CallState::Completed, "over: completed, cancelled, terminated"),
    (CallState::Ok, "answered by a 2xx"),
    (CallState::Active, "subscription accepted"),
    (CallState::Challenged, "asked for a password (401, 407)"),
    (CallState::Failed, "failed, rejected, expired, no final response"),
];

/// The help of a context.
#[derive(Debug)]
pub struct Help {
    /// Whose keys.
    pub context: Context,
    /// First visible line.
    pub top: usize,
    /// Lines there are.
    pub lines: usize,
}

impl Help {
    /// The help of a context, from its beginning.
    pub fn new(context: Context) -> Self {
        Self { context, top: 0, lines: lines_of(context, &Theme::default()).len() }
    }

    /// Draws it.
    pub fn draw(&mut self, buffer: &mut Buffer, screen: Rect, state: &State) {
        let all = lines_of(self.context, &state.theme);
        let size = (WIDTH, all.len().min(usize::from(u16::MAX)) as u16);
        let title = window::title(&format!("Help: {}", self.context.title()), screen, size.1, self.top);
        let inner = window::draw(buffer, screen, size, &title, &state.theme);
        self.lines = all.len();
        self.top = self.top.min(lines::last_top(all.len(), inner.height));
        lines::draw(buffer, inner, &all, self.top, &state.theme);
    }
}

/// The help as lines: own keys, keys that work everywhere, glyphs, filter fields.
fn lines_of(context: Context, theme: &Theme) -> Vec<Line> {
    let mut out = vec![Line::of(context.title(), Role::Header)];
    let own = keys::of(context).filter(|binding| binding.context == context);
    out.extend(own.map(|binding| row(binding.keys, binding.text, theme)));
    let others: Vec<&Binding> = keys::of(context).filter(|binding| binding.context != context).collect();
    if !others.is_empty() {
        out.push(Line::blank());
        out.push(Line::of(Context::Global.title(), Role::Header));
    }
    for binding in others {
        let free: Vec<&str> = binding.keys.split(' ').filter(|word| !keys::takes(context, word)).collect();
        if !free.is_empty() {
            out.push(row(&free.join(" "), binding.text, theme));
        }
    }
    if context == Context::Calls {
        glyphs(&mut out, theme);
        fields(&mut out);
    }
    if matches!(context, Context::Streams | Context::StreamView) {
        stream_glyphs(&mut out, theme);
    }
    out
}

fn row(keys: &str, text: &str, theme: &Theme) -> Line {
    Line::blank().at(1, KEYS - 1, keys::shown(keys, theme.ascii), Role::Key).at(KEYS + 1, u16::MAX, text, Role::Text)
}

fn glyphs(out: &mut Vec<Line>, theme: &Theme) {
    out.push(Line::blank());
    out.push(Line::of("Glyphs", Role::Header));
    let mut add = |glyph: Glyph, role: Role, text: &str| {
        let line = Line::blank().at(1, 1, theme.glyph(glyph), role);
        out.push(line.at(KEYS + 1, u16::MAX, text, Role::Text));
    };
    for (state, text) in GLYPHS {
        let (glyph, role) = glyph_of(state);
        add(glyph, role, text);
    }
    add(Glyph::Marked, Role::Marked, "marked");
    add(Glyph::Warning, Role::Warn, "retransmissions");
    add(Glyph::Cross, Role::Bad, "connection reset, or peer unreachable");
}

/// What the first and the last column of the stream table say, and its last minute; then what a score says of itself.
fn stream_glyphs(out: &mut Vec<Line>, theme: &Theme) {
    out.push(Line::blank());
    out.push(Line::of("Glyphs", Role::Header));
    let lives = [
        (Life::Runs, "packets come"),
        (Life::Silent, "no packet for some seconds, the call goes on"),
        (Life::Over, "over: the call ended, or nothing came for half a minute"),
    ];
    let troubles = [
        (Trouble::Error, "loss, jitter or MOS of which people complain"),
        (Trouble::OneWay, "one way: the call is answered, nothing comes back"),
        (Trouble::Warn, "loss, jitter or MOS worth a look; ten bad seconds"),
        (Trouble::Nat, "the address on the wire is not that of the SDP: NAT"),
    ];
    let marks = troubles.into_iter().filter_map(|(trouble, text)| Some((trouble.glyph()?, text)));
    for ((glyph, role), text) in lives.into_iter().map(|(life, text)| (life.glyph(), text)).chain(marks) {
        let line = Line::blank().at(1, 1, theme.glyph(glyph), role);
        out.push(line.at(KEYS + 1, u16::MAX, text, Role::Text));
    }
    out.push(Line::blank());
    out.push(Line::of("60 s: the last minute of the stream", Role::Header));
    let [low, high] = [0, 5].map(|step| spark::bar(step, theme));
    let bars = [
        (format!("{low} {high}"), Role::Good, "jitter: low up to 2 ms, high from 30 ms"),
        (if theme.ascii { "x" } else { "×" }.to_owned(), Role::Bad, "packets were lost"),
        (if theme.ascii { "." } else { "·" }.to_owned(), Role::Dim, "no packets"),
    ];
    for (shown, role, text) in bars {
        out.push(Line::blank().at(1, 3, shown, role).at(KEYS + 1, u16::MAX, text, Role::Text));
    }
    out.push(Line::blank());
    out.push(Line::of("MOS: 4.3 by a published value of its codec", Role::Header));
    let bases = [
        ("4.3'", "by a value known at second hand"),
        ("~4.3", "assumed: that of a similar codec; never coloured"),
        (if theme.ascii { "-" } else { "–" }, "no published value, or too few packets"),
    ];
    for (shown, text) in bases {
        out.push(Line::blank().at(1, 5, shown, Role::Text).at(KEYS + 1, u16::MAX, text, Role::Text));
    }
}

fn fields(out: &mut Vec<Line>) {
    out.push(Line::blank());
    out.push(Line::of("Filter: words, or field and value, joined by and, or, not", Role::Header));
    let examples =
        ["208", "from ~ \"^20[678]$\" and state == failed", "status >= 500 or pdd > 2s", "ip == 10.1.0.0/16"];
    out.extend(examples.iter().map(|example| Line::blank().at(1, u16::MAX, *example, Role::Text)));
    out.push(Line::blank());
    for field in FIELDS {
        let line = Line::blank().at(1, KEYS - 1, field.name, Role::Key);
        out.push(line.at(KEYS + 1, u16::MAX, field.text, Role::Text));
    }
}
