//! `GET /v1/projections/{name}/dead-letters`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::list::projection;
use crate::{
    builds::BuildId,
    event_log::Position,
    http::{
        Api,
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
    },
    read_model::Identifier,
    subscriptions::DeadLetterSummary,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    build: Option<BuildId>,
    /// The position to begin behind.
    after: Option<Position>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(in crate::http) struct Page {
    build: BuildId,
    dead_letters: Vec<DeadLetterSummary>,
    /// How many there are in all.
    total: u64,
    /// To be given as `after` for the next page; none if there is nothing further.
    next: Option<Position>,
}

/// The events that a build has set aside: the active one, or the newest if none is active yet.
pub(in crate::http) async fn dead_letters(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<Query>,
) -> Result<Json<Page>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let projection = projection(&api, &name).await?;
    let wanted = query.build.or(projection.active_build);
    let build = projection.builds.iter().find(|build| wanted.is_none_or(|wanted| build.build == wanted));
    let build = build.ok_or_else(|| {
        let wanted = wanted.map_or_else(|| "at all".to_owned(), |wanted| wanted.to_string());
        Problem::new(Code::BuildNotFound, format!("projection `{name}` has no build {wanted}"))
    })?;
    let dead_letters = api.operations.dead_letters(build.build, query.after.unwrap_or_default(), limit).await?;
    let next = dead_letters.last().filter(|_| dead_letters.len() == limit).map(|last| last.position);
    Ok(Json(Page { build: build.build, dead_letters, total: build.dead_letters, next }))
}
