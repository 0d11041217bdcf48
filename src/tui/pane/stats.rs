//! 7 Stats: what was counted, with what it means.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::packet::Transport;
use crate::sip::status;
use crate::store::stats::{Delays, PeerStat, Stats};
use crate::tui::format::{self, counted, delay_ms, per_second, percent, rate};
use crate::tui::layout;
use crate::tui::state::State;
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::spark;

/// Cells that a section takes at least; two stand side by side where there is room for both.
const HALF: u16 = 60;

/// Draws the tab.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    let all = lines_of(state, area.width);
    let top = state.stats_top.min(lines::last_top(all.len(), area.height));
    lines::draw(buffer, area, &all, top, &state.theme);
    if all.len() > usize::from(area.height) && area.height > 0 {
        let shown = (top + usize::from(area.height)).min(all.len());
        let note = Line::blank().right(
            area.width.saturating_sub(20),
            19,
            format!("{shown} of {} lines", all.len()),
            Role::Dim,
        );
        lines::draw_line(buffer, Rect { height: 1, ..area }, &note, &state.theme);
    }
}

/// The largest first line.
pub fn last_top(state: &State) -> usize {
    let area = layout::areas(state).content;
    lines::last_top(lines_of(state, area.width).len(), area.height)
}

fn lines_of(state: &State, width: u16) -> Vec<Line> {
    let stats = &state.snapshot.stats;
    if stats.messages == 0 {
        return vec![
            Line::blank(),
            Line::of("  No SIP yet: there is nothing to count. Tab 8 shows what arrives.", Role::Text),
        ];
    }
    let mut out = overview(stats, width, &state.theme);
    if width < HALF * 2 {
        out.extend(calls(stats).into_iter().chain(delays(stats)).chain(requests(stats)).chain(responses(stats)));
    } else {
        let right = calls(stats).into_iter().chain(delays(stats)).collect();
        let left = requests(stats).into_iter().chain(responses(stats)).collect();
        out.extend(lines::beside(left, right, HALF));
    }
    out.extend(peers(stats, width));
    out.extend(round_trips(stats));
    out
}

fn overview(stats: &Stats, width: u16, theme: &Theme) -> Vec<Line> {
    let room = usize::from(width.saturating_sub(32)).min(60);
    let curve = |name: &str, values: &[u32], unit: &str| {
        let most = values.iter().copied().max().unwrap_or(0);
        Line::blank()
            .at(1, 10, name, Role::Text)
            .right(11, 6, rate(per_second(values)), Role::Title)
            .at(18, 2, unit, Role::Dim)
            .at(21, room as u16, spark::line(values, room, theme), Role::Good)
            .at(22 + room as u16, 10, format!("max {}", counted(u64::from(most))), Role::Dim)
    };
    let transports: Vec<String> = Transport::ALL
        .iter()
        .zip(stats.transports)
        .filter(|(_, n)| *n > 0)
        .map(|(transport, n)| format!("{} {}", transport.name().to_uppercase(), counted(n)))
        .collect();
    let again = match stats.retransmissions {
        0 => "no retransmissions".to_owned(),
        1 => format!("1 retransmission ({})", percent(1, stats.messages)),
        n => format!("{} retransmissions ({})", counted(n), percent(n, stats.messages)),
    };
    vec![
        section("Now, and the last minute"),
        Line::blank()
            .at(1, 40, format!("{} calls up, {} being set up", stats.calls_up, stats.calls_setup), Role::Title)
            .at(
                42,
                u16::MAX,
                format!("RTP {}  RTCP {} packets", counted(stats.rtp_packets), counted(stats.rtcp_packets)),
                Role::Dim,
            ),
        Line::blank().at(
            1,
            u16::MAX,
            format!("{} SIP messages ({}), {again}", counted(stats.messages), transports.join(", ")),
            Role::Text,
        ),
        curve("Messages", &stats.message_rate, "/s"),
        curve("Calls", &stats.call_rate, "/s"),
        curve("Packets", &stats.packet_rate, "/s"),
        Line::blank(),
    ]
}

fn section(title: &str) -> Line {
    Line::blank().at(0, u16::MAX, format!(" {title}"), Role::Title)
}

fn delay_text(ms: f64) -> String {
    let mut out = String::new();
    delay_ms(&mut out, ms);
    out
}

/// Count, median, 95th percentile and maximum, from a cell on; blank without a measurement.
fn delay_cells(line: Line, x: u16, delays: &Delays) -> Line {
    if delays.count == 0 {
        return line.right(x, 6, "0", Role::Dim);
    }
    line.right(x, 6, counted(delays.count), Role::Text)
        .right(x + 7, 7, delay_text(delays.p50), Role::Text)
        .right(x + 15, 7, delay_text(delays.p95), Role::Text)
        .right(x + 23, 7, delay_text(delays.max), Role::Text)
}

fn delay_head(line: Line, x: u16) -> Line {
    line.right(x, 6, "count", Role::Dim).right(x + 7, 7, "p50", Role::Dim).right(x + 15, 7, "p95", Role::Dim).right(
        x + 23,
        7,
        "max",
        Role::Dim,
    )
}

fn requests(stats: &Stats) -> Vec<Line> {
    let head = section("Requests").right(20, 7, "count", Role::Dim).right(28, 7, "retrans", Role::Dim);
    let mut out = vec![head.right(36, 7, "p50", Role::Dim).right(44, 7, "p95", Role::Dim)];
    for (method, stat) in &stats.requests {
        let line = Line::blank()
            .at(1, 18, method.as_str(), Role::Text)
            .right(20, 7, counted(stat.count), Role::Text)
            .right(28, 7, retransmitted(stat.retransmissions), Role::Warn);
        out.push(match stat.response.count {
            0 => line,
            _ => line.right(36, 7, delay_text(stat.response.p50), Role::Text).right(
                44,
                7,
                delay_text(stat.response.p95),
                Role::Text,
            ),
        });
    }
    if stats.unnamed > 0 {
        out.push(Line::blank().at(1, 18, "other names", Role::Dim).right(20, 7, counted(stats.unnamed), Role::Text));
    }
    out.push(Line::blank());
    out
}

fn retransmitted(count: u64) -> String {
    if count == 0 { String::new() } else { counted(count) }
}

fn responses(stats: &Stats) -> Vec<Line> {
    let mut out = vec![section("Responses").right(44, 7, "count", Role::Dim).right(52, 7, "retrans", Role::Dim)];
    for (code, (count, retransmissions)) in &stats.responses {
        let role = match code {
            100..200 => Role::Progress,
            200..300 => Role::Good,
            300..=399 | 401 | 407 => Role::Warn,
            _ => Role::Bad,
        };
        out.push(
            Line::blank()
                .right(1, 5, code.to_string(), role)
                .at(7, 36, status::phrase(*code), Role::Text)
                .right(44, 7, counted(*count), Role::Text)
                .right(52, 7, retransmitted(*retransmissions), Role::Warn),
        );
    }
    out.push(Line::blank());
    out
}

fn delays(stats: &Stats) -> Vec<Line> {
    let rows = [
        ("Post-dial delay", &stats.pdd),
        ("Setup", &stats.setup),
        ("Ringing", &stats.ring),
        ("Challenges", &stats.auth),
        ("Registration", &stats.registration),
        ("Release", &stats.release),
    ];
    let mut out = vec![delay_head(section("Delays"), 20)];
    out.extend(
        rows.into_iter().map(|(name, delays)| delay_cells(Line::blank().at(1, 18, name, Role::Text), 20, delays)),
    );
    out.push(Line::blank());
    out
}

fn calls(stats: &Stats) -> Vec<Line> {
    let of = |part: u64| format!("{} of {}", counted(part), counted(stats.attempts));
    let mut out = vec![section("Calls")];
    let mut row = |name: &str, value: String, about: String| {
        out.push(Line::blank().at(1, 18, name, Role::Text).right(18, 9, value, Role::Title).at(
            29,
            30,
            about,
            Role::Dim,
        ));
    };
    row("Attempts", counted(stats.attempts), String::new());
    row("ASR answered", percent(stats.answered, stats.attempts), of(stats.answered));
    let network = stats.answered + stats.user_side;
    row("NER network ok", percent(network, stats.attempts), of(network));
    row("ACD talk time", average(stats.talk_s, stats.talked), format!("over {} ended calls", counted(stats.talked)));
    out.push(Line::blank());
    out
}

fn average(talk_s: f64, calls: u64) -> String {
    let mut out = String::new();
    if calls > 0 {
        let seconds = (talk_s / calls as f64) as i64;
        format::duration(&mut out, crate::time::Elapsed::from_secs(seconds));
    }
    out
}

fn peers(stats: &Stats, width: u16) -> Vec<Line> {
    let talkers: Vec<&PeerStat> = stats.peers.iter().collect();
    if talkers.is_empty() {
        return Vec::new();
    }
    let name = 18 + width.saturating_sub(80).min(23);
    let mut out = vec![
        section("Peers")
            .right(name, 9, "messages", Role::Dim)
            .right(name + 10, 4, "up", Role::Dim)
            .right(name + 15, 17, "ASR answered", Role::Dim)
            .right(name + 33, 17, "NER network ok", Role::Dim)
            .right(name + 51, 10, "ACD calls", Role::Dim),
    ];
    for peer in talkers {
        let line = Line::blank().at(1, name, peer.address.to_string(), Role::Text).right(
            name,
            9,
            counted(peer.messages),
            Role::Text,
        );
        let part = |n: u64| format!("{} {}/{}", percent(n, peer.attempts), counted(n), counted(peer.attempts));
        let ended = peer.answered.saturating_sub(peer.up);
        let talk =
            if ended == 0 { String::new() } else { format!("{} /{}", average(peer.talk_s, ended), counted(ended)) };
        out.push(match peer.attempts {
            0 => line,
            _ => line
                .right(name + 10, 4, counted(peer.up), Role::Text)
                .right(name + 15, 17, part(peer.answered), Role::Text)
                .right(name + 33, 17, part(peer.answered + peer.user_side), Role::Text)
                .right(name + 51, 10, talk, Role::Text),
        });
    }
    out.push(Line::blank());
    out
}

fn round_trips(stats: &Stats) -> Vec<Line> {
    let asked: Vec<&PeerStat> = stats.peers.iter().filter(|peer| peer.options.count > 0).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let mut out = vec![delay_head(section("OPTIONS round trip"), 40)];
    out.extend(
        asked
            .iter()
            .map(|peer| delay_cells(Line::blank().at(1, 38, peer.address.to_string(), Role::Text), 40, &peer.options)),
    );
    out.push(Line::blank());
    out
}
