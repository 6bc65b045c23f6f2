//! `gnomon import`

mod chunk;
mod line;
mod send;
mod source;
mod zstd;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use serde::Serialize;
use tokio::sync::mpsc;

use self::{
    chunk::{Chunk, ChunkError, Chunks},
    send::send,
};
use super::{
    client::Client,
    figures, last_appends, output,
    progress::{Progress, time_left},
};
use crate::{api::Imported, config::ClientOptions};

pub(super) use self::source::Source;

/// Import events from a file of JSON lines.
///
/// Each line is an event with "stream", "type" and "data", and optionally "id", "time", "tags", "schema_version" and "metadata". An event
/// without "stream" goes into the stream of its first tag: with the tag course:c1, into course-c1. The file may be compressed with gzip
/// or zstd, whatever its name. The lines that `gnomon events` prints can be imported: "position", "version" and "recorded_at" are passed
/// over.
///
/// An "id" that is not a UUID, such as a number, is replaced by one: UUIDv5 in the namespace cf216ed5-b6b2-586d-b112-6f46516075d1 of
/// the stream, a line feed and the id. Ids with the same characters are the same id: the number 1 and the text "1" are, 1 and 1.0
/// are not. An empty id is refused. Everything else is kept as it is written.
///
/// Events with ids can be imported again: those that are in the log already are skipped. So start an import that ended early again.
/// Events without ids would then be in the log twice.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// The file; `-` is stdin
    file: PathBuf,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Events that were imported.
    pub(super) imported: u64,
    /// Events that were in the log already.
    pub(super) repeated: u64,
    /// The position of the first of both.
    pub(super) first_position: Option<u64>,
    /// The position of the last of both.
    pub(super) last_position: Option<u64>,
    /// The time it took.
    pub(super) seconds: f64,
    /// Events in a second.
    pub(super) events_per_second: f64,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let source = Source::open(&self.file)?;
        let progress = Progress::start();
        let summary = import(&client, source, &progress).await?;
        drop(progress);
        output::say(summary.describe());
        if self.json {
            output::json(&summary)?;
        }
        Ok(())
    }
}

impl Summary {
    /// The result in one line of text.
    pub(super) fn describe(&self) -> String {
        let time = figures::time(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let mut summary = format!("imported {} in {time}", figures::counted(self.imported, "event"));
        if self.imported > 0 {
            summary += &format!(" ({}/s)", figures::rate(self.events_per_second));
        }
        if self.repeated > 0 {
            summary += &format!("; {} were in the log already", figures::count(self.repeated));
        }
        summary
    }
}

/// Imports everything that a source holds.
pub(super) async fn import(client: &Client, source: Source, progress: &Progress) -> anyhow::Result<Summary> {
    let size = source.size;
    let mut chunks = read_ahead(source);
    let begun = Instant::now();
    let mut state = ImportState { repeatable: true, ..ImportState::default() };
    let sent = send_all(client, &mut chunks, &mut state, size, begun, progress).await;
    if let Some(position) = state.last_position {
        last_appends::remember(client, position);
    }
    sent?;
    let time = begun.elapsed();
    Ok(Summary {
        imported: state.imported,
        repeated: state.repeated,
        first_position: state.first_position,
        last_position: state.last_position,
        seconds: time.as_secs_f64(),
        events_per_second: figures::per_second(state.imported, time),
    })
}

/// Sends all chunks, one after the other.
async fn send_all(
    client: &Client,
    chunks: &mut mpsc::Receiver<Result<Chunk, ChunkError>>,
    state: &mut ImportState,
    size: Option<u64>,
    begun: Instant,
    progress: &Progress,
) -> anyhow::Result<()> {
    while let Some(chunk) = chunks.recv().await {
        let chunk = chunk.map_err(|error| state.failed(error))?;
        match send(client, &chunk, state.chunks > 0).await {
            Ok(sent) => state.add(&chunk, sent),
            Err(error) => {
                state.imported += error.imported();
                state.repeatable &= chunk.repeatable || error.imported_nothing();
                return Err(state.failed(error));
            }
        }
        state.show(progress, &chunk, size, begun.elapsed());
    }
    Ok(())
}

/// Reads on a thread of its own while chunks are sent, at most two chunks ahead.
fn read_ahead(source: Source) -> mpsc::Receiver<Result<Chunk, ChunkError>> {
    let (sender, chunks) = mpsc::channel(1);
    // Not a thread of the runtime, which would wait at its end for a read of stdin that may never return.
    std::thread::spawn(move || {
        let mut source = Chunks::of(source);
        while let Some(chunk) = source.next().transpose() {
            let failed = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || failed {
                break;
            }
        }
    });
    chunks
}

/// What an import has done so far.
#[derive(Default)]
struct ImportState {
    chunks: u64,
    imported: u64,
    repeated: u64,
    first_position: Option<u64>,
    last_position: Option<u64>,
    repeatable: bool,
}

impl ImportState {
    fn add(&mut self, chunk: &Chunk, sent: Imported) {
        self.chunks += 1;
        self.repeatable &= chunk.repeatable;
        self.imported += sent.imported;
        self.repeated += sent.repeated;
        self.first_position = self.first_position.or(sent.first_position);
        self.last_position = sent.last_position.or(self.last_position);
    }

    fn show(&self, progress: &Progress, chunk: &Chunk, size: Option<u64>, time: Duration) {
        let events = self.imported + self.repeated;
        let mut summary = format!(
            "{}, {} events/s",
            figures::counted(events, "event"),
            figures::rate(figures::per_second(events, time))
        );
        let left =
            size.and_then(|size| time_left(size.saturating_sub(chunk.read), figures::per_second(chunk.read, time)));
        if let Some(left) = left {
            summary += &format!(", {} left", figures::time(left));
        }
        progress.show(chunk.read, size, summary);
    }

    /// The error that ends the import, with what was imported and what to do.
    fn failed(&self, error: impl std::fmt::Display) -> anyhow::Error {
        let before = match (self.imported, self.repeated) {
            (0, 0) if self.repeatable => return anyhow::anyhow!("{error}\nnothing was imported"),
            // The error itself says that it is not known.
            (0, 0) => return anyhow::anyhow!("{error}"),
            (imported, 0) => figures::counted(imported, "event") + " before the error",
            (imported, repeated) => {
                format!(
                    "{} before the error; {} were in the log already",
                    figures::counted(imported, "event"),
                    figures::count(repeated)
                )
            }
        };
        let again = if self.repeatable {
            "it is safe to run the import again: events that are in the log are skipped"
        } else {
            "do not run the import again with the same file: events without an id would be in the log twice"
        };
        anyhow::anyhow!("{error}\nimported {before}; {again}")
    }
}
