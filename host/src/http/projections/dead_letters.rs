//! `GET /v1/projections/{name}/dead-letters`

use axum::{Json, extract::State};

use crate::{
    api,
    builds::BuildNumber,
    event_log::Position,
    http::{
        extract::{Params, PathParams},
        page,
        problem::Problem,
        state::Api,
    },
    operations::DeadLetters,
    read_model::Identifier,
};

/// The events that a build has set aside. The build is the active one if none is named, or the newest if none is active.
pub(in crate::http) async fn dead_letters(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::DeadLettersQuery>,
) -> Result<Json<api::DeadLettersPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(Position).unwrap_or_default();
    let build = query.build.map(BuildNumber);
    let DeadLetters { build, letters, total } = api.operations.dead_letters(&name, build, after, limit).await?;
    let dead_letters: Vec<api::DeadLetter> = letters.into_iter().map(Into::into).collect();
    let next = dead_letters.last().filter(|_| dead_letters.len() == limit).map(|last| last.position);
    Ok(Json(api::DeadLettersPage { build: build.into(), dead_letters, total, next }))
}
