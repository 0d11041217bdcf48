//! What shares a media port, told apart by its first octets (RFC 7983).

use super::header::RtpHeader;
use super::rtcp::looks_like_rtcp;

/// What a datagram on a media port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// RTP or SRTP.
    Rtp(RtpHeader),
    /// RTCP or SRTCP.
    Rtcp,
    /// STUN (RFC 8489, and RFC 3489 without the cookie).
    Stun,
    /// ZRTP (RFC 6189).
    Zrtp,
    /// DTLS.
    Dtls,
    /// TURN channel data (RFC 8656, 12.4).
    TurnChannel,
}

const STUN_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const STUN_HEADER: usize = 20;

/// Tells what a datagram of `wire_len` octets is. `None` when it is nothing that belongs to media.
///
/// The channels of TURN start like the capital letters of a SIP request line: ask for SIP first.
#[inline]
pub fn classify(bytes: &[u8], wire_len: usize) -> Option<Media> {
    match *bytes.first()? {
        128..=191 => rtp_or_rtcp(bytes, wire_len),
        0..=3 => is_stun(bytes, wire_len).then_some(Media::Stun),
        16..=19 => (bytes.get(4..8) == Some(b"ZRTP".as_slice())).then_some(Media::Zrtp),
        20..=63 => matches!(bytes, [_, 0xfe, 0xfc..=0xff, ..] if bytes.len() >= 13).then_some(Media::Dtls),
        64..=79 => is_turn_channel(bytes, wire_len).then_some(Media::TurnChannel),
        _ => None,
    }
}

#[inline]
fn rtp_or_rtcp(bytes: &[u8], wire_len: usize) -> Option<Media> {
    if matches!(bytes.get(1), Some(192..=223)) {
        return looks_like_rtcp(bytes, wire_len).then_some(Media::Rtcp);
    }
    RtpHeader::parse(bytes, wire_len).filter(|header| is_voice_or_video(header.payload_type)).map(Media::Rtp)
}

/// Payload types that are assigned (RFC 3551, 6) or dynamic. Those between are RTCP's or nobody's.
const fn is_voice_or_video(payload_type: u8) -> bool {
    matches!(payload_type, 0..=34 | 96..=127)
}

fn is_stun(bytes: &[u8], wire_len: usize) -> bool {
    let Some([t0, t1, l0, l1, cookie @ ..]) = bytes.first_chunk::<8>() else { return false };
    let fits = usize::from(u16::from_be_bytes([*l0, *l1])) + STUN_HEADER <= wire_len;
    let classic = matches!((t0, t1), (0 | 1, 1) | (1, 0x11));
    fits && (*cookie == STUN_COOKIE
        || (classic && usize::from(u16::from_be_bytes([*l0, *l1])) + STUN_HEADER == wire_len))
}

/// Over UDP the data may be followed by up to three octets of padding.
fn is_turn_channel(bytes: &[u8], wire_len: usize) -> bool {
    let Some([_, _, length @ ..]) = bytes.first_chunk::<4>() else { return false };
    let told = usize::from(u16::from_be_bytes(*length)) + 4;
    told > 4 && (told..told + 4).contains(&wire_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<Media> {
        classify(bytes, bytes.len())
    }

    #[test]
    fn stun_needs_its_cookie_or_its_length() {
        let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        stun.extend([9; 12]);
        assert_eq!(kind(&stun), Some(Media::Stun));
        stun[4] = 0;
        assert_eq!(kind(&stun), Some(Media::Stun), "RFC 3489");
        stun.push(0);
        assert_eq!(kind(&stun), None);
    }

    #[test]
    fn payload_types_of_nobody_are_no_rtp() {
        let rtp = |payload_type: u8| {
            let mut bytes = vec![0x80, payload_type];
            bytes.resize(172, 0);
            matches!(kind(&bytes), Some(Media::Rtp(_)))
        };
        let believed: Vec<u8> = (0..128).filter(|pt| rtp(*pt)).collect();
        let expected: Vec<u8> = (0..=34).chain(96..=127).collect();
        assert_eq!(believed, expected);
        // With the marker, 72 to 76 are the reports of RTCP.
        assert!(!rtp(200 | 0x80));
        assert!(rtp(0x80 | 96));
    }

    #[test]
    fn neighbours_on_a_media_port_are_named() {
        let mut zrtp = vec![0x10, 0, 0, 1];
        zrtp.extend(b"ZRTP\0\0\0\0");
        assert_eq!(kind(&zrtp), Some(Media::Zrtp));
        assert_eq!(kind(&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]), Some(Media::Dtls));
        assert_eq!(kind(&[0x40, 1, 0, 4, 1, 2, 3, 4]), Some(Media::TurnChannel));
        assert_eq!(kind(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"), None);
        assert_eq!(kind(b"1234"), None);
        assert_eq!(kind(&[]), None);
        assert_eq!(kind(&[200; 60]), None);
    }
}
