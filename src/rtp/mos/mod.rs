//! MOS
