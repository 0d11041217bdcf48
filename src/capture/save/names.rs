//! What sources and interfaces are called in a file that is written.

use std::sync::Arc;

use super::REBUILT_INTERFACE;
use crate::capture::SourceStatus;

/// The sources of packets, asked for the names of their interfaces.
#[derive(Clone, Debug, Default)]
pub struct SourceNames(Arc<[Arc<SourceStatus>]>);

impl SourceNames {
    /// Those of these sources, in the order of their packets' source numbers.
    pub fn of(sources: impl IntoIterator<Item = Arc<SourceStatus>>) -> Self {
        Self(sources.into_iter().collect())
    }

    /// What an interface of source `number` is called: as the file says that it came from, else as that file, or as the
    /// live interface itself.
    pub(super) fn name(&self, number: u16, interface: u16) -> String {
        let told = |source: &Arc<SourceStatus>| source.facts.load().interfaces.get(&(number, interface)).cloned();
        let input = || self.0.iter().flat_map(|source| &source.inputs).nth(usize::from(number));
        let input = || input().map_or("", String::as_str);
        match (self.0.iter().find_map(told).filter(|told| !told.is_empty()), interface) {
            (Some(told), _) => told,
            (None, 0) => input().to_owned(),
            (None, REBUILT_INTERFACE) => format!("{}, rebuilt from messages", input()),
            (None, _) => format!("{} #{interface}", input()),
        }
    }

    /// Whether a source holds keys of encrypted connections, which are not copied.
    pub fn leaves_keys(&self) -> bool {
        self.0.iter().any(|source| source.facts.load().key_blocks > 0)
    }
}
