//! Source descriptions, goodbyes and packets of applications (RFC 3550, 6.5 to 6.7).
//!
//! Their texts are octets as sent: make them fit for a terminal with [`crate::text::visible`].

use super::word;

/// Who the sources are: one chunk for each.
#[derive(Clone, Copy, Debug)]
pub struct SourceDescription<'p> {
    body: &'p [u8],
    count: u8,
}

/// The items of one source.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'p> {
    /// The source.
    pub ssrc: u32,
    items: &'p [u8],
}

/// The chunks of a source description: 31 at most.
#[derive(Clone, Copy, Debug)]
pub struct Chunks<'p> {
    rest: &'p [u8],
    left: u8,
}

/// The items of a chunk: `(type, text)`.
#[derive(Clone, Copy, Debug)]
pub struct Items<'p>(&'p [u8]);

/// The canonical name.
const CNAME: u8 = 1;

impl<'p> SourceDescription<'p> {
    pub(super) const fn read(body: &'p [u8], count: u8) -> Self {
        Self { body, count }
    }

    /// Its chunks.
    pub const fn chunks(&self) -> Chunks<'p> {
        Chunks { rest: self.body, left: self.count }
    }
}

impl<'p> Iterator for Chunks<'p> {
    type Item = Chunk<'p>;

    fn next(&mut self) -> Option<Chunk<'p>> {
        self.left = self.left.checked_sub(1)?;
        let ssrc = word(self.rest, 0)?;
        let items = self.rest.get(4..)?;
        let mut walk = Items(items);
        while walk.next().is_some() {}
        // One to four NULs end a chunk on a whole word; the SSRC in front is a whole one.
        let octets = items.len() - walk.0.len();
        self.rest = items.get((octets / 4 + 1) * 4..).unwrap_or_default();
        Some(Chunk { ssrc, items: items.get(..octets).unwrap_or_default() })
    }
}

impl<'p> Chunk<'p> {
    /// Its items.
    pub const fn items(&self) -> Items<'p> {
        Items(self.items)
    }

    /// The canonical name, if it has one that is not empty.
    pub fn cname(&self) -> Option<&'p [u8]> {
        self.items().find(|(kind, text)| *kind == CNAME && !text.is_empty()).map(|(_, text)| text)
    }
}

impl<'p> Iterator for Items<'p> {
    type Item = (u8, &'p [u8]);

    fn next(&mut self) -> Option<(u8, &'p [u8])> {
        let [kind, length, rest @ ..] = self.0 else { return None };
        if *kind == 0 {
            return None;
        }
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some((*kind, text))
    }
}

/// The name of an item's type (RFC 3550, 12.2); `None` for an unknown one.
pub const fn item_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "CNAME",
        2 => "NAME",
        3 => "EMAIL",
        4 => "PHONE",
        5 => "LOC",
        6 => "TOOL",
        7 => "NOTE",
        8 => "PRIV",
        _ => return None,
    })
}

/// Sources that leave.
#[derive(Clone, Copy, Debug)]
pub struct Goodbye<'p> {
    sources: &'p [u8],
    /// Why, as sent; `None` when nothing is said.
    pub reason: Option<&'p [u8]>,
}

impl<'p> Goodbye<'p> {
    pub(super) fn read(body: &'p [u8], count: u8) -> Self {
        let octets = usize::from(count) * 4;
        let (sources, behind) = body.split_at_checked(octets).unwrap_or((body, &[]));
        let reason = behind.split_first().and_then(|(length, text)| text.get(..usize::from(*length)));
        Self { sources, reason: reason.filter(|text| !text.is_empty()) }
    }

    /// Who leaves: 31 at most.
    pub fn sources(&self) -> impl Iterator<Item = u32> + use<'p> {
        self.sources.as_chunks::<4>().0.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }
}

/// A packet that only one application understands.
#[derive(Clone, Copy, Debug)]
pub struct Application<'p> {
    /// Who sends it.
    pub ssrc: u32,
    /// Its kind within the name.
    pub subtype: u8,
    /// Four characters of ASCII, as sent.
    pub name: [u8; 4],
    /// Its data.
    pub data: &'p [u8],
}

impl<'p> Application<'p> {
    pub(super) fn read(body: &'p [u8], subtype: u8) -> Option<Self> {
        Some(Self { ssrc: word(body, 0)?, subtype, name: word(body, 4)?.to_be_bytes(), data: body.get(8..)? })
    }
}
