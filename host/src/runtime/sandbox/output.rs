//! The output of a module: its log lines, stdout and stderr.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream as WasiOutputStream, Pollable, StreamResult},
};

use super::event_cursor::EventCursor;
use crate::{
    event_log::Position,
    runtime::{label::ModuleLabel, printable::printable},
};

/// Lines that one batch may write to the host's log; further lines are dropped.
const MAX_LINES: usize = 200;
/// Bytes of a line that are kept.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes of a module's complaints that an error quotes.
const MAX_COMPLAINTS: usize = 8192;

/// A stream of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum OutputStream {
    Stdout,
    Stderr,
}

/// Writes the output of a module to the host's log, with module, version, position and stream.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct GuestOutput {
    label: Arc<ModuleLabel>,
    event: EventCursor,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    lines: usize,
    unfinished: [Vec<u8>; 2],
    complaints: String,
    /// Lines of a call that is under way; `None` outside of one. They are written when it ends, since only then it costs nothing to know the
    /// streams of its events.
    held: Option<Vec<Line>>,
}

/// A line of the log.
#[derive(Debug)]
struct Line {
    level: Level,
    position: Option<Position>,
    message: String,
}

impl GuestOutput {
    pub(in crate::runtime) fn new(label: Arc<ModuleLabel>, event: EventCursor) -> Self {
        Self { label, event, state: Arc::default() }
    }

    /// Clears what belongs to the previous batch.
    pub(in crate::runtime) fn begin_batch(&self) {
        let mut state = self.state();
        state.lines = 0;
        state.complaints.clear();
    }

    /// From now on lines are held until [`Self::write_held`].
    pub(in crate::runtime) fn hold(&self) {
        self.state().held = Some(Vec::new());
    }

    /// Writes the lines that were held, each with the stream of its event.
    pub(in crate::runtime) fn write_held<'s>(&self, stream_at: impl Fn(Position) -> Option<&'s str>) {
        let held = self.state().held.take().unwrap_or_default();
        for line in held {
            let stream = line.position.and_then(&stream_at);
            self.log(&line, stream);
        }
    }

    /// The error lines and the stderr of the module since the batch began. They end with the message of a panic.
    pub(in crate::runtime) fn complaints(&self) -> String {
        let mut state = self.state();
        let rest = std::mem::take(&mut state.unfinished[OutputStream::Stderr as usize]);
        if !rest.is_empty() {
            state.remember(&String::from_utf8_lossy(&rest));
        }
        state.complaints.trim_end().to_owned()
    }

    /// Writes a line of the module's log.
    pub(in crate::runtime) fn line(&self, level: Level, message: &str) {
        let mut state = self.state();
        if level == Level::ERROR {
            state.remember(message);
        }
        self.say(&mut state, level, message);
    }

    pub(in crate::runtime) fn stream(&self, stream: OutputStream) -> impl StdoutStream + 'static {
        GuestStream { output: self.clone(), stream }
    }

    fn write(&self, stream: OutputStream, bytes: &[u8]) {
        let mut state = self.state();
        let mut buffer = std::mem::take(&mut state.unfinished[stream as usize]);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let left = MAX_LINE_BYTES.saturating_sub(buffer.len());
            buffer.extend_from_slice(&part[..part.len().min(left)]);
            if part.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&buffer).trim_end().to_owned();
                buffer.clear();
                if stream == OutputStream::Stderr {
                    state.remember(&line);
                }
                let level = if stream == OutputStream::Stderr { Level::WARN } else { Level::INFO };
                self.say(&mut state, level, &line);
            }
        }
        state.unfinished[stream as usize] = buffer;
    }

    fn say(&self, state: &mut State, level: Level, message: &str) {
        state.lines += 1;
        let message = match state.lines {
            ..MAX_LINES => printable(message, MAX_LINE_BYTES).replace('\n', "\\n"),
            MAX_LINES => {
                format!("the module wrote {MAX_LINES} lines in one batch; its further lines in this batch are dropped")
            }
            _ => return,
        };
        let line = Line { level, position: self.event.position(), message };
        match &mut state.held {
            Some(held) => held.push(line),
            None => self.log(&line, None),
        }
    }

    fn log(&self, Line { level, position, message }: &Line, stream: Option<&str>) {
        let module = self.label.name.as_str();
        let version = self.label.version.map(u32::from);
        let position = position.map(u64::from);
        macro_rules! say {
            ($level:expr) => {
                tracing::event!(target: "gnomon::guest", $level, module, version, position, stream, "{message}")
            };
        }
        match *level {
            Level::ERROR => say!(Level::ERROR),
            Level::WARN => say!(Level::WARN),
            Level::INFO => say!(Level::INFO),
            Level::DEBUG => say!(Level::DEBUG),
            _ => say!(Level::TRACE),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, line: &str) {
        // Keeps the end: the message of a panic is written last.
        let line = &line[line.ceil_char_boundary(line.len().saturating_sub(MAX_COMPLAINTS))..];
        self.complaints.push_str(line);
        self.complaints.push('\n');
        let excess = self.complaints.len().saturating_sub(MAX_COMPLAINTS);
        self.complaints.drain(..self.complaints.ceil_char_boundary(excess));
    }
}

#[derive(Clone)]
struct GuestStream {
    output: GuestOutput,
    stream: OutputStream,
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn WasiOutputStream> {
        Box::new(self.clone())
    }
}

impl WasiOutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.write(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
