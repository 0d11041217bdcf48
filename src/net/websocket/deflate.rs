//! Messages compressed with permessage-deflate (RFC 7692, 7.2).

use flate2::{Decompress, FlushDecompress, Status};

use crate::limits::{WEBSOCKET_INFLATED_BYTES, WEBSOCKET_INFLATER_BYTES};

/// How one direction compresses its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// Whether a message may refer to the text of those before it ("context takeover").
    pub keeps_context: bool,
}

/// What the sender leaves off at the end of each message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes unpacked in one go.
const STEP: usize = 4_096;

/// Unpacks the messages of one direction, one after the other.
#[derive(Debug)]
pub(super) struct Inflater {
    deflate: Deflate,
    /// Made for the first compressed message, since most connections have none.
    state: Option<Box<Decompress>>,
    produced: usize,
    /// Set when a message was not unpacked to its end, and later ones may refer to it.
    context_lost: bool,
}

impl Inflater {
    pub fn new(deflate: Deflate) -> Self {
        Self { deflate, state: None, produced: 0, context_lost: false }
    }

    /// Begins a message. False when it may refer to text that was not seen.
    #[must_use]
    pub fn begin(&mut self) -> bool {
        self.produced = 0;
        if self.context_lost {
            return false;
        }
        match &mut self.state {
            Some(state) if !self.deflate.keeps_context => state.reset(false),
            Some(_) => {}
            None => self.state = Some(Box::new(Decompress::new(false))),
        }
        true
    }

    /// Unpacks the next bytes of the message. False when there is no reading on: it is no DEFLATE, or unpacks to more than
    /// is believed.
    #[must_use]
    pub fn push(&mut self, mut input: &[u8], out: &mut dyn FnMut(&[u8])) -> bool {
        let Some(state) = &mut self.state else { return false };
        let mut room = [0; STEP];
        loop {
            let (consumed, produced) = (state.total_in(), state.total_out());
            let status = state.decompress(input, &mut room, FlushDecompress::Sync);
            let used = (state.total_in() - consumed) as usize;
            let made = (state.total_out() - produced) as usize;
            out(room.get(..made).unwrap_or_default());
            input = input.get(used..).unwrap_or_default();
            self.produced += made;
            let Ok(status) = status else { return false };
            if status == Status::StreamEnd {
                // A block with BFINAL ends the data, not the message (RFC 7692, 7.2.3.4).
                state.reset(false);
            }
            let is_stuck = used == 0 && made == 0 && !input.is_empty();
            if is_stuck || self.produced > WEBSOCKET_INFLATED_BYTES {
                return false;
            }
            if input.is_empty() && made < STEP {
                return true;
            }
        }
    }

    /// The message is whole.
    #[must_use]
    pub fn end(&mut self, out: &mut dyn FnMut(&[u8])) -> bool {
        self.push(&TAIL, out)
    }

    /// The rest of the message is not looked at.
    pub fn leave(&mut self) {
        self.context_lost = self.deflate.keeps_context;
    }

    /// Bytes of memory behind it.
    pub fn memory(&self) -> usize {
        if self.state.is_some() { WEBSOCKET_INFLATER_BYTES } else { 0 }
    }
}
