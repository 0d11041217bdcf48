//! What the ends say of the stream, beside what was measured here. It never takes the place of that.

use super::{Scene, ms, section};
use crate::time::Elapsed;
use crate::track::stream::{Quality, Reported};
use crate::tui::theme::Role;
use crate::tui::widget::lines::Line;

/// Percent by which the receiver's loss must differ from ours to say where it arises.
const DIFFERS: f64 = 1.0;

pub(super) fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let quality = &scene.stream.quality;
    let Some(reported) = &quality.reported else {
        let text = "Nobody: no RTCP about this stream was captured, and no phone reported.";
        return vec![section("Reported by"), Line::blank().at(1, 76, text, Role::Dim), Line::blank()];
    };
    let heads = ["here", "receiver", "phone"];
    let mut out = vec![row("Reported by", heads.map(str::to_owned), Role::Header)];
    let rows = figures(quality, reported);
    out.extend(rows.map(|(name, values)| row(name, values, Role::Text)));
    if let Some(says) = reading(quality, reported) {
        out.push(Line::blank().at(1, 76, says, Role::Text));
    }
    out.push(Line::blank());
    out
}

fn row(name: &str, values: [String; 3], role: Role) -> Line {
    let name_role = if role == Role::Header { role } else { Role::Dim };
    let [here, receiver, phone] = values;
    Line::blank()
        .at(1, 25, name, name_role)
        .right(28, 14, here, role)
        .right(44, 14, receiver, role)
        .right(60, 14, phone, role)
}

fn figures(quality: &Quality, reported: &Reported) -> [(&'static str, [String; 3]); 7] {
    let (receiver, phone, metrics) = (reported.receiver, reported.phone, reported.metrics);
    let percent = |value: Option<f64>| value.map(|value| format!("{value:.1} %")).unwrap_or_default();
    let mos = |value: Option<f64>| value.map(|value| format!("{value:.1}")).unwrap_or_default();
    let trip = |value: Option<Elapsed>| ms(value.map(Elapsed::millis));
    let jitter = receiver.zip(quality.clock).map(|(says, clock)| f64::from(says.jitter) * 1_000.0 / f64::from(clock));
    let adaptive = quality.playout.map(|[.., adaptive]| adaptive.loss);
    let discarded = adaptive.filter(|loss| loss.expected > 0);
    let discarded = discarded.map(|loss| loss.discarded as f64 * 100.0 / loss.expected as f64);
    let lost = [
        percent(quality.lost_percent()),
        percent(receiver.map(|says| says.lost_percent)),
        percent(phone.and_then(|says| says.lost_percent)),
    ];
    let late = [
        percent(discarded),
        percent(metrics.map(|says| says.discard_percent())),
        percent(phone.and_then(|says| says.discard_percent)),
    ];
    let jitter = [ms(quality.jitter_now), ms(jitter), ms(phone.and_then(|says| says.jitter_ms))];
    let score = [
        quality.score.map(|score| score.cell()).unwrap_or_default(),
        mos(metrics.and_then(|says| says.mos_lq())),
        mos(phone.and_then(|says| says.mos_lq)),
    ];
    let part = |value: Option<Elapsed>| [trip(value), String::new(), String::new()];
    let whole = [trip(reported.round_trip), String::new(), ms(phone.and_then(|says| says.round_trip_ms))];
    [
        ("lost (receiver: lately)", lost),
        ("discarded, too late", late),
        ("jitter, ms", jitter),
        ("MOS", score),
        ("sender and back, ms", part(reported.sender_part)),
        ("receiver and back, ms", part(reported.receiver_part)),
        ("round trip, ms", whole),
    ]
}

/// What the difference says about the place of a fault.
fn reading(quality: &Quality, reported: &Reported) -> Option<&'static str> {
    if reported.is_encrypted && reported.receiver.is_none() {
        return Some("The RTCP of this call is encrypted; it tells nothing here.");
    }
    let here = quality.lost_percent()?;
    let there = reported.receiver.map(|says| says.lost_percent).or_else(|| reported.phone?.lost_percent)?;
    let discards = reported.metrics.map(|says| says.discard_percent()).unwrap_or_default();
    if here >= DIFFERS {
        Some("Lost before here: on the sender's side of this place.")
    } else if there >= here + DIFFERS {
        Some("Lost behind here: the receiver misses packets that went by.")
    } else if discards >= DIFFERS {
        Some("Not lost on the way: the receiver's own buffer discards packets.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Endpoint;
    use crate::rtp::rtcp::xr::VoipMetrics;
    use crate::time::Timestamp;
    use crate::track::stream::ReceiverSays;

    fn says(lost_here: u64, lost_percent: f64, metrics: Option<VoipMetrics>) -> Option<&'static str> {
        let receiver = ReceiverSays {
            at: Timestamp::default(),
            by: Endpoint::new([10, 0, 0, 1].into(), 4_001),
            lost_percent,
            lost: 0,
            highest_sequence: 0,
            jitter: 0,
        };
        let reported = Reported { receiver: Some(receiver), metrics, ..Reported::default() };
        reading(&Quality { expected: 1_000, lost: lost_here, ..Quality::default() }, &reported)
    }

    #[test]
    fn the_place_of_a_fault_is_told_by_who_sees_it() {
        assert!(says(50, 5.0, None).is_some_and(|text| text.starts_with("Lost before here")));
        assert!(says(0, 5.0, None).is_some_and(|text| text.starts_with("Lost behind here")));
        assert_eq!(says(0, 0.4, None), None);
        let metrics = VoipMetrics { discard_rate: 26, ..metrics() };
        assert!(says(0, 0.0, Some(metrics)).is_some_and(|text| text.contains("own buffer")));
        let closed = Reported { is_encrypted: true, ..Reported::default() };
        assert!(reading(&Quality::default(), &closed).is_some_and(|text| text.contains("encrypted")));
    }

    fn metrics() -> VoipMetrics {
        VoipMetrics {
            reporter: 1,
            source: 2,
            loss_rate: 0,
            discard_rate: 0,
            burst_density: 0,
            gap_density: 0,
            burst_ms: 0,
            gap_ms: 0,
            round_trip_ms: 0,
            end_system_ms: 0,
            signal_dbm: None,
            noise_dbm: None,
            echo_return_loss_db: None,
            gap_minimum: 16,
            r_factor: None,
            external_r_factor: None,
            mos_lq_tenths: None,
            mos_cq_tenths: None,
            configuration: 0,
            buffer_nominal_ms: 0,
            buffer_maximum_ms: 0,
            buffer_absolute_maximum_ms: 0,
        }
    }
}
