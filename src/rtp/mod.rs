//! RTP and RTCP (RFC 3550): telling them from what shares their ports, and reading their headers.

pub mod classify;
pub mod header;
pub mod round_trip;
pub mod rtcp;
pub mod vq_report;
