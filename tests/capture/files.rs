//! Capture files: every format and every way a file can be odd.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod odd;
mod writer;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use sipwatch::capture::file::FileSource;
use sipwatch::capture::{BatchSink, FileFacts, Source, SourceError, SourceState};
use sipwatch::packet::{Batch, LinkType, PacketMeta};
use writer::{MICROS, MODIFIED, NANOS, Order, Pcap, Pcapng, gzip, skippable, zstd};

struct Read {
    packets: Vec<(PacketMeta, Vec<u8>)>,
    warning: Option<String>,
    truncated: bool,
    link: String,
    progress: (u64, u64),
    counted: u64,
    facts: FileFacts,
}

impl Read {
    fn data(&self) -> Vec<&[u8]> {
        self.packets.iter().map(|(_, data)| &data[..]).collect()
    }

    fn nanos(&self) -> Vec<i64> {
        self.packets.iter().map(|(meta, _)| meta.at.nanos()).collect()
    }
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn read_paths(paths: &[String]) -> Result<Read, SourceError> {
    let source = FileSource::open(paths)?;
    let status = source.status();
    let mut packets = Vec::new();
    let mut sink = |batch: &mut Batch| {
        assert!(!batch.is_empty());
        packets.extend(batch.iter().map(|packet| (packet.meta, packet.data.to_vec())));
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(source).run(&mut sink).unwrap();
    let SourceState::Ended { warning } = (**status.state.load()).clone() else { panic!("not ended") };
    Ok(Read {
        packets,
        warning,
        truncated: status.truncated.load(Ordering::Relaxed),
        link: status.link.load().to_string(),
        progress: (status.read_bytes.load(Ordering::Relaxed), status.total_bytes.load(Ordering::Relaxed)),
        counted: status.packets.load(Ordering::Relaxed),
        facts: (**status.facts.load()).clone(),
    })
}

fn read_bytes(bytes: &[u8]) -> Result<Read, SourceError> {
    let dir = tempfile::tempdir().unwrap();
    read_paths(&[write(dir.path(), "call.pcap", bytes)])
}

fn small_pcap() -> Vec<u8> {
    Pcap::new(Order::Little, MICROS, 1).packet(10, 5, 4, b"abcd").packet(11, 6, 900, b"xyz").bytes
}

fn small_pcapng() -> Vec<u8> {
    Pcapng::new(Order::Little)
        .interface(1, 0, None)
        .enhanced(0, 10_000_005, 4, b"abcd")
        .block(0x0bad, b"unknown block")
        .enhanced(0, 11_000_006, 900, b"xyz")
        .bytes
}

#[test]
fn pcap_in_both_byte_orders_and_units() {
    for order in [Order::Little, Order::Big] {
        for (magic, unit) in [(MICROS, 1_000), (NANOS, 1)] {
            let file = Pcap::new(order, magic, 113).packet(10, 5, 4, b"abcd").packet(11, 6, 900, b"xyz");
            let read = read_bytes(&file.bytes).unwrap();
            assert_eq!(read.data(), [&b"abcd"[..], b"xyz"], "{order:?} {magic:x}");
            assert_eq!(read.nanos(), [10_000_000_000 + 5 * unit, 11_000_000_000 + 6 * unit]);
            let last = read.packets[1].0;
            assert_eq!((last.id.source(), last.id.number(), last.original_len), (0, 2, 900));
            assert_eq!(last.link, LinkType::LINUX_SLL);
            assert_eq!((read.warning, read.truncated, read.link.as_str()), (None, false, "Linux cooked"));
            assert_eq!((read.progress.0, read.counted), (file.bytes.len() as u64, 2));
            assert_eq!(read.progress.0, read.progress.1);
        }
    }
}

#[test]
fn pcap_with_longer_record_headers() {
    for order in [Order::Little, Order::Big] {
        let mut file = Pcap::new(order, MODIFIED, 1);
        for data in [&b"abcd"[..], b"xyz"] {
            let (header, len) = (file.bytes.len() + 16, data.len() as u32);
            file = file.packet(10, 5, len, data);
            file.bytes.splice(header..header, [0; 8]);
        }
        assert_eq!(read_bytes(&file.bytes).unwrap().data(), [&b"abcd"[..], b"xyz"], "{order:?}");
    }
}

#[test]
fn frame_check_bits_do_not_hide_the_link_type() {
    let file = Pcap::new(Order::Little, MICROS, 0x2400_0001).packet(1, 1, 1, b"a");
    assert_eq!(read_bytes(&file.bytes).unwrap().packets[0].0.link, LinkType::ETHERNET);
}

#[test]
fn pcapng_with_sections_interfaces_clocks_and_all_packet_blocks() {
    for (first, second) in [(Order::Little, Order::Big), (Order::Big, Order::Little)] {
        let file = Pcapng::new(first)
            .interface(1, 0, None)
            .interface(276, 64, Some((9, 100)))
            .enhanced(1, 7_000_000_001, 400, b"nano")
            .enhanced(0, 8_000_001, 3, b"mic")
            .obsolete(0, 9_000_002, 8, b"obsolete")
            .simple(6, b"simple")
            .section(second)
            .interface(101, 5, Some((0x80 | 10, -1)))
            .simple(9, b"too long!")
            .enhanced(0, 2_560, 2, b"pw");
        let read = read_bytes(&file.bytes).unwrap();
        let expected: [&[u8]; 6] = [b"nano", b"mic", b"obsolete", b"simple", b"too l", b"pw"];
        assert_eq!(read.data(), expected);
        let nanos = [107_000_000_001, 8_000_001_000, 9_000_002_000, 9_000_002_000, 9_000_002_000, 1_500_000_000];
        assert_eq!(read.nanos(), nanos);
        let at: Vec<_> = read.packets.iter().map(|(meta, _)| (meta.interface, meta.link.0)).collect();
        assert_eq!(at, [(1, 276), (0, 1), (0, 1), (0, 1), (2, 101), (2, 101)]);
        assert_eq!(read.packets[0].0.original_len, 400);
        assert_eq!((read.warning, read.link.as_str()), (None, "Ethernet, Linux cooked v2, raw IP"));
    }
}

#[test]
fn packed_files_are_recognised_by_their_first_bytes() {
    let plain = small_pcapng();
    let (head, tail) = plain.split_at(70);
    let packed = [
        gzip(&plain),
        [gzip(head), gzip(tail)].concat(),
        zstd(&plain),
        [zstd(head), skippable(b"index"), zstd(tail)].concat(),
        [skippable(b""), zstd(&plain)].concat(),
    ];
    for (case, bytes) in packed.iter().enumerate() {
        let read = read_bytes(bytes).unwrap();
        assert_eq!(read.data(), [&b"abcd"[..], b"xyz"], "case {case}");
        assert_eq!((read.warning, read.progress), (None, (bytes.len() as u64, bytes.len() as u64)), "case {case}");
    }
}

#[test]
fn a_cut_packed_file_gives_what_can_be_unpacked() {
    let mut file = Pcap::new(Order::Little, MICROS, 1);
    let noise: Vec<u8> = (0..2_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for second in 1..=20 {
        file = file.packet(second, 0, 2_000, &noise);
    }
    for packed in [gzip(&file.bytes), zstd(&file.bytes)] {
        let read = read_bytes(&packed[..packed.len() - 100]).unwrap();
        assert!(read.truncated && !read.packets.is_empty());
        assert!(read.warning.unwrap().starts_with("cut in the middle of packet "));
    }
}

#[test]
fn a_file_without_packets_is_fine() {
    for bytes in [Pcap::new(Order::Little, MICROS, 1).bytes, Pcapng::new(Order::Big).bytes] {
        let read = read_bytes(&bytes).unwrap();
        assert_eq!((read.packets.len(), read.warning, read.truncated), (0, None, false));
    }
}

#[test]
fn a_file_cut_anywhere_is_read_as_far_as_it_goes() {
    for whole in [small_pcap(), small_pcapng()] {
        let mut last = 0;
        for len in 4..whole.len() {
            let read = read_bytes(&whole[..len]).unwrap();
            let clean_end = !read.truncated;
            assert_eq!(read.warning.is_none(), clean_end, "cut at {len}");
            if let Some(warning) = read.warning {
                assert!(warning.starts_with("cut in"), "cut at {len}: {warning}");
            }
            assert!(read.packets.len() >= last && read.packets.len() < 2, "cut at {len}");
            last = read.packets.len();
        }
        assert_eq!(last, 1);
        assert_eq!(read_bytes(&whole).unwrap().packets.len(), 2);
    }
}

#[test]
fn what_cannot_be_a_capture_is_said_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let said = |path: &str| match FileSource::open(&[path.to_owned()]) {
        Ok(_) => panic!("{path} opened"),
        Err(error) => error.to_string(),
    };
    let text = write(dir.path(), "note.txt", b"Hello, world");
    assert!(said(&text).ends_with("It starts with 48 65 6c 6c 6f 2c 20 77"));
    assert!(said(&write(dir.path(), "packed.txt.gz", &gzip(b"Hello, world"))).contains("48 65 6c"));
    assert!(said(&write(dir.path(), "short", &small_pcap()[..3])).contains("d4 c3 b2"));
    for empty in [b"".to_vec(), gzip(b"")] {
        assert!(said(&write(dir.path(), "empty", &empty)).contains("is empty"));
    }
    assert!(said(dir.path().to_str().unwrap()).contains("is a directory"));
    assert!(said("/nowhere/call.pcap").contains("no such file"));
    assert!(said(&write(dir.path(), "bad.gz", &[0x1f, 0x8b, 9, 9, 9, 9, 9])).contains("cannot be read"));
    assert!(said(&write(dir.path(), "bad.zst", &[0x28, 0xb5, 0x2f, 0xfd])).contains("cannot be read"));
    assert!(said("/dev/null").contains("is empty"));
}

#[test]
fn broken_records_end_the_file_with_a_warning() {
    let first = || Pcap::new(Order::Little, MICROS, 1).packet(1, 1, 1, b"a");
    let mut huge = first().bytes;
    for word in [2, 0, 1_048_577, 1_048_577] {
        huge.extend(Order::Little.u32(word));
    }
    let mut zeros = first().bytes;
    zeros.extend([0; 4_096]);
    let ng = || Pcapng::new(Order::Big).interface(1, 0, None).enhanced(0, 1, 1, b"a");
    let stranger = ng().enhanced(3, 1, 1, b"a").bytes;
    let tiny = [ng().bytes, vec![0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 0]].concat();
    let mut lying = ng().enhanced(0, 1, 4, b"abcd").bytes;
    let captured_len = lying.len() - 28;
    lying[captured_len..captured_len + 4].copy_from_slice(&[0, 0, 9, 9]);
    let cases = [
        (huge, "broken at packet 2: a length of 1048577 bytes"),
        (zeros, "broken at packet 2: nothing but zeros"),
        (stranger, "broken at packet 2: interface 3, which the file does not describe"),
        (tiny, "broken at packet 2: a block of 4 bytes"),
        (lying, "broken at packet 2: an unreadable packet block"),
    ];
    for (bytes, warning) in cases {
        let read = read_bytes(&bytes).unwrap();
        assert_eq!((read.packets.len(), read.warning.as_deref()), (1, Some(warning)));
        assert!(read.truncated);
    }
}

#[test]
fn large_packets_and_large_foreign_blocks_fit() {
    let large = vec![7; 900_000];
    let file = Pcap::new(Order::Little, NANOS, 1).packet(1, 1, 900_000, &large).packet(2, 1, 1, b"b");
    assert_eq!(read_bytes(&file.bytes).unwrap().data(), [&large[..], b"b"]);
    let foreign = vec![9; 3_000_000];
    let file = Pcapng::new(Order::Big)
        .interface(1, 0, None)
        .enhanced(0, 1, 900_000, &large)
        .block(0x0bad, &foreign)
        .enhanced(0, 2, 1, b"b");
    assert_eq!(read_bytes(&file.bytes).unwrap().data(), [&large[..], b"b"]);
    let cut = read_bytes(&file.bytes[..2_000_000]).unwrap();
    assert_eq!((cut.packets.len(), cut.warning.as_deref()), (1, Some("cut in the middle of packet 2")));
}

#[test]
fn several_files_are_merged_by_time_and_ties_keep_the_given_order() {
    let dir = tempfile::tempdir().unwrap();
    let file = |seconds: &[u32], name: &str| {
        let mut file = Pcap::new(Order::Little, MICROS, 1);
        for second in seconds {
            file = file.packet(*second, 0, 1, name.as_bytes());
        }
        write(dir.path(), name, &file.bytes)
    };
    // b runs backwards once.
    let paths = [file(&[1, 5, 5, 9], "a"), file(&[5, 3, 8], "b"), file(&[], "c"), file(&[1, 5, 10], "d")];
    let read = read_paths(&paths).unwrap();
    let order: Vec<(u16, u64, i64)> = read
        .packets
        .iter()
        .map(|(meta, _)| (meta.id.source(), meta.id.number(), meta.at.nanos() / 1_000_000_000))
        .collect();
    let expected =
        [(0, 1, 1), (3, 1, 1), (1, 2, 3), (0, 2, 5), (0, 3, 5), (1, 1, 5), (3, 2, 5), (1, 3, 8), (0, 4, 9), (3, 3, 10)];
    assert_eq!(order, expected);
    let source = FileSource::open(&paths).unwrap();
    assert_eq!(source.names(), ["a", "b", "c", "d"]);
    assert_eq!(source.status().name, "a and 3 more");
    let cut = write(dir.path(), "cut", &small_pcap()[..60]);
    let warning = read_paths(&[paths[0].clone(), cut]).unwrap().warning;
    assert_eq!(warning.as_deref(), Some("cut is cut in the middle of packet 2"));
}

#[test]
fn a_full_batch_is_handed_on_and_a_break_or_stop_ends_the_run() {
    let mut file = Pcap::new(Order::Little, MICROS, 1);
    for second in 0..1_000 {
        file = file.packet(second, 1, 1, b"a");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = [write(dir.path(), "many.pcap", &file.bytes)];
    for stop_from_outside in [false, true] {
        let source = FileSource::open(&path).unwrap();
        let (status, stop) = (source.status(), source.stopper());
        let mut sizes = Vec::new();
        let mut sink = |batch: &mut Batch| {
            sizes.push(batch.len());
            batch.clear();
            if sizes.len() < 2 {
                return ControlFlow::Continue(());
            }
            stop();
            if stop_from_outside { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let sink: &mut dyn BatchSink = &mut sink;
        Box::new(source).run(sink).unwrap();
        assert_eq!(sizes, [256, 256]);
        assert_eq!(**status.state.load(), SourceState::Ended { warning: None });
    }
}

#[test]
fn a_pipe_gives_packets_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let bytes = small_pcap();
    let (first, second) = (bytes[..24 + 20 + 5].to_vec(), bytes[24 + 20 + 5..].to_vec());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            pipe.write_all(&first).unwrap();
            // The second packet is only written once the first has been handed on.
            wait.recv().unwrap();
            pipe.write_all(&second).unwrap();
        })
    };
    let source = FileSource::open(&[path.to_str().unwrap().to_owned()]).unwrap();
    assert!(source.is_stream());
    let status = source.status();
    let mut sizes = Vec::new();
    let mut sink = |batch: &mut Batch| {
        sizes.push(batch.len());
        batch.clear();
        let _ = go.send(());
        ControlFlow::Continue(())
    };
    Box::new(source).run(&mut sink).unwrap();
    writer.join().unwrap();
    assert_eq!(sizes, [1, 1]);
    assert_eq!(**status.state.load(), SourceState::Ended { warning: None });
}

#[test]
fn a_quiet_pipe_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let keep_open = {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            pipe.write_all(&small_pcap()[..30]).unwrap();
            pipe
        })
    };
    let source = FileSource::open(&[path.to_str().unwrap().to_owned()]).unwrap();
    let (status, stop) = (source.status(), source.stopper());
    let run = std::thread::spawn(move || {
        let mut sink = |_: &mut Batch| ControlFlow::Continue(());
        Box::new(source).run(&mut sink).unwrap();
    });
    let pipe = keep_open.join().unwrap();
    stop();
    run.join().unwrap();
    drop(pipe);
    assert_eq!(**status.state.load(), SourceState::Ended { warning: None });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_behind_any_magic_end(
        start in prop::sample::select(vec![0_usize, 1, 2, 3, 4]),
        noise in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let start = match start {
            0 => Pcap::new(Order::Little, MICROS, 1).bytes,
            1 => Pcap::new(Order::Big, NANOS, 1).bytes,
            2 => Pcapng::new(Order::Little).interface(1, 0, None).bytes,
            3 => Pcapng::new(Order::Big).bytes,
            _ => Vec::new(),
        };
        let _ = read_bytes(&[start, noise].concat());
    }

    #[test]
    fn changed_bytes_never_do_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        packed in 0..3,
    ) {
        for mut bytes in [small_pcap(), small_pcapng()] {
            bytes = match packed { 0 => bytes, 1 => gzip(&bytes), _ => zstd(&bytes) };
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Ok(read) = read_bytes(&bytes) {
                prop_assert!(read.packets.len() <= bytes.len() / 16 + 1);
            }
        }
    }
}

#[test]
fn every_capture_of_the_corpus_has_all_its_packets() {
    let Ok(corpus) = std::env::var("SIPWATCH_CORPUS") else {
        println!("SIPWATCH_CORPUS is not set: 0 captures read");
        return;
    };
    let corpus = Path::new(&corpus);
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(corpus.join("truth.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let (mut count, mut foreign) = (0, 0);
    for (name, facts) in truth["captures"].as_object().unwrap() {
        let Some(expected) = facts["packets"].as_u64() else { continue };
        let read = match read_paths(&[corpus.join(name).to_str().unwrap().to_owned()]) {
            Ok(read) => read,
            // Microsoft Network Monitor's format.
            Err(SourceError::NotACapture { starts, .. }) if starts.starts_with("47 4d 42 55") => {
                foreign += 1;
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        count += 1;
        if read.packets.len() as u64 != expected {
            wrong.push(format!("{name}: {} instead of {expected}, {:?}", read.packets.len(), read.warning));
        }
    }
    println!("{count} captures read, {foreign} in formats that are not read");
    assert!(count > 0 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_long_file_gives_every_record_wherever_reads_and_batches_end() {
    // Empty, small, jumbo and huge records: they lie across reads, fill batches, and outgrow both.
    let sizes = [0, 60, 214, 1_500, 9_000, 65_000, 65_536, 200_000, 262_144, 300_000, 1_048_576];
    let len_of = |number: u32| sizes[(number as usize * number as usize / 3) % sizes.len()] + number as usize % 7;
    let mut file = Pcap::new(Order::Big, NANOS, 1);
    let mut expected = Vec::new();
    for number in 0..400 {
        let data = vec![number as u8; len_of(number).min(1_048_576)];
        file = file.packet(number, 7, data.len() as u32 + 1, &data);
        expected.push(data);
    }
    for _ in 0..9_000 {
        file = file.packet(9, 9, 0, b"");
        expected.push(Vec::new());
    }
    for packed in [file.bytes.clone(), gzip(&file.bytes)] {
        let read = read_bytes(&packed).unwrap();
        assert!(read.packets.iter().map(|(_, data)| data).eq(&expected));
        assert!(read.packets.iter().zip(1..).all(|((meta, _), number)| meta.id.number() == number));
        assert_eq!((read.warning, read.counted), (None, expected.len() as u64));
    }
    let cut = read_bytes(&file.bytes[..file.bytes.len() - 9_000 * 16 - 1]).unwrap();
    assert_eq!((cut.packets.len(), cut.warning.as_deref()), (399, Some("cut in the middle of packet 400")));
}
