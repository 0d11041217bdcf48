//! Taking the terminal and giving it back, whatever happens.

use std::fs::File;
use std::io::{self, BufWriter, Stdout, Write};
use std::os::fd::AsFd;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{self, DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    BeginSynchronizedUpdate, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::screen::Screen;

/// Whether the terminal is ours, so that it is given back once and only once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours; dropping it gives it back.
pub struct Guard {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
}

impl Guard {
    /// Takes the terminal: raw keys, a screen of our own, the mouse if wanted. A panic gives it back before it is told.
    pub fn take(mouse: bool) -> io::Result<Self> {
        hook();
        TAKEN.store(true, Ordering::SeqCst);
        let taken = Self::prepare(mouse);
        if taken.is_err() {
            restore();
        }
        taken
    }

    fn prepare(mouse: bool) -> io::Result<Self> {
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap)?;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        // Room for a whole page, so that a frame is one write.
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(out))?, mouse })
    }

    /// Draws a frame that the terminal shows as a whole.
    pub fn draw(&mut self, screen: &mut Screen) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| screen.draw(frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        if on == self.mouse {
            return Ok(());
        }
        self.mouse = on;
        let out = self.terminal.backend_mut();
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    /// Writes an escape sequence of our own.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(bytes)?;
        Write::flush(out)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// What waiting for the user came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// A key, a click or a new size is there to be read.
    Event,
    /// Nothing came in that time.
    Nothing,
    /// The terminal was closed.
    Gone,
}

/// Waits for the user. A closed terminal is found out here: reading from it would never return.
pub fn wait(tty: &File, ms: u8) -> io::Result<Waited> {
    if is_gone(tty, 0)? {
        return Ok(Waited::Gone);
    }
    // What was read together with an earlier key, or a new size.
    if event::poll(Duration::ZERO)? {
        return Ok(Waited::Event);
    }
    if ms == 0 {
        return Ok(Waited::Nothing);
    }
    if is_gone(tty, ms)? {
        return Ok(Waited::Gone);
    }
    Ok(if event::poll(Duration::ZERO)? { Waited::Event } else { Waited::Nothing })
}

/// The terminal that keys come from, even if standard input is a file.
pub fn keyboard() -> io::Result<File> {
    File::open("/dev/tty")
}

fn is_gone(tty: &File, ms: u8) -> io::Result<bool> {
    let mut watched = [PollFd::new(tty.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, PollTimeout::from(ms)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let closed = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    Ok(watched.iter().filter_map(PollFd::revents).any(|events| events.intersects(closed)))
}

/// Whether the terminal is still ours. A panic on any thread gives it back.
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Gives the terminal back, once. Errors do not matter here: there is nobody left to tell.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            EnableLineWrap,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

fn hook() {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    if HOOKED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
    }));
}
