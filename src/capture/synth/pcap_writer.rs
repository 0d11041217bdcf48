//! Classic pcap files, written as a stream.

use std::io::{self, Write};

use crate::packet::LinkType;
use crate::time::Timestamp;

/// How fine the time stamps of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Microseconds, magic A1B2C3D4; what is below is cut off.
    Micros,
    /// Nanoseconds, magic A1B23C4D.
    Nanos,
}

/// Bytes gathered before they are written: one system call per 1,000 packets of voice.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes packets of one link type; little endian.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
    precision: Precision,
    buffer: Vec<u8>,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    pub fn new(out: W, precision: Precision, link: LinkType, snap_len: u32) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 65_536);
        let magic: u32 = match precision {
            Precision::Micros => 0xA1B2_C3D4,
            Precision::Nanos => 0xA1B2_3C4D,
        };
        buffer.extend_from_slice(&magic.to_le_bytes());
        buffer.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        buffer.extend_from_slice(&snap_len.to_le_bytes());
        buffer.extend_from_slice(&link.0.to_le_bytes());
        let mut writer = Self { out, precision, buffer };
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a whole packet.
    pub fn write(&mut self, at: Timestamp, data: &[u8]) -> io::Result<()> {
        self.write_cut(at, data, data.len() as u32)
    }

    /// Adds a packet of which only `data` was kept; it was `original_len` bytes on the wire.
    pub fn write_cut(&mut self, at: Timestamp, data: &[u8], original_len: u32) -> io::Result<()> {
        let seconds = at.nanos().div_euclid(1_000_000_000) as u32;
        let nanos = at.nanos().rem_euclid(1_000_000_000) as u32;
        let fraction = match self.precision {
            Precision::Micros => nanos / 1_000,
            Precision::Nanos => nanos,
        };
        self.buffer.extend_from_slice(&seconds.to_le_bytes());
        self.buffer.extend_from_slice(&fraction.to_le_bytes());
        self.buffer.extend_from_slice(&(data.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&original_len.to_le_bytes());
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= BUFFER_BYTES { self.write_out() } else { Ok(()) }
    }

    /// Writes out what was gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.out.flush()
    }

    /// Writes the rest and gives the inner writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.out)
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_header_and_records_in_the_chosen_precision() {
        let at = Timestamp::from_parts(10, 123_456_789);
        for (precision, magic, fraction) in
            [(Precision::Micros, 0xA1B2_C3D4u32, 123_456u32), (Precision::Nanos, 0xA1B2_3C4D, 123_456_789)]
        {
            let mut writer = PcapWriter::new(Vec::new(), precision, LinkType::ETHERNET, 65_535).expect("a header");
            writer.write(at, b"abc").expect("a packet");
            writer.write_cut(at, b"abc", 9).expect("a packet");
            let file = writer.finish().expect("all written");
            let word = |n: usize| u32::from_le_bytes(file[n..n + 4].try_into().expect("four bytes"));
            assert_eq!((word(0), word(16), word(20)), (magic, 65_535, 1));
            assert_eq!((word(24), word(28), word(32), word(36)), (10, fraction, 3, 3));
            assert_eq!((word(24 + 19 + 8), word(24 + 19 + 12)), (3, 9));
            assert_eq!(file.len(), 24 + 2 * 19);
        }
    }
}
