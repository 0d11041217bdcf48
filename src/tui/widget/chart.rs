//! A chart of values over time, filled from below: Braille, two columns and four steps a cell.

use crate::rtp::mos::Level;
use crate::tui::theme::{Role, Theme};
use crate::tui::verdict;

use super::lines::Line;

/// Dots of a cell from the lowest up, of its left and its right column (Unicode, Braille patterns).
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
/// The empty Braille pattern.
const BLANK: u32 = 0x2800;
/// Cells before the chart: what its ends mean.
const LABEL: u16 = 10;

/// A chart.
pub struct Chart<'a> {
    /// What it shows, between the labels of its ends.
    pub title: &'a str,
    /// Values at equal distances; `None` where there is none.
    pub values: &'a [Option<f64>],
    /// The values at its lower and upper end.
    pub range: (f64, f64),
    /// How the ends are written.
    pub labels: (&'a str, &'a str),
    /// The level of a value, which colours it.
    pub level: &'a dyn Fn(f64) -> Level,
    /// Whether a value is the worse the smaller it is.
    pub least_is_worst: bool,
}

impl Chart<'_> {
    /// The chart as lines.
    pub fn lines(&self, width: u16, rows: u16, theme: &Theme) -> Vec<Line> {
        let cells = usize::from(width.saturating_sub(LABEL + 1));
        let columns: Vec<Option<f64>> = (0..cells * 2).map(|column| self.column(column, cells * 2)).collect();
        let rows = rows.max(1);
        (0..rows)
            .map(|row| {
                let label = match row {
                    0 => self.labels.1,
                    row if row + 1 == rows => self.labels.0,
                    row if row == rows / 2 => self.title,
                    _ => "",
                };
                let role = if row > 0 && row + 1 < rows { Role::Title } else { Role::Dim };
                let line = Line::blank().right(0, LABEL - 1, label, role);
                self.row(line, &columns, (rows - 1 - row, rows), theme)
            })
            .collect()
    }

    /// The worst of the values that fall into a column.
    fn column(&self, column: usize, columns: usize) -> Option<f64> {
        let count = self.values.len();
        let from = column * count / columns.max(1);
        let to = ((column + 1) * count / columns.max(1)).max(from + 1);
        let worse = |a: f64, b: f64| if self.least_is_worst { a.min(b) } else { a.max(b) };
        self.values.get(from..to.min(count))?.iter().flatten().copied().reduce(worse)
    }

    /// Dots of a column that are filled, of `rows` cells: at least one where there is a value.
    fn filled(&self, value: f64, rows: u16) -> u32 {
        let (least, most) = self.range;
        let share = ((value - least) / (most - least).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        ((share * f64::from(rows * 4)).round() as u32).max(1)
    }

    fn row(&self, mut line: Line, columns: &[Option<f64>], (row, rows): (u16, u16), theme: &Theme) -> Line {
        let mut run = String::new();
        let mut begun = (LABEL, None);
        for (at, pair) in (LABEL..).zip(columns.chunks(2)) {
            let worst = pair.iter().flatten().map(|value| (self.level)(*value)).max();
            if worst != begun.1 {
                line = finish(line, begun, std::mem::take(&mut run));
                begun = (at, worst);
            }
            let mut dots = 0;
            for (value, column) in pair.iter().zip(DOTS) {
                let filled = value.map_or(0, |value| self.filled(value, rows));
                let here = filled.saturating_sub(u32::from(row) * 4).min(4) as usize;
                dots |= column.iter().take(here).fold(0, |dots, dot| dots | dot);
            }
            run.push(match (dots, theme.ascii) {
                (0, _) => ' ',
                (_, true) => {
                    [' ', '.', ':', '|', '#'].get((dots.count_ones() as usize).div_ceil(2)).copied().unwrap_or('#')
                }
                (dots, false) => char::from_u32(BLANK + dots).unwrap_or(' '),
            });
        }
        finish(line, begun, run)
    }
}

fn finish(line: Line, (x, level): (u16, Option<Level>), text: String) -> Line {
    let role = match level {
        Some(Level::Fine) | None => Role::Good,
        Some(level) => verdict::role(level),
    };
    if text.trim().is_empty() { line } else { line.at(x, u16::MAX, text, role) }
}

/// The least of 1, 2, 5, 10, 20, 50, … that is not below a value.
pub fn ceiling(value: f64) -> f64 {
    let mut decade = 1.0;
    while decade < 1e6 {
        if let Some(step) = [1.0, 2.0, 5.0].into_iter().find(|step| value <= step * decade) {
            return step * decade;
        }
        decade *= 10.0;
    }
    decade
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<f64>], width: u16, rows: u16, ascii: bool) -> Vec<String> {
        let chart = Chart {
            title: "jitter",
            values,
            range: (0.0, 8.0),
            labels: ("0", "8 ms"),
            level: &|value| if value > 6.0 { Level::Warn } else { Level::Fine },
            least_is_worst: false,
        };
        let theme = Theme { ascii, ..Theme::default() };
        let text = |line: &Line| {
            let mut out = String::new();
            for piece in line.pieces.iter().skip(1) {
                out.extend(std::iter::repeat_n(' ', usize::from(piece.x - LABEL) - out.chars().count()));
                out.push_str(&piece.text);
            }
            out.trim_end().to_owned()
        };
        chart.lines(width, rows, &theme).iter().map(text).collect()
    }

    #[test]
    fn columns_are_filled_as_high_as_their_value() {
        let values = [Some(8.0), Some(4.0), Some(2.0), None, Some(0.0), Some(0.0)];
        assert_eq!(drawn(&values, LABEL + 4, 2, false), ["⡇", "⣿⡄⣀"]);
        assert_eq!(drawn(&values, LABEL + 4, 2, true), [":", "#.."]);
        assert_eq!(drawn(&[], LABEL + 4, 1, false), [""]);
    }

    #[test]
    fn many_values_share_a_column_and_the_worst_shows() {
        let mut values = vec![Some(0.0); 100];
        values[99] = Some(8.0);
        assert_eq!(drawn(&values, LABEL + 3, 1, false), ["⣀⣸"]);
    }

    #[test]
    fn ceilings_are_round() {
        assert_eq!([0.0, 1.0, 1.1, 4.0, 6.0, 71.0, 101.0].map(ceiling), [1.0, 1.0, 2.0, 5.0, 10.0, 100.0, 200.0]);
    }
}
