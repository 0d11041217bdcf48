//! The `sipwatch` program.
fn main() {}
