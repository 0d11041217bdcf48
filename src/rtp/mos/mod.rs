//! How a listener would score a stream: the E-model with codec, loss, bursts and delay, and what each figure rests on.
//!
//! A [`Codec`] gives its [`Row`] of the table, or none where no value was published; a row and the loss behind a playout
//! buffer give a [`Score`]. A score knows its scale, model, row and basis; scores of different scales must not be compared or
//! averaged.
//!
//! ```
//! use sipwatch::rtp::mos::{Codec, Options, row};
//! use sipwatch::rtp::playout::Loss;
//!
//! let row = row(&Codec { name: "PCMU", ..Codec::default() }, &Options::default()).unwrap();
//! let score = row.listening(&Loss { expected: 500, lost: 4, discarded: 0, runs: 4 }).unwrap();
//! assert_eq!(format!("{:.2}", score.mos), "4.35");
//! assert_eq!(score.model_text(), "G.107, G.711 + PLC, Ie 0, Bpl 25.1, published");
//! ```

mod codec;
mod mode;
mod model;
mod threshold;

pub use codec::{Basis, Codec, Listening, Options, Row, UserRow, Value, row};
pub use mode::bit_rate;
pub use model::{DelayModel, Scale, Score, delay_impairment, mos_of_r, one_way_delay, worst_window};
pub use threshold::{Band, Level, Thresholds};

#[cfg(test)]
mod tests;
