//! A filter's tokens become a tree; everything that can be wrong is found here, never while matching.

use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use super::FilterError;
use super::fields::{self, Field, Kind};
use super::lexer::{Operator, Token, TokenKind};

/// Deeper nesting than any person writes.
const DEPTH: usize = 32;

#[derive(Clone, Debug)]
pub(super) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// The row contains the text, in lower case.
    Contains(String),
    Compare(Field, Test),
}

/// What a field's value is tested for.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Regex(Regex, bool),
    /// Equal without regard to case; the flag is what "equal" answers.
    Text(String, bool),
    Number(Operator, f64),
    /// Address within a network; the flag as for text.
    Network(IpAddr, u8, bool),
}

pub(super) fn parse(tokens: &[Token]) -> Result<Option<Expression>, FilterError> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens, next: 0 };
    let expression = parser.any_of(0)?;
    match parser.peek() {
        None => Ok(Some(expression)),
        Some(token) => Err(FilterError { at: token.at, message: "nothing is open that this ) could close".into() }),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.next += usize::from(found);
        found
    }

    fn end(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.at + 1)
    }

    fn any_of(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all_of(depth)?];
        while self.take(&TokenKind::Or) {
            parts.push(self.all_of(depth)?);
        }
        Ok(single(parts, Expression::Or))
    }

    fn all_of(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.one(depth)?];
        loop {
            let joined = self.take(&TokenKind::And);
            let ends = matches!(self.peek().map(|t| &t.kind), None | Some(TokenKind::Or | TokenKind::Close));
            if ends && !joined {
                return Ok(single(parts, Expression::And));
            }
            parts.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let Some(token) = self.peek().cloned() else {
            return Err(FilterError { at: self.end(), message: "something is missing at the end".into() });
        };
        if depth > DEPTH {
            return Err(FilterError { at: token.at, message: "too many parentheses".into() });
        }
        self.next += 1;
        match token.kind {
            TokenKind::Not => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            TokenKind::Open => {
                let inner = self.any_of(depth + 1)?;
                match self.take(&TokenKind::Close) {
                    true => Ok(inner),
                    false => Err(FilterError { at: token.at, message: "this ( is never closed".into() }),
                }
            }
            TokenKind::Quoted(text) => Ok(Expression::Contains(text.to_lowercase())),
            TokenKind::Word(word) => self.word(token.at, &word),
            _ => Err(FilterError { at: token.at, message: "a field or a text should stand here".into() }),
        }
    }

    fn word(&mut self, at: usize, word: &str) -> Result<Expression, FilterError> {
        let Some(TokenKind::Operator(operator)) = self.peek().map(|token| token.kind.clone()) else {
            return Ok(match fields::shorthand(word) {
                Some(expression) => expression,
                None => Expression::Contains(word.to_lowercase()),
            });
        };
        self.next += 1;
        let Some(field) = fields::find(word) else {
            let names = fields::FIELDS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
            return Err(FilterError { at, message: format!("\"{word}\" is no field; there are {names}, header.NAME") });
        };
        let value = match self.peek().cloned() {
            Some(Token { kind: TokenKind::Word(value) | TokenKind::Quoted(value), at }) => (value, at),
            Some(Token { at, .. }) => return Err(FilterError { at, message: "a value should stand here".into() }),
            None => return Err(FilterError { at: self.end(), message: format!("{word} compared with what?") }),
        };
        self.next += 1;
        Ok(Expression::Compare(field.clone(), test(&field, operator, &value.0, value.1)?))
    }
}

fn single(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.swap_remove(0) } else { join(parts) }
}

fn test(field: &Field, operator: Operator, value: &str, at: usize) -> Result<Test, FilterError> {
    let fail = |message: String| FilterError { at, message };
    match (field.kind(), operator) {
        (_, Operator::Matches | Operator::MatchesNot) => {
            let regex = RegexBuilder::new(value).case_insensitive(true).size_limit(1 << 20).build();
            let regex = regex.map_err(|_| fail(format!("\"{value}\" is no regular expression; escape with \\")))?;
            Ok(Test::Regex(regex, operator == Operator::Matches))
        }
        (Kind::Number, operator) => {
            let digits = value.trim_end_matches(|ch: char| ch.is_ascii_alphabetic());
            let unit = value.get(digits.len()..).unwrap_or_default();
            let number = digits.parse::<f64>().map_err(|_| fail(format!("{} needs a number", field.name())))?;
            Ok(Test::Number(operator, number * field.unit(unit).map_err(fail)?))
        }
        (kind, Operator::Equal | Operator::NotEqual) => {
            let wanted = operator == Operator::Equal;
            match (kind, network(value)) {
                (Kind::Address, Some((ip, bits))) => Ok(Test::Network(ip, bits, wanted)),
                _ => Ok(Test::Text(value.to_lowercase(), wanted)),
            }
        }
        _ => Err(fail(format!("{} is text: compare it with ~, == or !=", field.name()))),
    }
}

fn network(value: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = value.split_once('/').map_or((value, None), |(ip, bits)| (ip, Some(bits)));
    let ip = ip.parse::<IpAddr>().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((ip, bits))
}
