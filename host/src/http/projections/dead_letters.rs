//! `GET /v1/projections/{name}/dead-letters`

use axum::{Json, extract::State};

use super::list::projection;
use crate::{
    api,
    event_log::Position,
    http::{
        convert::build_id,
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
        state::Api,
    },
    read_model::Identifier,
};

/// The events that a build has set aside. The build is the active one if none is named, or the newest if none is active.
pub(in crate::http) async fn dead_letters(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::DeadLettersQuery>,
) -> Result<Json<api::DeadLettersPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let projection = projection(&api, &name).await?;
    let wanted = query.build.or(projection.active_build);
    let build = projection.builds.iter().find(|build| wanted.is_none_or(|wanted| build.build == wanted));
    let build = build.ok_or_else(|| {
        let wanted = wanted.map_or_else(|| "at all".to_owned(), |wanted| wanted.to_string());
        Problem::new(Code::BuildNotFound, format!("projection `{name}` has no build {wanted}"))
    })?;
    let after = query.after.map(Position).unwrap_or_default();
    let found = api.operations.dead_letters(build_id(build.build), after, limit).await?;
    let dead_letters: Vec<api::DeadLetter> = found.into_iter().map(Into::into).collect();
    let next = dead_letters.last().filter(|_| dead_letters.len() == limit).map(|last| last.position);
    Ok(Json(api::DeadLettersPage { build: build.build, dead_letters, total: build.dead_letters, next }))
}
