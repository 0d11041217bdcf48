//! Whole pages, driven by keys, over snapshots made by hand.

mod behaviour;
mod feel;
mod fixture;
mod pages;
mod quality;
mod saving;
