//! Which messages of a call were seen before.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::limits::CALL_FINGERPRINTS;

/// Up to so many are looked through one by one, which is faster than hashing and much leaner.
const FEW: usize = 32;

/// A fingerprint in halves, so that it takes 12 bytes with its ordinal.
#[derive(Clone, Copy, Debug)]
struct Seen {
    upper: u32,
    lower: u32,
    ordinal: u32,
}

impl Seen {
    fn new(fingerprint: u64, ordinal: u32) -> Self {
        Self { upper: (fingerprint >> 32) as u32, lower: fingerprint as u32, ordinal }
    }

    fn fingerprint(self) -> u64 {
        u64::from(self.upper) << 32 | u64::from(self.lower)
    }
}

/// The fingerprints of a call's messages. Those of a call with many are in two generations: when the younger is half the limit,
/// the older is forgotten.
#[derive(Debug, Default)]
pub struct Fingerprints {
    few: Vec<Seen>,
    many: Option<Box<Generations>>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u64, u32, RandomState>,
    old: HashMap<u64, u32, RandomState>,
}

impl Fingerprints {
    /// The ordinal of the first message with this fingerprint, if there was one; else it is remembered with `ordinal`.
    pub fn seen(&mut self, fingerprint: u64, ordinal: u32) -> Option<u32> {
        if let Some(many) = &mut self.many {
            return many.seen(fingerprint, ordinal);
        }
        if let Some(first) = self.few.iter().find(|seen| seen.fingerprint() == fingerprint) {
            return Some(first.ordinal);
        }
        if self.few.len() < FEW {
            self.few.push(Seen::new(fingerprint, ordinal));
            return None;
        }
        let young = std::mem::take(&mut self.few).into_iter().map(|seen| (seen.fingerprint(), seen.ordinal)).collect();
        self.many.insert(Box::new(Generations { young, ..Generations::default() })).seen(fingerprint, ordinal)
    }

    /// Gives back room that is not used.
    pub fn shrink(&mut self) {
        self.few.shrink_to_fit();
    }
}

impl Generations {
    fn seen(&mut self, fingerprint: u64, ordinal: u32) -> Option<u32> {
        if let Some(first) = self.young.get(&fingerprint).or_else(|| self.old.get(&fingerprint)) {
            return Some(*first);
        }
        if self.young.len() >= CALL_FINGERPRINTS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(fingerprint, ordinal);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_names_the_first_and_memory_is_bounded() {
        let mut seen = Fingerprints::default();
        assert_eq!(seen.seen(7, 0), None);
        assert_eq!(seen.seen(7, 1), Some(0));
        for i in 0..2 * FEW as u32 {
            assert_eq!(seen.seen(500 + u64::from(i), 2 + i), None);
        }
        assert_eq!((seen.seen(7, 90), seen.seen(501, 90)), (Some(0), Some(3)));
        for i in 0..10 * CALL_FINGERPRINTS as u64 {
            assert_eq!(seen.seen(1_000 + i, 9), None);
        }
        let many = seen.many.as_ref().unwrap();
        assert!(many.young.len() + many.old.len() <= CALL_FINGERPRINTS);
        assert_eq!(seen.seen(7, 5), None);
    }
}
