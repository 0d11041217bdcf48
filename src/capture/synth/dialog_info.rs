//! Bodies of NOTIFYs for lamps (RFC 4235).

use std::fmt::Write;

/// What the resource's only dialog does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// No dialog at all.
    Idle,
    /// It is being called.
    Ringing,
    /// It is calling.
    Calling,
    /// It talks.
    Confirmed,
    /// The dialog is over.
    Terminated,
}

impl DialogState {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Idle => None,
            Self::Ringing | Self::Calling => Some("early"),
            Self::Confirmed => Some("confirmed"),
            Self::Terminated => Some("terminated"),
        }
    }
}

/// The dialog that a document tells of.
#[derive(Clone, Copy, Debug)]
pub struct DialogRow<'a> {
    /// The dialog's id within the document.
    pub id: &'a str,
    /// Its Call-ID, if told.
    pub call_id: Option<&'a str>,
    /// Whether the resource called or was called.
    pub initiator: bool,
    /// URI of the resource.
    pub local: &'a str,
    /// URI of the other side.
    pub remote: &'a str,
}

/// A full-state document about `entity`.
pub fn document(version: u32, entity: &str, state: DialogState, row: DialogRow<'_>) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
         version=\"{version}\" state=\"full\" entity=\"{entity}\">\r\n"
    );
    if let Some(name) = state.name() {
        let direction = if row.initiator { "initiator" } else { "recipient" };
        let call_id = row.call_id.map(|id| format!(" call-id=\"{id}\"")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "  <dialog id=\"{id}\"{call_id} direction=\"{direction}\">\r\n    <state>{name}</state>\r\n    \
             <local><identity>{local}</identity><target uri=\"{local}\"/></local>\r\n    \
             <remote><identity>{remote}</identity><target uri=\"{remote}\"/></remote>\r\n  </dialog>\r\n",
            id = row.id,
            local = row.local,
            remote = row.remote,
        );
    }
    xml.push_str("</dialog-info>\r\n");
    xml
}

/// The content type of such a body.
pub const CONTENT_TYPE: &str = "application/dialog-info+xml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_names_the_dialog_only_when_there_is_one() {
        let row = DialogRow { id: "1", call_id: Some("c"), initiator: false, local: "sip:208@x", remote: "sip:206@x" };
        assert!(!document(0, "sip:208@x", DialogState::Idle, row).contains("<dialog "));
        let ringing = document(1, "sip:208@x", DialogState::Ringing, row);
        assert!(ringing.contains("direction=\"recipient\"") && ringing.contains("<state>early</state>"));
    }
}
