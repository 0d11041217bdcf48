//! Things that panes draw with.

pub mod chart;
pub mod lines;
pub mod raw;
pub mod seconds;
pub mod spark;
pub mod window;
