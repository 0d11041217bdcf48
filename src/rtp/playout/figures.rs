//! What is asked of the buffers: figures of a stream and its windows.

use super::buffer::{Buffer, Seen};
use super::runs::{BurstGap, Loss, RUN_LENGTHS};
use super::windows::{SHORTEST_WINDOW, Window};
use super::{Anchor, BufferKind, Playout};
use crate::time::{Elapsed, Timestamp};

/// What one buffer did with a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Expected, lost and discarded packets, and runs of them.
    pub loss: Loss,
    /// How many runs had 1 to 9 packets, and at the end, more.
    pub run_lengths: [u32; RUN_LENGTHS],
    /// How often the buffer started anew: at talkspurts, jumps, restarts, and when packets came much too early or late.
    pub resyncs: u32,
    /// Its depth: what it adds to the delay of a packet at the anchor.
    pub depth: Elapsed,
    /// Bursts and gaps by RFC 3611.
    pub burst_gap: BurstGap,
}

impl Playout {
    /// What a buffer did, as of `now`: packets that may still come in time then are not expected yet. Give the newest time
    /// of the capture, so that a stream that ended has none of them.
    pub fn figures(&self, kind: BufferKind, now: Timestamp) -> Figures {
        let (buffer, seen) = self.judged(kind, now);
        let expected = buffer.judged(seen.expected);
        Figures {
            loss: buffer.tally.loss(expected),
            run_lengths: buffer.tally.lengths(),
            resyncs: buffer.resyncs,
            depth: Elapsed::from_nanos(match kind {
                BufferKind::Adaptive if self.anchor != Anchor::None => buffer.limit.saturating_sub(buffer.anchor),
                _ => buffer.depth,
            }),
            burst_gap: buffer.tally.burst_gap(expected, self.packet_time()),
        }
    }

    /// The buffer that the windows belong to.
    pub const fn feeds(&self) -> BufferKind {
        self.feeds
    }

    /// Media time of one packet; 20 ms until two audio packets in a row told it.
    pub const fn packet_time(&self) -> Elapsed {
        Elapsed::from_nanos(self.seen.packet)
    }

    /// The complete windows, oldest first: at most 64. The newest 32 stand for ten seconds each, of older ones only the
    /// worse of each pair is there. A live cell shows the last of them, and before there is one the running window.
    pub fn windows(&self) -> impl DoubleEndedIterator<Item = Window> {
        self.windows.iter()
    }

    /// The window that is not complete, as of `now`; `None` before the first packet.
    pub fn running_window(&self, now: Timestamp) -> Option<Window> {
        self.began.then(|| {
            let (buffer, seen) = self.judged(self.feeds, now);
            Window { start: self.windows.running(), loss: buffer.tally.window(buffer.judged(seen.expected)) }
        })
    }

    /// The last window of a stream that ended, if it lasted 5 s and so counts like a complete one.
    pub fn last_window(&self, now: Timestamp) -> Option<Window> {
        let newest = self.hot.media.saturating_add(self.transits.newest()).max(self.at);
        let lasted = newest.saturating_sub(self.windows.running().nanos());
        self.running_window(now).filter(|_| lasted >= SHORTEST_WINDOW.nanos())
    }

    fn judged(&self, kind: BufferKind, now: Timestamp) -> (Buffer, Seen) {
        let mut buffer = *self.buffers.get(kind);
        let seen = self.seen_now();
        buffer.judge(&seen, now.nanos());
        (buffer, seen)
    }
}
