//! From arguments to an exit code.
