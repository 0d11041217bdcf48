//! Flows that look like RTP and have to prove it, unless SDP announced them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::StreamId;
use super::copies::Newest;
use crate::event::RtpSample;
use crate::limits::{STREAM_CANDIDATES, STREAM_PROOF_PACKETS};

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    /// Its packets since a row of consistent ones began.
    pub run: SmallVec<[RtpSample; STREAM_PROOF_PACKETS as usize]>,
    /// How many of them are no repetitions.
    distinct: u32,
    pub newest: Newest,
}

/// What a packet made of its candidate.
pub(super) enum Seen {
    /// It was captured before.
    Copy,
    /// It proves too little yet.
    Unproved,
    /// It is a stream now; its packets are to be counted.
    Proved(Box<Candidate>),
}

/// All of them, at most [`STREAM_CANDIDATES`]: the half that was not seen for longest leaves when there is no more room.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    young: HashMap<StreamId, Candidate, RandomState>,
    old: HashMap<StreamId, Candidate, RandomState>,
}

impl Candidates {
    /// Takes a packet. One of a flow that was announced proves itself.
    pub fn take(&mut self, id: StreamId, sample: &RtpSample, is_announced: bool) -> Seen {
        if !self.young.contains_key(&id) {
            if self.young.len() >= STREAM_CANDIDATES / 2 {
                self.old = std::mem::take(&mut self.young);
            }
            if let Some(candidate) = self.old.remove(&id) {
                self.young.insert(id, candidate);
            }
        }
        let candidate = self.young.entry(id).or_default();
        if candidate.newest.is_copy(&sample.into()) {
            return Seen::Copy;
        }
        candidate.push(sample);
        if !is_announced && candidate.distinct < STREAM_PROOF_PACKETS {
            return Seen::Unproved;
        }
        self.young.remove(&id).map_or(Seen::Unproved, |candidate| Seen::Proved(Box::new(candidate)))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

impl Candidate {
    /// A run is packets of one payload type whose sequence numbers step by 1 to 16, or repeat.
    fn push(&mut self, sample: &RtpSample) {
        let last = self.run.last().filter(|last| last.payload_type == sample.payload_type);
        match last.map(|last| sample.sequence.wrapping_sub(last.sequence)) {
            // A sender that sends everything twice proves nothing by the second time.
            Some(0) if self.run.len() >= 2 * STREAM_PROOF_PACKETS as usize => return,
            Some(0) => {}
            Some(1..=16) => self.distinct += 1,
            _ => {
                self.run.clear();
                self.distinct = 1;
            }
        }
        self.run.push(*sample);
    }
}
