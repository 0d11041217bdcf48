//! RTP packets that were captured once more.

use super::queue::Sample;
use crate::event::Trace;
use crate::limits::{DUPLICATE_MS, STREAM_COPY_PACKETS};
use crate::time::{Elapsed, Timestamp};

/// How far apart a packet and its copy are.
const COPY_WITHIN: Elapsed = Elapsed::from_millis(DUPLICATE_MS);

/// The newest packets of a stream, by which those that were captured once more are recognised.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newest([Arrived; STREAM_COPY_PACKETS]);

#[derive(Clone, Copy, Debug, Default)]
struct Arrived {
    at: Timestamp,
    sequence: u16,
    trace: Trace,
}

impl Newest {
    /// Whether this is one of them once more. Else it is one of them now.
    #[inline]
    pub fn is_copy(&mut self, sample: &Sample) -> bool {
        let now = Arrived { at: sample.at, sequence: sample.sequence, trace: sample.trace };
        let Some(before) = self.0.get_mut(usize::from(now.sequence) % STREAM_COPY_PACKETS) else { return false };
        let is_copy = before.sequence == now.sequence && now.trace.is_copy_of(before.trace) && is_near(*before, now);
        if !is_copy {
            *before = now;
        }
        is_copy
    }
}

/// Sources that are merged by time may run a little backwards.
fn is_near(before: Arrived, now: Arrived) -> bool {
    let apart = now.at.since(before.at);
    apart <= COPY_WITHIN && before.at.since(now.at) <= COPY_WITHIN
}
