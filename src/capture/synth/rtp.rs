//! RTP voice (PCMU) with chosen faults, and simple RTCP reports (RFC 3550).

use super::rng::Rng;
use super::wire::{self, Path};
use crate::time::{Elapsed, Timestamp};

/// Time between two packets: 20 ms, as nearly every phone sends.
pub const INTERVAL: Elapsed = Elapsed::from_millis(20);

/// Samples, and for PCMU bytes, in a packet.
pub const SAMPLES: u32 = 160;

/// What the network does to a stream on its way to the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtpFaults {
    /// Packets lost, in 1 of 1,000.
    pub loss_per_mille: u32,
    /// Each packet comes up to this much late, evenly spread. Below 20 ms it never changes the order.
    pub jitter: Elapsed,
    /// Packets that come after their successor, in 1 of 1,000.
    pub reorder_per_mille: u32,
    /// Packets that come twice, in 1 of 1,000.
    pub duplicate_per_mille: u32,
}

/// What a stream did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtpCount {
    /// Packets that came, repeated ones included.
    pub packets: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// Packets that came a second time.
    pub duplicates: u64,
}

/// Sends one stream of PCMU.
#[derive(Clone, Debug)]
pub struct RtpSender {
    path: Path,
    ssrc: u32,
    first_sequence: u16,
    first_timestamp: u32,
    start: Timestamp,
    packets: u32,
    faults: RtpFaults,
    rng: Rng,
    /// The next packet in order, by its number from 0.
    next: Option<(Timestamp, u32)>,
    /// A packet held back by reordering or duplication.
    late: Option<(Timestamp, u32)>,
    newest: Timestamp,
    ip_id: u16,
    count: RtpCount,
}

impl RtpSender {
    /// `packets` are sent, or lost, from `start` on. Sequence number, time stamp and SSRC come from `rng`.
    pub fn new(path: Path, start: Timestamp, packets: u32, faults: RtpFaults, mut rng: Rng) -> Self {
        let mut sender = Self {
            path,
            ssrc: rng.next_u64() as u32,
            first_sequence: rng.next_u64() as u16,
            first_timestamp: rng.next_u64() as u32,
            start,
            packets,
            faults,
            ip_id: rng.next_u64() as u16,
            rng,
            next: None,
            late: None,
            newest: start,
            count: RtpCount::default(),
        };
        sender.advance(0);
        sender
    }

    /// The stream's SSRC.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What came and what did not, so far.
    pub const fn count(&self) -> RtpCount {
        self.count
    }

    /// When the next packet comes; `None` at the end.
    pub fn next_at(&self) -> Option<Timestamp> {
        match (self.next, self.late) {
            (Some((next, _)), Some((late, _))) => Some(next.min(late)),
            (next, late) => next.or(late).map(|(at, _)| at),
        }
    }

    /// Appends the next packet as a frame; nothing at the end.
    pub fn emit(&mut self, out: &mut Vec<u8>) {
        let late_first = match (self.next, self.late) {
            (Some((next, _)), Some((late, _))) => late < next,
            (next, _) => next.is_none(),
        };
        let taken = if late_first { self.late.take() } else { self.next };
        let Some((_, number)) = taken else { return };
        self.frame(number, out);
        self.count.packets += 1;
        if !late_first {
            self.after(number);
        }
    }

    /// Chooses what follows packet `number`.
    fn after(&mut self, number: u32) {
        if self.late.is_none() && self.rng.chance(self.faults.duplicate_per_mille) {
            self.late = Some((self.newest.after(Elapsed::from_millis(1)), number));
            self.count.duplicates += 1;
        }
        self.advance(number + 1);
    }

    /// Makes packet `number` the next one, or a later one if it is lost or held back.
    fn advance(&mut self, mut number: u32) {
        while number < self.packets {
            let at = self.arrival(number);
            let can_wait = self.late.is_none() && number + 1 < self.packets;
            if self.rng.chance(self.faults.loss_per_mille) {
                self.count.lost += 1;
            } else if can_wait && self.rng.chance(self.faults.reorder_per_mille) {
                // The successor comes within 20 ms plus its jitter; three more put this one behind it.
                let behind = INTERVAL.nanos() + self.faults.jitter.nanos() + 3_000_000;
                self.late = Some((at.after(Elapsed::from_nanos(behind)), number));
                self.count.reordered += 1;
            } else {
                self.next = Some((at, number));
                return;
            }
            number += 1;
        }
        self.next = None;
    }

    fn arrival(&mut self, number: u32) -> Timestamp {
        let due = self.start.after(Elapsed::from_nanos(INTERVAL.nanos() * i64::from(number)));
        // Whole microseconds, so that a file in either precision holds the same times.
        let late = self.rng.range(0, self.faults.jitter.nanos() / 1_000) * 1_000;
        let at = due.after(Elapsed::from_nanos(late));
        self.newest = self.newest.max(at);
        self.newest
    }

    fn frame(&mut self, number: u32, out: &mut Vec<u8>) {
        let mut payload = [0u8; 12 + SAMPLES as usize];
        let sequence = self.first_sequence.wrapping_add(number as u16);
        let timestamp = self.first_timestamp.wrapping_add(number.wrapping_mul(SAMPLES));
        // The marker says where talk begins (RFC 3551, section 4.1).
        let marker = if number == 0 { 0x80 } else { 0 };
        payload[..2].copy_from_slice(&[0x80, marker]);
        payload[2..4].copy_from_slice(&sequence.to_be_bytes());
        payload[4..8].copy_from_slice(&timestamp.to_be_bytes());
        payload[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        for (byte, tone) in payload[12..].iter_mut().zip(TONE.iter().cycle()) {
            *byte = *tone;
        }
        self.ip_id = self.ip_id.wrapping_add(1);
        wire::udp(&self.path, self.ip_id, &payload, out);
    }

    /// A sender report as this stream's sender would give it at `at`, with one block about the other direction.
    pub fn report(&self, at: Timestamp, about: Option<ReportBlock>) -> Vec<u8> {
        let elapsed = at.since(self.start).nanos() / 125_000;
        let timestamp = self.first_timestamp.wrapping_add(elapsed as u32);
        let mut packet = sender_report(self.ssrc, at, timestamp, self.sent_by(at), about);
        source_description(self.ssrc, &format!("phone@{}", self.path.src.ip), &mut packet);
        packet
    }

    /// What the receiver of this stream may well say of it at `at`: the loss and jitter that the network is set to.
    pub fn block(&self, at: Timestamp) -> ReportBlock {
        let sent = self.sent_by(at);
        ReportBlock {
            ssrc: self.ssrc,
            fraction: (self.faults.loss_per_mille * 256 / 1_000) as u8,
            lost: sent * self.faults.loss_per_mille / 1_000,
            highest: u32::from(self.first_sequence).wrapping_add(sent.saturating_sub(1)),
            // Evenly spread delays differ by a third of their width on average; 8 clock units are 1 ms.
            jitter: (self.faults.jitter.nanos() / 3 / 125_000) as u32,
            ..ReportBlock::default()
        }
    }

    fn sent_by(&self, at: Timestamp) -> u32 {
        let due = at.since(self.start).nanos() / INTERVAL.nanos() + 1;
        due.clamp(0, self.packets.into()) as u32
    }

    /// The path of the stream's RTCP: both ports one above RTP's.
    pub fn rtcp_path(&self) -> Path {
        let mut path = self.path.clone();
        path.src.port = path.src.port.wrapping_add(1);
        path.dst.port = path.dst.port.wrapping_add(1);
        path
    }
}

/// 400 Hz in µ-law: 20 samples are one period.
pub(super) const TONE: [u8; 20] = [
    0xFF, 0xA8, 0x9A, 0x93, 0x90, 0x8F, 0x90, 0x93, 0x9A, 0xA8, 0x7F, 0x28, 0x1A, 0x13, 0x10, 0x0F, 0x10, 0x13, 0x1A,
    0x28,
];

/// What a receiver says of a stream it gets (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// SSRC of the stream.
    pub ssrc: u32,
    /// Lost since the last report, in 1 of 256.
    pub fraction: u8,
    /// Lost since the beginning.
    pub lost: u32,
    /// Highest sequence number received, with its cycles.
    pub highest: u32,
    /// Interarrival jitter in clock units.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report that the receiver got; 0 for none.
    pub last_report: u32,
    /// How long ago it got that, in 1/65,536 s.
    pub delay_since: u32,
}

/// An RTCP sender report; `packets` of PCMU were sent so far.
pub fn sender_report(ssrc: u32, at: Timestamp, timestamp: u32, packets: u32, about: Option<ReportBlock>) -> Vec<u8> {
    let (blocks, words) = if about.is_some() { (1, 12u16) } else { (0, 6u16) };
    let mut out = vec![0x80 | blocks, 200];
    out.extend_from_slice(&words.to_be_bytes());
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&ntp(at).to_be_bytes());
    for word in [timestamp, packets, packets.wrapping_mul(SAMPLES)] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if let Some(block) = about {
        out.extend_from_slice(&block.octets());
    }
    out
}

/// An RTCP receiver report with one block.
pub(super) fn receiver_report(ssrc: u32, about: ReportBlock) -> Vec<u8> {
    let mut out = vec![0x81, 201, 0, 7];
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&about.octets());
    out
}

impl ReportBlock {
    fn octets(&self) -> [u8; 24] {
        let lost = u32::from(self.fraction) << 24 | (self.lost & 0x00FF_FFFF);
        let words = [self.ssrc, lost, self.highest, self.jitter, self.last_report, self.delay_since];
        let mut octets = [0; 24];
        for (octet, value) in octets.iter_mut().zip(words.into_iter().flat_map(u32::to_be_bytes)) {
            *octet = value;
        }
        octets
    }
}

/// Seconds since 1900 and their fraction.
pub(super) const fn ntp(at: Timestamp) -> u64 {
    let seconds = at.nanos().div_euclid(1_000_000_000) + 2_208_988_800;
    let fraction = ((at.nanos().rem_euclid(1_000_000_000) as u64) << 32) / 1_000_000_000;
    (seconds as u64) << 32 | fraction
}

/// Appends an SDES packet with a CNAME.
pub(super) fn source_description(ssrc: u32, name: &str, out: &mut Vec<u8>) {
    let name = name.as_bytes().get(..255).unwrap_or(name.as_bytes());
    let mut items = vec![1, name.len() as u8];
    items.extend_from_slice(name);
    items.push(0);
    items.resize(items.len().next_multiple_of(4), 0);
    out.extend_from_slice(&[0x81, 202]);
    out.extend_from_slice(&((1 + items.len() / 4) as u16).to_be_bytes());
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&items);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Endpoint;

    fn run(faults: RtpFaults, packets: u32) -> (RtpCount, Vec<(i64, u16)>, u16) {
        let end = |n: u8| Endpoint::new([192, 0, 2, n].into(), 4_000);
        let path = Path::new(end(1), end(2));
        let mut sender = RtpSender::new(path, Timestamp::from_nanos(0), packets, faults, Rng::new(4));
        let mut seen = Vec::new();
        while let Some(at) = sender.next_at() {
            let mut frame = Vec::new();
            sender.emit(&mut frame);
            assert_eq!(frame.len(), 214);
            seen.push((at.nanos(), u16::from_be_bytes([frame[44], frame[45]])));
        }
        (sender.count(), seen, sender.first_sequence)
    }

    #[test]
    fn a_clean_stream_is_every_packet_each_20_ms() {
        let (count, seen, first) = run(RtpFaults::default(), 500);
        assert_eq!(count, RtpCount { packets: 500, ..RtpCount::default() });
        for (n, (at, sequence)) in seen.into_iter().enumerate() {
            assert_eq!((at, sequence), (n as i64 * 20_000_000, first.wrapping_add(n as u16)));
        }
    }

    #[test]
    fn the_count_of_faults_is_what_the_packets_show() {
        let faults = RtpFaults {
            loss_per_mille: 20,
            jitter: Elapsed::from_millis(15),
            reorder_per_mille: 10,
            duplicate_per_mille: 5,
        };
        let (count, seen, first) = run(faults, 5_000);
        assert!(seen.is_sorted_by_key(|&(at, _)| at), "packets must come in order of time");
        let mut numbers: Vec<u16> = seen.iter().map(|(_, s)| s.wrapping_sub(first)).collect();
        let mut highest = None;
        let mut behind = 0;
        for &n in &numbers {
            behind += u64::from(highest.is_some_and(|h| n < h));
            highest = highest.max(Some(n));
        }
        numbers.sort_unstable();
        let all = numbers.len() as u64;
        numbers.dedup();
        let distinct = numbers.len() as u64;
        assert_eq!((all, distinct), (count.packets, 5_000 - count.lost));
        assert_eq!(all - distinct, count.duplicates);
        assert!(count.lost > 50 && count.duplicates > 10 && count.reordered > 20);
        // A packet held back shows only if a later one really came before it.
        assert!(behind <= count.reordered + count.duplicates && behind + 5 >= count.reordered);
    }

    #[test]
    fn a_report_has_the_length_it_says() {
        let block =
            ReportBlock { ssrc: 9, fraction: 25, lost: 7, highest: 1_200, jitter: 80, ..ReportBlock::default() };
        for (about, words) in [(None, 6), (Some(block), 12)] {
            let report = sender_report(1, Timestamp::from_parts(1, 0), 2, 3, about);
            assert_eq!((report.len(), report[3]), ((words + 1) * 4, words as u8));
        }
    }
}
