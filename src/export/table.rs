//! Tables of a text report: as wide as what stands in them, with a cap per column.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::visible;

/// On which side a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Header, side, and the most cells it may take.
pub(super) struct Head(pub &'static str, pub Align, pub usize);

/// A table being filled.
pub(super) struct Table {
    heads: &'static [Head],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heads: &'static [Head]) -> Self {
        Self { heads, rows: Vec::new() }
    }

    /// Adds a row; its cells are made fit for a terminal and cut to their column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cut = |(cell, head): (String, &Head)| shorten(&visible(&cell), head.2);
        self.rows.push(cells.into_iter().zip(self.heads).map(cut).collect());
    }

    /// Writes header and rows, each behind `indent`. Nothing stands behind a line's last text.
    pub fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.0.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let heads = self.heads.iter().map(|head| head.0.to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let cells = row.iter().zip(&widths).zip(self.heads);
            let cells = cells.map(|((cell, width), head)| pad(cell, *width, head.1));
            writeln!(out, "{indent}{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// The text in at most so many cells; `…` says that something is missing.
pub(super) fn shorten(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for ch in text.chars() {
        let width = ch.width().unwrap_or(0);
        if used + width + 1 > cells {
            break;
        }
        used += width;
        out.push(ch);
    }
    out.push('…');
    out
}

fn pad(text: &str, cells: usize, align: Align) -> String {
    let blank = " ".repeat(cells.saturating_sub(text.width()));
    match align {
        Align::Left => format!("{text}{blank}"),
        Align::Right => format!("{blank}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_width_of_a_character() {
        const HEADS: &[Head] = &[Head("Name", Align::Left, 8), Head("n", Align::Right, 9), Head("Why", Align::Left, 9)];
        let mut table = Table::new(HEADS);
        table.row(["日本".into(), "7".into(), "a\u{7}b".into()]);
        table.row(["a very long name".into(), "1000".into(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, " ").unwrap();
        let expected = " Name         n  Why\n 日本         7  a␇b\n a very …  1000\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
