//! The filter form: a field for each part of a call, composed into one filter.

use crossterm::event::{Event, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::store::filter::Filter;
use crate::tui::action::{Action, Hits};
use crate::tui::state::State;
use crate::tui::table::paint;
use crate::tui::theme::Role;
use crate::tui::widget::lines::{self, Line};
use crate::tui::widget::window;

/// A field of the form: what stands before it, the filter's name for it, an example.
const FIELDS: [(&str, &str, &str); 7] = [
    ("From", "from", "208, or a regular expression: ^20[678]$"),
    ("To", "to", "user, URI or display name"),
    ("Source", "src", "10.1.1.123, 10.1.0.0/16, 10.1.1.123:5060"),
    ("Destination", "dst", "10.1.1.68"),
    ("Method", "method", "INVITE SUBSCRIBE"),
    ("State", "state", "failed timeout in_call ringing completed"),
    ("Payload", "payload", "text of any message of the call"),
];

/// Cells before the typed text.
const LABEL: u16 = 13;

/// The form while it is filled in.
#[derive(Debug, Default)]
pub struct FilterForm {
    inputs: [Input; FIELDS.len()],
    at: usize,
}

impl FilterForm {
    /// A form with these texts, as it was left the last time.
    pub fn new(texts: &[String]) -> Self {
        let mut form = Self::default();
        for (input, text) in form.inputs.iter_mut().zip(texts) {
            *input = text.as_str().into();
        }
        form
    }

    /// What is typed, for the next time.
    pub fn texts(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.value().to_owned()).collect()
    }

    /// Goes to another field.
    pub fn step(&mut self, delta: i64) {
        self.at = (self.at as i64).saturating_add(delta).rem_euclid(FIELDS.len() as i64) as usize;
    }

    /// Goes to this field.
    pub fn select(&mut self, at: usize) {
        self.at = at.min(FIELDS.len() - 1);
    }

    /// Types into the field.
    pub fn key(&mut self, event: &KeyEvent) {
        if let Some(input) = self.inputs.get_mut(self.at) {
            input.handle_event(&Event::Key(*event));
        }
    }

    /// The form as a filter.
    pub fn expression(&self) -> String {
        let parts = FIELDS.iter().zip(&self.inputs).filter(|(_, input)| !input.value().trim().is_empty());
        let parts: Vec<String> = parts.map(|((_, name, _), input)| term(name, input.value().trim())).collect();
        parts.join(" and ")
    }

    /// Draws it.
    pub fn draw(&self, frame: &mut Frame<'_>, screen: Rect, state: &State, hits: &mut Hits) {
        let theme = &state.theme;
        let height = FIELDS.len() as u16 + 4;
        let inner = window::draw(frame.buffer_mut(), screen, (66, height), "Filter", theme);
        let room = inner.width.saturating_sub(LABEL);
        for (at, (y, ((label, _, example), input))) in
            (inner.y..inner.bottom()).zip(FIELDS.iter().zip(&self.inputs)).enumerate()
        {
            let row = Rect { y, height: 1, ..inner };
            let here = at == self.at;
            let scroll = input.visual_scroll(usize::from(room.saturating_sub(1)));
            let typed = paint::skip_cells(input.value(), scroll);
            let mut line = Line::blank().at(0, LABEL - 1, *label, if here { Role::Title } else { Role::Text });
            line = match typed.is_empty() {
                true => line.at(LABEL, room, *example, Role::Dim),
                false => line.at(LABEL, room, typed, Role::Title),
            };
            lines::draw_line(frame.buffer_mut(), row, &line, theme);
            hits.add(row, Action::SelectLine(at));
            if here && row.width > LABEL {
                let cursor = input.visual_cursor().saturating_sub(scroll) as u16;
                frame.set_cursor_position((row.x + LABEL + cursor.min(room.saturating_sub(1)), y));
            }
        }
        let below = Rect {
            y: inner.y + (FIELDS.len() as u16 + 1).min(inner.height),
            height: inner.height.saturating_sub(FIELDS.len() as u16 + 1),
            ..inner
        };
        let expression = self.expression();
        let what = if expression.is_empty() { "everything".to_owned() } else { expression };
        let keys = Line::of("Enter filters, Tab goes to the next field, Esc leaves", Role::Dim);
        lines::draw(frame.buffer_mut(), below, &[Line::of(what, Role::Text), Line::blank(), keys], 0, theme);
    }
}

/// One comparison. Words of method and state are alternatives; an address is compared as such, other text as a regular expression
/// if it is one.
fn term(name: &str, text: &str) -> String {
    let understood = |term: &String| Filter::parse(term).is_ok();
    match name {
        "method" | "state" => {
            let words: Vec<String> =
                text.split([' ', ',']).filter(|word| !word.is_empty()).map(|word| compare(name, "==", word)).collect();
            if let [one] = words.as_slice() { one.clone() } else { format!("({})", words.join(" or ")) }
        }
        "src" | "dst" => Some(compare(name, "==", text))
            .filter(understood)
            .unwrap_or_else(|| compare(name, "~", &regex::escape(text))),
        _ => Some(compare(name, "~", text))
            .filter(understood)
            .unwrap_or_else(|| compare(name, "~", &regex::escape(text))),
    }
}

fn compare(name: &str, operator: &str, text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|ch| ch.is_ascii_alphanumeric() || "_-.@:/".contains(ch));
    match plain && !matches!(text.to_ascii_lowercase().as_str(), "and" | "or" | "not") {
        true => format!("{name} {operator} {text}"),
        false => format!("{name} {operator} \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_composes_a_filter_that_is_understood() {
        let texts = ["+44\"2", "^20[678]$", "10.1.0.0/16", "", "INVITE subscribe", "failed", "a\\d b"];
        let form = FilterForm::new(&texts.map(str::to_owned));
        let expression = form.expression();
        assert_eq!(
            expression,
            "from ~ \"\\\\+44\\\"2\" and to ~ \"^20[678]$\" and src == 10.1.0.0/16 and \
             (method == INVITE or method == subscribe) and state == failed and payload ~ \"a\\\\d b\""
        );
        assert!(Filter::parse(&expression).is_ok(), "{:?}", Filter::parse(&expression));
        assert_eq!(FilterForm::default().expression(), "");
    }
}
