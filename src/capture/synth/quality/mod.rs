//! RTP with exactly known figures: one fault at a time, and the truth beside the packets.
//!
//! A [`StreamPlan`] says what a phone sends ([`sender`]) and what the network does to it ([`network`]); [`Stream::make`]
//! gives the packets and their [`StreamTruth`]. A [`Scene`] puts streams into a call with SIP, RTCP and what else shares
//! the ports. The truth is counted from what was sent, lost and moved, where nothing has to be guessed; the same numbers
//! by hand are in the tests.

mod call;
mod network;
mod reports;
mod scene;
mod scenes;
mod sender;
mod truth;

use crate::time::Timestamp;

pub use call::{CallPlan, Party};
pub use network::{Jitter, Loss, Network};
pub use reports::{Protection, ReportPlace, Reports};
pub use scene::{Reported, Scene, SceneTruth};
pub use scenes::{describe, names};
pub use sender::{Codec, Filler, Kind, Pause, Press, Repeats, Sent, StreamPlan};
pub use truth::{Spread, StreamTruth};

/// One packet as it is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// What.
    pub packet: Sent,
}

/// The packets of a stream and what must come out of them.
#[derive(Clone, Debug)]
pub struct Stream {
    /// In capture order.
    pub arrivals: Vec<Arrival>,
    /// What must come out.
    pub truth: StreamTruth,
}

impl Stream {
    /// Sends the planned packets through the planned network.
    pub fn make(plan: &StreamPlan) -> Self {
        let arrivals = network::carry(plan, &sender::send(plan));
        let truth = StreamTruth::of(plan, &arrivals);
        Self { arrivals, truth }
    }
}

#[cfg(test)]
mod tests;
