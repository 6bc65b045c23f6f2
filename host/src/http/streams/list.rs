//! `GET /v1/streams`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{caller::By, extract::Params, names, page, problem::Problem, state::Api},
};

pub(in crate::http) async fn list(
    State(api): State<Api>,
    by: By,
    Params(query): Params<api::ListStreamsQuery>,
) -> Result<Json<api::StreamsPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let categories = names::categories(query.category.as_deref())?;
    by.check_reading(&categories)?;
    let after = query.after.unwrap_or_default();
    let found = api.log.streams(&categories, &after, limit).await?;
    let streams: Vec<api::Stream> = found.into_iter().map(Into::into).collect();
    let next = streams.last().filter(|_| streams.len() == limit).map(|last| last.stream.clone());
    Ok(Json(api::StreamsPage { streams, next }))
}
