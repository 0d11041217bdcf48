//! Where packets come from and what became of them, as one view.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipeline::Pipeline;
use crate::capture::{SourceKind, SourceState, SourceStatus};
use crate::counters::Lost;
use crate::store::snapshot::{CaptureView, SourceView};

/// The state of all sources, and what the decoder counted.
pub(super) fn capture_view(statuses: &[Arc<SourceStatus>], pipeline: &Pipeline, queue: (usize, usize)) -> CaptureView {
    let sources: Vec<SourceView> = statuses.iter().map(|status| source_view(status)).collect();
    let mut lost = Lost::default();
    for source in &sources {
        lost.add(source.lost);
    }
    CaptureView {
        sources,
        lost,
        decode: pipeline.counters().clone(),
        queue,
        memory: pipeline.store().memory(),
        first: pipeline.first(),
        last: pipeline.now(),
    }
}

fn source_view(status: &SourceStatus) -> SourceView {
    let total = status.total_bytes.load(Ordering::Relaxed);
    let state = status.state.load();
    let trouble = match &**state {
        SourceState::Running => None,
        SourceState::Ended { warning } => warning.clone(),
        SourceState::Failed(why) => Some(why.clone()),
    };
    SourceView {
        name: status.name.clone(),
        inputs: status.inputs.clone(),
        live: status.kind == SourceKind::Live,
        link: status.link.load().to_string(),
        filter: status.filter.clone(),
        packets: status.packets.load(Ordering::Relaxed),
        progress: (total > 0).then(|| (status.read_bytes.load(Ordering::Relaxed).min(total), total)),
        lost: status.lost(),
        facts: status.facts.load_full(),
        truncated: status.truncated.load(Ordering::Relaxed),
        ended: !matches!(**state, SourceState::Running),
        trouble,
    }
}
