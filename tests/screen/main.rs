//! Whole pages, driven by keys, over snapshots made by hand.

mod behaviour;
mod fixture;
mod pages;
