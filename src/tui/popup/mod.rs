//! Windows over the panes.

pub mod explain;
