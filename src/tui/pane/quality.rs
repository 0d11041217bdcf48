//! The quality pane: both directions of a call's audio side by side, below the ladder and below the call table.
//!
//! Its height is the same for every call, so that nothing jumps while the cursor moves. The title has the verdict in one
//! word; each direction has two lines; the last line says what the figures rest on, or whose address NAT changed.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::limits::MOS_PACKETS;
use crate::packet::Endpoint;
use crate::rtp::mos::{Basis, Level, Score, Thresholds};
use crate::rtp::playout::BufferKind;
use crate::store::audio;
use crate::store::paths::{self, Pair, Path};
use crate::store::rows::Rows;
use crate::store::snapshot::Snapshot;
use crate::text::visible;
use crate::time::Timestamp;
use crate::track::call::{Call, CallKind};
use crate::track::stream::{Quality, Stream};
use crate::tui::format::{self, Zone, quality};
use crate::tui::table::Fit;
use crate::tui::table::paint::{self, Spot};
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::widget::seconds;

/// Lines of the pane: title, two for each direction, remark.
pub const HEIGHT: u16 = 6;

/// From this width on all figures have room.
const WIDE: u16 = 134;

/// From this height of the terminal on the pane stands below the call table unless the user wants it or not.
const ROOMY: u16 = 36;
/// Below this height it has no room there.
const ROOM: u16 = 20;

/// Cells for the two ends of a direction: two IPv4 addresses with ports.
const ENDS: u16 = 46;

/// All that the pane is drawn from.
pub struct QualityPane<'a> {
    /// The call.
    pub call: &'a Call,
    /// Where its media should go and goes.
    pub pairs: &'a [Pair],
    /// All streams.
    pub streams: &'a Rows<Stream>,
    /// The snapshot's time.
    pub now: Timestamp,
    /// Local time or UTC.
    pub zone: Zone,
    /// Colours and glyphs.
    pub theme: &'a Theme,
}

/// What is shown of quality, and what was found out for it.
#[derive(Debug)]
pub struct QualityState {
    /// Whether the call view has the pane.
    pub in_view: bool,
    /// Whether the call table has it; `None` leaves it to the height of the terminal.
    pub below_table: Option<bool>,
    call: Option<Arc<Call>>,
    generation: u64,
    pairs: Vec<Pair>,
}

impl Default for QualityState {
    fn default() -> Self {
        Self { in_view: true, below_table: None, call: None, generation: 0, pairs: Vec::new() }
    }
}

impl QualityState {
    /// Whether the pane stands below the call table on a terminal of this height.
    pub fn is_open(&self, height: u16) -> bool {
        self.below_table.unwrap_or(height >= ROOMY) && height >= ROOM
    }

    /// Looks at the call's SDP and streams again, if they may be others than the last time.
    pub fn follow(&mut self, call: Option<&Arc<Call>>, snapshot: &Snapshot) {
        let is_same = match (&self.call, call) {
            (Some(before), Some(call)) => Arc::ptr_eq(before, call),
            (before, call) => before.is_none() && call.is_none(),
        };
        if is_same && self.generation == snapshot.generation {
            return;
        }
        self.generation = snapshot.generation;
        self.call = call.cloned();
        self.pairs = call.map(|call| paths::of(call, &snapshot.streams)).unwrap_or_default();
    }

    /// Where the call's media should go and goes.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}

/// The pane while no call is selected.
pub fn draw_empty(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    rule(buffer, area, theme);
    let mut pen = Pen::at(buffer, area, 0, theme);
    pen.x += 2;
    pen.put(" Quality ", Role::Title);
}

fn rule(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let rule = theme.glyph(Glyph::Horizontal).repeat(usize::from(area.width));
    let line = Spot { x: area.x, y: area.y, width: area.width };
    paint::text(buffer, line, &rule, Fit::Left, theme.style(Role::Dim), theme);
}

/// What a call's audio is like, in one word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    glyph: Glyph,
    role: Role,
    text: String,
}

impl QualityPane<'_> {
    /// Draws the pane.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        self.title(buffer, area);
        let Some(pair) = self.pairs.first() else {
            let mut pen = Pen::at(buffer, area, 1, self.theme);
            pen.put(self.nothing(), Role::Dim);
            return;
        };
        self.direction(&pair.there, &pair.back, buffer, area, 1);
        self.direction(&pair.back, &pair.there, buffer, area, 3);
        let mut pen = Pen::at(buffer, area, HEIGHT - 1, self.theme);
        let (remark, role) = self.remark(pair);
        pen.put(&remark, role);
    }

    /// What stands where there is no figure.
    const fn none(&self) -> &'static str {
        if self.theme.ascii { "-" } else { "–" }
    }

    fn nothing(&self) -> &'static str {
        match self.call.kind {
            CallKind::Invite if self.call.timing.answered.is_none() => "  No audio yet: the call was not answered.",
            CallKind::Invite => "  No RTP of this call was seen.",
            _ => "  Only calls have audio.",
        }
    }

    fn title(&self, buffer: &mut Buffer, area: Rect) {
        let dash = self.theme.glyph(Glyph::Horizontal);
        rule(buffer, area, self.theme);
        let mut pen = Pen::at(buffer, area, 0, self.theme);
        pen.x += 2;
        pen.put(" Quality ", Role::Title);
        if let Some(verdict) = self.pairs.first().map(|pair| self.verdict(pair)) {
            pen.put(self.theme.glyph(verdict.glyph), verdict.role);
            pen.put(&format!(" {} ", verdict.text), verdict.role);
            let codecs = self.codecs();
            if !codecs.is_empty() {
                pen.put(&format!("{dash} {codecs} "), Role::Dim);
            }
            if self.pairs.len() > 1 {
                pen.put(&format!("{dash} 1 of {} ways ", self.pairs.len()), Role::Dim);
            }
        }
    }

    /// The codecs that are heard, each once.
    fn codecs(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for stream in self.pairs.first().iter().flat_map(|pair| pair.both()).filter_map(|path| self.stream(path)) {
            let name = visible(stream.codec.as_deref().unwrap_or("unknown codec")).into_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    fn stream(&self, path: &Path) -> Option<&Stream> {
        self.streams.get(path.stream?.0).map(AsRef::as_ref)
    }

    fn score(&self, stream: &Stream) -> Option<Score> {
        audio::score(stream, self.call, self.now)
    }

    fn verdict(&self, pair: &Pair) -> Verdict {
        let say = |glyph, role, text: &str| Verdict { glyph, role, text: text.to_owned() };
        let silent = pair.both().map(|path| path.silence(self.now).is_some());
        let translated = pair.both().iter().any(|path| is_nat(path));
        let with_nat = |text: &str| if translated { format!("{text}, NAT") } else { text.to_owned() };
        if silent == [true, true] && pair.both().iter().all(|path| path.is_empty()) {
            return say(Glyph::Warning, Role::Warn, "no RTP seen");
        }
        if silent == [true, true] {
            return say(Glyph::Cross, Role::Bad, &with_nat("no audio"));
        }
        if silent != [false, false] {
            return say(Glyph::Cross, Role::Bad, &with_nat("one-way audio"));
        }
        let measured = pair.both().into_iter().filter_map(|path| self.stream(path));
        let measured = measured.filter(|stream| stream.quality.expected >= MOS_PACKETS);
        let worst = measured.map(|stream| self.levels(stream)).max();
        let rests = pair.both().map(|path| path.rest.is_some());
        let held = match rests {
            [true, true] => Some("on hold"),
            [false, false] => None,
            _ => Some("one direction, as SDP asks"),
        };
        match worst {
            Some((level, what)) if level > Level::Fine => {
                let role = quality::role(Some(level));
                let glyph = if level == Level::Error { Glyph::Cross } else { Glyph::Warning };
                say(glyph, role, &with_nat(what))
            }
            None if held.is_none() => say(Glyph::Waiting, Role::Dim, "too few packets to judge"),
            _ if held.is_some() => say(Glyph::Done, Role::Text, &with_nat(held.unwrap_or_default())),
            _ if pair.both().iter().any(|path| path.is_empty()) => {
                say(Glyph::Waiting, Role::Text, &with_nat("only one direction seen"))
            }
            _ => say(Glyph::Up, Role::Good, &with_nat("good")),
        }
    }

    /// How bad a stream is, and what is bad about it.
    fn levels(&self, stream: &Stream) -> (Level, &'static str) {
        let limits = Thresholds::default();
        let quality = &stream.quality;
        let lost = quality.lost_percent().map_or(Level::Fine, |percent| limits.loss(percent));
        let heard = heard(quality).map_or(Level::Fine, |percent| limits.loss(percent));
        let jitter = quality.jitter_percentiles.map_or(Level::Fine, |jitter| limits.jitter(jitter.p95));
        let mos = self.score(stream).and_then(|score| limits.mos(&score)).unwrap_or(Level::Fine);
        let all = [(lost, "loss"), (jitter, "jitter"), (heard, "late packets"), (mos, "low MOS")];
        let worst = all.iter().map(|(level, _)| *level).max().unwrap_or(Level::Fine);
        let what = all.iter().find(|(level, _)| *level == worst).map_or("", |(_, what)| what);
        (worst, what)
    }

    fn direction(&self, path: &Path, other: &Path, buffer: &mut Buffer, area: Rect, line: u16) {
        let stream = self.stream(path);
        let silence = path.silence(self.now);
        let (glyph, role) = match (silence, stream) {
            (Some(_), _) => (Glyph::Cross, Role::Bad),
            (None, None) => (Glyph::Done, Role::Dim),
            (None, Some(stream)) => match self.levels(stream).0 {
                Level::Fine => (Glyph::Up, Role::Good),
                Level::Warn => (Glyph::Warning, Role::Warn),
                Level::Error => (Glyph::Cross, Role::Bad),
            },
        };
        let mut pen = Pen::at(buffer, area, line, self.theme);
        pen.put(self.theme.glyph(glyph), role);
        pen.x += 1;
        pen.cut(&ends(path, other, self.theme), ENDS.min(area.width.saturating_sub(pen.x - area.x)), Role::Text);
        pen.x = area.x + ENDS + 2;
        match (silence, stream) {
            (Some(span), _) => pen.put(&self.silence(span), Role::Bad),
            (None, Some(stream)) => self.first_line(stream, &mut pen),
            (None, None) => pen.put(path.rest.unwrap_or("no packets seen"), Role::Dim),
        }
        let mut pen = Pen::at(buffer, area, line + 1, self.theme);
        pen.x += 2;
        match stream {
            Some(stream) => self.second_line(stream, silence.is_some(), &mut pen),
            None if silence.is_some() => {
                let since = path.due.map(|due| self.zone.format(due, "%H:%M:%S")).unwrap_or_default();
                pen.put(
                    &format!("SDP announced this direction at {since}; not one packet of it was seen here"),
                    Role::Dim,
                );
            }
            None => {}
        }
    }

    /// `no packets since 10:02:14, 0:42`.
    fn silence(&self, (since, until): (Timestamp, Timestamp)) -> String {
        let mut text = format!("no packets since {}, ", self.zone.format(since, "%H:%M:%S"));
        format::duration(&mut text, until.since(since));
        text
    }

    fn first_line(&self, stream: &Stream, pen: &mut Pen<'_>) {
        let limits = Thresholds::default();
        let quality = &stream.quality;
        let score = self.score(stream);
        let cell = score.map_or(self.none().to_owned(), |score| score.cell());
        pen.figure("MOS", &cell, 4, quality::role(score.and_then(|score| limits.mos(&score))));
        if pen.is_wide() {
            let worst = quality.worst.map(|(_, score)| score);
            let cell = worst.map_or(self.none().to_owned(), |score| score.cell());
            pen.figure("worst", &cell, 4, quality::role(worst.and_then(|score| limits.mos(&score))));
        }
        let percent = |percent: Option<f64>| match percent {
            Some(percent) => (quality::percent(percent), quality::role(Some(limits.loss(percent)))),
            None => (self.none().to_owned(), Role::Dim),
        };
        let (lost, role) = percent(quality.lost_percent());
        pen.figure("lost", &lost, 5, role);
        if !pen.is_wide() {
            let (heard, role) = percent(heard(quality));
            return pen.figure("heard", &heard, 5, role);
        }
        pen.put("heard lost ", Role::Dim);
        for (kind, figures) in BufferKind::ALL.iter().zip(quality.playout.iter().flatten()) {
            let (lost, role) = percent(figures.loss.percent());
            pen.figure(kind.name(), &lost, 5, role);
        }
    }

    fn second_line(&self, stream: &Stream, is_silent: bool, pen: &mut Pen<'_>) {
        let quality = &stream.quality;
        let width = if pen.is_wide() { 60 } else { 30 };
        let cells = seconds::cells(&quality.bars, audio::passed(stream, self.call, self.now), width, self.theme);
        pen.x = seconds::draw(pen.buffer, (pen.x, pen.y), &cells, self.theme) + 2;
        if is_silent {
            let packets = if stream.packets == 1 { "packet" } else { "packets" };
            return pen.put(&format!("stopped after {} {packets}", format::counted(stream.packets)), Role::Dim);
        }
        let limits = Thresholds::default();
        let mut figure = |name: &str, ms: Option<f64>| match ms {
            Some(ms) => pen.figure(name, &quality::ms(ms), 4, quality::role(Some(limits.jitter(ms)))),
            None => pen.figure(name, self.none(), 4, Role::Dim),
        };
        let percentiles = quality.jitter_percentiles;
        figure("jitter", quality.jitter_now);
        figure("p50", percentiles.map(|jitter| jitter.p50));
        figure("p95", percentiles.map(|jitter| jitter.p95));
        figure("p99", percentiles.map(|jitter| jitter.p99));
        if pen.is_wide() {
            pen.put("ms", Role::Dim);
            self.receiver(quality, pen);
        }
    }

    /// What the receiver's RTCP says, beside what was measured here.
    fn receiver(&self, quality: &Quality, pen: &mut Pen<'_>) {
        let Some(says) = quality.reported.as_ref().and_then(|reported| reported.receiver) else { return };
        let limits = Thresholds::default();
        pen.put("  receiver says ", Role::Dim);
        let level = limits.loss(says.lost_percent);
        pen.figure("lost", &quality::percent(says.lost_percent), 5, quality::role(Some(level)));
        if let Some(clock) = quality.clock.filter(|clock| *clock > 0) {
            let ms = f64::from(says.jitter) * 1_000.0 / f64::from(clock);
            pen.figure("jitter", &quality::ms(ms), 4, quality::role(Some(limits.jitter(ms))));
        }
    }

    /// NAT first, then what the score rests on.
    fn remark(&self, pair: &Pair) -> (String, Role) {
        if pair.both().iter().all(|path| path.is_empty()) {
            return ("  It may take a way that is not captured here.".to_owned(), Role::Dim);
        }
        if let Some((path, (wire, sdp))) = pair.both().iter().find_map(|path| Some((path, path.translated?))) {
            let comes = if path.wire.is_some_and(|(src, _)| src == wire) { "comes from" } else { "goes to" };
            let what = if wire.ip == sdp.ip { "Another port" } else { "NAT" };
            return (format!("  {what}: media {comes} {wire}, SDP says {sdp}"), Role::Progress);
        }
        let streams = pair.both().map(|path| self.stream(path));
        // The worse one, as in the call table.
        let scores = streams.iter().flatten().filter_map(|stream| self.score(stream));
        let score = scores.reduce(|worse, score| if score.mos < worse.mos { score } else { worse });
        match (score, streams.iter().flatten().next()) {
            (Some(score), _) => {
                let model = score.model_text().replace('–', self.none());
                let remark = score.remark().map_or(String::new(), |remark| format!("; {remark}"));
                (format!("  {model} ({}{remark})", score.band().text()), Role::Dim)
            }
            (None, Some(stream)) if stream.quality.expected >= MOS_PACKETS => {
                let codec = visible(stream.codec.as_deref().unwrap_or("an unknown codec")).into_owned();
                (format!("  {} for the MOS of {codec}", Basis::None.text()), Role::Dim)
            }
            _ => (String::new(), Role::Dim),
        }
    }
}

/// What a listener behind an adaptive buffer misses, in percent.
fn heard(quality: &Quality) -> Option<f64> {
    let [.., adaptive] = quality.playout?;
    adaptive.loss.percent()
}

/// Whether NAT changed an address; another port alone is no NAT.
fn is_nat(path: &Path) -> bool {
    path.translated.is_some_and(|(wire, sdp)| wire.ip != sdp.ip)
}

/// `10.1.1.123:4006 → 10.1.1.124:5004`: as on the wire, else as announced, else the other direction's way back.
fn ends(path: &Path, other: &Path, theme: &Theme) -> String {
    let arrow = if theme.ascii { "->" } else { "→" };
    let name = |end: Option<Endpoint>| end.map_or_else(|| "?".to_owned(), |end| end.to_string());
    let ways_back = || other.wire.filter(|_| path.sender.is_none()).map(|(src, dst)| (dst, src));
    match path.wire.or_else(ways_back) {
        Some((src, dst)) => format!("{src} {arrow} {dst}"),
        None => format!("{} {arrow} {}", name(path.sender), name(path.receiver)),
    }
}

/// Writes a line from left to right.
struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    area: Rect,
    theme: &'a Theme,
}

impl<'a> Pen<'a> {
    /// At the start of this line of the area.
    fn at(buffer: &'a mut Buffer, area: Rect, line: u16, theme: &'a Theme) -> Self {
        Self { buffer, x: area.x, y: area.y.saturating_add(line), area, theme }
    }

    fn is_wide(&self) -> bool {
        self.area.width >= WIDE
    }

    fn put(&mut self, text: &str, role: Role) {
        self.cut(text, self.area.right().saturating_sub(self.x), role);
    }

    /// At most so many cells of the text.
    fn cut(&mut self, text: &str, width: u16, role: Role) {
        if self.y >= self.area.bottom() || width == 0 {
            return;
        }
        let spot = Spot { x: self.x, y: self.y, width };
        paint::text(self.buffer, spot, text, Fit::Left, self.theme.style(role), self.theme);
        let used = u16::try_from(paint::width(text)).unwrap_or(u16::MAX).min(width);
        self.x = self.x.saturating_add(used);
    }

    /// A name and its value, right aligned in `width` cells: figures stay where they are while they change.
    fn figure(&mut self, name: &str, value: &str, width: usize, role: Role) {
        self.put(name, Role::Dim);
        let pad = (width + 1).saturating_sub(paint::width(value));
        self.put(&format!("{}{value}", " ".repeat(pad.max(1))), role);
        self.put(if self.is_wide() { "  " } else { " " }, Role::Dim);
    }
}
