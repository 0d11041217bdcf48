//! Which way a call's media should go by its SDP, and which way it goes on the wire: both directions side by side, so that
//! one that is silent stands out, and one whose addresses are not those of the SDP (NAT).

use std::collections::HashMap;

use crate::packet::Endpoint;
use crate::sdp::{Direction, Media, Sdp};
use crate::sip::Method;
use crate::sip::multipart::sdp_body;
use crate::time::{Elapsed, Timestamp};
use crate::track::call::Call;
use crate::track::message::Message;
use crate::track::stream::{Stream, StreamKey};

use super::audio;
use super::rows::Rows;

/// A direction that brought nothing for so long is said to be silent: talkers' pauses and comfort noise are shorter.
pub const SILENT_AFTER: Elapsed = Elapsed::from_secs(5);

/// How often the same two sides may announce new ends before the look over a call's messages stops.
const HOPS: usize = 64;

/// One direction of a call's audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Where the sender wants to receive, and mostly sends from; `None` when no SDP tells.
    pub sender: Option<Endpoint>,
    /// Where the receiver wants to receive.
    pub receiver: Option<Endpoint>,
    /// Its newest stream.
    pub stream: Option<StreamKey>,
    /// Sender and receiver on the wire, of that stream.
    pub wire: Option<(Endpoint, Endpoint)>,
    /// Since when SDP says that packets should come; `None` when it does not say so: not answered, on hold, switched off.
    pub due: Option<Timestamp>,
    /// When the newest packet came.
    pub last: Option<Timestamp>,
    /// When the call ended, if it did: silence is counted up to then.
    pub ended: Option<Timestamp>,
    /// Why nothing is due, if SDP says so.
    pub rest: Option<&'static str>,
    /// The end that is another one on the wire than any that the call's SDP ever named, as `(wire, SDP)`: a NAT, or a relay
    /// that nobody announced.
    pub translated: Option<(Endpoint, Endpoint)>,
}

impl Path {
    /// Since when nothing comes although it should, and until when; `None` while all is well.
    pub fn silence(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let due = self.due?;
        let since = self.last.map_or(due, |last| last.max(due));
        let until = self.ended.unwrap_or(now);
        (until.since(since) >= SILENT_AFTER).then_some((since, until))
    }

    /// Whether no packet ever came.
    pub const fn is_empty(&self) -> bool {
        self.stream.is_none()
    }

    fn find_translated(&mut self, named: &[Endpoint]) {
        let Some((src, dst)) = self.wire else { return };
        let differs = |wire: Endpoint, sdp: Option<Endpoint>| {
            sdp.filter(|sdp| *sdp != wire && !named.contains(&wire)).map(|sdp| (wire, sdp))
        };
        self.translated = differs(src, self.sender).or_else(|| differs(dst, self.receiver));
    }
}

/// The audio of a call between two ends: `there` from the side that began, `back` the other way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// From the first to the second end.
    pub there: Path,
    /// From the second to the first.
    pub back: Path,
}

impl Pair {
    /// Both directions.
    pub const fn both(&self) -> [&Path; 2] {
        [&self.there, &self.back]
    }

    /// Whether exactly one direction is silent.
    pub fn is_one_way(&self, now: Timestamp) -> bool {
        self.there.silence(now).is_some() != self.back.silence(now).is_some()
    }
}

/// What one side of a hop announced last for its audio.
#[derive(Clone, Copy, Debug)]
struct Announced {
    end: Endpoint,
    sends: bool,
    receives: bool,
}

/// Two signalling hosts that speak to each other.
#[derive(Debug)]
struct Hop {
    a: Endpoint,
    of_a: Option<Announced>,
    of_b: Option<Announced>,
    answered: Option<Timestamp>,
    /// When both sides last announced the ends that they have now.
    agreed: Timestamp,
}

impl Hop {
    fn side(&mut self, src: Endpoint) -> &mut Option<Announced> {
        if src == self.a { &mut self.of_a } else { &mut self.of_b }
    }
}

/// The pairs of a call's audio: those that its SDP announces, the caller's first, then streams that fit to none. A capture
/// without any stream says nothing about media, and none is missed in it.
pub fn of(call: &Call, streams: &Rows<Stream>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    if streams.is_empty() {
        return pairs;
    }
    let mut named: Vec<Endpoint> = Vec::new();
    for hop in hops(call, &mut named) {
        let (Some(a), Some(b)) = (hop.of_a, hop.of_b) else { continue };
        if a.end == b.end {
            continue;
        }
        let is_known = |pair: &Pair| {
            let ends = (pair.there.sender, pair.there.receiver);
            ends == (Some(a.end), Some(b.end)) || ends == (Some(b.end), Some(a.end))
        };
        if let Some(known) = pairs.iter_mut().find(|pair| is_known(pair)) {
            // A proxy that only passes SDP on: the hop that was answered first says since when.
            if known.there.due.is_none() && known.there.rest.is_none() && hop.answered.is_some() {
                *known = announced(call, &hop, a, b);
            }
            continue;
        }
        pairs.push(announced(call, &hop, a, b));
    }
    let mut loose: Vec<&Stream> = Vec::new();
    for stream in audio::current(call, streams) {
        if !pairs.iter_mut().any(|pair| take(pair, stream)) {
            loose.push(stream);
        }
    }
    for stream in loose {
        if !pairs.iter_mut().any(|pair| take_by_wire(pair, stream)) {
            pairs.push(unannounced(call, stream));
        }
    }
    for pair in &mut pairs {
        find_elsewhere(&mut pair.there, call, streams);
        find_elsewhere(&mut pair.back, call, streams);
        pair.there.find_translated(&named);
        pair.back.find_translated(&named);
    }
    let is_shown = |pair: &Pair| pair.both().iter().any(|path| path.stream.is_some() || path.due.is_some());
    pairs.retain(is_shown);
    // A branch that was answered and then left by a re-INVITE, or a relay that is not captured, must not hide what is heard.
    pairs.sort_by_key(|pair| pair.both().iter().all(|path| path.stream.is_none()));
    pairs
}

/// The hops of a call, each with what its two sides announced last. All ends that were ever announced go to `named`.
fn hops(call: &Call, named: &mut Vec<Endpoint>) -> Vec<Hop> {
    let mut hops: Vec<Hop> = Vec::new();
    let mut by_ends: HashMap<(Endpoint, Endpoint), usize> = HashMap::new();
    for message in call.messages.iter().filter(|message| message.repeats.is_none()) {
        let (src, dst) = hosts(message);
        let answers = is_answer(message);
        let audio = if message.has_sdp { announcement(message) } else { None };
        if !answers && audio.is_none() {
            continue;
        }
        let at = *by_ends.entry((src.min(dst), src.max(dst))).or_insert(hops.len());
        if at == hops.len() {
            if hops.len() >= HOPS {
                break;
            }
            hops.push(Hop { a: src, of_a: None, of_b: None, answered: None, agreed: message.at });
        }
        let Some(hop) = hops.get_mut(at) else { continue };
        if let Some(audio) = audio {
            if named.len() < HOPS && !named.contains(&audio.end) {
                named.push(audio.end);
            }
            let before = hop.side(src).replace(audio);
            if before.is_none_or(|before| before.end != audio.end || before.sends != audio.sends) {
                hop.agreed = message.at;
            }
        }
        if answers {
            hop.answered = hop.answered.or(Some(message.at));
        }
    }
    hops
}

/// The two hosts of a hop, whatever their ports: requests and responses of a phone come and go at different ones. A host
/// that talks to itself is told apart by its ports.
fn hosts(message: &Message) -> (Endpoint, Endpoint) {
    let (src, dst) = (message.flow.src, message.flow.dst);
    if src.ip == dst.ip { (src, dst) } else { (Endpoint::new(src.ip, 0), Endpoint::new(dst.ip, 0)) }
}

/// Whether it is the 2xx to an INVITE.
fn is_answer(message: &Message) -> bool {
    let success = message.sip.status().is_some_and(|status| (200..300).contains(&status));
    success && message.sip.cseq().is_some_and(|cseq| cseq.method() == Method::Invite.as_str())
}

fn announcement(message: &Message) -> Option<Announced> {
    let sdp = Sdp::parse(sdp_body(&message.sip)?);
    let is_audio = |medium: &&Media<'_>| medium.kind.eq_ignore_ascii_case("audio") && medium.is_rtp();
    let medium = sdp.media.iter().find(is_audio)?;
    let ip = medium.connection()?;
    let held = ip.is_unspecified() || medium.port == 0;
    let direction = medium.direction();
    Some(Announced {
        end: Endpoint::new(ip, medium.port),
        sends: !matches!(direction, Direction::RecvOnly | Direction::Inactive) && medium.port != 0,
        receives: !matches!(direction, Direction::SendOnly | Direction::Inactive) && !held,
    })
}

fn announced(call: &Call, hop: &Hop, a: Announced, b: Announced) -> Pair {
    let path = |from: Announced, to: Announced| Path {
        sender: Some(from.end),
        receiver: Some(to.end),
        stream: None,
        wire: None,
        due: hop.answered.filter(|_| from.sends && to.receives).map(|answered| answered.max(hop.agreed)),
        last: None,
        ended: end(call),
        rest: match from.end.port == 0 || to.end.port == 0 {
            true => Some("switched off in SDP"),
            false => (!(from.sends && to.receives)).then_some("none due: SDP asks for none"),
        },
        translated: None,
    };
    Pair { there: path(a, b), back: path(b, a) }
}

fn unannounced(call: &Call, stream: &Stream) -> Pair {
    let path = Path {
        sender: None,
        receiver: None,
        stream: None,
        wire: None,
        due: None,
        last: None,
        ended: end(call),
        rest: None,
        translated: None,
    };
    let mut pair = Pair { there: path.clone(), back: path };
    carry(&mut pair.there, stream);
    pair
}

fn end(call: &Call) -> Option<Timestamp> {
    call.timing.hung_up.or(call.ended)
}

/// Gives the stream to the direction that SDP announced it for.
fn take(pair: &mut Pair, stream: &Stream) -> bool {
    let (src, dst) = (stream.flow.src, stream.flow.dst);
    for path in [&mut pair.there, &mut pair.back] {
        if path.receiver == Some(dst) || path.sender == Some(src) {
            carry(path, stream);
            return true;
        }
    }
    false
}

/// Gives the stream to the direction whose other one it answers on the wire.
fn take_by_wire(pair: &mut Pair, stream: &Stream) -> bool {
    let reversed = Some((stream.flow.dst, stream.flow.src));
    let same = Some((stream.flow.src, stream.flow.dst));
    // An end that sends from another port than it receives at.
    let answers = |path: &Path, other: &Path| {
        path.is_empty()
            && other.wire.is_some_and(|(src, dst)| {
                let ips = stream.flow.src.ip == dst.ip && stream.flow.dst.ip == src.ip;
                ips && (stream.flow.src == dst || stream.flow.dst == src)
            })
    };
    let path = if pair.there.wire == reversed || pair.back.wire == same || answers(&pair.back, &pair.there) {
        &mut pair.back
    } else if pair.back.wire == reversed || pair.there.wire == same || answers(&pair.there, &pair.back) {
        &mut pair.there
    } else {
        return false;
    };
    carry(path, stream);
    true
}

/// A direction without a stream may have one all the same: two legs of a call that sends its media past the server announce
/// the same ends, and a stream belongs to one of them.
fn find_elsewhere(path: &mut Path, call: &Call, streams: &Rows<Stream>) {
    if path.stream.is_some() || path.due.is_none() {
        return;
    }
    let (sender, receiver) = (path.sender, path.receiver);
    let until = path.ended;
    let here = |stream: &&Stream| {
        let is_meant = Some(stream.flow.dst) == receiver && Some(stream.flow.src) == sender;
        is_meant && stream.last >= call.started && until.is_none_or(|until| stream.first <= until)
    };
    for stream in streams.iter().map(AsRef::as_ref).filter(here) {
        carry(path, stream);
    }
}

/// The newest stream of a direction is the one that counts.
fn carry(path: &mut Path, stream: &Stream) {
    if path.last.is_none_or(|last| last <= stream.last) {
        path.stream = Some(stream.key);
        path.wire = Some((stream.flow.src, stream.flow.dst));
        path.last = Some(stream.last);
    }
}

#[cfg(test)]
mod tests;
