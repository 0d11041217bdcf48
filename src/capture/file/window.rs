//! The sliding read buffer that records are found in.

use std::io::{self, Read};

/// Bytes of a file on their way: read at the end, used up at the start.
pub(super) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    /// A window of `size` bytes, which only [`Window::refill`] enlarges.
    pub(super) fn new(size: usize) -> Self {
        Self { bytes: vec![0; size], start: 0, end: 0 }
    }

    /// What has been read and not been used up.
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Uses up `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Takes these bytes for what it held.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        if self.bytes.len() < bytes.len() {
            self.bytes.resize(bytes.len(), 0);
        }
        if let Some(place) = self.bytes.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        (self.start, self.end) = (0, bytes.len());
    }

    /// Reads once, after making room for `need` unread bytes. Gives the bytes read, 0 at the end of the source.
    pub(super) fn refill(&mut self, source: &mut dyn Read, need: usize) -> io::Result<usize> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() < need {
            self.bytes.resize(need, 0);
        }
        loop {
            match source.read(self.bytes.get_mut(self.end..).unwrap_or_default()) {
                Ok(count) => {
                    self.end = self.end.saturating_add(count).min(self.bytes.len());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_grows_only_for_what_is_needed() {
        let mut source: &[u8] = b"abcdefghij";
        let mut window = Window::new(4);
        assert_eq!(window.refill(&mut source, 1).unwrap(), 4);
        window.consume(3);
        assert_eq!(window.refill(&mut source, 1).unwrap(), 3);
        assert_eq!(window.unread(), b"defg");
        assert_eq!(window.refill(&mut source, 6).unwrap(), 2);
        assert_eq!(window.unread(), b"defghi");
        window.consume(100);
        assert_eq!(window.unread(), b"");
        assert_eq!(window.refill(&mut source, 1).unwrap(), 1);
        assert_eq!(window.refill(&mut source, 1).unwrap(), 0);
        assert_eq!(window.unread(), b"j");
        window.replace(b"klmnopqrstu");
        assert_eq!(window.unread(), b"klmnopqrstu");
    }
}
