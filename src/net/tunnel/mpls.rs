//! MPLS label stacks (RFC 3032), and the pseudowires behind them (RFC 4448).

use super::malformed;
use crate::counters::Malformed;
use crate::net::link::{self, Inside};
use crate::net::octets::{u16_at, u32_at};
use crate::net::{Encapsulation, Path};

/// The bit of the last label.
const BOTTOM: u32 = 0x100;

/// What is counted when nothing known is behind the labels.
pub(super) const UNKNOWN: &str = "mpls";

/// Octets of a pseudowire's control word (RFC 4385).
const CONTROL_WORD: usize = 4;

/// Goes through the labels to what the last one stands for.
pub fn stack(mut payload: &[u8], mut path: Path) -> Result<Inside<'_>, Malformed> {
    loop {
        let entry = u32_at(payload, 0).ok_or(malformed("cut inside an MPLS label"))?;
        path = path.with(Encapsulation::Mpls(entry >> 12))?;
        payload = payload.get(4..).unwrap_or_default();
        if entry & BOTTOM != 0 {
            return behind(payload, path);
        }
    }
}

/// No field tells what is behind the labels. IP shows by its version (RFC 4928) and by lengths that fit; an Ethernet
/// frame by its type, with a control word in front or without.
fn behind(payload: &[u8], path: Path) -> Result<Inside<'_>, Malformed> {
    let behind_control_word = payload.get(CONTROL_WORD..).unwrap_or_default();
    match payload.first().map(|first| first >> 4) {
        None => Err(malformed("cut behind the MPLS labels")),
        Some(4 | 6) if is_whole_ip(payload) || !link::looks_like_ethernet(payload) => Ok(Inside::Ip { payload, path }),
        Some(0) if link::looks_like_ethernet(behind_control_word) => link::ethernet(behind_control_word, path),
        Some(_) if link::looks_like_ethernet(payload) => link::ethernet(payload, path),
        Some(_) => Ok(Inside::Other(UNKNOWN)),
    }
}

fn is_whole_ip(payload: &[u8]) -> bool {
    let length = match payload.first() {
        Some(first) if (0x45..=0x4f).contains(first) => u16_at(payload, 2).map(usize::from),
        Some(first) if first >> 4 == 6 => u16_at(payload, 4).map(|length| usize::from(length) + 40),
        _ => None,
    };
    length.is_some_and(|length| (20..=payload.len()).contains(&length))
}
