//! Signals as flags to look at.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

/// From now on SIGINT ends the program at once: nothing is left but to wait for files being written.
pub fn end_at_once() -> io::Result<()> {
    flag::register_conditional_shutdown(SIGINT, 130, Arc::new(AtomicBool::new(true))).map(|_| ())
}

/// From now on SIGUSR1 sets this flag: the file being written was moved away, as logrotate does.
pub fn note_reopen(flag: Arc<AtomicBool>) -> io::Result<()> {
    flag::register(SIGUSR1, flag).map(|_| ())
}

/// Set once the user, or the system, wants the program to end.
#[derive(Clone, Debug)]
pub struct Signals {
    asked: Arc<AtomicBool>,
}

impl Signals {
    /// From now on the first signal sets the flag, and a second one ends the program at once.
    pub fn register() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self { asked })
    }

    /// Whether to end.
    pub fn asked_to_end(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
