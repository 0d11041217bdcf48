//! RTCP beside a stream: reports with known content and known round trips.

use super::super::rng::Rng;
use super::super::rtp::{ReportBlock, ntp, receiver_report, sender_report, source_description};
use super::super::wire::Path;
use crate::time::{Elapsed, Timestamp};

/// Where RTCP goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportPlace {
    /// On the ports above those of RTP (RFC 3550, 11).
    NextPort,
    /// On the ports of RTP (RFC 5761).
    Muxed,
}

/// Whether RTCP can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It can.
    None,
    /// SRTCP with AES-CM and a tag of 80 bits (RFC 3711); only its shape is true.
    Srtcp,
}

/// The reports of a call: one each way a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports {
    /// Where they go.
    pub place: ReportPlace,
    /// Whether they can be read.
    pub protection: Protection,
    /// Whether VoIP metrics stand behind them.
    pub extended: bool,
}

/// What every report block says: lost since the last, lost in all, highest sequence number, jitter in clock units.
pub(super) const REPORTED: ReportBlock =
    ReportBlock { ssrc: 0, fraction: 25, lost: 7, highest: 1_200, jitter: 80, last_report: 0, delay_since: 0 };

/// Time between two reports.
pub(super) const EVERY: Elapsed = Elapsed::from_secs(1);

/// From the place of capture to the caller and back.
pub(super) const NEAR: Elapsed = Elapsed::from_millis(4);

/// From the place of capture to the callee and back.
pub(super) const FAR: Elapsed = Elapsed::from_millis(60);

/// The callee's report passes so long after the caller's.
const BETWEEN: Elapsed = Elapsed::from_millis(300);

/// VoIP metrics behind the two SSRCs (RFC 3611, 4.7): loss 13/256, discard 26/256, bursts 128/256 of 200 ms, gaps 1/256 of
/// 500 ms, round trip 150 ms, end system 70 ms, signal −18, R 93, MOS-LQ 4.4; 127 for the rest.
const METRICS: [u8; 28] = [
    13,
    26,
    128,
    1,
    0,
    200,
    1,
    244,
    0,
    150,
    0,
    70,
    0xEE,
    127,
    127,
    16,
    93,
    127,
    44,
    127,
    0b1111_0000,
    0,
    0,
    40,
    0,
    80,
    1,
    0,
];

/// One side: who it is and what it receives.
#[derive(Clone, Copy)]
pub(super) struct Side<'p> {
    /// Path of the RTP that it sends, or would send.
    pub path: &'p Path,
    /// Its SSRC.
    pub ssrc: u32,
    /// Whether it sends RTP.
    pub sends: bool,
    /// SSRC of what it receives, if it receives anything.
    pub receives: Option<u32>,
}

/// A report on its way.
pub(super) struct Report {
    /// When it is captured.
    pub at: Timestamp,
    /// Addresses.
    pub path: Path,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Reports {
    /// All reports of a call whose media lasts from `start` to `end`; the last two say goodbye.
    pub(super) fn all(self, start: Timestamp, end: Timestamp, sides: [Side<'_>; 2], rng: &mut Rng) -> Vec<Report> {
        let mut out = Vec::new();
        let [caller, callee] = sides;
        // When the other side's last report was captured.
        let mut answered: Option<Timestamp> = None;
        let mut near = start.after(EVERY);
        let mut index = 0;
        while near <= end {
            let far = near.after(BETWEEN);
            let is_last = near.after(EVERY) > end;
            let quote = answered.filter(|_| callee.sends).map(|at| (at, near.since(at).nanos() - NEAR.nanos()));
            out.push(self.report(near, start, caller, quote, is_last, index, rng));
            let quote = caller.sends.then(|| (near, far.since(near).nanos() - FAR.nanos()));
            out.push(self.report(far, start, callee, quote, is_last, index, rng));
            answered = Some(far);
            near = near.after(EVERY);
            index += 1;
        }
        out
    }

    #[expect(clippy::too_many_arguments, reason = "each is one fact of one report, and there is one caller")]
    fn report(
        self,
        at: Timestamp,
        start: Timestamp,
        side: Side<'_>,
        quote: Option<(Timestamp, i64)>,
        says_goodbye: bool,
        index: u32,
        rng: &mut Rng,
    ) -> Report {
        let block = side.receives.map(|ssrc| {
            let (last_report, delay_since) = quote.map_or((0, 0), |(seen, kept)| {
                ((ntp(seen) >> 16) as u32, ((kept.max(0) as u64) << 16).div_ceil(1_000_000_000) as u32)
            });
            ReportBlock { ssrc, last_report, delay_since, ..REPORTED }
        });
        let sent = (at.since(start).nanos() / 20_000_000) as u32;
        let mut octets = match block {
            Some(block) if !side.sends => receiver_report(side.ssrc, block),
            block => sender_report(side.ssrc, at, sent.wrapping_mul(160), sent, block),
        };
        source_description(side.ssrc, &format!("phone@{}", side.path.src.ip), &mut octets);
        if let Some(source) = side.receives.filter(|_| self.extended) {
            extended(side.ssrc, source, &mut octets);
        }
        if says_goodbye {
            octets.extend_from_slice(&[0x81, 203, 0, 4]);
            octets.extend_from_slice(&side.ssrc.to_be_bytes());
            octets.extend_from_slice(b"\x09call over\0\0");
        }
        if self.protection == Protection::Srtcp {
            scramble(&mut octets, 8, rng);
            octets.extend_from_slice(&(0x8000_0000 | index).to_be_bytes());
            tag(&mut octets, rng);
        }
        let mut path = side.path.clone();
        if self.place == ReportPlace::NextPort {
            path.src.port += 1;
            path.dst.port += 1;
        }
        Report { at, path, octets }
    }
}

fn extended(ssrc: u32, source: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80, 207, 0, 10]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[7, 0, 0, 8]);
    out.extend_from_slice(&source.to_be_bytes());
    out.extend_from_slice(&METRICS);
}

/// Makes everything from `from` on look encrypted.
pub(super) fn scramble(octets: &mut [u8], from: usize, rng: &mut Rng) {
    octets.iter_mut().skip(from).for_each(|octet| *octet ^= rng.next_u64() as u8);
}

/// Appends an authentication tag of 80 bits.
pub(super) fn tag(octets: &mut Vec<u8>, rng: &mut Rng) {
    octets.extend((0..10).map(|_| rng.next_u64() as u8));
}
