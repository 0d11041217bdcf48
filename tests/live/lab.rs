//! Two private network namespaces with a cable between them, and the programs that run there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// The program under test.
pub const SIPWATCH: &str = env!("CARGO_BIN_EXE_sipwatch");

/// Interface of the near namespace, where sipwatch captures.
pub const NEAR: &str = "near0";
/// Interface of the far namespace, where traffic comes from.
pub const FAR: &str = "far0";
/// Address of the near interface.
pub const NEAR_IP: &str = "10.77.0.1";
/// Address of the far interface.
pub const FAR_IP: &str = "10.77.0.2";
/// Address of the near interface, after [`Lab::add_ipv6`].
pub const NEAR_IP6: &str = "fd00:77::1";
/// Address of the far interface, after [`Lab::add_ipv6`].
pub const FAR_IP6: &str = "fd00:77::2";

/// Live tests measure time, so only one runs at once.
static TURN: Mutex<()> = Mutex::new(());
static LABS: AtomicU32 = AtomicU32::new(0);

/// Waits until no other live test runs.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The two namespaces; gone with everything in them when dropped.
pub struct Lab {
    near: String,
    far: String,
    directory: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// Builds the namespaces; `None`, with the reason printed, where that cannot be done.
    pub fn open(tools: &[&str]) -> Option<Self> {
        let turn = turn();
        if !nix::unistd::geteuid().is_root() {
            return skip("network namespaces need root");
        }
        if let Some(missing) = ["ip"].iter().chain(tools).find(|tool| !installed(tool)) {
            return skip(&format!("{missing} is not installed"));
        }
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let name = format!("sipwatch-{}-{number}", std::process::id());
        let directory = TempDir::new().expect("a directory for the test's files");
        let lab = Self { near: format!("{name}-near"), far: format!("{name}-far"), directory, _turn: turn };
        match lab.build() {
            Ok(()) => Some(lab),
            Err(why) => skip(&format!("no network namespace: {why}")),
        }
    }

    fn build(&self) -> Result<(), String> {
        let (near, far) = (self.near.as_str(), self.far.as_str());
        ip(&["netns", "add", near])?;
        ip(&["netns", "add", far])?;
        ip(&["-n", near, "link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", far])?;
        for (space, interface, address) in [(near, NEAR, NEAR_IP), (far, FAR, FAR_IP)] {
            // Without a link-local address the kernel sends nothing by itself: the link is silent.
            ip(&["-n", space, "link", "set", interface, "addrgenmode", "none"])?;
            ip(&["-n", space, "addr", "add", &format!("{address}/24"), "dev", interface])?;
            ip(&["-n", space, "link", "set", interface, "up"])?;
        }
        Ok(())
    }

    /// A file of this test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The words that run a program where sipwatch captures.
    pub fn near(&self, words: &[&str]) -> Vec<String> {
        inside(&self.near, words)
    }

    /// The words that run a program where traffic comes from.
    pub fn far(&self, words: &[&str]) -> Vec<String> {
        inside(&self.far, words)
    }

    /// Starts a program; its output goes to `NAME.out` and `NAME.err` among the test's files.
    pub fn start(&self, name: &str, words: &[String]) -> Running {
        let output = |end: &str| File::create(self.file(&format!("{name}.{end}"))).expect("an output file");
        let child = command(words)
            .stdin(Stdio::null())
            .stdout(output("out"))
            .stderr(output("err"))
            .spawn()
            .unwrap_or_else(|why| panic!("{words:?}: {why}"));
        Running { child, name: name.to_owned(), directory: self.directory.path().to_owned() }
    }

    /// Runs a program to its end.
    pub fn run(&self, name: &str, words: &[String], at_most: Duration) {
        let mut running = self.start(name, words);
        let status = running.wait(at_most);
        assert!(status.is_some_and(|s| s.success()), "{name} ended with {status:?}: {}", running.errors());
    }

    /// Starts tcpdump on the near interface and waits until it listens.
    pub fn tcpdump(&self, file: &Path) -> Running {
        let path = file.display().to_string();
        let words = ["tcpdump", "-i", NEAR, "-U", "-B", "32768", "-s", "0", "-Z", "root", "-w", &path];
        let running = self.start("tcpdump", &self.near(&words));
        self.wait_for_taps(1);
        running
    }

    /// Waits until so many packet sockets listen in the near namespace.
    pub fn wait_for_taps(&self, taps: usize) {
        let words = self.near(&["cat", "/proc/net/packet"]);
        until("a program listens on the link", Duration::from_secs(10), || {
            let output = command(&words).output().expect("cat runs");
            let table = String::from_utf8_lossy(&output.stdout).into_owned();
            // Columns: address, references, type, protocol, interface, running, …
            let listening = table.lines().skip(1).filter(|line| line.split_whitespace().nth(5) == Some("1")).count();
            (listening >= taps).then_some(())
        });
    }

    /// Gives both interfaces an address of version 6 as well.
    pub fn add_ipv6(&self) {
        for (space, interface, address) in [(&self.near, NEAR, NEAR_IP6), (&self.far, FAR, FAR_IP6)] {
            let words = ["-n", space, "addr", "add", &format!("{address}/64"), "dev", interface, "nodad"];
            ip(&words).expect("an address of version 6");
        }
    }

    /// Waits until somebody takes TCP connections on this port in the near namespace.
    pub fn wait_for_listener(&self, port: u16) {
        const LISTENS: &str = "0A";
        let words = self.near(&["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
        let port = format!(":{port:04X}");
        until("a server listens", Duration::from_secs(10), || {
            let output = command(&words).output().expect("cat runs");
            let table = String::from_utf8_lossy(&output.stdout).into_owned();
            let listens = |line: &str| {
                let mut words = line.split_whitespace().skip(1);
                words.next().is_some_and(|local| local.ends_with(&port)) && words.nth(1) == Some(LISTENS)
            };
            table.lines().any(listens).then_some(())
        });
    }

    /// A UDP socket of this test where sipwatch captures.
    pub fn near_socket(&self, port: u16) -> UdpSocket {
        socket_inside(&self.near, NEAR_IP, port)
    }

    /// A UDP socket of this test where traffic comes from.
    pub fn far_socket(&self, port: u16) -> UdpSocket {
        socket_inside(&self.far, FAR_IP, port)
    }

    /// Takes the near interface down.
    pub fn unplug(&self) {
        ip(&["-n", &self.near, "link", "set", NEAR, "down"]).expect("the interface goes down");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for space in [&self.near, &self.far] {
            // Nothing to do about a namespace that does not go; the next test has another name.
            let _ = ip(&["netns", "del", space]);
        }
    }
}

/// A program that was started; killed when dropped.
pub struct Running {
    child: Child,
    name: String,
    directory: PathBuf,
}

impl Running {
    /// Process id of the only program that it started itself, once there is one.
    pub fn child(&self) -> i32 {
        let id = self.child.id();
        let list = PathBuf::from(format!("/proc/{id}/task/{id}/children"));
        until("a program started by a program", Duration::from_secs(5), || {
            fs::read_to_string(&list).ok()?.trim().parse().ok()
        })
    }

    /// Ends it without asking.
    pub fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the program still runs");
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32);
        kill(pid, signal).expect("the program still runs");
    }

    /// Waits for its end; `None` if it does not come.
    pub fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + at_most;
        loop {
            let status = self.child.try_wait().expect("a child of ours");
            if status.is_some() || Instant::now() >= end {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Interrupts it and waits for its end.
    pub fn finish(mut self) -> ExitStatus {
        self.interrupt();
        let status = self.wait(Duration::from_secs(20));
        status.unwrap_or_else(|| panic!("{} did not end on SIGINT: {}", self.name, self.errors()))
    }

    /// What it wrote to standard output so far.
    pub fn output(&self) -> String {
        fs::read_to_string(self.directory.join(format!("{}.out", self.name))).expect("the output file")
    }

    /// What it wrote to standard error so far.
    pub fn errors(&self) -> String {
        fs::read_to_string(self.directory.join(format!("{}.err", self.name))).expect("the error file")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rows of fields as tshark reads them from a capture file.
pub fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-Y", filter, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Asks again and again until there is an answer.
pub fn until<T>(what: &str, at_most: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + at_most;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {at_most:?} in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file of this folder in the project.
pub fn scenario(name: &str) -> String {
    format!("{}/tests/live/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Says why a test was not run.
pub fn skip<T>(why: &str) -> Option<T> {
    // Not by println!, which a passing test keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
    None
}

fn installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).any(|directory| directory.join(tool).is_file())
}

fn inside(space: &str, words: &[&str]) -> Vec<String> {
    ["ip", "netns", "exec", space].iter().chain(words).map(|&word| word.to_owned()).collect()
}

/// A socket stays in the namespace it was opened in, so only a thread that ends at once goes there.
fn socket_inside(space: &str, ip: &str, port: u16) -> UdpSocket {
    let namespace = File::open(format!("/var/run/netns/{space}")).expect("the namespace");
    let opened = thread::scope(|scope| {
        let there = scope.spawn(|| {
            setns(&namespace, CloneFlags::CLONE_NEWNET).expect("root may go there");
            UdpSocket::bind((ip, port)).expect("a free port")
        });
        there.join()
    });
    opened.expect("a socket")
}

/// `ip netns exec` becomes the program it starts, so the child's id is the program's.
fn command(words: &[String]) -> Command {
    let (program, rest) = words.split_first().expect("a program");
    let mut command = Command::new(program);
    command.args(rest.iter().map(OsStr::new)).env("TERM", "xterm-256color");
    command
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}
