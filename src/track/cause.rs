//! Why something ended, in the wire's words.

use std::sync::Arc;

use crate::sip::{HeaderName, SipMessage};

/// Text of the Reason header (RFC 3326), else the header's value.
pub fn reason_header(message: &SipMessage) -> Option<Arc<str>> {
    let reason = message.reasons().next()?;
    match reason.text().filter(|text| !text.is_empty()) {
        Some(text) => Some(text.as_ref().into()),
        None => message.header_text(HeaderName::Reason).map(|value| value.as_ref().into()),
    }
}

/// Reason header, else Warning text, else status and phrase of a response.
pub fn of_failure(message: &SipMessage) -> Option<Arc<str>> {
    if let Some(reason) = reason_header(message) {
        return Some(reason);
    }
    if let Some(warning) = message.warnings().map(|warning| warning.text()).find(|text| !text.is_empty()) {
        return Some(warning.as_ref().into());
    }
    let phrase = message.reason().unwrap_or_default();
    Some(format!("{} {phrase}", message.status()?).trim_end().into())
}
