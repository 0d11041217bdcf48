//! How streams are found: by flow and SSRC for every packet, by SSRC for RTCP, by their ends for SDP that comes later.

use super::{StreamId, Streams, UNKNOWN};
use crate::event::RtpSample;
use crate::limits::CALL_STREAMS;
use crate::packet::{Endpoint, FlowKey};

impl Streams {
    pub(super) fn find(&self, sample: &RtpSample) -> u32 {
        let found = match packed(&sample.flow, sample.ssrc) {
            Some(key) => self.v4.get(&key),
            None => self.v6.get(&(sample.flow, sample.ssrc)),
        };
        found.copied().unwrap_or(UNKNOWN)
    }

    /// Makes a stream found by its flow and SSRC, by its flow alone, and by its SSRC alone.
    pub(super) fn index(&mut self, slot: u32, id: StreamId) {
        let (flow, ssrc) = id;
        match packed(&flow, ssrc) {
            Some(packed) => self.v4.insert(packed, slot),
            None => self.v6.insert(id, slot),
        };
        let same = self.by_ssrc.entry(ssrc).or_default();
        if same.len() >= CALL_STREAMS {
            same.remove(0);
        }
        same.push(slot);
        self.flows.insert(flow, slot);
    }

    /// SDP that comes later may name one of its ends.
    pub(super) fn await_call(&mut self, slot: u32, flow: FlowKey) {
        for end in [flow.src, flow.dst] {
            let slots = self.loose.entry(end).or_default();
            if slots.len() < CALL_STREAMS {
                slots.push(slot);
            }
        }
    }

    pub(super) fn loosen(&mut self, endpoint: Endpoint, slot: u32) {
        if let Some(slots) = self.loose.get_mut(&endpoint) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.loose.remove(&endpoint);
            }
        }
    }
}

/// An IPv4 flow and its SSRC fill 128 bits exactly.
pub(super) fn packed(flow: &FlowKey, ssrc: u32) -> Option<u128> {
    let (std::net::IpAddr::V4(src), std::net::IpAddr::V4(dst)) = (flow.src.ip, flow.dst.ip) else { return None };
    let ips = u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits());
    let rest = u64::from(flow.src.port) << 48 | u64::from(flow.dst.port) << 32 | u64::from(ssrc);
    Some(u128::from(ips) << 64 | u128::from(rest))
}
