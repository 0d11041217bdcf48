//! The pipeline without any thread: for tests, fuzzing and programs that use the library.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::capture_view::{self, Origin};
use super::pipeline::Pipeline;
use super::{EngineOptions, sink};
use crate::capture::{BatchSink, Source, SourceError};
use crate::packet::Batch;
use crate::store::snapshot::Snapshot;

struct Direct<'p>(&'p mut Pipeline);

impl BatchSink for Direct<'_> {
    fn hand_on(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.0.step(batch);
        batch.clear();
        ControlFlow::Continue(())
    }
}

/// Reads a source to its end, on the caller's thread, and gives what is known then.
pub fn analyze(source: Box<dyn Source>, options: &EngineOptions) -> Result<Snapshot, SourceError> {
    let status = source.status();
    let mut pipeline = Pipeline::new(options.decode.clone(), options.store);
    sink::note_end(&status, source.run(&mut Direct(&mut pipeline)));
    if let crate::capture::SourceState::Failed(why) = &**status.state.load() {
        return Err(SourceError::Stopped(why.clone()));
    }
    pipeline.finish();
    let capture = capture_view::capture_view(&Origin { statuses: &[status], queue: (0, 0), written: None }, &pipeline);
    Ok(pipeline.snapshot(Arc::new(capture)))
}
