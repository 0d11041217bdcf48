//! The panes, one file or folder each.

pub mod call_view;
pub mod calls;
pub mod capture;
mod empty;
pub mod quality;
pub mod stats;
pub mod stream_view;
pub mod streams;
