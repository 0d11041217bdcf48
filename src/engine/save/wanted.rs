//! The calls that a request asks for, and their streams, as rows.

use std::collections::HashSet;
use std::sync::Arc;

use super::SaveRequest;
use crate::store::snapshot::Snapshot;
use crate::track::call::{Call, CallKey};
use crate::track::stream::{Stream, StreamKey};

/// Rows to be saved. Of everything they are all rows.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub calls: Vec<Arc<Call>>,
    pub streams: Vec<Arc<Stream>>,
    /// Calls that are no longer known.
    pub gone: u64,
}

impl Wanted {
    /// What a request asks for: as it is now; what is known no longer as the user, whose view may be paused, saw it.
    pub fn of(request: &SaveRequest, now: &Snapshot, seen: &Snapshot) -> Self {
        let Some(keys) = &request.calls else {
            return Self {
                calls: now.calls.iter().cloned().collect(),
                streams: now.streams.iter().cloned().collect(),
                gone: 0,
            };
        };
        let calls: Vec<Arc<Call>> =
            keys.iter().filter_map(|key| now.call(*key).or_else(|| seen.call(*key))).cloned().collect();
        let keys: HashSet<CallKey> = keys.iter().copied().collect();
        let listed: HashSet<StreamKey> = calls.iter().flat_map(|call| call.streams.iter().copied()).collect();
        let is_theirs = |stream: &&Arc<Stream>| {
            listed.contains(&stream.key) || stream.call.is_some_and(|call| keys.contains(&call))
        };
        let left = seen.streams.iter().filter(|stream| now.stream(stream.key).is_none());
        let streams = now.streams.iter().chain(left).filter(is_theirs).cloned().collect();
        let gone = (keys.len() as u64).saturating_sub(calls.len() as u64);
        Self { calls, streams, gone }
    }
}
