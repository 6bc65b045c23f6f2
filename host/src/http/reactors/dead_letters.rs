//! `GET /v1/reactors/{name}/dead-letters`

use axum::{Json, extract::State};

use crate::{
    api,
    event_log::Position,
    http::{
        extract::{Params, PathParams},
        page,
        problem::Problem,
        state::Api,
    },
    operations::ReactorDeadLetters,
    read_model::Identifier,
};

/// The events that a reactor has set aside.
pub(in crate::http) async fn dead_letters(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::ReactorDeadLettersQuery>,
) -> Result<Json<api::ReactorDeadLettersPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(Position).unwrap_or_default();
    let ReactorDeadLetters { letters, total } = api.operations.reactor_dead_letters(&name, after, limit).await?;
    let dead_letters: Vec<api::DeadLetter> = letters.into_iter().map(Into::into).collect();
    let next = dead_letters.last().filter(|_| dead_letters.len() == limit).map(|last| last.position);
    Ok(Json(api::ReactorDeadLettersPage { dead_letters, total, next }))
}
