//! `--json` while it runs: the engine's changes become lines on standard output.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use crate::counters::Lost;
use crate::engine::Observer;
use crate::store::filter::Filter;
use crate::store::rows::Rows;
use crate::store::{Change, Store};
use crate::time::Timestamp;
use crate::track::call::Call;
use crate::track::stream::Stream;

use super::json::PacketNames;
use super::ndjson;

/// Writes a line for every change of a call that is wanted.
pub struct Lines<W: Write> {
    out: BufWriter<W>,
    names: PacketNames,
    call_id: Option<String>,
    filter: Filter,
    error: Option<io::Error>,
}

impl<W: Write> Lines<W> {
    /// Lines to `out`; of the calls whose Call-ID contains `call_id` and that match the filter at that moment.
    pub fn new(out: W, names: PacketNames, call_id: Option<String>, filter: Filter) -> Self {
        Self { out: BufWriter::new(out), names, call_id, filter, error: None }
    }

    fn wants(&self, call: &Call, streams: &Rows<Stream>) -> bool {
        let is_named = self.call_id.as_ref().is_none_or(|text| call.call_id.contains(text.as_str()));
        is_named && self.filter.matches(call, streams, None)
    }

    fn wants_stream(&self, stream: &Stream, calls: &Rows<Call>, streams: &Rows<Stream>) -> bool {
        let everything = self.call_id.is_none() && self.filter.is_empty();
        let call = stream.call.and_then(|key| calls.get(key.0));
        everything || call.is_some_and(|call| self.wants(call, streams))
    }

    fn line(&self, change: &Change, calls: &Rows<Call>, streams: &Rows<Stream>) -> Option<String> {
        match *change {
            Change::Message { call, ordinal } => {
                let call = calls.get(call.0).filter(|call| self.wants(call, streams))?;
                let message = call.messages.iter().rev().find(|message| message.ordinal == ordinal)?;
                Some(ndjson::message_line(call, message, &self.names))
            }
            Change::Call(key) => {
                let call = calls.get(key.0).filter(|call| self.wants(call, streams))?;
                ndjson::call_line(call, streams)
            }
            Change::Stream(key) => {
                let stream = streams.get(key.0).filter(|stream| self.wants_stream(stream, calls, streams))?;
                Some(ndjson::stream_line(stream, calls))
            }
            Change::Evicted(_) => None,
        }
    }

    fn write(&mut self, line: &str) -> ControlFlow<()> {
        let written = self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        self.check(written)
    }

    /// Nobody reads any more, or the disk is full: no further line makes sense.
    fn check(&mut self, result: io::Result<()>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl<W: Write + Send> Observer for Lines<W> {
    fn changed(&mut self, changes: &[Change], store: &mut Store) -> ControlFlow<()> {
        if changes.is_empty() {
            return ControlFlow::Continue(());
        }
        let streams = store.streams().clone();
        for (at, change) in changes.iter().enumerate() {
            // A row that changed more than once is shown once, as it is now, behind the message that changed it.
            let again = changes.get(at + 1..).is_some_and(|rest| rest.contains(change));
            if let (false, Some(line)) = (again, self.line(change, store.calls(), &streams)) {
                self.write(&line)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn lost(&mut self, at: Option<Timestamp>, lost: Lost) -> ControlFlow<()> {
        self.write(&ndjson::lost_line(at.unwrap_or_default(), lost))
    }

    fn idle(&mut self) -> ControlFlow<()> {
        let flushed = self.out.flush();
        self.check(flushed)
    }

    fn ended(&mut self, store: &mut Store) -> io::Result<()> {
        let streams = store.streams().clone();
        for stream in streams.iter() {
            let change = Change::Stream(stream.key);
            let ended = self.line(&change, store.calls(), &streams).map(|line| self.write(&line));
            if ended.is_some_and(|flow| flow.is_break()) {
                break;
            }
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}
