//! Keys as rows: help, hint bar and the key handler all read them.

pub mod call_view;
mod calls;
mod capture;
mod global;
mod key;
mod popup;
mod save;
mod stats;
mod streams;

use crossterm::event::KeyEvent;

use super::action::Action;

pub use key::{Key, sequence, shown};

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere, unless a text is being typed.
    Global,
    /// The call table.
    Calls,
    /// The call view: ladder and message.
    CallView,
    /// The raw message on the full screen.
    Raw,
    /// Two messages side by side.
    Diff,
    /// The stream table.
    Streams,
    /// The detail of a stream.
    StreamView,
    /// The Stats tab.
    Stats,
    /// The Capture tab.
    Capture,
    /// A list to scroll: help, explanation.
    Popup,
    /// A text being typed: the filter line.
    Line,
    /// Several texts being typed: the filter form.
    Form,
    /// The save window.
    Save,
    /// The name of the file to save, being typed.
    SaveName,
    /// Whether a file may be overwritten.
    Overwrite,
}

impl Context {
    /// The heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Calls => "Calls",
            Self::CallView => "Call view",
            Self::Raw => "Raw message",
            Self::Diff => "Two messages",
            Self::Streams => "Streams",
            Self::StreamView => "Stream",
            Self::Stats => "Stats",
            Self::Capture => "Capture",
            Self::Popup => "Lists and windows",
            Self::Line => "Filter line",
            Self::Form => "Filter form",
            Self::Save => "Save",
            Self::SaveName => "Name of the file",
            Self::Overwrite => "The file exists",
        }
    }

    /// Whether keys of [`Context::Global`] work here too.
    pub const fn takes_global(self) -> bool {
        !matches!(self, Self::Popup | Self::Line | Self::Form | Self::Save | Self::SaveName | Self::Overwrite)
    }
}

/// One key of one context.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// The keys, several with spaces between: `"j down"`, `"ctrl-d"`, `"f2"`, `"enter"`, `"space"`, `"shift-tab"`.
    pub keys: &'static str,
    /// What it means.
    pub action: Action,
    /// What the help says, as a verb ("show SDP").
    pub text: &'static str,
    /// A word for the hint bar; empty to stay out of it.
    pub hint: &'static str,
}

/// A row of the key tables.
const fn bind(context: Context, keys: &'static str, action: Action, text: &'static str, hint: &'static str) -> Binding {
    Binding { context, keys, action, text, hint }
}

const TABLES: [&[Binding]; 8] = [
    calls::BINDINGS,
    call_view::BINDINGS,
    streams::BINDINGS,
    stats::BINDINGS,
    capture::BINDINGS,
    popup::BINDINGS,
    save::BINDINGS,
    global::BINDINGS,
];

/// All keys of the program, those of [`Context::Global`] last.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    TABLES.into_iter().flatten()
}

/// The keys that work in a context, its own first. A key that the context gives a meaning of its own is left out of the
/// global ones, and a row whose first key is taken so is left out as a whole.
pub fn of(context: Context) -> impl Iterator<Item = &'static Binding> {
    let own = bindings().filter(move |binding| binding.context == context);
    let global = bindings().filter(move |binding| {
        let first = binding.keys.split(' ').next().unwrap_or_default();
        context.takes_global()
            && context != Context::Global
            && binding.context == Context::Global
            && !takes(context, first)
    });
    own.chain(global)
}

/// Whether a context gives a key a meaning of its own.
pub fn takes(context: Context, word: &str) -> bool {
    let key = Key::parse(word);
    bindings()
        .filter(|binding| binding.context == context)
        .flat_map(|binding| binding.keys.split(' '))
        .any(|other| Key::parse(other) == key)
}

/// What a key means in a context.
pub fn find(context: Context, event: &KeyEvent) -> Option<&'static Binding> {
    let pressed = Key::from_event(event);
    of(context).find(|binding| binding.keys.split(' ').any(|word| Key::parse(word) == Some(pressed)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn every_key_of_every_row_can_be_pressed() {
        for binding in bindings() {
            assert!(!binding.text.is_empty(), "{binding:?}");
            for word in binding.keys.split(' ') {
                assert!(Key::parse(word).is_some(), "{word} of {binding:?}");
            }
        }
    }

    #[test]
    fn a_key_means_one_thing_in_its_context() {
        for binding in bindings() {
            let context = binding.context;
            for word in binding.keys.split(' ') {
                let key = Key::parse(word);
                let same = bindings()
                    .filter(|other| other.context == context)
                    .flat_map(|other| other.keys.split(' '))
                    .filter(|other| Key::parse(other) == key);
                assert_eq!(same.count(), 1, "{word} in {context:?}");
            }
        }
    }

    /// Keys by which a view with parts of its own goes back and changes its focus.
    const OVERRIDES: [&str; 4] = ["esc", "q", "tab", "shift-tab"];

    #[test]
    fn a_context_hides_no_global_key_but_those_of_going_back() {
        for binding in bindings().filter(|binding| binding.context.takes_global()) {
            for word in binding.keys.split(' ').filter(|word| !OVERRIDES.contains(word)) {
                let global = bindings()
                    .filter(|other| other.context == Context::Global && binding.context != Context::Global)
                    .flat_map(|other| other.keys.split(' '))
                    .any(|other| Key::parse(other) == Key::parse(word));
                assert!(!global, "{word} of {binding:?}");
            }
        }
    }

    #[test]
    fn a_key_means_the_same_in_all_tables() {
        let mut meaning = HashMap::new();
        for binding in bindings() {
            let context = binding.context;
            let tables = [Context::Calls, Context::Streams, Context::Stats, Context::Capture, Context::Global];
            if !tables.contains(&context) {
                continue;
            }
            for word in binding.keys.split(' ') {
                let first = *meaning.entry(Key::parse(word)).or_insert(discriminant(&binding.action));
                assert_eq!(first, discriminant(&binding.action), "{word} of {binding:?}");
            }
        }
    }
}
