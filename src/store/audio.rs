//! How a call sounds: the worst of what its audio streams say at this moment.

use crate::limits::MOS_PACKETS;
use crate::rtp::mos::Score;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::Call;
use crate::track::stream::{Stream, StreamKey};

use super::rows::Rows;

/// A stream that sent within this time is going on, and its newest score counts; after it, that of the whole stream.
const GOING_ON: Elapsed = Elapsed::from_secs(5);

/// The worst figures of a call's current audio streams. Each may be of another stream; `None` where none has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Audio {
    /// The lowest score and whose it is: of the last ten seconds while the stream goes on, else of all of it.
    pub score: Option<(Score, StreamKey)>,
    /// The greatest 95th percentile of the jitter, in ms.
    pub jitter_p95: Option<f64>,
    /// Whether one that has no score had packets enough for one: no value was published for its codec.
    pub is_unscored: bool,
    /// The greatest share of packets lost on the way here, in percent.
    pub lost_percent: Option<f64>,
}

impl Audio {
    /// How a call sounds as of `now`.
    pub fn of(call: &Call, streams: &Rows<Stream>, now: Timestamp) -> Self {
        let mut audio = Self::default();
        if call.streams.is_empty() {
            return audio;
        }
        for stream in current(call, streams) {
            let quality = &stream.quality;
            audio.is_unscored |= quality.score.is_none() && quality.expected >= MOS_PACKETS;
            if let Some(score) = score(stream, call, now)
                && audio.score.is_none_or(|(lowest, _)| score.mos < lowest.mos)
            {
                audio.score = Some((score, stream.key));
            }
            audio.jitter_p95 = greater(audio.jitter_p95, quality.jitter_percentiles.map(|jitter| jitter.p95));
            audio.lost_percent = greater(audio.lost_percent, quality.lost_percent());
        }
        audio
    }
}

/// The score to show of a stream: of its last ten seconds while it goes on, else of all of it.
pub fn score(stream: &Stream, call: &Call, now: Timestamp) -> Option<Score> {
    let goes_on = call.state.is_live() && now.since(stream.last) < GOING_ON;
    let live = stream.quality.score_now.filter(|_| goes_on);
    live.or(stream.quality.score)
}

/// Whole seconds since the stream's newest packet, while its call goes on; of one that is over, silence says nothing.
pub fn passed(stream: &Stream, call: &Call, now: Timestamp) -> Option<usize> {
    let seconds = now.since(stream.last).whole_seconds();
    call.state.is_live().then(|| usize::try_from(seconds).unwrap_or(0))
}

/// The audio streams of a call that no later one has replaced, in order of appearance. Another SSRC between the same ends
/// replaces a stream, and so does one that begins from the same address to the same address, or at one of its ends, after
/// the stream has ended.
pub fn current<'s>(call: &Call, streams: &'s Rows<Stream>) -> impl Iterator<Item = &'s Stream> {
    let all: Vec<&Stream> = call.streams.iter().filter_map(|key| streams.get(key.0)).map(AsRef::as_ref).collect();
    let is_replaced = |stream: &Stream| all.iter().any(|other| replaces(other, stream));
    let current: Vec<&Stream> = all.iter().copied().filter(|stream| is_audio(stream) && !is_replaced(stream)).collect();
    current.into_iter()
}

/// Whether it is heard: video and unknown codecs have no listener's buffer.
pub fn is_audio(stream: &Stream) -> bool {
    stream.quality.playout.is_some() || stream.quality.clock.is_none()
}

fn replaces(later: &Stream, stream: &Stream) -> bool {
    if later.key <= stream.key || !is_audio(later) || later.first < stream.last {
        return false;
    }
    let (new, old) = (&later.flow, &stream.flow);
    new.src == old.src || new.dst == old.dst || (new.src.ip == old.src.ip && new.dst.ip == old.dst.ip)
}

fn greater(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rtp::mos::{Codec, Options, row};
    use crate::rtp::playout::Loss;
    use crate::store::sample::{at, call, message, request, stream};
    use crate::track::call::CallState;
    use crate::track::stream::Quality;

    const A: &str = "10.0.0.1:4000";
    const B: &str = "10.0.0.2:5000";

    fn scored(lost: u64) -> Score {
        let row = row(&Codec { name: "PCMU", ..Codec::default() }, &Options::default()).unwrap();
        row.listening(&Loss { expected: 1_000, lost, discarded: 0, runs: lost }).unwrap()
    }

    fn heard(mut stream: Stream, lost: u64, now: u64) -> Stream {
        stream.quality = Arc::new(Quality {
            expected: 1_000,
            lost,
            score: Some(scored(lost)),
            score_now: Some(scored(now)),
            ..Quality::default()
        });
        stream
    }

    fn of(streams: Vec<Stream>, state: CallState, now: Timestamp) -> Audio {
        let mut call = call(
            0,
            "one",
            vec![message(1, 0, "10.0.0.1:5060", "10.0.0.2:5060", &request("INVITE", "one", "1 INVITE"))],
        );
        call.state = state;
        call.streams = streams.iter().map(|stream| stream.key).collect();
        let mut rows = Rows::default();
        for stream in streams {
            rows.push(stream);
        }
        Audio::of(&call, &rows, now)
    }

    #[test]
    fn the_worse_direction_counts_now_while_the_call_is_up_and_as_a_whole_after_it() {
        let streams = || vec![heard(stream(0, 0, A, B, 1_000), 100, 0), heard(stream(1, 0, B, A, 1_000), 20, 50)];
        let live = of(streams(), CallState::InCall, at(20_500_000));
        let (score, key) = live.score.unwrap();
        assert_eq!((score.mos, key), (scored(50).mos, StreamKey(1)));
        assert_eq!(live.lost_percent, Some(10.0));
        let over = of(streams(), CallState::Completed, at(20_500_000));
        assert_eq!(over.score, Some((scored(100), StreamKey(0))));
        let silent = of(streams(), CallState::InCall, at(40_000_000));
        assert_eq!(silent.score, over.score);
    }

    #[test]
    fn what_a_later_stream_replaced_does_not_count() {
        let elsewhere = "10.0.0.9:6000";
        let bad = heard(stream(0, 0, A, B, 100), 500, 500);
        for (src, dst) in [(A, B), (A, elsewhere), ("10.0.0.1:4002", "10.0.0.2:5002")] {
            let audio = of(
                vec![bad.clone(), heard(stream(1, 2_000_001, src, dst, 100), 0, 0)],
                CallState::Completed,
                at(5_000_000),
            );
            assert_eq!(audio.lost_percent, Some(0.0), "{src} {dst}");
        }
        let beside = of(vec![bad, heard(stream(1, 1_000_000, A, B, 100), 0, 0)], CallState::Completed, at(5_000_000));
        assert_eq!(beside.lost_percent, Some(50.0), "both at the same time are two streams");
        assert_eq!(of(Vec::new(), CallState::InCall, at(0)), Audio::default());
    }
}
