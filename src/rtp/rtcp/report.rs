//! Sender and receiver reports and their blocks (RFC 3550, 6.4).

use super::word;
use crate::time::Elapsed;

/// Octets of a report block.
const BLOCK: usize = 24;

/// Octets of what a sender says about itself, its SSRC included.
const SENDER: usize = 24;

/// A sender report.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'p> {
    /// Who reports.
    pub ssrc: u32,
    /// When it was sent by the sender's clock: seconds since 1900 and their fraction. Never an arrival time.
    pub ntp: u64,
    /// The same moment in units of the media's clock.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload octets sent so far.
    pub octets: u32,
    /// What it says about the streams it receives.
    pub blocks: Blocks<'p>,
    /// Extension of a profile, mostly empty.
    pub extension: &'p [u8],
}

/// A receiver report.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'p> {
    /// Who reports.
    pub ssrc: u32,
    /// What it says about the streams it receives.
    pub blocks: Blocks<'p>,
    /// Extension of a profile, mostly empty.
    pub extension: &'p [u8],
}

/// What a receiver says about one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// Who says so. With `source` it is the block's key.
    pub reporter: u32,
    /// SSRC of the stream it speaks of.
    pub source: u32,
    /// Lost since the last report, in 1 of 256.
    pub fraction_lost: u8,
    /// Lost since the beginning, 24 bits with sign: negative when duplicates came.
    pub cumulative_lost: i32,
    /// Highest sequence number received, with its cycles in the upper half.
    pub highest_sequence: u32,
    /// Interarrival jitter in units of the clock of the stream it speaks of.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report it got; 0 for none.
    pub last_report: u32,
    /// How long ago it got that, in 1/65,536 s.
    pub delay_since: u32,
}

impl ReportBlock {
    /// Lost since the last report, in %.
    pub fn lost_percent(&self) -> f64 {
        f64::from(self.fraction_lost) * 100.0 / 256.0
    }

    /// Jitter in ms for a clock of `rate` Hz; `None` for 0.
    pub fn jitter_ms(&self, rate: u32) -> Option<f64> {
        (rate > 0).then(|| f64::from(self.jitter) * 1_000.0 / f64::from(rate))
    }

    /// [`ReportBlock::delay_since`] as time.
    pub const fn delay(&self) -> Elapsed {
        elapsed_of_ntp(self.delay_since)
    }

    fn read(reporter: u32, bytes: &[u8]) -> Option<Self> {
        let lost = word(bytes, 4)?;
        Some(Self {
            reporter,
            source: word(bytes, 0)?,
            fraction_lost: (lost >> 24) as u8,
            // Shifted up and back, so that the sign of 24 bits fills the rest.
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_sequence: word(bytes, 8)?,
            jitter: word(bytes, 12)?,
            last_report: word(bytes, 16)?,
            delay_since: word(bytes, 20)?,
        })
    }
}

/// The part of an NTP time that a receiver quotes: 16 bits of seconds, 16 of their fraction (RFC 3550, 4).
pub const fn middle_of_ntp(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// Units of 1/65,536 s as time.
pub(super) const fn elapsed_of_ntp(units: u32) -> Elapsed {
    Elapsed::from_nanos((units as i64 * 1_000_000_000) >> 16)
}

pub(super) fn ntp(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(word(bytes, at)?) << 32 | u64::from(word(bytes, at + 4)?))
}

impl<'p> SenderReport<'p> {
    pub(super) fn read(body: &'p [u8], count: u8) -> Option<Self> {
        let ssrc = word(body, 0)?;
        let (blocks, extension) = Blocks::split(ssrc, body.get(SENDER..)?, count);
        Some(Self {
            ssrc,
            ntp: ntp(body, 4)?,
            rtp_timestamp: word(body, 12)?,
            packets: word(body, 16)?,
            octets: word(body, 20)?,
            blocks,
            extension,
        })
    }
}

impl<'p> ReceiverReport<'p> {
    pub(super) fn read(body: &'p [u8], count: u8) -> Option<Self> {
        let ssrc = word(body, 0)?;
        let (blocks, extension) = Blocks::split(ssrc, body.get(4..)?, count);
        Some(Self { ssrc, blocks, extension })
    }
}

/// The report blocks of one packet: 31 at most, and no more than fit into it.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'p> {
    reporter: u32,
    rest: &'p [u8],
}

impl<'p> Blocks<'p> {
    /// The blocks, and what stands behind them.
    fn split(reporter: u32, bytes: &'p [u8], count: u8) -> (Self, &'p [u8]) {
        let octets = usize::from(count) * BLOCK;
        let (rest, extension) = bytes.split_at_checked(octets).unwrap_or((bytes, &[]));
        (Self { reporter, rest }, extension)
    }
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.rest.split_at_checked(BLOCK)?;
        self.rest = rest;
        ReportBlock::read(self.reporter, block)
    }
}
