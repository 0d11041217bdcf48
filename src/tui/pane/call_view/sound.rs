//! What the bar of an RTP row says: how both directions sound at this moment.

use crate::rtp::mos::{Level, Thresholds};
use crate::store::audio;
use crate::store::ladder::RtpRow;
use crate::store::paths::Path;
use crate::store::rows::Rows;
use crate::text::visible;
use crate::time::Timestamp;
use crate::track::stream::Stream;
use crate::tui::format::{Zone, quality};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::seconds;

use super::page::Page;

/// A text in parts; one without a role has that of the bar.
pub(super) type Text = Vec<(String, Option<Role>)>;

/// What the text is made from.
pub(super) struct Sound<'a> {
    pub page: &'a Page,
    pub now: Timestamp,
    pub zone: Zone,
    pub theme: &'a Theme,
    pub streams: &'a Rows<Stream>,
}

/// How much a text says: cells of the sparkline of each direction, and which words stand beside it.
#[derive(Clone, Copy)]
struct Detail {
    spark: usize,
    jitter: bool,
    loss: bool,
    words: bool,
    mos: bool,
}

const DETAILS: [Detail; 6] = [
    Detail { spark: 15, jitter: true, loss: true, words: true, mos: true },
    Detail { spark: 6, jitter: true, loss: true, words: false, mos: true },
    Detail { spark: 4, jitter: true, loss: true, words: false, mos: false },
    Detail { spark: 0, jitter: true, loss: true, words: false, mos: false },
    Detail { spark: 0, jitter: false, loss: true, words: false, mos: false },
    Detail { spark: 0, jitter: false, loss: false, words: false, mos: false },
];

/// One direction.
struct Way<'a> {
    arrow: &'static str,
    stream: Option<&'a Stream>,
    silent: Option<Timestamp>,
}

impl Sound<'_> {
    /// The texts from the longest to the shortest, and how the bar looks.
    pub fn bar(&self, row: &RtpRow) -> (Vec<Text>, Role) {
        let swap = row.from > row.to;
        let arrows = if self.theme.ascii { ["->", "<-"] } else { ["→", "←"] };
        let way = |near: bool, arrow| self.way(row, near, arrow);
        let ways = [way(!swap, arrows[0]), way(swap, arrows[1])];
        let is_measured = |way: &Way<'_>| way.stream.is_some_and(|stream| stream.quality.expected > 0);
        if !ways.iter().any(|way| is_measured(way) || way.silent.is_some()) {
            return (self.counted(row, swap), Role::Live);
        }
        let role = ways.iter().map(|way| self.role(row, way)).max_by_key(severity).unwrap_or(Role::Live);
        let (left, right) = if swap { (row.far, row.near) } else { (row.near, row.far) };
        let codec = row.codec.as_deref().map(|codec| format!("{} ", visible(codec))).unwrap_or_default();
        let both = if self.theme.ascii { "<>" } else { "⇄" };
        let whole = format!(" RTP {codec}{left} {both} {right}  ");
        let mut texts = Vec::new();
        for detail in DETAILS {
            for head in [&whole, &format!(" RTP {codec}"), &format!(" {codec}"), " "] {
                let mut text: Text = vec![(head.to_owned(), None)];
                for way in &ways {
                    self.say(row, way, detail, &mut text);
                }
                texts.push(text);
            }
        }
        texts.push(vec![(" RTP ".to_owned(), None)]);
        (texts, role)
    }

    /// What stands where there is no figure.
    const fn none(&self) -> &'static str {
        if self.theme.ascii { "-" } else { "–" }
    }

    fn way<'r>(&'r self, row: &'r RtpRow, from_near: bool, arrow: &'static str) -> Way<'r> {
        let (src, dst) = if from_near { (row.near, row.far) } else { (row.far, row.near) };
        let here = |stream: &&Stream| stream.flow.src == src && stream.flow.dst == dst;
        let stream = row.streams.iter().map(AsRef::as_ref).filter(here).max_by_key(|stream| (stream.last, stream.key));
        let pairs = self.page.pairs.get(row.call).into_iter().flatten();
        let is_this = |path: &Path, other: &Path| {
            path.wire == Some((src, dst)) || (path.is_empty() && other.wire == Some((dst, src)))
        };
        let mut paths = pairs.flat_map(|pair| [(&pair.there, &pair.back), (&pair.back, &pair.there)]);
        let path = paths.find(|(path, other)| is_this(path, other)).map(|(path, _)| path);
        let silent = path.and_then(|path| path.silence(self.now)).map(|(since, _)| since);
        // The other leg's stream between the same ends.
        let elsewhere = || self.streams.get(path?.stream?.0).map(AsRef::as_ref);
        Way { arrow, stream: stream.or_else(elsewhere), silent }
    }

    fn role(&self, row: &RtpRow, way: &Way<'_>) -> Role {
        if way.silent.is_some() {
            return Role::Bad;
        }
        let (Some(stream), Some(call)) = (way.stream, self.page.calls.get(row.call)) else { return Role::Live };
        let limits = Thresholds::default();
        let score = audio::score(stream, call, self.now);
        let mos = score.and_then(|score| limits.mos(&score));
        let loss = stream.quality.lost_percent().map(|percent| limits.loss(percent));
        let jitter = stream.quality.jitter_now.map(|ms| limits.jitter(ms));
        match [mos, loss, jitter].into_iter().flatten().max() {
            Some(level) if level > Level::Fine => quality::role(Some(level)),
            _ => Role::Live,
        }
    }

    /// `→ MOS 4.3 ▂▂▃▂ jitter 3.1 ms loss 0.0% `, or less of it.
    fn say(&self, row: &RtpRow, way: &Way<'_>, detail: Detail, text: &mut Text) {
        text.push((format!("{} ", way.arrow), None));
        if let Some(since) = way.silent {
            let words = match detail {
                Detail { words: true, .. } => format!("no packets since {} ", self.zone.format(since, "%H:%M:%S")),
                Detail { loss: true, .. } => "no packets ".to_owned(),
                _ => "none ".to_owned(),
            };
            return text.push((words, Some(Role::Bad)));
        }
        let (Some(stream), Some(call)) = (way.stream, self.page.calls.get(row.call)) else {
            return text.push((format!("{} ", self.none()), Some(Role::Dim)));
        };
        let limits = Thresholds::default();
        let score = audio::score(stream, call, self.now);
        let word = |word: &str| if detail.words { format!("{word} ") } else { String::new() };
        let cell = score.map_or(self.none().to_owned(), |score| score.cell());
        let role = score.and_then(|score| limits.mos(&score)).filter(|level| *level > Level::Fine);
        text.push((
            format!("{}{cell} ", if detail.mos { "MOS " } else { "" }),
            role.map(|level| quality::role(Some(level))),
        ));
        if detail.spark > 0 && !stream.quality.bars.is_empty() {
            let bars = seconds::cells(&stream.quality.bars, audio::passed(stream, call, self.now), 60, self.theme);
            let newest = bars.get(bars.len().saturating_sub(detail.spark)..).unwrap_or_default();
            text.extend(newest.iter().map(|(cell, role)| ((*cell).to_owned(), Some(*role))));
            text.push((" ".to_owned(), None));
        }
        let coloured = |level: Level| (level > Level::Fine).then(|| quality::role(Some(level)));
        if let Some(ms) = stream.quality.jitter_now.filter(|_| detail.jitter) {
            let unit = if detail.words { " ms" } else { "ms" };
            text.push((format!("{}{}{unit} ", word("jitter"), quality::ms(ms)), coloured(limits.jitter(ms))));
        }
        if let Some(percent) = stream.quality.lost_percent().filter(|_| detail.loss) {
            text.push((format!("{}{} ", word("loss"), quality::percent(percent)), coloured(limits.loss(percent))));
        }
    }

    /// Streams of which nothing but packets is known.
    fn counted(&self, row: &RtpRow, swap: bool) -> Vec<Text> {
        let (left, right) = if swap { (row.far, row.near) } else { (row.near, row.far) };
        let (there, back) = if swap { (row.packets_back, row.packets) } else { (row.packets, row.packets_back) };
        let arrow = match (there > 0, back > 0, self.theme.ascii) {
            (true, true, false) => "⇄",
            (true, true, true) => "<>",
            (false, true, false) => "←",
            (false, true, true) => "<-",
            (_, _, false) => "→",
            (_, _, true) => "->",
        };
        let codec = row.codec.as_deref().map(|codec| format!("{} ", visible(codec))).unwrap_or_default();
        let packets = count(there.saturating_add(back));
        let unit = if packets == "1" { "packet" } else { "packets" };
        let texts = [
            format!(" RTP {codec}{left} {arrow} {right}  {packets} {unit} "),
            format!(" RTP {codec}{left} {arrow} {right} {packets} pkt "),
            format!(" RTP {codec}:{} {arrow} :{}  {packets} {unit} ", left.port, right.port),
            format!(" RTP {codec}:{} {arrow} :{} {packets} pkt ", left.port, right.port),
            format!(" RTP {codec}{arrow} {packets} {unit} "),
            format!(" RTP {codec}{arrow} {packets} pkt "),
            format!(" RTP {arrow} {packets} "),
            " RTP ".to_owned(),
        ];
        texts.into_iter().map(|text| vec![(text, None)]).collect()
    }
}

const fn severity(role: &Role) -> u8 {
    match role {
        Role::Bad => 2,
        Role::Warn => 1,
        _ => 0,
    }
}

/// `812`, `1.2k`, `3.4M`.
fn count(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}
