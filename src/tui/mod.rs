//! The terminal interface: state, keys as data, panes drawn from a snapshot.

pub mod action;
pub mod keys;
pub mod pane;
pub mod popup;
pub mod text;
pub mod theme;
pub mod widget;
