//! Windows on top of a pane.

pub mod columns;
pub mod explain;
pub mod filter_form;
pub mod help;
pub mod save;
pub mod settings;
pub mod text;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::action::Hits;
use super::keys::Context;
use super::state::State;

/// A window.
#[derive(Debug)]
pub enum Popup {
    /// The keys of a context.
    Help(help::Help),
    /// The choice of columns.
    Columns(columns::Columns),
    /// The filter form.
    Filter(Box<filter_form::FilterForm>),
    /// What to save, and where.
    Save(Box<save::SaveForm>),
    /// Settings.
    Settings(settings::Settings),
    /// Text to read.
    Text(text::TextPopup),
}

impl Popup {
    /// Where keys go while it is on top.
    pub fn context(&self) -> Context {
        match self {
            Self::Filter(_) => Context::Form,
            Self::Save(form) => form.context(),
            _ => Context::Popup,
        }
    }

    /// Moves its selection, or what it shows.
    pub fn step(&mut self, delta: i64) {
        match self {
            Self::Help(help) => shift(&mut help.top, delta, help.lines),
            Self::Columns(columns) => shift(&mut columns.at, delta, columns.count),
            Self::Filter(form) => form.step(delta),
            Self::Save(form) => form.step(delta),
            Self::Settings(settings) => shift(&mut settings.at, delta, settings::ROWS.len()),
            Self::Text(text) => shift(&mut text.top, delta, text.lines.len()),
        }
    }

    /// Draws it in the middle of the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, screen: Rect, state: &State, hits: &mut Hits) {
        match self {
            Self::Help(help) => help.draw(frame.buffer_mut(), screen, state),
            Self::Columns(columns) => columns.draw(frame.buffer_mut(), screen, state, hits),
            Self::Filter(form) => form.draw(frame, screen, state, hits),
            Self::Save(form) => form.draw(frame, screen, state, hits),
            Self::Settings(settings) => settings.draw(frame.buffer_mut(), screen, state, hits),
            Self::Text(text) => text.draw(frame.buffer_mut(), screen, state),
        }
    }
}

fn shift(at: &mut usize, delta: i64, count: usize) {
    let moved = (*at as i64).saturating_add(delta).clamp(0, count.saturating_sub(1) as i64);
    *at = usize::try_from(moved).unwrap_or(0);
}
