//! `GET /v1/streams/{stream}/history`

use axum::{extract::State, response::Response};

use crate::{
    api,
    event_log::{PageSize, StreamName, StreamVersion},
    http::{
        convert,
        extract::{Params, PathParams},
        page,
        problem::Problem,
        sending,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

pub(in crate::http) async fn history(
    State(api): State<Api>,
    PathParams(stream): PathParams<String>,
    Params(query): Params<api::StreamHistoryQuery>,
) -> Result<Response, Problem> {
    let stream = StreamName::new(stream)?;
    let projection = Identifier::new(query.projection)?;
    let events = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(page::begin).transpose()?.map(StreamVersion);
    let size = PageSize { events, bytes: api.settings.max_page_bytes };
    // The events, and rows before and after them.
    let reserved = page::reserve(&api, size).await?;
    let (version, direction) = (query.version.map(ModuleVersion), query.direction.into());
    let page = api.past.history(&api.log, &stream, &projection, version, after, size, direction).await?;
    sending::json(&convert::stream_history(stream, page)?, reserved)
}
