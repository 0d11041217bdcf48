//! What TLS lets be seen of a connection.

use std::fmt::Write;

use crate::net::tls::{Alert, TlsItem, Watch, version_name};
use crate::text::visible;

/// One direction of a TLS connection.
#[derive(Debug, Default)]
pub(super) struct Tls {
    watch: Watch,
    server_name: Option<String>,
    /// What the client offers to speak inside.
    offers: Vec<String>,
    version: Option<u16>,
    alert: Option<Alert>,
}

impl Tls {
    /// Takes the next octets.
    pub fn push(&mut self, bytes: &[u8]) {
        let Self { watch, server_name, offers, version, alert } = self;
        watch.push(bytes, &mut |item| match item {
            TlsItem::ClientHello(hello) => {
                *server_name = hello.sni;
                *offers = hello.alpn;
            }
            TlsItem::ServerHello(hello) => *version = Some(hello.version),
            TlsItem::Alert(new) => *alert = Some(new),
            TlsItem::ApplicationData | TlsItem::Broken(_) => {}
        });
    }

    /// So many octets are not in the capture.
    pub fn missing(&mut self, octets: u64) {
        let alert = &mut self.alert;
        self.watch.gap(octets, &mut |item| {
            if let TlsItem::Alert(new) = item {
                *alert = Some(new);
            }
        });
    }

    /// Whether the client names SIP as what it will speak.
    pub fn offers_sip(&self) -> bool {
        self.offers.iter().any(|name| name.to_ascii_lowercase().starts_with("sip"))
    }

    /// Adds what was told: `for sip.example.com`, `TLS 1.3`, `alert: bad certificate`.
    pub fn describe(&self, out: &mut String) {
        let mut add = |text: std::fmt::Arguments<'_>| {
            if !out.is_empty() {
                out.push_str(", ");
            }
            let _ = out.write_fmt(text);
        };
        if let Some(name) = &self.server_name {
            add(format_args!("for {}", visible(name)));
        }
        if let Some(version) = self.version {
            add(format_args!("{}", version_name(version)));
        }
        if let Some(alert) = &self.alert {
            let fatal = if alert.fatal == Some(true) { "fatal alert" } else { "alert" };
            match alert.encrypted() {
                true => add(format_args!("{}", alert.what)),
                false => add(format_args!("{fatal}: {}", alert.what)),
            }
        }
    }

    /// Bytes of memory that wait for more.
    pub fn memory(&self) -> usize {
        self.watch.memory()
    }
}
