//! The bit rate that a payload was coded with, for codecs whose quality depends on it.

/// Bits of a speech frame of AMR by frame type (3GPP TS 26.101), its bit rate beside it.
const AMR: [(u16, u32); 8] =
    [(95, 4_750), (103, 5_150), (118, 5_900), (134, 6_700), (148, 7_400), (159, 7_950), (204, 10_200), (244, 12_200)];
/// Bits of a silence descriptor of AMR, frame type 8.
const AMR_SID: (usize, u16) = (8, 39);
/// Bits of a speech frame of AMR-WB by frame type (3GPP TS 26.201), its bit rate beside it.
const AMR_WB: [(u16, u32); 9] = [
    (132, 6_600),
    (177, 8_850),
    (253, 12_650),
    (285, 14_250),
    (317, 15_850),
    (365, 18_250),
    (397, 19_850),
    (461, 23_050),
    (477, 23_850),
];
/// Bits of a silence descriptor of AMR-WB, frame type 9.
const AMR_WB_SID: (usize, u16) = (9, 40);
/// Frame types without bits: speech lost (AMR-WB only) and no data.
const EMPTY: [usize; 2] = [14, 15];
/// Frames of one packet that are looked at: 12 of 20 ms are the most that is seen.
const FRAMES: usize = 32;
/// Octets of an EVS primary frame in the compact format (3GPP TS 26.445, A.2.1), its bit rate beside it; those rates only
/// for which a row exists.
const EVS: [(usize, u32); 6] = [(24, 9_600), (33, 13_200), (41, 16_400), (61, 24_400), (80, 32_000), (120, 48_000)];

/// The bit rate in bits/s that a payload of `wire_len` octets tells, whose first octets are `payload`. Eight are enough
/// for one frame a packet.
///
/// `None` for codecs that do not tell it, for silence, and for a payload that is encrypted or does not fit its length: AMR
/// and AMR-WB must have exactly the octets that their table of contents announces (RFC 4867, 4.3 and 4.4).
pub fn bit_rate(codec: &str, fmtp: Option<&str>, payload: &[u8], wire_len: usize) -> Option<u32> {
    let is = |name: &str| codec.eq_ignore_ascii_case(name);
    if is("AMR") {
        amr(&AMR, AMR_SID, fmtp, payload, wire_len)
    } else if is("AMR-WB") {
        amr(&AMR_WB, AMR_WB_SID, fmtp, payload, wire_len)
    } else if is("G723") {
        g723(payload, wire_len)
    } else if is("EVS") {
        EVS.iter().find(|(octets, _)| *octets == wire_len).map(|(_, rate)| *rate)
    } else {
        None
    }
}

/// The value of a parameter in an `a=fmtp` line; names and values without regard to case are the caller's.
pub(super) fn parameter<'a>(fmtp: Option<&'a str>, name: &str) -> Option<&'a str> {
    fmtp?.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn amr(
    speech: &[(u16, u32)],
    (sid_type, sid_bits): (usize, u16),
    fmtp: Option<&str>,
    payload: &[u8],
    wire_len: usize,
) -> Option<u32> {
    let bits_of = |frame_type: usize| match frame_type {
        frame_type if frame_type == sid_type => Some(sid_bits),
        frame_type if EMPTY.contains(&frame_type) => Some(0),
        frame_type => speech.get(frame_type).map(|frame| frame.0),
    };
    let rate_of = |frame_type: usize| speech.get(frame_type).map(|frame| frame.1);
    let is_set = |name| parameter(fmtp, name).is_some_and(|value| value != "0");
    if parameter(fmtp, "crc").is_some_and(|value| value == "1") {
        return None;
    }
    let interleaved = parameter(fmtp, "interleaving").is_some();
    if is_set("octet-align") || is_set("robust-sorting") || interleaved {
        let head = 1 + usize::from(interleaved);
        let (types, octets) = contents(|entry| payload.get(head + entry).copied(), bits_of, |bits| bits.div_ceil(8))?;
        return types.checked(head + types.count + octets == wire_len, rate_of);
    }
    // Four bits of mode request, then six for each frame: F, four of frame type, Q.
    let entry_at = |entry: usize| {
        let first = 4 + entry * 6;
        let high = payload.get(first / 8).copied().map(u16::from)? << 8;
        let low = payload.get(first / 8 + 1).copied().map_or(0, u16::from);
        Some(((high | low) << (first % 8) >> 8) as u8)
    };
    let (types, bits) = contents(entry_at, bits_of, |bits| bits)?;
    types.checked((4 + types.count * 6 + bits).div_ceil(8) == wire_len, rate_of)
}

/// What a table of contents lists.
struct Contents {
    count: usize,
    /// The first frame type that is speech.
    speech: Option<usize>,
}

impl Contents {
    fn checked(&self, fits: bool, rate_of: impl Fn(usize) -> Option<u32>) -> Option<u32> {
        self.speech.filter(|_| fits).and_then(rate_of)
    }
}

/// Reads entries whose first bit tells whether another follows, and adds up what their frames take.
fn contents(
    entry: impl Fn(usize) -> Option<u8>,
    bits_of: impl Fn(usize) -> Option<u16>,
    size: impl Fn(usize) -> usize,
) -> Option<(Contents, usize)> {
    let mut found = Contents { count: 0, speech: None };
    let mut sum = 0;
    loop {
        let octet = entry(found.count)?;
        let frame_type = usize::from(octet >> 3 & 0x0f);
        let bits = usize::from(bits_of(frame_type)?);
        sum += size(bits);
        found.count += 1;
        // Silence has no more than 40 bits, speech no fewer than 95.
        if bits > 40 {
            found.speech.get_or_insert(frame_type);
        }
        if octet & 0x80 == 0 {
            return Some((found, sum));
        }
        if found.count >= FRAMES {
            return None;
        }
    }
}

/// The two lowest bits of each frame tell its kind (RFC 3551, 4.5.3). All frames of a packet must fit.
fn g723(payload: &[u8], wire_len: usize) -> Option<u32> {
    match payload.first()? & 3 {
        0 if wire_len >= 24 => Some(6_300),
        1 if wire_len >= 20 => Some(5_300),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload of AMR in the bandwidth-efficient format: no mode request, these frame types, and zeros.
    fn efficient(frames: &[(u8, usize)]) -> Vec<u8> {
        let mut bits = vec![1, 1, 1, 1];
        for (number, (frame_type, _)) in frames.iter().enumerate() {
            bits.push(u8::from(number + 1 < frames.len()));
            bits.extend([3, 2, 1, 0].map(|place| frame_type >> place & 1));
            bits.push(1);
        }
        bits.extend(vec![0; frames.iter().map(|frame| frame.1).sum()]);
        bits.chunks(8)
            .map(|octet| octet.iter().enumerate().fold(0, |sum, (place, bit)| sum | bit << (7 - place)))
            .collect()
    }

    fn rate(codec: &str, fmtp: &str, payload: &[u8]) -> Option<u32> {
        bit_rate(codec, Some(fmtp), payload, payload.len())
    }

    #[test]
    fn amr_tells_its_mode_in_both_formats() {
        for (frame_type, (bits, bit_rate)) in AMR.iter().enumerate() {
            let payload = efficient(&[(frame_type as u8, usize::from(*bits))]);
            assert_eq!(rate("AMR", "mode-set=0,2,7", &payload), Some(*bit_rate));
            let mut aligned = vec![0xf0, (frame_type as u8) << 3 | 4];
            aligned.resize(2 + usize::from(*bits).div_ceil(8), 0);
            assert_eq!(rate("amr", "octet-align=1; mode-change-period=2", &aligned), Some(*bit_rate));
            if frame_type == 7 {
                assert_eq!(rate("AMR", "octet-align=0", &aligned), None, "the other format does not fit");
            }
        }
        // 4 + 6 + 244 bits and 2 of padding, as the telephone network sends it.
        assert_eq!(efficient(&[(7, 244)]).len(), 32);
        for (frame_type, (bits, bit_rate)) in AMR_WB.iter().enumerate() {
            let payload = efficient(&[(frame_type as u8, usize::from(*bits))]);
            assert_eq!(rate("AMR-WB", "", &payload), Some(*bit_rate));
        }
    }

    #[test]
    fn several_frames_are_read_up_to_the_first_speech() {
        assert_eq!(rate("AMR-WB", "", &efficient(&[(15, 0), (9, 40), (2, 253), (2, 253)])), Some(12_650));
        assert_eq!(rate("AMR-WB", "", &efficient(&[(9, 40)])), None, "silence");
        assert_eq!(rate("AMR", "", &efficient(&[(8, 39), (15, 0)])), None);
        let mut interleaved = vec![0xf0, 0x00, 0x80 | 7 << 3, 8 << 3];
        interleaved.resize(4 + 31 + 5, 0);
        assert_eq!(rate("AMR", "interleaving=4", &interleaved), Some(12_200));
    }

    #[test]
    fn what_is_encrypted_or_cut_has_no_mode() {
        let payload = efficient(&[(7, 244)]);
        assert_eq!(bit_rate("AMR", None, &payload, payload.len() + 10), None, "the tag of SRTP");
        assert_eq!(bit_rate("AMR", None, &payload[..2], payload.len()), Some(12_200), "a snap length");
        assert_eq!(bit_rate("AMR", None, &[], 32), None);
        assert_eq!(bit_rate("AMR", Some("octet-align=1"), &[0xf0], 32), None);
        assert_eq!(rate("AMR", "octet-align=1;crc=1", &payload), None);
        assert_eq!(bit_rate("AMR", None, &[0xff; 64], 64), None);
        assert_eq!(bit_rate("opus", None, &payload, 32), None);
    }

    #[test]
    fn g723_and_evs_tell_theirs() {
        assert_eq!(rate("G723", "", &[0; 24]), Some(6_300));
        assert_eq!(rate("G723", "", &[1; 20]), Some(5_300));
        assert_eq!(rate("G723", "", &[2; 4]), None);
        for octets in 0..200 {
            let expected =
                [9_600, 13_200, 16_400, 24_400, 32_000, 48_000].into_iter().find(|rate| rate / 50 == octets * 8);
            assert_eq!(bit_rate("EVS", None, &[], octets as usize), expected, "{octets}: 50 frames a second");
        }
    }

    #[test]
    fn parameters_are_found_without_regard_to_case_and_blanks() {
        let fmtp = Some("mode-set=0,2; Octet-Align = 1;crc");
        assert_eq!(parameter(fmtp, "octet-align"), Some("1"));
        assert_eq!((parameter(fmtp, "crc"), parameter(None, "crc")), (None, None));
    }
}
