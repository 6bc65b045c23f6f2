//! Answers from the past of streams: a query that names the keys of its rows is answered at once, if the events of some streams tell them.

use std::time::{Duration, Instant};

use axum::{http::HeaderMap, response::Response};

use super::{
    asked::Asked,
    past_question::PastQuestion,
    refusal::ReadTableError,
    respond::{known_tags, weak},
};
use crate::{
    event_log::Position,
    http::{state::Api, traces::query_span},
    past::KeyedRows,
    queries::{ReadRequest, ReplayedRows, Unchanged, asked_keys},
};

/// How long events are folded at least, also for a client that does not wait.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Answers from the streams that the keys name. `None` if they do not tell; a past build does.
pub(super) async fn answer(
    api: &Api,
    asked: &Asked,
    question: &PastQuestion<'_>,
    (request, position): (ReadRequest<'_>, Position),
    headers: &HeaderMap,
) -> Result<Option<Response>, ReadTableError> {
    let &PastQuestion { projection, table, as_of, is_of_url, waits, .. } = question;
    // Plans and files are of tables.
    if asked.media.plan.is_some() || asked.media.columns.is_some() {
        return Ok(None);
    }
    let at_least = Instant::now() + AT_LEAST;
    let deadline = if waits { asked.wanted.until().into_std().max(at_least) } else { at_least };
    let keys = |tables: &[_]| asked_keys(&request, tables);
    let found = api.past.rows_of_keys(&api.log, projection, as_of.version, position, deadline, keys).await;
    let found = found.map_err(|error| ReadTableError::Other(error.into()))?;
    let Some(KeyedRows { version, position, rows, digest }) = found else { return Ok(None) };
    let rows = ReplayedRows::new(rows, version, position, &digest);
    let pinned = question.pinned(position, version);
    let frame = question.frame(api, asked, &pinned);
    let tag = rows.tag(&request);
    if is_of_url && known_tags(headers).is_some_and(|tags| tags.contains(&weak(tag).as_str())) {
        return frame.unchanged(&Unchanged { tag, position, origin: rows.origin() }).map(Some);
    }
    let span = query_span(projection.as_str(), table);
    frame.answer(span.scope(api.queries.read_replayed(request, &rows)).await?).map(Some)
}
