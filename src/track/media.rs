//! Where SDP says that media will be received, so that RTP can be tied to its call (RFC 3264, 8566).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::limits::{CALL_MEDIA, CODEC_NAMES, CODEC_PARAMETER_BYTES, MEDIA_ENDPOINTS};
use crate::packet::{Endpoint, FlowKey};
use crate::rtp::figures::carries::Carries;
use crate::sdp::Sdp;
use crate::sdp::payload_type::static_payload_type;

use super::call::CallKey;
use super::stream;

/// What a description says of a payload type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// 0 to 127.
    pub payload_type: u8,
    /// Its codec.
    pub name: Arc<str>,
    /// Ticks of the RTP timestamp in a second; 0 if that is not said.
    pub clock: u32,
    /// Its format parameters (`a=fmtp`), empty if there are none or they are long.
    pub parameters: Arc<str>,
}

/// The formats of a description.
pub type Formats = Arc<[Format]>;

/// Who announced an endpoint, and what it will receive there.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The call.
    pub call: CallKey,
    /// The payload types.
    pub formats: Formats,
}

/// All announced endpoints; the newest announcement of one counts.
#[derive(Debug, Default)]
pub struct MediaMap {
    by_endpoint: HashMap<Endpoint, Announced, RandomState>,
    names: HashMap<Box<str>, Arc<str>, RandomState>,
    lists: HashSet<Formats, RandomState>,
    refused: u64,
}

impl MediaMap {
    /// Remembers what a description of this call announces, and lists it.
    pub fn announce(&mut self, call: CallKey, sdp: &Sdp<'_>, known: &mut Vec<Endpoint>) -> Vec<Endpoint> {
        let mut formats: Vec<Format> = Vec::new();
        for medium in &sdp.media {
            for payload_type in medium.payload_types().take(CALL_MEDIA) {
                if let Some(codec) = medium.codec(payload_type) {
                    let parameters = medium.fmtp(payload_type).filter(|text| text.len() <= CODEC_PARAMETER_BYTES);
                    let (name, parameters) = (self.name(codec.name), self.name(parameters.unwrap_or_default()));
                    formats.push(Format { payload_type, name, clock: codec.clock, parameters });
                }
            }
        }
        let formats = self.list(formats);
        let mut announced = Vec::new();
        for medium in sdp.media_endpoints().into_iter().filter(|medium| !medium.is_rtcp) {
            let endpoint = Endpoint::new(medium.ip, medium.port);
            if self.remember(endpoint, Announced { call, formats: Arc::clone(&formats) }, known) {
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

    /// Which ends of a flow any call names.
    pub fn ends(&self, flow: &FlowKey) -> stream::Announced {
        let is_named = |end| self.by_endpoint.contains_key(end);
        stream::Announced { src: is_named(&flow.src), dst: is_named(&flow.dst) }
    }

    /// What the call says of a payload type of this flow.
    pub fn format(&self, flow: &FlowKey, call: Option<CallKey>, payload_type: u8) -> Option<&Format> {
        let sides = [&flow.dst, &flow.src].map(|side| self.by_endpoint.get(side));
        let mine = sides.into_iter().flatten().filter(|announced| Some(announced.call) == call);
        mine.flat_map(|announced| announced.formats.iter()).find(|format| format.payload_type == payload_type)
    }

    /// The codec of a payload type: as the call names it, else by the static table.
    pub fn codec(&mut self, flow: &FlowKey, call: Option<CallKey>, payload_type: u8) -> Option<Arc<str>> {
        if let Some(format) = self.format(flow, call, payload_type) {
            return Some(Arc::clone(&format.name));
        }
        static_payload_type(payload_type).map(|(name, _)| self.name(name))
    }

    /// What the payload type carries, as the call says, else by the static table.
    pub fn carries(&self, flow: &FlowKey, call: Option<CallKey>, payload_type: u8) -> Carries {
        match self.format(flow, call, payload_type) {
            Some(format) => Carries::named(Some(&format.name), Some(format.clock)),
            None => {
                let known = static_payload_type(payload_type);
                Carries::named(known.map(|(name, _)| name), known.map(|(_, clock)| clock))
            }
        }
    }

    /// The shared copy of a list.
    fn list(&mut self, formats: Vec<Format>) -> Formats {
        if let Some(known) = self.lists.get(formats.as_slice()) {
            return Arc::clone(known);
        }
        let shared: Formats = formats.into();
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

    /// The shared copy of the name or the parameters of a codec.
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
