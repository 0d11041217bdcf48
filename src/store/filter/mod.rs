//! The filter language of the `/` line and of `--filter`.
//!
//! A bare word matches a row that contains it: `208`, `"Busy Here"`. A comparison names a field: `state == failed`,
//! `from ~ "^20[678]$"`, `status >= 500`, `ip == 10.1.0.0/16`, `header.x-tenant ~ acme`, `payload ~ confirmed`.
//! Both join by `and` (or nothing), `or`, `not` and parentheses. Text compares without regard to case.

mod eval;
mod fields;
mod lexer;
mod parser;
mod streams;

pub use fields::{FIELDS, FieldRow};

use crate::time::Timestamp;
use crate::track::call::Call;
use crate::track::stream::Stream;

use super::rows::Rows;

/// A filter that was understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    expression: Option<parser::Expression>,
}

/// Why a filter was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {})", at + 1)]
pub struct FilterError {
    /// Where, in characters from 0.
    pub at: usize,
    /// What is wrong, with the next step.
    pub message: String,
}

impl Filter {
    /// Reads a filter. Empty text matches everything.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let tokens = lexer::tokens(text)?;
        Ok(Self { expression: parser::parse(&tokens)? })
    }

    /// Reads a filter that is still being typed. A last word that begins the name of a field is not taken yet, as a
    /// comparison may follow: the filter is that of the text before it, and the fields it may become come with it.
    pub fn parse_unfinished(text: &str) -> Result<(Self, Vec<&'static str>), FilterError> {
        let mut tokens = lexer::tokens(text)?;
        let before = tokens.len().checked_sub(2).and_then(|at| tokens.get(at));
        let compared = before.is_some_and(|token| matches!(token.kind, lexer::TokenKind::Operator(_)));
        let fields = match tokens.last().map(|token| &token.kind) {
            Some(lexer::TokenKind::Word(word)) if !compared => fields::beginning_with(word),
            _ => Vec::new(),
        };
        if !fields.is_empty() {
            tokens.pop();
            let joins = |token: &lexer::Token| token.kind.joins();
            while tokens.last().is_some_and(joins) {
                tokens.pop();
            }
        }
        Ok((Self { expression: parser::parse(&tokens)? }, fields))
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    /// Whether it looks at a call's streams, which change without their call.
    pub fn asks_streams(&self) -> bool {
        self.expression.as_ref().is_some_and(eval::asks_streams)
    }

    /// Whether the call matches, by its row, by any of its messages or by how its streams sound. Running durations count to
    /// `now`.
    pub fn matches(&self, call: &Call, streams: &Rows<Stream>, now: Option<Timestamp>) -> bool {
        let with = eval::With { streams, now };
        self.expression.as_ref().is_none_or(|expression| eval::matches(expression, call, with))
    }

    /// Whether the stream matches: addresses, codec and figures are its own, all else is asked of its call. A stream without a call
    /// matches nothing that only a call can tell.
    pub fn matches_stream(
        &self,
        stream: &Stream,
        call: Option<&Call>,
        streams: &Rows<Stream>,
        now: Option<Timestamp>,
    ) -> bool {
        let with = eval::With { streams, now };
        self.expression.as_ref().is_none_or(|expression| streams::matches(expression, stream, call, with))
    }
}

#[cfg(test)]
mod tests;
