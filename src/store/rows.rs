//! Rows in chunks of `Arc`: cheap to share as a whole, cheap to change one by one.

use std::collections::VecDeque;
use std::sync::Arc;

const CHUNK: usize = 1024;

#[derive(Debug)]
struct Chunk<T> {
    rows: Vec<Option<Arc<T>>>,
    present: usize,
}

impl<T> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone(), present: self.present }
    }
}

/// Rows by ordinal, in order of appearance. Cloning shares all chunks; a change copies the chunk only if a clone still holds it.
#[derive(Debug)]
pub struct Rows<T> {
    chunks: VecDeque<Option<Arc<Chunk<T>>>>,
    first_chunk: u64,
    next: u64,
    len: usize,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), first_chunk: self.first_chunk, next: self.next, len: self.len }
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), first_chunk: 0, next: 0, len: 0 }
    }
}

impl<T> Rows<T> {
    /// The ordinal that the next row will have.
    pub fn next_ordinal(&self) -> u64 {
        self.next
    }

    /// Rows present.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a row at [`Rows::next_ordinal`].
    pub fn push(&mut self, row: T) -> u64 {
        let ordinal = self.next;
        if ordinal.is_multiple_of(CHUNK as u64) || self.chunks.is_empty() {
            let chunk = Chunk { rows: Vec::with_capacity(CHUNK), present: 0 };
            self.chunks.push_back(Some(Arc::new(chunk)));
        }
        if let Some(Some(chunk)) = self.chunks.back_mut() {
            let chunk = Arc::make_mut(chunk);
            chunk.rows.push(Some(Arc::new(row)));
            chunk.present += 1;
        }
        self.next += 1;
        self.len += 1;
        ordinal
    }

    fn place(&self, ordinal: u64) -> Option<(usize, usize)> {
        let chunk = (ordinal / CHUNK as u64).checked_sub(self.first_chunk)?;
        Some((usize::try_from(chunk).ok()?, (ordinal % CHUNK as u64) as usize))
    }

    /// The row with this ordinal.
    pub fn get(&self, ordinal: u64) -> Option<&Arc<T>> {
        let (chunk, at) = self.place(ordinal)?;
        self.chunks.get(chunk)?.as_ref()?.rows.get(at)?.as_ref()
    }

    /// Takes a row out.
    pub fn remove(&mut self, ordinal: u64) -> Option<Arc<T>> {
        let (chunk_at, at) = self.place(ordinal)?;
        let newest = chunk_at + 1 == self.chunks.len();
        let slot = self.chunks.get_mut(chunk_at)?;
        let chunk = Arc::make_mut(slot.as_mut()?);
        let row = chunk.rows.get_mut(at)?.take()?;
        chunk.present -= 1;
        if chunk.present == 0 && !newest {
            *slot = None;
        }
        self.len -= 1;
        // The newest chunk may have been emptied while it was the newest.
        let is_empty = |chunk: &Option<Arc<Chunk<T>>>| chunk.as_ref().is_none_or(|chunk| chunk.present == 0);
        while self.chunks.len() > 1 && self.chunks.front().is_some_and(is_empty) {
            self.chunks.pop_front();
            self.first_chunk += 1;
        }
        Some(row)
    }

    /// The rows, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.chunks.iter().flatten().flat_map(|chunk| chunk.rows.iter().flatten())
    }
}

impl<T: Clone> Rows<T> {
    /// The row with this ordinal, to be changed. Copies it if a snapshot still holds it.
    pub fn get_mut(&mut self, ordinal: u64) -> Option<&mut T> {
        let (chunk, at) = self.place(ordinal)?;
        let chunk = Arc::make_mut(self.chunks.get_mut(chunk)?.as_mut()?);
        Some(Arc::make_mut(chunk.rows.get_mut(at)?.as_mut()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut rows = Rows::default();
        for i in 0..3_000 {
            assert_eq!(rows.push(i), i);
        }
        let before = rows.clone();
        *rows.get_mut(1_500).unwrap() = 7;
        rows.remove(0);
        assert_eq!((before.get(1_500).map(|r| **r), before.len()), (Some(1_500), 3_000));
        assert_eq!((rows.get(1_500).map(|r| **r), rows.get(0), rows.len()), (Some(7), None, 2_999));
    }

    #[test]
    fn a_chunk_emptied_while_it_was_the_newest_goes_with_the_next() {
        let mut rows = Rows::default();
        for i in 0..2 * CHUNK as u64 {
            rows.push(i);
            if i > 0 {
                rows.remove(i - 1);
            }
        }
        rows.remove(2 * CHUNK as u64 - 1);
        rows.push(0);
        rows.push(0);
        rows.remove(2 * CHUNK as u64);
        assert_eq!(rows.chunks.len(), 1);
        assert_eq!(rows.get(2 * CHUNK as u64 + 1).map(|r| **r), Some(0));
    }

    #[test]
    fn emptied_chunks_are_given_back() {
        let mut rows = Rows::default();
        for i in 0..10 * CHUNK as u64 {
            rows.push(i);
        }
        for i in 0..9 * CHUNK as u64 {
            assert_eq!(rows.remove(i).map(|r| *r), Some(i));
        }
        assert_eq!(rows.chunks.len(), 1);
        assert_eq!(rows.iter().count(), CHUNK);
        assert_eq!(rows.get(9 * CHUNK as u64).map(|r| **r), Some(9 * CHUNK as u64));
        assert_eq!(rows.push(5), 10 * CHUNK as u64);
    }
}
