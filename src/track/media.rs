//! Where SDP says that media will be received, so that RTP can be tied to its call (RFC 3264, 8566).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::limits::{CALL_MEDIA, CODEC_NAMES, MEDIA_ENDPOINTS};
use crate::packet::{Endpoint, FlowKey};
use crate::sdp::Sdp;
use crate::sdp::payload_type::static_payload_type;

use super::call::CallKey;

/// Codec names by payload type.
pub type CodecNames = Arc<[(u8, Arc<str>)]>;

/// Who announced an endpoint, and what it will receive there.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The call.
    pub call: CallKey,
    /// Names of the payload types.
    pub codecs: CodecNames,
}

/// All announced endpoints; the newest announcement of one counts.
#[derive(Debug, Default)]
pub struct MediaMap {
    by_endpoint: HashMap<Endpoint, Announced, RandomState>,
    names: HashMap<Box<str>, Arc<str>>,
    lists: HashSet<CodecNames>,
    refused: u64,
}

impl MediaMap {
    /// Remembers what a description of this call announces, and lists it.
    pub fn announce(&mut self, call: CallKey, sdp: &Sdp<'_>, known: &mut Vec<Endpoint>) -> Vec<Endpoint> {
        let mut codecs: Vec<(u8, Arc<str>)> = Vec::new();
        for medium in &sdp.media {
            for payload_type in medium.payload_types().take(CALL_MEDIA) {
                if let Some(codec) = medium.codec(payload_type) {
                    codecs.push((payload_type, self.name(codec.name)));
                }
            }
        }
        let codecs = self.list(codecs);
        let mut announced = Vec::new();
        for medium in sdp.media_endpoints().into_iter().filter(|medium| !medium.is_rtcp) {
            let endpoint = Endpoint::new(medium.ip, medium.port);
            if self.remember(endpoint, Announced { call, codecs: Arc::clone(&codecs) }, known) {
                announced.push(endpoint);
            }
        }
        announced
    }

    fn remember(&mut self, endpoint: Endpoint, announced: Announced, known: &mut Vec<Endpoint>) -> bool {
        let is_new = !known.contains(&endpoint);
        let is_full = self.by_endpoint.len() >= MEDIA_ENDPOINTS && !self.by_endpoint.contains_key(&endpoint);
        if is_full || (is_new && known.len() >= CALL_MEDIA) {
            self.refused += 1;
            return false;
        }
        if is_new {
            known.push(endpoint);
        }
        self.by_endpoint.insert(endpoint, announced);
        true
    }

    /// Forgets the endpoints of a call, unless another call has announced them since.
    pub fn forget(&mut self, call: CallKey, endpoints: &[Endpoint]) {
        for endpoint in endpoints {
            if self.by_endpoint.get(endpoint).is_some_and(|announced| announced.call == call) {
                self.by_endpoint.remove(endpoint);
            }
        }
    }

    /// The announcement that a packet of this flow belongs to: that of its receiver, else of its sender (whose address NAT may
    /// have changed on the way).
    pub fn of(&self, flow: &FlowKey) -> Option<&Announced> {
        self.by_endpoint.get(&flow.dst).or_else(|| self.by_endpoint.get(&flow.src))
    }

    /// The codec of a payload type: as the call names it, else by the static table.
    pub fn codec(&mut self, flow: &FlowKey, call: Option<CallKey>, payload_type: u8) -> Option<Arc<str>> {
        let sides = [&flow.dst, &flow.src].map(|side| self.by_endpoint.get(side));
        let mine = sides.into_iter().flatten().filter(|announced| Some(announced.call) == call);
        let named = mine.flat_map(|announced| announced.codecs.iter()).find(|(pt, _)| *pt == payload_type);
        if let Some((_, name)) = named {
            return Some(Arc::clone(name));
        }
        static_payload_type(payload_type).map(|(name, _)| self.name(name))
    }

    /// The shared copy of a list.
    fn list(&mut self, codecs: Vec<(u8, Arc<str>)>) -> CodecNames {
        if let Some(known) = self.lists.get(codecs.as_slice()) {
            return Arc::clone(known);
        }
        let shared: CodecNames = codecs.into();
        if self.lists.len() < CODEC_NAMES {
            self.lists.insert(Arc::clone(&shared));
        }
        shared
    }

    /// Endpoints remembered.
    pub fn len(&self) -> usize {
        self.by_endpoint.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_endpoint.is_empty()
    }

    /// Endpoints not remembered for lack of room.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The shared copy of a codec's name.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        if self.names.len() < CODEC_NAMES {
            self.names.insert(name.into(), Arc::clone(&shared));
        }
        shared
    }
}
