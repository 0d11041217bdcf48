//! What is known: rows, indices, statistics, and the snapshots that screens and reports are made from.

pub mod filter;
pub mod ladder;
pub mod rows;
#[cfg(test)]
pub(crate) mod sample;
pub mod snapshot;
pub mod stats;
