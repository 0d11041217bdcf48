//! The panes, one file or folder each.

pub mod call_view;
