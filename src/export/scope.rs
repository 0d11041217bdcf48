//! `--call-id TEXT`: which calls it means, and a snapshot of them alone.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use crate::event::{Decoded, Event, SipArrival};
use crate::packet::{PacketId, Transport};
use crate::store::Store;
use crate::store::snapshot::Snapshot;
use crate::store::stats::Stats;
use crate::track::call::{Call, CallKey};
use crate::track::stream::StreamKey;

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

/// A snapshot of these calls and their streams. The state of the capture stays that of the whole capture.
///
/// The messages of these calls are counted again by a fresh store: which text names a call exactly is only known at the
/// end, so they cannot be sorted out on their way in.
/// Messages that a very long call no longer holds are in the totals, and by name in [`Stats::unnamed`]. RTCP and packet
/// rates cannot be told apart by call and are left empty.
pub fn restrict(snapshot: &Snapshot, keys: &[CallKey]) -> Snapshot {
    let wanted: HashSet<CallKey> = keys.iter().copied().collect();
    let mut kept = snapshot.clone();
    for call in snapshot.calls.iter().filter(|call| !wanted.contains(&call.key)) {
        kept.calls.remove(call.key.0);
    }
    let media: HashSet<StreamKey> = kept.calls.iter().flat_map(|call| call.streams.iter().copied()).collect();
    for stream in snapshot.streams.iter() {
        let belongs = media.contains(&stream.key) || stream.call.is_some_and(|call| wanted.contains(&call));
        if !belongs {
            kept.streams.remove(stream.key.0);
        }
    }
    let stats = count(&kept);
    kept.stats = Arc::new(totals(&kept, stats));
    kept
}

/// Statistics of these messages alone.
fn count(snapshot: &Snapshot) -> Stats {
    let events = arrivals(snapshot).into_iter().map(|arrival| Event::Sip(Box::new(arrival))).collect();
    let mut decoded = Decoded { events, ..Decoded::default() };
    let mut store = Store::default();
    let mut changes = Vec::new();
    store.apply(&mut decoded, &mut changes);
    if let Some(now) = snapshot.now {
        store.tick(now, &mut changes);
    }
    (*store.snapshot(Arc::clone(&snapshot.capture)).stats).clone()
}

fn arrivals(snapshot: &Snapshot) -> Vec<SipArrival> {
    let messages = snapshot.calls.iter().flat_map(|call| call.messages.iter());
    let mut all: Vec<SipArrival> = messages
        .map(|message| SipArrival {
            at: message.at,
            packets: message.packets.clone(),
            flow: message.flow,
            transport: message.transport,
            relayed_by: message.relayed_by,
            path: message.path.clone(),
            message: message.sip.clone(),
        })
        .collect();
    let packet = |arrival: &SipArrival| arrival.packets.last().copied().unwrap_or(PacketId::new(0, 0));
    all.sort_by_key(|arrival| (arrival.at, packet(arrival)));
    all
}

/// Puts in what counting the held messages cannot see.
fn totals(snapshot: &Snapshot, mut stats: Stats) -> Stats {
    let sum = |value: &dyn Fn(&Call) -> u64| snapshot.calls.iter().map(|call| value(call)).sum::<u64>();
    stats.messages = sum(&|call| call.message_count);
    stats.retransmissions = sum(&|call| call.retransmissions);
    stats.unnamed += sum(&|call| call.messages.left_out());
    for (count, transport) in stats.transports.iter_mut().zip(Transport::ALL) {
        *count += sum(&|call| if call.transport == transport { call.messages.left_out() } else { 0 });
    }
    stats.rtp_packets = snapshot.streams.iter().map(|stream| stream.packets).sum();
    stats.rtcp_packets = 0;
    stats.packet_rate.clear();
    stats
}
