//! The program in a terminal that is only memory.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// A terminal with a program in it; the program is killed when this is dropped.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<(SystemTime, Vec<u8>)>,
    screen: vt100::Parser,
    drawn: SystemTime,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts the program in a terminal of 120 columns and 40 rows.
    pub fn run(words: &[String]) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let (program, rest) = words.split_first().expect("a program");
        let mut command = CommandBuilder::new(program);
        command.args(rest);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("the terminal's output");
        let keys = pair.master.take_writer().expect("the terminal's input");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send((SystemTime::now(), buffer[..length].to_vec())).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(size.rows, size.cols, 0);
        Self { child, keys, output, screen, drawn: SystemTime::UNIX_EPOCH, _master: pair.master }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("the terminal takes keys");
    }

    /// Waits until the screen is so, and tells when what made it so was drawn; `None` if it does not come.
    pub fn wait_for(&mut self, at_most: Duration, is_so: impl Fn(&str) -> bool) -> Option<SystemTime> {
        let end = Instant::now() + at_most;
        loop {
            if is_so(&self.text()) {
                return Some(self.drawn);
            }
            if !self.draw_until(end) {
                return None;
            }
        }
    }

    /// As [`Terminal::wait_for`], and fails with the screen if it does not come.
    pub fn see(&mut self, what: &str, at_most: Duration, is_so: impl Fn(&str) -> bool) -> SystemTime {
        let seen = self.wait_for(at_most, is_so);
        seen.unwrap_or_else(|| panic!("{what} did not show within {at_most:?}:\n{}", self.text()))
    }

    /// Takes whatever is drawn during this time.
    pub fn watch(&mut self, during: Duration) {
        let end = Instant::now() + during;
        while self.draw_until(end) {}
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Whether the terminal is as a shell wants it: main screen, cursor shown, no mouse reports, no pasting mode.
    pub fn is_restored(&self) -> bool {
        let screen = self.screen.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// Whether the program has the whole screen.
    pub fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen()
    }

    /// Waits for the program's end and gives its exit code; `None` if it does not end.
    pub fn exit_code(&mut self, at_most: Duration) -> Option<u32> {
        let end = Instant::now() + at_most;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                // The rest of its output is already in the channel or follows at once.
                self.watch(Duration::from_millis(200));
                return Some(status.exit_code());
            }
            self.watch(Duration::from_millis(20));
        }
        None
    }

    /// Takes one piece of output; `false` at the end of the time or of the output.
    fn draw_until(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        match self.output.recv_timeout(left) {
            Ok((at, bytes)) => {
                self.screen.process(&bytes);
                self.drawn = at;
                true
            }
            Err(_) => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
