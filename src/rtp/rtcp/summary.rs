//! What statistics keep of a datagram of RTCP: it borrows nothing, so that it can travel in an event.

use smallvec::SmallVec;

use super::compound::{Compound, Content, Packet};
use super::report::{ReportBlock, SenderReport, middle_of_ntp};
use super::xr::{Delay, VoipMetrics, XrBlock};
use crate::limits::{RTCP_KEPT_BLOCKS, RTCP_KEPT_METRICS};

/// A text of at most 255 octets, as sent: make it fit for a terminal with [`crate::text::visible`]. Names of ordinary
/// length need no heap.
pub type Text = SmallVec<[u8; 32]>;

/// Whether a datagram could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    #[default]
    Plain,
    /// Its packets, but not its end.
    Damaged,
    /// SRTCP: only the sender is known.
    Encrypted,
    /// Cut by the snap length: only the sender is known.
    Cut,
}

impl Reading {
    /// Whether nothing but the sender is known; shown as "encrypted".
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Encrypted | Self::Cut)
    }
}

/// What a sender says about what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The sender.
    pub ssrc: u32,
    /// NTP time of its clock.
    pub ntp: u64,
    /// The same moment in units of the media's clock.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload octets sent so far.
    pub octets: u32,
}

/// A time that an end quotes back to us or that is to be quoted: what the round trip is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A sender report or a receiver reference time went by; middle of its NTP time.
    Sent {
        /// Middle of its NTP time.
        middle: u32,
    },
    /// An end says how long ago such a time reached it.
    Quoted {
        /// Who says so.
        reporter: u32,
        /// Whose time it was.
        source: u32,
        /// Middle of that NTP time, never 0.
        middle: u32,
        /// How long ago it came, in 1/65,536 s.
        delay_since: u32,
    },
}

/// What is kept of one datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// SSRC of the first packet.
    pub sender: u32,
    /// Whether the rest is known.
    pub reading: Reading,
    /// The last sender report in it.
    pub sent: Option<SenderInfo>,
    /// Report blocks of all its packets, at most [`RTCP_KEPT_BLOCKS`].
    pub blocks: SmallVec<[ReportBlock; 1]>,
    /// VoIP metrics, at most [`RTCP_KEPT_METRICS`].
    pub metrics: SmallVec<[VoipMetrics; 1]>,
    /// What [`crate::rtp::round_trip`] takes, in order; at most [`RTCP_KEPT_BLOCKS`].
    pub references: SmallVec<[Reference; 2]>,
    /// The first canonical name in it.
    pub cname: Option<Text>,
    /// Sources that leave, at most [`RTCP_KEPT_BLOCKS`].
    pub goodbye: SmallVec<[u32; 2]>,
    /// Why they leave.
    pub reason: Option<Text>,
}

impl Summary {
    /// Reads a datagram that had `wire_len` octets on the wire. `None` when it is no RTCP.
    pub fn read(bytes: &[u8], wire_len: usize) -> Option<Self> {
        Compound::parse(bytes, wire_len).map(|compound| Self::of(&compound))
    }

    /// What is kept of a datagram already read.
    pub fn of(compound: &Compound<'_>) -> Self {
        let reading = match compound.content {
            Content::Plain(_) if compound.is_damaged() => Reading::Damaged,
            Content::Plain(_) => Reading::Plain,
            Content::Encrypted => Reading::Encrypted,
            Content::Cut => Reading::Cut,
        };
        let mut summary = Self { sender: compound.sender, reading, ..Self::default() };
        for packet in compound.packets() {
            summary.add(&packet);
        }
        summary
    }

    fn add(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::SenderReport(report) => {
                self.sent = Some(SenderInfo::of(report));
                self.refer(Reference::Sent { middle: middle_of_ntp(report.ntp) });
                report.blocks.for_each(|block| self.block(block));
            }
            Packet::ReceiverReport(report) => report.blocks.for_each(|block| self.block(block)),
            Packet::SourceDescription(description) => {
                if self.cname.is_none() {
                    self.cname = description.chunks().find_map(|chunk| chunk.cname()).map(SmallVec::from_slice);
                }
            }
            Packet::Goodbye(goodbye) => {
                let room = RTCP_KEPT_BLOCKS.saturating_sub(self.goodbye.len());
                self.goodbye.extend(goodbye.sources().take(room));
                self.reason = goodbye.reason.map(SmallVec::from_slice).or(self.reason.take());
            }
            Packet::Extended(report) => report.blocks().for_each(|block| self.extended(report.ssrc, &block)),
            Packet::Application(_) | Packet::Other { .. } => {}
        }
    }

    fn block(&mut self, block: ReportBlock) {
        self.quote(block.reporter, block.source, block.last_report, block.delay_since);
        if self.blocks.len() < RTCP_KEPT_BLOCKS {
            self.blocks.push(block);
        }
    }

    fn extended(&mut self, reporter: u32, block: &XrBlock<'_>) {
        match block {
            XrBlock::ReferenceTime(ntp) => self.refer(Reference::Sent { middle: middle_of_ntp(*ntp) }),
            XrBlock::Delays(delays) => {
                for Delay { source, last_reference, delay_since } in delays.take(RTCP_KEPT_BLOCKS) {
                    self.quote(reporter, source, last_reference, delay_since);
                }
            }
            XrBlock::VoipMetrics(metrics) if self.metrics.len() < RTCP_KEPT_METRICS => self.metrics.push(*metrics),
            XrBlock::VoipMetrics(_) | XrBlock::Other(_) => {}
        }
    }

    /// 0 means that no report came yet.
    fn quote(&mut self, reporter: u32, source: u32, middle: u32, delay_since: u32) {
        if middle != 0 {
            self.refer(Reference::Quoted { reporter, source, middle, delay_since });
        }
    }

    fn refer(&mut self, reference: Reference) {
        if self.references.len() < RTCP_KEPT_BLOCKS {
            self.references.push(reference);
        }
    }
}

impl SenderInfo {
    const fn of(report: &SenderReport<'_>) -> Self {
        let SenderReport { ssrc, ntp, rtp_timestamp, packets, octets, .. } = *report;
        Self { ssrc, ntp, rtp_timestamp, packets, octets }
    }
}
