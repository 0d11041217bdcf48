//! The quality pane below the ladder.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::CallView;
use crate::store::snapshot::Snapshot;
use crate::tui::format::Zone;
use crate::tui::pane::quality::{HEIGHT, QualityPane};
use crate::tui::theme::Theme;

/// From this height on it has room.
const ROOM: u16 = 15;

impl CallView {
    /// The same with the quality pane, or without it.
    #[must_use]
    pub fn with_quality(self, quality: bool) -> Self {
        Self { quality, ..self }
    }

    /// Whether the quality pane is wanted.
    pub const fn shows_quality(&self) -> bool {
        self.quality
    }

    pub(super) fn has_audio(&self) -> bool {
        self.page.pairs.iter().any(|pairs| !pairs.is_empty())
    }

    pub(super) fn zone(&self) -> Zone {
        if self.utc { Zone::Utc } else { Zone::Local }
    }

    /// Draws how the audio of the call under the cursor is. Returns the area above it.
    pub(super) fn draw_quality(&self, area: Rect, buffer: &mut Buffer, snapshot: &Snapshot, theme: &Theme) -> Rect {
        if !self.quality || !self.has_audio() || area.height < ROOM {
            return area;
        }
        let [above, area] = Layout::vertical([Constraint::Fill(1), Constraint::Length(HEIGHT)]).areas(area);
        let at = self.page.call_of(self.cursor_at);
        let (Some(call), Some(pairs)) = (self.page.calls.get(at), self.page.pairs.get(at)) else { return above };
        let now = snapshot.now.unwrap_or(call.last);
        let pane = QualityPane { call, pairs, streams: &snapshot.streams, now, zone: self.zone(), theme };
        pane.draw(buffer, area);
        above
    }
}
