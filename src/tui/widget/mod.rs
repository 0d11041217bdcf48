//! Things that panes draw with.

pub mod lines;
pub mod raw;
pub mod seconds;
pub mod spark;
pub mod window;
