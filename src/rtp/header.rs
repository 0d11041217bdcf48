//! The RTP header (RFC 3550, 5.1).

/// Octets of the fixed header.
const FIXED: usize = 12;

/// An RTP header. It borrows nothing, so that it can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// Synchronisation source.
    pub ssrc: u32,
    /// RTP timestamp, in units of the payload's clock.
    pub timestamp: u32,
    /// Sequence number.
    pub sequence: u16,
    /// 0 to 127.
    pub payload_type: u8,
    /// Marker bit.
    pub marker: bool,
    /// How many contributing sources are listed.
    pub csrc_count: u8,
    /// Where the payload starts, in octets.
    pub payload_start: u16,
    /// Octets of payload on the wire, without padding.
    pub payload_len: u16,
}

impl RtpHeader {
    /// Reads the header of a datagram that had `wire_len` octets on the wire; `bytes` may be fewer when it was cut, and
    /// twelve are enough.
    ///
    /// `None` when the version is not 2, or the header, its sources and its extension do not fit into the datagram. A
    /// padding count that cannot be is ignored, since SRTP encrypts it.
    #[inline]
    pub fn parse(bytes: &[u8], wire_len: usize) -> Option<Self> {
        let [b0, b1, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3] = *bytes.first_chunk::<FIXED>()?;
        if b0 >> 6 != 2 {
            return None;
        }
        let csrc_count = b0 & 0x0f;
        let mut start = FIXED + usize::from(csrc_count) * 4;
        if b0 & 0x10 != 0 {
            start = behind_extension(bytes, start, wire_len)?;
        }
        let room = wire_len.checked_sub(start)?;
        let padding = if b0 & 0x20 != 0 { padding(bytes, wire_len, room) } else { 0 };
        Some(Self {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            sequence: u16::from_be_bytes([q0, q1]),
            payload_type: b1 & 0x7f,
            marker: b1 & 0x80 != 0,
            csrc_count,
            payload_start: u16::try_from(start).ok()?,
            payload_len: u16::try_from(room - padding).ok()?,
        })
    }

    /// The payload at hand.
    pub fn payload<'p>(&self, bytes: &'p [u8]) -> &'p [u8] {
        let behind = bytes.get(usize::from(self.payload_start)..).unwrap_or_default();
        behind.get(..usize::from(self.payload_len)).unwrap_or(behind)
    }
}

/// RFC 3550, 5.3.1. An extension whose length was cut off counts as one without content.
fn behind_extension(bytes: &[u8], at: usize, wire_len: usize) -> Option<usize> {
    let words = match bytes.get(at + 2..).and_then(|rest| rest.first_chunk::<2>()) {
        Some(length) => usize::from(u16::from_be_bytes(*length)),
        None => 0,
    };
    Some(at + 4 + words * 4).filter(|start| *start <= wire_len)
}

fn padding(bytes: &[u8], wire_len: usize, room: usize) -> usize {
    let last = bytes.last().filter(|_| bytes.len() == wire_len).copied().unwrap_or_default();
    Some(usize::from(last)).filter(|count| *count <= room).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 0x80 | 8, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn a_plain_header_is_read() {
        let bytes = packet(0x80, &[7; 160]);
        let header = RtpHeader::parse(&bytes, bytes.len()).unwrap();
        assert_eq!(
            header,
            RtpHeader {
                ssrc: 0xdead_beef,
                timestamp: 160,
                sequence: 0x1234,
                payload_type: 8,
                marker: true,
                csrc_count: 0,
                payload_start: 12,
                payload_len: 160,
            }
        );
        assert_eq!(header.payload(&bytes), &[7; 160]);
    }

    #[test]
    fn sources_extension_and_padding_are_no_payload() {
        let mut rest = vec![1; 8];
        rest.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        rest.extend([5; 20]);
        rest.extend([0, 0, 0, 4]);
        let bytes = packet(0x80 | 0x20 | 0x10 | 2, &rest);
        let header = RtpHeader::parse(&bytes, bytes.len()).unwrap();
        assert_eq!((header.payload_start, header.payload_len), (28, 20));
        assert_eq!(header.payload(&bytes), &[5; 20]);
    }

    #[test]
    fn what_does_not_fit_is_no_rtp() {
        let bytes = packet(0x80 | 5, &[0; 8]);
        assert_eq!(RtpHeader::parse(&bytes, bytes.len()), None, "five sources need twenty octets");
        let bytes = packet(0x90, &[0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(RtpHeader::parse(&bytes, bytes.len()), None, "the extension is longer than the datagram");
        let bytes = packet(0x40, &[0; 8]);
        assert_eq!(RtpHeader::parse(&bytes, bytes.len()), None, "version 1");
        assert_eq!(RtpHeader::parse(&[0x80; 11], 200), None, "eleven octets");
    }

    #[test]
    fn a_padding_count_that_cannot_be_is_ignored() {
        let bytes = packet(0xa0, &[200; 20]);
        assert_eq!(RtpHeader::parse(&bytes, bytes.len()).unwrap().payload_len, 20);
    }

    #[test]
    fn a_cut_datagram_counts_with_its_length_on_the_wire() {
        let bytes = packet(0xa0, &[200; 4]);
        assert_eq!(RtpHeader::parse(&bytes, 172).unwrap().payload_len, 160);
    }
}
