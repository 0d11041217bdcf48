//! Text and JSON made from a snapshot: what `--report`, `--json` and `--ladder` print. Knows no screen.

mod ending;
pub mod json;
pub mod ladder;
pub mod lines;
pub mod ndjson;
pub mod report;
pub mod scope;
mod table;
