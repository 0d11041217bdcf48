//! Things that panes draw with.

pub mod raw;
