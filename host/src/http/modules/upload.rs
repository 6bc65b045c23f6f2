//! `PUT /v1/modules/{name}`

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};

use crate::{
    builds::{Activation, BuildId},
    http::{
        Api,
        body::read_body,
        extract::{Params, PathParams, is_media_type, unsupported},
        problem::Problem,
    },
    modules::ModuleVersion,
    operations::{Rebuilt, UploadOutcome},
    read_model::Identifier,
    runtime::{Descriptor, Digest, ModuleKind},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    #[serde(default)]
    activate: Activation,
}

#[derive(Serialize)]
pub(in crate::http) struct Answer {
    name: Identifier,
    version: ModuleVersion,
    digest: Digest,
    kind: ModuleKind,
    descriptor: Descriptor,
    /// The build of the version, if it is one of a projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<BuildId>,
    /// The builds that were begun because an upcaster was activated.
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<Vec<Rebuilt>>,
}

pub(in crate::http) async fn upload(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<Query>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Answer>), Problem> {
    if !is_media_type(&headers, "application/wasm") {
        return Err(unsupported(&headers, "application/wasm"));
    }
    let max = api.operations.max_module_bytes() as u64;
    let bytes = read_body(body, max, "max_module_bytes").await?;
    let UploadOutcome { uploaded, build, builds } = api.operations.upload(&name, bytes, query.activate).await?;
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = Answer {
        name,
        version: uploaded.version,
        digest: uploaded.digest,
        kind: uploaded.descriptor.kind(),
        descriptor: uploaded.descriptor,
        build,
        builds,
    };
    Ok((status, Json(answer)))
}
