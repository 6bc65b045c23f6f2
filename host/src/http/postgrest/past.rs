//! Answers from the past: from the events of streams, if the query names the keys of its rows and these tell them; else from a build that ends at the
//! position that is asked for, which is made when somebody asks.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use tokio::time::Instant;

use super::{
    asked::Asked,
    columns,
    past_question::PastQuestion,
    refusal::ReadTableError,
    replayed,
    respond::{PAST_BUILD, VARY, VERSION, header_value, known_tags, weak},
};
use crate::{
    api,
    builds::BuildNumber,
    http::{forwarded_prefix::ForwardedPrefix, state::Api, traces::query_span},
    queries::{PastModel, PastWait, ReadError, ReadRequest, Unchanged},
    read_model::Identifier,
};

/// Answers from the past. If the build that shows it is not finished in the time that the client waits, the answer says where to look.
pub(super) async fn answer(
    api: &Api,
    asked: &Asked,
    question: &PastQuestion<'_>,
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    let &PastQuestion { projection, table, query, max_query_bytes, as_of, .. } = question;
    if let Some(format) = asked.media.columns {
        columns::check(asked, format)?;
    }
    let position = as_of.position(api).await?;
    let request =
        ReadRequest { max_query_bytes, as_of: Some(position), ..asked.request(api, projection, table, query) };
    if let Some(answer) = replayed::answer(api, asked, question, (request, position), headers).await? {
        return Ok(answer);
    }
    let try_once = || async {
        let accepts = |tables: &_| Ok::<_, ReadTableError>(api.queries.check(&request, tables)?);
        let found = api.operations.past_build(projection, as_of.version, position, accepts).await?;
        let until = if question.waits { asked.wanted.until() } else { Instant::now() };
        match api.queries.wait_for_past(projection, found, until).await? {
            PastWait::Finished(past) => read(api, asked, question, request, &past, headers).await,
            PastWait::BeingMade(number) => being_made(api, projection, number).await,
        }
    };
    match try_once().await {
        // It was retired while it was waited for or read.
        Err(ReadTableError::Read(ReadError::PastGone { .. })) => try_once().await,
        answer => answer,
    }
}

async fn read(
    api: &Api,
    asked: &Asked,
    question: &PastQuestion<'_>,
    request: ReadRequest<'_>,
    past: &PastModel,
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    let &PastQuestion { projection, table, is_of_url, .. } = question;
    let pinned = question.pinned(past.position, past.version);
    let frame = question.frame(api, asked, &pinned);
    if let Some(format) = asked.media.columns {
        let export = api.queries.export_past(request, format, past).await?;
        return columns::answer(&frame, export, &request);
    }
    let tag = api.queries.past_tag(past, &request);
    if is_of_url && known_tags(headers).is_some_and(|tags| tags.contains(&weak(tag).as_str())) {
        return frame.unchanged(&Unchanged { tag, position: past.position, origin: past.origin() });
    }
    let span = query_span(projection.as_str(), table);
    frame.answer(span.scope(api.queries.read_past(request, past)).await?)
}

/// The answer to who asks before the build is finished: how far it is, and where that can be asked for.
async fn being_made(api: &Api, projection: &Identifier, number: BuildNumber) -> Result<Response, ReadTableError> {
    let summary = api.operations.one_past_build(projection, number).await?;
    let path = format!("/v1/projections/{projection}/past-builds/{number}");
    let headers = [
        (header::LOCATION, header_value(&ForwardedPrefix::current().path(&path))?),
        (header::RETRY_AFTER, HeaderValue::from_static("1")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, VARY),
        (PAST_BUILD, HeaderValue::from(u64::from(number))),
        (VERSION, HeaderValue::from(summary.version.0)),
    ];
    Ok((StatusCode::ACCEPTED, headers, Json(api::PastBuild::from(summary))).into_response())
}
