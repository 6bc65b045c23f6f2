//! `GET /v1/projections/{name}/compare`

use std::time::Duration;

use axum::{Json, extract::State, http::HeaderMap};

use crate::{
    api,
    builds::BuildNumber,
    http::{
        extract::{Params, PathParams},
        prefer::Preferences,
        problem::{Code, Problem},
        state::Api,
    },
    operations::CompareOptions,
    read_model::Identifier,
};

/// How long the host waits until both builds are at one position, if the client does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

pub(in crate::http) async fn compare(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::CompareQuery>,
    headers: HeaderMap,
) -> Result<Json<api::Comparison>, Problem> {
    let options = options(&api, query.samples, &headers)?;
    let (left, right) = (query.left.map(BuildNumber), query.right.map(BuildNumber));
    Ok(Json(api.operations.compare(&name, left, right, options).await?.into()))
}

/// The options of a comparison, from its parameters and the header `Prefer`.
pub(super) fn options(api: &Api, samples: Option<usize>, headers: &HeaderMap) -> Result<CompareOptions, Problem> {
    let samples = samples.unwrap_or(api::DEFAULT_SAMPLES);
    if samples > api::MAX_SAMPLES {
        let detail = format!("`samples` must be at most {}; it is {samples}", api::MAX_SAMPLES);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    let preferences = Preferences::from_headers(headers);
    preferences.check().map_err(|error| Problem::new(Code::InvalidHeader, format!("Prefer: {error}")))?;
    Ok(CompareOptions { samples, timeout: preferences.wait(DEFAULT_WAIT, api.settings.max_wait) })
}
