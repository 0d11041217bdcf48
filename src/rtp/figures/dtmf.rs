//! Telephone events (RFC 4733): keys that were pressed, each once however often it was sent.

use std::num::NonZeroU32;

use crate::limits::DTMF_EVENTS;
use crate::time::{Elapsed, Timestamp};

/// A longer event goes on as a new one, with a timestamp that is later by this (RFC 4733, 2.5.1.3).
const LONGEST_SEGMENT: u16 = u16::MAX;
/// How many of the newest events a packet may still belong to: repetitions of an end may come behind the next start.
const OPEN_EVENTS: usize = 4;

/// One event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DtmfEvent {
    /// Arrival of its first packet.
    pub at: Timestamp,
    /// RTP timestamp of its start; with the code it is the event's identity.
    pub timestamp: u32,
    /// Ticks of the RTP clock that it lasted, as far as its packets tell.
    pub ticks: u32,
    /// The clock in Hz.
    pub clock: NonZeroU32,
    /// 0 to 9 are digits, 10 is `*`, 11 is `#`, 12 to 15 are A to D; others are tones of modems and lines.
    pub code: u8,
    /// Power in dBm0, without its sign (RFC 4733, 2.3.3).
    pub volume: u8,
    /// Whether a packet with the end bit came.
    pub has_ended: bool,
}

impl DtmfEvent {
    /// The key of a telephone; `None` for other events.
    pub fn key(&self) -> Option<char> {
        "0123456789*#ABCD".chars().nth(usize::from(self.code))
    }

    /// How long it lasted.
    pub fn duration(&self) -> Elapsed {
        Elapsed::from_nanos(i64::from(self.ticks) * 1_000_000_000 / i64::from(self.clock.get()))
    }

    /// The timestamp that its next segment would have.
    const fn end(&self) -> u32 {
        self.timestamp.wrapping_add(self.ticks)
    }
}

/// The events of one stream, in order of arrival. Memory is taken only when a new event comes, and for at most
/// [`DTMF_EVENTS`] of them.
#[derive(Clone, Debug, Default)]
pub struct Dtmf {
    events: Vec<DtmfEvent>,
    unlisted: u32,
}

impl Dtmf {
    /// Takes the first four octets of an event's payload (RFC 4733, 2.3), of a packet that may be a repetition.
    pub fn packet(&mut self, at: Timestamp, timestamp: u32, clock: NonZeroU32, payload: [u8; 4]) {
        let [code, flags, d0, d1] = payload;
        let duration = u16::from_be_bytes([d0, d1]);
        let has_ended = flags & 0x80 != 0;
        let open = self.events.iter_mut().rev().take(OPEN_EVENTS).filter(|event| event.code == code);
        for event in open {
            // The first segments of a long event are full to the last tick.
            let is_full = event.ticks > 0 && event.ticks % u32::from(LONGEST_SEGMENT) == 0 && !event.has_ended;
            let into = timestamp.wrapping_sub(event.timestamp);
            let belongs = into == 0
                || (into % u32::from(LONGEST_SEGMENT) == 0 && into < event.ticks)
                || (is_full && timestamp == event.end());
            if belongs {
                event.ticks = event.ticks.max(into.saturating_add(u32::from(duration)));
                event.has_ended |= has_ended;
                return;
            }
        }
        if self.events.len() >= DTMF_EVENTS {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        let (ticks, volume) = (u32::from(duration), flags & 0x3f);
        self.events.push(DtmfEvent { at, timestamp, ticks, clock, code, volume, has_ended });
    }

    /// The events.
    pub fn events(&self) -> &[DtmfEvent] {
        &self.events
    }

    /// The keys that were pressed, as one word.
    pub fn keys(&self) -> String {
        self.events.iter().filter_map(DtmfEvent::key).collect()
    }

    /// Packets of events behind the last that is listed.
    pub const fn unlisted(&self) -> u32 {
        self.unlisted
    }

    /// Bytes on the heap.
    pub const fn memory(&self) -> usize {
        self.events.capacity() * size_of::<DtmfEvent>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: NonZeroU32 = NonZeroU32::new(8_000).unwrap();

    fn at(ms: i64) -> Timestamp {
        Timestamp::default().after(Elapsed::from_millis(ms))
    }

    fn payload(code: u8, end: bool, duration: u16) -> [u8; 4] {
        let [d0, d1] = duration.to_be_bytes();
        [code, u8::from(end) << 7 | 10, d0, d1]
    }

    #[test]
    fn an_event_counts_once_however_often_it_is_sent() {
        let mut dtmf = Dtmf::default();
        for (ms, duration, end) in
            [(0, 160, false), (0, 160, false), (20, 320, false), (40, 480, true), (41, 480, true)]
        {
            dtmf.packet(at(ms), 1_000, CLOCK, payload(5, end, duration));
        }
        // The same key again, and the last repetition of the first end behind its start.
        dtmf.packet(at(200), 2_600, CLOCK, payload(5, false, 160));
        dtmf.packet(at(201), 1_000, CLOCK, payload(5, true, 480));
        dtmf.packet(at(300), 3_400, CLOCK, payload(11, true, 160));
        dtmf.packet(at(400), 4_400, CLOCK, payload(32, true, 160));
        assert_eq!(dtmf.keys(), "55#");
        let first = dtmf.events()[0];
        assert_eq!(
            (first.at, first.duration(), first.has_ended, first.volume),
            (at(0), Elapsed::from_millis(60), true, 10)
        );
        assert!(!dtmf.events()[1].has_ended);
        assert_eq!(dtmf.events().len(), 4);
    }

    #[test]
    fn a_long_event_goes_on_in_segments() {
        let mut dtmf = Dtmf::default();
        dtmf.packet(at(0), 7, CLOCK, payload(1, false, 0xffff));
        dtmf.packet(at(8_192), 7 + 0xffff, CLOCK, payload(1, false, 800));
        dtmf.packet(at(8_292), 7 + 0xffff, CLOCK, payload(1, true, 1_600));
        assert_eq!(dtmf.keys(), "1");
        assert_eq!(dtmf.events()[0].ticks, 0xffff + 1_600);
    }

    #[test]
    fn events_without_end_are_bounded() {
        let mut dtmf = Dtmf::default();
        for number in 0..DTMF_EVENTS as u32 + 5 {
            dtmf.packet(at(0), number * 1_000, CLOCK, payload(1, true, 160));
        }
        assert_eq!((dtmf.events().len(), dtmf.unlisted()), (DTMF_EVENTS, 5));
    }
}
