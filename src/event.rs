//! What the decoder says about the packets: the only words that tracking understands.

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::net::Path;
pub use crate::net::tcp::TcpSign;
use crate::packet::{Endpoint, FlowKey, PacketId, Transport};
use crate::rtp::rtcp::Summary;
use crate::sip::SipMessage;
use crate::time::Timestamp;

/// The packets that carried one message; mostly one, several for fragments and streams, the completing one last.
pub type PacketIds = SmallVec<[PacketId; 2]>;

/// Something that happened on the wire.
#[derive(Clone, Debug)]
pub enum Event {
    /// A whole SIP message arrived.
    Sip(Box<SipArrival>),
    /// A TCP connection began, ended, was reset, or something else happened to it.
    TcpFlow(TcpFact),
    /// An ICMP error quoted one of our packets.
    Icmp(IcmpFact),
    /// RTCP was seen on a media flow.
    Rtcp(Box<RtcpSeen>),
}

/// A SIP message and how it came.
#[derive(Clone, Debug)]
pub struct SipArrival {
    /// Time of the completing packet; of a message that is not whole, of the last one with octets of it. On a stream it is
    /// never before all octets ahead of it had come, as far as they were captured.
    pub at: Timestamp,
    /// The packets that carried it.
    pub packets: PacketIds,
    /// Sender and receiver on this hop.
    pub flow: FlowKey,
    /// What carried it on this hop.
    pub transport: Transport,
    /// The capture agent that sent a copy of it in HEP, if it did not come by itself.
    pub relayed_by: Option<Endpoint>,
    /// What stood around its packet; `None` for nothing. Messages that came the same way share it.
    pub path: Option<Arc<Path>>,
    /// The message.
    pub message: SipMessage,
}

/// What tells a packet that was captured twice from one that was sent twice. A sender numbers its packets; where it does
/// not, only another way makes a packet a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The identification of the IPv4 header, 0 for none.
    pub id: u16,
    /// Of a packet without identification, a digest of its source, interface, hop count and link header; 0 for not known.
    pub way: u16,
}

impl Trace {
    /// Whether a packet is that of the `earlier` trace once more. Addresses and RTP header are the same, the times near.
    pub const fn is_copy_of(self, earlier: Self) -> bool {
        match (self.id, earlier.id) {
            (0, 0) => self.way != earlier.way && self.way != 0 && earlier.way != 0,
            (id, before) => id == before,
        }
    }
}

/// One RTP packet. Kept apart from [`Event`], since there are very many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpSample {
    /// Arrival.
    pub at: Timestamp,
    /// Which packet.
    pub packet: PacketId,
    /// Whose copy it may be; nothing when copies are not looked for.
    pub trace: Trace,
    /// Addresses and ports.
    pub flow: FlowKey,
    /// Synchronisation source.
    pub ssrc: u32,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Marker bit.
    pub marker: bool,
    /// Payload bytes, without header, extension and padding.
    pub payload_len: u16,
    /// The first octets of the payload, which tell a telephone event (RFC 4733, 2.3); `None` if it has fewer at hand.
    pub head: Option<[u8; 4]>,
}

/// One datagram of RTCP on a media flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtcpSeen {
    /// Arrival.
    pub at: Timestamp,
    /// Which packet.
    pub packet: PacketId,
    /// Addresses and ports.
    pub flow: FlowKey,
    /// What it says.
    pub report: Summary,
}

/// Something that a TCP segment did to its connection, or a hole in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFact {
    /// When.
    pub at: Timestamp,
    /// Which packet.
    pub packet: PacketId,
    /// Sender and receiver.
    pub flow: FlowKey,
    /// What.
    pub kind: TcpSign,
}

/// An ICMP error message and the packet it quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpFact {
    /// When.
    pub at: Timestamp,
    /// Which packet.
    pub packet: PacketId,
    /// Who sent the error.
    pub reporter: IpAddr,
    /// The flow of the quoted packet, as its sender sent it.
    pub quoted: FlowKey,
    /// What it says ("port unreachable").
    pub what: &'static str,
    /// The SIP message that it quotes, if it quotes so much. It is evidence, and no message of its own.
    pub quote: Option<Arc<Quote>>,
}

/// A SIP message inside an ICMP error, as far as it is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Method of a request, status of a response, as received.
    pub start: Box<str>,
    /// Its Call-ID, if it is no longer than [`crate::limits::ICMP_QUOTE_CALL_ID_BYTES`].
    pub call_id: Option<Box<str>>,
    /// Its CSeq number.
    pub cseq: Option<u32>,
}

/// What the decoder found in one batch. Reused, so that RTP costs no allocation.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Signalling and facts, in packet order.
    pub events: Vec<Event>,
    /// RTP, in packet order.
    pub rtp: Vec<RtpSample>,
    /// Time of the newest packet looked at.
    pub now: Option<Timestamp>,
}

impl Decoded {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.rtp.clear();
        self.now = None;
    }
}
