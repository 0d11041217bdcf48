//! The last minute of a stream in one line: jitter as bars, and seconds with loss or without packets marked.

use ratatui::buffer::Buffer;

use crate::rtp::figures::windows::Bar;
use crate::rtp::mos::{Level, Thresholds};
use crate::tui::table::Fit;
use crate::tui::table::paint::{self, Spot};
use crate::tui::theme::{Role, Theme};

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_BARS: [&str; 8] = ["_", "_", ".", ".", "-", "-", "=", "#"];

/// From this jitter in ms on a bar is one step higher: the same for every stream, so that two can be compared, and with
/// its upper half where jitter begins to harm.
const STEPS: [f32; 7] = [2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0];

/// A cell: what stands in it, and how it looks.
pub type Cell = (&'static str, Role);

/// The newest seconds in `width` cells, several to a cell where there is less room than seconds: then the worst of them. A
/// cross is a second with loss, a dot one without packets. `passed` seconds went by since
/// the stream's newest packet; of a call that is over (`None`) the minute ends with it.
pub fn cells(bars: &[Bar], passed: Option<usize>, width: usize, theme: &Theme) -> Vec<Cell> {
    let all = bars.len();
    if all == 0 || width == 0 {
        return Vec::new();
    }
    let newest = bars.iter().rposition(|bar| bar.packets > 0).map_or(0, |at| at + 1);
    let kept = bars.get(..newest).unwrap_or_default();
    let after = passed.unwrap_or(0).max(passed.map_or(0, |_| all - newest)).min(all);
    let before = all.saturating_sub(kept.len() + after);
    let blank = |count: usize| std::iter::repeat_n(&Bar::NONE, count);
    let line: Vec<&Bar> = blank(before).chain(kept).chain(blank(after)).collect();
    let minute = line.get(line.len() - all..).unwrap_or_default();
    let per_cell = all.div_ceil(width);
    // What was before the stream's first packet is blank, not silence.
    let begin = minute.iter().position(|bar| bar.packets > 0).unwrap_or(minute.len());
    minute
        .chunks(per_cell)
        .enumerate()
        .map(|(at, seconds)| if (at + 1) * per_cell <= begin { (" ", Role::Dim) } else { cell(seconds, theme) })
        .collect()
}

fn cell(seconds: &[&Bar], theme: &Theme) -> Cell {
    let lost: u32 = seconds.iter().map(|bar| u32::from(bar.lost)).sum();
    let expected: u32 = seconds.iter().map(|bar| u32::from(bar.expected)).sum();
    let packets: u32 = seconds.iter().map(|bar| u32::from(bar.packets)).sum();
    if lost > 0 {
        let percent = f64::from(lost) * 100.0 / f64::from(expected.max(1));
        let is_bad = Thresholds::default().loss(percent) == Level::Error;
        return (if theme.ascii { "x" } else { "×" }, if is_bad { Role::Bad } else { Role::Warn });
    }
    if packets == 0 {
        return (if theme.ascii { "." } else { "·" }, Role::Dim);
    }
    let jitter = seconds.iter().map(|bar| bar.jitter_max()).fold(0.0, f32::max);
    let step = STEPS.iter().filter(|from| jitter >= **from).count();
    let bars = if theme.ascii { ASCII_BARS } else { BARS };
    let role = match Thresholds::default().jitter(f64::from(jitter)) {
        Level::Fine => Role::Good,
        Level::Warn => Role::Warn,
        Level::Error => Role::Bad,
    };
    (bars.get(step).copied().unwrap_or(" "), role)
}

/// Draws the cells. Returns the cell after them.
pub fn draw(buffer: &mut Buffer, (x, y): (u16, u16), cells: &[Cell], theme: &Theme) -> u16 {
    let mut at = x;
    for (text, role) in cells {
        paint::text(buffer, Spot { x: at, y, width: 1 }, text, Fit::Left, theme.style(*role), theme);
        at = at.saturating_add(1);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bars: &[Bar], passed: usize, width: usize) -> String {
        cells(bars, Some(passed), width, &Theme::default()).iter().map(|cell| cell.0).collect()
    }

    #[test]
    fn loss_silence_and_jitter_are_told_apart() {
        let fine = Bar::new(50, 50, 0, 1.0);
        let (rough, lossy) = (Bar::new(50, 50, 0, 35.0), Bar::new(45, 50, 5, 1.0));
        let minute = [Bar::NONE, fine, rough, lossy, Bar::NONE, fine];
        assert_eq!(text(&minute, 0, 6), " ▁▆×·▁");
        assert_eq!(text(&minute, 0, 3), "▁×▁");
        assert_eq!(text(&minute, 2, 6), "▆×·▁··");
        let over = [fine, lossy, Bar::NONE, Bar::NONE];
        assert_eq!(text(&over, 0, 4), "▁×··");
        let ended: String = cells(&over, None, 4, &Theme::default()).iter().map(|cell| cell.0).collect();
        assert_eq!(ended, "  ▁×", "the minute ends with the stream");
        assert_eq!(text(&minute, 100, 6), "      ", "nothing of the minute is left");
        assert_eq!((text(&[], 0, 6), text(&minute, 0, 0)), (String::new(), String::new()));
        let roles: Vec<Role> = cells(&minute, Some(0), 6, &Theme::default()).iter().map(|cell| cell.1).collect();
        assert_eq!(roles, [Role::Dim, Role::Good, Role::Warn, Role::Bad, Role::Dim, Role::Good]);
    }
}
