//! The metrics of one side: lines of `KEY=value` (RFC 6035, 4.6.2).

use std::str::FromStr;

use chrono::DateTime;

use super::kept;
use crate::limits::VQ_OTHERS;
use crate::time::Timestamp;

/// The value that says "unavailable", as in RFC 3611.
const UNAVAILABLE: f64 = 127.0;

/// A line or a key that has no field of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VqOther {
    /// The line's name, or `Line.KEY`.
    pub name: Box<str>,
    /// What was behind it.
    pub value: Box<str>,
}

/// What one side measured. `None` is "not said" or "unavailable", shown as blank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VqMetrics {
    /// `Timestamps START`.
    pub start: Option<Timestamp>,
    /// `Timestamps STOP`.
    pub stop: Option<Timestamp>,
    /// `SessionDesc PT`: payload type.
    pub payload_type: Option<u8>,
    /// `SessionDesc PD`: name of the codec.
    pub payload: Option<Box<str>>,
    /// `SessionDesc SR`: samples in a second.
    pub sample_rate: Option<u32>,
    /// `SessionDesc FD`: length of a frame, in ms.
    pub frame_ms: Option<f64>,
    /// `SessionDesc FO`: octets in a frame.
    pub frame_octets: Option<u32>,
    /// `SessionDesc FPP`: frames in a packet.
    pub frames_per_packet: Option<u32>,
    /// `SessionDesc PPS`: packets in a second.
    pub packets_per_second: Option<f64>,
    /// `SessionDesc FMTP`: options of the codec.
    pub format: Option<Box<str>>,
    /// `SessionDesc PLC`: how loss is hidden; 0 unspecified, 1 disabled, 2 enhanced, 3 standard.
    pub concealment: Option<u8>,
    /// `SessionDesc SSUP`: whether silence is left out.
    pub suppresses_silence: Option<bool>,
    /// `JitterBuffer JBA`: 0 unknown, 2 fixed, 3 adaptive.
    pub buffer_kind: Option<u8>,
    /// `JitterBuffer JBR`: how fast it adapts, 0 to 15.
    pub buffer_rate: Option<u8>,
    /// `JitterBuffer JBN`: nominal delay, in ms.
    pub buffer_nominal_ms: Option<f64>,
    /// `JitterBuffer JBM`: largest delay now, in ms.
    pub buffer_maximum_ms: Option<f64>,
    /// `JitterBuffer JBX`: largest delay ever, in ms.
    pub buffer_absolute_maximum_ms: Option<f64>,
    /// `PacketLoss NLR`: lost on the network, in %.
    pub loss_percent: Option<f64>,
    /// `PacketLoss JDR`: thrown away by the jitter buffer, in %.
    pub discard_percent: Option<f64>,
    /// `BurstGapLoss BLD`: lost within bursts, in %.
    pub burst_density_percent: Option<f64>,
    /// `BurstGapLoss BD`: mean length of a burst, in ms.
    pub burst_ms: Option<f64>,
    /// `BurstGapLoss GLD`: lost within gaps, in %.
    pub gap_density_percent: Option<f64>,
    /// `BurstGapLoss GD`: mean length of a gap, in ms.
    pub gap_ms: Option<f64>,
    /// `BurstGapLoss GMIN`: packets that must arrive between two bursts.
    pub gap_minimum: Option<u8>,
    /// `Delay RTD`: round trip, in ms.
    pub round_trip_ms: Option<f64>,
    /// `Delay ESD`: delay within the phone, in ms.
    pub end_system_ms: Option<f64>,
    /// `Delay SOWD`: half of the whole way and back, in ms.
    pub symmetric_one_way_ms: Option<f64>,
    /// `Delay OWD`: one way, in ms.
    pub one_way_ms: Option<f64>,
    /// `Delay IAJ`: interarrival jitter (RFC 3550), in ms.
    pub jitter_ms: Option<f64>,
    /// `Delay MAJ`: mean absolute jitter (ITU-T G.1020), in ms.
    pub mean_absolute_jitter_ms: Option<f64>,
    /// `Signal SL`: signal level, in dBm0.
    pub signal_dbm: Option<f64>,
    /// `Signal NL`: noise level, in dBm0.
    pub noise_dbm: Option<f64>,
    /// `Signal RERL`: residual echo return loss, in dB.
    pub echo_return_loss_db: Option<f64>,
    /// `QualityEst RLQ`: R factor for listening.
    pub r_lq: Option<f64>,
    /// `QualityEst RCQ`: R factor for conversation.
    pub r_cq: Option<f64>,
    /// `QualityEst EXTRI`: R factor of another network, inwards.
    pub external_r_in: Option<f64>,
    /// `QualityEst EXTRO`: R factor of another network, outwards.
    pub external_r_out: Option<f64>,
    /// `QualityEst MOSLQ`: listening quality as MOS.
    pub mos_lq: Option<f64>,
    /// `QualityEst MOSCQ`: conversational quality as MOS.
    pub mos_cq: Option<f64>,
    /// `QoEEstAlg` and each `…EstAlg` or `…EstAlgo`: how a value was estimated. At most [`VQ_OTHERS`].
    pub algorithms: Vec<VqOther>,
    /// Keys without a field of their own, as `Line.KEY`, and values that are no number; at most [`VQ_OTHERS`].
    pub others: Vec<VqOther>,
}

impl VqMetrics {
    pub(super) const NONE: Self = Self {
        start: None,
        stop: None,
        payload_type: None,
        payload: None,
        sample_rate: None,
        frame_ms: None,
        frame_octets: None,
        frames_per_packet: None,
        packets_per_second: None,
        format: None,
        concealment: None,
        suppresses_silence: None,
        buffer_kind: None,
        buffer_rate: None,
        buffer_nominal_ms: None,
        buffer_maximum_ms: None,
        buffer_absolute_maximum_ms: None,
        loss_percent: None,
        discard_percent: None,
        burst_density_percent: None,
        burst_ms: None,
        gap_density_percent: None,
        gap_ms: None,
        gap_minimum: None,
        round_trip_ms: None,
        end_system_ms: None,
        symmetric_one_way_ms: None,
        one_way_ms: None,
        jitter_ms: None,
        mean_absolute_jitter_ms: None,
        signal_dbm: None,
        noise_dbm: None,
        echo_return_loss_db: None,
        r_lq: None,
        r_cq: None,
        external_r_in: None,
        external_r_out: None,
        mos_lq: None,
        mos_cq: None,
        algorithms: Vec::new(),
        others: Vec::new(),
    };

    /// Takes a line; `false` when its name is not known.
    pub(super) fn line(&mut self, name: &str, rest: &str) -> bool {
        let set: fn(&mut Self, &str, &str) -> bool = match name.to_ascii_lowercase().as_str() {
            "timestamps" => Self::times,
            "sessiondesc" => Self::session,
            "jitterbuffer" => Self::buffer,
            "packetloss" => Self::loss,
            "burstgaploss" => Self::burst_gap,
            "delay" => Self::delay,
            "signal" => Self::signal,
            "qualityest" => Self::quality,
            _ => return false,
        };
        for (key, value) in pairs(rest) {
            if !set(self, &key.to_ascii_uppercase(), value) && self.others.len() < VQ_OTHERS {
                self.others.push(VqOther { name: kept(&format!("{name}.{key}")), value: kept(value) });
            }
        }
        true
    }

    fn times(&mut self, key: &str, value: &str) -> bool {
        match key {
            "START" => put(&mut self.start, time(value)),
            "STOP" => put(&mut self.stop, time(value)),
            _ => false,
        }
    }

    fn session(&mut self, key: &str, value: &str) -> bool {
        match key {
            "PT" => put(&mut self.payload_type, number(value)),
            "PD" => put(&mut self.payload, Some(kept(value))),
            "SR" => put(&mut self.sample_rate, number(value)),
            "FD" => put(&mut self.frame_ms, measure(value)),
            "FO" => put(&mut self.frame_octets, number(value)),
            "FPP" => put(&mut self.frames_per_packet, number(value)),
            "PPS" => put(&mut self.packets_per_second, measure(value)),
            "FMTP" => put(&mut self.format, Some(kept(value))),
            "PLC" => put(&mut self.concealment, number(value)),
            "SSUP" => put(&mut self.suppresses_silence, switch(value)),
            _ => false,
        }
    }

    fn buffer(&mut self, key: &str, value: &str) -> bool {
        match key {
            "JBA" => put(&mut self.buffer_kind, number(value)),
            "JBR" => put(&mut self.buffer_rate, number(value)),
            "JBN" => put(&mut self.buffer_nominal_ms, measure(value)),
            "JBM" => put(&mut self.buffer_maximum_ms, measure(value)),
            "JBX" => put(&mut self.buffer_absolute_maximum_ms, measure(value)),
            _ => false,
        }
    }

    fn loss(&mut self, key: &str, value: &str) -> bool {
        match key {
            "NLR" => put(&mut self.loss_percent, measure(value)),
            "JDR" => put(&mut self.discard_percent, measure(value)),
            _ => false,
        }
    }

    fn burst_gap(&mut self, key: &str, value: &str) -> bool {
        match key {
            "BLD" => put(&mut self.burst_density_percent, measure(value)),
            "BD" => put(&mut self.burst_ms, measure(value)),
            "GLD" => put(&mut self.gap_density_percent, measure(value)),
            "GD" => put(&mut self.gap_ms, measure(value)),
            "GMIN" => put(&mut self.gap_minimum, number(value)),
            _ => false,
        }
    }

    fn delay(&mut self, key: &str, value: &str) -> bool {
        match key {
            "RTD" => put(&mut self.round_trip_ms, measure(value)),
            "ESD" => put(&mut self.end_system_ms, measure(value)),
            "SOWD" => put(&mut self.symmetric_one_way_ms, measure(value)),
            "OWD" => put(&mut self.one_way_ms, measure(value)),
            "IAJ" => put(&mut self.jitter_ms, measure(value)),
            "MAJ" => put(&mut self.mean_absolute_jitter_ms, measure(value)),
            _ => false,
        }
    }

    fn signal(&mut self, key: &str, value: &str) -> bool {
        match key {
            "SL" => available(&mut self.signal_dbm, value),
            "NL" => available(&mut self.noise_dbm, value),
            "RERL" => available(&mut self.echo_return_loss_db, value),
            _ => false,
        }
    }

    fn quality(&mut self, key: &str, value: &str) -> bool {
        match key {
            "RLQ" => available(&mut self.r_lq, value),
            "RCQ" => available(&mut self.r_cq, value),
            "EXTRI" => available(&mut self.external_r_in, value),
            "EXTRO" => available(&mut self.external_r_out, value),
            "MOSLQ" => available(&mut self.mos_lq, value),
            "MOSCQ" => available(&mut self.mos_cq, value),
            _ if key.ends_with("ESTALG") || key.ends_with("ESTALGO") => {
                if self.algorithms.len() < VQ_OTHERS {
                    self.algorithms.push(VqOther { name: kept(key), value: kept(value) });
                }
                true
            }
            _ => false,
        }
    }
}

/// Sets the field; `false` when there is no value for it.
fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    if known {
        *slot = value;
    }
    known
}

/// Sets the field unless the value says "unavailable"; `false` when it is no number.
fn available(slot: &mut Option<f64>, value: &str) -> bool {
    let read = measure(value);
    if read != Some(UNAVAILABLE) {
        return put(slot, read);
    }
    *slot = None;
    true
}

pub(super) fn number<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

/// A finite decimal number, perhaps with `%` behind it.
fn measure(value: &str) -> Option<f64> {
    let digits = value.strip_suffix('%').unwrap_or(value);
    let is_decimal = digits.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'.' | b'-' | b'+'));
    digits.parse::<f64>().ok().filter(|number| is_decimal && number.is_finite())
}

fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "1" | "yes" => Some(true),
        "off" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// RFC 3339, in UTC or with an offset.
fn time(value: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(value).ok()?.timestamp_nanos_opt().map(Timestamp::from_nanos)
}

/// The pairs of a line: `KEY=value`, blanks around the sign allowed, values in quotes without them.
pub(super) fn pairs(rest: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = rest;
    std::iter::from_fn(move || {
        loop {
            let (before, behind) = rest.split_once('=')?;
            let key = before.split_whitespace().next_back().unwrap_or_default().trim_matches([',', ';']);
            let (value, left) = value(behind.trim_start());
            rest = left;
            if !key.is_empty() {
                return Some((key, value));
            }
        }
    })
}

/// The value in front, and what is behind it.
fn value(text: &str) -> (&str, &str) {
    if let Some((quoted, left)) = text.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
        return (quoted, left);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, left) = text.split_at_checked(end).unwrap_or((text, ""));
    (value.trim_end_matches([',', ';']), left)
}
