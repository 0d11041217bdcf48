//! Text from the wire made fit for a terminal or a page: nothing that a packet holds is ever written raw.

use std::borrow::Cow;

/// The text with every control character made visible (`␀`, `␛`, `\x9b` for C1): no byte of a packet reaches the terminal raw.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        match ch {
            '\t' => out.push(' '),
            '\u{0}'..='\u{1f}' => out.extend(char::from_u32(0x2400 + ch as u32)),
            '\u{7f}' => out.push('␡'),
            ch if is_unsafe(ch) => out.push_str(&format!("\\u{{{:x}}}", ch as u32)),
            ch => out.push(ch),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would obey this character: control characters, and those that reorder or hide text.
pub fn is_unsafe(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        assert_eq!(visible("a\u{7}b\u{1b}[2J\u{7f}"), "a␇b␛[2J␡");
        assert_eq!(visible("\u{9b}31m\u{202e}"), "\\u{9b}31m\\u{202e}");
        assert!(matches!(visible("Zürich"), Cow::Borrowed("Zürich")));
    }
}
