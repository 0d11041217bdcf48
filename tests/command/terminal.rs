//! The program in a real terminal: it starts, answers keys, and leaves the terminal as it was.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longer than any of these steps takes on the slowest machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn spawn(arguments: &[&str]) -> (Box<dyn Child + Send + Sync>, Box<dyn MasterPty + Send>) {
    let size = PtySize { rows: 24, cols: 80, ..PtySize::default() };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sipwatch"));
    command.args(arguments);
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    (pair.slave.spawn_command(command).unwrap(), pair.master)
}

struct Terminal {
    parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    raw: Vec<u8>,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let (child, master) = spawn(arguments);
        let mut reader = master.try_clone_reader().unwrap();
        let (send, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let input = master.take_writer().unwrap();
        let parser = vt100::Parser::new(24, 80, 0);
        Self { parser, output, input, child, _master: master, raw: Vec::new() }
    }

    /// Reads what the program writes until the screen holds the text.
    fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        while !self.parser.screen().contents().contains(text) {
            match self.output.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(bytes) => {
                    self.parser.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(_) => panic!("no \"{text}\" on the screen:\n{}", self.parser.screen().contents()),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for the end; gives the exit status and checks that the terminal was given back.
    fn end(mut self) -> u32 {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the program does not end");
            while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(10)) {
                self.parser.process(&bytes);
                self.raw.extend(bytes);
            }
        };
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
            self.parser.process(&bytes);
            self.raw.extend(bytes);
        }
        assert!(!self.parser.screen().alternate_screen(), "the alternate screen was not left");
        assert!(!self.parser.screen().hide_cursor(), "the cursor is still hidden");
        let mouse = self.parser.screen().mouse_protocol_mode();
        assert_eq!(mouse, vt100::MouseProtocolMode::None, "the mouse is still taken");
        status.exit_code()
    }
}

#[test]
fn the_demo_starts_answers_keys_and_gives_the_terminal_back() {
    let mut terminal = Terminal::start(&["--demo"]);
    terminal.wait_for("208");
    assert!(terminal.parser.screen().alternate_screen());
    terminal.press("?");
    terminal.wait_for("Help");
    // A moment between the two, or the terminal means Alt-8.
    terminal.press("\x1b");
    terminal.wait_for("7 Stats");
    terminal.press("8");
    terminal.wait_for("Sources");
    terminal.press("1");
    terminal.wait_for("Method");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_call_opens_as_a_ladder_with_its_messages() {
    let mut terminal = Terminal::start(&["--demo"]);
    terminal.wait_for("208");
    terminal.press("\x1b[H\r");
    terminal.wait_for("─");
    terminal.press("q");
    terminal.wait_for("Method");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() {
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGHUP] {
        let mut terminal = Terminal::start(&["--demo"]);
        terminal.wait_for("208");
        let pid = nix::unistd::Pid::from_raw(terminal.child.process_id().unwrap() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
        terminal.end();
    }
}

#[test]
fn what_cannot_be_opened_is_said_without_touching_the_terminal() {
    let mut terminal = Terminal::start(&["-r", "/no/such/file.pcap"]);
    terminal.wait_for("/no/such/file.pcap");
    assert!(!terminal.raw.windows(6).any(|bytes| bytes == b"\x1b[?104"));
    assert_eq!(terminal.end(), 1);
}

#[test]
fn a_closed_terminal_ends_it() {
    let (mut child, master) = spawn(&["--demo"]);
    let mut reader = master.try_clone_reader().unwrap();
    let mut parser = vt100::Parser::new(24, 80, 0);
    let mut bytes = [0; 4096];
    while !parser.screen().contents().contains("208") {
        let read = reader.read(&mut bytes).unwrap();
        parser.process(&bytes[..read]);
    }
    drop((reader, master));
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "still running without a terminal");
        thread::sleep(Duration::from_millis(10));
    }
}
