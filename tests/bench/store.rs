//! What the store costs: SIP messages with and without a snapshot held, and a snapshot of 100,000 rows.
//!
//! A message should take less than 3 µs, and a snapshot far less than the 50 ms between two of them.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a bench stops on bad input, and measures wall time"
)]

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sipwatch::event::{Decoded, Event, PacketIds, SipArrival};
use sipwatch::packet::{Endpoint, FlowKey, PacketId, Transport};
use sipwatch::sip::parse::parse_datagram;
use sipwatch::store::Store;
use sipwatch::store::snapshot::Snapshot;
use sipwatch::time::{Elapsed, Timestamp};

const ROWS: u32 = 100_000;
const MESSAGES: u32 = 1_000;

/// The INVITE of a call, then one INFO after the other.
fn arrival(call: u32, round: u32) -> Event {
    let method = if round == 0 { "INVITE" } else { "INFO" };
    let text = format!(
        "{method} sip:208@10.1.1.68 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.1.1.123:5060;branch=z9hG4bK{call}.{round};rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Two Oh Seven\" <sip:207@10.1.1.68>;tag=a{call}\r\n\
         To: <sip:208@10.1.1.68>\r\n\
         Call-ID: {call}-0815@10.1.1.123\r\n\
         CSeq: {round} {method}\r\n\
         Contact: <sip:207@10.1.1.123:5060>\r\n\
         User-Agent: bench\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let end = |ip: [u8; 4]| Endpoint::new(IpAddr::from(ip), 5_060);
    let millis = i64::from(round) * 1_000 + i64::from(call) / 200;
    Event::Sip(Box::new(SipArrival {
        at: Timestamp::from_parts(1_767_603_600, 0).after(Elapsed::from_millis(millis)),
        packets: PacketIds::from_slice(&[PacketId::new(0, 1)]),
        flow: FlowKey { src: end([10, 1, 1, 123]), dst: end([10, 1, 1, 68]) },
        transport: Transport::Udp,
        relayed_by: None,
        path: None,
        message: parse_datagram(text.as_bytes(), true).expect("a message"),
    }))
}

fn decoded(calls: impl Iterator<Item = u32>, round: u32) -> Decoded {
    Decoded { events: calls.map(|call| arrival(call, round)).collect(), ..Decoded::default() }
}

/// The time of one turn of `work`, over and over, on a store of [`ROWS`] calls. Before each turn every hundredth call gets a
/// message, if `work` does not send it itself.
fn turns(count: u64, work: impl Fn(&mut Store, Decoded) -> Duration) -> Duration {
    let mut store = Store::default();
    store.apply(&mut decoded(0..ROWS, 0), &mut Vec::new());
    let calls = || (0..MESSAGES).map(|call| call * (ROWS / MESSAGES));
    (1..=count).map(|round| work(&mut store, decoded(calls(), round as u32))).sum()
}

fn apply(store: &mut Store, mut decoded: Decoded) -> Duration {
    let mut changes = Vec::new();
    let start = Instant::now();
    store.apply(black_box(&mut decoded), &mut changes);
    start.elapsed()
}

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(MESSAGES)));
    group.bench_function("messages", |bencher| bencher.iter_custom(|count| turns(count, apply)));
    group.bench_function("messages while a snapshot is held", |bencher| {
        bencher.iter_custom(|count| {
            turns(count, |store, decoded| {
                let held: Snapshot = store.snapshot(Arc::default());
                let spent = apply(store, decoded);
                drop(held);
                spent
            })
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("snapshot of 100,000 rows", |bencher| {
        bencher.iter_custom(|count| {
            turns(count, |store, decoded| {
                apply(store, decoded);
                let start = Instant::now();
                black_box(store.snapshot(Arc::default()));
                start.elapsed()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
