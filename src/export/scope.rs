//! `--call-id TEXT`: which calls it means, and a snapshot of them alone.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use crate::store::snapshot::Snapshot;
use crate::store::stats::Stats;
use crate::track::call::CallKey;

/// The calls that this text means: those with exactly this Call-ID; if there are none, those whose Call-ID contains it.
/// In order of appearance. The row of messages without a Call-ID is never meant.
pub fn find(snapshot: &Snapshot, text: &str) -> Vec<CallKey> {
    let matching = |matches: &dyn Fn(&str) -> bool| -> Vec<CallKey> {
        let calls = snapshot.calls.iter().filter(|call| !call.call_id.is_empty());
        calls.filter(|call| matches(&call.call_id)).map(|call| call.key).collect()
    };
    let exact = matching(&|id| id == text);
    if exact.is_empty() { matching(&|id| id.contains(text)) } else { exact }
}
