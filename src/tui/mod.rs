//! The terminal interface: state, keys as data, panes drawn from a snapshot.

pub mod action;
pub mod format;
pub mod keys;
pub mod layout;
pub mod pane;
pub mod popup;
mod screen;
mod sentence;
pub mod state;
pub mod table;
pub mod text;
pub mod theme;
mod title;
mod update;
pub mod widget;

pub use screen::{Options, Screen};
