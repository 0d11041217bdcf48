//! From the save window to the engine and back. The screen never waits: a request goes, and some time later comes word.

use super::action::Effect;
use super::popup::Popup;
use super::popup::save::{self, SaveForm};
use super::state::State;
use crate::engine::SaveOutcome;
use crate::limits::SAVE_OUTCOMES;

/// Opens the window, unless something is being saved.
pub fn open(state: &mut State) {
    if state.saving.is_some() {
        state.say("One thing after the other: something is being saved still");
        return;
    }
    let form = SaveForm::new(state);
    state.popups.push(Popup::Save(Box::new(form)));
}

/// Sends what the window on top asks for.
pub fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Popup::Save(form)) = state.popups.pop() else { return Vec::new() };
    match form.request() {
        Some(request) => {
            state.saving = Some(form);
            vec![Effect::Save(request)]
        }
        None => {
            state.say("Saving needs the name of a file");
            state.popups.push(Popup::Save(form));
            Vec::new()
        }
    }
}

/// Takes word from the engine. The window comes back when there is something to ask or to correct.
pub fn ended(state: &mut State, outcome: SaveOutcome) {
    let form = state.saving.take();
    let text = sentence(&outcome);
    let is_well = matches!(outcome, SaveOutcome::Saved(_));
    if let Some(mut form) = form.filter(|_| !is_well) {
        match outcome {
            SaveOutcome::Exists(_) => form.ask(),
            _ => form.fail(text.clone()),
        }
        state.popups.push(Popup::Save(form));
    } else {
        state.say(text.clone());
    }
    if !matches!(outcome, SaveOutcome::Exists(_)) {
        state.saved.push((text, is_well));
        let surplus = state.saved.len().saturating_sub(SAVE_OUTCOMES);
        state.saved.drain(..surplus);
    }
}

/// How a request to save went, as a sentence.
pub fn sentence(outcome: &SaveOutcome) -> String {
    match outcome {
        SaveOutcome::Saved(saved) => save::sentence(saved),
        SaveOutcome::Exists(request) => format!("{} exists and was not overwritten", request.path.display()),
        SaveOutcome::Failed(why) => why.clone(),
    }
}
