//! What an empty table says: what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::decode::stream::Protocol;
use crate::store::snapshot::Snapshot;
use crate::tui::format::counted;
use crate::tui::state::State;
use crate::tui::text::visible;
use crate::tui::theme::Role;

/// Writes the sentence of an empty call table.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    write(buffer, area, &sentences(state), state);
}

/// Writes the sentence of an empty stream table.
pub fn draw_streams(buffer: &mut Buffer, area: Rect, state: &State) {
    write(buffer, area, &no_streams(state), state);
}

fn write(buffer: &mut Buffer, area: Rect, text: &[String], state: &State) {
    let lines: Vec<Line<'_>> = text.iter().map(|line| Line::raw(visible(line))).collect();
    let inner = Rect {
        x: area.x + 2.min(area.width),
        y: area.y + 1.min(area.height),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    Paragraph::new(lines).style(state.theme.style(Role::Text)).wrap(Wrap { trim: true }).render(inner, buffer);
}

fn sentences(state: &State) -> Vec<String> {
    let snapshot = &state.snapshot;
    if state.calls.order.is_busy() {
        return vec!["Filtering…".into()];
    }
    if state.calls.order.total() > 0 {
        return vec![
            format!("None of {} rows matches.", counted(state.calls.order.total() as u64)),
            "Esc clears the filter; m shows other methods.".into(),
        ];
    }
    match &state.finished {
        Some(why) if !why.is_empty() => vec![why.clone()],
        _ => nothing_yet(snapshot),
    }
}

fn no_streams(state: &State) -> Vec<String> {
    let (snapshot, order) = (&state.snapshot, &state.streams.order);
    let capture = &snapshot.capture;
    if order.is_busy() {
        return vec!["Filtering…".into()];
    }
    if order.total() > 0 {
        return vec![
            format!("None of {} streams matches.", counted(order.total() as u64)),
            "Esc clears the filter.".into(),
        ];
    }
    let packets: u64 = capture.sources.iter().map(|source| source.packets).sum();
    let reading = capture.sources.iter().any(|source| !source.live && !source.ended);
    let goes_on = capture.is_live() || reading;
    let announced = snapshot.calls.iter().any(|call| !call.codecs.is_empty());
    let mut lines = Vec::new();
    if snapshot.stats.rtp_packets > 0 && !goes_on {
        lines.push(format!(
            "{} RTP packets came, but their streams were forgotten.",
            counted(snapshot.stats.rtp_packets)
        ));
        return lines;
    }
    let yet = if goes_on { " yet" } else { "" };
    lines.push(match packets {
        0 => format!("No packets{yet}, so no RTP streams."),
        _ => format!("No RTP{yet} among {} packets.", counted(packets)),
    });
    lines.push(match announced {
        true => "Calls announce media by SDP, but none passes here: it goes another way, or the capture leaves it out."
            .into(),
        false => {
            "RTP is found by the SDP of its call, and without SDP by four packets in a row that fit together.".into()
        }
    });
    if let Some(source) = capture.sources.iter().find(|source| !source.filter.is_empty()) {
        lines.push(format!("The capture filter is \"{}\": does it let UDP of any port pass?", source.filter));
    }
    lines.push("Tab 8 shows what the packets are.".into());
    lines
}

fn nothing_yet(snapshot: &Snapshot) -> Vec<String> {
    let capture = &snapshot.capture;
    let names: Vec<&str> = capture.sources.iter().map(|source| source.name.as_str()).collect();
    let names = if names.is_empty() { "any source".to_owned() } else { names.join(", ") };
    let packets: u64 = capture.sources.iter().map(|source| source.packets).sum();
    let reading = capture.sources.iter().any(|source| !source.live && !source.ended);
    let filter = capture.sources.iter().find(|source| !source.filter.is_empty()).map(|source| &source.filter);
    let mut lines = Vec::new();
    if snapshot.stats.messages > 0 {
        lines.push(format!("All calls of {} SIP messages were forgotten.", counted(snapshot.stats.messages)));
        if capture.is_live() || reading {
            lines.push("Calls show here again as soon as a message comes.".into());
        }
        return lines;
    }
    match (packets, reading, capture.is_live()) {
        (_, true, _) => lines.push(format!("Reading {names}: {} packets, no SIP yet.", counted(packets))),
        (0, _, true) => {
            lines.push(format!("No SIP yet on {names} (0 packets). Is this the right interface?"));
            lines.push("sipwatch -i any listens on all of them; sipwatch --demo shows how it looks with calls.".into());
        }
        (0, _, false) => lines.push(format!("{names} holds no packets.")),
        (_, _, live) => {
            let verb = if live { "Captured" } else { "Read" };
            lines.push(format!("{verb} {} packets from {names}, none is SIP.", counted(packets)));
            lines.push(
                "SIP is found on any port, by content, over UDP, TCP and WebSocket. Tab 8 shows what the packets are."
                    .into(),
            );
        }
    }
    let encrypted: Vec<_> = capture.flows.iter().filter(|flow| flow.protocol == Protocol::Tls).collect();
    if let Some(first) = encrypted.first() {
        let (count, to) = (encrypted.len(), first.flow.dst);
        let what = if count == 1 { "connection is" } else { "connections are" };
        lines.push(format!(
            "{count} {what} encrypted with TLS, the newest to {to}: SIP in them cannot be seen (tab 8)."
        ));
    }
    if let Some(filter) = filter {
        lines.push(format!("The capture filter is \"{filter}\": does it let SIP pass?"));
    }
    lines
}
