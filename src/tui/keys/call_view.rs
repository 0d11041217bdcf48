//! Keys of the call view, the raw message and the comparison.
