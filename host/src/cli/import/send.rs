//! Sending a chunk to the host, again if the host does not answer.

use std::time::{Duration, Instant};

use reqwest::{Method, header};

use super::chunk::Chunk;
use crate::{
    api::Imported,
    cli::{
        client::{Client, ClientError},
        output::say,
        problem::Problem,
    },
    postgres::Backoff,
};

/// The pause before the second attempt. Each pause after it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a host may not answer before the import ends.
const MAX_OUTAGE: Duration = Duration::from_secs(120);

/// Why a chunk was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The host does not answer, or refuses the chunk.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Whether the chunk was imported is not known, and sending it again could import it twice.
    #[error(
        "{error}\n  Some of the lines {first} to {last} have no id. Whether these lines were imported is not known, and sending \
         them again could import them twice: look at the end of the log (`gnomon events --direction backward`)"
    )]
    Unknown {
        /// Why there is no answer.
        error: ClientError,
        /// The first line in question.
        first: u64,
        /// The last line in question.
        last: u64,
    },
}

impl SendError {
    /// Events of the chunk that were imported before the error.
    pub(super) fn imported(&self) -> u64 {
        match self {
            Self::Client(ClientError::Refused(problem)) => problem.number("imported").unwrap_or_default(),
            _ => 0,
        }
    }

    /// Whether certainly nothing of the chunk was imported.
    pub(super) fn imported_nothing(&self) -> bool {
        !matches!(self, Self::Unknown { .. }) && self.imported() == 0
    }
}

/// Sends a chunk. Where that is safe, it is sent again for [`MAX_OUTAGE`] while the host does not answer. A host that never
/// `answered` before is not waited for.
pub(super) async fn send(client: &Client, chunk: &Chunk, answered: bool) -> Result<Imported, SendError> {
    let begun = Instant::now();
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let request = client
            .request(Method::POST, &["v1", "events"])
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .body(chunk.body.clone());
        let error = match client.json(request).await {
            Ok(sent) => return Ok(sent),
            Err(ClientError::Refused(problem)) => ClientError::Refused(Box::new(of_file(*problem, chunk))),
            Err(error) => error,
        };
        if !error.is_temporary() || (error.host_not_reached() && !answered) {
            return Err(error.into());
        }
        if !chunk.repeatable && !error.host_not_reached() {
            let lines = chunk.body.iter().filter(|byte| **byte == b'\n').count() as u64;
            return Err(SendError::Unknown { error, first: chunk.first_line, last: chunk.first_line + lines - 1 });
        }
        let pause = backoff.next_pause();
        if begun.elapsed() + pause > MAX_OUTAGE {
            return Err(error.into());
        }
        say(format_args!("{}; trying again in {:.1} s", error.without_advice(), pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
    }
}

/// The problem of a chunk in the words of its file: with the id as it is written there, and with the lines of the file.
fn of_file(problem: Problem, chunk: &Chunk) -> Problem {
    let line = problem.number("line");
    let written = chunk.written_ids.iter().find(|(of, _)| Some(*of) == line);
    match written {
        Some((_, written)) => problem.with_written_id(written),
        None => problem,
    }
    .with_line_of_file(chunk.first_line)
}
