//! Windows on top of a pane.

pub mod explain;

use super::keys::Context;

/// A window.
#[derive(Debug)]
pub enum Popup {
    /// The keys of a context, from this line on.
    Help {
        /// Whose keys.
        context: Context,
        /// First line.
        top: usize,
    },
}

impl Popup {
    /// Where keys go while it is on top.
    pub fn context(&self) -> Context {
        Context::Popup
    }
}
impl Popup {
    /// Moves its selection or its first line.
    pub fn step(&mut self, delta: i64) {
        let Self::Help { top, .. } = self;
        *top = usize::try_from((*top as i64).saturating_add(delta)).unwrap_or(0);
    }
}
