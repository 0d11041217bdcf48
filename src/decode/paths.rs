//! The ways messages came, each kept once.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Decoder, Origin};
use crate::limits::SHARED_PATHS;
use crate::net::{Path, link};

/// Paths that several messages share.
#[derive(Debug, Default)]
pub(super) struct Paths(HashSet<Arc<Path>, foldhash::fast::RandomState>);

impl Paths {
    fn shared(&mut self, path: &Path) -> Option<Arc<Path>> {
        if path.is_plain() {
            return None;
        }
        if let Some(known) = self.0.get(path) {
            return Some(Arc::clone(known));
        }
        let path = Arc::new(path.clone());
        if self.0.len() < SHARED_PATHS {
            self.0.insert(Arc::clone(&path));
        }
        Some(path)
    }
}

impl Decoder {
    /// The path of a message, `None` if nothing stood around it.
    pub(super) fn path(&mut self, origin: &Origin<'_>) -> Option<Arc<Path>> {
        match origin.path {
            Some(path) => self.paths.shared(path),
            None => self.paths.shared(&outermost(origin)),
        }
    }
}

/// The path of a packet that went the hand path, which leaves it out.
pub(super) fn outermost(origin: &Origin<'_>) -> Path {
    match link::open(origin.meta.link, origin.data) {
        Ok(link::Inside::Ip { path, .. }) => path,
        _ => Path::default(),
    }
}
