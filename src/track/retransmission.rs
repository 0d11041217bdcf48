//! Which messages of a call were seen before.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::limits::CALL_FINGERPRINTS;

/// The fingerprints of a call's messages, in two generations: when the younger is half the limit, the older is forgotten.
#[derive(Debug, Default)]
pub struct Fingerprints {
    young: HashMap<u64, u32, RandomState>,
    old: HashMap<u64, u32, RandomState>,
}

impl Fingerprints {
    /// The ordinal of the first message with this fingerprint, if there was one; else it is remembered with `ordinal`.
    pub fn seen(&mut self, fingerprint: u64, ordinal: u32) -> Option<u32> {
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
        for i in 0..10 * CALL_FINGERPRINTS as u64 {
            assert_eq!(seen.seen(1_000 + i, 9), None);
        }
        assert!(seen.young.len() + seen.old.len() <= CALL_FINGERPRINTS);
        assert_eq!(seen.seen(7, 5), None);
    }
}
