//! The two hellos (RFC 8446, 4.1; RFC 5246, 7.4.1), as far as they are here: a long one is kept in part.

use super::length_at;
use crate::limits::{TLS_ALPN_NAMES, TLS_NAME_BYTES};
use crate::net::octets::u16_at;

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server's name (RFC 6066, 3), as received: it may hold anything.
    pub sni: Option<String>,
    /// The first protocols that it offers (RFC 7301), as received.
    pub alpn: Vec<String>,
}

/// What a server agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that is spoken, 0x0303 for TLS 1.2; [`super::version_name`] names it.
    pub version: u16,
    /// The cipher suite.
    pub cipher: u16,
}

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// Version and random number.
const FIXED: usize = 2 + 32;

impl ClientHello {
    /// Reads the body of the message. `None` when it ends before its session identifier.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut out = Self::default();
        let rest = behind_block(body.get(FIXED..)?)?;
        let Some(rest) = length_at(rest, 0).and_then(|suites| rest.get(2 + suites..)) else { return Some(out) };
        for (kind, value) in extensions(behind_block(rest).unwrap_or_default()) {
            match kind {
                SERVER_NAME if out.sni.is_none() => out.sni = server_name(value),
                ALPN if out.alpn.is_empty() => out.alpn = protocols(value),
                _ => {}
            }
        }
        Some(out)
    }
}

impl ServerHello {
    /// Reads the body of the message. `None` when it ends before its cipher suite.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let rest = behind_block(body.get(FIXED..)?)?;
        let cipher = u16_at(rest, 0)?;
        let told = extensions(rest.get(3..).unwrap_or_default())
            .find_map(|(kind, value)| u16_at(value, 0).filter(|_| kind == SUPPORTED_VERSIONS));
        Some(Self { version: told.or(u16_at(body, 0))?, cipher })
    }
}

/// What follows a block whose length is one octet.
fn behind_block(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first()?;
    rest.get(usize::from(*length)..)
}

/// The extensions that are here in whole.
fn extensions(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let all = length_at(bytes, 0).unwrap_or(0);
    let rest = bytes.get(2..).unwrap_or_default();
    let mut rest = rest.get(..all).unwrap_or(rest);
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(rest, 0)?, length_at(rest, 2)?);
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length..)?;
        Some((kind, value))
    })
}

/// The first name of the list that is a host name.
fn server_name(mut list: &[u8]) -> Option<String> {
    list = list.get(2..)?;
    loop {
        let (kind, length) = (*list.first()?, length_at(list, 1)?);
        let name = list.get(3..3 + length)?;
        if kind == 0 {
            return Some(text(name));
        }
        list = list.get(3 + length..)?;
    }
}

fn protocols(list: &[u8]) -> Vec<String> {
    let mut rest = list.get(2..).unwrap_or_default();
    let names = std::iter::from_fn(|| {
        let (length, behind) = rest.split_first()?;
        let (name, next) = behind.split_at_checked(usize::from(*length))?;
        rest = next;
        Some(text(name))
    });
    names.take(TLS_ALPN_NAMES).collect()
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name.get(..TLS_NAME_BYTES).unwrap_or(name)).into_owned()
}
