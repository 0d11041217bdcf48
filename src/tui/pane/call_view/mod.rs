//! The call view: the ladder, and what is selected beside it.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::store::snapshot::Snapshot;
use crate::track::call::CallKey;
use crate::tui::action::{Effect, Hits};
use crate::tui::keys::Context;
use crate::tui::theme::Theme;

/// What the user meant within the call view.
#[derive(Clone, Debug, PartialEq)]
pub enum CallViewAction {
    /// Select the message this many rows further down (up when negative).
    Move(i32),
    /// Back.
    Back,
    /// Wheel.
    Wheel {
        /// Where.
        at: (u16, u16),
        /// Rows.
        rows: i32,
    },
    /// Raw.
    Raw,
    /// Row.
    Select(usize),
}

/// View.
#[derive(Debug)]
pub struct CallView {
    keys: Vec<CallKey>,
}
#[expect(missing_docs, clippy::unused_self, reason = "until the view is merged")]
impl CallView {
    pub fn open(keys: Vec<CallKey>) -> Self {
        Self { keys }
    }
    pub fn update(&mut self, action: &CallViewAction, _: &Snapshot, _: Size) -> Vec<Effect> {
        if *action == CallViewAction::Back { vec![Effect::CloseCallView] } else { Vec::new() }
    }
    pub fn draw(&mut self, _: &mut Frame, _: Rect, _: &Snapshot, _: &Theme, _: &mut Hits) {}
    pub fn context(&self) -> Context {
        Context::CallView
    }
    pub fn wants_text(&self) -> bool {
        false
    }
    pub fn text_key(&mut self, _: KeyEvent, _: &Snapshot) -> Vec<Effect> {
        Vec::new()
    }
    pub fn keys(&self) -> &[CallKey] {
        &self.keys
    }
}
