//! RTCP, as far as telling it from RTP on the same port needs (RFC 5761, 4).

/// Whether a datagram of `wire_len` octets starts with an RTCP packet: version 2, a packet type of the range that is
/// kept free for it, and a length that fits. What follows the first packet may be encrypted and is not looked at.
#[inline]
pub fn looks_like_rtcp(bytes: &[u8], wire_len: usize) -> bool {
    let Some([first, packet_type, length @ ..]) = bytes.first_chunk::<4>() else { return false };
    let octets = (usize::from(u16::from_be_bytes(*length)) + 1) * 4;
    // The shortest that says anything has a sender's SSRC.
    first >> 6 == 2 && matches!(packet_type, 192..=223) && (8..=wire_len).contains(&octets)
}

#[cfg(test)]
mod tests {
    use super::looks_like_rtcp;

    #[test]
    fn reports_are_rtcp_and_voice_is_not() {
        let mut report = [0; 28];
        report[..4].copy_from_slice(&[0x80, 200, 0, 6]);
        assert!(looks_like_rtcp(&report, 28));
        assert!(looks_like_rtcp(&report[..12], 28), "cut by the snap length");
        assert!(!looks_like_rtcp(&report, 24), "longer than the datagram");
        assert!(!looks_like_rtcp(&[0x80, 0, 0, 1, 0, 0, 0, 0], 8), "PCMU");
        assert!(!looks_like_rtcp(&[0x80, 0x88, 0, 1, 0, 0, 0, 0], 8), "PCMA with marker");
        assert!(!looks_like_rtcp(&[0x40, 200, 0, 1, 0, 0, 0, 0], 8), "version 1");
        assert!(!looks_like_rtcp(&[0x80, 203], 2));
    }
}
