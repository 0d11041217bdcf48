//! Carrying out what handlers ask for.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use nix::unistd::{User, geteuid};

use super::action::Effect;
use super::screen::Screen;
use super::terminal::Guard;
use super::{EngineHandle, UiCommand};

/// `~/` as a shell means it.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// The user's own directory. Once privileges are dropped HOME may still be that of root.
fn home() -> Option<PathBuf> {
    let user = geteuid();
    let is_own =
        |home: &PathBuf| fs::metadata(home).is_ok_and(|folder| folder.is_dir() && folder.uid() == user.as_raw());
    let named = std::env::var_os("HOME").map(PathBuf::from);
    named.filter(is_own).or_else(|| Some(User::from_uid(user).ok()??.dir))
}

/// Carries out an effect. True when the program should end.
pub fn carry_out(
    effect: Effect,
    screen: &mut Screen,
    terminal: &mut Guard,
    engine: &dyn EngineHandle,
) -> io::Result<bool> {
    match effect {
        Effect::Quit => return Ok(true),
        Effect::Copy(text) => {
            let mut sequence = String::new();
            if CopyToClipboard::to_clipboard_from(text.as_bytes()).write_ansi(&mut sequence).is_ok() {
                terminal.write(sequence.as_bytes())?;
            }
        }
        Effect::Write { path, text } => match fs::write(&path, text) {
            Ok(()) => screen.say(format!("Written to {}", path.display())),
            Err(error) => screen.say(format!("{}: {error}. Choose another place", path.display())),
        },
        Effect::Mouse(on) => terminal.set_mouse(on)?,
        Effect::Save(mut request) => {
            request.path = at_home(request.path);
            engine.send(UiCommand::Save(request, Arc::clone(&screen.state().snapshot)));
        }
        Effect::Forget(keys) => engine.send(UiCommand::Forget(keys)),
        Effect::ForgetAll => engine.send(UiCommand::ForgetAll),
        // The screen has dealt with these itself.
        Effect::Say(_) | Effect::OpenCalls(_) | Effect::CloseCallView => {}
    }
    Ok(false)
}
