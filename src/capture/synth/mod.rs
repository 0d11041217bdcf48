//! Captures made by rule: packets with right checksums, SIP that keeps to RFC 3261, RTP with chosen faults.
//!
//! The demo, the benches and the tests get their packets here, so that what they show is known exactly. Everything
//! follows from a seed and a start time; nothing here reads a clock or a file.
//!
//! From small to large: [`wire`] (headers) ← [`message`], [`rtp`], [`dialog_info`] (payloads) ← [`agent`] (who sends what
//! in a dialog) ← [`schedule`] (all packets in order of time) ← [`tcp`] (connections, and what goes wrong with them) ←
//! [`carrier`] and [`attack`] (whole captures of any size); [`quality`] (single calls whose every figure is known).

pub mod agent;
pub mod attack;
pub mod carrier;
pub mod dialog_info;
pub mod message;
pub mod pcap_writer;
pub mod quality;
pub mod rng;
pub mod rtp;
pub mod schedule;
pub mod tcp;
pub mod wire;

pub use agent::{Agent, Dialog, Proxy};
pub use attack::{Attack, AttackTruth, Attacker};
pub use carrier::{Carrier, CarrierOptions, Truth};
pub use message::Message;
pub use pcap_writer::{PcapWriter, Precision};
pub use rng::Rng;
pub use rtp::{RtpFaults, RtpSender};
pub use schedule::Schedule;
pub use wire::Path;
