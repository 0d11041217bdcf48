//! The last minute of a stream in one line of cells: how high its jitter was, where packets were lost, where none came.

use ratatui::buffer::Buffer;

use crate::rtp::figures::windows::Bar;
use crate::rtp::mos::{Level, Thresholds};
use crate::tui::table::paint::Spot;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::verdict;

use super::spark;

/// Jitter in ms up to which a bar has one step, two, and so on. Fixed, so that rows can be compared: from the sixth on
/// there is reason to look.
const STEPS: [f32; 7] = [2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0];

/// One cell: what it shows and how it looks.
type Cell = (char, Role);

/// The cells of seconds, oldest first. Seconds before the first with a packet are blank.
pub fn cells(bars: &[Bar], width: usize, theme: &Theme) -> Vec<Cell> {
    let began = bars.iter().position(|bar| bar.packets > 0).unwrap_or(bars.len());
    let width = width.min(bars.len());
    let cell = |at: usize| {
        let (from, to) = (at * bars.len() / width.max(1), (at + 1) * bars.len() / width.max(1));
        if to <= began {
            return (' ', Role::Dim);
        }
        of(bars.get(from.max(began)..to).unwrap_or_default(), theme)
    };
    (0..width).map(cell).collect()
}

/// The worst of some seconds.
fn of(bars: &[Bar], theme: &Theme) -> Cell {
    let thresholds = Thresholds::default();
    let first = |glyph: Glyph| theme.glyph(glyph).chars().next().unwrap_or(' ');
    let (expected, lost) = bars
        .iter()
        .fold((0_u32, 0_u32), |(expected, lost), bar| (expected + u32::from(bar.expected), lost + u32::from(bar.lost)));
    if lost > 0 {
        let level = thresholds.loss(f64::from(lost) * 100.0 / f64::from(expected.max(lost)));
        return (first(Glyph::Cross), verdict::role(level.max(Level::Warn)));
    }
    if bars.iter().any(|bar| bar.packets == 0) {
        return (first(Glyph::Silence), Role::Dim);
    }
    let jitter = bars.iter().map(Bar::jitter_max).fold(0.0, f32::max);
    let step = STEPS.iter().position(|most| jitter <= *most).unwrap_or(STEPS.len());
    let role = match thresholds.jitter(f64::from(jitter)) {
        Level::Fine => Role::Good,
        level => verdict::role(level),
    };
    (spark::bar(step, theme), role)
}

/// Draws the cells.
pub fn draw(buffer: &mut Buffer, spot: Spot, bars: &[Bar], theme: &Theme) {
    let area = buffer.area;
    let mut text = [0; 4];
    for (x, (ch, role)) in (spot.x..area.right()).zip(cells(bars, usize::from(spot.width), theme)) {
        if let Some(cell) = buffer.cell_mut((x, spot.y)) {
            cell.set_symbol(ch.encode_utf8(&mut text)).set_style(theme.style(role));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::figures::sequence::Sequence;
    use crate::rtp::figures::windows::Windows;
    use crate::time::{Elapsed, Timestamp};

    /// Ten packets a second, with the jitter of each second; `None` for a second without packets, and a lost packet where
    /// the jitter is negative.
    fn bars(seconds: &[Option<f32>]) -> Vec<Bar> {
        let (mut windows, mut sequence) = (Windows::default(), Sequence::default());
        let at = |ms: usize| Timestamp::default().after(Elapsed::from_millis(ms as i64));
        windows.begin(at(0));
        let (mut number, mut last) = (0, at(0));
        for (second, jitter) in seconds.iter().enumerate() {
            let Some(jitter) = jitter else { continue };
            for packet in 0..10 {
                last = at(second * 1_000 + packet * 100);
                windows.reach(last, &sequence);
                number += if *jitter < 0.0 && packet == 5 { 2 } else { 1 };
                sequence.place(number);
                windows.jitter(jitter.abs());
            }
        }
        windows.last_minute(last, &sequence).to_vec()
    }

    fn text(bars: &[Bar], width: usize) -> String {
        cells(bars, width, &Theme::default()).into_iter().map(|(ch, _)| ch).collect()
    }

    #[test]
    fn a_minute_tells_jitter_loss_and_silence() {
        let mut seconds = vec![Some(1.0); 56];
        seconds.extend([None, Some(12.0), Some(-1.0), Some(200.0)]);
        let bars = bars(&seconds);
        assert_eq!(text(&bars, 60), "▁".repeat(56) + "·▄✗█");
        assert_eq!(text(&bars, 6), "▁▁▁▁▁✗");
        assert_eq!(text(&bars, 90).chars().count(), 60);
        let roles: Vec<Role> = cells(&bars, 60, &Theme::default()).into_iter().map(|(_, role)| role).collect();
        assert_eq!(roles[56..], [Role::Dim, Role::Good, Role::Bad, Role::Bad]);
    }

    #[test]
    fn what_was_before_the_stream_is_blank() {
        assert_eq!(text(&bars(&[Some(1.0), Some(3.0)]), 60).trim_start(), "▁▂");
        assert_eq!(text(&[], 8), "");
    }
}
