//! `streams`: RTP, as far as it is recognised. What only analysis can tell is `null`.

use serde::Serialize;

use crate::store::rows::Rows;
use crate::track::call::Call;
use crate::track::stream::Stream;

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
            expected: None,
            lost: None,
            lost_pct: None,
            duplicates: None,
            out_of_order: None,
            sequence_errors: None,
            min_delta_ms: None,
            mean_delta_ms: None,
            max_delta_ms: None,
            min_jitter_ms: None,
            mean_jitter_ms: None,
            max_jitter_ms: None,
            jitter_p50_ms: None,
            jitter_p95_ms: None,
            jitter_p99_ms: None,
            max_skew_ms: None,
            mos: None,
            r_factor: None,
            mos_worst: None,
            mos_model: None,
            mos_basis: None,
            dtmf: None,
            call_id,
            started: super::time(stream.first),
            ended: super::time(stream.last),
            reported: Reported::default(),
            wireshark: None,
        }
    }
}
