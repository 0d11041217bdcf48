//! Where the user is in a list: by key, so that rows may come, go and change places.

use crate::track::call::CallKey;

/// The selected row and the first visible one.
#[derive(Clone, Debug)]
pub struct Cursor<K = CallKey> {
    selected: Option<K>,
    at: usize,
    top: usize,
    follow: bool,
}

impl<K> Default for Cursor<K> {
    fn default() -> Self {
        Self { selected: None, at: 0, top: 0, follow: false }
    }
}

impl<K: Copy + PartialEq> Cursor<K> {
    /// A cursor that follows new rows, or starts at the top.
    pub fn new(follow: bool) -> Self {
        Self { follow, ..Self::default() }
    }

    /// The selected row.
    pub fn selected(&self) -> Option<K> {
        self.selected
    }

    /// Its index.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Index of the first visible row.
    pub fn top(&self) -> usize {
        self.top
    }

    /// Whether it stays on the last row when rows are added.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// Follow new rows, or stay.
    pub fn set_follow(&mut self, follow: bool) {
        self.follow = follow;
    }

    /// After rows came, went or changed places: the selected row stays selected, on the same line of the screen if that can be.
    pub fn settle(&mut self, rows: &[K], height: usize) {
        let line = self.at.saturating_sub(self.top);
        let found = self.selected.and_then(|key| rows.iter().position(|row| *row == key));
        self.at = match found {
            _ if self.follow => rows.len().saturating_sub(1),
            Some(at) => at,
            None => self.at.min(rows.len().saturating_sub(1)),
        };
        if !self.follow {
            self.top = self.at.saturating_sub(line);
        }
        self.fit(rows, height);
    }

    /// Moves by so many rows. Reaching the end by moving down follows from then on.
    pub fn move_by(&mut self, delta: i64, rows: &[K], height: usize) {
        let last = rows.len().saturating_sub(1);
        self.at = usize::try_from((self.at as i64).saturating_add(delta)).unwrap_or(0).min(last);
        self.follow = delta > 0 && self.at == last;
        self.fit(rows, height);
    }

    /// Selects a row.
    pub fn select(&mut self, key: K, rows: &[K], height: usize) {
        if let Some(at) = rows.iter().position(|row| *row == key) {
            self.follow = at > self.at && at + 1 == rows.len();
            self.at = at;
            self.fit(rows, height);
        }
    }

    /// Keeps the selected row visible and the page full.
    pub fn fit(&mut self, rows: &[K], height: usize) {
        let height = height.max(1);
        self.selected = rows.get(self.at).copied();
        self.top = self.top.min(rows.len().saturating_sub(height));
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(range: std::ops::Range<u64>) -> Vec<CallKey> {
        range.map(CallKey).collect()
    }

    #[test]
    fn the_selected_call_stays_on_its_line() {
        let mut cursor = Cursor::default();
        let rows = keys(0..100);
        cursor.settle(&rows, 10);
        cursor.move_by(50, &rows, 10);
        let line = cursor.at() - cursor.top();
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        cursor.settle(&reversed, 10);
        assert_eq!((cursor.selected(), cursor.at() - cursor.top()), (Some(CallKey(50)), line));
        cursor.settle(&keys(60..100), 10);
        assert!(cursor.selected().is_some_and(|key| key >= CallKey(60)));
        cursor.settle(&[], 10);
        assert_eq!((cursor.selected(), cursor.top()), (None, 0));
    }

    #[test]
    fn new_rows_are_followed_only_from_the_end() {
        let mut cursor = Cursor::new(true);
        cursor.settle(&keys(0..30), 10);
        assert_eq!((cursor.selected(), cursor.top()), (Some(CallKey(29)), 20));
        cursor.move_by(-1, &keys(0..30), 10);
        cursor.settle(&keys(0..40), 10);
        assert_eq!((cursor.selected(), cursor.top()), (Some(CallKey(28)), 20));
        cursor.move_by(1_000, &keys(0..40), 10);
        cursor.settle(&keys(0..50), 10);
        assert_eq!(cursor.selected(), Some(CallKey(49)));
    }

    #[test]
    fn any_height_and_any_move_stay_inside() {
        let rows = keys(0..7);
        let mut cursor = Cursor::default();
        for (delta, height) in [(3, 0), (i64::MAX, 1), (i64::MIN, 3), (2, 100), (-1, 2)] {
            cursor.move_by(delta, &rows, height);
            assert!(cursor.top() <= cursor.at() && cursor.at() < rows.len());
            assert!(cursor.at() < cursor.top() + height.max(1));
        }
    }
}
