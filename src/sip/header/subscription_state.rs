//! `Subscription-State` of a NOTIFY (RFC 6665, 8.2.3).

use std::borrow::Cow;

use crate::sip::params::{Params, seconds, value_and_params};

/// What the notifier says about the subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    state: &'a [u8],
    params: Params<'a>,
}

impl<'a> SubscriptionState<'a> {
    /// Reads a Subscription-State; `None` when it is empty.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (state, params) = value_and_params(value);
        (!state.is_empty()).then_some(Self { state, params })
    }

    /// `active`, `pending`, `terminated` or another token, as written.
    pub fn state(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.state)
    }

    /// Whether it is this state; case is ignored.
    pub fn is(&self, state: &str) -> bool {
        self.state.eq_ignore_ascii_case(state.as_bytes())
    }

    /// Why it ended: `timeout`, `deactivated`, `rejected`, `noresource`, …
    pub fn reason(&self) -> Option<Cow<'a, str>> {
        self.params.get("reason")
    }

    /// Seconds left, saturating.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.params.find("expires")?.value?)
    }

    /// Seconds to wait before the next attempt, saturating.
    pub fn retry_after(&self) -> Option<u32> {
        seconds(self.params.find("retry-after")?.value?)
    }

    /// All parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_carry_reason_and_time() {
        let state = SubscriptionState::parse(b"Terminated ; reason=timeout;retry-after=5").unwrap();
        assert!(state.is("terminated") && !state.is("active"));
        assert_eq!((state.reason().as_deref(), state.retry_after(), state.expires()), (Some("timeout"), Some(5), None));
        let state = SubscriptionState::parse(b"active;expires=3600").unwrap();
        assert_eq!((state.state().as_ref(), state.expires()), ("active", Some(3_600)));
        assert_eq!(SubscriptionState::parse(b" ;expires=1"), None);
    }
}
