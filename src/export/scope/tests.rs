use super::*;
use crate::limits::{CALL_FIRST_MESSAGES, CALL_LAST_MESSAGES};
use crate::store::sample::{call, message, request, stream};

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";

fn sample() -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (key, id) in ["ab", "abc", "x", ""].into_iter().enumerate() {
        let first = message(2 * key as u32 + 1, 100 - key as i64, A, B, &request("INVITE", id, "1 INVITE"));
        let second = message(2 * key as u32 + 2, 200 + key as i64, A, B, &request("ACK", id, "1 ACK"));
        let mut row = call(key as u64, id, vec![first, second]);
        row.streams = vec![StreamKey(key as u64)];
        snapshot.calls.push(row);
        snapshot.streams.push(stream(key as u64, 300, A, B, 10 + key as u64));
    }
    let mut late = stream(4, 400, B, A, 5);
    late.call = Some(CallKey(1));
    snapshot.streams.push(late);
    snapshot
}

fn keys(snapshot: &Snapshot, text: &str) -> Vec<u64> {
    find(snapshot, text).into_iter().map(|key| key.0).collect()
}

#[test]
fn the_exact_call_id_goes_before_those_that_contain_it() {
    let snapshot = sample();
    assert_eq!(keys(&snapshot, "ab"), [0]);
    assert_eq!(keys(&snapshot, "b"), [0, 1]);
    assert_eq!(keys(&snapshot, "B"), [] as [u64; 0]);
    assert_eq!(keys(&snapshot, ""), [0, 1, 2]);
}

#[test]
fn a_call_comes_with_its_streams_and_its_own_counts() {
    let snapshot = sample();
    let kept = restrict(&snapshot, &find(&snapshot, "b"));
    let order: Vec<_> = arrivals(&kept).iter().map(|arrival| arrival.packets[0].number()).collect();
    assert_eq!(order, [3, 1, 2, 4], "in capture order over all calls");
    assert_eq!(kept.calls.iter().map(|call| call.key.0).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(kept.streams.iter().map(|stream| stream.key.0).collect::<Vec<_>>(), [0, 1, 4]);
    assert_eq!((kept.stats.messages, kept.stats.transports, kept.stats.rtp_packets), (4, [4, 0, 0, 0, 0], 10 + 11 + 5));
    assert!(kept.stats.packet_rate.is_empty());
    assert_eq!((snapshot.calls.len(), snapshot.streams.len()), (4, 5), "the whole snapshot is untouched");
    assert!(kept.call(CallKey(1)).is_some() && kept.call(CallKey(2)).is_none());
}

#[test]
fn messages_no_longer_held_are_in_the_totals() {
    let total = (CALL_FIRST_MESSAGES + CALL_LAST_MESSAGES + 5) as u32;
    let raw = request("NOTIFY", "x", "1 NOTIFY");
    let mut snapshot = Snapshot::default();
    snapshot.calls.push(call(0, "x", (1..=total).map(|n| message(n, i64::from(n), A, B, &raw)).collect()));
    let stats = restrict(&snapshot, &[CallKey(0)]).stats;
    assert_eq!((stats.messages, stats.transports[0], stats.unnamed), (u64::from(total), u64::from(total), 5));
}
