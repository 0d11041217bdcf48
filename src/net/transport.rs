//! UDP datagrams and TCP segments.

use etherparse::TcpSlice;

use super::{Frame, Segment, ip, octets::u16_at};
use crate::counters::{Layer, Malformed};
use crate::packet::{Endpoint, FlowKey, Transport};

/// Octets of a UDP header.
pub const UDP_HEADER: usize = 8;

/// What a whole IP packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried<'p> {
    /// A UDP datagram.
    Udp(Segment<'p>),
    /// A TCP segment, not yet in order.
    Tcp(TcpSegment<'p>),
    /// ICMP of either version; [`super::icmp`] reads it.
    Icmp,
    /// SCTP; [`super::sctp`] reads it.
    Sctp,
    /// Fine, but not for us: what it is.
    Passed(&'static str),
}

/// One TCP segment as captured: in order or not, repeated or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSegment<'p> {
    /// Addresses and ports.
    pub flow: FlowKey,
    /// Sequence number of its first octet.
    pub sequence: u32,
    /// The next octet that its sender waits for.
    pub acknowledgment: u32,
    /// Its control bits.
    pub flags: TcpFlags,
    /// The receive window as it stands in the header, not scaled.
    pub window: u16,
    /// Its octets at hand.
    pub payload: &'p [u8],
    /// Its octets on the wire; more than `payload` when the packet was cut.
    pub wire_len: usize,
}

/// The control bits that open and close connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    /// Opens.
    pub syn: bool,
    /// The acknowledgment number is valid.
    pub ack: bool,
    /// Closes its direction.
    pub fin: bool,
    /// Aborts.
    pub rst: bool,
}

const fn malformed(why: &'static str) -> Malformed {
    Malformed::new(Layer::Transport, why)
}

/// Reads the transport header of a packet that is no fragment.
pub fn carried<'p>(frame: &Frame<'p>) -> Result<Carried<'p>, Malformed> {
    match frame.protocol {
        ip::UDP => udp(frame).map(Carried::Udp),
        ip::TCP => tcp(frame).map(Carried::Tcp),
        ip::ICMP | ip::ICMPV6 => Ok(Carried::Icmp),
        ip::SCTP => Ok(Carried::Sctp),
        other => Ok(Carried::Passed(ip::protocol_name(other))),
    }
}

/// The flow of a payload that starts with two ports, as those of UDP, TCP and SCTP do.
pub(super) fn flow(frame: &Frame<'_>) -> Option<FlowKey> {
    let (from, to) = u16_at(frame.payload, 0).zip(u16_at(frame.payload, 2))?;
    Some(FlowKey { src: Endpoint::new(frame.src, from), dst: Endpoint::new(frame.dst, to) })
}

fn udp<'p>(frame: &Frame<'p>) -> Result<Segment<'p>, Malformed> {
    const CUT: Malformed = malformed("cut inside the UDP header");
    let behind = frame.payload.get(UDP_HEADER..).ok_or(CUT)?;
    let flow = flow(frame).ok_or(CUT)?;
    let room = frame.wire_len.saturating_sub(UDP_HEADER);
    let told = match usize::from(u16_at(frame.payload, 4).unwrap_or_default()) {
        // Jumbograms (RFC 2675, 4), and datagrams that the card splits up later.
        0 => room,
        length => length.checked_sub(UDP_HEADER).ok_or(malformed("UDP length smaller than its header"))?,
    };
    let payload = behind.get(..told).unwrap_or(behind);
    Ok(Segment { flow, transport: Transport::Udp, payload, wire_len: told.min(room), complete: payload.len() == told })
}

fn tcp<'p>(frame: &Frame<'p>) -> Result<TcpSegment<'p>, Malformed> {
    let tcp = TcpSlice::from_slice(frame.payload).map_err(|error| match error {
        etherparse::err::tcp::HeaderSliceError::Len(_) => malformed("cut inside the TCP header"),
        etherparse::err::tcp::HeaderSliceError::Content(_) => malformed("TCP data offset smaller than the header"),
    })?;
    Ok(TcpSegment {
        flow: flow(frame).ok_or(malformed("cut inside the TCP header"))?,
        sequence: tcp.sequence_number(),
        acknowledgment: tcp.acknowledgment_number(),
        flags: TcpFlags { syn: tcp.syn(), ack: tcp.ack(), fin: tcp.fin(), rst: tcp.rst() },
        window: tcp.window_size(),
        payload: tcp.payload(),
        wire_len: frame.wire_len.saturating_sub(tcp.header_slice().len()),
    })
}
