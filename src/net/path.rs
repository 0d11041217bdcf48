//! The way a packet came below its own IP header: VLAN tags, labels, sessions and tunnels, outermost first.

use std::fmt;
use std::net::IpAddr;

use smallvec::SmallVec;

use crate::counters::{Layer, Malformed};
use crate::limits::{ENCAPSULATIONS, VLAN_TAGS};

/// Layers that a path holds without memory of its own: a tag, a tunnel and a tag inside it.
const INLINE: usize = 3;

/// There are [`VLAN_TAGS`] tags already.
pub(super) const TOO_MANY_TAGS: Malformed = Malformed::new(Layer::Link, "too many VLAN tags");
/// There are [`ENCAPSULATIONS`] other layers already.
pub(super) const TOO_DEEP: Malformed = Malformed::new(Layer::Link, "too many encapsulations");

/// What stands around an IP packet: what tells two networks with the same addresses apart.
///
/// Its text is `VLAN 20 › VXLAN 5000 (10.0.0.1 → 10.0.0.2) › VLAN 7`, and with `{:#}` the same in ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    layers: SmallVec<[Encapsulation; INLINE]>,
    /// Interface index of a cooked capture, version 2; 0 elsewhere.
    pub interface: u32,
}

/// One layer around a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// A VLAN tag of any kind: its identifier, 12 bits.
    Vlan(u16),
    /// An entry of an MPLS label stack: its label, 20 bits.
    Mpls(u32),
    /// A PPPoE session: its identifier.
    Pppoe(u16),
    /// An IP packet around it.
    Tunnel {
        /// Which protocol, and which of its tunnels.
        tunnel: Tunnel,
        /// Sender of the outer packet.
        src: IpAddr,
        /// Receiver of the outer packet.
        dst: IpAddr,
    },
}

/// What an IP packet carries other packets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// IP or MPLS in IP with nothing between (RFC 2003, RFC 4213, RFC 4023).
    Ip,
    /// Generic routing encapsulation (RFC 2784): its key, if it has one (RFC 2890).
    Gre(Option<u32>),
    /// PPTP (RFC 2637): the call at the receiver.
    Pptp(u16),
    /// A mirrored port: its session, which type I does not tell.
    Erspan(Option<u16>),
    /// VXLAN (RFC 7348): its network, 24 bits.
    Vxlan(u32),
    /// GENEVE (RFC 8926): its network, 24 bits.
    Geneve(u32),
    /// GTP-U (TS 29.281): its endpoint at the receiver.
    Gtp(u32),
    /// MPLS in UDP (RFC 7510).
    MplsInUdp,
    /// IPv6 behind a NAT (RFC 4380).
    Teredo,
}

impl Path {
    /// Nothing around the packet, on this interface of a cooked capture.
    pub fn on(interface: u32) -> Self {
        Self { interface, ..Self::default() }
    }

    /// All layers, outermost first.
    pub fn layers(&self) -> &[Encapsulation] {
        &self.layers
    }

    /// Whether nothing stands around the packet.
    pub fn is_plain(&self) -> bool {
        self.layers.is_empty()
    }

    /// VLAN identifiers, outermost first.
    pub fn vlans(&self) -> impl Iterator<Item = u16> {
        self.layers.iter().filter_map(|layer| match layer {
            Encapsulation::Vlan(id) => Some(*id),
            _ => None,
        })
    }

    /// Adds an inner layer. An error when there are [`VLAN_TAGS`] tags, or [`ENCAPSULATIONS`] others, already.
    pub fn with(mut self, layer: Encapsulation) -> Result<Self, Malformed> {
        let tags = self.vlans().count();
        if matches!(layer, Encapsulation::Vlan(_)) {
            if tags >= VLAN_TAGS {
                return Err(TOO_MANY_TAGS);
            }
        } else if self.layers.len() - tags >= ENCAPSULATIONS {
            return Err(TOO_DEEP);
        }
        self.layers.push(layer);
        Ok(self)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                f.write_str(if f.alternate() { " > " } else { " › " })?;
            }
            fmt::Display::fmt(layer, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan(id) => write!(f, "VLAN {id}"),
            Self::Mpls(label) => write!(f, "MPLS {label}"),
            Self::Pppoe(session) => write!(f, "PPPoE {session}"),
            Self::Tunnel { tunnel, src, dst } => {
                let arrow = if f.alternate() { "->" } else { "→" };
                write!(f, "{tunnel} ({src} {arrow} {dst})")
            }
        }
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("IP in IP"),
            Self::Gre(None) => f.write_str("GRE"),
            Self::Gre(Some(key)) => write!(f, "GRE key {key}"),
            Self::Pptp(call) => write!(f, "PPTP {call}"),
            Self::Erspan(None) => f.write_str("ERSPAN"),
            Self::Erspan(Some(session)) => write!(f, "ERSPAN {session}"),
            Self::Vxlan(network) => write!(f, "VXLAN {network}"),
            Self::Geneve(network) => write!(f, "GENEVE {network}"),
            Self::Gtp(endpoint) => write!(f, "GTP-U 0x{endpoint:08x}"),
            Self::MplsInUdp => f.write_str("UDP"),
            Self::Teredo => f.write_str("Teredo"),
        }
    }
}
