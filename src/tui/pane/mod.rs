//! The panes, one file or folder each.

pub mod call_view;
pub mod calls;
mod empty;
