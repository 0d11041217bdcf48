//! What a SIP message costs over TCP, beside the same one over UDP: the two take turns in one run.
//!
//! `cargo bench --bench stream` reads 100,000 messages of the same calls over each; `-- --quick` makes one round on a
//! few.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench that cannot measure stops, and what it measures is the wall clock"
)]

mod child;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use child::{median, run};
use sipwatch::capture::synth::{Carrier, CarrierOptions, PcapWriter, Precision, Truth};
use sipwatch::packet::{LinkType, Transport};
use sipwatch::time::Elapsed;

const ROUNDS: usize = 7;

/// An answered call has seven messages.
const CALLS: u32 = 100_000_u32.div_ceil(7);

/// Calls started in each second.
const RATE: u32 = 500;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = if quick { 100 } else { CALLS };
    let captures = [Transport::Udp, Transport::Tcp].map(|transport| {
        let file = folder.path().join(format!("{}.pcap", transport.name()));
        let truth = generate(&file, calls, transport);
        (transport, file.to_str().expect("a path in UTF-8").to_owned(), truth)
    });
    let read = |file: &str| run(env!("CARGO_BIN_EXE_sipwatch"), &["-r", file, "--report", "json"]);
    let rounds = if quick { 1 } else { ROUNDS };
    let mut runs = captures.each_ref().map(|(_, file, _)| {
        // Once without counting: the page cache is warm then.
        read(file);
        Vec::new()
    });
    for _ in 0..rounds {
        for ((_, file, _), runs) in captures.iter().zip(&mut runs) {
            runs.push(read(file));
        }
    }
    println!("stream: medians of {rounds}, taking turns");
    println!("            messages   packets        wall         CPU   CPU a message");
    let costs = [0, 1].map(|at| {
        let (transport, _, truth) = &captures[at];
        let (wall, cpu) = (median(&runs[at], |run| run.wall), median(&runs[at], |run| run.cpu));
        let each = cpu * 1e3 / truth.sip_messages as f64;
        let (messages, packets) = (truth.sip_messages, truth.packets);
        println!("  {:<6} {messages:>11} {packets:>9} {wall:>8.1} ms {cpu:>8.1} ms {each:>12.2} µs", transport.name());
        each
    });
    println!("  a message over TCP costs {:.2}x one over UDP", costs[1] / costs[0]);
    ExitCode::SUCCESS
}

fn generate(path: &Path, calls: u32, transport: Transport) -> Truth {
    let out = File::create(path).expect("a temporary file");
    let mut writer = PcapWriter::new(out, Precision::Micros, LinkType::ETHERNET, 262_144).expect("a header");
    let mut carrier = Carrier::new(CarrierOptions {
        calls,
        subscriptions: 0,
        rtp: false,
        transport,
        talk: Elapsed::from_secs(2),
        spread: Elapsed::from_secs((calls / RATE).into()),
        ..CarrierOptions::default()
    });
    let mut packet = Vec::new();
    while let Some(at) = carrier.next_packet(&mut packet) {
        writer.write(at, &packet).expect("room in the temporary folder");
    }
    let file = writer.finish().expect("room in the temporary folder");
    // Writing back to the disk must not go on beside the runs.
    file.sync_all().expect("a disk that takes it");
    carrier.truth()
}
