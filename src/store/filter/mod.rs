//! The filter language of the `/` line and of `--filter`.
//!
//! A bare word matches a row that contains it: `208`, `"Busy Here"`. A comparison names a field: `state == failed`,
//! `from ~ "^20[678]$"`, `status >= 500`, `ip == 10.1.0.0/16`, `header.x-tenant ~ acme`, `payload ~ confirmed`.
//! Both join by `and` (or nothing), `or`, `not` and parentheses. Text compares without regard to case.

mod eval;
mod fields;
mod lexer;
mod parser;

pub use fields::{FIELDS, FieldRow};

use crate::time::Timestamp;
use crate::track::call::Call;

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

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    /// Whether the call matches, by its row or by any of its messages. Running durations count to `now`.
    pub fn matches(&self, call: &Call, now: Option<Timestamp>) -> bool {
        self.expression.as_ref().is_none_or(|expression| eval::matches(expression, call, now))
    }
}

#[cfg(test)]
mod tests;
