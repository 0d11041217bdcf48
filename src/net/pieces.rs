//! What is missing between pieces that have come already; the same question for IP fragments and TCP segments.

use smallvec::SmallVec;

/// The parts of `from..to` that no piece covers. `pieces` are `(from, to)`, in order and never overlapping.
pub(super) fn uncovered(pieces: impl Iterator<Item = (u64, u64)>, from: u64, to: u64) -> SmallVec<[(u64, u64); 4]> {
    let mut missing = SmallVec::new();
    let mut at = from;
    for (start, end) in pieces.skip_while(|(_, end)| *end <= from).take_while(|(start, _)| *start < to) {
        if at < start {
            missing.push((at, start));
        }
        at = at.max(end);
    }
    if at < to {
        missing.push((at, to));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_no_piece_covers() {
        let pieces = [(10, 20), (20, 25), (40, 50)];
        let holes = |from, to| uncovered(pieces.into_iter(), from, to).to_vec();
        assert_eq!(holes(0, 60), [(0, 10), (25, 40), (50, 60)]);
        assert_eq!(holes(12, 22), []);
        assert_eq!(holes(22, 45), [(25, 40)]);
        assert_eq!(holes(30, 35), [(30, 35)]);
        assert_eq!(holes(50, 51), [(50, 51)]);
        assert_eq!(holes(5, 5), []);
    }
}
