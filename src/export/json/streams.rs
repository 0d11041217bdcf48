//! `streams`: RTP and its figures. What could not be measured is `null`.

use serde::Serialize;

use crate::rtp::mos::Basis;
use crate::store::rows::Rows;
use crate::time::Elapsed;
use crate::track::call::Call;
use crate::track::stream::{Quality, Stream};

/// One RTP stream.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's names; docs/report.md says which of them are measured")]
pub struct StreamRow {
    pub src: String,
    pub src_port: u16,
    pub dst: String,
    pub dst_port: u16,
    pub ssrc: String,
    pub payload_type: u8,
    pub codec: Option<String>,
    pub packets: u64,
    pub expected: Option<u64>,
    pub lost: Option<u64>,
    pub lost_pct: Option<f64>,
    pub duplicates: Option<u64>,
    pub out_of_order: Option<u64>,
    pub sequence_errors: Option<u64>,
    pub min_delta_ms: Option<f64>,
    pub mean_delta_ms: Option<f64>,
    pub max_delta_ms: Option<f64>,
    pub min_jitter_ms: Option<f64>,
    pub mean_jitter_ms: Option<f64>,
    pub max_jitter_ms: Option<f64>,
    pub jitter_p50_ms: Option<f64>,
    pub jitter_p95_ms: Option<f64>,
    pub jitter_p99_ms: Option<f64>,
    pub max_skew_ms: Option<f64>,
    pub mos: Option<f64>,
    pub r_factor: Option<f64>,
    pub mos_worst: Option<f64>,
    pub mos_model: Option<String>,
    pub mos_basis: Option<String>,
    pub dtmf: Option<String>,
    pub call_id: Option<String>,
    pub started: String,
    pub ended: String,
    pub reported: Reported,
    pub wireshark: Option<Wireshark>,
}

/// What the other side's RTCP says.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's names")]
pub struct Reported {
    pub lost_pct: Option<f64>,
    pub jitter_ms: Option<f64>,
    pub rtt_ms: Option<f64>,
    pub mos_lq: Option<f64>,
    pub mos_cq: Option<f64>,
}

impl Reported {
    /// Of the receiver's RTCP, and where that is silent of what a phone told.
    fn of(quality: &Quality) -> Self {
        let Some(reported) = &quality.reported else { return Self::default() };
        let (receiver, phone) = (&reported.receiver, &reported.phone);
        let jitter = receiver.zip(quality.clock).filter(|(_, clock)| *clock > 0);
        let jitter = jitter.map(|(says, clock)| f64::from(says.jitter) * 1_000.0 / f64::from(clock));
        let metrics = reported.metrics;
        let round = |value: Option<f64>, decimals| value.map(|value| super::rounded(value, decimals));
        Self {
            lost_pct: round(receiver.map(|says| says.lost_percent).or(phone.and_then(|says| says.lost_percent)), 2),
            jitter_ms: round(jitter.or(phone.and_then(|says| says.jitter_ms)), 3),
            rtt_ms: round(reported.round_trip.map(Elapsed::millis).or(phone.and_then(|says| says.round_trip_ms)), 3),
            mos_lq: round(metrics.and_then(|says| says.mos_lq()).or(phone.and_then(|says| says.mos_lq)), 2),
            mos_cq: round(metrics.and_then(|says| says.mos_cq()).or(phone.and_then(|says| says.mos_cq)), 2),
        }
    }
}

/// The same stream by Wireshark's definitions.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's names")]
pub struct Wireshark {
    pub packets: u64,
    pub lost: i64,
    pub max_delta_ms: f64,
    pub max_jitter_ms: f64,
    pub mean_jitter_ms: f64,
}

impl StreamRow {
    /// The row of a stream.
    pub fn of(stream: &Stream, calls: &Rows<Call>) -> Self {
        let quality = &stream.quality;
        let ms = |value: Option<f64>| value.map(|value| super::rounded(value, 3));
        let call_id = stream.call.and_then(|key| calls.get(key.0)).map(|call| call.call_id.to_string());
        Self {
            src: stream.flow.src.ip.to_string(),
            src_port: stream.flow.src.port,
            dst: stream.flow.dst.ip.to_string(),
            dst_port: stream.flow.dst.port,
            ssrc: format!("0x{:08X}", stream.ssrc),
            payload_type: stream.payload_type,
            codec: stream.codec.as_deref().map(str::to_owned),
            packets: stream.packets,
            expected: Some(quality.expected),
            lost: Some(quality.lost),
            lost_pct: quality.lost_percent().map(|percent| super::rounded(percent, 2)),
            duplicates: Some(quality.duplicates),
            out_of_order: Some(quality.out_of_order),
            sequence_errors: Some(quality.sequence_errors),
            min_delta_ms: ms(quality.delta.map(|delta| delta.min)),
            mean_delta_ms: ms(quality.delta.map(|delta| delta.mean)),
            max_delta_ms: ms(quality.delta.map(|delta| delta.max)),
            min_jitter_ms: ms(quality.jitter.map(|jitter| jitter.min)),
            mean_jitter_ms: ms(quality.jitter.map(|jitter| jitter.mean)),
            max_jitter_ms: ms(quality.jitter.map(|jitter| jitter.max)),
            jitter_p50_ms: ms(quality.jitter_percentiles.map(|jitter| jitter.p50)),
            jitter_p95_ms: ms(quality.jitter_percentiles.map(|jitter| jitter.p95)),
            jitter_p99_ms: ms(quality.jitter_percentiles.map(|jitter| jitter.p99)),
            max_skew_ms: ms(quality.max_skew),
            mos: quality.score.map(|score| super::rounded(score.mos, 2)),
            r_factor: quality.score.map(|score| super::rounded(score.r, 1)),
            mos_worst: quality.worst.map(|(_, score)| super::rounded(score.mos, 2)),
            mos_model: quality.score.map(|score| score.row.scale.model().to_owned()),
            mos_basis: Some(quality.score.map_or(Basis::None, |score| score.basis).name().to_owned()),
            dtmf: Some(quality.digits.to_string()),
            call_id,
            started: super::time(stream.first),
            ended: super::time(stream.last),
            reported: Reported::of(quality),
            wireshark: Some(Wireshark {
                packets: quality.wireshark.packets,
                lost: quality.wireshark.lost,
                max_delta_ms: super::rounded(quality.wireshark.max_delta, 3),
                max_jitter_ms: super::rounded(quality.wireshark.max_jitter, 3),
                mean_jitter_ms: super::rounded(quality.wireshark.mean_jitter, 3),
            }),
        }
    }
}
