//! State machines over what the decoder says: transactions, dialogs, calls, streams. Packet time comes in as an argument.

pub mod branch;
pub mod call;
pub mod cause;
pub mod dialog;
pub mod invite;
pub mod machine;
pub mod media;
pub mod message;
pub mod negotiation;
pub mod reading;
pub mod request;
pub mod retransmission;
pub mod sample;
pub mod stream;
pub mod subscription;
pub mod timer;
pub mod transaction;
