//! Live capture on a veth pair inside an own network namespace.
//!
//! Needs root and `ip`; elsewhere every test says that it is skipped. Each test runs its second half, the ignored
//! function of the same name, in a process of its own inside the namespace.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a quiet link is measured by the wall clock")]

use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use pcap::{Active, Capture};
use sipwatch::capture::live::{LiveOptions, LiveSource};
use sipwatch::capture::privileges::{Dropped, Invoker, drop_privileges};
use sipwatch::capture::{Source, SourceError, SourceState, SourceStatus, Stopper};
use sipwatch::packet::{Batch, LinkType, PacketMeta};

/// Says to the second half that it runs inside.
const INSIDE: &str = "SIPWATCH_TEST_NETNS";

/// Longer than anything here takes, so that a failure is not a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A network namespace, gone when dropped.
struct Namespace(String);

impl Namespace {
    /// With `left` and `right`, both up. `None` without root or `ip`.
    fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sipwatch-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let added = Command::new("ip").args(["netns", "add", &name]).output();
        if !added.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let namespace = Self(name);
        for command in [
            "ip link set lo up",
            "ip link add left type veth peer name right",
            "ip link set left up",
            "ip link set right up",
        ] {
            let output = namespace.run(&command.split(' ').collect::<Vec<_>>());
            assert!(output.status.success(), "{command}: {output:?}");
        }
        Some(namespace)
    }

    fn run(&self, command: &[&str]) -> Output {
        Command::new("ip").args(["netns", "exec", &self.0]).args(command).env(INSIDE, "1").output().unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Runs `test` of this program inside a new namespace.
fn inside(test: &str) {
    let Some(namespace) = Namespace::new() else {
        let _ = writeln!(std::io::stderr(), "{test}: skipped, needs root and ip");
        return;
    };
    let program = std::env::current_exe().unwrap();
    let name = format!("within::{test}");
    let output = namespace.run(&[program.to_str().unwrap(), "--exact", &name, "--ignored", "--nocapture"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn wanted_packets_come_at_once_and_others_do_not() {
    inside("wanted_packets_come_at_once_and_others_do_not");
}

#[test]
fn any_tells_the_interface() {
    inside("any_tells_the_interface");
}

#[test]
fn a_lost_interface_ends_the_capture_with_a_sentence() {
    inside("a_lost_interface_ends_the_capture_with_a_sentence");
}

#[test]
fn an_interface_taken_down_ends_the_capture_with_a_sentence() {
    inside("an_interface_taken_down_ends_the_capture_with_a_sentence");
}

#[test]
fn what_cannot_be_opened_is_said_in_a_sentence() {
    inside("what_cannot_be_opened_is_said_in_a_sentence");
}

#[test]
fn capture_goes_on_after_root_is_given_up() {
    inside("capture_goes_on_after_root_is_given_up");
}

#[test]
fn packets_lost_in_the_kernel_are_counted() {
    inside("packets_lost_in_the_kernel_are_counted");
}

/// A source running on a thread of its own.
struct Running {
    status: Arc<SourceStatus>,
    stop: Stopper,
    packets: Receiver<(PacketMeta, Vec<u8>)>,
    thread: JoinHandle<Result<(), SourceError>>,
}

impl Running {
    fn start(source: LiveSource) -> Self {
        let (status, stop) = (source.status(), source.stopper());
        let (sender, packets) = channel();
        let thread = spawn(move || run(source, &sender));
        Self { status, stop, packets, thread }
    }

    fn next(&self) -> (PacketMeta, Vec<u8>) {
        self.packets.recv_timeout(PATIENCE).unwrap()
    }

    /// Stops it and gives the packets that nobody asked for yet.
    fn rest(self) -> Vec<(PacketMeta, Vec<u8>)> {
        (self.stop)();
        self.thread.join().unwrap().unwrap();
        self.packets.try_iter().collect()
    }
}

fn run(source: LiveSource, sender: &Sender<(PacketMeta, Vec<u8>)>) -> Result<(), SourceError> {
    let mut sink = |batch: &mut Batch| {
        for packet in batch.iter() {
            let _ = sender.send((packet.meta, packet.data.to_vec()));
        }
        batch.clear();
        ControlFlow::Continue(())
    };
    Box::new(source).run(&mut sink)
}

fn open(device: &str, filter: &str) -> Result<LiveSource, SourceError> {
    LiveSource::open(device, &LiveOptions { filter: filter.to_owned(), ..LiveOptions::default() })
}

/// Sends frames from `right`, which arrive on `left`.
fn sender() -> Capture<Active> {
    Capture::from_device("right").unwrap().open().unwrap()
}

fn ethernet(tag: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1]);
    if let Some(tag) = tag {
        frame.extend([0x81, 0]);
        frame.extend(tag.to_be_bytes());
    }
    frame.extend([8, 0]);
    frame.extend(payload);
    frame
}

fn udp(port: u16, fragment: u16, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((28 + body.len() as u16).to_be_bytes());
    packet.extend([0, 1]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend([port.to_be_bytes(), port.to_be_bytes(), (8 + body.len() as u16).to_be_bytes(), [0, 0]].concat());
    packet.extend(body);
    packet
}

fn set_link(args: &str) {
    let done = Command::new("ip").arg("link").args(args.split(' ')).status().unwrap();
    assert!(done.success());
}

mod within {
    use super::*;

    fn is_inside() -> bool {
        std::env::var_os(INSIDE).is_some()
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn wanted_packets_come_at_once_and_others_do_not() {
        if !is_inside() {
            return;
        }
        let running = Running::start(open("left", "udp port 5060").unwrap());
        assert_eq!((running.status.name.as_str(), running.status.link.load().as_str()), ("left", "Ethernet"));
        assert!(running.status.filter.starts_with("(udp port 5060) or "));
        let mut sender = sender();
        let mut send = |frame: Vec<u8>| sender.sendpacket(frame).unwrap();
        for number in 1..=4_u64 {
            send(ethernet(None, &udp(53, 0, b"noise")));
            send(ethernet(Some(9), &udp(53, 0, b"noise")));
            let (wanted, tagged) = match number {
                1 => (udp(5060, 0, b"plain"), None),
                2 => (udp(5060, 0x2000, b"first"), None),
                3 => (udp(1, 0x20b9, b"later"), None),
                _ => (udp(5060, 0, b"tagged"), Some(5)),
            };
            let frame = ethernet(tagged, &wanted);
            let sent = Instant::now();
            send(frame.clone());
            let (meta, data) = running.next();
            assert!(sent.elapsed() < Duration::from_millis(100), "{:?}", sent.elapsed());
            assert_eq!((data, meta.original_len as usize), (frame.clone(), frame.len()));
            assert_eq!((meta.id.number(), meta.link), (number, LinkType::ETHERNET));
        }
        let status = Arc::clone(&running.status);
        assert!(running.rest().is_empty());
        assert_eq!(**status.state.load(), SourceState::Ended { warning: None });
        assert_eq!((status.packets.load(Ordering::Relaxed), status.lost().total()), (4, 0));
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn any_tells_the_interface() {
        if !is_inside() {
            return;
        }
        let options = LiveOptions { filter: "udp port 5060".to_owned(), promiscuous: true, ..LiveOptions::default() };
        let running = Running::start(LiveSource::open("any", &options).unwrap());
        let mut sender = sender();
        sender.sendpacket(ethernet(None, &udp(5060, 0, b"hello"))).unwrap();
        // Once when it leaves and once when it arrives.
        for _ in 0..2 {
            let (meta, data) = running.next();
            assert_eq!(meta.link, LinkType::LINUX_SLL2);
            assert!(data.starts_with(&[8, 0]) && data.ends_with(b"hello"));
        }
        sender.sendpacket(ethernet(Some(5), &udp(5060, 0, b"tagged"))).unwrap();
        // Sent with the tag in its bytes, it is known for IP only where it arrives and the kernel takes the tag off.
        assert!(running.next().1.ends_with(b"tagged"));
        assert!(running.rest().is_empty());
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn a_lost_interface_ends_the_capture_with_a_sentence() {
        if is_inside() {
            ends_with_a_sentence("del left");
        }
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn an_interface_taken_down_ends_the_capture_with_a_sentence() {
        if is_inside() {
            ends_with_a_sentence("set left down");
        }
    }

    fn ends_with_a_sentence(change: &str) {
        let running = Running::start(open("left", "udp").unwrap());
        sender().sendpacket(ethernet(None, &udp(5060, 0, b"hello"))).unwrap();
        running.next();
        set_link(change);
        // The sender's end goes when the capture ends, whether by itself or not.
        let ended = running.packets.recv_timeout(PATIENCE);
        let said = (**running.status.state.load()).clone();
        (running.stop)();
        let outcome = running.thread.join().unwrap();
        assert!(ended == Err(std::sync::mpsc::RecvTimeoutError::Disconnected), "{change}: still running");
        let Err(error @ SourceError::DeviceLost { .. }) = outcome else { panic!("{change}: {outcome:?}") };
        println!("{change}: {error}");
        assert_eq!(said, SourceState::Failed(error.to_string()));
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn what_cannot_be_opened_is_said_in_a_sentence() {
        if !is_inside() {
            return;
        }
        let said = |device: &str, filter: &str| match open(device, filter) {
            Ok(_) => panic!("{device} opened"),
            Err(error) => error.to_string(),
        };
        let missing = said("eth9", "");
        assert!(missing.starts_with("eth9: no such interface. Interfaces here: "), "{missing}");
        assert!(missing.contains("left") && missing.contains("any"), "{missing}");
        let syntax = said("left", "udp prot 5060");
        assert!(syntax.starts_with("BPF filter \"udp prot 5060\": ") && syntax.contains("syntax"), "{syntax}");
        set_link("set left down");
        assert_eq!(said("left", ""), "left is down. Bring it up first: ip link set left up");
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn capture_goes_on_after_root_is_given_up() {
        if !is_inside() {
            return;
        }
        let mut sender = sender();
        let source = open("left", "udp port 5060").unwrap();
        let invoker =
            Invoker { sudo_uid: Some("65534".to_owned()), sudo_gid: Some("65534".to_owned()), ..Invoker::default() };
        let dropped = drop_privileges(&invoker).unwrap();
        assert!(matches!(dropped, Dropped::To { uid: 65_534, gid: 65_534, .. }), "{dropped:?}");
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        for line in ["CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "Uid:\t65534\t65534\t65534\t65534"] {
            assert!(status.contains(line), "{line}\n{status}");
        }
        assert!(matches!(open("left", ""), Err(SourceError::Permission { .. })));
        let again = drop_privileges(&Invoker::default()).unwrap();
        assert!(matches!(again, Dropped::Kept(_)), "{again:?}");
        let running = Running::start(source);
        sender.sendpacket(ethernet(None, &udp(5060, 0, b"hello"))).unwrap();
        assert!(running.next().1.ends_with(b"hello"));
        assert!(running.rest().is_empty());
    }

    #[test]
    #[ignore = "runs inside a network namespace"]
    fn packets_lost_in_the_kernel_are_counted() {
        if !is_inside() {
            return;
        }
        const SENT: u64 = 20_000;
        let options = LiveOptions { filter: "udp port 5060".to_owned(), buffer_mib: 1, ..LiveOptions::default() };
        let source = LiveSource::open("left", &options).unwrap();
        let (status, stop) = (source.status(), source.stopper());
        let (finished, wait) = channel::<()>();
        let thread = spawn(move || {
            let mut sink = |batch: &mut Batch| {
                batch.clear();
                // Nobody empties the ring until everything has been sent.
                let _ = wait.recv_timeout(PATIENCE);
                ControlFlow::Continue(())
            };
            Box::new(source).run(&mut sink)
        });
        let mut sender = sender();
        let frame = ethernet(None, &udp(5060, 0, &[7; 160]));
        for _ in 0..SENT {
            sender.sendpacket(&frame[..]).unwrap();
        }
        drop(finished);
        let started = Instant::now();
        let counted = || status.packets.load(Ordering::Relaxed) + status.lost_kernel.load(Ordering::Relaxed);
        while counted() < SENT && started.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        stop();
        thread.join().unwrap().unwrap();
        assert!(status.lost_kernel.load(Ordering::Relaxed) > 1_000, "{:?}", status.lost());
        assert!(status.packets.load(Ordering::Relaxed) > 1_000);
        assert_eq!(status.lost_queue.load(Ordering::Relaxed), 0);
        assert_eq!(counted(), SENT);
    }
}
