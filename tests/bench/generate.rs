//! Writes a made capture of any size and prints what is in it as JSON.
//!
//!     cargo run --release --example generate -- --preset f500 -o f500.pcap
//!     cargo run --release --example generate -- carrier --calls 50 --seconds 30 --loss 10 -o calls.pcap
//!     cargo run --release --example generate -- calls --count 100000 -o table.pcap
//!     cargo run --release --example generate -- carrier --calls 50 --tcp -o tcp.pcap
//!     cargo run --release --example generate -- half-open --flows 1000000 -o attack.pcap
//!     cargo run --release --example generate -- demo -o demo.pcap
//!     cargo run --release --example generate -- --quality loss-5 -o loss.pcap

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sipwatch::capture::demo;
use sipwatch::capture::synth::quality::{Scene, names};
use sipwatch::capture::synth::{Attack, Attacker, Carrier, CarrierOptions, PcapWriter, Precision, RtpFaults};
use sipwatch::packet::{LinkType, Transport};
use sipwatch::time::{Elapsed, Timestamp};

/// Writes a made capture and prints what is in it as JSON.
#[derive(Parser)]
struct Arguments {
    /// A capture of a known size.
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// One call whose RTP figures are known exactly, with one fault.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    quality: Option<String>,
    /// The file to write; standard output (and the JSON on standard error) when it is "-".
    #[arg(short, long, global = true, default_value = "-")]
    output: PathBuf,
    /// Nanosecond time stamps instead of microseconds.
    #[arg(long, global = true)]
    nanos: bool,
    /// Everything random follows from it.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Time of the first packet, in seconds since 1970.
    #[arg(long, global = true, default_value_t = 1_700_000_000)]
    start: i64,
    /// Signalling over TCP, with a connection for each call and each watcher.
    #[arg(long, global = true)]
    tcp: bool,
    #[command(subcommand)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// 500 calls of 10 s, 100 subscriptions: about 500,000 packets.
    F500,
    /// 2,000 calls of 10 s, 500 subscriptions: about 2,000,000 packets.
    F2000,
}

#[derive(Subcommand)]
enum Kind {
    /// Calls with RTP in both directions, and subscriptions.
    Carrier(CarrierArguments),
    /// The built-in demo as a file.
    Demo,
    /// Many short calls without RTP, some of them not answered.
    Calls {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        count: u32,
        /// Calls started in each second.
        #[arg(long, default_value_t = 500)]
        rate: u32,
        /// How long each talks, in seconds.
        #[arg(long, default_value_t = 2)]
        seconds: u32,
    },
    /// SYNs that nobody answers, each from a host of its own, some with a byte of data; and two good calls.
    HalfOpen(AttackArguments),
    /// Fragments of datagrams that are never completed; and two good calls.
    Fragments(AttackArguments),
    /// A TCP connection with a SIP message of 4 GiB that never ends; and two good calls.
    Endless(AttackArguments),
}

#[derive(Args)]
struct AttackArguments {
    /// Connections, fragments or segments.
    #[arg(long, default_value_t = 1_000_000)]
    flows: u32,
}

#[derive(Args)]
struct CarrierArguments {
    /// Calls.
    #[arg(long, default_value_t = 500)]
    calls: u32,
    /// Watched lamps.
    #[arg(long, default_value_t = 100)]
    subscriptions: u32,
    /// NOTIFYs of each.
    #[arg(long, default_value_t = 12)]
    notifies: u32,
    /// How long each call talks, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Calls start over this time, in seconds.
    #[arg(long, default_value_t = 5)]
    spread: u32,
    /// RTP packets lost, in 1 of 1,000.
    #[arg(long, default_value_t = 10)]
    loss: u32,
    /// RTP packets that come after their successor, in 1 of 1,000.
    #[arg(long, default_value_t = 1)]
    reorder: u32,
    /// RTP packets that come twice, in 1 of 1,000.
    #[arg(long, default_value_t = 0)]
    duplicate: u32,
    /// RTP packets come up to this much late, in ms.
    #[arg(long, default_value_t = 4)]
    jitter: u32,
    /// Calls whose INVITE is sent twice, in 1 of 1,000.
    #[arg(long, default_value_t = 0)]
    retransmit: u32,
    /// Calls that are not answered, in 1 of 1,000.
    #[arg(long, default_value_t = 0)]
    unanswered: u32,
}

fn options(arguments: &Arguments) -> anyhow::Result<CarrierOptions> {
    let chosen = match (arguments.preset, &arguments.kind) {
        (Some(Preset::F500), None) => CarrierOptions::default(),
        (Some(Preset::F2000), None) => CarrierOptions { calls: 2_000, subscriptions: 500, ..CarrierOptions::default() },
        (None, Some(Kind::Carrier(carrier))) => carrier_options(carrier),
        (None, Some(Kind::Calls { count, rate, seconds })) => CarrierOptions {
            calls: *count,
            subscriptions: 0,
            rtp: false,
            talk: Elapsed::from_secs((*seconds).into()),
            spread: Elapsed::from_nanos(i64::from(*count) * 1_000_000_000 / i64::from((*rate).max(1))),
            retransmit_per_mille: 10,
            unanswered_per_mille: 250,
            ..CarrierOptions::default()
        },
        _ => bail!("either --preset, or --quality, or one word for the kind of capture; see --help"),
    };
    let transport = if arguments.tcp { Transport::Tcp } else { Transport::Udp };
    let start = Timestamp::from_parts(arguments.start, 0);
    Ok(CarrierOptions { seed: arguments.seed, start, transport, ..chosen })
}

fn carrier_options(carrier: &CarrierArguments) -> CarrierOptions {
    CarrierOptions {
        calls: carrier.calls,
        subscriptions: carrier.subscriptions,
        notifies: carrier.notifies,
        talk: Elapsed::from_secs(carrier.seconds.into()),
        spread: Elapsed::from_secs(carrier.spread.into()),
        faults: RtpFaults {
            loss_per_mille: carrier.loss,
            jitter: Elapsed::from_millis(carrier.jitter.into()),
            reorder_per_mille: carrier.reorder,
            duplicate_per_mille: carrier.duplicate,
        },
        retransmit_per_mille: carrier.retransmit,
        unanswered_per_mille: carrier.unanswered,
        ..CarrierOptions::default()
    }
}

const fn attack(arguments: &Arguments) -> Option<(Attack, u32)> {
    match &arguments.kind {
        Some(Kind::HalfOpen(attack)) => Some((Attack::HalfOpen, attack.flows)),
        Some(Kind::Fragments(attack)) => Some((Attack::Fragments, attack.flows)),
        Some(Kind::Endless(attack)) => Some((Attack::Endless, attack.flows)),
        _ => None,
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let to_stdout = arguments.output.as_os_str() == "-";
    let out: Box<dyn Write> = if to_stdout {
        Box::new(io::stdout().lock())
    } else {
        let path = arguments.output.display();
        Box::new(File::create(&arguments.output).with_context(|| format!("{path} cannot be written"))?)
    };
    if matches!(arguments.kind, Some(Kind::Demo)) {
        return Ok(demo::capture_to(&mut { out }, Timestamp::from_parts(arguments.start, 0))?);
    }
    let precision = if arguments.nanos { Precision::Nanos } else { Precision::Micros };
    let mut writer = PcapWriter::new(out, precision, LinkType::ETHERNET, 262_144)?;
    let mut frame = Vec::new();
    let start = Timestamp::from_parts(arguments.start, 0);
    let scene = arguments.quality.as_ref().and_then(|name| Scene::named(name, start, arguments.seed));
    let truth = if let Some(mut scene) = scene {
        if arguments.preset.is_some() || arguments.kind.is_some() {
            bail!("--quality makes a capture of its own; leave out --preset and the word for the kind");
        }
        while let Some(at) = scene.next_packet(&mut frame) {
            writer.write(at, &frame)?;
        }
        serde_json::to_string_pretty(scene.truth())?
    } else if let Some((attack, flows)) = attack(&arguments) {
        let mut attacker = Attacker::new(attack, flows, start, arguments.seed);
        while let Some(at) = attacker.next_packet(&mut frame) {
            writer.write(at, &frame)?;
        }
        serde_json::to_string_pretty(&attacker.truth())?
    } else {
        let mut carrier = Carrier::new(options(&arguments)?);
        while let Some(at) = carrier.next_packet(&mut frame) {
            writer.write(at, &frame)?;
        }
        serde_json::to_string_pretty(&carrier.truth())?
    };
    writer.finish()?;
    if to_stdout {
        writeln!(io::stderr(), "{truth}")?;
    } else {
        writeln!(io::stdout(), "{truth}")?;
    }
    Ok(())
}
