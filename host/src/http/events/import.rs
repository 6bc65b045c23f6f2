//! The import of JSON lines.
//!
//! The whole body is read and checked before the first event is appended, so a line that is not an event changes nothing. Then the
//! lines are appended in chunks, each in a transaction of its own, so that other writers get their turn between two chunks. What
//! contradicts the log or another line is found in the transaction of its chunk, when earlier chunks are committed. An import that
//! breaks off between chunks can be repeated if its events have ids: events that are in the log are passed over.
//!
//! A problem of one line has its number, from 1, as the member `line`; `detail` does not repeat it.

use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};

use axum::{
    Json,
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tempfile::SpooledTempFile;

use crate::{
    api,
    event_log::{Imported, Limits, Line},
    http::{
        body::BoundedBody,
        body_memory,
        caller::By,
        convert::import_line,
        json::{parse_json_line, without_byte_order_mark},
        named_actor::NamedActor,
        problem::{Code, Problem},
        server_error::internal,
        state::Api,
    },
};

/// A body of more bytes is kept in a temporary file, not in memory.
const MEMORY: usize = 16 * 1024 * 1024;
/// Events of one transaction …
const CHUNK_EVENTS: usize = 5000;
/// … and bytes.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Lines that are read before other work gets its turn: some milliseconds of large lines.
const TURN_LINES: usize = 256;
/// Bytes of a line beside the data and the tags of its event, at most: names, id, time, and JSON's own characters.
const LINE_OVERHEAD: usize = 8192;
/// Bytes that JSON may write for one of a text, `\u0041`.
const ESCAPED: usize = 6;

pub(super) async fn import(api: &Api, by: &By, body: Body) -> Result<Response, Problem> {
    let actor = NamedActor::of(api, by)?;
    let timeout = api.settings.work.body_timeout;
    let mut body = BoundedBody::new(body, api.settings.max_import_bytes, "max_import_bytes", timeout);
    let spooled = match spool(api, by, &actor, &mut body).await {
        Ok(spooled) => spooled,
        Err(problem) => {
            body.drain().await;
            return Err(problem);
        }
    };
    let imported = append_all(api, &actor, spooled).await?;
    let status = if imported.imported == 0 { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(api::Imported::from(imported))).into_response())
}

/// Reads and checks every line, and returns the body.
async fn spool(api: &Api, by: &By, actor: &NamedActor, body: &mut BoundedBody) -> Result<SpooledTempFile, Problem> {
    let mut spool = SpooledTempFile::new(MEMORY);
    let max_line = max_line(api.log.limits());
    let mut rest: Vec<u8> = Vec::new();
    let mut number = 0;
    let mut held = 0;
    while let Some(chunk) = body.next().await? {
        if held < MEMORY {
            body_memory::take(chunk.len())?;
            held += chunk.len();
        }
        rest.extend_from_slice(&chunk);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
            check_length(number + 1, rest.len(), max_line)?;
            continue;
        };
        let unfinished = rest.split_off(end + 1);
        check_lines(api, by, actor, &rest, &mut number, max_line).await?;
        spool.write_all(&rest).map_err(|error| internal(&error))?;
        rest = unfinished;
    }
    check_lines(api, by, actor, &rest, &mut number, max_line).await?;
    spool.write_all(&rest).map_err(|error| internal(&error))?;
    spool.seek(SeekFrom::Start(0)).map_err(|error| internal(&error))?;
    Ok(spool)
}

/// Bytes of a line, at most.
fn max_line(limits: &Limits) -> usize {
    // Each tag has quotes and a comma.
    let tags = limits.max_event_tags * (limits.max_tag_bytes * ESCAPED + 3);
    limits.max_event_bytes + tags + LINE_OVERHEAD
}

/// Checks whole lines; `number` is that of the line before them, and afterwards of the last of them.
async fn check_lines(
    api: &Api,
    by: &By,
    actor: &NamedActor,
    lines: &[u8],
    number: &mut usize,
    max_line: usize,
) -> Result<(), Problem> {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        *number += 1;
        take_turns(*number).await;
        check_length(*number, line.len(), max_line)?;
        if let Some(line) = parse(actor, line, *number)? {
            by.check_stream(&line.0).map_err(|problem| problem.with("line", *number))?;
            api.log.check_line(&line).map_err(|error| Problem::from(error).with("line", *number))?;
        }
    }
    Ok(())
}

fn check_length(number: usize, bytes: usize, max: usize) -> Result<(), Problem> {
    if bytes <= max {
        return Ok(());
    }
    let detail = format!("the line has more than {max} bytes, which no event within max_event_bytes needs");
    Err(Problem::new(Code::LimitExceeded, detail).with("limit", "max_event_bytes").with("line", number))
}

/// Reads line `number`, which an actor appends; returns `None` if it is blank.
fn parse(actor: &NamedActor, line: &[u8], number: usize) -> Result<Option<Line>, Problem> {
    let line = without_byte_order_mark(line);
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let read = parse_json_line(line).and_then(|mut line: api::ImportLine| {
        line.metadata = actor.within(line.metadata.take(), String::new)?;
        import_line(line).map(Some)
    });
    read.map_err(|problem| problem.with("line", number))
}

/// A body that is read from memory makes nobody wait, so an import of many lines would keep a thread of the host until its end, also when its
/// client has left. Here others get their turn, and what nobody waits for ends.
async fn take_turns(number: usize) {
    if number.is_multiple_of(TURN_LINES) {
        tokio::task::yield_now().await;
    }
}

async fn append_all(api: &Api, actor: &NamedActor, spool: SpooledTempFile) -> Result<Imported, Problem> {
    let mut lines = BufReader::new(spool);
    let mut done = Imported::default();
    let mut next_line = 1;
    loop {
        // Reads memory, or a file that was just written: not worth another thread.
        let (chunk, first_line) = next_chunk(actor, &mut lines, &mut next_line).await?;
        if chunk.is_empty() {
            return Ok(done);
        }
        match api.log.import(chunk, first_line).await {
            Ok(imported) => done.merge(imported),
            Err(error) => {
                let mut problem = Problem::from(error);
                if done.imported > 0
                    && let Some(detail) = problem.get("detail").and_then(|detail| detail.as_str())
                {
                    let kept = format!("{detail}. The {} events of earlier lines are in the log", done.imported);
                    problem = problem.with("detail", kept);
                }
                return Err(problem.with("imported", done.imported).with("last_position", done.last_position));
            }
        }
    }
}

/// The next events, and the number of their first line. A blank line ends a chunk, so the lines of a chunk have consecutive numbers.
async fn next_chunk(
    actor: &NamedActor,
    lines: &mut (impl BufRead + Send),
    next_line: &mut usize,
) -> Result<(Vec<Line>, usize), Problem> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    let mut first_line = *next_line;
    let mut text = Vec::new();
    while chunk.len() < CHUNK_EVENTS && bytes < CHUNK_BYTES {
        text.clear();
        if lines.read_until(b'\n', &mut text).map_err(|error| internal(&error))? == 0 {
            break;
        }
        let number = *next_line;
        *next_line += 1;
        take_turns(number).await;
        match parse(actor, &text, number)? {
            Some(line) => {
                bytes += text.len();
                chunk.push(line);
            }
            None if chunk.is_empty() => first_line = *next_line,
            None => break,
        }
    }
    Ok((chunk, first_line))
}
