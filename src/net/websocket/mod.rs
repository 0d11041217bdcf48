//! WebSocket (RFC 6455) with compressed messages (RFC 7692), as far as SIP in it (RFC 7118) needs: the upgrade of an
//! HTTP connection, and the frames of one direction.

mod deflate;
mod frames;
mod handshake;
#[cfg(test)]
mod tests;

pub use deflate::Deflate;
pub use frames::{Frames, Item, Kind, looks_like_frame};
pub use handshake::{DeflateParameters, Handshake, may_upgrade, upgrade};
