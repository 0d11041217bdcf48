//! Losses and undecodable packets: one counter, one cause.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::limits::{MALFORMED_SAMPLE_BYTES, MALFORMED_SAMPLES};
use crate::packet::PacketMeta;

/// Packets lost before the decoder saw them. The three are never mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The kernel's ring was full.
    pub kernel: u64,
    /// The network card or its driver dropped them.
    pub interface: u64,
    /// Our queue between capture and engine was full.
    pub queue: u64,
}

impl Lost {
    /// All three together, for "was anything lost at all".
    pub const fn total(&self) -> u64 {
        self.kernel + self.interface + self.queue
    }

    /// Adds another source's losses.
    pub fn add(&mut self, other: Self) {
        self.kernel += other.kernel;
        self.interface += other.interface;
        self.queue += other.queue;
    }
}

/// Where decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Link header, VLAN tags, tunnels.
    Link,
    /// IP header, extension headers, fragments.
    Ip,
    /// UDP, TCP, SCTP, ICMP.
    Transport,
    /// SIP message.
    Sip,
    /// SDP and other bodies.
    Body,
    /// RTP and RTCP.
    Rtp,
}

impl Layer {
    /// All layers, lowest first.
    pub const ALL: [Self; 6] = [Self::Link, Self::Ip, Self::Transport, Self::Sip, Self::Body, Self::Rtp];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ip => "ip",
            Self::Transport => "transport",
            Self::Sip => "sip",
            Self::Body => "body",
            Self::Rtp => "rtp",
        }
    }
}

/// Why a packet, or a part of it, could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Malformed {
    /// Where.
    pub layer: Layer,
    /// What was wrong, in a few words ("cut inside the IP header").
    pub why: &'static str,
}

impl Malformed {
    /// A reason at a layer.
    pub const fn new(layer: Layer, why: &'static str) -> Self {
        Self { layer, why }
    }
}

/// One undecodable packet, kept to be looked at.
#[derive(Clone, Debug)]
pub struct MalformedSample {
    /// Which packet.
    pub meta: PacketMeta,
    /// What was wrong.
    pub malformed: Malformed,
    /// Its first bytes, at most [`MALFORMED_SAMPLE_BYTES`].
    pub bytes: Box<[u8]>,
}

/// What became of TCP segments and of the octets in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Segments with octets.
    pub segments: u64,
    /// Segments of which all octets had come before.
    pub again: u64,
    /// Segments that came before others which they follow.
    pub early: u64,
    /// Holes that were given up.
    pub holes: u64,
    /// Octets in them.
    pub missing: u64,
    /// Keep-alives of SIP (line ends between messages).
    pub keep_alives: u64,
    /// Octets of streams with SIP that belong to no message, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Connections that were forgotten since there were too many.
    pub evicted: u64,
    /// Connections that were forgotten since what waits on all of them took too many bytes.
    pub evicted_by_bytes: u64,
}

/// What became of fragments of IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounters {
    /// Fragments that came, repeated and damaged ones included.
    pub arrived: u64,
    /// Datagrams put together.
    pub joined: u64,
    /// Datagrams given up since the rest of them never came.
    pub incomplete: u64,
    /// Datagrams put out since too many were unfinished.
    pub evicted_by_count: u64,
    /// Datagrams put out since the unfinished ones took too many bytes.
    pub evicted_by_bytes: u64,
}

/// What was seen and what could not be used, by layer and reason.
#[derive(Clone, Debug, Default)]
pub struct DecodeCounters {
    /// Packets handed to the decoder.
    pub packets: u64,
    /// Captured bytes handed to the decoder.
    pub bytes: u64,
    /// Packets captured once before, and read only then.
    pub duplicates: u64,
    /// Packets that are fine but carry nothing we analyse, by what they are ("arp", "tcp", "other udp").
    pub passed: BTreeMap<&'static str, u64>,
    /// Packets that are not fine.
    pub malformed: BTreeMap<Malformed, u64>,
    /// What became of fragments.
    pub fragments: FragmentCounters,
    /// What became of TCP streams.
    pub streams: StreamCounters,
    /// SIP messages in pieces of SCTP that were put out for lack of room.
    pub sctp_evicted: u64,
    /// The newest malformed ones.
    pub samples: VecDeque<Arc<MalformedSample>>,
}

impl DecodeCounters {
    /// Counts a packet that is fine but not for us.
    pub fn pass(&mut self, what: &'static str) {
        *self.passed.entry(what).or_default() += 1;
    }

    /// Counts a malformed packet and keeps its first bytes.
    pub fn malformed(&mut self, meta: PacketMeta, malformed: Malformed, bytes: &[u8]) {
        *self.malformed.entry(malformed).or_default() += 1;
        if self.samples.len() >= MALFORMED_SAMPLES {
            self.samples.pop_front();
        }
        let bytes = bytes.get(..MALFORMED_SAMPLE_BYTES).unwrap_or(bytes);
        self.samples.push_back(Arc::new(MalformedSample { meta, malformed, bytes: bytes.into() }));
    }

    /// Malformed packets of one layer.
    pub fn malformed_at(&self, layer: Layer) -> u64 {
        self.malformed.iter().filter(|(m, _)| m.layer == layer).map(|(_, n)| n).sum()
    }
}
