//! State machines over what the decoder says: transactions, dialogs, calls, streams. Packet time comes in as an argument.

pub mod call;
pub mod message;
pub mod stream;
