//! Session descriptions (RFC 8866), read tolerantly: what media goes where, in which formats.

pub mod media;
pub mod offer_answer;
pub mod parse;
pub mod payload_type;

pub use media::{Candidate, Direction, Media, MediaEndpoint};
pub use parse::{Oddities, Sdp};
