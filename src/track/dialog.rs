//! Dialogs (RFC 3261, 12; RFC 6665, 4.4.1): Call-ID and both tags.

use crate::limits::CALL_DIALOGS;
use crate::sip::Method;

use super::call::{Dialog, DialogState};
use super::reading::Reading;

/// The dialog with these two tags, whichever side says which.
pub fn find(dialogs: &[Dialog], one: &str, other: &str) -> Option<usize> {
    dialogs.iter().position(|dialog| {
        let (from, to) = (&*dialog.from_tag, &*dialog.to_tag);
        (from == one && to == other) || (from == other && to == one)
    })
}

/// The dialog of a message that carries both tags, if it is known.
pub fn of(dialogs: &[Dialog], reading: &Reading<'_>) -> Option<usize> {
    let both = !reading.from_tag.is_empty() && !reading.to_tag.is_empty();
    both.then(|| find(dialogs, &reading.from_tag, &reading.to_tag)).flatten()
}

/// Applies what a message says about dialogs. `method` is the method of its transaction.
pub fn apply(dialogs: &mut Vec<Dialog>, reading: &Reading<'_>, method: &Method) {
    if reading.from_tag.is_empty() || reading.to_tag.is_empty() {
        return;
    }
    match (reading.status, method) {
        (None, Method::Bye) => set(dialogs, reading, DialogState::Terminated),
        (None, Method::Notify) => {
            let over = reading.message.subscription_state().is_some_and(|state| state.is("terminated"));
            set(dialogs, reading, if over { DialogState::Terminated } else { DialogState::Confirmed });
        }
        // A capture that begins within a dialog.
        (None, Method::Invite | Method::Subscribe | Method::Refer | Method::Update | Method::Info | Method::Prack)
            if dialogs.is_empty() =>
        {
            set(dialogs, reading, DialogState::Confirmed);
        }
        (Some(101..=199), Method::Invite) if of(dialogs, reading).is_none() => {
            set(dialogs, reading, DialogState::Early);
        }
        (Some(200..=299), Method::Invite | Method::Subscribe) => confirm(dialogs, reading),
        (Some(300..), Method::Invite) => fail(dialogs, reading),
        _ => {}
    }
}

/// The call is over: what was early will never be confirmed.
pub fn end_early(dialogs: &mut [Dialog]) {
    for dialog in dialogs.iter_mut().filter(|dialog| dialog.state == DialogState::Early) {
        dialog.state = DialogState::Terminated;
    }
}

fn confirm(dialogs: &mut Vec<Dialog>, reading: &Reading<'_>) {
    // A late repeat of the 2xx does not bring an ended dialog back.
    match of(dialogs, reading).and_then(|at| dialogs.get_mut(at)) {
        Some(dialog) if dialog.state == DialogState::Early => dialog.state = DialogState::Confirmed,
        Some(_) => {}
        None => set(dialogs, reading, DialogState::Confirmed),
    }
}

/// A failed re-INVITE leaves its dialog alone; a failed INVITE ends the early dialog it had made.
fn fail(dialogs: &mut [Dialog], reading: &Reading<'_>) {
    if let Some(dialog) = of(dialogs, reading).and_then(|at| dialogs.get_mut(at))
        && dialog.state == DialogState::Early
    {
        dialog.state = DialogState::Terminated;
    }
}

fn set(dialogs: &mut Vec<Dialog>, reading: &Reading<'_>, state: DialogState) {
    if let Some(dialog) = of(dialogs, reading).and_then(|at| dialogs.get_mut(at)) {
        if dialog.state != DialogState::Terminated {
            dialog.state = state;
        }
        return;
    }
    if dialogs.len() >= CALL_DIALOGS {
        return;
    }
    // A NOTIFY comes from the side that was asked.
    let (from, to) = match reading.method {
        Method::Notify => (&reading.to_tag, &reading.from_tag),
        _ => (&reading.from_tag, &reading.to_tag),
    };
    if dialogs.is_empty() {
        // Most calls have one.
        dialogs.reserve_exact(1);
    }
    dialogs.push(Dialog { from_tag: from.as_ref().into(), to_tag: to.as_ref().into(), state });
}
