//! Whole pages, driven by keys, over snapshots made by hand.

mod fixture;
mod pages;
