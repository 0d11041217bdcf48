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
const BEHIND: u16 = 33;

/// Cells of two ends: one of the longest IPv6, and two.
const PAIR: RangeInclusive<u16> = 47..=97;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Endpoint, FlowKey};
    use crate::time::Timestamp;

    fn view(ends: [(&str, u16); 2]) -> FlowView {
        let [src, dst] = ends.map(|(ip, port)| Endpoint::new(ip.parse().unwrap(), port));
        let at = Timestamp::from_parts(1_767_603_600, 0);
        FlowView {
            flow: FlowKey { src, dst },
            protocol: Protocol::Sip,
            standing: Standing::default(),
            first: at,
            last: at,
            packets: 1,
            octets: 1,
            messages: 1,
            again: 0,
            missing: 0,
            keep_alives: 0,
            note: String::new(),
        }
    }

    /// What the lines say without what is cut off.
    fn texts(flow: &FlowView, width: u16) -> Vec<String> {
        let cut = |text: &str, width: u16| text.chars().take(usize::from(width)).collect::<String>();
        let lines = flows(std::slice::from_ref(flow), Zone::Utc, width).into_iter();
        lines.filter_map(|line| line.pieces.first().map(|piece| cut(&piece.text, piece.width))).collect()
    }

    #[test]
    fn both_ends_of_a_connection_are_shown_in_full() {
        let four = view([("10.1.1.100", 40_000), ("10.1.1.200", 5_060)]);
        assert_eq!(texts(&four, 80)[1], "10.1.1.100:40000 → 10.1.1.200:5060");
        assert_eq!(texts(&four, 80).len(), 3);
        let ip = "2001:db8:1234:5678:9abc:def0:1234:5678";
        let six = view([(ip, 40_001), (ip, 5_061)]);
        let [from, to] = [format!("[{ip}]:40001"), format!("→ [{ip}]:5061")];
        assert_eq!(texts(&six, 80)[1..3], [from.clone(), to.clone()]);
        assert_eq!(texts(&six, 160)[1], format!("{from} {to}"));
        assert_eq!(texts(&six, 160).len(), 3);
    }
}
