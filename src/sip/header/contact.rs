//! `Contact`: a list of addresses with lifetime, or `*` (RFC 3261, 20.10).

use crate::sip::header::from_to::NameAddr;
use crate::sip::params::{items, seconds};

/// One contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact<'a> {
    /// Address and parameters.
    pub addr: NameAddr<'a>,
    /// Whether it is `*`: all bindings, in a REGISTER that removes them.
    pub is_star: bool,
}

impl Contact<'_> {
    /// Its own lifetime in seconds, saturating.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.addr.params().find("expires")?.value?)
    }
}

/// The addresses of one header value, split at commas outside quotes and brackets.
pub fn name_addrs(value: &[u8]) -> impl Iterator<Item = NameAddr<'_>> {
    items(value, b',').map(NameAddr::parse)
}

/// The contacts of one header value.
pub fn contacts(value: &[u8]) -> impl Iterator<Item = Contact<'_>> {
    items(value, b',').map(|item| Contact { addr: NameAddr::parse(item), is_star: item == b"*" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_have_own_lifetimes() {
        let value = b"\"a, b\" <sip:a@x;p=1,2>;expires=60, <sip:b@x>;expires=9999999999, *";
        let found: Vec<_> = contacts(value).collect();
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].addr.display().as_ref(), found[0].expires()), ("a, b", Some(60)));
        assert_eq!(found[1].expires(), Some(u32::MAX));
        assert!(found[2].is_star && !found[1].is_star);
    }
}
