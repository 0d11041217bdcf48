//! Wireshark's `sip,stat` numbers by Wireshark's definitions, where they are wrong too: so that anyone can check one against the other.

use std::collections::HashMap;
use std::hash::RandomState;

use crate::limits::WIRESHARK_RECORDS;
use crate::packet::Transport;
use crate::sip::Method;
use crate::time::Timestamp;
use crate::track::reading::Reading;

use super::WiresharkStat;

/// Wireshark keeps this many characters of a Call-ID.
const CALL_ID_CHARACTERS: usize = 127;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Request,
    Provisional,
    Final(u32),
}

#[derive(Clone, Debug)]
struct Record {
    cseq: u32,
    /// Hash of the method token.
    method: u32,
    phase: Phase,
    requested: Option<Timestamp>,
}

/// Counts messages, resent messages and setup times.
#[derive(Debug, Default)]
pub struct Wireshark {
    keys: RandomState,
    young: HashMap<u64, Record, foldhash::fast::RandomState>,
    old: HashMap<u64, Record, foldhash::fast::RandomState>,
    messages: u64,
    resent: u64,
    setups: u64,
    setup_sum: u64,
    setup_range: Option<(u64, u64)>,
}

impl Wireshark {
    /// The numbers so far.
    pub fn stat(&self) -> WiresharkStat {
        let (min, max) = self.setup_range.unwrap_or_default();
        let average = self.setup_sum.checked_div(self.setups).unwrap_or(0);
        WiresharkStat { messages: self.messages, resent: self.resent, setup_ms: (average, min, max) }
    }

    /// Counts a message.
    pub fn apply(&mut self, reading: &Reading<'_>) {
        self.messages += 1;
        let (Transport::Udp, Some(cseq)) = (reading.transport, reading.cseq) else { return };
        let call_id = reading.message.call_id().unwrap_or_default();
        let call_id = call_id.char_indices().nth(CALL_ID_CHARACTERS).map_or(&*call_id, |(end, _)| &call_id[..end]);
        let key = std::hash::BuildHasher::hash_one(&self.keys, (call_id, reading.flow));
        self.measure_setup(reading, key);
        let method = std::hash::BuildHasher::hash_one(&self.keys, &reading.cseq_method) as u32;
        let record = self.record(key);
        if record.phase == Phase::New || record.cseq != cseq {
            let requested = if reading.is_request() { Some(reading.at) } else { record.requested };
            *record = Record { cseq, method, phase: Phase::New, requested };
        } else if record.is_repeated_by(reading, method) {
            self.resent += 1;
            return;
        }
        record.phase = match reading.status {
            None => {
                record.requested = Some(reading.at);
                Phase::Request
            }
            Some(..=199) => Phase::Provisional,
            Some(status) => Phase::Final(saturated(status)),
        };
    }

    fn measure_setup(&mut self, reading: &Reading<'_>, key: u64) {
        if !reading.is_request() || reading.method != Method::Ack {
            return;
        }
        let known = self.young.get(&key).or_else(|| self.old.get(&key));
        let Some(requested) = known.and_then(|record| record.requested) else { return };
        let millis = setup_millis(requested, reading.at);
        if millis == 0 {
            return;
        }
        self.setups += 1;
        self.setup_sum += millis;
        let (min, max) = self.setup_range.unwrap_or((millis, millis));
        self.setup_range = Some((min.min(millis), max.max(millis)));
    }

    fn record(&mut self, key: u64) -> &mut Record {
        if !self.young.contains_key(&key) {
            if self.young.len() >= WIRESHARK_RECORDS {
                self.old = std::mem::take(&mut self.young);
            }
            if let Some(record) = self.old.remove(&key) {
                self.young.insert(key, record);
            }
        }
        self.young.entry(key).or_insert_with(|| Record { cseq: 0, method: 0, phase: Phase::New, requested: None })
    }
}

impl Record {
    fn is_repeated_by(&self, reading: &Reading<'_>, method: u32) -> bool {
        if self.method != method {
            return false;
        }
        match reading.status {
            None => self.phase == Phase::Request && !matches!(reading.method, Method::Ack | Method::Cancel),
            Some(status) => status >= 200 && self.phase == Phase::Final(saturated(status)),
        }
    }
}

fn saturated(status: u64) -> u32 {
    u32::try_from(status).unwrap_or(u32::MAX)
}

/// Whole seconds × 1000 plus the sub-second difference in ms, truncated towards zero.
fn setup_millis(from: Timestamp, to: Timestamp) -> u64 {
    const SECOND: i64 = 1_000_000_000;
    let seconds = to.nanos().div_euclid(SECOND) - from.nanos().div_euclid(SECOND);
    let rest = to.nanos().rem_euclid(SECOND) - from.nanos().rem_euclid(SECOND);
    u64::try_from(seconds.saturating_mul(1_000).saturating_add(rest / 1_000_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setup_time_is_truncated_as_wireshark_does() {
        let at = |nanos| Timestamp::from_nanos(nanos);
        assert_eq!(setup_millis(at(15_920_336_000), at(15_921_700_000)), 1);
        assert_eq!(setup_millis(at(15_921_826_000), at(22_993_653_000)), 7_071);
        // 2 s − 0.9995 s: the seconds first, then −999.5 ms cut to −999.
        assert_eq!(setup_millis(at(999_500_000), at(2_000_000_000)), 1_001);
        assert_eq!(setup_millis(at(5_000_000_000), at(1_000_000_000)), 0);
    }
}
