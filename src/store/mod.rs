//! What is known: rows, indices, statistics, and the snapshots that screens and reports are made from.

pub mod filter;
pub mod rows;
pub mod snapshot;
pub mod stats;
