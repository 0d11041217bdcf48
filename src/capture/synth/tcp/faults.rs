//! What networks and captures do to the segments of a connection.
//!
//! All functions keep the list in order of time. Those that change what the receiver got also change what it
//! acknowledges, so that the capture stays one that a tap beside the receiver could have seen.

use super::{ANSWER, GAP, Segment, Side};
use crate::capture::synth::Rng;
use crate::time::{Elapsed, Timestamp};

/// The most data that one segment may hold: an IPv4 packet of 65,535 bytes less 40 of headers.
const SEGMENT_BYTES: usize = 65_495;

/// The bytes in pieces of these sizes, of which the last repeats; sizes of 0 count as 1.
pub fn cut<'b>(bytes: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    let mut sizes = sizes.iter().copied();
    let mut size = SEGMENT_BYTES;
    while !rest.is_empty() {
        size = sizes.next().unwrap_or(size).clamp(1, SEGMENT_BYTES);
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// The bytes in pieces of any sizes from 1 to `largest`.
pub fn cut_at_random<'b>(bytes: &'b [u8], largest: usize, rng: &mut Rng) -> Vec<&'b [u8]> {
    let sizes: Vec<usize> = bytes.iter().map(|_| rng.range(1, largest.max(1) as i64) as usize).collect();
    cut(bytes, &sizes)
}

/// Data of one side comes out of order: a segment may come before another that starts less than `window` bytes before
/// it. Each keeps its bytes; the times of capture stay.
pub fn reorder(segments: &mut [Segment], from: Side, window: u32, rng: &mut Rng) {
    let places = places_of_data(segments, from);
    let Some(start) = places.first().and_then(|&at| segments.get(at)).map(|first| first.header.seq) else { return };
    let mut moved: Vec<(u64, Segment)> = places
        .iter()
        .filter_map(|&at| segments.get(at))
        .map(|segment| {
            let offset = segment.header.seq.wrapping_sub(start);
            (u64::from(offset) + rng.below(window.into()), segment.clone())
        })
        .collect();
    moved.sort_by_key(|(key, _)| *key);
    for (at, (_, segment)) in places.into_iter().zip(moved) {
        if let Some(place) = segments.get_mut(at) {
            *place = Segment { at: place.at, ..segment };
        }
    }
    acknowledge(segments, from);
}

/// In `per_mille` of 1,000 cases a segment with data comes twice, byte for byte, as with two taps on one way.
pub fn duplicate(segments: &mut Vec<Segment>, per_mille: u32, rng: &mut Rng) {
    let copies: Vec<Segment> = segments
        .iter()
        .filter(|segment| !segment.data.is_empty() && rng.chance(per_mille))
        .map(|segment| Segment { at: segment.at.after(GAP), ..segment.clone() })
        .collect();
    insert(segments, copies);
}

/// In `per_mille` of 1,000 cases a side sends a segment again that had arrived, a new packet with the old bytes.
pub fn retransmit(segments: &mut Vec<Segment>, per_mille: u32, after: Elapsed, rng: &mut Rng) {
    let again: Vec<Segment> = segments
        .iter()
        .filter(|segment| !segment.data.is_empty() && rng.chance(per_mille))
        .map(|segment| Segment { at: segment.at.after(after), ip_id: again_id(segment), ..segment.clone() })
        .collect();
    insert(segments, again);
}

/// In `per_mille` of 1,000 cases a segment starts with the bytes of the one before it once more: a retransmission that
/// takes new bytes along. Those that would outgrow an IP packet stay as they are.
pub fn overlap(segments: &mut [Segment], from: Side, per_mille: u32, rng: &mut Rng) {
    let mut before: Option<Segment> = None;
    for at in places_of_data(segments, from) {
        let Some(segment) = segments.get_mut(at) else { continue };
        let plain = segment.clone();
        if let Some(before) = before.replace(plain)
            && before.end() == segment.header.seq
            && before.data.len() + segment.data.len() <= SEGMENT_BYTES
            && rng.chance(per_mille)
        {
            segment.header.seq = before.header.seq;
            segment.data.splice(0..0, before.data);
        }
    }
}

/// The capture misses data segment `nth` of a side, counted from 0, which the receiver got and acknowledged. Gives it.
pub fn miss(segments: &mut Vec<Segment>, from: Side, nth: usize) -> Option<Segment> {
    let at = places_of_data(segments, from).get(nth).copied()?;
    Some(segments.remove(at))
}

/// Data segment `nth` of a side is lost on its way to the tap and comes `after` its time, sent again. Until then the
/// receiver acknowledges what came before it.
pub fn lose(segments: &mut Vec<Segment>, from: Side, nth: usize, after: Elapsed) {
    let Some(lost) = miss(segments, from, nth) else { return };
    let at = lost.at.after(after);
    let mut again = Segment { at, ip_id: again_id(&lost), ..lost };
    // The receiver answers the repaired gap at once (RFC 9293, section 3.8.6.3).
    let answered = segments.iter().rev().find(|segment| segment.from != from && segment.at <= at);
    let answer = answered.map(|last| Segment {
        at: at.after(ANSWER),
        data: Vec::new(),
        ip_id: again_id(last),
        header: super::TcpSegment { seq: last.end(), syn: false, fin: false, ..last.header },
        ..last.clone()
    });
    if let Some(answer) = &answer {
        again.header.ack = Some(answer.header.seq);
    }
    insert(segments, answer.into_iter().chain([again]).collect());
    acknowledge(segments, from);
}

/// Makes the other side acknowledge what reached it of `from`'s data, in the order of the list.
pub fn acknowledge(segments: &mut [Segment], from: Side) {
    let first = segments.iter().position(|segment| segment.from == from && segment.header.syn);
    let oldest = |segments: &[Segment]| {
        let data = segments.iter().filter(|segment| segment.from == from && segment.end() != segment.header.seq);
        let seqs: Vec<u32> = data.map(|segment| segment.header.seq).collect();
        let any = *seqs.first()?;
        seqs.into_iter().min_by_key(|seq| seq.wrapping_sub(any).cast_signed())
    };
    let start = first.and_then(|at| segments.get(at)).map(|syn| syn.header.seq).or_else(|| oldest(segments));
    let Some(mut reached) = start else { return };
    // Pieces ahead of a gap, by start and end.
    let mut ahead: Vec<(u32, u32)> = Vec::new();
    for segment in segments {
        if segment.from == from {
            ahead.push((segment.header.seq, segment.end()));
            while let Some(at) = ahead.iter().position(|&(seq, end)| joins(reached, seq, end)) {
                reached = ahead.swap_remove(at).1;
            }
        } else if let Some(ack) = &mut segment.header.ack {
            *ack = reached;
        }
    }
}

/// Whether a piece starts at or before what was reached, and ends behind it.
const fn joins(reached: u32, seq: u32, end: u32) -> bool {
    seq.wrapping_sub(reached).cast_signed() <= 0 && end.wrapping_sub(reached).cast_signed() > 0
}

/// The identification of the packet that carries a segment again.
const fn again_id(segment: &Segment) -> u16 {
    segment.ip_id.wrapping_add(0x4000)
}

fn places_of_data(segments: &[Segment], from: Side) -> Vec<usize> {
    let with_data = |segment: &Segment| segment.from == from && !segment.data.is_empty();
    segments.iter().enumerate().filter(|(_, segment)| with_data(segment)).map(|(at, _)| at).collect()
}

/// Adds segments at their times, behind those of the same time.
fn insert(segments: &mut Vec<Segment>, more: Vec<Segment>) {
    segments.extend(more);
    let key = |segment: &Segment| -> Timestamp { segment.at };
    segments.sort_by_key(key);
}
