//! RTP and RTCP (RFC 3550): telling them from what shares their ports, and reading their headers; a stream's figures,
//! what a listener hears of it behind a jitter buffer, and how that is scored.

pub mod classify;
pub mod figures;
pub mod header;
pub mod mos;
pub mod playout;
pub mod round_trip;
pub mod rtcp;
pub mod vq_report;
