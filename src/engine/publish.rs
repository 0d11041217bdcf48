//! When the screen gets a new snapshot: at most every 50 ms, and only if something moved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::capture_view::{Origin, capture_view};
use super::pipeline::Pipeline;
use crate::store::snapshot::{CaptureView, Snapshot};
use crate::time::Timestamp;

/// Shortest time between two snapshots. With 20 ms of libpcap and one frame of the screen, a packet is seen within 150 ms.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);

/// Longest time between two snapshots of a live capture, so that counters and running durations move.
const REFRESH_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Publisher {
    latest: Arc<ArcSwap<Snapshot>>,
    generation: u64,
    store_generation: u64,
    published: Option<Instant>,
    sources: CaptureView,
}

impl Publisher {
    pub fn new(latest: Arc<ArcSwap<Snapshot>>) -> Self {
        Self { latest, generation: 0, store_generation: 0, published: None, sources: CaptureView::default() }
    }

    /// How long to wait for a packet: until what has changed may be shown, else until counters are looked at again.
    pub fn patience(&self, now: Instant, pipeline: &Pipeline) -> Duration {
        let moved = pipeline.store().generation() != self.store_generation
            || pipeline.counters().packets != self.sources.decode.packets;
        let since = self.published.map_or(PUBLISH_EVERY, |at| now.duration_since(at));
        if moved { PUBLISH_EVERY.saturating_sub(since) } else { PUBLISH_EVERY }
    }

    /// Whether the last snapshot is old enough for a new one.
    pub fn is_due(&self, now: Instant) -> bool {
        self.published.is_none_or(|at| now.duration_since(at) >= PUBLISH_EVERY)
    }

    /// Publishes if anything moved, or if a live capture has not been refreshed for a while. `clock` is the wall clock
    /// of a live capture.
    pub fn publish(&mut self, now: Instant, pipeline: &mut Pipeline, origin: &Origin<'_>, clock: Option<Timestamp>) {
        let capture = capture_view(origin, pipeline);
        let moved = pipeline.store().generation() != self.store_generation
            || (clock.is_some() && pipeline.store().has_figures_to_show())
            || capture.sources != self.sources.sources
            || capture.written != self.sources.written
            || capture.decode.packets != self.sources.decode.packets;
        let stale = self.published.is_none_or(|at| now.duration_since(at) >= REFRESH_EVERY);
        let refresh = stale && clock.is_some();
        if !moved && !refresh {
            return;
        }
        self.generation += u64::from(moved);
        self.published = Some(now);
        self.sources = capture.clone();
        let mut snapshot = pipeline.snapshot(Arc::new(capture));
        // Making a snapshot counts as a change of the store, and is none to the screen.
        self.store_generation = pipeline.store().generation();
        snapshot.generation = self.generation;
        snapshot.now = snapshot.now.max(clock).or(clock);
        self.latest.store(Arc::new(snapshot));
    }
}
