//! The codec table: Ie and Bpl of G.113 and of what stands in for it, and which row a codec has.

use super::mode::parameter;
use super::model::Scale;

/// What a number rests on, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// This codec and variant has the value in G.113 or G.107.x.
    Published,
    /// The value is known only through another document or program.
    Secondary,
    /// There is no published value: that of a similar codec, or one that the user set.
    Assumed,
    /// There is no published value, and no number is shown.
    None,
}

impl Basis {
    /// The name in reports: `published`, `secondary`, `assumed`, `none`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Secondary => "secondary",
            Self::Assumed => "assumed",
            Self::None => "none",
        }
    }

    /// The same for people: `assumed (no published value)`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Secondary => "secondary",
            Self::Assumed => "assumed (no published value)",
            Self::None => "no published value",
        }
    }
}

/// A number of the table and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Ie or Bpl.
    pub value: f64,
    /// What it rests on.
    pub basis: Basis,
}

const fn published(value: f64) -> Value {
    Value { value, basis: Basis::Published }
}

const fn secondary(value: f64) -> Value {
    Value { value, basis: Basis::Secondary }
}

const fn assumed(value: f64) -> Value {
    Value { value, basis: Basis::Assumed }
}

/// A row of the codec table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// `G.729A + VAD`.
    pub name: &'static str,
    /// The model it is a row of.
    pub scale: Scale,
    /// Equipment impairment without loss.
    pub ie: Value,
    /// Robustness against loss; `None` when none was published, so that there is no score under loss.
    pub bpl: Option<Value>,
    /// The codec that has no row of its own and borrows this one.
    pub stand_in_for: Option<&'static str>,
}

impl Row {
    const fn new(name: &'static str, scale: Scale, ie: Value, bpl: Value) -> Self {
        Self { name, scale, ie, bpl: Some(bpl), stand_in_for: None }
    }

    /// The row lent to a codec that has none: all of it is assumed.
    const fn lent_to(self, codec: &'static str) -> Self {
        Self {
            ie: assumed(self.ie.value),
            bpl: match self.bpl {
                Some(bpl) => Some(assumed(bpl.value)),
                None => None,
            },
            stand_in_for: Some(codec),
            ..self
        }
    }
}

/// How a loudspeaker stands to the ears: G.113 has two sets of values for AMR-WB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Listening {
    /// One ear, a handset.
    #[default]
    Monotic,
    /// Both ears, a headset.
    Diotic,
}

/// A row that the user set for a codec; its standing is *assumed*.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRow {
    /// Encoding name as in `a=rtpmap`, compared without regard to case.
    pub codec: String,
    /// Which model.
    pub scale: Scale,
    /// Equipment impairment, 0 to 95 (132 on the fullband scale); values outside are brought inside, and a row whose value
    /// is no number is passed over.
    pub ie: f64,
    /// Robustness against loss; one that is not above 0 is taken as not known.
    pub bpl: f64,
}

/// What cannot be seen in packets and is set by the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether receivers of G.711 conceal loss. Nearly all do.
    pub concealment: bool,
    /// Handset or headset.
    pub listening: Listening,
    /// Rows of the user, in front of the table; the first that fits is taken.
    pub rows: Vec<UserRow>,
}

impl Default for Options {
    fn default() -> Self {
        Self { concealment: true, listening: Listening::Monotic, rows: Vec::new() }
    }
}

/// What is known of a stream's codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codec<'a> {
    /// Encoding name as in `a=rtpmap`, without regard to case.
    pub name: &'a str,
    /// Clock rate in Hz, when known: it tells G.722.1 from its 32 kHz variant.
    pub clock: Option<u32>,
    /// The parameters of `a=fmtp`, without the payload type.
    pub fmtp: Option<&'a str>,
    /// Bits/s of speech that the payload tells ([`super::bit_rate`]), of the newest speech packet or the most usual one.
    pub bit_rate: Option<u32>,
}

/// Names of encodings and what they are.
const NAMES: &[(&str, Kind)] = &[
    ("PCMU", Kind::G711),
    ("PCMA", Kind::G711),
    ("G729", Kind::G729),
    ("G729A", Kind::G729),
    ("G723", Kind::G723),
    ("GSM", Kind::Plain(GSM_FR)),
    ("GSM-EFR", Kind::Plain(GSM_EFR)),
    ("GSM-HR-08", Kind::Plain(GSM_HR)),
    ("G726-40", Kind::Plain(G726_40)),
    ("G726-32", Kind::Plain(G726_32)),
    ("G726-24", Kind::Plain(G726_24)),
    ("G726-16", Kind::Plain(G726_16)),
    ("AAL2-G726-40", Kind::Plain(G726_40)),
    ("AAL2-G726-32", Kind::Plain(G726_32)),
    ("AAL2-G726-24", Kind::Plain(G726_24)),
    ("AAL2-G726-16", Kind::Plain(G726_16)),
    ("G721", Kind::Plain(G726_32)),
    ("G728", Kind::G728),
    ("IS-641", Kind::Plain(IS_641)),
    ("IS641", Kind::Plain(IS_641)),
    ("AMR", Kind::Amr),
    ("AMR-WB", Kind::AmrWb),
    ("G722", Kind::G722),
    ("G7221", Kind::G7221),
    ("EVS", Kind::Evs),
    ("opus", Kind::Plain(EVS_24_4.lent_to("Opus"))),
];

#[derive(Clone, Copy)]
enum Kind {
    Plain(Row),
    G711,
    G729,
    G723,
    G728,
    Amr,
    AmrWb,
    G722,
    G7221,
    Evs,
}

use Scale::{Full, Narrow, Wide};

const G711_PLC: Row = Row::new("G.711 + PLC", Narrow, published(0.0), published(25.1));
const G711: Row = Row::new("G.711", Narrow, published(0.0), published(4.3));
const G729A_VAD: Row = Row::new("G.729A + VAD", Narrow, published(11.0), published(19.0));
const G729: Row = Row::new("G.729", Narrow, published(10.0), assumed(19.0));
const G723_6_3: Row = Row::new("G.723.1 6.3k + VAD", Narrow, published(15.0), published(16.1));
const G723_5_3: Row = Row::new("G.723.1 5.3k", Narrow, published(19.0), assumed(16.1));
const GSM_EFR: Row = Row::new("GSM-EFR", Narrow, published(5.0), published(10.0));
const GSM_FR: Row = Row::new("GSM-FR", Narrow, secondary(20.0), assumed(10.0));
const GSM_HR: Row = Row::new("GSM-HR", Narrow, secondary(23.0), assumed(10.0));
const G726_40: Row = Row::new("G.726 40k", Narrow, published(2.0), assumed(4.3));
const G726_32: Row = Row::new("G.726 32k", Narrow, published(7.0), assumed(4.3));
const G726_24: Row = Row::new("G.726 24k", Narrow, published(25.0), assumed(4.3));
const G726_16: Row = Row::new("G.726 16k", Narrow, published(50.0), assumed(4.3));
const G728_16: Row = Row::new("G.728 16k", Narrow, published(7.0), assumed(4.3));
const G728_12_8: Row = Row::new("G.728 12.8k", Narrow, published(20.0), assumed(4.3));
const IS_641: Row = Row { name: "IS-641", scale: Narrow, ie: published(10.0), bpl: None, stand_in_for: None };

const G722: [(u32, Row); 3] = [
    (64_000, Row::new("G.722 64k", Wide, secondary(13.0), assumed(4.3))),
    (56_000, Row::new("G.722 56k", Wide, secondary(20.0), assumed(4.3))),
    (48_000, Row::new("G.722 48k", Wide, secondary(31.0), assumed(4.3))),
];
const G7221: [(u32, Row); 2] = [
    (32_000, Row::new("G.722.1 32k", Wide, secondary(13.0), assumed(4.3))),
    (24_000, Row::new("G.722.1 24k", Wide, secondary(19.0), assumed(4.3))),
];

const AMR_WB_MONOTIC: [(u32, Row); 9] = [
    (23_850, Row::new("AMR-WB 23.85k", Wide, published(8.0), assumed(4.3))),
    (23_050, Row::new("AMR-WB 23.05k", Wide, published(1.0), assumed(4.3))),
    (19_850, Row::new("AMR-WB 19.85k", Wide, published(3.0), assumed(4.3))),
    (18_250, Row::new("AMR-WB 18.25k", Wide, published(5.0), assumed(4.3))),
    (15_850, Row::new("AMR-WB 15.85k", Wide, published(7.0), assumed(4.3))),
    (14_250, Row::new("AMR-WB 14.25k", Wide, published(10.0), assumed(4.3))),
    (12_650, Row::new("AMR-WB 12.65k", Wide, published(13.0), secondary(4.3))),
    (8_850, Row::new("AMR-WB 8.85k", Wide, published(26.0), assumed(4.3))),
    (6_600, Row::new("AMR-WB 6.6k", Wide, published(41.0), assumed(4.3))),
];

const fn diotic(name: &'static str, ie: f64) -> Row {
    Row { name, scale: Wide, ie: published(ie), bpl: None, stand_in_for: None }
}

const AMR_WB_DIOTIC: [(u32, Row); 6] = [
    (23_850, diotic("AMR-WB 23.85k diotic", 10.0)),
    (23_050, diotic("AMR-WB 23.05k diotic", 8.0)),
    (15_850, diotic("AMR-WB 15.85k diotic", 17.0)),
    (12_650, diotic("AMR-WB 12.65k diotic", 20.0)),
    (8_850, diotic("AMR-WB 8.85k diotic", 41.0)),
    (6_600, diotic("AMR-WB 6.6k diotic", 56.0)),
];

const EVS_24_4: Row = Row::new("EVS-SWB 24.4k", Full, published(7.2), published(11.4));
const EVS: [(u32, Row); 6] = [
    (48_000, Row::new("EVS-SWB 48k", Full, published(10.2), published(9.6))),
    (32_000, Row::new("EVS-SWB 32k", Full, published(8.7), published(9.3))),
    (24_400, EVS_24_4),
    (16_400, Row::new("EVS-SWB 16.4k", Full, published(10.8), published(10.3))),
    (13_200, Row::new("EVS-SWB 13.2k", Full, published(17.1), published(11.7))),
    (9_600, Row::new("EVS-SWB 9.6k", Full, published(22.7), published(13.0))),
];

/// The row of a codec: one that the user set, else that of the table.
///
/// `None` is an answer: there is no published value and nothing to stand in for it, as for iLBC, Speex, most modes of AMR,
/// a mode that cannot be read, video, and what is encrypted and unknown.
pub fn row(codec: &Codec<'_>, options: &Options) -> Option<Row> {
    let is_for_it = |user: &&UserRow| user.codec.eq_ignore_ascii_case(codec.name) && user.ie.is_finite();
    if let Some(user) = options.rows.iter().find(is_for_it) {
        return Some(user_row(user));
    }
    let kind = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(codec.name))?.1;
    let by_rate = |rows: &[(u32, Row)], rate: Option<u32>| rows.iter().find(|row| Some(row.0) == rate).map(|row| row.1);
    let told_rate = || parameter(codec.fmtp, "bitrate").and_then(|rate| rate.parse().ok());
    match kind {
        Kind::Plain(row) => Some(row),
        Kind::G711 => Some(if options.concealment { G711_PLC } else { G711 }),
        Kind::G729 => Some(if is_no(codec, "annexb") { G729 } else { G729A_VAD }),
        Kind::G723 => g723(codec),
        Kind::G728 => match codec.bit_rate {
            None | Some(16_000) => Some(G728_16),
            Some(12_800) => Some(G728_12_8),
            Some(_) => None,
        },
        Kind::Amr => (codec.bit_rate == Some(12_200)).then_some(GSM_EFR.lent_to("AMR 12.2k")),
        Kind::AmrWb => match options.listening {
            Listening::Monotic => by_rate(&AMR_WB_MONOTIC, codec.bit_rate),
            Listening::Diotic => by_rate(&AMR_WB_DIOTIC, codec.bit_rate),
        },
        Kind::G722 => by_rate(&G722, codec.bit_rate.or(Some(64_000))),
        Kind::G7221 if codec.clock.is_none_or(|clock| clock == 16_000) => {
            by_rate(&G7221, codec.bit_rate.or_else(told_rate))
        }
        Kind::G7221 => None,
        Kind::Evs => {
            by_rate(&EVS, codec.bit_rate).map(|row| if is_superwide(codec) { row } else { row.lent_to("EVS") })
        }
    }
}

fn is_no(codec: &Codec<'_>, name: &str) -> bool {
    parameter(codec.fmtp, name).is_some_and(|value| value.eq_ignore_ascii_case("no"))
}

/// The rate stands in the payload; `a=fmtp` may limit it (RFC 4856, 2.1.4). Without either, 6.3k is what phones send. The row
/// without silence suppression was not published.
fn g723(codec: &Codec<'_>) -> Option<Row> {
    let told = parameter(codec.fmtp, "bitrate");
    let is_low = codec.bit_rate.map_or(told == Some("5.3"), |rate| rate == 5_300);
    if is_low {
        return Some(G723_5_3);
    }
    Some(if is_no(codec, "annexa") { G723_6_3.lent_to("G.723.1 6.3k") } else { G723_6_3 })
}

/// Whether EVS can be nothing but super-wideband here (3GPP TS 26.445, A.3.1); else its bandwidth stands in the frame, where
/// it is not read.
fn is_superwide(codec: &Codec<'_>) -> bool {
    parameter(codec.fmtp, "bw").is_some_and(|band| band.eq_ignore_ascii_case("swb"))
}

fn user_row(user: &UserRow) -> Row {
    let most = match user.scale {
        Narrow | Wide => 95.0,
        Full => 132.0,
    };
    Row {
        name: "set by the user",
        scale: user.scale,
        ie: assumed(user.ie.clamp(0.0, most)),
        bpl: (user.bpl > 0.0 && user.bpl.is_finite()).then_some(assumed(user.bpl)),
        stand_in_for: None,
    }
}
