//! The running engine, as the interface sees it.

use std::sync::Arc;

use super::{EngineHandle, UiCommand};
use crate::engine::{Command, Handle, SaveOutcome};
use crate::store::snapshot::Snapshot;

impl EngineHandle for Handle {
    fn latest(&self) -> Arc<Snapshot> {
        Handle::latest(self)
    }

    fn send(&self, command: UiCommand) {
        Handle::send(
            self,
            match command {
                UiCommand::Forget(calls) => Command::Forget(calls),
                UiCommand::ForgetAll => Command::ForgetAll,
                UiCommand::Save(request, seen) => Command::Save(request, seen),
            },
        );
    }

    fn saved(&self) -> Option<SaveOutcome> {
        Handle::saved(self)
    }

    fn finished(&self) -> Option<String> {
        let sources = &Handle::latest(self).capture.sources;
        let over = !sources.is_empty() && sources.iter().all(|source| source.ended);
        over.then(|| sources.iter().filter_map(|source| source.trouble.clone()).collect::<Vec<_>>().join(" "))
    }
}
