//! Live capture through libpcap.
//!
//! libpcap's memory-mapped ring of the newest kind (TPACKET_V3) is used, which immediate mode would turn off. One
//! `dispatch` may bring many thousand packets, so full batches go out from inside its callback.
//!
//! Waiting is done here and not in libpcap, which sleeps for ever on a quiet link: neither a stop nor an interface that
//! was taken down would be noticed, since libpcap takes the latter for a pause.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture, Error, Linktype, Precision};

use super::link::link_name;
use super::{BatchSink, Source, SourceError, SourceKind, SourceState, SourceStatus, Stopper, device, filter};
use crate::limits::{KERNEL_BUFFER_MIB, SNAP_LEN};
use crate::packet::{Batch, LinkType, PacketId, PacketMeta};
use crate::time::Timestamp;

/// How long the kernel may hold packets back to deliver more of them together, in ms. A quiet link's last packet waits
/// so long at most; 10 ms costs 5 to 15 % more processor time than 50 ms.
const HOLD_BACK_MS: i32 = 20;

/// Packets after which `dispatch` returns, so that the kernel's counters can be read on a busy link too.
const DISPATCH_PACKETS: usize = 4_096;

/// How often the kernel's counters are read at most.
const COUNTERS_EVERY: Duration = Duration::from_millis(100);

/// How long to wait for packets before looking at the stop flag and the counters, in ms.
const WAIT_MS: u16 = 100;

/// How often a quiet interface is asked whether it is up.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The largest kernel ring, in MiB: libpcap counts its bytes in 31 bits.
const LARGEST_BUFFER_MIB: u32 = 2_047;

/// Linux' time stamps are exact to the nanosecond; elsewhere libpcap may refuse without telling us.
const HAS_NANOS: bool = cfg!(target_os = "linux");

/// How to capture on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// BPF words, empty for everything. Fragments and VLAN-tagged packets are let through in addition.
    pub filter: String,
    /// Kernel ring in MiB.
    pub buffer_mib: u32,
    /// The source's index, for packet numbers.
    pub index: u16,
    /// Whether to take packets that are meant for others; never done on `any`.
    pub promiscuous: bool,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self { filter: String::new(), buffer_mib: KERNEL_BUFFER_MIB, index: 0, promiscuous: false }
    }
}

/// An interface being captured on.
pub struct LiveSource {
    capture: Capture<Active>,
    device: String,
    index: u16,
    link: LinkType,
    status: Arc<SourceStatus>,
    stop: Arc<AtomicBool>,
    stopper: Stopper,
}

impl LiveSource {
    /// Opens the interface and sets the filter. Packets are collected by the kernel from now on.
    pub fn open(device: &str, options: &LiveOptions) -> Result<Self, SourceError> {
        let mut capture = activate(device, options).map_err(|error| refusal(device, &error))?;
        if device == device::ANY {
            // Version 2 of the cooked link type tells the interface. Older libpcaps give version 1, which also works.
            let _ = capture.set_datalink(Linktype(LinkType::LINUX_SLL2.0 as i32));
        }
        let in_force = set_filter(&mut capture, &options.filter)?;
        let link = LinkType(capture.get_datalink().0 as u32);
        let status = SourceStatus::new(device, SourceKind::Live, in_force);
        status.link.store(Arc::new(link_name(link)));
        let stop = Arc::new(AtomicBool::new(false));
        let breaker = capture.breakloop_handle();
        let stopper: Stopper = {
            let stop = Arc::clone(&stop);
            Arc::new(move || {
                stop.store(true, Ordering::Relaxed);
                breaker.breakloop();
            })
        };
        let (device, index) = (device.to_owned(), options.index);
        Ok(Self { capture, device, index, link, status: Arc::new(status), stop, stopper })
    }

    /// Captures until a stop, or until the interface goes away; then it gives the reason.
    fn capture(&mut self, sink: &mut dyn BatchSink) -> Result<(), String> {
        let mut taker = Taker {
            batch: Batch::new(),
            number: 0,
            index: self.index,
            link: self.link,
            sink,
            stop: &self.stop,
            stopper: &self.stopper,
            packets: &self.status.packets,
        };
        let mut counters = KernelCounters::default();
        let mut looks = Pace::new(LOOK_EVERY);
        while !self.stop.load(Ordering::Relaxed) {
            let wait = wait_for_packets(&self.capture);
            let outcome = match wait {
                Wait::Nothing => Ok(0),
                Wait::Packets | Wait::Trouble => {
                    self.capture.dispatch(Some(DISPATCH_PACKETS), |packet| taker.take(&packet))
                }
            };
            taker.hand_on();
            counters.refresh(&mut self.capture, &self.status);
            match outcome {
                Ok(_) | Err(Error::TimeoutExpired) => {}
                Err(_) if self.stop.load(Ordering::Relaxed) => {}
                Err(error) => return Err(in_words(&error)),
            }
            let is_quiet = wait != Wait::Packets;
            if is_quiet && (looks.is_due() || wait == Wait::Trouble) && !device::is_up(&self.device) {
                return Err("it was taken down".to_owned());
            }
        }
        counters.read(&mut self.capture, &self.status);
        Ok(())
    }
}

impl Source for LiveSource {
    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.status)
    }

    fn stopper(&self) -> Stopper {
        Arc::clone(&self.stopper)
    }

    fn run(mut self: Box<Self>, sink: &mut dyn BatchSink) -> Result<(), SourceError> {
        match self.capture(sink) {
            Ok(()) => {
                self.status.state.store(Arc::new(SourceState::Ended { warning: None }));
                Ok(())
            }
            Err(why) => {
                let error = SourceError::DeviceLost { device: self.device.clone(), why };
                self.status.state.store(Arc::new(SourceState::Failed(error.to_string())));
                Err(error)
            }
        }
    }
}

/// Takes packets from libpcap's callback.
struct Taker<'r> {
    batch: Batch,
    number: u64,
    index: u16,
    link: LinkType,
    sink: &'r mut dyn BatchSink,
    stop: &'r AtomicBool,
    stopper: &'r Stopper,
    packets: &'r AtomicU64,
}

impl Taker<'_> {
    fn take(&mut self, packet: &pcap::Packet<'_>) {
        self.number += 1;
        let time = packet.header.ts;
        let fraction = wide(time.tv_usec);
        let nanos = if HAS_NANOS { fraction } else { fraction.saturating_mul(1_000) };
        let meta = PacketMeta {
            id: PacketId::new(self.index, self.number),
            at: Timestamp::from_parts(wide(time.tv_sec), nanos),
            interface: 0,
            link: self.link,
            original_len: packet.header.len,
        };
        self.batch.push(meta, packet.data);
        if self.batch.is_full() {
            self.hand_on();
            if self.stop.load(Ordering::Relaxed) {
                // The flag may have been set while no `dispatch` was running; this one must still return.
                (self.stopper)();
            }
        }
    }

    fn hand_on(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.packets.fetch_add(self.batch.len() as u64, Ordering::Relaxed);
        if self.sink.hand_on(&mut self.batch) == ControlFlow::Break(()) {
            self.batch.clear();
            (self.stopper)();
        }
    }
}

/// The fields of a `timeval` have 32 or 64 bits.
fn wide(field: impl Into<i64>) -> i64 {
    field.into()
}

/// What a wait for packets gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Packets,
    Nothing,
    /// The socket has an error to tell, as when its interface goes down.
    Trouble,
}

fn wait_for_packets(capture: &Capture<Active>) -> Wait {
    let mut fds = [PollFd::new(capture.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(WAIT_MS)) {
        Ok(0) | Err(Errno::EINTR) => return Wait::Nothing,
        Ok(_) => {}
        Err(_) => return Wait::Trouble,
    }
    let told = fds.iter().filter_map(PollFd::revents).fold(PollFlags::empty(), |all, events| all | events);
    if told.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL) {
        Wait::Trouble
    } else {
        Wait::Packets
    }
}

/// Something done every now and then.
struct Pace {
    every: Duration,
    last: Option<Instant>,
}

impl Pace {
    fn new(every: Duration) -> Self {
        Self { every, last: None }
    }

    #[expect(clippy::disallowed_methods, reason = "how often the kernel is asked is a matter of the wall clock")]
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.last.is_none_or(|last| now.duration_since(last) >= self.every);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

/// The kernel's drop counters, which wrap at 32 bits.
struct KernelCounters {
    reads: Pace,
    kernel: u32,
    interface: u32,
}

impl Default for KernelCounters {
    fn default() -> Self {
        Self { reads: Pace::new(COUNTERS_EVERY), kernel: 0, interface: 0 }
    }
}

impl KernelCounters {
    fn refresh(&mut self, capture: &mut Capture<Active>, status: &SourceStatus) {
        if self.reads.is_due() {
            self.read(capture, status);
        }
    }

    fn read(&mut self, capture: &mut Capture<Active>, status: &SourceStatus) {
        if let Ok(now) = capture.stats() {
            self.count(now.dropped, now.if_dropped, status);
        }
    }

    fn count(&mut self, kernel: u32, interface: u32, status: &SourceStatus) {
        status.lost_kernel.fetch_add(u64::from(kernel.wrapping_sub(self.kernel)), Ordering::Relaxed);
        status.lost_interface.fetch_add(u64::from(interface.wrapping_sub(self.interface)), Ordering::Relaxed);
        (self.kernel, self.interface) = (kernel, interface);
    }
}

fn activate(device: &str, options: &LiveOptions) -> Result<Capture<Active>, Error> {
    let promiscuous = options.promiscuous && device != device::ANY;
    let buffer_bytes = options.buffer_mib.clamp(1, LARGEST_BUFFER_MIB).saturating_mul(1024 * 1024);
    let open = |promiscuous: bool| {
        Capture::from_device(device)?
            .snaplen(SNAP_LEN)
            .timeout(HOLD_BACK_MS)
            .buffer_size(i32::try_from(buffer_bytes).unwrap_or(i32::MAX))
            .precision(if HAS_NANOS { Precision::Nano } else { Precision::Micro })
            .promisc(promiscuous)
            .open()?
            .setnonblock()
    };
    match open(promiscuous) {
        // libpcap's warnings count as errors here, and "no promiscuous mode" is one.
        Err(_) if promiscuous => open(false),
        outcome => outcome,
    }
}

/// Sets the widest form of the filter that the link type knows, and gives it. The error names the filter as given.
fn set_filter(capture: &mut Capture<Active>, filter: &str) -> Result<String, SourceError> {
    let refused = |error: Error| SourceError::Filter { filter: filter.to_owned(), why: in_words(&error) };
    if filter.trim().is_empty() {
        return Ok(String::new());
    }
    capture.compile(filter, true).map_err(refused)?;
    let mut outcome = Ok(String::new());
    for form in filter::widened(filter) {
        match capture.filter(&form, true) {
            Ok(()) => return Ok(form),
            Err(error) => outcome = Err(refused(error)),
        }
    }
    outcome
}

/// libpcap's words, without the crate's.
pub(super) fn in_words(error: &Error) -> String {
    match error {
        Error::PcapError(words) => words.trim().to_owned(),
        other => other.to_string(),
    }
}

/// Why an interface did not open, by libpcap's words.
fn refusal(device: &str, error: &Error) -> SourceError {
    let why = in_words(error);
    let says = |words: &str| why.contains(words);
    if says("ermission denied") || says("not permitted") || says("have permission") {
        let program = std::env::current_exe().map_or_else(|_| "sipwatch".to_owned(), |path| path.display().to_string());
        return SourceError::Permission { device: device.to_owned(), program };
    }
    if says("No such device") || says("doesn't exist") {
        return SourceError::NoDevice { device: device.to_owned(), here: device::names() };
    }
    if says("not up") || says("is down") {
        return SourceError::DeviceDown { device: device.to_owned() };
    }
    SourceError::Device { device: device.to_owned(), why, here: device::names() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_counters_go_on_when_they_wrap() {
        let status = SourceStatus::new("eth0", SourceKind::Live, "");
        let mut counters = KernelCounters::default();
        for (kernel, interface) in [(0, 0), (u32::MAX - 1, 3), (4, 3)] {
            counters.count(kernel, interface, &status);
        }
        assert_eq!((status.lost().kernel, status.lost().interface), (u64::from(u32::MAX) + 5, 3));
    }

    #[test]
    fn libpcaps_words_become_sentences() {
        let sentence = |words: &str| refusal("eth9", &Error::PcapError(words.to_owned()));
        let permission = "You don't have permission to perform this capture on that device";
        assert!(matches!(sentence(permission), SourceError::Permission { .. }));
        assert!(matches!(sentence("socket: Operation not permitted"), SourceError::Permission { .. }));
        assert!(matches!(sentence("eth9: No such device exists"), SourceError::NoDevice { .. }));
        assert!(matches!(sentence("eth9: That device is not up"), SourceError::DeviceDown { .. }));
        assert!(matches!(sentence("something else"), SourceError::Device { .. }));
    }
}
