//! Voice quality reports that phones publish over SIP: `application/vq-rtcpxr` (RFC 6035).
//!
//! What is read is what phones send, not only what the RFC writes: names and keys in any case, blanks around colons and
//! signs, sections before or after the addresses, unknown lines and keys kept as text. Texts are as sent: make them fit for
//! a terminal with [`crate::text::visible`].

mod metrics;

use std::net::IpAddr;

pub use self::metrics::{VqMetrics, VqOther};
use self::metrics::{number, pairs};
use crate::limits::{VQ_OTHERS, VQ_REPORT_BYTES, VQ_REPORT_LINES, VQ_TEXT_BYTES};

/// What made the phone report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VqKind {
    /// The call ended, or a part of it.
    Session {
        /// Whether it says `CallTerm`: the call is over.
        is_final: bool,
    },
    /// Time went by.
    Interval,
    /// A threshold was passed.
    Alert(VqAlert),
}

/// Which threshold was passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VqAlert {
    /// What: the key of the metric (`NLR`, `RLQ`).
    pub metric: Option<Box<str>>,
    /// How bad: `Warning`, `Critical`, `Clear`.
    pub severity: Option<Box<str>>,
    /// Which side: `local`, `remote`.
    pub direction: Option<Box<str>>,
}

/// Where one side's media comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VqAddress {
    /// `IP`.
    pub ip: Option<IpAddr>,
    /// `PORT`.
    pub port: Option<u16>,
    /// `SSRC`, hexadecimal, with `0x` or without.
    pub ssrc: Option<u32>,
}

/// A dialog as `DialogID` names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VqDialog {
    /// Call-ID of the dialog.
    pub call_id: Box<str>,
    /// `to-tag`.
    pub to_tag: Option<Box<str>>,
    /// `from-tag`.
    pub from_tag: Option<Box<str>>,
}

/// A voice quality report. To find its call: by [`VqReport::call_id`], then by addresses and SSRC.
#[derive(Clone, Debug, PartialEq)]
pub struct VqReport {
    /// What made the phone report.
    pub kind: VqKind,
    /// `CallID`: the Call-ID of the call.
    pub call_id: Option<Box<str>>,
    /// `LocalID`: who reports.
    pub local_id: Option<Box<str>>,
    /// `RemoteID`: whom it spoke with.
    pub remote_id: Option<Box<str>>,
    /// `OrigID`: who started the call.
    pub originator_id: Option<Box<str>>,
    /// `LocalGroup`.
    pub local_group: Option<Box<str>>,
    /// `RemoteGroup`.
    pub remote_group: Option<Box<str>>,
    /// `LocalMAC`.
    pub local_mac: Option<Box<str>>,
    /// `RemoteMAC`.
    pub remote_mac: Option<Box<str>>,
    /// `DialogID`.
    pub dialog: Option<VqDialog>,
    /// `LocalAddr`.
    pub local_address: Option<VqAddress>,
    /// `RemoteAddr`.
    pub remote_address: Option<VqAddress>,
    /// What the reporter measured of what it received. Also what stands in no section.
    pub local: VqMetrics,
    /// What the far end told the reporter of what that received.
    pub remote: Option<VqMetrics>,
    /// Lines without a field of their own, at most [`VQ_OTHERS`].
    pub others: Vec<VqOther>,
}

impl VqReport {
    /// Reads the body of a PUBLISH or NOTIFY with `Event: vq-rtcpxr`; at most [`VQ_REPORT_BYTES`] of it. `None` when its
    /// first line does not name a report.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body.get(..VQ_REPORT_BYTES).unwrap_or(body));
        let mut lines = text.lines().take(VQ_REPORT_LINES).filter(|line| !line.trim().is_empty());
        let mut report = Self::with_kind(kind(lines.next()?)?);
        let mut section = Section::Local;
        let mut folded = "";
        for line in lines {
            let (name, rest) = name_of(line, folded);
            folded = name;
            match name {
                _ if name.eq_ignore_ascii_case("LocalMetrics") => section = Section::Local,
                _ if name.eq_ignore_ascii_case("RemoteMetrics") => section = Section::Remote,
                _ => report.line(section, name, rest),
            }
        }
        Some(report)
    }

    const fn with_kind(kind: VqKind) -> Self {
        Self {
            kind,
            call_id: None,
            local_id: None,
            remote_id: None,
            originator_id: None,
            local_group: None,
            remote_group: None,
            local_mac: None,
            remote_mac: None,
            dialog: None,
            local_address: None,
            remote_address: None,
            local: VqMetrics::NONE,
            remote: None,
            others: Vec::new(),
        }
    }

    fn line(&mut self, section: Section, name: &str, rest: &str) {
        let lower = name.to_ascii_lowercase();
        let text = match lower.as_str() {
            "callid" => &mut self.call_id,
            "localid" => &mut self.local_id,
            "remoteid" => &mut self.remote_id,
            "origid" => &mut self.originator_id,
            "localgroup" => &mut self.local_group,
            "remotegroup" => &mut self.remote_group,
            "localmac" => &mut self.local_mac,
            "remotemac" => &mut self.remote_mac,
            "dialogid" => return self.dialog = Some(VqDialog::parse(rest)),
            "localaddr" => return self.local_address = Some(VqAddress::parse(rest)),
            "remoteaddr" => return self.remote_address = Some(VqAddress::parse(rest)),
            _ => {
                let metrics = match section {
                    Section::Local => &mut self.local,
                    Section::Remote => self.remote.get_or_insert(VqMetrics::NONE),
                };
                if !metrics.line(name, rest) && self.others.len() < VQ_OTHERS {
                    self.others.push(VqOther { name: kept(name), value: kept(rest) });
                }
                return;
            }
        };
        // Phones repeat some lines in both sections; the first one counts.
        text.get_or_insert_with(|| kept(rest));
    }
}

#[derive(Clone, Copy)]
enum Section {
    Local,
    Remote,
}

fn kind(line: &str) -> Option<VqKind> {
    let (name, rest) = line.split_once(':').map_or((line, ""), |(name, rest)| (name, rest.trim()));
    let is = |wanted: &str| name.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case(wanted);
    if is("VQSessionReport") {
        return Some(VqKind::Session { is_final: rest.eq_ignore_ascii_case("CallTerm") });
    }
    if is("VQIntervalReport") {
        return Some(VqKind::Interval);
    }
    is("VQAlertReport").then(|| VqKind::Alert(VqAlert::parse(rest)))
}

/// The line's name and what stands behind its colon. A line that starts with a blank and has pairs, but no name of its own,
/// goes on with the line before (RFC 3261, 7.3.1).
fn name_of<'t>(line: &'t str, before: &'t str) -> (&'t str, &'t str) {
    let is_name = |name: &str| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    let named = line.split_once(':').map(|(name, rest)| (name.trim(), rest.trim()));
    match named.filter(|(name, _)| !name.is_empty() && is_name(name)) {
        Some(named) => named,
        None if line.starts_with([' ', '\t']) => (before, line.trim()),
        None => ("", line.trim()),
    }
}

impl VqAlert {
    fn parse(rest: &str) -> Self {
        let mut alert = Self::default();
        for (key, value) in pairs(rest) {
            let slot = match key.to_ascii_lowercase().as_str() {
                "type" => &mut alert.metric,
                "severity" => &mut alert.severity,
                "dir" => &mut alert.direction,
                _ => continue,
            };
            *slot = Some(kept(value));
        }
        alert
    }
}

impl VqAddress {
    fn parse(rest: &str) -> Self {
        let mut address = Self::default();
        for (key, value) in pairs(rest) {
            match key.to_ascii_lowercase().as_str() {
                "ip" => address.ip = value.trim_start_matches('[').trim_end_matches(']').parse().ok(),
                "port" => address.port = number(value),
                "ssrc" => address.ssrc = ssrc(value),
                _ => {}
            }
        }
        address
    }
}

fn ssrc(value: &str) -> Option<u32> {
    let digits = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")).unwrap_or(value);
    let is_hexadecimal = digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)
}

impl VqDialog {
    fn parse(rest: &str) -> Self {
        let mut parts = rest.split(';').map(str::trim);
        let mut dialog = Self { call_id: kept(parts.next().unwrap_or_default()), ..Self::default() };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key.trim().to_ascii_lowercase().as_str() {
                "to-tag" => dialog.to_tag = Some(kept(value.trim())),
                "from-tag" => dialog.from_tag = Some(kept(value.trim())),
                _ => {}
            }
        }
        dialog
    }
}

/// The text, at most [`VQ_TEXT_BYTES`] of it.
fn kept(text: &str) -> Box<str> {
    text.get(..text.floor_char_boundary(VQ_TEXT_BYTES)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
