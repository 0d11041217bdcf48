//! The part about TCP: what became of its segments, and the connections with SIP.

use std::ops::RangeInclusive;

use crate::counters::StreamCounters;
use crate::decode::stream::{FlowView, Protocol};
use crate::net::tcp::Standing;
use crate::tui::format::{Zone, bytes, counted};
use crate::tui::theme::Role;
use crate::tui::widget::lines::Line;

/// What became of segments and of their octets; nothing where there were none.
pub(super) fn counters(streams: &StreamCounters) -> Vec<Line> {
    if streams.segments == 0 {
        return Vec::new();
    }
    let row = |what: &str, count: u64, role: Role, about: String| {
        Line::blank().at(1, 24, what, Role::Text).right(26, 10, counted(count), role).at(38, u16::MAX, about, Role::Dim)
    };
    let warns = |count: u64| if count > 0 { Role::Warn } else { Role::Text };
    let again = "TCP repeats itself; no SIP retransmissions".to_owned();
    let holes = match streams.holes {
        0 => "octets; none is missing".to_owned(),
        1 => "octets in one hole: messages there are cut or lost".to_owned(),
        holes => format!("octets in {} holes: messages there are cut or lost", counted(holes)),
    };
    let mut out = vec![
        super::section("TCP"),
        row("segments with data", streams.segments, Role::Text, String::new()),
        row("sent again", streams.again, Role::Text, again),
        row("out of order", streams.early, Role::Text, "put in order".to_owned()),
        row("not captured", streams.missing, warns(streams.missing), holes),
        row("SIP keep-alives", streams.keep_alives, Role::Text, "line ends between messages, and pings".to_owned()),
    ];
    let skipped = streams.skipped.iter().filter(|(_, octets)| **octets > 0);
    out.extend(skipped.map(|(why, octets)| row("skipped", *octets, Role::Warn, format!("octets: {why}"))));
    out.push(Line::blank());
    out
}

/// Cells of the columns behind the two ends of a connection, with a cell before and behind.
const BEHIND: u16 = 36;

/// Cells of two ends: of IPv4 with room to spare, and of the longest IPv6.
const PAIR: RangeInclusive<u16> = 44..=97;

/// The connections with SIP, and those that may hide it: two lines each, three where both ends do not fit into one. The
/// tab has `width` cells.
pub(super) fn flows(flows: &[FlowView], zone: Zone, width: u16) -> Vec<Line> {
    if flows.is_empty() {
        return Vec::new();
    }
    let room = width.saturating_sub(BEHIND).clamp(*PAIR.start(), *PAIR.end());
    let [carries, state_at, messages_at] = [2, 12, 24].map(|behind| room + behind);
    let mut out = vec![
        super::section("Connections with SIP")
            .at(carries, 9, "carries", Role::Dim)
            .at(state_at, 11, "state", Role::Dim)
            .right(messages_at, 8, "messages", Role::Dim),
    ];
    for flow in flows {
        let (state, role) = match flow.standing {
            Standing::Reset => (flow.standing.name(), Role::Bad),
            standing => (standing.name(), Role::Text),
        };
        let messages = if flow.protocol == Protocol::Tls { "unseen".to_owned() } else { counted(flow.messages) };
        let (from, to) = (flow.flow.src.to_string(), format!("→ {}", flow.flow.dst));
        let both = format!("{from} {to}");
        let is_one = both.chars().count() <= usize::from(room);
        out.push(
            Line::blank()
                .at(1, room, if is_one { both } else { from }, Role::Text)
                .at(carries, 9, flow.protocol.name(), Role::Text)
                .at(state_at, 11, state, role)
                .right(messages_at, 8, messages, Role::Text),
        );
        if !is_one {
            out.push(Line::blank().at(3, u16::MAX, to, Role::Text));
        }
        let role = if flow.missing > 0 { Role::Warn } else { Role::Dim };
        out.push(Line::blank().at(3, u16::MAX, about(flow, zone), role));
    }
    out.push(Line::blank());
    out
}

fn about(flow: &FlowView, zone: Zone) -> String {
    let time = |at| zone.format(at, "%H:%M:%S");
    let mut out = format!(
        "{} to {}  {} packets  {}",
        time(flow.first),
        time(flow.last),
        counted(flow.packets),
        bytes(flow.octets)
    );
    let counts = [(flow.again, "sent again"), (flow.missing, "octets not captured"), (flow.keep_alives, "keep-alives")];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        out.push_str(&format!(", {} {what}", counted(count)));
    }
    if !flow.note.is_empty() {
        out.push_str("  ");
        out.push_str(&flow.note);
    }
    out
}
