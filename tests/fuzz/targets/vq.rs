//! The body of a voice quality report.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::{VQ_OTHERS, VQ_TEXT_BYTES};
use sipwatch::rtp::vq_report::{VqMetrics, VqOther, VqReport};

fuzz_target!(|input: &[u8]| {
    let Some(report) = VqReport::parse(input) else { return };
    check(&report.others);
    let texts = [&report.call_id, &report.local_id, &report.remote_id, &report.originator_id, &report.local_group];
    assert!(texts.into_iter().flatten().all(|text| text.len() <= VQ_TEXT_BYTES));
    for metrics in [Some(&report.local), report.remote.as_ref()].into_iter().flatten() {
        check(&metrics.others);
        check(&metrics.algorithms);
        assert!(numbers(metrics).into_iter().flatten().all(f64::is_finite));
    }
});

fn check(others: &[VqOther]) {
    assert!(others.len() <= VQ_OTHERS);
    assert!(others.iter().all(|other| other.name.len() <= VQ_TEXT_BYTES && other.value.len() <= VQ_TEXT_BYTES));
}

fn numbers(metrics: &VqMetrics) -> [Option<f64>; 6] {
    let VqMetrics { loss_percent, discard_percent, round_trip_ms, jitter_ms, mos_lq, r_lq, .. } = *metrics;
    [loss_percent, discard_percent, round_trip_ms, jitter_ms, mos_lq, r_lq]
}
