//! Both directions of a connection, and what the control bits of its segments mean (RFC 9293).

use smallvec::SmallVec;

use super::assembly::{Arrived, Assembly, Part, Taken};
use crate::net::transport::TcpSegment;
use crate::packet::PacketId;
use crate::time::Timestamp;

/// What a segment does to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpSign {
    /// Asks for a connection.
    Syn,
    /// Asks for a connection between ports whose last one nobody closed: the sender has forgotten that one.
    SynAnew,
    /// Accepts it.
    SynAck,
    /// Ends its direction.
    Fin,
    /// Aborts: the sender gives a connection up that it knows.
    Abort,
    /// Refuses a connection that was asked for (RFC 9293, 3.10.7.1).
    Refused,
    /// The sender knows no such connection: a reset without ACK whose number is the one that the answered segment
    /// acknowledged (RFC 9293, 3.10.7.1), as after a restart.
    Unknown,
    /// A reset whose number is not the one that its receiver waits for: it takes no notice (RFC 5961, 3.2).
    Stray,
    /// Asks whether the other side is still there (RFC 9293, 3.8.4).
    KeepAlive,
    /// The receiver takes nothing for now.
    ZeroWindow,
    /// The receiver takes octets again.
    WindowOpen,
    /// Octets between those seen are not in the capture.
    Hole,
}

impl TcpSign {
    /// On a ladder.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Syn => "SYN",
            Self::SynAnew => "SYN anew",
            Self::SynAck => "SYN ACK",
            Self::Fin => "FIN",
            Self::Abort => "RST",
            Self::Refused => "RST, refused",
            Self::Unknown => "RST, unknown",
            Self::Stray => "RST, stray",
            Self::KeepAlive => "keep-alive",
            Self::ZeroWindow => "window full",
            Self::WindowOpen => "window open",
            Self::Hole => "octets missing",
        }
    }

    /// What it means, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Syn => "This side asks for a connection.",
            Self::SynAnew => {
                "This side asks for a connection though nobody closed the last one between these ports: it has forgotten \
                 that one, as after a restart."
            }
            Self::SynAck => "This side accepts the connection.",
            Self::Fin => "This side sends no more.",
            Self::Abort => "This side gives the connection up at once; what was on its way is lost.",
            Self::Refused => "Nobody listens on this port, or a firewall answers for it.",
            Self::Unknown => {
                "This side knows no such connection (any more), as after a restart. What was sent to it here is lost."
            }
            Self::Stray => {
                "Its number is not the one that the other side waits for, which takes no notice of it: it is late, or somebody \
                 else sent it."
            }
            Self::KeepAlive => {
                "This side asks whether the other is still there. Of several in a row the newest is shown."
            }
            Self::ZeroWindow => "This side takes nothing more for now: its program does not read.",
            Self::WindowOpen => "This side takes octets again.",
            Self::Hole => "Octets of this side are not in the capture: a message in them is cut or not shown at all.",
        }
    }

    /// Whether it ends the connection at once.
    pub const fn is_reset(self) -> bool {
        matches!(self, Self::Abort | Self::Refused | Self::Unknown)
    }

    /// Whether it means that something did not arrive, or was not seen.
    pub const fn is_fault(self) -> bool {
        self.is_reset() || matches!(self, Self::Stray | Self::ZeroWindow | Self::Hole)
    }
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Its beginning was not captured.
    #[default]
    PickedUp,
    /// Asked for, and not accepted yet.
    HalfOpen,
    /// Accepted.
    Open,
    /// One side has ended its direction.
    HalfClosed,
    /// Both sides have.
    Closed,
    /// Aborted, refused, or unknown to one side.
    Reset,
}

impl Standing {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PickedUp => "picked up",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
            Self::HalfClosed => "half-closed",
            Self::Closed => "closed",
            Self::Reset => "reset",
        }
    }

    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }
}

/// What one segment was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it does to the connection; mostly nothing.
    pub signs: SmallVec<[TcpSign; 2]>,
    /// What its octets were to the stream.
    pub taken: Taken,
}

#[derive(Debug, Default)]
struct Half {
    assembly: Assembly,
    /// Initial sequence number, if its SYN was captured.
    initial: Option<u32>,
    /// The newest acknowledgment number that it sent.
    acknowledged: Option<u32>,
    has_ended: bool,
    has_reset: bool,
    window_is_zero: bool,
}

/// A connection between two endpoints. A side is 0 or 1; which is which is the caller's affair.
#[derive(Debug, Default)]
pub struct Connection {
    halves: [Half; 2],
    standing: Standing,
}

impl Connection {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether this segment of `side` begins another connection between the same ports.
    pub fn is_replaced_by(&self, side: usize, segment: &TcpSegment<'_>) -> bool {
        let half = self.half(side);
        let is_known = half.initial == Some(segment.sequence);
        let has_past = self.standing != Standing::HalfOpen || half.initial.is_some();
        segment.flags.syn && !segment.flags.rst && has_past && !is_known && {
            // A SYN ACK may be the first that is seen of its side.
            let is_answer = segment.flags.ack && half.initial.is_none() && !half.assembly.has_begun();
            !is_answer
        }
    }

    /// Whether the numbers of this segment of `side` are none of this connection.
    pub fn is_strange(&self, side: usize, segment: &TcpSegment<'_>) -> bool {
        let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        self.is_replaced_by(side, segment) || self.half(side).assembly.is_far(sequence, segment.wire_len)
    }

    /// Takes a segment of `side`. What is in order now goes to `out` with the side that sent it.
    pub fn push(
        &mut self,
        side: usize,
        segment: &TcpSegment<'_>,
        packet: PacketId,
        at: Timestamp,
        out: &mut dyn FnMut(usize, Part<'_>),
    ) -> Seen {
        let side = side & 1;
        let mut signs = SmallVec::new();
        let other = side ^ 1;
        if segment.flags.ack && !segment.flags.rst {
            self.half_mut(side).acknowledged = Some(segment.acknowledgment);
            self.half_mut(other).assembly.acknowledged(segment.acknowledgment, at, &mut |part| out(other, part));
        }
        if segment.flags.rst {
            signs.push(self.reset(side, segment));
            return Seen { signs, taken: Taken::Nothing };
        }
        // A SYN takes the first number, the octets begin behind it.
        let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        if segment.flags.syn {
            signs.push(self.open(side, segment));
            self.half_mut(side).assembly.begin_at(sequence, &mut |part| out(side, part));
        } else if self.standing == Standing::HalfOpen && segment.flags.ack {
            self.standing = Standing::Open;
        }
        if segment.wire_len > 0 && self.half(side).assembly.is_new(sequence, segment.wire_len) {
            self.half_mut(other).assembly.answered(&mut |part| out(other, part));
        }
        if is_keep_alive(&self.half(side).assembly, segment) {
            signs.push(TcpSign::KeepAlive);
        }
        signs.extend(self.window(side, segment));
        let (bytes, wire_len) = (segment.payload, segment.wire_len);
        let arrived = Arrived { sequence, bytes, wire_len, packet, at };
        let taken = self.take(side, &arrived, out);
        if matches!(taken, Taken::InOrder | Taken::Early) && self.standing == Standing::Reset {
            self.goes_on(side);
        }
        if segment.flags.fin {
            let end = sequence.wrapping_add(wire_len as u32);
            self.half_mut(side).assembly.end_at(end, at, &mut |part| out(side, part));
            signs.extend(self.end(side));
        }
        Seen { signs, taken }
    }

    fn take(&mut self, side: usize, arrived: &Arrived<'_>, out: &mut dyn FnMut(usize, Part<'_>)) -> Taken {
        let mut is_anew = false;
        let mut out = |part: Part<'_>| {
            is_anew |= matches!(part, Part::Anew);
            out(side, part);
        };
        let is_over = self.standing.is_over();
        let assembly = &mut self.half_mut(side).assembly;
        let mut taken = assembly.push(arrived, &mut out);
        if taken == Taken::Elsewhere && is_over {
            assembly.begin_anew(None, &mut out);
            taken = Taken::InOrder;
        }
        if is_anew && is_over {
            self.standing = Standing::PickedUp;
            self.halves.iter_mut().for_each(|half| (half.has_ended, half.has_reset) = (false, false));
        }
        taken
    }

    fn open(&mut self, side: usize, segment: &TcpSegment<'_>) -> TcpSign {
        self.half_mut(side).initial = Some(segment.sequence);
        if segment.flags.ack {
            self.standing = Standing::Open;
            return TcpSign::SynAck;
        }
        // What a host asks for again after a reset, as when the other side still knew its last connection.
        if matches!(self.standing, Standing::PickedUp | Standing::Reset) {
            self.standing = Standing::HalfOpen;
        }
        TcpSign::Syn
    }

    /// The first FIN of a side; a repeated one says nothing new.
    fn end(&mut self, side: usize) -> Option<TcpSign> {
        let is_first = !std::mem::replace(&mut self.half_mut(side).has_ended, true);
        if !self.standing.is_over() {
            let both = self.halves.iter().all(|half| half.has_ended);
            self.standing = if both { Standing::Closed } else { Standing::HalfClosed };
        }
        is_first.then_some(TcpSign::Fin)
    }

    /// Who has aborted a connection forgets it. New octets of that side show that somebody else sent the reset.
    fn goes_on(&mut self, side: usize) {
        if std::mem::take(&mut self.half_mut(side).has_reset) {
            let has_beginning = self.halves.iter().any(|half| half.initial.is_some());
            self.standing = if has_beginning { Standing::Open } else { Standing::PickedUp };
        }
    }

    /// Whether the receiver of a reset believes it (RFC 5961, 3.2; RFC 9293, 3.10.7.3). What the receiver waits for is what it
    /// acknowledged; of what it did not yet, what was captured.
    fn is_believed(&self, side: usize, segment: &TcpSegment<'_>) -> bool {
        let (half, other) = (self.half(side), self.half(side ^ 1));
        if self.standing == Standing::HalfOpen && segment.flags.ack && half.initial.is_none() {
            return true;
        }
        let is_waited_for = other.acknowledged == Some(segment.sequence);
        let is_unheard = other.acknowledged.is_none() && !half.assembly.has_begun();
        is_waited_for || is_unheard || half.assembly.is_next(segment.sequence, half.has_ended)
    }

    fn reset(&mut self, side: usize, segment: &TcpSegment<'_>) -> TcpSign {
        if !self.is_believed(side, segment) {
            return TcpSign::Stray;
        }
        self.half_mut(side).has_reset = true;
        let was_half_open = self.standing == Standing::HalfOpen;
        let was_over = self.standing == Standing::Reset;
        self.standing = Standing::Reset;
        if segment.flags.ack {
            return if was_half_open && !self.half(side).assembly.has_begun() {
                TcpSign::Refused
            } else {
                TcpSign::Abort
            };
        }
        // Segments on their way when a side ends or aborts draw the same reset, and mean nothing more.
        let has_left = self.half(side).has_ended || was_over;
        let answers = self.half(side ^ 1).acknowledged == Some(segment.sequence);
        if answers && !has_left { TcpSign::Unknown } else { TcpSign::Abort }
    }

    fn window(&mut self, side: usize, segment: &TcpSegment<'_>) -> Option<TcpSign> {
        let is_zero = segment.window == 0 && segment.flags.ack && !segment.flags.syn && !segment.flags.fin;
        let half = self.half_mut(side);
        let was_zero = std::mem::replace(&mut half.window_is_zero, is_zero);
        match (was_zero, is_zero) {
            (false, true) => Some(TcpSign::ZeroWindow),
            (true, false) if segment.flags.ack => Some(TcpSign::WindowOpen),
            _ => None,
        }
    }

    /// When [`Connection::expire`] has something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.halves.iter().filter_map(|half| half.assembly.deadline()).min()
    }

    /// Gives up holes that will not be filled any more at packet time `now`.
    pub fn expire(&mut self, now: Timestamp, out: &mut dyn FnMut(usize, Part<'_>)) {
        for (side, half) in self.halves.iter_mut().enumerate() {
            half.assembly.expire(now, &mut |part| out(side, part));
        }
    }

    /// Gives all that waits: nothing more will come.
    pub fn finish(&mut self, out: &mut dyn FnMut(usize, Part<'_>)) {
        for (side, half) in self.halves.iter_mut().enumerate() {
            half.assembly.finish(&mut |part| out(side, part));
        }
    }

    /// Forgets where the stream of `side` was: its next octet is this one.
    pub fn restart_at(&mut self, side: usize, sequence: u32) {
        self.half_mut(side & 1).assembly.restart_at(sequence);
    }

    /// Whether the beginning of this side's stream was captured.
    pub fn has_beginning(&self, side: usize) -> bool {
        self.half(side).initial.is_some()
    }

    /// Bytes of memory that wait for holes.
    pub fn memory(&self) -> usize {
        self.halves.iter().map(|half| half.assembly.memory()).sum()
    }

    fn half(&self, side: usize) -> &Half {
        let [zero, one] = &self.halves;
        if side & 1 == 0 { zero } else { one }
    }

    fn half_mut(&mut self, side: usize) -> &mut Half {
        let [zero, one] = &mut self.halves;
        if side & 1 == 0 { zero } else { one }
    }
}

/// The octet before the next one, or none at all in its place.
fn is_keep_alive(assembly: &Assembly, segment: &TcpSegment<'_>) -> bool {
    let flags = segment.flags;
    let is_plain = flags.ack && !flags.syn && !flags.fin && !flags.rst;
    is_plain && segment.wire_len <= 1 && assembly.ahead(segment.sequence) == Some(-1)
}
