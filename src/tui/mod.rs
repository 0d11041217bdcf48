//! The terminal interface: state, keys as data, panes drawn from a snapshot.

pub mod action;
mod effect;
mod engine_handle;
pub mod format;
pub mod keys;
pub mod layout;
mod mouse;
pub mod pane;
pub mod popup;
mod saving;
mod screen;
mod sentence;
pub mod state;
pub mod table;
mod terminal;
pub mod text;
pub mod theme;
mod title;
mod update;
pub mod widget;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crossterm::event::{self, Event};
use terminal::Waited;

use crate::engine::{SaveOutcome, SaveRequest};
use crate::store::snapshot::Snapshot;
use crate::track::call::CallKey;

pub use action::Tab;
pub use saving::sentence as outcome;
pub use screen::{Options, Screen};

/// How long the loop waits for a key before it looks for a new snapshot, in ms.
const LOOK_MS: u8 = 20;

/// Time that a frame which only shows new data has to itself, in ms: ten a second. Input is answered at once.
const DATA_FRAME_MS: u64 = 100;

/// How long rows are filtered before the next look at the keyboard, in ms.
const WORK_MS: u64 = 20;

/// How the interface starts.
#[derive(Clone, Debug)]
pub struct UiOptions {
    /// The tab to begin with.
    pub tab: Tab,
    /// Open the call with this Call-ID as soon as it is there.
    pub open_call: Option<String>,
    /// A filter to begin with.
    pub filter: Option<String>,
    /// ASCII instead of Unicode.
    pub ascii: bool,
    /// No colours.
    pub no_color: bool,
    /// Take the mouse.
    pub mouse: bool,
    /// Times of day in UTC.
    pub utc: bool,
    /// Whether the cursor follows new rows from the start, as it should on a live source.
    pub follow: bool,
}

impl Default for UiOptions {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            open_call: None,
            filter: None,
            ascii: false,
            no_color: false,
            mouse: true,
            utc: false,
            follow: false,
        }
    }
}

/// What the interface asks of the engine.
#[derive(Clone, Debug)]
pub enum UiCommand {
    /// Save to a file what the user saw.
    Save(SaveRequest, Arc<Snapshot>),
    /// Forget these calls.
    Forget(Vec<CallKey>),
    /// Forget everything.
    ForgetAll,
}

/// The engine as the interface sees it.
pub trait EngineHandle {
    /// The newest snapshot. Never waits.
    fn latest(&self) -> Arc<Snapshot>;
    /// Asks for something. Never waits.
    fn send(&self, command: UiCommand);
    /// How a request to save went, if one has ended since. Never waits.
    fn saved(&self) -> Option<SaveOutcome>;
    /// Once no source runs any more: why, empty for an ordinary end.
    fn finished(&self) -> Option<String>;
}

/// Why the interface ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UiExit {
    /// The user left.
    Quit,
    /// The terminal went away, or the program was asked to end, by this signal.
    Signal(i32),
}

/// Why the interface cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The terminal does not do what is asked of it.
    #[error("the terminal cannot be used ({0}). Without one: --report sip, --json")]
    Terminal(#[from] io::Error),
    /// A thread panicked, and the hook gave the terminal back.
    #[error("stopped by an error of its own, told above; please report it with the capture that shows it")]
    Broken,
}

/// Runs the interface on the calling thread until the user leaves. The terminal is as before when it returns.
pub fn run(options: UiOptions, engine: &dyn EngineHandle) -> Result<UiExit, UiError> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [signal_hook::consts::SIGHUP, signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
    }
    let tty = terminal::keyboard()?;
    let mut terminal = terminal::Guard::take(options.mouse)?;
    let mut screen = Screen::new(Options {
        theme: theme::Theme { no_color: options.no_color, ascii: options.ascii },
        follow: options.follow,
        filter: options.filter,
        utc: options.utc,
        tab: options.tab,
        mouse: options.mouse,
        open_call: options.open_call,
    });
    let clock = Clock::start();
    let mut pace = Pace::default();
    loop {
        let number = signal.load(Ordering::Relaxed);
        if number != 0 {
            return Ok(UiExit::Signal(number as i32));
        }
        if !terminal::is_taken() {
            return Err(UiError::Broken);
        }
        let wait = if screen.is_busy() { 0 } else { LOOK_MS };
        let mut input = false;
        loop {
            match terminal::wait(&tty, if input { 0 } else { wait })? {
                Waited::Event => input = true,
                Waited::Nothing => break,
                Waited::Gone => return Ok(UiExit::Signal(signal_hook::consts::SIGHUP)),
            }
            screen.tick(clock.ms());
            let effects = match event::read()? {
                Event::Key(key) => screen.key(&key),
                Event::Mouse(mouse) => screen.mouse(&mouse),
                Event::Resize(width, height) => {
                    screen.resize((width, height).into());
                    Vec::new()
                }
                _ => Vec::new(),
            };
            for effect in effects {
                if effect::carry_out(effect, &mut screen, &mut terminal, engine)? {
                    return Ok(UiExit::Quit);
                }
            }
        }
        screen.offer(engine.latest());
        screen.finish(engine.finished());
        while let Some(outcome) = engine.saved() {
            screen.saved(outcome);
        }
        screen.tick(clock.ms());
        let now_ms = clock.ms();
        let due = pace.is_due(now_ms);
        if input || due || screen.is_busy() {
            screen.prepare(&mut || clock.ms() >= now_ms + WORK_MS);
        }
        if screen.is_dirty() && (input || due) {
            terminal.draw(&mut screen)?;
            pace.drawn(now_ms);
        }
    }
}

/// When data may be drawn: ten frames a second, but the second frame of a burst after half the time. A few messages on a
/// quiet link come apart by milliseconds, and the last of them must not wait for a whole frame.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    last_two_ms: [Option<u64>; 2],
}

impl Pace {
    fn is_due(self, now_ms: u64) -> bool {
        let [last, one_before] = self.last_two_ms;
        last.is_none_or(|at| now_ms >= at + DATA_FRAME_MS / 2)
            && one_before.is_none_or(|at| now_ms >= at + DATA_FRAME_MS * 2)
    }

    fn drawn(&mut self, now_ms: u64) {
        self.last_two_ms = [Some(now_ms), self.last_two_ms[0]];
    }
}

/// The interface's own clock.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "frames are paced by the wall clock; what they show is packet time")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_drawn_ten_times_a_second_and_a_burst_soon() {
        let mut pace = Pace::default();
        let drawn: Vec<u64> = (1_000..2_000)
            .filter(|now| {
                let due = pace.is_due(*now);
                if due {
                    pace.drawn(*now);
                }
                due
            })
            .collect();
        assert_eq!(drawn, [1_000, 1_050, 1_200, 1_250, 1_400, 1_450, 1_600, 1_650, 1_800, 1_850]);
        assert!(pace.is_due(9_000));
    }
}
