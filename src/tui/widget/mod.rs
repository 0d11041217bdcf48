//! Things that panes draw with.

pub mod chart;
pub mod lines;
pub mod minute;
pub mod raw;
pub mod spark;
pub mod window;
