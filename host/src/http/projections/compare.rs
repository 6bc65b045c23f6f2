//! `GET /v1/projections/{name}/compare`

use std::time::Duration;

use axum::{Json, extract::State, http::HeaderMap};
use serde::Deserialize;

use crate::{
    http::{
        Api,
        extract::{Params, PathParams},
        problem::{Code, Problem},
    },
    projector::{BuildId, CompareOptions, Comparison},
    read_model::{Identifier, compare::MAX_SAMPLES, query::Preferences},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Sides {
    left: Option<BuildId>,
    right: Option<BuildId>,
    samples: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    pub(super) samples: Option<usize>,
}

pub(in crate::http) async fn compare(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(sides): Params<Sides>,
    headers: HeaderMap,
) -> Result<Json<Comparison>, Problem> {
    let options = options(&api, sides.samples, &headers)?;
    Ok(Json(api.projector.compare(&name, sides.left, sides.right, options).await?))
}

/// How a client wants a comparison to be made.
pub(super) fn options(api: &Api, samples: Option<usize>, headers: &HeaderMap) -> Result<CompareOptions, Problem> {
    let default = CompareOptions::default();
    let samples = samples.unwrap_or(default.samples);
    if samples > MAX_SAMPLES {
        let detail = format!("`samples` must be at most {MAX_SAMPLES}; it is {samples}");
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    let preferences = Preferences::parse(headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()));
    preferences.check().map_err(|error| {
        let details = error.details.unwrap_or_default();
        Problem::new(Code::InvalidHeader, format!("Prefer: {}. {details}", error.message))
    })?;
    let patience = preferences.wait.map_or(default.patience, |seconds| Duration::from_secs(seconds.into()));
    Ok(CompareOptions { samples, patience: patience.min(api.settings.max_wait) })
}
