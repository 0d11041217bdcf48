//! Where the columns of the ladder stand. It depends on the terminal and the number of columns, never on their content.

use ratatui::layout::Rect;

/// Columns stand at least this far apart; what does not fit is scrolled to.
const MIN_PITCH: u16 = 19;

/// And at most this far: longer arrows say no more.
const MAX_PITCH: u16 = 40;

/// Cells to the right of the last column, where its header needs them.
const MARGIN: u16 = 9;

/// Places of the columns within a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// First cell of the first column shown.
    first_x: u16,
    /// Cells from one column to the next.
    pub pitch: u16,
    /// First column shown.
    pub first: usize,
    /// Columns shown.
    pub shown: usize,
    /// All columns.
    pub all: usize,
    /// One past the last cell of the pane.
    right: u16,
}

impl Geometry {
    /// `first` is the column wanted leftmost; it gives way when all fit.
    pub fn new(area: Rect, columns: usize, first: usize, time: u16) -> Self {
        let first_x = area.x.saturating_add(time + 1).min(area.right());
        let room = area.right().saturating_sub(first_x + 1);
        let all = columns.max(1);
        let fit = usize::from(room / MIN_PITCH) + 1;
        let shown = all.min(fit.max(2));
        let gaps = u16::try_from(shown - 1).unwrap_or(u16::MAX).max(1);
        let margin = if shown < all { 3 } else { MARGIN };
        let narrow = room / gaps;
        let wide = room.saturating_sub(margin) / gaps;
        let pitch = if wide >= MIN_PITCH { wide } else { narrow.min(MIN_PITCH) };
        let first = first.min(all - shown);
        Self { first_x, pitch: pitch.clamp(4, MAX_PITCH), first, shown, all, right: area.right() }
    }

    /// Cell of a column; outside of the pane for one that is scrolled away.
    pub fn x(&self, column: usize) -> i32 {
        let column = i32::try_from(column).unwrap_or(i32::MAX / 256);
        let first = i32::try_from(self.first).unwrap_or(0);
        i32::from(self.first_x) + (column - first).saturating_mul(i32::from(self.pitch))
    }

    /// The columns shown, with their cells.
    pub fn columns(&self) -> impl Iterator<Item = (usize, u16)> {
        (self.first..self.all).map_while(|column| {
            let x = u16::try_from(self.x(column)).ok().filter(|x| *x < self.right)?;
            Some((column, x))
        })
    }

    /// First and one past the last cell that arrows are drawn in.
    pub fn bounds(&self) -> (i32, i32) {
        (i32::from(self.first_x), i32::from(self.right))
    }

    /// Cells that the columns need to stand at a comfortable distance.
    pub fn comfortable(columns: usize, time: u16) -> u16 {
        let gaps = u16::try_from(columns.saturating_sub(1)).unwrap_or(u16::MAX);
        gaps.saturating_mul(24).saturating_add(time + 2 + MARGIN)
    }
}
