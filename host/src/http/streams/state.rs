//! `GET /v1/streams/{stream}/state`

use axum::{extract::State, response::Response};
use gnomon_values::Instant;

use crate::{
    api,
    event_log::{StreamName, StreamVersion},
    http::{
        convert,
        extract::{Params, PathParams},
        problem::{Code, Problem},
        sending,
        state::Api,
    },
    modules::ModuleVersion,
    past::At,
    read_model::Identifier,
};

pub(in crate::http) async fn state(
    State(api): State<Api>,
    PathParams(stream): PathParams<String>,
    Params(query): Params<api::StreamStateQuery>,
) -> Result<Response, Problem> {
    let stream = StreamName::new(stream)?;
    let projection = Identifier::new(query.projection.clone())?;
    let at = at(&query)?;
    let version = query.version.map(ModuleVersion);
    let max = api.settings.max_answer_bytes;
    let state = api.past.state(&api.log, &stream, &projection, version, at, max).await?;
    let reserved = api.sending.reserve_answer(state.bytes.saturating_mul(2)).await?;
    sending::json(&convert::stream_state(stream, state), reserved)
}

/// When the state is asked for.
fn at(query: &api::StreamStateQuery) -> Result<At, Problem> {
    match (query.at_version, &query.at_time) {
        (None, None) => Ok(At::Newest),
        (Some(version), None) => Ok(At::Version(StreamVersion(version))),
        (None, Some(time)) => {
            let instant = Instant::parse(time);
            instant.map(At::Time).map_err(|error| Problem::new(Code::InvalidQuery, format!("`at_time`: {error}")))
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::InvalidQuery, "`at_version` and `at_time` are two instants; leave one of them out"))
        }
    }
}
