//! The mouse: a click is the action that was drawn there.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, Hits};
use super::pane::call_view::CallViewAction;
use super::pane::stream_view::StreamViewAction;
use super::state::State;

/// Two clicks on one cell within this time are a double click, in ms.
const DOUBLE_MS: u64 = 400;

/// Rows that one step of the wheel scrolls.
const WHEEL_ROWS: i32 = 3;

/// Remembers the last click.
#[derive(Debug, Default)]
pub struct Clicks {
    last: Option<(u16, u16, u64)>,
}

impl Clicks {
    /// Whether this press is the second one of a double click.
    pub fn is_double(&mut self, event: &MouseEvent, now_ms: u64) -> bool {
        if event.kind != MouseEventKind::Down(MouseButton::Left) {
            return false;
        }
        let (column, row) = (event.column, event.row);
        let double = self.last.is_some_and(|(x, y, at)| (x, y) == (column, row) && now_ms < at + DOUBLE_MS);
        self.last = (!double).then_some((column, row, now_ms));
        double
    }
}

/// What a turn of the wheel or a click means.
pub fn action(event: &MouseEvent, double: bool, hits: &Hits, state: &State) -> Option<Vec<Action>> {
    let wheel = |rows: i32| match state.popups.is_empty() {
        true if state.view.is_some() => Action::CallView(CallViewAction::Wheel { at: (event.column, event.row), rows }),
        true if state.stream.is_some() => Action::StreamView(StreamViewAction::Scroll(rows)),
        _ => Action::Move(rows),
    };
    match event.kind {
        MouseEventKind::ScrollDown => Some(vec![wheel(WHEEL_ROWS)]),
        MouseEventKind::ScrollUp => Some(vec![wheel(-WHEEL_ROWS)]),
        MouseEventKind::Down(MouseButton::Left) => {
            let hit = hits.find(event.column, event.row)?.clone();
            let opens = match (&hit, double) {
                (Action::SelectCall(_) | Action::SelectStream(_), true) => Some(Action::Open),
                (Action::CallView(CallViewAction::Select(_)), true) => Some(Action::CallView(CallViewAction::Raw)),
                (Action::SelectLine(_), true) if state.popups.is_empty() => Some(Action::Open),
                _ => None,
            };
            Some([hit].into_iter().chain(opens).collect())
        }
        _ => None,
    }
}
