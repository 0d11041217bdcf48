//! Words, quoted words and operators of a filter.

use super::FilterError;

/// A piece of a filter and where it starts, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub at: usize,
    pub kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word: a field, a keyword or a value.
    Word(String),
    /// A quoted word: only ever a value.
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    Not,
    And,
    Or,
}

impl TokenKind {
    /// Whether something must follow it.
    pub fn joins(&self) -> bool {
        matches!(self, Self::Not | Self::And | Self::Or)
    }
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Matches,
    MatchesNot,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const SYMBOLS: [(&str, TokenKind); 15] = [
    ("!~", TokenKind::Operator(Operator::MatchesNot)),
    ("!=", TokenKind::Operator(Operator::NotEqual)),
    ("==", TokenKind::Operator(Operator::Equal)),
    ("<=", TokenKind::Operator(Operator::LessOrEqual)),
    (">=", TokenKind::Operator(Operator::GreaterOrEqual)),
    ("&&", TokenKind::And),
    ("||", TokenKind::Or),
    ("~", TokenKind::Operator(Operator::Matches)),
    ("=", TokenKind::Operator(Operator::Equal)),
    ("<", TokenKind::Operator(Operator::Less)),
    (">", TokenKind::Operator(Operator::Greater)),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    ("!", TokenKind::Not),
    ("\u{2260}", TokenKind::Operator(Operator::NotEqual)),
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut at = 0;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            at += 1;
            continue;
        }
        let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol));
        let (kind, used) = match symbol {
            Some((symbol, kind)) => (kind.clone(), symbol.len()),
            None if first == '"' || first == '\'' => quoted(rest, first, at)?,
            None => word(rest),
        };
        let (taken, left) = rest.split_at_checked(used).unwrap_or((rest, ""));
        out.push(Token { at, kind });
        at += taken.chars().count();
        rest = left;
    }
    Ok(out)
}

fn quoted(text: &str, quote: char, at: usize) -> Result<(TokenKind, usize), FilterError> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, ch)) = chars.next() {
        match ch {
            '\\' => match chars.next() {
                Some((_, next)) if next == quote || next == '\\' => value.push(next),
                Some((_, next)) => value.extend(['\\', next]),
                None => break,
            },
            ch if ch == quote => return Ok((TokenKind::Quoted(value), i + ch.len_utf8())),
            ch => value.push(ch),
        }
    }
    Err(FilterError { at, message: format!("the text that starts here has no closing {quote}") })
}

fn word(text: &str) -> (TokenKind, usize) {
    let ends = |ch: char| ch.is_whitespace() || "()~=<>!&|\"'".contains(ch);
    let end = text.find(ends).filter(|end| *end > 0).unwrap_or_else(|| text.chars().next().map_or(0, char::len_utf8));
    let end = if text.find(ends).is_none() { text.len() } else { end };
    let word = text.get(..end).unwrap_or(text);
    let kind = match word.to_ascii_lowercase().as_str() {
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "not" => TokenKind::Not,
        _ => TokenKind::Word(word.to_owned()),
    };
    (kind, end)
}
