use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::*;
use crate::capture::file::FileSource;
use crate::capture::{Source, SourceKind, SourceStatus};
use crate::packet::{Batch, LinkType, PacketId, PacketMeta};
use crate::time::Timestamp;

/// 2026-11-28 15:45:00 UTC.
const START_S: i64 = 1_795_880_700;

fn meta(source: u16, number: u64, seconds: i64, link: LinkType) -> PacketMeta {
    PacketMeta {
        id: PacketId::new(source, number),
        at: Timestamp::from_parts(START_S + seconds, 123_456_789),
        interface: 0,
        link,
        original_len: 9,
    }
}

fn batch(packets: &[(PacketMeta, &[u8])]) -> Batch {
    let mut batch = Batch::new();
    for (meta, data) in packets {
        batch.push(*meta, data);
    }
    batch
}

fn options(path: &Path) -> RecordOptions {
    let source = |name: &str| Arc::new(SourceStatus::new(name, SourceKind::Live, ""));
    let names = SourceNames::of(["eth0", "wg0"].map(source));
    RecordOptions { path: path.to_owned(), rotation: Rotation::default(), owner: None, names }
}

/// Time, link type, length on the wire and bytes of each packet, as our own reader finds them.
fn read(path: &Path) -> Vec<(i64, u32, u32, Vec<u8>)> {
    let source = FileSource::open(&[path.display().to_string()]).unwrap();
    let (status, mut out) = (source.status(), Vec::new());
    let take = |batch: &mut Batch| {
        out.extend(batch.iter().map(|packet| {
            let meta = packet.meta;
            (meta.at.nanos(), meta.link.0, meta.original_len, packet.data.to_vec())
        }));
        batch.clear();
        std::ops::ControlFlow::Continue(())
    };
    Box::new(source).run(&mut { take }).unwrap();
    assert!(!status.truncated.load(Ordering::Relaxed), "{path:?} is not whole");
    out
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_recorded_file_gives_the_same_packets_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.pcapng");
    let mut recorder = Recorder::open(options(&path)).unwrap();
    // Raw IP has another number on a live interface than in a file.
    let packets = [
        (meta(0, 1, 0, LinkType::ETHERNET), &b"abc"[..]),
        (meta(1, 1, 1, LinkType::DLT_RAW_BSD), b"defgh"),
        (meta(0, 2, 2, LinkType::ETHERNET), b""),
    ];
    recorder.write(&batch(&packets));
    recorder.flush();
    let at = |seconds| Timestamp::from_parts(START_S + seconds, 123_456_789).nanos();
    let want = vec![(at(0), 1, 9, b"abc".to_vec()), (at(1), 101, 9, b"defgh".to_vec()), (at(2), 1, 9, Vec::new())];
    assert_eq!(read(&path), want, "it is whole while more may come");
    let status = recorder.status();
    assert_eq!(status.packets.load(Ordering::Relaxed), 3);
    assert_eq!(status.bytes.load(Ordering::Relaxed), fs::metadata(&path).unwrap().len());
    let bytes = fs::read(&path).unwrap();
    for name in [&b"eth0"[..], b"wg0", b"sipwatch"] {
        assert!(bytes.windows(name.len()).any(|window| window == name), "{name:?}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o007, 0, "a capture is nobody else's business");
}

#[test]
fn interfaces_keep_their_names_from_file_to_file() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first.pcapng", "second.pcapng"].map(|name| folder.path().join(name));
    let packets = [(meta(0, 1, 0, LinkType::ETHERNET), &b"abc"[..]), (meta(1, 1, 1, LinkType::RAW), b"abc")];
    save(&first, Format::Pcapng, false, &packets).unwrap();
    let source = FileSource::open(&[first.display().to_string()]).unwrap();
    let names = SourceNames::of([source.status()]);
    let mut recorder = Recorder::open(RecordOptions { names, ..options(&second) }).unwrap();
    let mut write = |batch: &mut Batch| {
        recorder.write(batch);
        batch.clear();
        std::ops::ControlFlow::Continue(())
    };
    Box::new(source).run(&mut write).unwrap();
    drop(recorder);
    let source = FileSource::open(&[second.display().to_string()]).unwrap();
    let status = source.status();
    Box::new(source).run(&mut |_: &mut Batch| std::ops::ControlFlow::Continue(())).unwrap();
    let facts = status.facts.load();
    assert_eq!(facts.interfaces.values().collect::<Vec<_>>(), ["eth0", "wg0"]);
}

#[test]
fn files_turn_with_packet_time_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { seconds: Some(10), files: Some(2), ..Rotation::default() };
    let mut recorder = Recorder::open(RecordOptions { rotation, ..options(&folder.path().join("x.pcapng")) }).unwrap();
    for (number, seconds) in [0, 9, 10, 19, 45].into_iter().enumerate() {
        recorder.write(&batch(&[(meta(0, number as u64 + 1, seconds, LinkType::ETHERNET), b"abc")]));
    }
    drop(recorder);
    assert_eq!(files(folder.path()), ["x_00002_20261128T154510.pcapng", "x_00003_20261128T154545.pcapng"]);
    assert_eq!(read(&folder.path().join("x_00002_20261128T154510.pcapng")).len(), 2);
    assert_eq!(read(&folder.path().join("x_00003_20261128T154545.pcapng")).len(), 1);
}

#[test]
fn a_file_turns_when_the_clock_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { seconds: Some(10), ..Rotation::default() };
    let mut recorder = Recorder::open(RecordOptions { rotation, ..options(&folder.path().join("x.pcapng")) }).unwrap();
    // What comes a little late, as from another interface, is no step back.
    for (number, seconds) in [0, -2, -3_600, -3_591, -3_590].into_iter().enumerate() {
        recorder.write(&batch(&[(meta(0, number as u64 + 1, seconds, LinkType::ETHERNET), b"abc")]));
    }
    drop(recorder);
    let names = ["x_00001_20261128T154500.pcapng", "x_00002_20261128T144500.pcapng", "x_00003_20261128T144510.pcapng"];
    assert_eq!(files(folder.path()), names);
}

/// Names hold a second, and another run may have begun in the same one; or one of its files is being read.
#[test]
fn files_that_take_turns_overwrite_none_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let taken = ["x_00001_20261128T154500.pcapng", "x_00002_20261128T154500.pcapng", "x_00004_20261128T154510.pcapng"];
    for name in taken {
        fs::write(folder.path().join(name), b"another's").unwrap();
    }
    let rotation = Rotation { seconds: Some(10), files: Some(1), ..Rotation::default() };
    let mut recorder = Recorder::open(RecordOptions { rotation, ..options(&folder.path().join("x.pcapng")) }).unwrap();
    recorder.write(&batch(&[(meta(0, 1, 0, LinkType::ETHERNET), b"abc")]));
    // What was put in the place of its own file is not its own either.
    recorder.flush();
    let own = folder.path().join("x_00003_20261128T154500.pcapng");
    fs::rename(&own, folder.path().join("moved")).unwrap();
    fs::write(&own, b"another's").unwrap();
    recorder.write(&batch(&[(meta(0, 2, 10, LinkType::ETHERNET), b"abc")]));
    drop(recorder);
    let last = "x_00005_20261128T154510.pcapng";
    assert_eq!((read(&folder.path().join("moved")).len(), read(&folder.path().join(last)).len()), (1, 1));
    for name in taken.iter().copied().chain(["x_00003_20261128T154500.pcapng"]) {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"another's", "{name}");
    }
    assert_eq!(files(folder.path()).len(), 6);
}

#[test]
fn files_turn_once_they_are_large() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { bytes: Some(2_000), ..Rotation::default() };
    let mut recorder = Recorder::open(RecordOptions { rotation, ..options(&folder.path().join("x.pcapng")) }).unwrap();
    for number in 1..=5 {
        recorder.write(&batch(&[(meta(0, number, number as i64, LinkType::ETHERNET), &[7; 900])]));
    }
    drop(recorder);
    let counts: Vec<_> = files(folder.path()).iter().map(|name| read(&folder.path().join(name)).len()).collect();
    assert_eq!(counts, [3, 2], "the packet that fills a file is its last");
}

#[test]
fn a_file_that_was_moved_away_is_begun_anew_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("x.pcapng"), folder.path().join("x.1"));
    let mut recorder = Recorder::open(options(&path)).unwrap();
    let one = |number| batch(&[(meta(0, number, 0, LinkType::ETHERNET), &b"abc"[..])]);
    let reopen = recorder.reopen_flag();
    recorder.write(&one(1));
    // Still in its place: nothing is lost of it.
    reopen.store(true, Ordering::Relaxed);
    recorder.write(&one(2));
    recorder.flush();
    fs::rename(&path, &moved).unwrap();
    recorder.write(&one(3));
    reopen.store(true, Ordering::Relaxed);
    recorder.write(&one(4));
    drop(recorder);
    assert_eq!((read(&moved).len(), read(&path).len()), (3, 1));
}

#[test]
fn a_full_disk_is_counted_and_said() {
    let mut recorder = Recorder::open(options(Path::new("/dev/full"))).unwrap();
    let status = recorder.status();
    recorder.write(&batch(&[(meta(0, 1, 0, LinkType::ETHERNET), b"abc")]));
    recorder.flush();
    recorder.write(&batch(&[(meta(0, 2, 0, LinkType::ETHERNET), b"abc")]));
    recorder.flush();
    assert_eq!((status.packets.load(Ordering::Relaxed), status.lost_disk.load(Ordering::Relaxed)), (0, 2));
    let said = status.failed().unwrap();
    assert!(said.contains("/dev/full") && said.contains("no space left") && said.contains("2 packets"), "{said}");
}

#[test]
fn a_directory_that_is_not_there_is_said_at_once() {
    for rotation in [Rotation::default(), Rotation { seconds: Some(1), ..Rotation::default() }] {
        let path = Path::new("/no/such/folder/x.pcapng");
        let refused = Recorder::open(RecordOptions { rotation, ..options(path) }).err().unwrap().to_string();
        assert!(refused.contains("/no/such/folder/x.pcapng") && refused.contains("directory"), "{refused}");
    }
}

#[test]
fn what_is_being_written_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let [path, link, moved] = ["x.pcapng", "link", "x.1"].map(|name| folder.path().join(name));
    let mut recorder = Recorder::open(options(&path)).unwrap();
    let one = |number| batch(&[(meta(0, number, 0, LinkType::ETHERNET), &b"abc"[..])]);
    recorder.write(&one(1));
    recorder.flush();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let spared = Spared { written: Some(recorder.status()), ..Spared::default() };
    let save = |path: &Path| save_beside(path, Format::Pcapng, true, &[], spared.clone());
    for place in [&path, &link, &folder.path().join(".").join("x.pcapng")] {
        let refused = save(place).unwrap_err().to_string();
        assert!(refused.contains("is being written (-w)") && refused.contains("Choose another name"), "{refused}");
    }
    assert_eq!(read(&path).len(), 1);
    // Moved away it goes on until it is begun anew, and its place is still its own.
    fs::rename(&path, &moved).unwrap();
    assert!(matches!(save(&path), Err(SaveError::Output { .. })));
    assert!(matches!(save(&moved), Err(SaveError::Output { .. })));
    recorder.reopen_flag().store(true, Ordering::Relaxed);
    recorder.write(&one(2));
    drop(recorder);
    assert_eq!((read(&moved).len(), read(&path).len()), (1, 1));
    save(&moved).unwrap();
}

#[test]
fn what_is_written_meanwhile_is_not_overwritten_either() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { seconds: Some(10), ..Rotation::default() };
    let mut recorder = Recorder::open(RecordOptions { rotation, ..options(&folder.path().join("x.pcapng")) }).unwrap();
    let path = folder.path().join("x_00001_20261128T154500.pcapng");
    let spared = Spared { written: Some(recorder.status()), ..Spared::default() };
    let saving = begin(&path, Format::Pcapng, true, spared).unwrap();
    recorder.write(&batch(&[(meta(0, 1, 0, LinkType::ETHERNET), b"abc")]));
    assert!(matches!(saving.finish(), Err(SaveError::Output { .. })));
    drop(recorder);
    assert_eq!((read(&path).len(), files(folder.path()).len()), (1, 1));
}

fn save(path: &Path, format: Format, replace: bool, packets: &[(PacketMeta, &[u8])]) -> Result<u64, SaveError> {
    save_beside(path, format, replace, packets, Spared::default())
}

fn begin(path: &Path, format: Format, replace: bool, spared: Spared) -> Result<CaptureFile, SaveError> {
    let names = options(path).names;
    CaptureFile::create(SaveOptions { path: path.to_owned(), format, names, owner: None, replace, spared })
}

fn save_beside(
    path: &Path,
    format: Format,
    replace: bool,
    packets: &[(PacketMeta, &[u8])],
    spared: Spared,
) -> Result<u64, SaveError> {
    let mut file = begin(path, format, replace, spared)?;
    for packet in batch(packets).iter() {
        file.packet(&packet)?;
    }
    file.finish()
}

#[test]
fn both_formats_give_the_same_packets_again() {
    let folder = tempfile::tempdir().unwrap();
    let packets =
        [(meta(0, 1, 0, LinkType::ETHERNET), &b"abc"[..]), (meta(1, 1, 1, LinkType::ETHERNET), &b"defghijkl"[..])];
    let saved = [Format::Pcapng, Format::Pcap].map(|format| {
        let path = folder.path().join(format.ending());
        let bytes = save(&path, format, false, &packets).unwrap();
        assert_eq!(bytes, fs::metadata(&path).unwrap().len());
        read(&path)
    });
    assert_eq!(saved[0].len(), 2);
    assert_eq!(saved[0], saved[1]);
}

#[test]
fn an_empty_capture_is_still_one() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Pcapng, Format::Pcap] {
        let path: PathBuf = folder.path().join(format.ending());
        save(&path, format, false, &[]).unwrap();
        assert_eq!(read(&path).len(), 0);
    }
}

#[test]
fn what_is_there_is_kept_unless_it_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pcap");
    fs::write(&path, b"old").unwrap();
    let packets = [(meta(0, 1, 0, LinkType::ETHERNET), &b"abc"[..]), (meta(0, 2, 0, LinkType::RAW), &b"abc"[..])];
    assert!(matches!(save(&path, Format::Pcap, false, &packets), Err(SaveError::Exists { .. })));
    let refused = save(&path, Format::Pcap, true, &packets).unwrap_err().to_string();
    assert!(refused.contains("Ethernet and raw IP") && refused.contains("pcapng"), "{refused}");
    assert_eq!((fs::read(&path).unwrap(), files(folder.path())), (b"old".to_vec(), vec!["x.pcap".to_owned()]));
    save(&path, Format::Pcapng, true, &packets).unwrap();
    assert_eq!((read(&path).len(), files(folder.path()).len()), (2, 1));
    let device = save(Path::new("/dev/null"), Format::Pcap, true, &[]).unwrap_err().to_string();
    assert!(device.contains("no ordinary file"), "{device}");
}
