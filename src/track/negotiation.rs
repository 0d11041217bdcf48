//! Which codecs a call agreed on (RFC 3264), from the descriptions that its messages carry.

use crate::sdp::Sdp;
use crate::sdp::offer_answer::codecs;
use crate::sip::multipart::sdp_body;
use crate::sip::{Method, SipMessage};

use super::reading::Reading;

/// The newest offer, and whether there was an answer.
#[derive(Debug, Default)]
pub struct Negotiation {
    offer: Option<Box<SipMessage>>,
    /// The newest INVITE or UPDATE made an offer, so that its responses answer.
    request_offers: bool,
    is_answered: bool,
}

impl Negotiation {
    /// Takes a description; returns the codecs if this changes them: those of an answer, or of an offer before any answer.
    pub fn apply(&mut self, reading: &Reading<'_>, sdp: &Sdp<'_>) -> Option<Vec<String>> {
        let answers = match (reading.status, &reading.method) {
            (None, Method::Invite | Method::Update) => {
                self.request_offers = true;
                false
            }
            (None, _) => !self.request_offers,
            (Some(_), _) => self.request_offers,
        };
        if !answers {
            self.offer = Some(Box::new(reading.message.clone()));
            return (!self.is_answered).then(|| codecs(Some(sdp), None));
        }
        self.is_answered = true;
        let offer = self.offer.as_deref().and_then(sdp_body).map(Sdp::parse);
        Some(codecs(offer.as_ref(), Some(sdp)))
    }

    /// The call seems to be over: an answer that comes all the same is taken by itself.
    pub fn forget_offer(&mut self) {
        self.offer = None;
    }

    /// An INVITE without a description: the next one in a response is an offer.
    pub fn expect_offer(&mut self) {
        self.request_offers = false;
    }
}
