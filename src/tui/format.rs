//! Numbers and times as a narrow column can hold them.

pub mod quality;

use std::fmt::Write;

use crate::time::{Elapsed, Timestamp};

/// `0:42`, `29:12`, `1:02:03`; nothing for a negative time.
pub fn duration(out: &mut String, elapsed: Elapsed) {
    let seconds = elapsed.whole_seconds();
    if seconds < 0 {
        return;
    }
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let _ = match hours {
        0 => write!(out, "{minutes}:{seconds:02}"),
        1..=99 => write!(out, "{hours}:{minutes:02}:{seconds:02}"),
        _ => write!(out, "{}d {}h", hours / 24, hours % 24),
    };
}

/// `0.4ms`, `92ms`, `1.24s`, `64s`: a delay in at most six cells.
pub fn delay(out: &mut String, elapsed: Elapsed) {
    delay_ms(out, elapsed.millis());
}

/// The same of milliseconds.
pub fn delay_ms(out: &mut String, millis: f64) {
    let _ = match millis {
        ms if ms < 0.0 || !ms.is_finite() => Ok(()),
        ms if ms < 9.95 => write!(out, "{ms:.1}ms"),
        ms if ms < 999.5 => write!(out, "{ms:.0}ms"),
        ms if ms < 9_995.0 => write!(out, "{:.2}s", ms / 1e3),
        ms if ms < 99_950.0 => write!(out, "{:.1}s", ms / 1e3),
        ms => write!(out, "{:.0}s", ms / 1e3),
    };
}

/// `812`, `8.4k`, `84k`, `1.2M`: a count in at most five cells.
pub fn count(out: &mut String, count: u64) {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    if count < 10_000 {
        let _ = write!(out, "{count}");
        return;
    }
    for (size, unit) in UNITS {
        if count >= size {
            let whole = count / size;
            let _ = match whole {
                0..10 => write!(out, "{whole}.{}{unit}", count % size * 10 / size),
                _ => write!(out, "{whole}{unit}"),
            };
            return;
        }
    }
}

/// [`count`] as a new string.
pub fn counted(n: u64) -> String {
    let mut out = String::new();
    count(&mut out, n);
    out
}

/// `31`, `8.4k`: a rate without its unit.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r < 0.05 => "0".into(),
        r if r < 9.95 => format!("{r:.1}"),
        r => {
            let mut out = String::new();
            let whole = r.round() as u64;
            if (1_000..10_000).contains(&whole) {
                let _ = write!(out, "{}.{}k", whole / 1_000, whole % 1_000 / 100);
            } else {
                count(&mut out, whole);
            }
            out
        }
    }
}

/// `12 MiB`: bytes in powers of 1,024.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 1_000.0 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit > 0 && size < 9.95 { format!("{size:.1} {name}") } else { format!("{size:.0} {name}") }
}

/// `45.2 %` of a whole, or nothing of none.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// In which zone times of day are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The machine's.
    #[default]
    Local,
    /// UTC.
    Utc,
}

impl Zone {
    /// Time of day, `format` in strftime words.
    pub fn format(self, at: Timestamp, format: &str) -> String {
        match self {
            Self::Local => at.format_local(format),
            Self::Utc => at.format_utc(format),
        }
    }
}

/// Events in the last whole second. The newest of the seconds still runs: its count would fall to nothing at each new
/// one. It is taken only where all before it are empty.
pub fn per_second(seconds: &[u32]) -> f64 {
    let whole = seconds.split_last().map(|(running, whole)| match whole.iter().all(|count| *count == 0) {
        true => *running,
        false => whole.last().copied().unwrap_or(0),
    });
    f64::from(whole.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn durations_grow_from_seconds_to_days() {
        let of = |s| text(|out| duration(out, Elapsed::from_secs(s)));
        assert_eq!((of(42), of(1_752), of(3_723), of(400_000)).0, "0:42");
        assert_eq!([of(1_752), of(3_723), of(400_000), of(-5)], ["29:12", "1:02:03", "4d 15h", ""]);
    }

    #[test]
    fn delays_fit_six_cells() {
        let of = |ms| text(|out| delay_ms(out, ms));
        assert_eq!(
            [of(0.43), of(92.4), of(999.7), of(12_345.0), of(640_000.0)],
            ["0.4ms", "92ms", "1.00s", "12.3s", "640s"]
        );
        for ms in [0.0, 9.94, 9.96, 999.4, 9_994.0, 9_996.0, 99_949.0, 99_951.0] {
            assert!(of(ms).len() <= 6, "{}", of(ms));
        }
    }

    #[test]
    fn counts_fit_five_cells() {
        let of = |n| text(|out| count(out, n));
        assert_eq!([of(9_999), of(12_000), of(1_250_000), of(12_500_000_000)], ["9999", "12k", "1.2M", "12G"]);
        assert_eq!([rate(0.0), rate(3.12), rate(31.2), rate(8_420.0)], ["0", "3.1", "31", "8.4k"]);
        assert_eq!([bytes(12), bytes(3_000_000), bytes(40 << 20)], ["12 B", "2.9 MiB", "40 MiB"]);
    }

    #[test]
    fn a_rate_is_that_of_a_whole_second() {
        assert_eq!(per_second(&[]), 0.0);
        assert_eq!(per_second(&[7]), 7.0);
        assert_eq!(per_second(&[0, 0, 7]), 7.0);
        assert_eq!(per_second(&[0, 60, 12]), 60.0);
        assert_eq!(per_second(&[60, 0, 0]), 0.0);
    }
}
