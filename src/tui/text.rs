//! Text from the wire made fit for a terminal.

pub use crate::text::visible;
