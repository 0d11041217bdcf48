//! A table of which only the visible rows are built: columns as rows of data, widths by the terminal alone.

pub mod calls;
pub mod cursor;
pub mod order;
pub mod paint;
mod sound;
pub mod standing;
pub mod streams;

use std::borrow::Cow;
use std::fmt;

use crate::store::audio::Audio;
use crate::store::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::track::call::Call;

use super::format::Zone;
use super::theme::{Role, Theme};

/// What a cell needs to know beside its row.
#[derive(Clone, Copy, Debug)]
pub struct CellContext<'a> {
    /// The time that running durations count to.
    pub now: Timestamp,
    /// All rows.
    pub snapshot: &'a Snapshot,
    /// Local time or UTC.
    pub zone: Zone,
    /// Glyphs.
    pub theme: &'a Theme,
    /// Cells at hand.
    pub width: u16,
}

/// What a column of rows sorts by.
pub enum Sort<R = Call> {
    /// A number; `None` sorts first.
    Number(fn(&R) -> Option<u64>),
    /// A number; rows without one stand last in either order.
    Known(fn(&R) -> Option<u64>),
    /// A number that grows by itself while the call is up.
    Running(fn(&R, Timestamp) -> Option<u64>),
    /// A number that the time and other rows have a say in; rows without one stand last in either order.
    Among(fn(&R, &Snapshot) -> Option<u64>),
    /// A figure of its audio streams. Calls that have none stand last, whichever way the others are sorted, and before them
    /// those whose figure is not to be compared with the others'.
    Audio(fn(&Audio) -> AudioKey),
    /// Text, without regard to ASCII case.
    Text(for<'r> fn(&'r R) -> Cow<'r, str>),
}

// By hand: a derived one would ask the rows for it.
impl<R> Clone for Sort<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sort<R> {}

impl<R> fmt::Debug for Sort<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Number(_) => "Number",
            Self::Known(_) => "Known",
            Self::Running(_) => "Running",
            Self::Among(_) => "Among",
            Self::Audio(_) => "Audio",
            Self::Text(_) => "Text",
        })
    }
}

/// Where a call stands by a figure of its audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudioKey {
    /// Among the others.
    Known(u64),
    /// Behind them: a score that rests on no published value.
    Assumed(u64),
    /// At the end: there is no figure.
    None,
}

/// Which end of a text is cut when it is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Left aligned, the end is cut.
    Left,
    /// Right aligned: numbers.
    Right,
    /// Left aligned, the beginning is cut: addresses, whose ends differ.
    Tail,
}

/// One column.
#[derive(Debug)]
pub struct Column<R = Call> {
    /// Its name in settings.
    pub id: &'static str,
    /// What stands above it.
    pub header: &'static str,
    /// What the choice of columns says.
    pub about: &'static str,
    /// Cells it needs at least, cells that show nearly everything, and cells beyond which more is no use.
    pub widths: (u16, u16, u16),
    /// Columns with a smaller number stay longer when the terminal is narrow.
    pub priority: u8,
    /// Whether it is shown unless chosen otherwise.
    pub on: bool,
    /// Alignment.
    pub fit: Fit,
    /// What it sorts by.
    pub sort: Sort<R>,
    /// Writes the cell and says how it looks.
    pub cell: fn(&R, &CellContext<'_>, &mut String) -> Role,
}

/// A column that is shown: its index in the table's columns, where it starts, how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index in the table's columns.
    pub column: usize,
    /// First cell, from the left of the table.
    pub x: u16,
    /// Cells.
    pub width: u16,
}

/// Which of the wanted columns fit into `width` cells, and how wide each is. Depends on nothing but these: never on rows.
///
/// Columns are admitted by priority at their good width; if not even the most important ones fit so, at their least width.
pub fn place<R>(columns: &[Column<R>], wanted: &[usize], width: u16) -> Vec<Placed> {
    let admitted = |of: fn(&Column<R>) -> u16| {
        let mut by_priority: Vec<usize> = wanted.iter().copied().filter(|i| *i < columns.len()).collect();
        by_priority.sort_by_key(|i| columns.get(*i).map_or(u8::MAX, |column| column.priority));
        let mut left = width + 1;
        let mut taken = Vec::new();
        for index in by_priority {
            let need = columns.get(index).map_or(0, of) + 1;
            if need <= left {
                left -= need;
                taken.push(index);
            }
        }
        (taken, left)
    };
    let (good, good_left) = admitted(|column| column.widths.1);
    let (least, least_left) = admitted(|column| column.widths.0);
    let use_good =
        least.iter().all(|index| good.contains(index) || columns.get(*index).is_some_and(|c| c.priority >= 5));
    let (taken, mut left) = if use_good { (good, good_left) } else { (least, least_left) };
    let mut widths: Vec<(usize, u16, u16)> = wanted
        .iter()
        .filter(|i| taken.contains(i))
        .filter_map(|i| columns.get(*i).map(|c| (*i, if use_good { c.widths.1 } else { c.widths.0 }, c.widths.2)))
        .collect();
    // One cell to each in turn: what is left spreads evenly over those that can use it.
    while left > 0 && widths.iter().any(|(_, now, most)| now < most) {
        for (_, now, most) in &mut widths {
            if left > 0 && now < most {
                *now += 1;
                left -= 1;
            }
        }
    }
    let mut x = 0;
    let mut placed = Vec::with_capacity(widths.len());
    for (column, width, _) in widths {
        placed.push(Placed { column, x, width });
        x += width + 1;
    }
    placed
}

/// The column to sort by when the user goes `by` columns to the right among those on the screen.
pub fn next_sort<R>(columns: &[Column<R>], wanted: &[usize], width: u16, sort: usize, by: i64) -> Option<usize> {
    let placed = place(columns, wanted, width);
    let at = placed.iter().position(|place| place.column == sort).unwrap_or_default() as i64;
    let next = (at + by).rem_euclid(placed.len().max(1) as i64) as usize;
    placed.get(next).map(|place| place.column)
}

#[cfg(test)]
mod tests {
    use super::calls::COLUMNS;
    use super::*;

    fn shown(width: u16) -> Vec<&'static str> {
        let wanted: Vec<usize> = (0..COLUMNS.len()).filter(|i| COLUMNS[*i].on).collect();
        let placed = place(COLUMNS, &wanted, width);
        for pair in placed.windows(2) {
            assert_eq!(pair[0].x + pair[0].width + 1, pair[1].x);
        }
        assert!(placed.last().is_none_or(|last| last.x + last.width <= width), "{width}");
        placed.iter().map(|p| COLUMNS[p.column].id).collect()
    }

    #[test]
    fn eighty_cells_hold_what_matters() {
        assert_eq!(shown(80), ["st", "time", "method", "from", "to", "state", "pdd", "msgs", "alert"]);
        let wide = shown(120);
        for id in ["talk", "mos", "jit95", "loss"] {
            assert!(wide.contains(&id), "{wide:?}");
        }
        let wider = shown(160);
        for id in ["src", "dst", "talk", "mos", "jit95", "loss"] {
            assert!(wider.contains(&id), "{wider:?}");
        }
    }

    #[test]
    fn any_width_is_filled_and_never_overrun() {
        for width in 0..300 {
            shown(width);
        }
        assert!(shown(40).contains(&"from") && shown(40).contains(&"to") && shown(40).contains(&"state"));
    }
}
