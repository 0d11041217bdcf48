//! Imports go down the floors only, and siblings do not see each other.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// Module at the top of `src`, its floor, and the siblings of the same floor that it may import.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("main", 8, &["app"]),
    ("app", 8, &["cli", "signals"]),
    ("cli", 8, &[]),
    ("signals", 8, &[]),
    ("tui", 7, &[]),
    ("export", 7, &[]),
    ("engine", 6, &[]),
    ("diagnose", 5, &[]),
    ("store", 4, &[]),
    ("decode", 3, &[]),
    ("track", 3, &[]),
    ("event", 2, &[]),
    ("finding", 2, &[]),
    ("net", 1, &[]),
    ("sip", 1, &[]),
    ("sdp", 1, &["sip"]),
    ("rtp", 1, &[]),
    ("boot", 1, &[]),
    ("blf", 1, &["sip"]),
    ("capture", 1, &[]),
    ("packet", 0, &["time", "limits"]),
    ("time", 0, &[]),
    ("limits", 0, &[]),
    ("counters", 0, &["packet", "limits"]),
    ("text", 0, &[]),
];

fn floor(module: &str) -> Option<(u8, &'static [&'static str])> {
    FLOORS.iter().find(|row| row.0 == module).map(|row| (row.1, row.2))
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// The lines in front of the tests that stand at a file's end. A mere `mod tests;` may stand anywhere and ends nothing.
fn without_tests(code: &str) -> impl Iterator<Item = &str> {
    let ends = |rest: &str| rest.lines().nth(1).is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'));
    let end = code.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(|at| ends(&code[*at..]));
    code[..end.unwrap_or(code.len())].lines()
}

/// The modules that `use crate::…` lines and `crate::…` paths of the code name. Tests may look anywhere.
fn imports(code: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in without_tests(code).filter(|line| !line.trim_start().starts_with("//")) {
        for after in line.split("crate::").skip(1) {
            let names = after.strip_prefix('{').map_or_else(|| vec![after], |list| list.split(", ").collect());
            for name in names {
                out.push(name.chars().take_while(|ch| ch.is_alphanumeric() || *ch == '_').collect::<String>());
            }
        }
    }
    out.retain(|name| !name.is_empty());
    out
}

#[test]
fn imports_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "found only {} files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let is_test = inside.file_name().is_some_and(|name| name == "tests.rs");
        if module == "lib" || is_test {
            continue;
        }
        let Some((own, friends)) = floor(module) else {
            wrong.push(format!("{}: {module} stands on no floor; add it to FLOORS", inside.display()));
            continue;
        };
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let Some((other, _)) = floor(&import) else { continue };
            let down = other < own || import == module || friends.contains(&import.as_str());
            if !down {
                wrong.push(format!("{}: {module} (floor {own}) imports {import} (floor {other})", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_has_more_than_500_lines_of_code() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let long: Vec<_> = files
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .map(|path| (path, fs::read_to_string(path).unwrap()))
        .map(|(path, code)| (path, without_tests(&code).count()))
        .filter(|(_, lines)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_reader_of_imports_sees_lists_and_paths() {
    let code = "#[cfg(test)]\nmod tests;\nuse crate::{packet, store::Store};\nlet x = crate::tui::run();\n// crate::engine\n\
        #[cfg(test)]\nmod more {\nuse crate::app;\n}";
    assert_eq!(imports(code), ["packet", "store", "tui"]);
    assert_eq!(without_tests(code).count(), 5);
}
