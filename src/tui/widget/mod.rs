//! Things that panes draw with.

pub mod lines;
pub mod raw;
pub mod spark;
pub mod window;
