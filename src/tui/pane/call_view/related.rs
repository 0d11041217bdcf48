//! Calls that belong together: the other leg of a B2BUA, the call that a Replaces takes over.

use memchr::memmem::Finder;

use crate::sip::message::unfold;
use crate::store::snapshot::Snapshot;
use crate::time::Elapsed;
use crate::track::call::{Call, CallKey};

/// Headers that name another call's Call-ID, or an identity that several calls share (RFC 7989).
const NAMING: [&str; 4] = ["X-Call-ID", "X-CID", "Session-ID", "Replaces"];

/// Related calls begin within this time of each other; it keeps the look over all calls short.
const WITHIN: Elapsed = Elapsed::from_secs(3_600);

/// Calls added at most: a ladder of more says nothing.
const MOST: usize = 16;

/// A name shorter than this would be found in unrelated messages.
const SHORTEST: usize = 6;

/// The calls that those shown name, and those that name them; in order of appearance.
pub(super) fn related(shown: &[CallKey], snapshot: &Snapshot) -> Vec<CallKey> {
    let calls: Vec<&Call> = shown.iter().filter_map(|key| snapshot.call(*key)).map(AsRef::as_ref).collect();
    let names: Vec<String> = calls.iter().flat_map(|call| names(call)).collect();
    let finders: Vec<(Finder<'_>, &String)> =
        names.iter().filter(|name| name.len() >= SHORTEST).map(|name| (Finder::new(name), name)).collect();
    let near = |call: &Call| {
        let apart = |other: &&Call| call.started.since(other.started).nanos().saturating_abs();
        calls.iter().any(|other| apart(other) <= WITHIN.nanos())
    };
    let tied = |call: &Call| {
        names.iter().any(|name| *name == *call.call_id)
            || call.messages.get(0).is_some_and(|message| {
                let bytes = message.sip.bytes();
                finders.iter().any(|(finder, name)| finder.find(bytes).is_some() && names_of(message).contains(*name))
            })
    };
    let others = snapshot.calls.iter().filter(|call| !shown.contains(&call.key));
    others.filter(|call| near(call) && tied(call)).map(|call| call.key).take(MOST).collect()
}

/// A call's own Call-ID, and what its messages name.
fn names(call: &Call) -> Vec<String> {
    let mut out = vec![call.call_id.to_string()];
    for message in call.messages.iter() {
        for name in names_of(message) {
            if !out.contains(&name) {
                out.push(name);
            }
        }
    }
    out
}

fn names_of(message: &crate::track::message::Message) -> Vec<String> {
    let mut out = Vec::new();
    for header in NAMING {
        let Some(value) = message.sip.header_named(header) else { continue };
        let value = unfold(value);
        for (i, part) in value.split(';').enumerate() {
            let name = match part.trim().split_once('=') {
                Some((key, remote)) if header == "Session-ID" && key.eq_ignore_ascii_case("remote") => remote,
                None if i == 0 => part.trim(),
                Some(_) if i == 0 => part.trim(),
                _ => continue,
            };
            let is_nil = name.bytes().all(|byte| byte == b'0');
            if !is_nil {
                out.push(name.to_owned());
            }
        }
    }
    out
}
