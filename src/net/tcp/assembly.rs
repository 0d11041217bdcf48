//! The octets of one direction, in order and each once.
//!
//! Sequence numbers are unwrapped to 64 bits around the place where the stream is, so they may wrap any number of times.
//! Of octets that come twice the first copy wins, as with most receivers. What comes early waits, within limits of octets,
//! segments and time; then the hole before it is given up and told as missing.

use std::collections::VecDeque;

use super::elsewhere::Elsewhere;
use crate::limits::{
    TCP_ACKED_GAP_MS, TCP_AGAIN_BYTES, TCP_AHEAD_BYTES, TCP_GAP_SECONDS, TCP_PICK_UP_MS, TCP_WAITING_BYTES,
    TCP_WAITING_PIECES,
};
use crate::net::pieces::uncovered;
use crate::packet::PacketId;
use crate::time::{Elapsed, Timestamp};

/// What the stream gives next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'p> {
    /// Octets, directly behind those given before.
    Octets {
        /// The octets.
        bytes: &'p [u8],
        /// The packet that brought them.
        packet: PacketId,
        /// When they and all that is before them had come: the receiver's program sees nothing earlier.
        at: Timestamp,
    },
    /// So many octets are not in the capture.
    Missing(u64),
    /// The sender ends the stream here, and all before was given.
    End,
    /// What comes next belongs to another connection between the same ports, whose beginning was not captured.
    Anew,
}

/// What a segment's octets were to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There were none.
    Nothing,
    /// Some of them were given at once.
    InOrder,
    /// They wait for what is before them.
    Early,
    /// All of them had come before.
    Again,
    /// They are not of this stream, as far as it is known.
    Elsewhere,
}

/// Octets that came early.
#[derive(Debug)]
struct Piece {
    from: u64,
    to: u64,
    /// Shorter than `to - from` when the snap length cut the packet.
    data: Box<[u8]>,
    packet: PacketId,
    at: Timestamp,
}

/// Bytes that a waiting piece takes beside its octets.
const PIECE_BYTES: usize = size_of::<Piece>();

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Assembly {
    /// The next octet in order; unknown until the stream's beginning is.
    next: Option<u64>,
    /// Where the first sequence number was; what others are unwrapped around before the beginning is known.
    near: Option<u64>,
    /// The highest octet that the receiver says it waits for, and since when.
    acked: Option<(u64, Timestamp)>,
    /// The same as it was when the receiver was first seen to have what is missing here.
    acked_gap: Option<(u64, Timestamp)>,
    /// In order, never overlapping.
    waiting: VecDeque<Piece>,
    waiting_bytes: usize,
    /// When the octets given last had come, and all before them.
    clock: Timestamp,
    /// Where the sender ends the stream, and since when it is known. Octets before it may still come.
    end: Option<(u64, Timestamp)>,
    told_end: Option<u64>,
    /// Octets that are none of this stream, or the first ones of another.
    elsewhere: Option<Elsewhere>,
}

/// Where the numbers of a stream are unwrapped to: far from zero for anything that is older.
const BASE: u64 = 1 << 40;

/// A segment's octets and where they belong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived<'p> {
    /// Sequence number of the first octet.
    pub sequence: u32,
    /// The octets at hand.
    pub bytes: &'p [u8],
    /// Octets on the wire.
    pub wire_len: usize,
    /// Which packet.
    pub packet: PacketId,
    /// When.
    pub at: Timestamp,
}

impl Assembly {
    /// The stream's first octet has this number: the one behind the SYN.
    pub fn begin_at(&mut self, sequence: u32, out: &mut dyn FnMut(Part<'_>)) {
        if self.next.is_none() {
            self.next = Some(self.place(sequence));
            self.drain(out);
        }
    }

    /// Whether the next octet in order is known.
    pub fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Where a sequence number lies on the unwrapped line.
    fn place(&mut self, sequence: u32) -> u64 {
        let near = self.next.unwrap_or(*self.near.get_or_insert(BASE | u64::from(sequence)));
        unwrapped(near, sequence)
    }

    /// How far a sequence number is ahead of the next octet in order; negative when it is behind. `None` before the
    /// beginning is known.
    pub fn ahead(&self, sequence: u32) -> Option<i32> {
        self.next.map(|next| sequence.wrapping_sub(next as u32) as i32)
    }

    /// Takes a segment's octets and gives what is in order now.
    pub(super) fn push(&mut self, arrived: &Arrived<'_>, out: &mut dyn FnMut(Part<'_>)) -> Taken {
        let from = self.place(arrived.sequence);
        let to = from + arrived.wire_len as u64;
        if self.is_elsewhere(from, to) {
            return self.look_elsewhere(arrived, out);
        }
        if arrived.wire_len == 0 {
            return Taken::Nothing;
        }
        let Some(next) = self.next else {
            self.keep(from, to, arrived);
            self.begin_if_acknowledged(out);
            return if self.has_begun() { Taken::InOrder } else { Taken::Early };
        };
        if to <= next {
            return Taken::Again;
        }
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.is_doubtful = true;
        }
        if from <= next {
            self.clock = arrived.at;
        }
        let is_alone = self.waiting.front().is_none_or(|first| to <= first.from);
        if from <= next && is_alone {
            give(arrived.bytes, (from, to), next, (arrived.packet, arrived.at), out);
            self.next = Some(to);
            self.drain(out);
            return Taken::InOrder;
        }
        let is_new = self.keep(from.max(next), to, arrived);
        self.drain(out);
        match (is_new, from <= next) {
            (false, _) => Taken::Again,
            (true, true) => Taken::InOrder,
            (true, false) => Taken::Early,
        }
    }

    /// Whether octets from this number on are too far off to be of this stream.
    pub(super) fn is_far(&self, sequence: u32, len: usize) -> bool {
        let Some(near) = self.next.or(self.near) else { return false };
        let from = unwrapped(near, sequence);
        self.is_elsewhere(from, from + len as u64)
    }

    /// Whether octets are too far off to be of this stream. A sender repeats only what was not acknowledged.
    fn is_elsewhere(&self, from: u64, to: u64) -> bool {
        let Some(next) = self.next.or(self.near) else { return false };
        let acked = self.acked.map(|(acked, _)| acked).filter(|acked| *acked + TCP_AHEAD_BYTES > next);
        to + TCP_AGAIN_BYTES < acked.map_or(next, |acked| acked.min(next)) || from > next + TCP_AHEAD_BYTES
    }

    /// Keeps a segment that is too far off. The second one there proves that the stream goes on there.
    fn look_elsewhere(&mut self, arrived: &Arrived<'_>, out: &mut dyn FnMut(Part<'_>)) -> Taken {
        if let Some(elsewhere) = self.elsewhere.as_ref().filter(|elsewhere| elsewhere.touches(arrived)) {
            if elsewhere.follows(arrived) {
                self.begin_anew(Some(arrived), out);
                return Taken::InOrder;
            }
            self.begin_anew(None, out);
            return self.push(arrived, out);
        }
        if arrived.wire_len == 0 {
            return Taken::Nothing;
        }
        self.elsewhere = Some(Elsewhere::new(arrived));
        Taken::Elsewhere
    }

    /// The stream goes on with what was kept of elsewhere, behind `first` if that stands before it.
    pub(super) fn begin_anew(&mut self, first: Option<&Arrived<'_>>, out: &mut dyn FnMut(Part<'_>)) {
        let Some(elsewhere) = self.elsewhere.take() else { return };
        self.give_all(out);
        out(Part::Anew);
        self.restart_at(first.map_or(elsewhere.sequence, |first| first.sequence));
        if let Some(first) = first {
            self.push(first, out);
        }
        self.push(&elsewhere.arrived(), out);
    }

    /// The receiver waits for the octet with this number.
    pub(super) fn acknowledged(&mut self, sequence: u32, at: Timestamp, out: &mut dyn FnMut(Part<'_>)) {
        if self.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.is_acknowledged_by(sequence)) {
            self.begin_anew(None, out);
        }
        let place = self.place(sequence);
        // No receiver has octets that cannot have been sent yet.
        let is_wrong = self.next.or(self.near).is_some_and(|near| place > near + TCP_AHEAD_BYTES);
        if is_wrong || self.acked.is_some_and(|(acked, _)| acked >= place) {
            return;
        }
        self.acked = Some((place, at));
        self.begin_if_acknowledged(out);
        self.look_at_acks();
    }

    /// The sender ends the stream before the octet with this number. Octets before it may still come.
    pub(super) fn end_at(&mut self, sequence: u32, at: Timestamp, out: &mut dyn FnMut(Part<'_>)) {
        let end = self.place(sequence);
        let (least, most) = self.next.map_or((0, u64::MAX), |next| (next, next + TCP_AHEAD_BYTES));
        if self.told_end != Some(end) && (least..=most).contains(&end) {
            self.end = Some((end, self.end.map_or(at, |(_, since)| since)));
            self.drain(out);
        }
    }

    /// Whether octets from this number on are not only ones that came before.
    pub(super) fn is_new(&self, sequence: u32, len: usize) -> bool {
        self.ahead(sequence).is_none_or(|ahead| i64::from(ahead) + len as i64 > 0)
    }

    /// Whether its sender comes to this number next: behind the octets in order, or behind all that came. A FIN takes a
    /// number too.
    pub(super) fn is_next(&self, sequence: u32, has_ended: bool) -> bool {
        let newest = self.waiting.back().map(|last| last.to).max(self.end.map(|(end, _)| end));
        let mut ends = self.next.into_iter().chain(newest);
        ends.any(|end| sequence == end as u32 || (has_ended && sequence == (end as u32).wrapping_add(1)))
    }

    /// The receiver says something. What it has of this stream may be what it answers, and stands before the answer.
    pub(super) fn answered(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        while let Some((to, (acked, _))) = self.hole_to().zip(self.acked)
            && acked >= to
        {
            self.skip(to, out);
        }
    }

    /// Notes since when the receiver has octets that are missing here.
    fn look_at_acks(&mut self) {
        let hole = self.next.filter(|_| self.hole_to().is_some());
        let is_in_it = |acked: &(u64, Timestamp)| hole.is_some_and(|from| acked.0 > from);
        self.acked_gap = self.acked_gap.filter(is_in_it).or(self.acked.filter(is_in_it));
    }

    /// Where the hole ends that what waits, or the end of the stream, stands behind.
    fn hole_to(&self) -> Option<u64> {
        let (first, end) = (self.waiting.front().map(|first| first.from), self.end.map(|(end, _)| end));
        self.next.and(first.into_iter().chain(end).min())
    }

    /// A stream that is picked up in the middle begins where the receiver has all that was before.
    fn begin_if_acknowledged(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        let first = self.waiting.front().map(|first| first.from);
        if self.next.is_none() && first.zip(self.acked).is_some_and(|(first, (acked, _))| acked >= first) {
            self.begin_with_what_waits(out);
        }
    }

    fn begin_with_what_waits(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        self.next = self.waiting.front().map(|first| first.from);
        self.drain(out);
    }

    /// Lets these octets wait, as far as none are there yet. False when all of them are.
    fn keep(&mut self, from: u64, to: u64, arrived: &Arrived<'_>) -> bool {
        let holes = uncovered(self.waiting.iter().map(|piece| (piece.from, piece.to)), from, to);
        // The octets at hand are the last ones of the segment's when its start was old.
        let origin = to - arrived.wire_len as u64;
        for (start, end) in &holes {
            let bytes = arrived.bytes;
            let first = ((start - origin) as usize).min(bytes.len());
            let last = ((end - origin) as usize).min(bytes.len());
            let data: Box<[u8]> = bytes.get(first..last).unwrap_or_default().into();
            self.waiting_bytes += data.len() + PIECE_BYTES;
            let place = self.waiting.partition_point(|piece| piece.from < *start);
            let Arrived { packet, at, .. } = *arrived;
            self.waiting.insert(place, Piece { from: *start, to: *end, data, packet, at });
        }
        !holes.is_empty()
    }

    /// Gives what waits and is in order now; when too much waits, the hole before it is given up.
    fn drain(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        while let Some(next) = self.next {
            let is_due = self.waiting.front().is_some_and(|first| first.from <= next);
            if !is_due && !self.holds_too_much() {
                break;
            }
            if !is_due {
                self.pass_over(self.waiting.front().map_or(next, |first| first.from), out);
                continue;
            }
            let Some(piece) = self.waiting.pop_front() else { break };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(piece.data.len() + PIECE_BYTES);
            self.clock = self.clock.max(piece.at);
            give(&piece.data, (piece.from, piece.to), next, (piece.packet, self.clock), out);
            self.next = Some(next.max(piece.to));
        }
        if self.next.is_none() && self.holds_too_much() {
            self.begin_with_what_waits(out);
        }
        if let Some((end, _)) = self.end.filter(|(end, _)| self.next.is_some_and(|next| next >= *end)) {
            (self.end, self.told_end) = (None, Some(end));
            out(Part::End);
        }
        self.look_at_acks();
    }

    fn holds_too_much(&self) -> bool {
        self.waiting_bytes > TCP_WAITING_BYTES || self.waiting.len() > TCP_WAITING_PIECES
    }

    /// Gives up octets that are missing, and gives what is in order then.
    fn skip(&mut self, to: u64, out: &mut dyn FnMut(Part<'_>)) {
        self.pass_over(to, out);
        self.drain(out);
    }

    fn pass_over(&mut self, to: u64, out: &mut dyn FnMut(Part<'_>)) {
        if let Some(next) = self.next.filter(|next| to > *next) {
            out(Part::Missing(to - next));
            self.next = Some(to);
        }
    }

    /// When [`Assembly::expire`] has something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        let (since, patient) = (self.since()?, self.patient_until()?);
        let acked = self.acked_gap.map(|(_, at)| at.max(since).after(Elapsed::from_millis(TCP_ACKED_GAP_MS)));
        Some(acked.map_or(patient, |acked| acked.min(patient)))
    }

    /// When the hole was seen first, or the first octets of a stream whose beginning is not known.
    fn since(&self) -> Option<Timestamp> {
        let end = self.end.filter(|_| self.has_begun()).map(|(_, at)| at);
        self.waiting.front().map(|first| first.at).or(end)
    }

    /// When it is given up, whatever the receiver says.
    fn patient_until(&self) -> Option<Timestamp> {
        let begun = Elapsed::from_secs(TCP_GAP_SECONDS);
        let patience = if self.has_begun() { begun } else { Elapsed::from_millis(TCP_PICK_UP_MS) };
        Some(self.since()?.after(patience))
    }

    /// Gives up a hole that will not be filled any more at packet time `now`.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut dyn FnMut(Part<'_>)) {
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            let Some(to) = self.hole_to() else {
                self.begin_with_what_waits(out);
                continue;
            };
            let is_over = self.patient_until().is_some_and(|at| at <= now);
            // What the receiver has not may still be sent again.
            let acked = self.acked_gap.filter(|_| !is_over).map_or(to, |(acked, _)| acked);
            self.skip(to.min(acked), out);
        }
    }

    /// Gives all that waits: nothing more will come.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        self.give_all(out);
        if self.elsewhere.take_if(|elsewhere| elsewhere.is_doubtful).is_none() {
            self.begin_anew(None, out);
        }
    }

    fn give_all(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        if self.next.is_none() {
            self.begin_with_what_waits(out);
        }
        while let Some(to) = self.hole_to() {
            self.skip(to, out);
        }
    }

    /// Forgets where the stream was: its next octet is this one.
    pub(super) fn restart_at(&mut self, sequence: u32) {
        *self = Self::default();
        self.next = Some(self.place(sequence));
    }

    /// Bytes of memory that wait.
    pub fn memory(&self) -> usize {
        self.waiting_bytes + self.elsewhere.as_ref().map_or(0, Elsewhere::memory)
    }
}

/// The place of a sequence number that is nearest to another place.
fn unwrapped(near: u64, sequence: u32) -> u64 {
    near.wrapping_add_signed(i64::from(sequence.wrapping_sub(near as u32) as i32))
}

/// Gives the octets from `next` on of those that go from `place.0` to `place.1`, and says what the snap length cut off.
fn give(bytes: &[u8], place: (u64, u64), next: u64, from_where: (PacketId, Timestamp), out: &mut dyn FnMut(Part<'_>)) {
    let ((from, to), (packet, at)) = (place, from_where);
    let old = next.saturating_sub(from);
    let bytes = bytes.get(usize::try_from(old).unwrap_or(usize::MAX)..).unwrap_or_default();
    if !bytes.is_empty() {
        out(Part::Octets { bytes, packet, at });
    }
    let cut = to.saturating_sub(from.max(next)).saturating_sub(bytes.len() as u64);
    if cut > 0 {
        out(Part::Missing(cut));
    }
}
