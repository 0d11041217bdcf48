//! What the Capture tab shows of a connection.

use super::flow::Counts;
use super::layer::Protocol;
use crate::net::tcp::Standing;
use crate::packet::FlowKey;
use crate::time::Timestamp;

/// A TCP connection that carries SIP, or may do so unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowView {
    /// From the side that asked for the connection, or that was seen first.
    pub flow: FlowKey,
    /// What it carries.
    pub protocol: Protocol,
    /// How it stands.
    pub standing: Standing,
    /// First packet.
    pub first: Timestamp,
    /// Newest packet.
    pub last: Timestamp,
    /// Packets, both ways.
    pub packets: u64,
    /// Octets of payload, both ways, repeated ones included.
    pub octets: u64,
    /// SIP messages found.
    pub messages: u64,
    /// Segments sent again.
    pub again: u64,
    /// Octets that are not in the capture.
    pub missing: u64,
    /// Keep-alives of TCP.
    pub keep_alives: u64,
    /// What its handshake told, fit for a terminal; empty for none.
    pub note: String,
}

impl FlowView {
    pub(super) fn new(flow: FlowKey, protocol: Protocol, standing: Standing, counts: &Counts, note: String) -> Self {
        let Counts { first, last, packets, octets, messages, again, missing, keep_alives, .. } = *counts;
        Self { flow, protocol, standing, first, last, packets, octets, messages, again, missing, keep_alives, note }
    }
}
