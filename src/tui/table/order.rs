//! Which rows are shown, and in which order.
//!
//! Kept beside the snapshot and brought up to date in slices, never inside draw: a new snapshot costs one pointer
//! comparison a row, and only rows that changed are filtered and given a sort key again.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{AudioKey, Sort};
use crate::store::audio::Audio;
use crate::store::filter::Filter;
use crate::store::rows::Rows;
use crate::store::snapshot::Snapshot;
use crate::track::call::{Call, CallKey, CallKind};
use crate::track::stream::{Stream, StreamKey};

/// Rows up to which every new snapshot is sorted at once: 2 ms at most.
const SORT_AT_ONCE: usize = 10_000;

/// Above that, how long an order stands while it is only growing, in ms.
const SORT_EVERY_MS: u64 = 500;

/// Rows looked at between two looks at the clock.
const SLICE: usize = 32;

/// Kinds of rows that `m` cycles through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kinds {
    /// Everything.
    #[default]
    All,
    /// INVITE.
    Invite,
    /// SUBSCRIBE.
    Subscribe,
    /// REGISTER.
    Register,
    /// All else.
    Other,
}

impl Kinds {
    /// The next one of the cycle.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Invite,
            Self::Invite => Self::Subscribe,
            Self::Subscribe => Self::Register,
            Self::Register => Self::Other,
            Self::Other => Self::All,
        }
    }

    /// All of them, in the order of the cycle.
    pub const ALL: [Self; 5] = [Self::All, Self::Invite, Self::Subscribe, Self::Register, Self::Other];

    /// The name in the filter line.
    pub const fn title(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Invite => "INVITE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Register => "REGISTER",
            Self::Other => "other",
        }
    }

    const fn has(self, kind: CallKind) -> bool {
        match self {
            Self::All => true,
            Self::Invite => matches!(kind, CallKind::Invite),
            Self::Subscribe => matches!(kind, CallKind::Subscribe),
            Self::Register => matches!(kind, CallKind::Register),
            Self::Other => !matches!(kind, CallKind::Invite | CallKind::Subscribe | CallKind::Register),
        }
    }
}

/// Rows of a snapshot that a table can list.
pub trait Listed: Sized {
    /// Their identity, which grows in order of appearance.
    type Key: Copy + Ord;

    /// Its identity.
    fn key(&self) -> Self::Key;

    /// All of them.
    fn all(snapshot: &Snapshot) -> &Rows<Self>;

    /// One of them, unless it was evicted.
    fn get(snapshot: &Snapshot, key: Self::Key) -> Option<&Arc<Self>>;

    /// Whether it is of these kinds and matches the filter.
    fn is_wanted(&self, kinds: Kinds, filter: &Filter, snapshot: &Snapshot) -> bool;

    /// Whether time alone may change what it shows or whether it matches.
    fn grows(&self) -> bool;

    /// Whether its streams may change it while it stays the same itself.
    fn has_streams(&self) -> bool {
        false
    }

    /// How it sounds, if it is a call.
    fn audio(&self, _: &Snapshot) -> Option<Audio> {
        None
    }
}

impl Listed for Call {
    type Key = CallKey;

    fn key(&self) -> CallKey {
        self.key
    }

    fn all(snapshot: &Snapshot) -> &Rows<Self> {
        &snapshot.calls
    }

    fn get(snapshot: &Snapshot, key: CallKey) -> Option<&Arc<Self>> {
        snapshot.call(key)
    }

    fn is_wanted(&self, kinds: Kinds, filter: &Filter, snapshot: &Snapshot) -> bool {
        kinds.has(self.kind) && filter.matches(self, &snapshot.streams, snapshot.now)
    }

    fn grows(&self) -> bool {
        self.state.is_live()
    }

    fn has_streams(&self) -> bool {
        !self.streams.is_empty()
    }

    fn audio(&self, snapshot: &Snapshot) -> Option<Audio> {
        Some(Audio::of(self, &snapshot.streams, snapshot.now.unwrap_or_default()))
    }
}

impl Listed for Stream {
    type Key = StreamKey;

    fn key(&self) -> StreamKey {
        self.key
    }

    fn all(snapshot: &Snapshot) -> &Rows<Self> {
        &snapshot.streams
    }

    fn get(snapshot: &Snapshot, key: StreamKey) -> Option<&Arc<Self>> {
        snapshot.stream(key)
    }

    fn is_wanted(&self, _: Kinds, filter: &Filter, snapshot: &Snapshot) -> bool {
        let call = self.call.and_then(|key| snapshot.call(key));
        filter.matches_stream(self, call.map(|call| &**call), &snapshot.streams, snapshot.now)
    }

    /// What its call says may change while it is silent.
    fn grows(&self) -> bool {
        true
    }
}

/// What is to be shown, and how.
#[derive(Debug)]
pub struct Wanted<R = Call> {
    /// The filter in force.
    pub filter: Filter,
    /// The kinds in force.
    pub kinds: Kinds,
    /// What to sort by.
    pub sort: Sort<R>,
    /// Largest first.
    pub descending: bool,
}

#[derive(Debug)]
struct Row<R> {
    row: Arc<R>,
    key: u128,
    dirty: bool,
    shown: bool,
}

impl<R> Row<R> {
    fn new(row: &Arc<R>) -> Self {
        Self { row: Arc::clone(row), key: 0, dirty: true, shown: false }
    }
}

/// What was done so far: tests hold the work a key causes against these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Rows filtered and given a sort key.
    pub evaluated: u64,
    /// Times everything was sorted.
    pub sorts: u64,
}

/// The order of the rows, and what it was made from.
#[derive(Debug)]
pub struct Order<R: Listed = Call> {
    wanted: Wanted<R>,
    rows: Vec<Row<R>>,
    generation: Option<u64>,
    second: i64,
    streams_seen: (i64, Option<u64>),
    dirty: usize,
    cursor: usize,
    stale: bool,
    regroup: bool,
    thinned: bool,
    sorted_ms: u64,
    shown: Vec<R::Key>,
    work: Work,
}

impl<R: Listed> Order<R> {
    /// An empty one.
    pub fn new(wanted: Wanted<R>) -> Self {
        Self {
            wanted,
            rows: Vec::new(),
            generation: None,
            second: 0,
            streams_seen: (0, None),
            dirty: 0,
            cursor: 0,
            stale: true,
            regroup: true,
            thinned: false,
            sorted_ms: 0,
            shown: Vec::new(),
            work: Work::default(),
        }
    }

    /// The rows to show, in order.
    pub fn shown(&self) -> &[R::Key] {
        &self.shown
    }

    /// All rows, shown or not.
    pub fn total(&self) -> usize {
        self.rows.len()
    }

    /// Whether rows still wait to be filtered.
    pub fn is_busy(&self) -> bool {
        self.dirty > 0
    }

    /// What was done so far.
    pub fn work(&self) -> Work {
        self.work
    }

    /// What it shows.
    pub fn wanted(&self) -> &Wanted<R> {
        &self.wanted
    }

    /// Changes what is shown. All rows are looked at again, in slices.
    pub fn want(&mut self, wanted: Wanted<R>) {
        self.wanted = wanted;
        self.soil(|_| true);
        self.regroup = true;
    }

    /// The keys that the filter hides.
    pub fn hidden(&self) -> Vec<R::Key> {
        self.rows.iter().filter(|row| !row.shown).map(|row| row.row.key()).collect()
    }

    /// While nobody looks at the table it holds no rows: those of an old snapshot would stay in memory. What was shown is
    /// kept until it is brought up to date.
    pub fn rest(&mut self) {
        if self.generation.take().is_some() {
            self.rows = Vec::new();
            self.dirty = 0;
            self.cursor = 0;
            self.stale = true;
            self.regroup = true;
        }
    }

    fn soil(&mut self, which: impl Fn(&Row<R>) -> bool) {
        for row in &mut self.rows {
            if !row.dirty && which(row) {
                row.dirty = true;
                self.dirty += 1;
            }
        }
        self.cursor = 0;
        self.stale = true;
    }

    /// Brings the order up to date with a snapshot, as far as time allows. True when [`Order::shown`] changed.
    pub fn step(&mut self, snapshot: &Snapshot, now_ms: u64, out_of_time: &mut dyn FnMut() -> bool) -> bool {
        if self.generation != Some(snapshot.generation) {
            self.align(snapshot);
        }
        let now = snapshot.now.unwrap_or_default();
        let second = now.nanos().div_euclid(1_000_000_000);
        if second != self.second {
            self.second = second;
            if self.depends_on_now() {
                self.soil(|row| row.row.grows());
            }
        }
        self.follow_streams(snapshot, second);
        self.evaluate(snapshot, out_of_time);
        let waited = now_ms.saturating_sub(self.sorted_ms) >= SORT_EVERY_MS;
        let due = match self.dirty {
            0 => self.regroup || waited || self.rows.len() <= SORT_AT_ONCE,
            _ => waited,
        };
        let thinned = std::mem::take(&mut self.thinned);
        if !(self.stale && due) {
            return thinned;
        }
        self.stale = self.dirty > 0;
        self.regroup = false;
        self.sorted_ms = now_ms;
        self.sort() || thinned
    }

    /// Streams change without their call: once a second, calls that have some are looked at again. After the last second
    /// of a capture the last figures may still come.
    fn follow_streams(&mut self, snapshot: &Snapshot, second: i64) {
        let asks = self.wanted.filter.asks_streams() || matches!(self.wanted.sort, Sort::Audio(_));
        let is_over = snapshot.capture.sources.iter().all(|source| source.ended);
        let seen = (second, is_over.then_some(snapshot.generation));
        if asks && self.streams_seen != seen {
            self.streams_seen = seen;
            self.soil(|row| row.row.has_streams());
        }
    }

    /// Running durations are what a talk column or a time in a filter look at: rows that are live go stale by the second.
    fn depends_on_now(&self) -> bool {
        !self.wanted.filter.is_empty() || matches!(self.wanted.sort, Sort::Running(_) | Sort::Among(_))
    }

    /// Takes over the rows of a snapshot: rows only ever vanish, change in place or come at the end.
    fn align(&mut self, snapshot: &Snapshot) {
        self.generation = Some(snapshot.generation);
        let vanished = !self.align_in_place(snapshot);
        if vanished {
            self.align_anew(snapshot);
            self.shown.retain(|key| R::get(snapshot, *key).is_some());
            self.thinned = true;
        }
        if self.dirty > 0 {
            self.stale = true;
            self.cursor = 0;
        }
    }

    /// As long as no row vanished, every row is where it was. False at the first one that is not.
    fn align_in_place(&mut self, snapshot: &Snapshot) -> bool {
        let all = R::all(snapshot);
        if all.len() < self.rows.len() {
            return false;
        }
        let mut now = all.iter();
        for (row, next) in self.rows.iter_mut().zip(&mut now) {
            // The same allocation is the same row; its key is read only when it is another one.
            if Arc::ptr_eq(&row.row, next) {
                continue;
            }
            if row.row.key() != next.key() {
                return false;
            }
            row.row = Arc::clone(next);
            self.dirty += usize::from(!row.dirty);
            row.dirty = true;
        }
        for next in all.iter().skip(self.rows.len()) {
            self.rows.push(Row::new(next));
            self.dirty += 1;
        }
        true
    }

    /// Merges old rows and new ones by their keys, which only grow.
    fn align_anew(&mut self, snapshot: &Snapshot) {
        let mut old = std::mem::take(&mut self.rows).into_iter().peekable();
        let mut rows = Vec::with_capacity(R::all(snapshot).len());
        for next in R::all(snapshot).iter() {
            while old.next_if(|row| row.row.key() < next.key()).is_some() {}
            let row = match old.next_if(|row| row.row.key() == next.key()) {
                Some(row) if Arc::ptr_eq(&row.row, next) => row,
                Some(row) => Row { row: Arc::clone(next), dirty: true, ..row },
                None => Row::new(next),
            };
            rows.push(row);
        }
        self.dirty = rows.iter().filter(|row| row.dirty).count();
        self.rows = rows;
    }

    fn evaluate(&mut self, snapshot: &Snapshot, out_of_time: &mut dyn FnMut() -> bool) {
        if self.dirty == 0 {
            return;
        }
        let mut since_look = 0;
        while let Some(row) = self.rows.get_mut(self.cursor) {
            self.cursor += 1;
            if !row.dirty {
                continue;
            }
            row.dirty = false;
            row.shown = row.row.is_wanted(self.wanted.kinds, &self.wanted.filter, snapshot);
            row.key = sort_key(&self.wanted, &row.row, snapshot);
            self.dirty -= 1;
            self.work.evaluated += 1;
            since_look += 1;
            if since_look >= SLICE {
                since_look = 0;
                if out_of_time() {
                    return;
                }
            }
        }
    }

    fn sort(&mut self) -> bool {
        self.work.sorts += 1;
        let mut order: Vec<(u128, u32)> = Vec::with_capacity(self.shown.len() + 16);
        for (index, row) in self.rows.iter().enumerate() {
            if row.shown {
                order.push((row.key, index as u32));
            }
        }
        let descending = self.wanted.descending;
        let by_audio = matches!(self.wanted.sort, Sort::Audio(_));
        let rows = &self.rows;
        let tie = |a: u32, b: u32| match self.wanted.sort {
            Sort::Number(_) | Sort::Known(_) | Sort::Running(_) | Sort::Among(_) | Sort::Audio(_) => Ordering::Equal,
            Sort::Text(text) => match (rows.get(a as usize), rows.get(b as usize)) {
                (Some(a), Some(b)) => caseless(&text(&a.row), &text(&b.row)),
                _ => Ordering::Equal,
            },
        };
        order.sort_unstable_by(|a, b| {
            let by_class = if by_audio { (a.0 >> 64).cmp(&(b.0 >> 64)) } else { Ordering::Equal };
            let by_key = a.0.cmp(&b.0).then_with(|| tie(a.1, b.1));
            let by_key = if descending { by_key.reverse() } else { by_key };
            by_class.then(by_key).then(a.1.cmp(&b.1))
        });
        let shown: Vec<R::Key> =
            order.iter().filter_map(|(_, index)| self.rows.get(*index as usize).map(|row| row.row.key())).collect();
        let changed = shown != self.shown;
        self.shown = shown;
        changed
    }
}

fn caseless(a: &str, b: &str) -> Ordering {
    let lower = |text: &str| text.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
    if a.len() <= 16 && b.len() <= 16 { Ordering::Equal } else { lower(a).cmp(&lower(b)) }
}

/// 16 bytes that sort like the row: numbers as they are, text by its beginning, figures of audio behind their class.
fn sort_key<R: Listed>(wanted: &Wanted<R>, row: &R, snapshot: &Snapshot) -> u128 {
    let some = |n: u64| u128::from(n) + 1;
    let last = if wanted.descending { 0 } else { u128::MAX };
    match wanted.sort {
        Sort::Audio(key) => match row.audio(snapshot).map_or(AudioKey::None, |audio| key(&audio)) {
            AudioKey::Known(n) => u128::from(n),
            AudioKey::Assumed(n) => (1 << 64) | u128::from(n),
            AudioKey::None => 2 << 64,
        },
        Sort::Number(number) => number(row).map_or(0, some),
        Sort::Known(number) => number(row).map_or(last, some),
        Sort::Running(number) => number(row, snapshot.now.unwrap_or_default()).map_or(0, some),
        Sort::Among(number) => number(row, snapshot).map_or(last, some),
        Sort::Text(text) => {
            let mut prefix = [0u8; 16];
            for (to, from) in prefix.iter_mut().zip(text(row).bytes()) {
                *to = from.to_ascii_lowercase();
            }
            u128::from_be_bytes(prefix)
        }
    }
}
