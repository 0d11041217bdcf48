//! What an action changes.

use crossterm::event::{Event, KeyCode, KeyEvent};
use ratatui::layout::Size;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::store::ladder::ColumnBy;
use crate::store::snapshot::Snapshot;
use crate::tui::action::Effect;
use crate::tui::popup::explain::ExplainPopup;

use super::look::ColourMode;
use super::page::SdpMode;
use super::search::{Needle, Prompt, PromptKind, Target};
use super::{CallView, CallViewAction, Comparison, Focus, diff, message, related};

impl CallView {
    /// Carries out an action. `size` is that of the area given to draw.
    pub fn update(&mut self, action: &CallViewAction, snapshot: &Snapshot, size: Size) -> Vec<Effect> {
        use CallViewAction as Do;
        self.refresh(snapshot);
        match action {
            Do::Move(rows) => self.scroll(*rows, size),
            Do::HalfPages(halves) => self.scroll(halves.saturating_mul(self.half_page(size)), size),
            Do::First => self.scroll(i32::MIN, size),
            Do::Last => self.scroll(i32::MAX, size),
            Do::Sideways(steps) => self.sideways(*steps),
            Do::Select(id) => {
                if let Some(item) = self.page.place(*id) {
                    self.select(item);
                }
            }
            Do::Wheel { at, rows } => {
                let over_message = self.areas.message.contains((*at).into());
                if over_message && self.comparison.is_none() && self.explanation.is_none() {
                    self.scroll_message(*rows);
                } else {
                    self.scroll(*rows, size);
                }
            }
            Do::Raw => {
                self.focus = if self.focus == Focus::Full { Focus::Ladder } else { Focus::Full };
                (self.message.all, self.from_table) = (false, false);
            }
            Do::RawAll => {
                self.from_table |= self.focus == Focus::Ladder;
                self.message.all = self.focus == Focus::Ladder || !self.message.all;
                self.focus = Focus::Full;
            }
            Do::ScrollMessage(rows) => self.scroll_message(*rows),
            Do::Message(steps) => self.step_message(*steps),
            Do::Wrap => {
                self.message.wrap = !self.message.wrap;
                self.message.pan = 0;
            }
            Do::Mark => return self.mark(),
            Do::Unmark => self.mark = None,
            Do::Search => self.ask(PromptKind::Search),
            Do::Goto => self.ask(PromptKind::Goto),
            Do::Match(direction) => return self.next_match(*direction >= 0),
            Do::Related => return self.toggle_related(snapshot),
            Do::Explain => return self.explain(),
            Do::Copy => return self.copy(),
            Do::Widen(steps) => self.widen = (self.widen + steps).clamp(-20, 20),
            Do::Quality => return self.toggle_quality(),
            Do::Back => return self.back(),
            Do::Sdp | Do::OnlySdp | Do::Time | Do::Zone | Do::Colour | Do::Collapse | Do::Columns => {
                let said = self.change_look(action);
                self.refresh(snapshot);
                return said;
            }
        }
        Vec::new()
    }

    /// A key for the line being typed.
    pub fn text_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        self.refresh(snapshot);
        let Some(prompt) = &mut self.prompt else { return Vec::new() };
        match key.code {
            KeyCode::Esc => {
                let origin = prompt.origin.and_then(|id| self.page.place(id));
                if prompt.kind == PromptKind::Search {
                    self.needle = None;
                    self.select(origin.unwrap_or(self.cursor_at));
                }
                self.prompt = None;
                Vec::new()
            }
            KeyCode::Enter => self.answer(),
            _ => {
                prompt.input.handle_event(&Event::Key(key));
                if prompt.kind == PromptKind::Search {
                    self.search_from_origin();
                }
                Vec::new()
            }
        }
    }

    fn half_page(&self, size: Size) -> i32 {
        let height = match (&self.comparison, self.focus) {
            (Some(_), _) => size.height.saturating_sub(2),
            (None, Focus::Ladder) => self.areas.ladder.height,
            (None, _) => self.areas.message.height,
        };
        let height = if height == 0 { size.height.saturating_sub(6) } else { height };
        i32::from(height.max(2) / 2)
    }

    /// Moves the cursor, or what has the focus.
    fn scroll(&mut self, rows: i32, size: Size) {
        if let Some(explanation) = &mut self.explanation {
            explanation.scroll(rows);
        } else if let Some(comparison) = &mut self.comparison {
            let last = comparison.rows.saturating_sub(usize::from(size.height.saturating_sub(2)));
            comparison.scroll = moved(comparison.scroll, rows, last);
        } else if self.focus == Focus::Ladder {
            let last = self.page.items.len().saturating_sub(1);
            self.select(moved(self.cursor_at, rows, last));
        } else {
            self.scroll_message(rows);
        }
    }

    fn scroll_message(&mut self, rows: i32) {
        let last = self.message.pieces.len().saturating_sub(usize::from(self.areas.message.height));
        self.message.scroll = moved(self.message.scroll, rows, last);
        if let Some(item) = self.message.item_at_top(&self.page) {
            self.select(item);
        }
    }

    fn sideways(&mut self, steps: i32) {
        if self.focus == Focus::Ladder {
            let last = self.page.ladder.columns.len().saturating_sub(1);
            self.first_column = moved(self.first_column, steps, last);
        } else if !self.message.wrap {
            let longest = self.message.lines.iter().map(|line| line.text.len()).max().unwrap_or(0);
            self.message.pan = moved(self.message.pan, steps.saturating_mul(8), longest);
        }
    }

    /// To the next or previous message, past facts and streams.
    fn step_message(&mut self, steps: i32) {
        let mut at = self.cursor_at;
        loop {
            let next = moved(at, steps.signum(), self.page.items.len().saturating_sub(1));
            if next == at {
                return;
            }
            at = next;
            if self.page.message(at).is_some() {
                return self.select(at);
            }
        }
    }

    fn mark(&mut self) -> Vec<Effect> {
        let Some(message) = self.page.message(self.cursor_at) else {
            return vec![Effect::Say("Only messages can be marked.".to_owned())];
        };
        let marked = self.mark.filter(|id| Some(*id) != self.cursor);
        match marked.and_then(|id| self.page.place(id)).and_then(|item| self.page.message(item)) {
            Some(first) => {
                self.comparison = Some(Comparison {
                    titles: (message::place(first, self.utc), message::place(message, self.utc)),
                    pairs: diff::pairs(&first.sip, &message.sip),
                    scroll: 0,
                    rows: 0,
                });
            }
            None if self.mark.is_some() && self.mark == self.cursor => self.mark = None,
            None => self.mark = self.cursor,
        }
        Vec::new()
    }

    fn change_look(&mut self, action: &CallViewAction) -> Vec<Effect> {
        let said = match action {
            CallViewAction::Sdp => {
                self.options.sdp = match self.options.sdp {
                    SdpMode::Off => SdpMode::Short,
                    SdpMode::Short => SdpMode::Whole,
                    SdpMode::Whole => SdpMode::Off,
                };
                return Vec::new();
            }
            CallViewAction::OnlySdp => {
                self.options.only_sdp = !self.options.only_sdp;
                if self.options.only_sdp { "Only messages with SDP" } else { "All messages" }
            }
            CallViewAction::Time => {
                self.time = self.time.next();
                return Vec::new();
            }
            CallViewAction::Zone => {
                self.utc = !self.utc;
                if self.utc { "Times in UTC" } else { "Local times" }
            }
            CallViewAction::Colour => {
                self.colour = self.colour.next();
                return vec![Effect::Say(format!("Colours by {}", ColourMode::name(self.colour)))];
            }
            CallViewAction::Collapse => {
                self.options.collapse = !self.options.collapse;
                if self.options.collapse { "Retransmissions counted" } else { "Each retransmission has its row" }
            }
            _ => {
                self.options.columns = match self.options.columns {
                    ColumnBy::Address => ColumnBy::Endpoint,
                    ColumnBy::Endpoint => ColumnBy::Address,
                };
                match self.options.columns {
                    ColumnBy::Address => "A column per address",
                    ColumnBy::Endpoint => "A column per address and port",
                }
            }
        };
        vec![Effect::Say(said.to_owned())]
    }

    fn ask(&mut self, kind: PromptKind) {
        self.prompt = Some(Prompt { kind, input: Input::default(), origin: self.cursor });
    }

    fn answer(&mut self) -> Vec<Effect> {
        let Some(prompt) = self.prompt.take() else { return Vec::new() };
        let text = prompt.input.value().trim();
        match prompt.kind {
            PromptKind::Search => {
                let found = self
                    .needle
                    .as_mut()
                    .is_some_and(|needle| needle.find(&self.page, self.cursor_at, true, true).is_some());
                if text.is_empty() || found {
                    return Vec::new();
                }
                vec![Effect::Say(format!("No message contains \"{}\".", crate::text::visible(text)))]
            }
            PromptKind::Goto if text.is_empty() => Vec::new(),
            PromptKind::Goto => match Target::parse(text) {
                None => {
                    vec![Effect::Say("Type a packet (123, 2:123), a time (10:02:14) or seconds (+3.5).".to_owned())]
                }
                Some(target) => match target.find(&self.page, self.utc) {
                    Some(item) => {
                        self.select(item);
                        Vec::new()
                    }
                    None => vec![Effect::Say(format!("Packet {text} is not in this ladder."))],
                },
            },
        }
    }

    /// What was typed so far is looked for from where the search began.
    fn search_from_origin(&mut self) {
        let Some(prompt) = &self.prompt else { return };
        let origin = prompt.origin.and_then(|id| self.page.place(id)).unwrap_or(self.cursor_at);
        self.needle = Needle::new(prompt.input.value());
        let found = self.needle.as_mut().and_then(|needle| needle.find(&self.page, origin, true, true));
        self.select(found.unwrap_or(origin));
        self.show_match();
    }

    fn next_match(&mut self, forward: bool) -> Vec<Effect> {
        let Some(needle) = &mut self.needle else {
            return vec![Effect::Say("Nothing to search for: type / and a text.".to_owned())];
        };
        let found = needle.find(&self.page, self.cursor_at, forward, false);
        let text = crate::text::visible(&needle.text).into_owned();
        match found {
            Some(item) => {
                self.select(item);
                self.show_match();
                Vec::new()
            }
            None => vec![Effect::Say(format!("No message contains \"{text}\"."))],
        }
    }

    /// Scrolls the message so that the match can be seen.
    fn show_match(&mut self) {
        let size = (self.areas.message.width, self.areas.message.height);
        if let (Some(needle), true) = (&self.needle, size.0 > 0) {
            self.message.prepare(&self.page, self.cursor_at, self.utc, size);
            self.message.show_match(&needle.shown, self.cursor_at, usize::from(size.1));
        }
    }

    fn toggle_related(&mut self, snapshot: &Snapshot) -> Vec<Effect> {
        let said = if let Some(keys) = self.without_related.take() {
            self.keys = keys;
            self.colour = if self.keys.len() > 1 { ColourMode::Call } else { ColourMode::Class };
            "Related calls taken away.".to_owned()
        } else {
            let found = related::related(&self.keys, snapshot);
            if found.is_empty() {
                let what = "No call shares an X-Call-ID, X-CID, Session-ID or Replaces with this one.";
                return vec![Effect::Say(what.to_owned())];
            }
            let count = found.len();
            self.without_related = Some(self.keys.clone());
            self.keys.extend(found);
            self.colour = ColourMode::Call;
            format!("{count} related {} added.", if count == 1 { "call" } else { "calls" })
        };
        self.refresh(snapshot);
        vec![Effect::Say(said)]
    }

    fn explain(&mut self) -> Vec<Effect> {
        let open = self.explanation.take().is_some();
        if self.focus == Focus::Full {
            let top = self.message.pieces.get(self.message.scroll).map_or(0, |piece| piece.line);
            return self.explain_line(if open { self.explained + 1 } else { top });
        }
        if open {
            return Vec::new();
        }
        let Some(message) = self.page.message(self.cursor_at) else {
            return vec![Effect::Say("Select a message: its method or status is explained.".to_owned())];
        };
        let word = match (message.sip.method(), message.sip.status()) {
            (Some(method), _) => method.as_str().to_owned(),
            (None, status) => status.unwrap_or_default().to_string(),
        };
        self.explanation = ExplainPopup::about(&word);
        if self.explanation.is_some() {
            return Vec::new();
        }
        vec![Effect::Say(format!("Nothing is known about {}.", crate::text::visible(&word)))]
    }

    /// Explains the first line from here on that something is known of: its method or status, or its header.
    fn explain_line(&mut self, from: usize) -> Vec<Effect> {
        let known = self.message.lines.iter().enumerate().skip(from).find_map(|(line, text)| {
            let popup = ExplainPopup::about(text.word()?)?;
            Some((line, popup))
        });
        match known {
            Some((line, popup)) => {
                self.explained = line;
                self.explanation = Some(popup.with_note("e explains the next line, Esc closes"));
                Vec::new()
            }
            None => vec![Effect::Say("Nothing further down to explain.".to_owned())],
        }
    }

    fn copy(&self) -> Vec<Effect> {
        if let Some(comparison) = &self.comparison {
            let text = diff::unified_text(&comparison.pairs);
            return vec![Effect::Copy(text), Effect::Say("Comparison copied.".to_owned())];
        }
        let text = message::copied(&self.page, self.cursor_at, self.message.all);
        if text.is_empty() {
            return Vec::new();
        }
        vec![Effect::Copy(text), Effect::Say("Message copied.".to_owned())]
    }

    fn toggle_quality(&mut self) -> Vec<Effect> {
        self.quality = !self.quality;
        match self.quality && !self.has_audio() {
            true => vec![Effect::Say("No RTP of this call was seen, and its SDP announces none".to_owned())],
            false => Vec::new(),
        }
    }

    fn back(&mut self) -> Vec<Effect> {
        if self.explanation.take().is_some() {
            return Vec::new();
        }
        if self.comparison.take().is_some() {
            return Vec::new();
        }
        if self.focus != Focus::Ladder && !self.from_table {
            self.focus = Focus::Ladder;
            self.message.all = false;
            return Vec::new();
        }
        vec![Effect::CloseCallView]
    }
}

/// `at` moved by `by`, between 0 and `last`.
fn moved(at: usize, by: i32, last: usize) -> usize {
    let by_abs = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
    if by < 0 { at.saturating_sub(by_abs) } else { at.saturating_add(by_abs).min(last) }
}
