//! `GET /v1/projections/{name}/compare`

use std::time::Duration;

use axum::{Json, extract::State, http::HeaderMap};

use crate::{
    api,
    http::{
        convert::build_id,
        extract::{Params, PathParams},
        problem::{Code, Problem},
        state::Api,
    },
    operations::CompareOptions,
    read_model::{Identifier, query::Preferences},
};

pub(in crate::http) async fn compare(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::CompareQuery>,
    headers: HeaderMap,
) -> Result<Json<api::Comparison>, Problem> {
    let options = options(&api, query.samples, &headers)?;
    let (left, right) = (query.left.map(build_id), query.right.map(build_id));
    Ok(Json(api.operations.compare(&name, left, right, options).await?.into()))
}

/// How a client wants a comparison to be made.
pub(super) fn options(api: &Api, samples: Option<usize>, headers: &HeaderMap) -> Result<CompareOptions, Problem> {
    let default = CompareOptions::default();
    let samples = samples.unwrap_or(default.samples);
    if samples > api::MAX_SAMPLES {
        let detail = format!("`samples` must be at most {}; it is {samples}", api::MAX_SAMPLES);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    let preferences = Preferences::parse(headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()));
    preferences.check().map_err(|error| {
        let details = error.details.unwrap_or_default();
        Problem::new(Code::InvalidHeader, format!("Prefer: {}. {details}", error.message))
    })?;
    let timeout = preferences.wait.map_or(default.timeout, |seconds| Duration::from_secs(seconds.into()));
    Ok(CompareOptions { samples, timeout: timeout.min(api.settings.max_wait) })
}
