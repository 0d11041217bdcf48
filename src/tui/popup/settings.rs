//! Settings of this run.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action, Effect, Hits};
use crate::tui::format::Zone;
use crate::tui::state::State;
use crate::tui::theme::Role;
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::window;

/// A setting: its name, its value in words, what changes it.
pub struct Row {
    name: &'static str,
    value: fn(&State) -> &'static str,
    toggle: fn(&mut State) -> Option<Effect>,
}

/// All settings.
pub const ROWS: &[Row] = &[
    Row {
        name: "Times of day",
        value: |state| if state.zone == Zone::Utc { "UTC" } else { "local" },
        toggle: |state| {
            state.zone = if state.zone == Zone::Utc { Zone::Local } else { Zone::Utc };
            None
        },
    },
    Row {
        name: "Follow new rows at the end",
        value: |state| if state.autoscroll { "yes" } else { "no" },
        toggle: |state| {
            state.autoscroll = !state.autoscroll;
            None
        },
    },
    Row {
        name: "Mouse",
        value: |state| if state.mouse { "sipwatch" } else { "left to the terminal" },
        toggle: |state| {
            state.mouse = !state.mouse;
            Some(Effect::Mouse(state.mouse))
        },
    },
    Row {
        name: "Glyphs",
        value: |state| if state.theme.ascii { "ASCII" } else { "Unicode" },
        toggle: |state| {
            state.theme.ascii = !state.theme.ascii;
            None
        },
    },
    Row {
        name: "Colours",
        value: |state| if state.theme.no_color { "none" } else { "the terminal's own" },
        toggle: |state| {
            state.theme.no_color = !state.theme.no_color;
            None
        },
    },
];

/// The settings window.
#[derive(Debug, Default)]
pub struct Settings {
    /// The selected line.
    pub at: usize,
}

impl Settings {
    /// Draws it.
    pub fn draw(&self, buffer: &mut Buffer, screen: Rect, state: &State, hits: &mut Hits) {
        let inner = window::draw(buffer, screen, (52, ROWS.len() as u16 + 2), "Settings", &state.theme);
        let help = Line::of("Space changes, Esc closes; kept until you quit", Role::Dim);
        lines::draw(buffer, inner, &[help], 0, &state.theme);
        for (at, (y, row)) in (inner.y + 2..inner.bottom()).zip(ROWS).enumerate() {
            let area = Rect { y, height: 1, ..inner };
            let line = Line::blank().at(0, 28, row.name, Role::Text).at(30, u16::MAX, (row.value)(state), Role::Key);
            lines::draw_line(buffer, area, &line, &state.theme);
            if at == self.at {
                buffer.set_style(area, state.theme.style(Role::Selected));
            }
            hits.add(area, Action::SelectLine(at));
        }
    }
}

/// Changes the setting on this line.
pub fn toggle(state: &mut State, at: usize) -> Vec<Effect> {
    ROWS.get(at).and_then(|row| (row.toggle)(state)).into_iter().collect()
}
