//! What a payload type carries, as far as figures depend on it.

use std::num::NonZeroU32;

/// Clock of telephone events whose description names none (RFC 4733, 7.1.1).
const EVENT_CLOCK: NonZeroU32 = NonZeroU32::new(8_000).unwrap();
/// RFC 7587, 4.1: whatever the sampling rate is.
const OPUS_CLOCK: NonZeroU32 = NonZeroU32::new(48_000).unwrap();
/// RFC 3551, 4.5.2: an old error that is kept, G.722 samples at 16 kHz.
const G722_CLOCK: NonZeroU32 = NonZeroU32::new(8_000).unwrap();

/// What a packet's payload type carries. The caller knows it from SDP or from the static table of RFC 3551; rates are
/// those of the RTP clock, in Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Sound or picture whose clock is known.
    Media {
        /// Ticks of the RTP timestamp in a second.
        clock: NonZeroU32,
    },
    /// Named telephone events (RFC 4733).
    TelephoneEvent {
        /// Ticks of the RTP timestamp, and of an event's duration, in a second.
        clock: NonZeroU32,
    },
    /// Comfort noise (RFC 3389).
    ComfortNoise {
        /// Ticks of the RTP timestamp in a second.
        clock: NonZeroU32,
    },
    /// Something whose clock nobody told: no jitter can be computed, and none is guessed.
    Unknown,
}

impl Carries {
    /// From the encoding name and the clock rate in Hz of `a=rtpmap` or of the static table. Without a name, or without a
    /// rate where the name does not imply one, it is [`Carries::Unknown`].
    pub fn named(encoding: Option<&str>, rate: Option<u32>) -> Self {
        let Some(encoding) = encoding else { return Self::Unknown };
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        let rate = rate.and_then(NonZeroU32::new);
        match rate {
            _ if is("opus") => Self::Media { clock: OPUS_CLOCK },
            _ if is("G722") => Self::Media { clock: G722_CLOCK },
            _ if is("telephone-event") => Self::TelephoneEvent { clock: rate.unwrap_or(EVENT_CLOCK) },
            Some(clock) if is("CN") => Self::ComfortNoise { clock },
            Some(clock) => Self::Media { clock },
            None => Self::Unknown,
        }
    }

    /// The clock in Hz.
    pub const fn clock(self) -> Option<NonZeroU32> {
        match self {
            Self::Media { clock } | Self::TelephoneEvent { clock } | Self::ComfortNoise { clock } => Some(clock),
            Self::Unknown => None,
        }
    }

    /// Whether it is a telephone event.
    pub const fn is_event(self) -> bool {
        matches!(self, Self::TelephoneEvent { .. })
    }

    /// Whether it is comfort noise.
    pub const fn is_comfort_noise(self) -> bool {
        matches!(self, Self::ComfortNoise { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_imply_their_clock_and_none_is_guessed() {
        let clock = |name, rate| Carries::named(Some(name), rate).clock().map(NonZeroU32::get);
        assert_eq!(clock("PCMA", Some(8_000)), Some(8_000));
        assert_eq!(clock("L16", Some(44_100)), Some(44_100));
        assert_eq!(clock("opus", Some(16_000)), Some(48_000));
        assert_eq!(clock("g722", Some(16_000)), Some(8_000));
        assert_eq!(clock("AMR-WB", Some(0)), None);
        assert_eq!(clock("AMR-WB", None), None);
        assert_eq!(Carries::named(None, Some(8_000)), Carries::Unknown);
        assert!(Carries::named(Some("Telephone-Event"), None).is_event());
        assert!(Carries::named(Some("cn"), Some(16_000)).is_comfort_noise());
    }
}
