//! Rows for tests
