//! SIP messages (RFC 3261), read tolerantly: a monitor must show exactly what a strict parser rejects.
//!
//! [`parse::parse`] finds the start line and indexes the header lines of one message; [`SipMessage`] keeps one copy of
//! the bytes and hands out views. The files of [`header`] read single headers, on demand.

pub mod explain;
pub mod framing;
pub mod header;
pub mod message;
pub mod method;
pub mod multipart;
pub mod names;
pub mod notes;
pub mod params;
pub mod parse;
pub mod status;
pub mod uri;

pub use message::{SipMessage, StartLine};
pub use method::Method;
pub use names::HeaderName;
pub use notes::Notes;

#[cfg(test)]
mod properties;
