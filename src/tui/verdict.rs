//! What is wrong with a stream: at a glance, and in one sentence.

use std::fmt::Write;
use std::sync::Arc;

use crate::packet::Endpoint;
use crate::rtp::mos::{Level, Score, Thresholds};
use crate::rtp::playout::Figures;
use crate::sdp::Sdp;
use crate::sip::multipart;
use crate::store::snapshot::Snapshot;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::{Call, CallKind, CallState};
use crate::track::stream::Stream;

use super::format::{Zone, counted};
use super::theme::{Glyph, Role};

/// Without a packet for so long, a stream is silent.
const SILENT: Elapsed = Elapsed::from_secs(3);

/// Without a packet for so long, it is over, whatever its call says.
const OVER: Elapsed = Elapsed::from_secs(30);

/// A stream that nothing answered for so long after the call was, goes one way.
const UNANSWERED: Elapsed = Elapsed::from_secs(2);

/// Messages of a call whose SDP is looked through.
const SDP_MESSAGES: usize = 64;

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Packets come.
    Runs,
    /// None has come for a few seconds: a pause of the speaker, or a break.
    Silent,
    /// Its call is over, or nothing has come for long.
    Over,
}

impl Life {
    /// That of a stream at the snapshot's time.
    pub fn of(stream: &Stream, snapshot: &Snapshot) -> Self {
        let quiet = snapshot.now.unwrap_or(stream.last).since(stream.last);
        let hung_up = stream.call.and_then(|key| snapshot.call(key)).is_some_and(|call| call.ended.is_some());
        match quiet {
            quiet if quiet >= OVER || (hung_up && quiet >= Elapsed::from_secs(1)) => Self::Over,
            quiet if quiet >= SILENT => Self::Silent,
            _ => Self::Runs,
        }
    }

    /// As the first column shows it.
    pub const fn glyph(self) -> (Glyph, Role) {
        match self {
            Self::Runs => (Glyph::Up, Role::Good),
            Self::Silent => (Glyph::Waiting, Role::Progress),
            Self::Over => (Glyph::Done, Role::Text),
        }
    }
}

/// The worst that can be said of a stream, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It comes from or goes to an address that the SDP of its call does not name.
    Nat,
    /// Something is worth a look.
    Warn,
    /// Nothing comes back.
    OneWay,
    /// People complain.
    Error,
}

impl Trouble {
    /// That of a stream.
    pub fn of(stream: &Stream, snapshot: &Snapshot) -> Self {
        match level(stream) {
            Level::Error => Self::Error,
            _ if is_one_way(stream, snapshot) => Self::OneWay,
            Level::Warn => Self::Warn,
            Level::Fine if is_translated(stream) => Self::Nat,
            Level::Fine => Self::None,
        }
    }

    /// Its mark, if it has one.
    pub const fn glyph(self) -> Option<(Glyph, Role)> {
        match self {
            Self::None => None,
            Self::Nat => Some((Glyph::Differs, Role::Request)),
            Self::Warn => Some((Glyph::Warning, Role::Warn)),
            Self::OneWay => Some((Glyph::OneWay, Role::Bad)),
            Self::Error => Some((Glyph::Cross, Role::Bad)),
        }
    }
}

/// How a figure of this level looks.
pub const fn role(level: Level) -> Role {
    match level {
        Level::Fine => Role::Text,
        Level::Warn => Role::Warn,
        Level::Error => Role::Bad,
    }
}

/// The score that a cell shows: that of the last ten seconds while the stream goes on, then that of the whole.
pub fn score(stream: &Stream, snapshot: &Snapshot) -> Option<Score> {
    let quality = &stream.quality;
    match Life::of(stream, snapshot) {
        Life::Over => quality.score,
        Life::Runs | Life::Silent => quality.score_now.or(quality.score),
    }
}

/// The level of a score; one without a published row has none.
pub fn score_level(score: &Score) -> Level {
    Thresholds::default().mos(score).unwrap_or(Level::Fine)
}

/// What a listener has behind the adaptive buffer.
pub fn heard(stream: &Stream) -> Option<&Figures> {
    stream.quality.playout.as_ref().map(|[.., adaptive]| adaptive)
}

/// The worst level of its figures. Ten bad seconds of a good stream are worth a look.
fn level(stream: &Stream) -> Level {
    let (thresholds, quality) = (Thresholds::default(), &stream.quality);
    let lost = quality.lost_percent().map(|percent| thresholds.loss(percent));
    let missing = heard(stream).and_then(|heard| heard.loss.percent()).map(|percent| thresholds.loss(percent));
    let jitter = quality.jitter_percentiles.map(|jitter| thresholds.jitter(jitter.p95));
    let mos = quality.score.as_ref().map(score_level);
    let worst = quality.worst.as_ref().map(|(_, score)| score_level(score).min(Level::Warn));
    [lost, missing, jitter, mos, worst].into_iter().flatten().max().unwrap_or(Level::Fine)
}

/// Whether the call was answered, the stream goes on since, and nothing comes back.
pub fn is_one_way(stream: &Stream, snapshot: &Snapshot) -> bool {
    let Some(call) = stream.call.and_then(|key| snapshot.call(key)) else { return false };
    // Of a call that was up when the capture began, nobody saw the answer.
    let joined = (call.state == CallState::InCall).then_some(call.started);
    let answered = call.timing.answered.or(joined).filter(|_| call.kind == CallKind::Invite);
    let alone = answered.is_some_and(|answered| stream.last.since(answered.max(stream.first)) >= UNANSWERED);
    alone && snapshot.answering(stream).is_none()
}

/// Whether one of its ends, but not the other, stands in the SDP of its call.
pub fn is_translated(stream: &Stream) -> bool {
    let announced = stream.quality.announced;
    stream.call.is_some() && announced.src != announced.dst
}

/// For a translated stream: its address on the wire and those that SDP gives in its place.
pub fn translation(stream: &Stream, call: &Call) -> Option<(Endpoint, Vec<Endpoint>)> {
    if !is_translated(stream) {
        return None;
    }
    let (named, unnamed) = match stream.quality.announced.src {
        true => (stream.flow.src, stream.flow.dst),
        false => (stream.flow.dst, stream.flow.src),
    };
    let mut stated: Vec<Endpoint> = Vec::new();
    for message in call.messages.iter().take(SDP_MESSAGES) {
        let Some(body) = multipart::sdp_body(&message.sip) else { continue };
        let media = Sdp::parse(body).media_endpoints();
        let ends = media.iter().filter(|end| !end.is_rtcp).map(|end| Endpoint::new(end.ip, end.port));
        let ends: Vec<Endpoint> = ends.collect();
        if !ends.contains(&named) {
            stated.extend(ends.iter().filter(|end| !stated.contains(end)).copied().collect::<Vec<_>>());
        }
    }
    Some((unnamed, stated))
}

/// The sentence on a stream, and how it looks.
pub fn sentence(stream: &Stream, snapshot: &Snapshot, zone: Zone) -> (String, Role) {
    let trouble = Trouble::of(stream, snapshot);
    let mut parts = Vec::new();
    if is_one_way(stream, snapshot) {
        parts.push(format!("One way: nothing comes back from {}", stream.flow.dst.ip));
    }
    parts.extend(losses(stream, zone));
    parts.extend(jitter(stream));
    let call = stream.call.and_then(|key| snapshot.call(key));
    if let Some(text) = call.and_then(|call| translated(stream, call)) {
        parts.push(text);
    }
    if Life::of(stream, snapshot) == Life::Silent {
        let quiet = snapshot.now.unwrap_or(stream.last).since(stream.last);
        parts.push(format!("Silent for {} s", quiet.whole_seconds()));
    }
    if parts.is_empty() {
        parts.push(healthy(stream));
    }
    let look = match trouble {
        Trouble::None => Role::Good,
        Trouble::Nat => Role::Text,
        Trouble::Warn => Role::Warn,
        Trouble::OneWay | Trouble::Error => Role::Bad,
    };
    (parts.join(". "), look)
}

fn losses(stream: &Stream, zone: Zone) -> Option<String> {
    let quality = &stream.quality;
    let missing = heard(stream).map_or(0, |heard| heard.loss.missing());
    if quality.lost == 0 && missing == 0 {
        return None;
    }
    let mut out = match quality.lost {
        0 => "Nothing lost".to_owned(),
        lost => {
            format!("Lost {} ({} of {})", percent(quality.lost_percent()), counted(lost), counted(quality.expected))
        }
    };
    if let Some(heard) = heard(stream).filter(|heard| heard.loss.discarded > 0) {
        let _ = write!(out, ", {} too late: a listener misses {}", heard.loss.discarded, percent(heard.loss.percent()));
    }
    if let Some((window, score)) = quality.worst.as_ref().filter(|(window, _)| window.loss.missing() > 0) {
        let (missing, at) = (percent(window.loss.percent()), zone.format(window.start, "%H:%M:%S"));
        let _ = write!(out, "; worst 10 s at {at}: {missing}, MOS {}", score.cell());
    }
    Some(out)
}

fn jitter(stream: &Stream) -> Option<String> {
    let p95 = stream.quality.jitter_percentiles?.p95;
    let is_high = Thresholds::default().jitter(p95) > Level::Fine;
    is_high.then(|| format!("Jitter up to {p95:.0} ms (p95)"))
}

fn translated(stream: &Stream, call: &Arc<Call>) -> Option<String> {
    let (on_wire, stated) = translation(stream, call)?;
    let verb = if stream.quality.announced.src { "goes to" } else { "comes from" };
    let same_host = stated.iter().any(|end| end.ip == on_wire.ip);
    let why = if same_host { "Not the announced port" } else { "NAT" };
    let stated: Vec<String> = stated.iter().take(2).map(ToString::to_string).collect();
    Some(match stated.is_empty() {
        true => format!("{why}: {verb} {on_wire}, which no SDP of the call names"),
        false => format!("{why}: {verb} {on_wire}, SDP says {}", stated.join(" or ")),
    })
}

fn healthy(stream: &Stream) -> String {
    let quality = &stream.quality;
    let mut out = String::from("Nothing lost");
    if let Some(jitter) = quality.jitter_percentiles {
        let _ = write!(out, ", jitter p95 {:.1} ms", jitter.p95);
    }
    match &quality.score {
        Some(score) => {
            let _ = write!(out, ", MOS {} ({})", score.cell(), score.band().text());
        }
        None if stream.codec.is_none() => out.push_str("; the codec is not known, so there is no MOS"),
        None => {}
    }
    out
}

/// `5.2 %`, `<0.1 %`, `0 %`; nothing for what is not known.
pub fn percent(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(0.0) => "0 %".to_owned(),
        Some(value) if value < 0.05 => "<0.1 %".to_owned(),
        Some(value) if value >= 99.95 => "100 %".to_owned(),
        Some(value) => format!("{value:.1} %"),
    }
}

/// From its first packet to its newest.
pub fn length(stream: &Stream) -> Elapsed {
    stream.last.since(stream.first).max(Elapsed::ZERO)
}

/// The time that a stream's running figures count to.
pub fn now(stream: &Stream, snapshot: &Snapshot) -> Timestamp {
    snapshot.now.unwrap_or(stream.last)
}
