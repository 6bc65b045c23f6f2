//! `GET /v1/events/{position}/explanation`

use axum::{extract::State, response::Response};

use crate::{
    api,
    event_log::{PageSize, Position},
    http::{
        convert,
        extract::{Params, PathParams},
        page,
        problem::Problem,
        sending,
        state::Api,
    },
    operations::ExplainOptions,
    read_model::Identifier,
};

pub(in crate::http) async fn explain(
    State(api): State<Api>,
    PathParams(position): PathParams<u64>,
    Params(query): Params<api::ExplainQuery>,
) -> Result<Response, Problem> {
    let projection = query.projection.map(Identifier::new).transpose()?;
    let options = ExplainOptions { projection, fold: query.fold };
    // The event, what upcasters make of it, and rows.
    let size = PageSize { events: api.settings.max_page, bytes: api.settings.max_page_bytes };
    let reserved = page::reserve(&api, size).await?;
    let explanation = api.operations.explain(&api.log, Position(position), options).await?;
    sending::json(&convert::explanation(explanation)?, reserved)
}
