//! Reading a capture to its end, beside `tcpdump -r FILE -w /dev/null`: the two take turns in one run.
//!
//! `cargo bench --bench offline` prints medians and ratios; `-- --quick` makes one round on a small capture.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench that cannot measure stops, and what it measures is the wall clock"
)]

mod child;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

use child::{median, run};
use nix::sys::resource::{UsageWho, getrusage};
use sipwatch::capture::synth::{Carrier, CarrierOptions, PcapWriter, Precision};
use sipwatch::packet::LinkType;

const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("carrier.pcap");
    let packets = generate(&file, if quick { 20 } else { 500 });
    let file = file.to_str().expect("a path in UTF-8");

    let ours = || run(env!("CARGO_BIN_EXE_sipwatch"), &["-r", file, "--report", "json"]);
    let theirs = || run("tcpdump", &["-r", file, "-w", "/dev/null", "-Z", "root"]);
    // Once without counting: the page cache is warm then, and the peak memory of all children is ours.
    ours();
    let peak_kib = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage").max_rss();
    theirs();

    let rounds = if quick { 1 } else { ROUNDS };
    let (mut sipwatch, mut tcpdump) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        sipwatch.push(ours());
        tcpdump.push(theirs());
    }
    let wall = (median(&sipwatch, |run| run.wall), median(&tcpdump, |run| run.wall));
    let cpu = (median(&sipwatch, |run| run.cpu), median(&tcpdump, |run| run.cpu));
    println!("offline: {packets} packets, medians of {rounds}, taking turns");
    println!("              sipwatch   tcpdump    ratio");
    println!("  wall      {:>8.1} ms {:>6.1} ms {:>7.2}x", wall.0, wall.1, wall.0 / wall.1);
    println!("  CPU       {:>8.1} ms {:>6.1} ms {:>7.2}x", cpu.0, cpu.1, cpu.0 / cpu.1);
    println!("  peak memory of sipwatch {:.1} MiB", peak_kib as f64 / 1024.0);
    ExitCode::SUCCESS
}

fn generate(path: &Path, calls: u32) -> u64 {
    let out = BufWriter::new(File::create(path).expect("a temporary file"));
    let mut writer = PcapWriter::new(out, Precision::Micros, LinkType::ETHERNET, 262_144).expect("a header");
    let mut carrier = Carrier::new(CarrierOptions { calls, ..CarrierOptions::default() });
    let mut packet = Vec::new();
    let mut packets = 0;
    while let Some(at) = carrier.next_packet(&mut packet) {
        writer.write(at, &packet).expect("room in the temporary folder");
        packets += 1;
    }
    let file =
        writer.finish().expect("room in the temporary folder").into_inner().expect("room in the temporary folder");
    // Writing back to the disk must not go on beside the runs.
    file.sync_all().expect("a disk that takes it");
    packets
}
