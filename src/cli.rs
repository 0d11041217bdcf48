//! The command line: a contract that scripts hold on to.

use std::path::PathBuf;

use clap::{ArgGroup, Parser};

use crate::limits::KERNEL_BUFFER_MIB;

const AFTER_HELP: &str = "\
Examples:
  sudo sipwatch                              everything on all interfaces
  sudo sipwatch -i eth0 udp port 5060        one interface, with a BPF filter
  sipwatch -r call.pcap --call-id 59e9cf01   one call of a file
  sipwatch -r call.pcap --report json        the same pipeline without a terminal
  sudo sipwatch -w all.pcapng                everything, and every packet into a file
  sipwatch --demo                            a built-in capture, no root needed

Exit status: 0 done, 1 cannot (the reason is on standard error), 2 wrong usage.";

/// Shows SIP calls, ladders and media live or from a file, and prints reports without a terminal.
#[derive(Clone, Debug, Parser)]
#[command(name = "sipwatch", version, about, after_help = AFTER_HELP)]
#[command(group(ArgGroup::new("output").args(["report", "json", "ladder", "explain"])))]
#[command(group(ArgGroup::new("rotating").args(["rotate_size", "rotate_seconds"]).multiple(true)))]
#[command(group(ArgGroup::new("input").args(["interfaces", "files", "demo"])))]
pub struct Cli {
    /// Interface to capture on, several times for several; "any" without
    #[arg(short = 'i', long = "interface", value_name = "NAME")]
    pub interfaces: Vec<String>,

    /// Capture file to read (pcap, pcapng, also gzip or zstd; "-" is standard input); several merge by time
    #[arg(short = 'r', long = "read", value_name = "FILE")]
    pub files: Vec<String>,

    /// Play the built-in capture in real time; needs no root and no network
    #[arg(long)]
    pub demo: bool,

    /// Only this Call-ID (exact; if none is, those that contain TEXT) and what belongs to it
    #[arg(long, value_name = "TEXT")]
    pub call_id: Option<String>,

    /// Only rows that match: words, or fields as in 'state == failed and from ~ "^20"'
    #[arg(short = 'f', long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// No terminal interface: read to the end (live: to Ctrl-C), print this report, exit
    #[arg(long, value_name = "KIND", value_parser = report_kinds())]
    pub report: Option<String>,

    /// No terminal interface: one JSON object a line, as things happen
    #[arg(long)]
    pub json: bool,

    /// Print the ladder of this call as text
    #[arg(long, value_name = "CALL-ID")]
    pub ladder: Option<String>,

    /// Explain a method, a status code or a header, and exit
    #[arg(long, value_name = "WORD")]
    pub explain: Option<String>,

    /// Write what is captured, or read, to this pcapng file; "-" is standard output. One that exists is overwritten
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// With -w: begin a new file, FILE_00001_TIME, once one has so many MiB
    #[arg(long, value_name = "MIB", requires = "write", value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub rotate_size: Option<u64>,

    /// With -w: begin a new file once one spans so many seconds
    #[arg(long, value_name = "S", requires = "write", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub rotate_seconds: Option<u64>,

    /// With -w and a new file now and then: keep the newest N, delete older ones of this run
    #[arg(long, value_name = "N", requires = "rotating", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub rotate_files: Option<u64>,

    /// Tab to start with
    #[arg(long, value_name = "NAME", value_parser = ["calls", "stats", "capture"])]
    pub tab: Option<String>,

    /// Kernel buffer of each interface, in MiB
    #[arg(long, value_name = "MIB", default_value_t = KERNEL_BUFFER_MIB, value_parser = clap::value_parser!(u32).range(1..=2047))]
    pub buffer: u32,

    /// User to become once the interfaces are open (default: whoever called sudo)
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// Keep the privileges the program was started with
    #[arg(long, conflicts_with = "user")]
    pub no_drop: bool,

    /// Show packets that were captured twice as well
    #[arg(long)]
    pub no_dedup: bool,

    /// ASCII instead of Unicode glyphs
    #[arg(long)]
    pub ascii: bool,

    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,

    /// Batches that may wait for the engine; a small number loses packets on purpose, to see that losses show
    #[arg(long, value_name = "N", hide = true)]
    pub queue_batches: Option<usize>,

    /// BPF filter words for live capture (see man pcap-filter)
    #[arg(value_name = "BPF", trailing_var_arg = true)]
    pub bpf: Vec<String>,
}

impl Cli {
    /// The BPF words as one filter, empty for none.
    pub fn bpf(&self) -> String {
        self.bpf.join(" ")
    }

    /// Whether the terminal is used for anything but the final text.
    pub fn has_screen(&self) -> bool {
        self.report.is_none() && !self.json && self.ladder.is_none() && self.explain.is_none()
    }
}

fn report_kinds() -> Vec<&'static str> {
    crate::export::report::REPORTS.iter().map(|report| report.name).collect()
}
