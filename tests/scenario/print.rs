//! Rows as field names and text, to be compared with what a scenario expects.

use std::collections::BTreeMap;

use sipwatch::store::snapshot::Snapshot;
use sipwatch::store::stats::{Delays, Stats};
use sipwatch::time::{Elapsed, Timestamp};
use sipwatch::track::call::Call;
use sipwatch::track::stream::Stream;

use crate::run::START;

pub type Fields = BTreeMap<&'static str, String>;

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn millis(value: Option<Elapsed>) -> String {
    or_none(value.map(|value| format!("{:.3}", value.millis())))
}

fn second(value: Option<Timestamp>) -> String {
    or_none(value.map(|value| format!("{:.3}", value.since(START).seconds())))
}

fn words(text: &str) -> String {
    text.replace(' ', "_")
}

fn count(delays: Delays) -> String {
    format!("{}:{:.3}", delays.count, delays.max)
}

/// A call's fields. A space in a value is written `_`.
pub fn call(call: &Call, snapshot: &Snapshot) -> Fields {
    let timing = &call.timing;
    let dialogs =
        call.dialogs.iter().map(|dialog| format!("{}/{}:{}", dialog.from_tag, dialog.to_tag, dialog.state.name()));
    let marks = call.messages.iter().map(|message| match message.repeats {
        Some(first) => format!("{}r{first}", message.transaction),
        None => message.transaction.to_string(),
    });
    let subscription = call.subscription.as_ref();
    let list = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(",") };
    Fields::from([
        ("kind", call.kind.name().to_owned()),
        ("method", call.method.to_string()),
        ("state", call.state.name().to_owned()),
        ("status", or_none(call.status)),
        ("reason", words(&call.reason)),
        ("ended_by", or_none(call.ended_by.map(|side| side.name()))),
        ("cause", words(&or_none(call.cause.as_deref()))),
        ("from", call.from.user.to_string()),
        ("to", call.to.user.to_string()),
        ("src", call.src.to_string()),
        ("dst", call.dst.to_string()),
        ("started", second(Some(call.started))),
        ("ended", second(call.ended)),
        ("auth", millis(timing.auth)),
        ("challenges", timing.challenges.to_string()),
        ("retries", timing.retries.to_string()),
        ("pdd", millis(timing.pdd)),
        ("pdd_status", or_none(timing.pdd_status)),
        ("ring", millis(timing.ring)),
        ("setup", millis(timing.setup)),
        ("ack", millis(timing.ack)),
        ("talk", or_none(snapshot.now.and_then(|now| call.talk(now)).map(|talk| format!("{:.3}", talk.seconds())))),
        ("messages", call.message_count.to_string()),
        ("retransmissions", call.retransmissions.to_string()),
        ("branches", call.branches.to_string()),
        ("forwarded", call.forwarded.to_string()),
        ("dialogs", list(dialogs.collect())),
        ("codecs", list(call.codecs.iter().map(ToString::to_string).collect())),
        ("streams", call.streams.len().to_string()),
        ("transactions", list(marks.collect())),
        ("facts", call.facts.len().to_string()),
        ("event", or_none(subscription.map(|s| s.event.clone()))),
        ("resource", or_none(subscription.map(|s| s.resource.clone()))),
        ("granted", or_none(subscription.and_then(|s| s.granted_s))),
        ("expires_at", second(subscription.and_then(|s| s.expires_at))),
        ("sub_reason", or_none(subscription.and_then(|s| s.reason.clone()))),
        ("notifies", or_none(subscription.map(|s| s.notifies))),
        ("asserted", words(&or_none(call.identities.asserted.as_deref()))),
        ("diversion", words(&or_none(call.identities.diversion.as_deref()))),
        ("agent", words(&or_none(call.identities.user_agent.as_deref()))),
        ("server", words(&or_none(call.identities.server.as_deref()))),
    ])
}

/// A stream's fields.
pub fn stream(stream: &Stream, snapshot: &Snapshot) -> Fields {
    let call = stream.call.and_then(|key| snapshot.call(key)).map(|call| call.call_id.clone());
    Fields::from([
        ("packets", stream.packets.to_string()),
        ("bytes", stream.payload_bytes.to_string()),
        ("pt", stream.payload_type.to_string()),
        ("codec", or_none(stream.codec.as_deref())),
        ("call", or_none(call)),
        ("first", second(Some(stream.first))),
        ("last", second(Some(stream.last))),
    ])
}

/// The statistics' fields; delays as `count:maximum`.
pub fn stats(stats: &Stats) -> Fields {
    let wireshark = stats.wireshark;
    let peers = stats
        .peers
        .iter()
        .map(|peer| format!("{}:{}/{}/{}/{}", peer.address, peer.attempts, peer.answered, peer.user_side, peer.up));
    Fields::from([
        ("messages", stats.messages.to_string()),
        ("retransmissions", stats.retransmissions.to_string()),
        ("udp", stats.transports.first().map_or(0, |n| *n).to_string()),
        ("tcp", stats.transports.get(1).map_or(0, |n| *n).to_string()),
        ("requests", stats.requests.iter().map(|(m, s)| format!("{m}:{}", s.count)).collect::<Vec<_>>().join(",")),
        ("responses", stats.responses.iter().map(|(s, n)| format!("{s}:{}", n.0)).collect::<Vec<_>>().join(",")),
        ("pdd", count(stats.pdd)),
        ("setup", count(stats.setup)),
        ("ring", count(stats.ring)),
        ("auth", count(stats.auth)),
        ("registration", count(stats.registration)),
        ("release", count(stats.release)),
        ("attempts", stats.attempts.to_string()),
        ("answered", stats.answered.to_string()),
        ("user_side", stats.user_side.to_string()),
        ("talk", format!("{:.3}", stats.talk_s)),
        ("talked", stats.talked.to_string()),
        ("up", stats.calls_up.to_string()),
        ("in_setup", stats.calls_setup.to_string()),
        ("peers", peers.collect::<Vec<_>>().join(",")),
        ("ws_resent", wireshark.resent.to_string()),
        ("ws_setup", format!("{}/{}/{}", wireshark.setup_ms.0, wireshark.setup_ms.1, wireshark.setup_ms.2)),
        ("rtp", stats.rtp_packets.to_string()),
    ])
}
