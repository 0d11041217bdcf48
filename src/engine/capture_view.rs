//! Where packets come from and what became of them, as one view.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipeline::Pipeline;
use crate::capture::save::WriteStatus;
use crate::capture::{SourceKind, SourceState, SourceStatus};
use crate::counters::Lost;
use crate::limits::{DEFRAG_BYTES, DEFRAG_DATAGRAMS, SCTP_BYTES, TCP_BYTES, TCP_CONNECTIONS};
use crate::store::snapshot::{CaptureView, MemoryUse, SourceView, WrittenView};

/// What surrounds the pipeline.
pub(super) struct Origin<'e> {
    pub statuses: &'e [Arc<SourceStatus>],
    /// Batches waiting for the engine, and the queue's size.
    pub queue: (usize, usize),
    /// With `-w`: what was written.
    pub written: Option<&'e WriteStatus>,
}

/// The state of all sources, and what the decoder counted.
pub(super) fn capture_view(origin: &Origin<'_>, pipeline: &Pipeline) -> CaptureView {
    let sources: Vec<SourceView> = origin.statuses.iter().map(|status| source_view(status)).collect();
    let mut lost = Lost::default();
    for source in &sources {
        lost.add(source.lost);
    }
    let (mut memory, recent) = pipeline.memory();
    memory.extend(decoder_memory(pipeline));
    let mut decode = pipeline.counters().clone();
    decode.duplicates += pipeline.store().media_copies();
    CaptureView {
        sources,
        lost,
        decode,
        queue: origin.queue,
        written: origin.written.map(written_view),
        memory,
        recent,
        flows: pipeline.decoder().flows(),
        first: pipeline.first(),
        last: pipeline.now(),
    }
}

/// What the decoder keeps, against its limits.
fn decoder_memory(pipeline: &Pipeline) -> [MemoryUse; 5] {
    let decoder = pipeline.decoder();
    let counters = pipeline.counters();
    let (streams, fragments) = (&counters.streams, counters.fragments);
    let (connections, stream_bytes) = decoder.stream_usage();
    let (datagrams, fragment_bytes) = decoder.fragment_usage();
    let row = MemoryUse::new;
    [
        row("TCP connections", connections, TCP_CONNECTIONS, "flows", streams.evicted),
        row("TCP reassembly", stream_bytes, TCP_BYTES, "bytes", streams.evicted_by_bytes),
        row("SCTP reassembly", decoder.sctp_usage(), SCTP_BYTES, "bytes", counters.sctp_evicted),
        row("fragmented datagrams", datagrams, DEFRAG_DATAGRAMS, "datagrams", fragments.evicted_by_count),
        row("fragments", fragment_bytes, DEFRAG_BYTES, "bytes", fragments.evicted_by_bytes),
    ]
}

fn written_view(status: &WriteStatus) -> WrittenView {
    WrittenView {
        file: status.file.load().to_string(),
        files: status.files.load(Ordering::Relaxed),
        packets: status.packets.load(Ordering::Relaxed),
        bytes: status.bytes.load(Ordering::Relaxed),
        lost_queue: status.lost_queue.load(Ordering::Relaxed),
        lost_disk: status.lost_disk.load(Ordering::Relaxed),
        trouble: status.trouble.load().as_ref().map(|trouble| trouble.to_string()),
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
