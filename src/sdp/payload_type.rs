//! Payload types that need no `a=rtpmap` (RFC 3551, table 4 and 5).

/// Name and clock rate in Hz of a static payload type.
pub const fn static_payload_type(payload_type: u8) -> Option<(&'static str, u32)> {
    Some(match payload_type {
        0 => ("PCMU", 8_000),
        3 => ("GSM", 8_000),
        4 => ("G723", 8_000),
        5 => ("DVI4", 8_000),
        6 => ("DVI4", 16_000),
        7 => ("LPC", 8_000),
        8 => ("PCMA", 8_000),
        // G.722 samples at 16 kHz, but its RTP clock is 8 kHz (RFC 3551, 4.5.2).
        9 => ("G722", 8_000),
        10 | 11 => ("L16", 44_100),
        12 => ("QCELP", 8_000),
        13 => ("CN", 8_000),
        14 => ("MPA", 90_000),
        15 => ("G728", 8_000),
        16 => ("DVI4", 11_025),
        17 => ("DVI4", 22_050),
        18 => ("G729", 8_000),
        25 => ("CelB", 90_000),
        26 => ("JPEG", 90_000),
        28 => ("nv", 90_000),
        31 => ("H261", 90_000),
        32 => ("MPV", 90_000),
        33 => ("MP2T", 90_000),
        34 => ("H263", 90_000),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_types_are_known_and_dynamic_ones_are_not() {
        assert_eq!(static_payload_type(8), Some(("PCMA", 8_000)));
        assert_eq!(static_payload_type(9), Some(("G722", 8_000)));
        assert!((96..=127).all(|pt| static_payload_type(pt).is_none()));
    }
}
