//! RTP and RTCP (RFC 3550): telling them from what shares their ports, and reading their headers; what a listener hears
//! behind a jitter buffer, and how it is scored.

pub mod classify;
pub mod header;
pub mod mos;
pub mod playout;
pub mod rtcp;
