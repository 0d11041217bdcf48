//! Scenarios as text: messages in, rows out. `README.md` beside this file tells how to write one.
//!
//! What is expected stands in the RFCs and in the report's contract; none of it was copied from the program's own output.

#[cfg(test)]
mod message;
#[cfg(test)]
mod print;
#[cfg(test)]
mod run;

use std::path::Path;

#[test]
fn every_scenario_ends_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenario");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let (mut scenarios, mut failures) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        scenarios += run::file(&name, &text, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(scenarios >= 30, "only {scenarios} scenarios found");
}

#[test]
fn a_wrong_expectation_is_noticed() {
    let mut failures = Vec::new();
    let text = "== wrong\n0.0 a > p OPTIONS\n= c1 state=ok messages=1\n= c2 state=ok\n= stats messages=2\n";
    assert_eq!(run::file("made", text, &mut failures), 1);
    assert_eq!(failures.len(), 3, "{failures:?}");
}
