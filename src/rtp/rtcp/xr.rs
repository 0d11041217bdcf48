//! Extended reports (RFC 3611): the metrics of a phone's jitter buffer, and round trips for those that send no media.

use super::report::{elapsed_of_ntp, ntp};
use super::{half, word};
use crate::limits::RTCP_XR_BLOCKS;
use crate::time::Elapsed;

/// The value that says "unavailable" in levels, RERL, R and MOS.
const UNAVAILABLE: u8 = 127;

/// Octets of VoIP metrics behind the block header.
const VOIP_METRICS: usize = 32;

/// Octets of a sub-block of DLRR.
const DLRR: usize = 12;

/// An extended report.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedReport<'p> {
    /// Who reports.
    pub ssrc: u32,
    rest: &'p [u8],
}

/// A block of an extended report.
#[derive(Clone, Copy, Debug)]
pub enum XrBlock<'p> {
    /// Block 4: the reporter's clock, to be quoted by a DLRR. NTP format.
    ReferenceTime(u64),
    /// Block 5: quotes of reference times that the reporter got.
    Delays(Delays<'p>),
    /// Block 7.
    VoipMetrics(VoipMetrics),
    /// Any other: its type; [`block_name`] names it.
    Other(u8),
}

/// The name of a block type (RFC 3611, 4); `None` for a later one.
pub const fn block_name(block_type: u8) -> Option<&'static str> {
    Some(match block_type {
        1 => "loss RLE",
        2 => "duplicate RLE",
        3 => "packet receipt times",
        4 => "receiver reference time",
        5 => "DLRR",
        6 => "statistics summary",
        7 => "VoIP metrics",
        _ => return None,
    })
}

impl<'p> ExtendedReport<'p> {
    pub(super) fn read(body: &'p [u8]) -> Option<Self> {
        Some(Self { ssrc: word(body, 0)?, rest: body.get(4..)? })
    }

    /// Its blocks in order, at most [`RTCP_XR_BLOCKS`]; a block that does not fit ends them.
    pub fn blocks(&self) -> impl Iterator<Item = XrBlock<'p>> + use<'p> {
        let (reporter, mut rest) = (self.ssrc, self.rest);
        std::iter::from_fn(move || {
            let block_type = *rest.first()?;
            let octets = usize::from(half(rest, 2)?) * 4;
            let (content, behind) = rest.get(4..)?.split_at_checked(octets)?;
            rest = behind;
            Some(read(reporter, block_type, content))
        })
        .take(RTCP_XR_BLOCKS)
    }
}

fn read(reporter: u32, block_type: u8, content: &[u8]) -> XrBlock<'_> {
    let known = match block_type {
        4 => ntp(content, 0).map(XrBlock::ReferenceTime),
        5 => Some(XrBlock::Delays(Delays(content))),
        7 => VoipMetrics::read(reporter, content).map(XrBlock::VoipMetrics),
        _ => None,
    };
    known.unwrap_or(XrBlock::Other(block_type))
}

/// The sub-blocks of a DLRR: as many as its length gives.
#[derive(Clone, Copy, Debug)]
pub struct Delays<'p>(&'p [u8]);

/// Delay since the last receiver reference time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Whose reference time it was.
    pub source: u32,
    /// Middle of that NTP time; 0 for none.
    pub last_reference: u32,
    /// How long ago it came, in 1/65,536 s.
    pub delay_since: u32,
}

impl Delay {
    /// [`Delay::delay_since`] as time.
    pub const fn delay(&self) -> Elapsed {
        elapsed_of_ntp(self.delay_since)
    }
}

impl Iterator for Delays<'_> {
    type Item = Delay;

    fn next(&mut self) -> Option<Delay> {
        let (delay, rest) = self.0.split_at_checked(DLRR)?;
        self.0 = rest;
        Some(Delay { source: word(delay, 0)?, last_reference: word(delay, 4)?, delay_since: word(delay, 8)? })
    }
}

/// What a phone says about the voice it plays (RFC 3611, 4.7). `None` is "unavailable", shown as blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// Who says so. With `source` it is the block's key.
    pub reporter: u32,
    /// SSRC of the stream it speaks of.
    pub source: u32,
    /// Lost on the network, in 1 of 256.
    pub loss_rate: u8,
    /// Thrown away by the jitter buffer, in 1 of 256.
    pub discard_rate: u8,
    /// Lost or thrown away within bursts, in 1 of 256.
    pub burst_density: u8,
    /// Lost or thrown away within gaps, in 1 of 256.
    pub gap_density: u8,
    /// Mean length of a burst, in ms.
    pub burst_ms: u16,
    /// Mean length of a gap, in ms.
    pub gap_ms: u16,
    /// Round trip between the RTP interfaces, in ms; 0 when it was not measured.
    pub round_trip_ms: u16,
    /// Delay within the phone, in ms.
    pub end_system_ms: u16,
    /// Signal level during talk, in dBm0.
    pub signal_dbm: Option<i8>,
    /// Noise level during silence, in dBm0.
    pub noise_dbm: Option<i8>,
    /// Residual echo return loss, in dB.
    pub echo_return_loss_db: Option<u8>,
    /// Packets that must arrive between two bursts; 16 by default.
    pub gap_minimum: u8,
    /// R factor of this segment of the call.
    pub r_factor: Option<u8>,
    /// R factor of another segment.
    pub external_r_factor: Option<u8>,
    /// Listening quality, MOS × 10.
    pub mos_lq_tenths: Option<u8>,
    /// Conversational quality, MOS × 10.
    pub mos_cq_tenths: Option<u8>,
    /// Receiver configuration: see [`VoipMetrics::concealment`] and [`VoipMetrics::buffer`].
    pub configuration: u8,
    /// Nominal delay of the jitter buffer, in ms.
    pub buffer_nominal_ms: u16,
    /// Its largest delay now, in ms.
    pub buffer_maximum_ms: u16,
    /// Its largest delay ever, in ms.
    pub buffer_absolute_maximum_ms: u16,
}

impl VoipMetrics {
    fn read(reporter: u32, content: &[u8]) -> Option<Self> {
        let b = content.first_chunk::<VOIP_METRICS>()?;
        let pair = |high: u8, low: u8| u16::from_be_bytes([high, low]);
        let known = |value: u8| (value != UNAVAILABLE).then_some(value);
        Some(Self {
            reporter,
            source: word(b, 0)?,
            loss_rate: b[4],
            discard_rate: b[5],
            burst_density: b[6],
            gap_density: b[7],
            burst_ms: pair(b[8], b[9]),
            gap_ms: pair(b[10], b[11]),
            round_trip_ms: pair(b[12], b[13]),
            end_system_ms: pair(b[14], b[15]),
            signal_dbm: known(b[16]).map(u8::cast_signed),
            noise_dbm: known(b[17]).map(u8::cast_signed),
            echo_return_loss_db: known(b[18]),
            gap_minimum: b[19],
            r_factor: known(b[20]),
            external_r_factor: known(b[21]),
            mos_lq_tenths: known(b[22]),
            mos_cq_tenths: known(b[23]),
            configuration: b[24],
            buffer_nominal_ms: pair(b[26], b[27]),
            buffer_maximum_ms: pair(b[28], b[29]),
            buffer_absolute_maximum_ms: pair(b[30], b[31]),
        })
    }

    /// Lost on the network, in %.
    pub fn loss_percent(&self) -> f64 {
        f64::from(self.loss_rate) * 100.0 / 256.0
    }

    /// Thrown away by the jitter buffer, in %.
    pub fn discard_percent(&self) -> f64 {
        f64::from(self.discard_rate) * 100.0 / 256.0
    }

    /// Listening quality as MOS, 1.0 to 5.0.
    pub fn mos_lq(&self) -> Option<f64> {
        self.mos_lq_tenths.map(|tenths| f64::from(tenths) / 10.0)
    }

    /// Conversational quality as MOS, 1.0 to 5.0.
    pub fn mos_cq(&self) -> Option<f64> {
        self.mos_cq_tenths.map(|tenths| f64::from(tenths) / 10.0)
    }

    /// How lost packets are hidden; `None` when it does not say.
    pub const fn concealment(&self) -> Option<&'static str> {
        match self.configuration >> 6 {
            3 => Some("standard"),
            2 => Some("enhanced"),
            1 => Some("disabled"),
            _ => None,
        }
    }

    /// Whether the jitter buffer adapts; `None` when it does not say.
    pub const fn buffer(&self) -> Option<&'static str> {
        match self.configuration >> 4 & 3 {
            3 => Some("adaptive"),
            2 => Some("fixed"),
            _ => None,
        }
    }
}
