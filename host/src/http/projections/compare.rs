//! `GET /v1/projections/{name}/compare`

use axum::{Json, extract::State, http::HeaderMap};
use serde::Deserialize;

use crate::{
    builds::BuildId,
    http::{
        Api,
        extract::{Params, PathParams},
        prefer::Preferences,
        problem::{Code, Problem},
    },
    operations::{CompareOptions, Comparison},
    read_model::{Identifier, compare::MAX_SAMPLES},
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
    Ok(Json(api.operations.compare(&name, sides.left, sides.right, options).await?))
}

/// How a client wants a comparison to be made.
pub(super) fn options(api: &Api, samples: Option<usize>, headers: &HeaderMap) -> Result<CompareOptions, Problem> {
    let default = CompareOptions::default();
    let samples = samples.unwrap_or(default.samples);
    if samples > MAX_SAMPLES {
        let detail = format!("`samples` must be at most {MAX_SAMPLES}; it is {samples}");
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    let preferences = Preferences::of(headers);
    preferences.check().map_err(|error| Problem::new(Code::InvalidHeader, format!("Prefer: {error}")))?;
    Ok(CompareOptions { samples, timeout: preferences.wait(default.timeout, api.settings.max_wait) })
}
