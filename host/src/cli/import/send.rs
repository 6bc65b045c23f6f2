//! Sending chunks, again if need be.

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

/// The pause before the second attempt; each that follows is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a host may be away.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a chunk was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The host is away, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nobody knows whether the chunk was imported, and sending it again would double it.
    #[error(
        "{error}\n  Of lines {first} to {last} some have no id. Whether they were imported is not known, and sending them \
         again could import them twice: look at the end of the log (`gnomon events --direction backward`)"
    )]
    Unknown {
        /// What happened.
        error: ClientError,
        /// The first line in question.
        first: u64,
        /// The last line in question.
        last: u64,
    },
}

impl SendError {
    /// Events of the chunk that were imported all the same.
    pub(super) fn imported(&self) -> u64 {
        match self {
            Self::Client(ClientError::Refused(problem)) => problem.number("imported").unwrap_or_default(),
            _ => 0,
        }
    }

    /// Whether it is certain that nothing of the chunk was imported.
    pub(super) fn left_nothing(&self) -> bool {
        !matches!(self, Self::Unknown { .. }) && self.imported() == 0
    }
}

/// Sends a chunk. Where that is safe it is tried again for some time, if the host has `answered` before.
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
            Err(ClientError::Refused(problem)) => ClientError::Refused(Box::new(in_file(*problem, chunk.first_line))),
            Err(error) => error,
        };
        if !error.may_pass() || (error.was_not_heard() && !answered) {
            return Err(error.into());
        }
        if !chunk.repeatable && !error.was_not_heard() {
            let lines = chunk.body.iter().filter(|byte| **byte == b'\n').count() as u64;
            return Err(SendError::Unknown { error, first: chunk.first_line, last: chunk.first_line + lines - 1 });
        }
        let pause = backoff.next_pause();
        if begun.elapsed() + pause > PATIENCE {
            return Err(error.into());
        }
        say(format_args!("{}; trying again in {:.1} s", error.in_brief(), pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
    }
}

/// The host counts the lines of a request; whoever reads its words has a file.
fn in_file(problem: Problem, first_line: u64) -> Problem {
    let Some(line) = problem.number("line") else { return problem };
    let detail = problem.detail();
    let in_file = line + first_line - 1;
    let words = match detail.strip_prefix(&format!("line {line}")) {
        Some(rest) => format!("line {in_file}{rest}"),
        None => format!("line {in_file}: {detail}"),
    };
    problem.with_detail(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str, first_line: u64) -> String {
        let base = reqwest::Url::parse("http://h/").unwrap();
        in_file(Problem::read(422, body, &base), first_line).detail().to_owned()
    }

    #[test]
    fn lines_are_counted_in_the_file() {
        assert_eq!(told(r#"{"detail":"line 3: no `type`","line":3}"#, 20_001), "line 20003: no `type`");
        assert_eq!(told(r#"{"detail":"line 3 has more than 9 bytes","line":3}"#, 1), "line 3 has more than 9 bytes");
        assert_eq!(told(r#"{"detail":"the id is taken","line":1}"#, 101), "line 101: the id is taken");
        assert_eq!(told(r#"{"detail":"Postgres is away"}"#, 101), "Postgres is away");
    }
}
