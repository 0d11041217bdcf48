//! Search in the messages, and going to a packet or a time.

use std::collections::HashMap;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use tui_input::Input;

use crate::packet::PacketId;
use crate::track::message::Message;

use super::look::time_of_day;
use super::page::{Page, RowId};

/// A line being typed.
#[derive(Debug)]
pub(super) struct Prompt {
    pub kind: PromptKind,
    pub input: Input,
    /// Where the cursor was: a search begins there, and Esc goes back.
    pub origin: Option<RowId>,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PromptKind {
    Search,
    Goto,
}

impl PromptKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Search => "search: ",
            Self::Goto => "go to (packet 123 or 2:123, time 10:02:14, +3.5): ",
        }
    }
}

/// Messages whose answer is remembered while a search stands; it keeps them in memory, so there is an end to it.
const REMEMBERED: usize = 8_192;

/// What is searched for. Case is ignored.
#[derive(Debug)]
pub(super) struct Needle {
    pub text: String,
    /// For marking it in shown text.
    pub shown: Regex,
    /// For finding it in a message.
    bytes: regex::bytes::Regex,
    known: HashMap<usize, (Arc<Message>, bool)>,
}

impl Needle {
    /// `None` for an empty text.
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let pattern = regex::escape(text);
        Some(Self {
            text: text.to_owned(),
            shown: RegexBuilder::new(&pattern).case_insensitive(true).build().ok()?,
            bytes: regex::bytes::RegexBuilder::new(&pattern).case_insensitive(true).build().ok()?,
            known: HashMap::new(),
        })
    }

    /// Whether this message holds it. Each message is searched once.
    pub fn is_in(&mut self, message: &Arc<Message>) -> bool {
        let key = Arc::as_ptr(message) as usize;
        if let Some((_, found)) = self.known.get(&key) {
            return *found;
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let found = self.bytes.is_match(message.sip.bytes());
        self.known.insert(key, (Arc::clone(message), found));
        found
    }

    /// The next matching item after `from` in this direction, around the end; `from` itself last, or first with `inclusive`.
    pub fn find(&mut self, page: &Page, from: usize, forward: bool, inclusive: bool) -> Option<usize> {
        let count = page.items.len();
        let skip = usize::from(!inclusive);
        (skip..count + skip).map(|step| step % count.max(1)).find_map(|step| {
            let item = if forward { (from + step) % count } else { (from + count - step) % count };
            page.message(item).is_some_and(|message| self.is_in(message)).then_some(item)
        })
    }
}

/// A place to go to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// A packet: its source, counted from 1, if one was named, and its number.
    Packet(Option<u16>, u64),
    /// A time of day, as digits and colons.
    TimeOfDay(String),
    /// Seconds from the first row.
    Offset(f64),
}

impl Target {
    /// `123`, `2:123`, `10:02:14`, `10:02:14.5`, `+3.5`. Two numbers with one colon are source and packet.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('#');
        if let Some(seconds) = text.strip_prefix('+') {
            return seconds.parse().ok().filter(|seconds: &f64| seconds.is_finite()).map(Self::Offset);
        }
        match text.split(':').collect::<Vec<_>>().as_slice() {
            [number] => number.parse().ok().map(|number| Self::Packet(None, number)),
            [source, number] => Some(Self::Packet(Some(source.parse().ok()?), number.parse().ok()?)),
            [hours, minutes, seconds] => {
                let seconds: (&str, &str) = seconds.split_once('.').unwrap_or((seconds, ""));
                let digits =
                    |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
                let whole = digits(hours) && digits(minutes) && digits(seconds.0);
                let fraction = seconds.1.bytes().all(|b| b.is_ascii_digit());
                let text = format!("{hours:0>2}:{minutes:0>2}:{:0>2}.{}", seconds.0, seconds.1);
                (whole && fraction).then_some(Self::TimeOfDay(text))
            }
            _ => None,
        }
    }

    /// The item there: the packet's own, or the first at or after the time.
    pub fn find(&self, page: &Page, utc: bool) -> Option<usize> {
        let first = page.items.first()?.at;
        match self {
            Self::Packet(source, number) => (0..page.items.len()).find(|item| {
                page.row(*item).is_some_and(|row| match source {
                    Some(source) => row.has_packet(PacketId::new(source.saturating_sub(1), *number)),
                    None => (0..16).any(|source| row.has_packet(PacketId::new(source, *number))),
                })
            }),
            Self::TimeOfDay(text) => {
                let reached = |at| time_of_day(at, utc, true).as_str() >= text.as_str();
                page.items.iter().position(|item| reached(item.at)).or(page.items.len().checked_sub(1))
            }
            Self::Offset(seconds) => {
                let reached = |at: crate::time::Timestamp| at.since(first).seconds() >= *seconds - 1e-9;
                page.items.iter().position(|item| reached(item.at)).or(page.items.len().checked_sub(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_packets_times_and_offsets() {
        assert_eq!(Target::parse("123"), Some(Target::Packet(None, 123)));
        assert_eq!(Target::parse(" #2:123 "), Some(Target::Packet(Some(2), 123)));
        assert_eq!(Target::parse("9:02:14.5"), Some(Target::TimeOfDay("09:02:14.5".to_owned())));
        assert_eq!(Target::parse("+3.5"), Some(Target::Offset(3.5)));
        for wrong in ["", "x", "1:2:x", "+", "+inf", "1:2:3:4", "-1", "::"] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }
}
