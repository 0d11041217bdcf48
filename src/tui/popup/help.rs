//! Help: the keys of a context, computed from the key tables; the glyphs; the fields of a filter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::store::filter::FIELDS;
use crate::track::call::CallState;
use crate::tui::keys::{self, Binding, Context};
use crate::tui::state::State;
use crate::tui::table::standing::glyph_of;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::window;

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
