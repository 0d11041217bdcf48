//! `Via`: the hops that a request took (RFC 3261, 20.42; `rport` by RFC 3581).

use std::borrow::Cow;
use std::net::IpAddr;

use crate::sip::params::{Params, items, value_and_params};
use crate::sip::uri::{host_ip, port_number, split_host_port};

/// What a branch that follows RFC 3261 starts with (8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    transport: &'a [u8],
    sent_by: &'a [u8],
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one hop; `None` when it names no sender.
    pub fn parse(item: &'a [u8]) -> Option<Self> {
        let (head, params) = value_and_params(item);
        let mut parts = head.splitn(3, |byte| *byte == b'/');
        let rest = parts.nth(2)?.trim_ascii();
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let (transport, sent_by) = rest.split_at_checked(end)?;
        let sent_by = sent_by.trim_ascii();
        (!sent_by.is_empty()).then_some(Self { transport, sent_by, params })
    }

    /// The transport as written: `UDP`, `TCP`, `TLS`, `SCTP`, `WS`, …
    pub fn transport(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.transport)
    }

    /// The sender as written, with its port if there is one: part of a transaction's key.
    pub fn sent_by(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.sent_by)
    }

    /// The sender's host.
    pub fn host(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(split_host_port(self.sent_by).0)
    }

    /// The sender's host when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(split_host_port(self.sent_by).0)
    }

    /// The sender's port.
    pub fn port(&self) -> Option<u16> {
        port_number(split_host_port(self.sent_by).1)
    }

    /// The branch.
    pub fn branch(&self) -> Option<Cow<'a, str>> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Where the next hop received it from.
    pub fn received(&self) -> Option<Cow<'a, str>> {
        self.params.get("received").filter(|address| !address.is_empty())
    }

    /// The `rport` parameter: `Some(None)` while it is only asked for.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.find("rport").map(|param| param.value.and_then(port_number))
    }

    /// All parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

/// Whether a branch is unique by RFC 3261: the cookie and something behind it. Otherwise RFC 2543 rules apply (17.2.3).
pub fn is_unique_branch(branch: &str) -> bool {
    branch.len() > MAGIC_COOKIE.len()
        && branch.get(..MAGIC_COOKIE.len()).is_some_and(|cookie| cookie.eq_ignore_ascii_case(MAGIC_COOKIE))
}

/// The hops of one header value.
pub fn vias(value: &[u8]) -> impl Iterator<Item = Via<'_>> {
    items(value, b',').filter_map(Via::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_may_stand_anywhere() {
        let value = b"SIP  / 2.0  / TCP     spindle.example.com : 5070  ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n \
                      SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239";
        let found: Vec<_> = vias(value).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].transport().as_ref(), found[0].host().as_ref()), ("TCP", "spindle.example.com"));
        assert_eq!((found[0].port(), found[0].branch().as_deref()), (Some(5070), Some("z9hG4bK9ikj8")));
        assert_eq!(found[1].sent_by(), "192.168.255.111");
        assert_eq!((found[1].branch().as_deref(), found[1].port()), (Some("z9hG4bK30239"), None));
    }

    #[test]
    fn empty_parameters_and_items_are_left_out() {
        let found: Vec<_> = vias(b"SIP/2.0/UDP 192.0.2.15;;,;,,").collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].branch(), found[0].ip()), (None, "192.0.2.15".parse().ok()));
    }

    #[test]
    fn rport_is_asked_for_or_given() {
        let rport = |text: &'static str| Via::parse(text.as_bytes()).and_then(|via| via.rport());
        assert_eq!(rport("SIP/2.0/UDP [2001:db8::9]:5060;rport;branch=z9hG4bKx"), Some(None));
        assert_eq!(rport("SIP/2.0/UDP h;rport=40000;received=192.0.2.1"), Some(Some(40_000)));
        assert_eq!(rport("SIP/2.0/UDP h"), None);
    }

    #[test]
    fn a_bare_cookie_is_not_unique() {
        assert!(is_unique_branch("z9hG4bK1") && is_unique_branch("Z9HG4BK1"));
        assert!(!is_unique_branch("z9hG4bK") && !is_unique_branch("1") && !is_unique_branch(""));
    }
}
