//! The title line: what is captured, how fast, what was lost, for how long.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::format::{counted, duration, per_second, rate};
use super::layout::source_glyph;
use super::state::State;
use super::table::Fit;
use super::table::paint::{self, Spot};
use super::theme::Role;

/// What a piece gains once it is short: all others shorten or go first.
const SHORTENED: u8 = 10;

/// Cells up to which all sources are named.
const NAMES: usize = 20;

/// A piece of the line: long and short form, its look, and how soon it goes when there is no room.
struct Piece {
    long: String,
    short: String,
    role: Role,
    keep: u8,
}

impl Piece {
    fn new(text: impl Into<String>, role: Role, keep: u8) -> Self {
        let long = text.into();
        Self { short: long.clone(), long, role, keep }
    }
}

/// Draws the line; pieces shorten and then go, the least important first, until it fits.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let mut pieces = pieces(state);
    let room = usize::from(area.width.saturating_sub(2));
    let total = |pieces: &[Piece]| pieces.iter().map(|p| paint::width(&p.long) + 2).sum::<usize>().saturating_sub(2);
    // A long reason or name takes what the numbers leave, and not their place.
    let numbers: usize =
        pieces.iter().filter(|piece| (2..9).contains(&piece.keep)).map(|piece| paint::width(&piece.long) + 2).sum();
    if let Some(source) = pieces.iter_mut().find(|piece| piece.keep == 9) {
        let most = room.saturating_sub(numbers).max(paint::width(&source.short));
        source.long = paint::cut(&source.long, most, Fit::Left, &state.theme).into_owned();
    }
    while total(&pieces) > room {
        let Some(at) = (0..pieces.len()).min_by_key(|at| pieces.get(*at).map_or(u8::MAX, |piece| piece.keep)) else {
            break;
        };
        let more = pieces.len() > 1;
        match pieces.get_mut(at) {
            Some(piece) if piece.short != piece.long => {
                piece.long = piece.short.clone();
                piece.keep += SHORTENED;
            }
            Some(_) if more => {
                pieces.remove(at);
            }
            _ => break,
        }
    }
    let mut x = area.x + 1;
    for piece in &pieces {
        let width = (paint::width(&piece.long) as u16).min(area.right().saturating_sub(x));
        paint::text(
            buffer,
            Spot { x, y: area.y, width },
            &piece.long,
            Fit::Left,
            state.theme.style(piece.role),
            &state.theme,
        );
        x = x.saturating_add(width + 2);
    }
}

fn pieces(state: &State) -> Vec<Piece> {
    let snapshot = &state.snapshot;
    let capture = &snapshot.capture;
    let stats = &snapshot.stats;
    let mut pieces = vec![Piece::new("sipwatch", Role::Title, 1), source(state)];
    if capture.is_live() {
        let (packets, messages) = (rate(per_second(&stats.packet_rate)), rate(per_second(&stats.message_rate)));
        pieces.push(Piece::new(format!("{packets:>4} pkt/s"), Role::Text, 4));
        pieces.push(Piece::new(format!("SIP {messages:>4}/s"), Role::Text, 5));
    } else {
        let packets = capture.sources.iter().map(|source| source.packets).sum();
        pieces.push(Piece::new(format!("{} packets", counted(packets)), Role::Text, 4));
        pieces.push(Piece::new(format!("{} SIP", counted(stats.messages)), Role::Text, 5));
    }
    let lost = capture.lost;
    if capture.is_live() || lost.total() > 0 {
        let role = if lost.total() > 0 { Role::Bad } else { Role::Text };
        let [kernel, interface, queue] = [lost.kernel, lost.interface, lost.queue].map(counted);
        let mut piece = Piece::new(format!("drops {kernel} kernel {interface} iface {queue} queue"), role, 6);
        piece.short = format!("drops {kernel}/{interface}/{queue}");
        pieces.push(piece);
    }
    if let Some(unwritten) = capture.written.as_ref().map(|written| written.lost_queue + written.lost_disk)
        && unwritten > 0
    {
        pieces.push(Piece::new(format!("{} not written", counted(unwritten)), Role::Bad, 7));
    }
    let end = if capture.is_live() { snapshot.now.or(capture.last) } else { capture.last };
    if let (Some(first), Some(end)) = (capture.first, end) {
        let seconds = end.since(first).whole_seconds().max(0);
        let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let mut piece = Piece::new(text, Role::Dim, 0);
        piece.short.clear();
        duration(&mut piece.short, end.since(first));
        pieces.push(piece);
    }
    pieces
}

/// The source with its glyph: `● eth0`, `▶ call.pcap 43 %`, `‖ eth0 paused`, `■ eth0 stopped: why`.
fn source(state: &State) -> Piece {
    let capture = &state.snapshot.capture;
    let (glyph, role) = source_glyph(state);
    let glyph = state.theme.glyph(glyph);
    let names = match capture.sources.as_slice() {
        [] => "starting".to_owned(),
        [one] => one.name.clone(),
        [first, rest @ ..] => {
            let names: Vec<&str> = capture.sources.iter().map(|source| source.name.as_str()).collect();
            let names = names.join(", ");
            if paint::width(&names) <= NAMES { names } else { format!("{} and {} more", first.name, rest.len()) }
        }
    };
    let (read, size) = capture
        .sources
        .iter()
        .filter(|source| !source.ended)
        .filter_map(|source| source.progress)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let trouble = capture.sources.iter().find(|source| source.ended).and_then(|source| source.trouble.as_deref());
    let what = match () {
        () if state.paused => " paused".to_owned(),
        () if size > 0 => format!(" {} %", (read.min(size) * 100 / size).min(99)),
        () => trouble.map(|why| format!(" stopped: {why}")).unwrap_or_default(),
    };
    let mut piece = Piece::new(format!("{glyph} {names}{what}"), role, 9);
    let theme = &state.theme;
    piece.short = paint::cut(&piece.long, 24, Fit::Left, theme).into_owned();
    piece
}
