//! TCP as far as SIP needs it: both directions of a connection put in order, and what its segments say of its life.
//!
//! [`Assembly`] orders the octets of one direction, [`Connection`] holds two of them and reads the control bits. Neither knows
//! other connections; a table of them, with its limits, is kept by the decoder.

mod assembly;
mod connection;
mod elsewhere;
#[cfg(test)]
mod tests;

pub use assembly::{Assembly, Part, Taken};
pub use connection::{Connection, Seen, Standing, TcpSign};
