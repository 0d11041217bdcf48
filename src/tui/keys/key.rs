//! A key press as text and back.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with Ctrl and Alt. Shift counts only where it is no part of the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMES: [(&str, KeyCode); 21] = [
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("lt", KeyCode::Char('<')),
    ("gt", KeyCode::Char('>')),
    ("minus", KeyCode::Char('-')),
];

impl Key {
    /// The key of a terminal event.
    pub fn from_event(event: &KeyEvent) -> Self {
        let kept = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let modifiers = match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => event.modifiers & kept,
            _ => event.modifiers & (kept | KeyModifiers::SHIFT),
        };
        let code = match event.code {
            KeyCode::Char(ch) if modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Char(ch.to_ascii_lowercase()),
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        let modifiers = if code == KeyCode::BackTab { modifiers - KeyModifiers::SHIFT } else { modifiers };
        Self { code, modifiers }
    }

    /// `"j"`, `"J"`, `"ctrl-d"`, `"f10"`, `"shift-tab"`, `"space"`, `"<"`.
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(rest) = word.strip_prefix("ctrl-").filter(|rest| !rest.is_empty()) {
            let key = Self::parse(rest)?;
            return Some(Self { modifiers: key.modifiers | KeyModifiers::CONTROL, ..key });
        }
        if let Some(rest) = word.strip_prefix("alt-").filter(|rest| !rest.is_empty()) {
            let key = Self::parse(rest)?;
            return Some(Self { modifiers: key.modifiers | KeyModifiers::ALT, ..key });
        }
        let plain = |code| Some(Self { code, modifiers: KeyModifiers::NONE });
        if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == word) {
            return plain(*code);
        }
        let mut chars = word.chars();
        match (chars.next(), chars.as_str()) {
            (Some(ch), "") => plain(KeyCode::Char(ch)),
            (Some('f'), number) => plain(KeyCode::F(number.parse().ok().filter(|n| (1..=12).contains(n))?)),
            _ => None,
        }
    }

    /// The event that a terminal sends for it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

/// The keys of a text such as `jj<enter>/208<esc>`: characters stand for themselves, names between angle brackets.
pub fn sequence(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(ch) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        match named.and_then(|(name, after)| Some((Key::parse(name)?, after))) {
            Some((key, after)) => {
                keys.push(key);
                rest = after;
            }
            None => {
                keys.push(Key { code: KeyCode::Char(ch), modifiers: KeyModifiers::NONE });
                rest = rest.get(ch.len_utf8()..).unwrap_or_default();
            }
        }
    }
    keys
}

/// How the hint bar and the help write the keys of a row: `↓ j`, `F2`, `^D`.
pub fn shown(keys: &str, ascii: bool) -> String {
    let words: Vec<String> = keys.split(' ').map(|word| shown_one(word, ascii)).collect();
    words.join(" ")
}

fn shown_one(word: &str, ascii: bool) -> String {
    match word {
        "up" if !ascii => "↑".into(),
        "down" if !ascii => "↓".into(),
        "left" if !ascii => "←".into(),
        "right" if !ascii => "→".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "minus" => "-".into(),
        "shift-tab" => "S-Tab".into(),
        "pgup" | "pageup" => "PgUp".into(),
        "pgdn" | "pagedown" => "PgDn".into(),
        word if word.len() > 1 && word.starts_with("ctrl-") => {
            format!("^{}", word.trim_start_matches("ctrl-").to_ascii_uppercase())
        }
        word if word.chars().count() > 1 => {
            let mut chars = word.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
        word => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_events_agree() {
        for word in ["j", "J", "ctrl-d", "f10", "shift-tab", "space", "lt", "<", "pgdn", "?", "alt-x"] {
            let key = Key::parse(word).unwrap();
            assert_eq!(Key::from_event(&key.event()), key, "{word}");
        }
        assert_eq!(Key::parse("f13"), None);
        assert_eq!(Key::parse("nonsense"), None);
        let shifted = KeyEvent::new(KeyCode::Char('J'), KeyModifiers::SHIFT);
        assert_eq!(Some(Key::from_event(&shifted)), Key::parse("J"));
    }

    #[test]
    fn a_sequence_mixes_characters_and_names() {
        let keys = sequence("j<enter><<ctrl-l>x<y");
        let want: Vec<_> =
            ["j", "enter", "<", "ctrl-l", "x", "<", "y"].iter().filter_map(|word| Key::parse(word)).collect();
        assert_eq!(keys, want);
    }

    #[test]
    fn keys_are_shown_as_people_write_them() {
        assert_eq!(shown("j down ctrl-d f2 enter", false), "j ↓ ^D F2 Enter");
        assert_eq!(shown("down", true), "Down");
    }
}
