//! The program on a live link: two network namespaces joined by a cable of their own, real SIP over it.
//!
//! Needs root, iproute2, tcpdump, tshark, sipp, tcpreplay and kamailio; where one is missing a test says so and passes.
//! `SIPWATCH_LONG=1` adds the tests under full load, which want a release build and an otherwise idle machine.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test helpers fail by panicking, and a live test measures against the wall clock"
)]

mod calls;
mod demo;
mod down;
mod lab;
mod load;
mod pty;
mod quality;
mod quiet;
mod save;
mod stream;
mod websocket;
mod wire;
