//! What a key costs in a table of 100,000 calls: scrolling, sorting, filtering, and a snapshot in which 500 rows changed.

#[path = "../screen/fixture.rs"]
mod fixture;

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use sipwatch::tui::{Options, Screen};

const CALLS: usize = 100_000;

fn screen() -> Screen {
    let mut screen = Screen::new(Options { utc: true, ..Options::default() });
    screen.offer(Arc::new(fixture::many(CALLS)));
    screen.render(160, 50);
    screen
}

fn keys(c: &mut Criterion) {
    let mut group = c.benchmark_group("a key in 100,000 calls");
    group.sample_size(20);
    let mut shown = screen();
    for (name, keys) in
        [("page down", "<pgdn>"), ("end and home", "Gg"), ("sort by the next column", ">"), ("reverse", "z")]
    {
        group.bench_function(name, |b| {
            b.iter(|| {
                shown.press(keys);
                shown.render(160, 50)
            });
        });
    }
    group.bench_function("filter by text, and drop it", |b| {
        b.iter(|| {
            shown.press("/2077");
            shown.render(160, 50);
            shown.press("<esc>");
        });
    });
    group.bench_function("a snapshot with 500 changed rows", |b| {
        let mut snapshot = fixture::many(CALLS);
        b.iter(|| {
            for n in 0..500 {
                if let Some(call) = snapshot.calls.get_mut(n * 199) {
                    call.message_count += 1;
                }
            }
            snapshot.generation += 1;
            shown.offer(Arc::new(snapshot.clone()));
            shown.render(160, 50)
        });
    });
    group.finish();
}

criterion_group!(benches, keys);
criterion_main!(benches);
