//! The payload types of one stream: what each carries, and how many packets had it.

use super::carries::Carries;
use crate::limits::STREAM_PAYLOAD_TYPES;

/// No payload type has this number.
const FREE: u8 = u8::MAX;

/// Finds what a payload type carries without asking SDP for every packet.
#[derive(Clone, Copy, Debug)]
pub struct PayloadTypes {
    numbers: [u8; STREAM_PAYLOAD_TYPES],
    carried: [Carries; STREAM_PAYLOAD_TYPES],
    packets: [u32; STREAM_PAYLOAD_TYPES],
}

impl Default for PayloadTypes {
    fn default() -> Self {
        Self {
            numbers: [FREE; STREAM_PAYLOAD_TYPES],
            carried: [Carries::Unknown; STREAM_PAYLOAD_TYPES],
            packets: [0; STREAM_PAYLOAD_TYPES],
        }
    }
}

impl PayloadTypes {
    /// Counts a packet: what its payload type carries, or `None` when it is not known yet and [`PayloadTypes::learn`] is to
    /// be told.
    #[inline]
    pub fn count(&mut self, payload_type: u8) -> Option<Carries> {
        let slot = self.numbers.iter().position(|number| *number == payload_type)?;
        let packets = self.packets.get_mut(slot)?;
        *packets = packets.saturating_add(1);
        self.carried.get(slot).copied()
    }

    /// Says what a payload type carries; also when that changed. One that finds no room stays unknown.
    pub fn learn(&mut self, payload_type: u8, carries: Carries) {
        let known = self.numbers.iter().position(|number| *number == payload_type);
        let Some(slot) = known.or_else(|| self.numbers.iter().position(|number| *number == FREE)) else { return };
        if let (Some(number), Some(carried)) = (self.numbers.get_mut(slot), self.carried.get_mut(slot)) {
            *number = payload_type;
            *carried = carries;
        }
    }

    /// Payload types, what they carry, and packets, in order of appearance.
    pub fn list(&self) -> impl Iterator<Item = (u8, Carries, u32)> + '_ {
        let slots = self.numbers.iter().zip(&self.carried).zip(&self.packets);
        slots
            .filter(|((number, _), _)| **number != FREE)
            .map(|((number, carried), packets)| (*number, *carried, *packets))
    }

    /// The media payload type with most packets, the first of equals; if there is none, that of any kind.
    pub fn main(&self) -> Option<u8> {
        let rank = |carries: Carries, packets: u32| (!carries.is_event() && !carries.is_comfort_noise(), packets);
        let mut best: Option<(u8, (bool, u32))> = None;
        for (number, carries, packets) in self.list() {
            let rank = rank(carries, packets);
            if best.is_none_or(|(_, before)| rank > before) {
                best = Some((number, rank));
            }
        }
        best.map(|(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learnt_type_is_counted_and_more_than_fit_are_not() {
        let mut types = PayloadTypes::default();
        assert_eq!(types.count(101), None);
        let event = Carries::named(Some("telephone-event"), Some(8_000));
        types.learn(101, event);
        for _ in 0..5 {
            assert_eq!(types.count(101), Some(event));
        }
        let voice = Carries::named(Some("PCMU"), Some(8_000));
        types.learn(0, Carries::Unknown);
        types.learn(0, voice);
        assert_eq!(types.count(0), Some(voice));
        assert_eq!(types.main(), Some(0), "voice, though there are more events");
        assert_eq!(types.list().collect::<Vec<_>>(), [(101, event, 5), (0, voice, 1)]);
        for number in 1..100 {
            types.learn(number, voice);
        }
        assert_eq!(types.list().count(), STREAM_PAYLOAD_TYPES);
        assert_eq!(types.count(99), None);
    }
}
