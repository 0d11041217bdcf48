//! RTP and RTCP (RFC 3550): telling them from what shares their ports, reading their headers, and a stream's figures.

pub mod classify;
pub mod figures;
pub mod header;
pub mod rtcp;
