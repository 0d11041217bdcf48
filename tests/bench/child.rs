//! Programs run to their end, with the time and the CPU that they took.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What one run took.
pub struct Run {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Runs a program that must succeed, without input and output.
pub fn run(program: &str, arguments: &[&str]) -> Run {
    let children = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage");
        let micros = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros((micros(usage.user_time()) + micros(usage.system_time())) as u64)
    };
    let before = children();
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let wall = start.elapsed();
    assert!(status.success(), "{program} {arguments:?}: {status}");
    Run { wall, cpu: children() - before }
}

/// The median of one of the figures, in ms.
pub fn median(runs: &[Run], of: fn(&Run) -> Duration) -> f64 {
    let mut values: Vec<_> = runs.iter().map(of).collect();
    values.sort();
    values[values.len() / 2].as_secs_f64() * 1e3
}
