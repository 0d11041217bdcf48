//! `--json` while it runs: the engine's changes become lines on standard output.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use crate::counters::Lost;
use crate::engine::Observer;
use crate::store::filter::Filter;
use crate::store::{Change, Store};
use crate::time::{Elapsed, Timestamp};
use crate::track::call::Call;
use crate::track::stream::{Stream, StreamKey};

use super::json::PacketNames;
use super::ndjson;

/// How often a stream has a line while it goes on, in seconds of packet time.
const STREAM_WINDOW_S: i64 = 10;

/// Writes a line for every change of a call that is wanted.
pub struct Lines<W: Write> {
    out: BufWriter<W>,
    names: PacketNames,
    call_id: Option<String>,
    filter: Filter,
    streams: HashMap<StreamKey, (Timestamp, u64)>,
    error: Option<io::Error>,
}

impl<W: Write> Lines<W> {
    /// Lines to `out`; of the calls whose Call-ID contains `call_id` and that match the filter at that moment.
    pub fn new(out: W, names: PacketNames, call_id: Option<String>, filter: Filter) -> Self {
        Self { out: BufWriter::new(out), names, call_id, filter, streams: HashMap::new(), error: None }
    }

    fn wants(&self, call: &Call) -> bool {
        self.call_id.as_ref().is_none_or(|text| call.call_id.contains(text.as_str())) && self.filter.matches(call, None)
    }

    fn wants_stream(&self, stream: &Stream, store: &Store) -> bool {
        let everything = self.call_id.is_none() && self.filter.is_empty();
        let call = stream.call.and_then(|key| store.calls().get(key.0));
        everything || call.is_some_and(|call| self.wants(call))
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

    fn change(&mut self, change: &Change, store: &Store) -> ControlFlow<()> {
        match *change {
            Change::Message { call, ordinal } => {
                let Some(call) = store.calls().get(call.0).filter(|call| self.wants(call)) else {
                    return ControlFlow::Continue(());
                };
                let message = call.messages.iter().rev().find(|message| message.ordinal == ordinal);
                match message.map(|message| -> String { ndjson::message_line(call, message, &self.names) }) {
                    Some(line) => self.write(&line),
                    None => ControlFlow::Continue(()),
                }
            }
            Change::Call(key) => {
                let call = store.calls().get(key.0).filter(|call| self.wants(call));
                match call.and_then(|call| ndjson::call_line(call, store.streams())) {
                    Some(line) => self.write(&line),
                    None => ControlFlow::Continue(()),
                }
            }
            Change::Stream(key) => self.stream(key, store, STREAM_WINDOW_S),
            Change::Evicted(_) => ControlFlow::Continue(()),
        }
    }

    fn stream(&mut self, key: StreamKey, store: &Store, window_s: i64) -> ControlFlow<()> {
        let Some(stream) = store.streams().get(key.0).filter(|stream| self.wants_stream(stream, store)) else {
            return ControlFlow::Continue(());
        };
        let (since, packets) = *self.streams.entry(key).or_insert((stream.first, 0));
        let over = stream.last.since(since) >= Elapsed::from_secs(window_s) && stream.packets > packets;
        if !over {
            return ControlFlow::Continue(());
        }
        self.streams.insert(key, (stream.last, stream.packets));
        let line = ndjson::stream_line(stream, store.calls());
        self.write(&line)
    }
}

impl<W: Write + Send> Observer for Lines<W> {
    fn changed(&mut self, changes: &[Change], store: &Store) -> ControlFlow<()> {
        changes.iter().try_for_each(|change| self.change(change, store))
    }

    fn lost(&mut self, at: Option<Timestamp>, lost: Lost) -> ControlFlow<()> {
        self.write(&ndjson::lost_line(at.unwrap_or_default(), lost))
    }

    fn idle(&mut self) -> ControlFlow<()> {
        let flushed = self.out.flush();
        self.check(flushed)
    }

    fn ended(&mut self, store: &Store) -> io::Result<()> {
        let keys: Vec<_> = store.streams().iter().map(|stream| stream.key).collect();
        for key in keys {
            if self.stream(key, store, 0).is_break() {
                break;
            }
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}
