//! All rows of a query as a file of columns.

use axum::{
    body::Body,
    http::{HeaderMap, Version, header},
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt as _;
use tracing::warn;

use super::{
    asked::Asked,
    error::PostgrestError,
    refusal::ReadTableError,
    respond::{Frame, MAX_ROWS, header_value},
};
use crate::{
    event_log::Position,
    http::{request_id::RequestId, state::Api, traces::query_span},
    queries::{Count, Export, Origin, ReadRequest},
    read_model::columnar::Format,
};

/// Answers a request with all rows that it asks for. A failure after the answer has begun breaks the connection: the body has no end then, so no
/// client takes it for whole.
pub(super) async fn export(
    api: &Api,
    frame: &Frame<'_>,
    request: ReadRequest<'_>,
    format: Format,
) -> Result<Response, ReadTableError> {
    check(frame.asked, format)?;
    let span = query_span(request.projection.as_str(), request.table);
    let export = span.scope(frame.asked.wanted.export(api, request, format)).await?;
    answer(frame, export, &request)
}

/// The answer with an export that has begun.
pub(super) fn answer(frame: &Frame<'_>, export: Export, request: &ReadRequest<'_>) -> Result<Response, ReadTableError> {
    if frame.asked.has_any {
        // The export ends here, before its first row is read.
        return frame.not_modified(export.position, export.origin, None);
    }
    let headers = frame.headers_of_columns(export.position, export.origin)?;
    let (id, table) = (RequestId::current(), format!("{}.{}", request.projection, request.table));
    let body = export.body.inspect_err(move |error| {
        warn!(request_id = %id, %table, %error, "an export broke off, and so does the connection of its client");
    });
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Refuses what this answer cannot have.
pub(super) fn check(asked: &Asked, format: Format) -> Result<(), PostgrestError> {
    if asked.preferences.count() != Count::Uncounted {
        return Err(PostgrestError::not_of_columns(
            "The rows of an answer in Parquet or Arrow are not counted.",
            "Leave out count from Prefer, or ask for the count with HEAD and Accept: application/json.",
        ));
    }
    // With HTTP/1.0 the end of a body is that of its connection, and a stream of Arrow may end after each batch.
    if asked.version < Version::HTTP_11 && format == Format::ArrowStream {
        return Err(PostgrestError::not_of_columns(
            "With HTTP/1.0 nobody can tell a stream of Arrow that broke off from a whole one.",
            "Use HTTP/1.1 (nginx: proxy_http_version 1.1), or ask for application/vnd.apache.parquet, whose end is in the file.",
        ));
    }
    Ok(())
}

impl Frame<'_> {
    fn headers_of_columns(&self, position: Position, origin: Origin) -> Result<HeaderMap, ReadTableError> {
        let mut headers = self.headers(position, origin, None)?;
        // It is no page.
        headers.remove(MAX_ROWS);
        headers.insert(header::CONTENT_TYPE, header_value(&self.asked.media.content_type())?);
        self.add_applied(&mut headers)?;
        Ok(headers)
    }
}
