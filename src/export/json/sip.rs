//! `sip`: counts over all messages.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::store::stats::{Delays, Stats};

/// The `sip` object.
#[derive(Clone, Debug, Serialize)]
pub struct SipReport {
    /// Messages, retransmissions included.
    pub messages: u64,
    /// Requests by method.
    pub requests: BTreeMap<String, u64>,
    /// Responses by status.
    pub responses: BTreeMap<u64, u64>,
    /// Retransmissions among the messages.
    pub retransmissions: u64,
    /// Messages by transport.
    pub transports: TransportReport,
    /// Post-dial delay.
    pub pdd_ms: DelayReport,
    /// INVITE to its 2xx.
    pub setup_ms: DelayReport,
}

/// Messages by transport.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the transports' names")]
pub struct TransportReport {
    pub udp: u64,
    pub tcp: u64,
    pub ws: u64,
    pub tls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sctp: Option<u64>,
}

/// A distribution in ms; without a measurement all but `count` is `null`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DelayReport {
    /// Measurements.
    pub count: u64,
    /// Smallest.
    pub min: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

impl From<Delays> for DelayReport {
    fn from(delays: Delays) -> Self {
        let known = |value: f64| (delays.count > 0).then(|| super::rounded(value, 3));
        Self {
            count: delays.count,
            min: known(delays.min),
            p50: known(delays.p50),
            p95: known(delays.p95),
            max: known(delays.max),
        }
    }
}

impl SipReport {
    /// The object of these statistics.
    pub fn of(stats: &Stats) -> Self {
        let [udp, tcp, ws, tls, sctp] = stats.transports;
        let sctp = Some(sctp).filter(|count| *count > 0);
        Self {
            messages: stats.messages,
            requests: stats.requests.iter().map(|(method, stat)| (method.to_string(), stat.count)).collect(),
            responses: stats.responses.iter().map(|(status, (count, _))| (*status, *count)).collect(),
            retransmissions: stats.retransmissions,
            transports: TransportReport { udp, tcp, ws, tls, sctp },
            pdd_ms: stats.pdd.into(),
            setup_ms: stats.setup.into(),
        }
    }
}
