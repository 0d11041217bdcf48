//! One simulated buffer: when it plays, and what it has decided about the newest packets.

use super::runs::{Miss, Tally};
use crate::limits::PLAYOUT_REORDER;

/// Packets whose transit is too far from the anchor's in a row, of which the last makes the buffer start anew.
const STRIKES: u8 = 3;

/// What all buffers know about the newest packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Bit n: the packet n behind the highest was not seen.
    pub missing: u128,
    /// Expected packets up to the highest.
    pub expected: u64,
    /// Media time in ns of the newest audio packet.
    pub media: i64,
    /// How many packets the highest is ahead of that one.
    pub ahead: i64,
    /// Media time between two packets in ns.
    pub packet: i64,
}

impl Seen {
    /// Media time of the packet `back` behind the highest, taken from that of the newest.
    const fn media_of(&self, back: u32) -> i64 {
        let packets = (back as i64).saturating_sub(self.ahead);
        self.media.saturating_sub(packets.saturating_mul(self.packet))
    }
}

/// All times are transit times in ns: a packet of transit t that is to be played `depth` after the anchor is late when
/// t > anchor + depth.
///
/// Its fields stand in this order so that where nothing is missing one cache line is touched.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Buffer {
    /// Bit n: the packet n behind the highest came late. Only for open ones.
    late: u128,
    /// Target depth.
    pub depth: i64,
    /// How far a transit may be from the anchor's.
    pub resync: i64,
    /// Transit of the packet that began it; for the adaptive buffer, the lowest lately.
    pub anchor: i64,
    /// The largest transit that is in time: anchor + depth, except while the adaptive buffer is moving there.
    pub limit: i64,
    pub resyncs: u32,
    /// Newest packets that are not judged, because one of them may still come in time.
    open: u32,
    pub strikes: u8,
    /// Whether the last judged packet was missing.
    in_run: bool,
    pub tally: Tally,
}

impl Buffer {
    /// A buffer that is not anchored.
    pub fn new(depth: i64, resync: i64) -> Self {
        Self {
            depth,
            resync,
            anchor: 0,
            limit: i64::MAX,
            strikes: 0,
            resyncs: 0,
            open: 0,
            late: 0,
            in_run: false,
            tally: Tally::default(),
        }
    }

    /// Whether a packet in order and in time changes nothing here.
    pub const fn is_calm(&self) -> bool {
        self.open == 0 && self.strikes == 0 && !self.in_run
    }

    /// The transits that are in time and near the anchor.
    pub fn plain(&self) -> (i64, i64) {
        (self.anchor.saturating_sub(self.resync), self.limit.min(self.anchor.saturating_add(self.resync)))
    }

    /// Plays from now on `depth` behind this transit.
    pub const fn anchor(&mut self, transit: i64) {
        self.anchor = transit;
        self.limit = transit.saturating_add(self.depth);
        self.strikes = 0;
    }

    /// Whether this is the third packet in a row that is too far from the anchor.
    pub const fn strikes_out(&mut self, transit: i64) -> bool {
        let distance = transit.saturating_sub(self.anchor).saturating_abs();
        self.strikes = if distance > self.resync { self.strikes + 1 } else { 0 };
        self.strikes >= STRIKES
    }

    /// The highest sequence number moves ahead. `seen` is what was known before.
    pub fn advance(&mut self, by: u32, seen: &Seen) {
        let kept = by.min(PLAYOUT_REORDER);
        while self.open + kept > PLAYOUT_REORDER {
            self.judge_oldest(seen);
        }
        if by > kept {
            self.miss(seen.expected, (by - kept).into(), Miss::Lost);
        }
        self.open += kept;
        self.late = self.late.checked_shl(by).unwrap_or(0);
    }

    /// A packet `back` behind the highest was seen for the first time; `late` says whether it came too late.
    pub fn arrive(&mut self, back: u32, late: bool) {
        if back >= self.open {
            self.tally.arrived_late();
        } else if late {
            self.late |= 1 << back;
        }
    }

    /// Judges the packets that are no longer open at the time `now` in ns.
    pub fn judge(&mut self, seen: &Seen, now: i64) {
        while self.open > 0 {
            let back = self.open - 1;
            let awaited = seen.missing >> back & 1 == 1;
            if awaited && now.saturating_sub(seen.media_of(back)) <= self.limit {
                return;
            }
            self.judge_oldest(seen);
        }
    }

    /// Judges all packets, as at the end of a stream.
    pub fn judge_all(&mut self, seen: &Seen) {
        while self.open > 0 {
            self.judge_oldest(seen);
        }
    }

    /// Packets of the expected ones that are judged.
    pub fn judged(&self, expected: u64) -> u64 {
        expected.saturating_sub(self.open.into())
    }

    fn judge_oldest(&mut self, seen: &Seen) {
        let position = self.judged(seen.expected);
        self.open -= 1;
        let bit = 1 << self.open;
        if seen.missing & bit != 0 {
            self.miss(position, 1, Miss::Lost);
        } else if self.late & bit != 0 {
            self.late &= !bit;
            self.miss(position, 1, Miss::Discarded);
        } else if self.in_run {
            self.in_run = false;
            self.tally.play();
        }
    }

    fn miss(&mut self, position: u64, count: u64, why: Miss) {
        self.in_run = true;
        self.tally.miss(position, count, why);
    }
}
