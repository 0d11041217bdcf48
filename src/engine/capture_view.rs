//! Where packets come from and what became of them, as one view.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipeline::Pipeline;
use crate::capture::{SourceKind, SourceState, SourceStatus};
use crate::counters::Lost;
use crate::limits::{DEFRAG_BYTES, DEFRAG_DATAGRAMS, TCP_BYTES, TCP_CONNECTIONS};
use crate::store::snapshot::{CaptureView, MemoryUse, SourceView};

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
        memory: memory(pipeline),
        flows: pipeline.decoder().flows(),
        first: pipeline.first(),
        last: pipeline.now(),
    }
}

/// What store and decoder keep, against its limits.
fn memory(pipeline: &Pipeline) -> Vec<MemoryUse> {
    let decoder = pipeline.decoder();
    let evicted = pipeline.counters().streams.evicted;
    let (connections, stream_bytes) = decoder.stream_usage();
    let (datagrams, fragment_bytes) = decoder.fragment_usage();
    let row = |what, used: usize, limit: usize, unit, evicted| MemoryUse {
        what,
        used: used as u64,
        limit: limit as u64,
        unit,
        evicted,
    };
    let mut out = pipeline.store().memory();
    out.extend([
        row("TCP connections", connections, TCP_CONNECTIONS, "flows", evicted),
        row("TCP reassembly", stream_bytes, TCP_BYTES, "bytes", 0),
        row("fragmented datagrams", datagrams, DEFRAG_DATAGRAMS, "datagrams", 0),
        row("fragments", fragment_bytes, DEFRAG_BYTES, "bytes", 0),
    ]);
    out
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
