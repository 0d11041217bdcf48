//! sipwatch: captures SIP and RTP, follows calls and subscriptions, and shows them.
//!
//! One message's way, from the wire to the screen: [`capture`] (a source pushes batches of [`packet`]s) → [`net`] and
//! [`decode`] (a packet becomes an [`event`]) → [`track`] in [`store`] (an event changes rows) → a snapshot → [`tui`] or
//! [`export`]. [`engine`] is the only module that starts threads. `docs/architecture.md` tells it at length.

pub mod app;
pub mod capture;
pub mod cli;
pub mod counters;
pub mod decode;
pub mod engine;
pub mod event;
pub mod export;
pub mod limits;
pub mod net;
pub mod packet;
pub mod rtp;
pub mod sdp;
pub mod signals;
pub mod sip;
pub mod store;
pub mod text;
pub mod time;
pub mod track;
pub mod tui;
